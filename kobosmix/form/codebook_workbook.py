"""The codebook as a workbook people can read."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.codebook import (
    MISSING_CODES,
    REVIEW_IN_WORDS,
    WORDING_IN_WORDS,
    Codebook,
    Variable,
)
from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

_REASONS = {
    "refused": "prefers not to answer",
    "dont_know": "does not know",
    "not_asked": "not asked: not this wave, not this group, or skipped by routing",
    "blank": "left blank",
    "break_off": "the interview ended before this question",
}


def codebook_workbook(codebook: Codebook) -> bytes:
    """Three sheets: the form, its variables with their exact words, their answers."""
    return workbook_bytes(
        (
            Sheet(title="form", rows=list(_form(codebook)), for_people=True),
            Sheet(title="variables", rows=list(_variables(codebook)), for_people=True),
            Sheet(title="answers", rows=list(_answers(codebook)), for_people=True),
        )
    )


def _form(codebook: Codebook) -> Iterator[list[Cell]]:
    yield ["what", "value"]
    yield ["title", codebook.title]
    yield ["study", codebook.study]
    yield ["wave", codebook.wave]
    yield ["respondent group", codebook.group]
    yield ["role of the group", codebook.group_role]
    yield ["mode", codebook.mode]
    yield ["languages", ", ".join(codebook.languages)]
    yield ["build id", codebook.build_id]
    yield ["item bank", codebook.bank_version]
    yield ["wording", WORDING_IN_WORDS[codebook.wording]]
    yield ["review", REVIEW_IN_WORDS[codebook.review]]
    if codebook.exception:
        yield ["exception", codebook.exception]
    for each in codebook.adaptations:
        yield [
            f"changed: {each.key} ({each.language})",
            f"{each.text}: {each.reason} ({', '.join(filter(None, (each.by, each.on)))})",
        ]
    for reason, code in MISSING_CODES.items():
        yield [f"missing {code}", _REASONS[reason]]
    for concept in codebook.concepts:
        yield [
            f"score {concept.id}",
            f"{concept.score_name}; desired direction: {concept.direction}",
        ]
        for facet in concept.facets:
            yield [f"score {concept.id}: {facet.id}", f"{facet.title}; {facet.direction}"]


_BEFORE_WORDS = ("variable", "role", "kind")
_AFTER_WORDS = (
    *("English in the bank", "scale", "concept", "facet", "about", "reversed", "rated"),
    *("required", "asked if", "lowest", "highest", "toolkit section", "toolkit concept"),
    *("toolkit position", "path in the form"),
)


def _variables(codebook: Codebook) -> Iterator[list[Cell]]:
    worded = [f"{what} ({tag})" for what in ("words", "hint") for tag in codebook.languages]
    yield [*_BEFORE_WORDS, *worded, *_AFTER_WORDS]
    for variable in codebook.variables:
        yield _variable(codebook, variable)


def _variable(codebook: Codebook, variable: Variable) -> list[Cell]:
    place = variable.toolkit
    return [
        variable.name,
        str(variable.role),
        str(variable.kind),
        *(variable.labels.get(tag) for tag in codebook.languages),
        *(variable.hints.get(tag) for tag in codebook.languages),
        variable.english,
        variable.scale,
        variable.concept,
        variable.facet,
        variable.about,
        "yes" if variable.reversed else None,
        "yes" if variable.rated else None,
        _required(variable),
        in_words(variable.asked_if),
        variable.low,
        variable.high,
        place.section if place else None,
        place.concept if place else None,
        place.position if place else None,
        variable.path,
    ]


def _required(variable: Variable) -> str | None:
    if not variable.required:
        return None
    return f"if {in_words(variable.required_if)}" if variable.required_if else "yes"


def _answers(codebook: Codebook) -> Iterator[list[Cell]]:
    labels = [f"label ({tag})" for tag in codebook.languages]
    yield ["list", "code", *labels, "English in the bank", "missing"]
    seen = set[str]()
    for variable in codebook.variables:
        if not variable.options or variable.scale in seen:
            continue
        seen.add(variable.scale)
        for option in variable.options:
            translated = [option.labels.get(tag) for tag in codebook.languages]
            why = str(option.missing or "") or None
            yield [variable.scale, option.value, *translated, option.english, why]


def in_words(condition: Condition | None) -> str:
    """A condition in words an analyst reads; empty for what is always asked."""
    match condition:
        case None:
            return ""
        case Equals(variable, value):
            return f"{variable} is {value}"
        case Blank(variable):
            return f"{variable} is empty"
        case Not(inner):
            return f"not ({in_words(inner)})"
        case All(several):
            return " and ".join(_inner(each) for each in several)
        case AnyOf(several):
            return " or ".join(_inner(each) for each in several)


def _inner(condition: Condition) -> str:
    words = in_words(condition)
    return f"({words})" if isinstance(condition, (All, AnyOf)) else words
