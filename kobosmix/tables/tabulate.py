"""What every table is made from: the columns, and each linked answer decoded once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kobosmix.codebook import Codebook, Kind, Missing, Role, Variable
from kobosmix.conditions import holds
from kobosmix.match.answers import SAID_BY_RESPONDENT, decode
from kobosmix.match.model import Interview, Matched

TOOK_PART = "took_part"

# A code such as 01 would lose its zero as a number, and with it its meaning.
_WHOLE_CODE = re.compile(r"-?(0|[1-9][0-9]{0,17})")

# What analysts share, whatever the forms were in.
ENGLISH = "en"
_SLOT = re.compile(r"\[(\w+)\.\w+\]")


@dataclass(frozen=True, slots=True)
class Definition:
    """What one form means by a variable."""

    codebook: Codebook
    variable: Variable


@dataclass(frozen=True)
class Column:
    """One variable in one wave, as all forms of that wave define it; never empty."""

    wave: str
    definitions: tuple[Definition, ...]

    @property
    def name(self) -> str:
        """The variable's name."""
        return self.definitions[0].variable.name

    @property
    def heading(self) -> str:
        """The column's name in the wide table, such as `pre_trust_1`."""
        return f"{self.wave}_{self.name}"

    @property
    def is_rated(self) -> bool:
        """Whether it is an item rated on a scale."""
        return self.definitions[0].variable.rated

    @cached_property
    def is_integer(self) -> bool:
        """Whether every form answers it with whole numbers."""
        return all(_is_integer(definition.variable) for definition in self.definitions)

    def labels(self, language: str = ENGLISH) -> dict[str, str]:
        """Each valid code with its label; where groups read different labels, each of them."""
        found = dict[str, dict[str, None]]()
        for definition in self.definitions:
            for option in definition.variable.options:
                if not option.missing:
                    english = option.english if language == ENGLISH else ""
                    label = (
                        option.labels.get(language)
                        or english
                        or in_language(option.labels, definition.codebook, language)
                    )
                    found.setdefault(option.value, {})[label] = None
        return {
            code: " / ".join(label for label in labels if label)
            for code, labels in found.items()
        }

    def wording(self, language: str = ENGLISH) -> str:
        """The question as each group heard it, behind the bank's English it was made from."""
        asked = [in_language(d.variable.labels, d.codebook, language) for d in self.definitions]
        if language == ENGLISH and not any(
            ENGLISH in d.variable.labels for d in self.definitions
        ):
            # Whose name stands where is plain from the words that were fielded.
            english = [_SLOT.sub(r"[\1]", d.variable.english) for d in self.definitions]
            asked = [*english, *asked]
        return " / ".join(dict.fromkeys(words for words in asked if words))


@dataclass(frozen=True, slots=True)
class Given:
    """One cell: a valid answer, or why there is none (`reason` says it in words)."""

    value: int | str | None
    missing: Missing | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Tabulation:
    """The columns in order, and for each linked interview what stands in them.

    `given` is by ID and wave, then by variable name; every column of the wave is there.
    """

    matched: Matched
    columns: tuple[Column, ...]
    given: Mapping[tuple[str, str], Mapping[str, Given]]

    def columns_of(self, wave: str) -> tuple[Column, ...]:
        """The columns of one wave, in the order of the forms."""
        return tuple(column for column in self.columns if column.wave == wave)


def tabulate(matched: Matched) -> Tabulation:
    """All linked answers under the columns of the forms in use.

    The columns of a wave are the union over its groups and builds. A build nobody has used adds
    none, unless its group has sent nothing in that wave: then the headings are all there is.
    """
    columns = tuple(
        column for wave in matched.design.waves for column in _columns(matched, wave)
    )
    of_wave = {
        wave: [column for column in columns if column.wave == wave]
        for wave in matched.design.waves
    }
    return Tabulation(
        matched=matched,
        columns=columns,
        given={
            (each.rid, each.wave): _given(each, of_wave[each.wave])
            for each in matched.interviews
        },
    )


def in_language(labels: Mapping[str, str], codebook: Codebook, language: str = ENGLISH) -> str:
    """The label in that language, else in the form's first that has one."""
    wanted = [language, *codebook.languages, *sorted(labels)]
    return next((labels[tag] for tag in wanted if labels.get(tag)), "")


def group_name(codebooks: Iterable[Codebook], group: str, language: str = ENGLISH) -> str:
    """What the group is called in that language, by any codebook that says so; else its id."""
    for codebook in codebooks:
        names = codebook.names.get(group, {})
        if names.get(language):
            return names[language]
    return group


def merged_order(orders: Iterable[Sequence[str]]) -> list[str]:
    """All names once: each stands after the one it follows where it first appears.

    >>> merged_order([["a", "b", "d"], ["a", "c", "d"]])
    ['a', 'c', 'b', 'd']
    """
    merged = list[str]()
    for order in orders:
        place = 0
        for name in order:
            if name not in merged:
                merged.insert(place, name)
            place = merged.index(name) + 1
    return merged


def _columns(matched: Matched, wave: str) -> list[Column]:
    books = _books_in_use(matched, wave)
    by_name = dict[str, list[Definition]]()
    for book in books:
        for variable in book.variables:
            if _is_tabulated(variable):
                by_name.setdefault(variable.name, []).append(Definition(book, variable))
    order = merged_order(
        [v.name for v in book.variables if v.name in by_name] for book in books
    )
    return [Column(wave, tuple(by_name[name])) for name in order]


def _books_in_use(matched: Matched, wave: str) -> list[Codebook]:
    built = [
        (book.group, build_id, book)
        for build_id, book in matched.codebooks.items()
        if book.wave == wave and book.study == matched.design.study
    ]
    used = {entry.form for entry in matched.entries}
    groups_heard_of = {group for group, build_id, _ in built if build_id in used}
    return [
        book
        for group, build_id, book in sorted(built, key=lambda each: each[:2])
        if build_id in used or group not in groups_heard_of
    ]


def _is_tabulated(variable: Variable) -> bool:
    if variable.name == TOOK_PART or variable.role in (Role.ITEM, Role.OBSERVATION):
        return True
    return variable.role is Role.KEY and variable.kind is not Kind.TEXT


def _is_integer(variable: Variable) -> bool:
    if variable.kind is Kind.SELECT_ONE:
        codes = [option.value for option in variable.options if not option.missing]
        return bool(codes) and all(_WHOLE_CODE.fullmatch(code) for code in codes)
    return variable.kind is Kind.INTEGER


def _given(interview: Interview, columns: Sequence[Column]) -> dict[str, Given]:
    variables = {variable.name: variable for variable in interview.codebook.variables}
    reached = _reached(interview)
    return {
        column.name: _cell(interview, variables.get(column.name), column, reached)
        for column in columns
    }


def _reached(interview: Interview) -> set[str]:
    """The names up to and with the last question that got an answer."""
    names = [v.name for v in interview.codebook.variables if v.role in SAID_BY_RESPONDENT]
    answered = [number for number, name in enumerate(names) if name in interview.answers]
    return set(names[: answered[-1] + 1]) if answered else set()


def _cell(
    interview: Interview, variable: Variable | None, column: Column, reached: set[str]
) -> Given:
    if variable is None:
        return Given(None, Missing.NOT_ASKED, "not in this group's form")
    raw = interview.answers.get(variable.name, "")
    decoded = decode(variable, raw)
    if decoded.value is not None:
        return Given(int(decoded.value) if column.is_integer else decoded.value)
    if raw:
        return Given(None, decoded.missing, decoded.problem or _SAID[decoded.missing])
    if not holds(variable.asked_if, interview.answers):
        return Given(None, Missing.NOT_ASKED, "not asked after the earlier answers")
    went_to_end = interview.answers.get("ended") == "to_end"
    if variable.name in reached or went_to_end or variable.role is Role.OBSERVATION:
        return Given(None, Missing.BLANK, "left blank")
    return Given(None, Missing.BREAK_OFF, "after the last answer")


_SAID: Mapping[Missing | None, str] = {
    Missing.DONT_KNOW: "does not know",
    Missing.REFUSED: "prefers not to answer",
}
