"""A questionnaire: blocks of questions, notes and values worked out on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kobosmix.codebook import Adaptation, ConceptEntry, Kind, Option, Role, ToolkitPlace
from kobosmix.conditions import Condition, both

# One sentence in each language of the form.
Sentence = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOfOptions:
    """Answers to choose from, shared by the questions that name the list.

    Where a list holds the letters of several alphabets, `alphabets` tells by answer which one a
    letter is of, and `shown_by` names the variable that says which one is shown.
    """

    id: str
    options: tuple[Option, ...]
    alphabets: Mapping[str, str] = field(default_factory=dict)
    shown_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A whole number from `low` to `high`; `high` None means the current year."""

    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class SameAs:
    """The same answer as another variable has: what was typed twice."""

    variable: str


@dataclass(frozen=True, slots=True)
class NotAfterToday:
    """A day that is over, or today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What an item measures: where it belongs in the bank, and how it is keyed."""

    concept: str
    item: str
    facet: str
    about: str
    rated: bool
    reversed: bool
    toolkit: ToolkitPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something put to a person. `list` names its options, or the file they come from.

    `english` is the bank's sentence behind the label, for analysts who read neither language.
    `is_respondent_id` asks for the check digit; `message` is shown when an answer is refused.
    What is `required` cannot be passed over while `required_if` holds (None: always).
    """

    name: str
    role: Role
    kind: Kind
    label: Sentence
    english: str = ""
    hint: Sentence = field(default_factory=dict)
    list: str = ""
    from_file: str = ""
    required: bool = False
    required_if: Condition | None = None
    required_message: Sentence = field(default_factory=dict)
    limits: Limits | None = None
    accepts: SameAs | NotAfterToday | None = None
    is_respondent_id: bool = False
    message: Sentence = field(default_factory=dict)
    asked_if: Condition | None = None
    measures: Measures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A screen that is only read."""

    name: str
    label: Sentence
    hint: Sentence = field(default_factory=dict)
    shown_if: Condition | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every submission of the form."""

    value: str


@dataclass(frozen=True, slots=True)
class FirstAnswered:
    """The answer of the first of these variables that has one."""

    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holds:
    """`1` where the condition holds, else `0`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class FromRegister:
    """A column of the attached register for the ID in a variable; empty where it is not listed."""

    column: str
    id_variable: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The answer of a variable where it is one of these values, else the first of them."""

    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """What the phone notes by itself: `start`, `end` or `today`."""

    what: str


@dataclass(frozen=True, slots=True)
class FromLink:
    """What the link put in that the form was opened by; empty where there was no such link."""


Rule = Constant | FirstAnswered | Holds | FromRegister | OneOf | Device | FromLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculated:
    """A value nobody types."""

    name: str
    role: Role
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Things that belong together and are put, or left out, together. `label` is its heading."""

    name: str
    label: Sentence
    parts: tuple[Part, ...]
    asked_if: Condition | None = None


Part = Block | Question | Note | Calculated


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """What one respondent group is asked at one wave, in each language of its form.

    `wording`, `review`, `exception` and `adaptations` are those of the codebook.
    """

    study: str
    wave: str
    group: str
    group_role: str
    mode: str
    languages: tuple[str, ...]
    title: str
    bank_version: str
    names: Mapping[str, Mapping[str, str]]
    parts: tuple[Part, ...]
    lists: Mapping[str, ListOfOptions]
    concepts: tuple[ConceptEntry, ...]
    wording: str = "own"
    review: str = "draft"
    exception: str = ""
    adaptations: tuple[Adaptation, ...] = ()
    needs_register: bool = True

    def walk(self) -> Iterator[tuple[tuple[str, ...], Part, Condition | None]]:
        """Every part in order, with the blocks it stands in and all that must hold for it."""
        yield from _walk(self.parts, (), None)


def _walk(
    parts: tuple[Part, ...], above: tuple[str, ...], condition: Condition | None
) -> Iterator[tuple[tuple[str, ...], Part, Condition | None]]:
    for part in parts:
        match part:
            case Block():
                inner = both(condition, part.asked_if)
                yield above, part, inner
                yield from _walk(part.parts, (*above, part.name), inner)
            case Question():
                yield above, part, both(condition, part.asked_if)
            case Note():
                yield above, part, both(condition, part.shown_if)
            case Calculated():
                yield above, part, None
