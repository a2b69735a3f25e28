"""The contract between the two halves: what each variable of one fielded form means.

Made together with the form, stored under its build id, never changed after. The data side
decodes with this and nothing else; it never looks back into the bank and never guesses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from kobosmix import conditions
from kobosmix.conditions import Condition
from kobosmix.errors import StudyError
from kobosmix.files import as_json, write_json

FORMAT = 1

DONT_KNOW = "98"
REFUSED = "99"

# The variable that a personal link fills in. It stands for the ID, and only the register says whose.
PERSONAL_LINK = "link_token"


class Missing(StrEnum):
    """Why there is no answer. `MISSING_CODES` has the number each is stored as."""

    DONT_KNOW = "dont_know"
    REFUSED = "refused"
    NOT_ASKED = "not_asked"
    BLANK = "blank"
    BREAK_OFF = "break_off"


# -99..-95: one block, so that SPSS can declare it as a single range of missing values.
MISSING_CODES: Mapping[Missing, int] = {
    Missing.REFUSED: -99,
    Missing.DONT_KNOW: -98,
    Missing.NOT_ASKED: -97,
    Missing.BLANK: -96,
    Missing.BREAK_OFF: -95,
}


# Whose English the questions have, and whether readers have signed the sentences, in words.
WORDING_IN_WORDS: Mapping[str, str] = {
    "own": "kobosmix's own wording, written to measure the same constructs as the toolkit",
    "published": "the published English wording of Tropp and Morhayim (2022), IOM, CC BY-NC-ND "
    "3.0 IGO, and translations of it",
    "mixed": "partly the published English wording of Tropp and Morhayim (2022), IOM, CC BY-NC-ND "
    "3.0 IGO, partly other wording",
}
REVIEW_IN_WORDS: Mapping[str, str] = {
    "draft": "DRAFT: not every sentence has been signed by a reader of its language",
    "exception": "not every sentence has been signed by a reader; used all the same by exception",
    "signed": "every sentence has been signed by a reader of its language",
}


class Role(StrEnum):
    """What a variable is for. Only KEY, ITEM and CLOSING hold what a respondent said.

    OBSERVATION is what the enumerator notes of the interview itself: its mode, its language, who
    else was there, whether it went to the end.
    """

    HIDDEN = "hidden"
    META = "meta"
    STAFF = "staff"
    CONSENT = "consent"
    OBSERVATION = "observation"
    KEY = "key"
    ITEM = "item"
    CLOSING = "closing"


class Kind(StrEnum):
    """How an answer is given."""

    SELECT_ONE = "select_one"
    INTEGER = "integer"
    TEXT = "text"
    DATE = "date"
    BARCODE = "barcode"
    CALCULATED = "calculated"
    META = "meta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer that can be chosen. `missing` says why it is no answer (98, 99), else None.

    `labels` holds the words fielded by language; `english` the label of the item bank.
    """

    value: str
    labels: Mapping[str, str]
    missing: Missing | None = None
    english: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolkitPlace:
    """Where the construct stands in the toolkit: section, heading, printed position."""

    section: str
    concept: str
    position: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One field of the form. `path` is where it stands in a submission: `interview/x/trust_1`.

    `labels` and `hints` are the exact words fielded, by language tag; `english` is the sentence
    of the item bank they were translated from, with its slots. `asked_if` holds every condition
    that must be met for the question to be put, those of its blocks included. What is `required`
    cannot be passed over while `required_if` holds (None: always).
    """

    name: str
    path: str
    role: Role
    kind: Kind
    english: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    required: bool = False
    required_if: Condition | None = None
    asked_if: Condition | None = None
    scale: str = ""
    rated: bool = False
    reversed: bool = False
    concept: str = ""
    item: str = ""
    facet: str = ""
    about: str = ""
    toolkit: ToolkitPlace | None = None
    low: int | None = None
    high: int | None = None

    def option(self, value: str) -> Option | None:
        """The option with this code, or None where the code is not one of the form's."""
        return next((option for option in self.options if option.value == value), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEntry:
    """What is only read: an instruction, a screen of the introduction.

    `before` is the variable that comes next, empty behind the last one. The rest is as in a
    Variable.
    """

    name: str
    path: str
    labels: Mapping[str, str]
    hints: Mapping[str, str] = field(default_factory=dict)
    shown_if: Condition | None = None
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetEntry:
    """A part of a concept that has a score and a direction of its own."""

    id: str
    title: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptEntry:
    """A concept the form asks: its name, desired direction (up, down, none, mixed), facets."""

    id: str
    section: str
    title: str
    score_name: str
    direction: str
    facets: tuple[FacetEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """A sentence that this form says in other words than the catalogue, with the reason."""

    key: str
    language: str
    about: str
    text: str
    reason: str
    by: str
    on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """Everything needed to decode the answers of one form: one group, one wave.

    `names` maps each group of the study to what it is called, by language tag. `wording` says
    whose English the questions have (`own`, `published` or `mixed`); `review` whether readers
    have signed the sentences (`signed`), or not (`draft`), or not all but the study makes an
    `exception`: then that field names the person who decided so and the reason. `notes` is what
    is only read; a codebook of before they were kept has none.
    """

    build_id: str
    study: str
    wave: str
    group: str
    group_role: str
    mode: str
    languages: tuple[str, ...]
    title: str
    bank_version: str
    names: Mapping[str, Mapping[str, str]]
    variables: tuple[Variable, ...]
    concepts: tuple[ConceptEntry, ...]
    wording: str = "own"
    review: str = "draft"
    exception: str = ""
    adaptations: tuple[Adaptation, ...] = ()
    notes: tuple[NoteEntry, ...] = ()

    def variable(self, name: str) -> Variable:
        """The variable of that name. Raises KeyError."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)

    def items(self) -> tuple[Variable, ...]:
        """What the respondent was asked beyond the verification keys, in the form's order."""
        return tuple(v for v in self.variables if v.role is Role.ITEM)


def write_codebook(path: Path, codebook: Codebook) -> None:
    """Write the codebook as JSON."""
    write_json(path, {"format": FORMAT, **as_json(codebook)})


def read_codebook(path: Path) -> Codebook:
    """Read what `write_codebook` wrote. A newer or damaged file is a StudyError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise StudyError(f"{path} was written by a newer kobosmix; update kobosmix first")
        return _codebook(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StudyError(f"the codebook {path} cannot be read; run kobosmix build") from error


def _codebook(content: dict[str, Any]) -> Codebook:
    content["languages"] = tuple(content["languages"])
    content["variables"] = tuple(_variable(each) for each in content["variables"])
    content["concepts"] = tuple(
        ConceptEntry(**{**each, "facets": tuple(FacetEntry(**f) for f in each["facets"])})
        for each in content["concepts"]
    )
    content["adaptations"] = tuple(Adaptation(**a) for a in content.get("adaptations", ()))
    content["notes"] = tuple(_note(each) for each in content.get("notes", ()))
    return Codebook(**content)


def _variable(content: dict[str, Any]) -> Variable:
    place = content["toolkit"]
    return Variable(
        **{
            **content,
            "role": Role(content["role"]),
            "kind": Kind(content["kind"]),
            "options": tuple(_option(each) for each in content["options"]),
            "asked_if": conditions.from_json(content["asked_if"]),
            "required_if": conditions.from_json(content.get("required_if")),
            "toolkit": ToolkitPlace(**place) if place else None,
        }
    )


def _note(content: dict[str, Any]) -> NoteEntry:
    return NoteEntry(**{**content, "shown_if": conditions.from_json(content["shown_if"])})


def _option(content: dict[str, Any]) -> Option:
    missing = content["missing"]
    return Option(**{**content, "missing": Missing(missing) if missing else None})
