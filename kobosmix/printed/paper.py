"""The form on paper, for one language: tick boxes, tables of scales, skip instructions in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from kobosmix.codebook import Role
from kobosmix.context.model import SELF_ADMINISTERED
from kobosmix.printed.page import page
from kobosmix.printed.sentences import PAPER, PrintedSentences, printable
from kobosmix.printed.sheet import (
    Answer,
    Asked,
    Said,
    Section,
    has_respondent_id,
    sections,
)
from kobosmix.questionnaire import Questionnaire
from kobosmix.questionnaire.compile import build_id
from kobosmix.questionnaire.notices import DRAFT
from kobosmix.wording import Wording

_ID_DIGITS = 8
# More, or longer ones, stand beneath the question instead of beside it.
_MOST_COLUMNS, _LONGEST_HEADING = 8, 60
# A longer table is cut into equal ones, each with its own heads and whole on its page.
_MOST_ROWS = 8
# How wide letters are at the size of the heads, so that columns are made for whole words.
_LETTER_MM = {**dict.fromkeys("iıíìîïjl", 0.66), **dict.fromkeys("frt-()", 1.0)}
_LETTER_MM |= dict.fromkeys("mwшщжфюы", 2.3)
_OTHER_LETTER_MM, _CAPITAL_MM = 1.42, 1.7
_PADDING_MM, _NARROWEST_MM, _WIDEST_MM = 1.7, 12.0, 20.0
_AGREEMENTS = ("consent", "guardian_consent", "assent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Questions with the same answers: a row each, the answers as columns in their order."""

    columns: tuple[Answer, ...]
    rows: tuple[Asked, ...]
    hint: str

    def width_mm(self, answer: Answer) -> float:
        """How wide its column is: all points of a scale are, so that they stand evenly."""
        alike = [each for each in self.columns if each.is_missing is answer.is_missing]
        widest = max(_word_mm(word) for each in alike for word in each.label.split(" "))
        return round(min(max(widest + _PADDING_MM, _NARROWEST_MM), _WIDEST_MM), 1)

    def begins_missing(self, answer: Answer) -> bool:
        """Whether the answers that are none, 98 and 99, begin with this one."""
        return answer.is_missing and answer is next(a for a in self.columns if a.is_missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One question with its answers beneath it.

    `ends_at_no` asks to stop at 'no'; `is_agreement` to tick only what was understood.
    """

    asked: Asked
    ends_at_no: bool = False
    is_agreement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A section with its questions put into tables where they share a scale."""

    section: Section
    pieces: tuple[Table | Single | Said, ...]
    new_page: bool


def _word_mm(word: str) -> float:
    return sum(
        _CAPITAL_MM if letter.isupper() else _LETTER_MM.get(letter, _OTHER_LETTER_MM)
        for letter in word
    )


def paper_pages(key: str, questionnaire: Questionnaire, wording: Wording) -> dict[str, bytes]:
    """The paper form in each language of the form that can be printed, by file name."""
    return {
        f"paper_{key}_{say.tag}.html": _paper(key, questionnaire, say)
        for say in printable(wording, questionnaire.languages, PAPER)
    }


def _paper(key: str, questionnaire: Questionnaire, say: PrintedSentences) -> bytes:
    shown = tuple(_printed(sections(questionnaire, say)))
    return page(
        "paper.html.j2",
        say=say,
        form=questionnaire,
        title=say.title(questionnaire),
        mark=f"{key} {say.tag} {build_id(questionnaire)}",
        is_draft=questionnaire.review == DRAFT,
        is_interview=questionnaire.mode != SELF_ADMINISTERED,
        id_digits=_ID_DIGITS if has_respondent_id(questionnaire) else 0,
        source=_source(questionnaire, say.tag),
        sections=shown,
    )


def _source(questionnaire: Questionnaire, tag: str) -> str:
    """Whose wording it is, where it is not kobosmix's alone: a licence asks for that."""
    if questionnaire.wording == "own":
        return ""
    notes = (part for _, part, _ in questionnaire.walk() if part.name == "about_wording")
    return next((note.label[tag] for note in notes if hasattr(note, "label")), "")


def _printed(shown: tuple[Section, ...]) -> Iterator[Printed]:
    names = {asked.question.name for section in shown for asked in section.asked}
    # What the enumerator notes for himself is turned away from the respondent.
    closing = next((s for s in shown if _is_closing(s)), None)
    for section in shown:
        yield Printed(
            section=section,
            pieces=tuple(_pieces(section, with_minors="guardian_consent" in names)),
            new_page=section is closing,
        )


def _is_closing(section: Section) -> bool:
    roles = {asked.question.role for asked in section.asked}
    return bool(roles) and roles <= {Role.CLOSING, Role.OBSERVATION}


def _pieces(section: Section, *, with_minors: bool) -> Iterator[Table | Single | Said]:
    for _, run in groupby(enumerate(section.parts), key=lambda pair: _table_of(*pair)):
        parts = [part for _, part in run]
        asked = [part for part in parts if isinstance(part, Asked)]
        if asked and _fits_a_table(asked):
            yield from _tables(asked)
            continue
        for part in parts:
            yield _single(part, with_minors=with_minors) if isinstance(part, Asked) else part


def _table_of(position: int, part: Asked | Said) -> tuple[str, int]:
    """Neighbours with one list of answers go together; everything else stands alone."""
    if isinstance(part, Asked) and part.answers and part.question.role is not Role.CONSENT:
        return part.question.list, -1
    return "", position


def _fits_a_table(asked: list[Asked]) -> bool:
    first = asked[0]
    is_rated = first.question.measures is not None and first.question.measures.rated
    return (
        0 < len(first.answers) <= _MOST_COLUMNS
        and (is_rated or len(asked) > 1)
        and all(len(answer.label) <= _LONGEST_HEADING for answer in first.answers)
    )


def _tables(rows: list[Asked]) -> Iterator[Table]:
    """The hint stands above a table where it is the same for every row."""
    number = -(-len(rows) // _MOST_ROWS)
    for part in range(number):
        some = rows[part * len(rows) // number : (part + 1) * len(rows) // number]
        hints = {row.hint for row in some}
        yield Table(
            columns=some[0].answers,
            rows=tuple(some),
            hint=hints.pop() if len(hints) == 1 else "",
        )


def _single(asked: Asked, *, with_minors: bool) -> Single:
    name = asked.question.name
    too_young = name == "of_age" and not with_minors
    return Single(
        asked=asked,
        ends_at_no=name in _AGREEMENTS or too_young,
        is_agreement=name in _AGREEMENTS,
    )
