"""The enumerator's manual of one language: how to interview, then every question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kobosmix.context.model import INTERVIEW, SELF_ADMINISTERED
from kobosmix.printed.cards import card_number
from kobosmix.printed.page import page
from kobosmix.printed.sentences import MANUAL, PrintedSentences, printable
from kobosmix.printed.sheet import Asked, Section, has_respondent_id, sections
from kobosmix.questionnaire import Question, Questionnaire
from kobosmix.wording import Wording

_SENTENCE = re.compile(r"manual_(?P<chapter>[a-z]+)(?:_(?P<number>[0-9]+))?")
_TITLE, _HELP, _NUMBER, _QUESTIONS = "title", "help", "number", "questions"
# Said only where the forms put this question, or where there are cards to show.
_CARDS = "show cards"
_ONLY_WITH: Mapping[str, str] = {"manual_ask_4": _CARDS, "manual_ask_7": "guardian_consent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A heading and its rules in order; `places` where people find help, None elsewhere."""

    heading: str
    rules: tuple[str, ...]
    places: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOfForm:
    """A question with its card, and in English what it measures."""

    asked: Asked
    card: str
    measures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInManual:
    """One form: its title, and each section with its questions."""

    title: str
    sections: tuple[tuple[Section, tuple[QuestionOfForm, ...]], ...]


def manual_pages(
    questionnaires: Mapping[str, Questionnaire], wording: Wording, places: Mapping[str, str]
) -> dict[str, bytes]:
    """The manual in each language that enumerators interview in, by file name.

    `places` names by language where people find help.
    """
    spoken = {k: q for k, q in questionnaires.items() if q.mode != SELF_ADMINISTERED}
    tags = tuple(dict.fromkeys(tag for q in spoken.values() for tag in q.languages))
    return {
        f"manual_{say.tag}.html": _manual(
            [q for q in spoken.values() if say.tag in q.languages],
            say,
            say.given(places),
        )
        for say in printable(wording, tags, MANUAL)
    }


def _manual(questionnaires: list[Questionnaire], say: PrintedSentences, places: str) -> bytes:
    asked = {
        part.name
        for questionnaire in questionnaires
        for _, part, _ in questionnaire.walk()
        if isinstance(part, Question)
    }
    issued = any(has_respondent_id(questionnaire) for questionnaire in questionnaires)
    if any(questionnaire.mode == INTERVIEW for questionnaire in questionnaires):
        asked.add(_CARDS)
    left_out = {_NUMBER} if not issued else set[str]()
    return page(
        "manual.html.j2",
        say=say,
        title=say.say("manual_title"),
        study=say.given(say.wording.context.title),
        chapters=tuple(_chapters(say, asked, left_out, places)),
        forms=tuple(_form(questionnaire, say) for questionnaire in questionnaires),
    )


def _chapters(
    say: PrintedSentences, asked: set[str], left_out: set[str], places: str
) -> Iterator[Chapter]:
    """The chapters in the order of the sentences; the title and the last one frame them."""
    rules = dict[str, list[str]]()
    for id_ in say.wording.bank.texts:
        found = _SENTENCE.fullmatch(id_)
        if found is None:
            continue
        of_chapter = rules.setdefault(found["chapter"], [])
        if found["number"] and _ONLY_WITH.get(id_, "") in {"", *asked}:
            of_chapter.append(say.say(id_))
    for chapter, said in rules.items():
        if chapter not in {_TITLE, _QUESTIONS, *left_out}:
            yield Chapter(
                heading=say.say(f"manual_{chapter}"),
                rules=tuple(said),
                places=places if chapter == _HELP else None,
            )


def _form(questionnaire: Questionnaire, say: PrintedSentences) -> FormInManual:
    intents = {item.id: item.intent for _, item in say.wording.bank.items()}
    has_cards = questionnaire.mode == INTERVIEW
    return FormInManual(
        title=say.title(questionnaire),
        sections=tuple(
            (
                section,
                tuple(_question(a, say, intents, has_cards=has_cards) for a in section.asked),
            )
            for section in sections(questionnaire, say)
            if section.asked
        ),
    )


def _question(
    asked: Asked, say: PrintedSentences, intents: Mapping[str, str], *, has_cards: bool
) -> QuestionOfForm:
    number = card_number(asked.question, say.wording.bank) if has_cards else None
    measures = asked.question.measures
    return QuestionOfForm(
        asked=asked,
        card="" if number is None else say.say("card_number", number=str(number)),
        measures=intents.get(measures.item if measures else asked.question.name, ""),
    )
