"""The dictionary of the wide table: the codebooks of the forms, plus how many answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kobosmix.codebook import (
    MISSING_CODES,
    REVIEW_IN_WORDS,
    WORDING_IN_WORDS,
    ConceptEntry,
    Missing,
    Variable,
)
from kobosmix.match.model import State
from kobosmix.tables.tabulate import Column, Definition, Tabulation
from kobosmix.tables.toolkit import toolkit_headings
from kobosmix.xlsx import Cell, Sheet

_COLUMNS = (
    "column",
    "variable",
    "wave",
    "asked in the form of",
    "toolkit heading",
    "concept",
    "item",
    "about",
    "scale",
    "reversed",
    "direction of the concept",
    "toolkit section",
    "toolkit concept",
    "toolkit position",
    "missing codes",
    "n answered",
    "builds",
)
_PERSON_ROWS = (
    ("rid", "The respondent's ID. It says nothing about the person."),
    ("group", "The group, by the register; for a spare ID without one, by the form used."),
    ("group_role", "The group's role in the study: host, newcomer or neither."),
    ("site", "Where, by the register."),
    ("cohort", "Which cohort, by the register."),
    ("partner", "The implementing partner, by the register."),
    ("arm", "Programme or comparison, by the register and never by the form."),
)
_WAVE_ROWS = (
    ("date", "The day of the interview by the phone's clock, else the day it was received."),
    ("enumerator", "Who held the interview."),
    ("outcome", f"Where the person stands in this wave: {', '.join(State)}."),
)
_MISSING_MEANINGS: Mapping[Missing, str] = {
    Missing.REFUSED: "prefers not to answer",
    Missing.DONT_KNOW: "does not know",
    Missing.NOT_ASKED: "not asked by design: not in the group's form, or skipped by routing",
    Missing.BLANK: "left blank, or a value the form could not have given",
    Missing.BREAK_OFF: "after the last answer: the interview was broken off",
}


def codebook_sheets(tabulation: Tabulation) -> list[Sheet]:
    """Whose wording each form has; a row for each column and wording; the missing codes."""
    languages = _languages(tabulation)
    spoken = [f"{what} [{tag}]" for tag in languages for what in ("wording", "codes")]
    headings = {(h.column.wave, h.column.name): h.heading for h in toolkit_headings(tabulation)}
    rows: list[Sequence[Cell]] = [("column", "what it holds"), *_PERSON_ROWS]
    for wave in tabulation.matched.design.waves:
        rows += [(f"{wave}_{name}", meaning) for name, meaning in _WAVE_ROWS]
    answers: list[Sequence[Cell]] = [(*_COLUMNS, *spoken)]
    answers += [
        _row(tabulation, column, alike, headings.get((column.wave, column.name), ""), languages)
        for column in tabulation.columns
        for alike in _alike(column)
    ]
    forms: list[Sequence[Cell]] = [
        ("form", "build", "whose wording", "read and signed", "exception")
    ]
    forms += [
        (
            f"{book.wave}_{book.group}",
            build_id,
            WORDING_IN_WORDS[book.wording],
            REVIEW_IN_WORDS[book.review],
            book.exception,
        )
        for build_id, book in sorted(tabulation.matched.codebooks.items())
    ]
    return [
        Sheet(title="Forms", rows=forms, for_people=True),
        Sheet(title="Answers", rows=answers, for_people=True),
        Sheet(title="Other columns", rows=rows, for_people=True),
        Sheet(title="Missing codes", rows=_missing_rows(), for_people=True),
    ]


def _languages(tabulation: Tabulation) -> list[str]:
    definitions = [d for column in tabulation.columns for d in column.definitions]
    return list(dict.fromkeys(tag for d in definitions for tag in d.codebook.languages))


def _alike(column: Column) -> list[list[Definition]]:
    """The definitions of a column, those of one group with the same words and codes together."""
    found = list[list[Definition]]()
    for definition in column.definitions:
        for alike in found:
            first = alike[0]
            is_same = first.variable == definition.variable
            if is_same and first.codebook.group == definition.codebook.group:
                alike.append(definition)
                break
        else:
            found.append([definition])
    return found


def _row(
    tabulation: Tabulation,
    column: Column,
    alike: Sequence[Definition],
    heading: str,
    languages: Sequence[str],
) -> list[Cell]:
    variable, place = alike[0].variable, alike[0].variable.toolkit
    builds = [definition.codebook.build_id for definition in alike]
    return [
        column.heading,
        column.name,
        column.wave,
        alike[0].codebook.group,
        heading,
        variable.concept,
        variable.item,
        variable.about,
        variable.scale,
        "yes" if variable.reversed else "no",
        _direction(alike[0]),
        place.section if place else "",
        place.concept if place else "",
        place.position if place else "",
        _missing_codes(variable),
        _n_answered(tabulation, column, builds),
        ", ".join(builds),
        *_words(variable, languages),
    ]


def _direction(definition: Definition) -> str:
    """The direction of the facet, where the item belongs to one, else of the concept."""
    variable = definition.variable
    concept = _concept(definition)
    if concept is None:
        return ""
    facets = {facet.id: facet.direction for facet in concept.facets}
    return facets.get(variable.facet, concept.direction)


def _concept(definition: Definition) -> ConceptEntry | None:
    wanted = definition.variable.concept
    return next((c for c in definition.codebook.concepts if c.id == wanted), None)


def _missing_codes(variable: Variable) -> str:
    """What the form's own codes for no answer are stored as, and then the others."""
    coded = [
        f"{option.value} is {MISSING_CODES[option.missing]}"
        for option in variable.options
        if option.missing
    ]
    others = (Missing.NOT_ASKED, Missing.BLANK, Missing.BREAK_OFF)
    # A cell that began with the minus of a bare code would be defused as a formula.
    return "; ".join([*coded, *(f"{each.value} is {MISSING_CODES[each]}" for each in others)])


def _n_answered(tabulation: Tabulation, column: Column, builds: Sequence[str]) -> int:
    return sum(
        tabulation.given[each.rid, each.wave][column.name].value is not None
        for each in tabulation.matched.interviews
        if each.wave == column.wave and each.codebook.build_id in builds
    )


def _words(variable: Variable, languages: Sequence[str]) -> list[str]:
    words = list[str]()
    for tag in languages:
        codes = [f"{o.value} = {o.labels[tag]}" for o in variable.options if tag in o.labels]
        words += [variable.labels.get(tag, ""), "; ".join(codes)]
    return words


def _missing_rows() -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = [("code", "name", "meaning")]
    rows += [(MISSING_CODES[each], each.value, _MISSING_MEANINGS[each]) for each in Missing]
    return rows
