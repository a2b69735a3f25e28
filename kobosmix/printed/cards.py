"""Show cards: the points of a rated scale in large letters, for the respondent to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kobosmix.bank.model import Bank
from kobosmix.codebook import Option
from kobosmix.context.model import INTERVIEW
from kobosmix.printed.page import page
from kobosmix.printed.sentences import CARDS, PrintedSentences, printable
from kobosmix.questionnaire import Question, Questionnaire
from kobosmix.wording import Wording

# A scale that is read aloud in words of its own, under the number of the scale.
_SPOKEN = "_spoken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One page: the number, and the points of a scale with codes and words as the forms have them."""

    number: int
    language: str
    direction: str
    heading: str
    points: tuple[tuple[str, str], ...]


def cards_page(
    study: str, questionnaires: Iterable[Questionnaire], wording: Wording
) -> dict[str, bytes]:
    """All cards of the study, by file name; nothing where nobody sits opposite."""
    cards = show_cards(questionnaires, wording)
    if not cards:
        return {}
    return {"show_cards.html": page("cards.html.j2", title=study, cards=cards)}


def show_cards(questionnaires: Iterable[Questionnaire], wording: Wording) -> list[Card]:
    """The card of each rated scale in each language of the interviews, by language and number.

    Where two forms word one scale differently, both cards are there.
    """
    cards = dict.fromkeys(
        card
        for questionnaire in questionnaires
        if questionnaire.mode == INTERVIEW
        for say in printable(wording, questionnaire.languages, CARDS)
        for card in _cards(questionnaire, say)
    )
    order = list(wording.context.languages)
    return sorted(cards, key=lambda card: (order.index(card.language), card.number))


def card_number(question: Question, bank: Bank) -> int | None:
    """The number of the card that is shown with the question; None without one."""
    if question.measures is None or not question.measures.rated:
        return None
    return bank.card_numbers.get(question.list.removesuffix(_SPOKEN))


def _cards(questionnaire: Questionnaire, say: PrintedSentences) -> Iterator[Card]:
    for _, part, _ in questionnaire.walk():
        if not isinstance(part, Question):
            continue
        number = card_number(part, say.wording.bank)
        if number is not None:
            yield _card(number, questionnaire.lists[part.list].options, say)


def _card(number: int, options: tuple[Option, ...], say: PrintedSentences) -> Card:
    """What is no answer is not offered, so it is not on the card."""
    return Card(
        number=number,
        language=say.tag,
        direction=say.direction,
        heading=say.say("card_number", number=str(number)),
        points=tuple((o.value, o.labels[say.tag]) for o in options if o.missing is None),
    )
