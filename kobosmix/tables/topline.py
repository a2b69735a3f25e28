"""How often each answer was given, wave by wave: overall, by group, by sex and by arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kobosmix.codebook import REVIEW_IN_WORDS, WORDING_IN_WORDS, Kind, Missing
from kobosmix.match.model import Interview
from kobosmix.tables.tabulate import Column, Given, Tabulation, group_name, merged_order
from kobosmix.tables.wide import groups_of
from kobosmix.xlsx import Cell, Sheet

GENDER = "gender"
NOT_GIVEN = "(not given)"
NO_ARM = "(no arm yet)"

_MISSING_ROWS: Mapping[Missing, str] = {
    Missing.DONT_KNOW: "does not know",
    Missing.REFUSED: "prefers not to answer",
    Missing.NOT_ASKED: "not asked",
    Missing.BLANK: "left blank",
    Missing.BREAK_OFF: "interview broken off before",
}
# Counts by wave, level of the breakdown, variable and answer or reason.
_Counts = Counter[tuple[str, str, str, str]]


@dataclass(frozen=True, slots=True)
class _Breakdown:
    """One sheet: the levels its columns stand for, and to which level an interview belongs."""

    title: str
    levels: tuple[str, ...]
    level_of: Callable[[Interview], str]


def topline_sheets(tabulation: Tabulation) -> list[Sheet]:
    """A sheet of words on what is in, then a sheet of counts for each breakdown.

    Per cents are of the valid answers. With no interview yet, each sheet says so in words.
    """
    return [_about(tabulation), *(_sheet(tabulation, each) for each in _breakdowns(tabulation))]


def _about(tabulation: Tabulation) -> Sheet:
    matched = tabulation.matched
    total = len(matched.entries)
    rows: list[Sequence[Cell]] = [
        ("wave", "what there is"),
        ("", f"Linked interviews: {len(matched.interviews)}, of {total} submissions."),
    ]
    for wave in matched.design.waves:
        n = sum(each.wave == wave for each in matched.interviews)
        partial = sum(each.wave == wave and each.is_partial for each in matched.interviews)
        words = (
            f"Linked interviews: {n}, partial among them: {partial}."
            if n
            else _nothing_yet(wave)
        )
        rows.append((wave, words))
    rows.append(
        ("", "Per cents are of the valid answers; those without one are counted apart.")
    )
    books = matched.codebooks.values()
    said = {WORDING_IN_WORDS[book.wording] for book in books}
    said |= {REVIEW_IN_WORDS[book.review] for book in books if book.review != "signed"}
    rows += [("", f"Wording: {words}.") for words in sorted(said)]
    rows.append(
        ("", "For the evaluation team only: do not publish cells of fewer than 5 persons.")
    )
    return Sheet(title="About", rows=rows, for_people=True)


def _nothing_yet(wave: str) -> str:
    return f"No interview of the wave '{wave}' is linked yet, so it has no counts."


def _breakdowns(tabulation: Tabulation) -> list[_Breakdown]:
    matched = tabulation.matched
    books = [book for _, book in sorted(matched.codebooks.items())]
    groups = groups_of(tabulation)
    arms = {person.id: person.arm or NO_ARM for person in matched.register.respondents}
    sexes = _sexes(tabulation)
    ways: list[tuple[str, Callable[[Interview], str]]] = [
        ("Overall", lambda _: ""),
        ("By group", lambda each: group_name(books, groups[each.rid])),
        ("By sex", lambda each: sexes[each.rid, each.wave]),
    ]
    if any(arm != NO_ARM for arm in arms.values()):
        ways.append(("By arm", lambda each: arms[each.rid]))
    return [
        _Breakdown(title, tuple(sorted({*map(level_of, matched.interviews)})), level_of)
        for title, level_of in ways
    ]


def _sexes(tabulation: Tabulation) -> dict[tuple[str, str], str]:
    # One label for each code in all waves: the same persons must not fall into two levels.
    labels = _codes([column for column in tabulation.columns if column.name == GENDER])
    found = dict[tuple[str, str], str]()
    for (rid, wave), row in tabulation.given.items():
        code = row[GENDER].value if GENDER in row else None
        found[rid, wave] = NOT_GIVEN if code is None else labels.get(str(code), str(code))
    return found


def _sheet(tabulation: Tabulation, breakdown: _Breakdown) -> Sheet:
    matched = tabulation.matched
    waves = {each.wave for each in matched.interviews}
    shown = [
        (wave, level)
        for wave in matched.design.waves
        if wave in waves
        for level in breakdown.levels
    ]
    header: list[Cell] = ["item", "question", "code", "answer"]
    for wave, level in shown:
        name = f"{wave}, {level}" if level else wave
        header += [f"{name}: count", f"{name}: %"]
    rows: list[Sequence[Cell]] = [header]
    counts = _counts(tabulation, breakdown)
    for columns in _items(tabulation):
        rows += _item_rows(columns, counts, shown)
    if not shown:
        rows = [header, ("", "No interview is linked yet, so there is nothing to count.")]
    return Sheet(title=breakdown.title, rows=rows, for_people=True)


def _counts(tabulation: Tabulation, breakdown: _Breakdown) -> _Counts:
    counts = _Counts()
    for each in tabulation.matched.interviews:
        level = breakdown.level_of(each)
        for name, given in tabulation.given[each.rid, each.wave].items():
            counts[each.wave, level, name, _answer(given)] += 1
            if given.missing is None:
                counts[each.wave, level, name, ""] += 1
    return counts


def _answer(given: Given) -> str:
    # Codes are ASCII without spaces, so a reason in angle brackets is never one of them.
    return f"<{given.missing}>" if given.missing else str(given.value)


def _items(tabulation: Tabulation) -> list[list[Column]]:
    """For each question its columns in all waves, in the order of the forms."""
    waves = tabulation.matched.design.waves
    order = merged_order([c.name for c in tabulation.columns_of(wave)] for wave in waves)
    return [[c for c in tabulation.columns if c.name == name] for name in order]


def _item_rows(
    columns: Sequence[Column], counts: _Counts, shown: Sequence[tuple[str, str]]
) -> list[list[Cell]]:
    name = columns[0].name
    wording = _in_all_waves(columns).wording()
    asked = {column.wave for column in columns}

    def row(code: str, answer: str, key: str, *, is_share: bool = False) -> list[Cell]:
        cells: list[Cell] = [name, wording, int(code) if code.isdecimal() else code, answer]
        for wave, level in shown:
            n, valid = counts[wave, level, name, key], counts[wave, level, name, ""]
            share = round(100 * n / valid, 1) if is_share and valid else None
            cells += [n, share] if wave in asked else [None, None]
        return cells

    return [
        *(row(code, label, code, is_share=True) for code, label in _codes(columns).items()),
        row("", "n (valid answers)", ""),
        *(row("", words, f"<{reason}>") for reason, words in _MISSING_ROWS.items()),
    ]


def _codes(columns: Sequence[Column]) -> dict[str, str]:
    """The codes of a closed question; numbers and words in free form are counted, not listed."""
    if not columns:
        return {}
    merged = _in_all_waves(columns)
    is_closed = all(d.variable.kind is Kind.SELECT_ONE for d in merged.definitions)
    return merged.labels() if is_closed else {}


def _in_all_waves(columns: Sequence[Column]) -> Column:
    return Column("", tuple(d for column in columns for d in column.definitions))
