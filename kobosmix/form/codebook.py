"""The codebook of a form: made from the same questionnaire as its rows."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.codebook import Codebook, Kind, NoteEntry, Option, Variable
from kobosmix.conditions import Condition
from kobosmix.questionnaire.compile import build_id
from kobosmix.questionnaire.model import (
    Calculated,
    Device,
    Note,
    Question,
    Questionnaire,
)


def make_codebook(questionnaire: Questionnaire) -> Codebook:
    """What each field of the form means; every question and every calculated value is in it.

    What is only read is in it too, for whoever compares what was said before a question.
    """
    return Codebook(
        build_id=build_id(questionnaire),
        study=questionnaire.study,
        wave=questionnaire.wave,
        group=questionnaire.group,
        group_role=questionnaire.group_role,
        mode=questionnaire.mode,
        languages=questionnaire.languages,
        title=questionnaire.title,
        bank_version=questionnaire.bank_version,
        names=questionnaire.names,
        variables=tuple(_variables(questionnaire)),
        concepts=questionnaire.concepts,
        wording=questionnaire.wording,
        review=questionnaire.review,
        exception=questionnaire.exception,
        adaptations=questionnaire.adaptations,
        notes=tuple(_notes(questionnaire)),
    )


def _variables(questionnaire: Questionnaire) -> Iterator[Variable]:
    for above, part, asked_if in questionnaire.walk():
        match part:
            case Question():
                yield _asked(questionnaire, above, part, asked_if)
            case Calculated():
                is_device = isinstance(part.rule, Device)
                yield Variable(
                    name=part.name,
                    path="/".join((*above, part.name)),
                    role=part.role,
                    kind=Kind.META if is_device else Kind.CALCULATED,
                )
            case _:
                continue


def _asked(
    questionnaire: Questionnaire,
    above: tuple[str, ...],
    question: Question,
    asked_if: Condition | None,
) -> Variable:
    measures = question.measures
    return Variable(
        name=question.name,
        path="/".join((*above, question.name)),
        role=question.role,
        kind=question.kind,
        english=question.english,
        labels=question.label,
        hints=question.hint,
        options=_options(questionnaire, question),
        required=question.required,
        required_if=question.required_if,
        asked_if=asked_if,
        scale=question.list,
        rated=measures.rated if measures else False,
        reversed=measures.reversed if measures else False,
        concept=measures.concept if measures else "",
        item=measures.item if measures else "",
        facet=measures.facet if measures else "",
        about=measures.about if measures else "",
        toolkit=measures.toolkit if measures else None,
        low=question.limits.low if question.limits else None,
        high=question.limits.high if question.limits else None,
    )


def _options(questionnaire: Questionnaire, question: Question) -> tuple[Option, ...]:
    options = questionnaire.lists.get(question.list)
    return options.options if options else ()


def _notes(questionnaire: Questionnaire) -> Iterator[NoteEntry]:
    parts = list(questionnaire.walk())
    for place, (above, part, shown_if) in enumerate(parts):
        if isinstance(part, Note):
            following = (each for _, each, _ in parts[place:])
            yield NoteEntry(
                name=part.name,
                path="/".join((*above, part.name)),
                labels=part.label,
                hints=part.hint,
                shown_if=shown_if,
                before=next(
                    (
                        each.name
                        for each in following
                        if isinstance(each, Question | Calculated)
                    ),
                    "",
                ),
            )
