"""A change, and how much it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kobosmix.findings import around_difference


class Level(StrEnum):
    """What a change does to answers collected before, the worst first.

    What is BREAKING cannot be pooled; an ADDITION was not asked before; other WORDING may have
    been understood otherwise; what is COSMETIC leaves the answers alone.
    """

    BREAKING = "breaking"
    ADDITION = "addition"
    WORDING = "wording"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed: where, what, and in `means` what that is for collected answers.

    `where` is a question, a list of answers, or a part of the form. `old` and `new` are empty
    where there was or is nothing.
    """

    level: Level
    where: str
    what: str
    means: str
    language: str = ""
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        """The change in two lines, as findings are shown; long words are cut."""
        what = f"{self.what} ({self.language})" if self.language else self.what
        old, new = around_difference(self.old, self.new)
        words = [f"'{old}'"] if old else []
        if new:
            words.append(("now " if old else "") + f"'{new}'")
        then = f": {', '.join(words)}" if words else ""
        return f"{self.level} {self.where}: {what}{then}\n  {self.means}"


def in_order(found: Iterable[Change]) -> list[Change]:
    """Each change once, the breaking ones first; otherwise as the form has them."""
    rank = {level: number for number, level in enumerate(Level)}
    return sorted(dict.fromkeys(found), key=lambda change: rank[change.level])


def counted(found: Iterable[Change]) -> str:
    """'2 breaking changes, 1 addition', leaving out what there is none of; "" for no change."""
    counts = Counter(change.level for change in found)
    return ", ".join(_counted(counts[level], level) for level in Level if counts[level])


def verdict(found: Iterable[Change]) -> str:
    """What all the changes together mean, in one line."""
    found = in_order(found)
    if not found:
        return "The forms are the same."
    return f"{counted(found)}. {_VERDICTS[found[0].level]}"


_VERDICTS = {
    Level.BREAKING: "Answers to what broke must not be pooled with those collected before.",
    Level.ADDITION: "Answers stay comparable; what is new is missing in those collected before.",
    Level.WORDING: "Answers keep their codes; whether they are comparable is for a person to judge.",
    Level.COSMETIC: "Answers stay comparable.",
}
_PLURALS = {
    Level.BREAKING: "breaking changes",
    Level.ADDITION: "additions",
    Level.WORDING: "changes of wording",
    Level.COSMETIC: "cosmetic changes",
}
_SINGULARS = {
    Level.BREAKING: "breaking change",
    Level.ADDITION: "addition",
    Level.WORDING: "change of wording",
    Level.COSMETIC: "cosmetic change",
}


def _counted(number: int, level: Level) -> str:
    return f"{number} {(_SINGULARS if number == 1 else _PLURALS)[level]}"
