"""Forms that are compared with each other, and what was found to differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kobosmix.codebook import Codebook


class Standing(StrEnum):
    """What is known of a build: made now, or earlier and with answers, in the field, or neither."""

    TODAY = "today"
    ANSWERED = "answered"
    DEPLOYED = "deployed"
    KEPT = "kept"


_IN_WORDS: Mapping[Standing, str] = {
    Standing.TODAY: "today's",
    Standing.ANSWERED: "with answers",
    Standing.DEPLOYED: "deployed",
    Standing.KEPT: "kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormVersion:
    """One build of one form. `left_out` has the reason for each item or concept not asked."""

    codebook: Codebook
    standing: Standing = Standing.TODAY
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What the form is called in file names: `pre_turks`."""
        return f"{self.codebook.wave}_{self.codebook.group}"

    @property
    def is_today(self) -> bool:
        """Whether it is what the study's files make now."""
        return self.standing is Standing.TODAY

    def __str__(self) -> str:
        """The form, and which build it is unless it is today's."""
        if self.is_today:
            return self.key
        return f"{self.key} (build {self.codebook.build_id}, {_IN_WORDS[self.standing]})"


class What(StrEnum):
    """In what two forms differ."""

    NOT_ASKED = "asked in one form only"
    NAME = "name of the variable"
    ORDER = "order"
    KIND = "kind of answer"
    SCALE = "list of answers"
    CODES = "codes"
    MISSING_CODES = "codes of missing answers"
    MEANING = "meaning of a code"
    DIRECTION = "direction"
    CONCEPT = "concept"
    LIMITS = "limits"
    REQUIRED = "required"
    ROUTING = "asked if"
    ENGLISH = "English of the bank"
    WORDS = "words"
    HINT = "hint"
    LABELS = "words of the answers"
    LANGUAGES = "languages"
    MODE = "mode"
    NOTES = "instructions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs. `reason` says why that is right; empty where nobody expects it.

    `variable` is empty for what concerns the whole form. What is not `measuring` puts nothing to
    the respondent that is analysed: the team's own questions, consent, the last screen.
    """

    what: What
    variable: str = ""
    language: str = ""
    in_a: str = ""
    in_b: str = ""
    reason: str = ""
    measuring: bool = True


class Relation(StrEnum):
    """Why two forms are to be asked the same."""

    WAVES = "two waves of one group"
    GROUPS = "two groups asked about each other"
    BUILDS = "two builds of one form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two forms compared: what both ask, how much of it is identical, and what differs."""

    a: FormVersion
    b: FormVersion
    relation: Relation
    compared: int
    identical: int
    differences: tuple[Difference, ...]

    @property
    def accepted(self) -> tuple[Difference, ...]:
        """The differences with a reason."""
        return tuple(each for each in self.differences if each.reason)

    @property
    def unexpected(self) -> tuple[Difference, ...]:
        """The differences without one."""
        return tuple(each for each in self.differences if not each.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Every pair of forms that answers are compared across."""

    pairs: tuple[Pair, ...] = ()

    def __str__(self) -> str:
        """The whole of it in one line."""
        accepted = sum(len(pair.accepted) for pair in self.pairs)
        unexpected = sum(len(pair.unexpected) for pair in self.pairs)
        identical = sum(pair.identical for pair in self.pairs)
        return (
            f"{len(self.pairs)} pairs of forms compared: {identical} questions and instructions "
            f"identical, {accepted} accepted differences, {unexpected or 'none'} unexpected"
        )
