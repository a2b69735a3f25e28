"""All pages of a study at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kobosmix.printed.cards import cards_page
from kobosmix.printed.manual import manual_pages
from kobosmix.printed.paper import paper_pages
from kobosmix.printed.sentences import CARDS, MANUAL, PAPER
from kobosmix.questionnaire import Questionnaire
from kobosmix.wording import Wording


def printed_pages(
    questionnaires: Mapping[str, Questionnaire],
    wording: Wording,
    places: Mapping[str, str],
    what: Collection[str] = (PAPER, CARDS, MANUAL),
) -> dict[str, bytes]:
    """The pages in HTML, by file name: equal forms and sentences give equal bytes.

    `questionnaires` are the forms of a study by key, `places` where people find help, by language.
    A language that lacks sentences for a page is left out there.
    """
    pages = dict[str, bytes]()
    if PAPER in what:
        for key, questionnaire in questionnaires.items():
            pages |= paper_pages(key, questionnaire, wording)
    if CARDS in what:
        pages |= cards_page(wording.context.study, questionnaires.values(), wording)
    if MANUAL in what:
        pages |= manual_pages(questionnaires, wording, places)
    return pages
