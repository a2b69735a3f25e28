"""What was noted in the field decides how an interview counts: by real forms, from end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kobosmix.codebook import Codebook, Role
from kobosmix.match import MatchDesign, Matched, background_known, link
from kobosmix.match.model import Bucket, Entry, Flag, State
from kobosmix.people.model import Register, Respondent
from kobosmix.tables.tabulate import tabulate
from tests.english_study import changed, prepare_text
from tests.interviews import FIRST, SECOND, UNKNOWN, entered

WINDOWS = {
    "pre": {"": (date(2026, 2, 2), date(2026, 2, 20))},
    "post": {"": (date(2026, 4, 20), date(2026, 5, 8))},
}
IN_PRE, IN_POST = "2026-02-10T09:00:00Z", "2026-04-27T09:00:00Z"
BACKGROUND = ("education", "disability", "displacement")


@dataclass(frozen=True)
class Sent:
    """A submission as the store hands it out."""

    key: str
    received: str
    content: Mapping[str, str]


@dataclass
class Office:
    """Codebooks of a study, and what came in under them."""

    codebooks: dict[str, Codebook]
    sent: list[Sent] = field(default_factory=list)

    def send(
        self, form: str, received: str = IN_PRE, *, without: tuple[str, ...] = (), **said: str
    ) -> str:
        """A whole interview with this said instead; its key."""
        book = self.codebooks[form]
        answers = {**entered(book), "rid": FIRST, "consent_ok": "1", "today": received[:10]}
        answers |= {"kx_study": book.study, "kx_group": book.group, "kx_wave": book.wave}
        answers |= {"kx_build": book.build_id, "paper_day": "", "refusal_reason": "", **said}
        paths = {v.name: v.path for v in book.variables if v.name not in without}
        content = {paths[n]: text for n, text in answers.items() if n in paths and text}
        self.sent.append(Sent(f"p/{len(self.sent)}", received, content))
        return self.sent[-1].key

    def matched(self) -> Matched:
        people = (
            Respondent(id=FIRST, group="locals"),
            Respondent(id=SECOND, group="syrians"),
        )
        design = MatchDesign(
            study="lake_2026", waves=("pre", "post"), windows=WINDOWS, age_of_consent=18
        )
        books = {book.build_id: book for book in self.codebooks.values()}
        return link(self.sent, books, Register(people), design, date(2026, 6, 1))

    def entry(self, key: str) -> Entry:
        return next(each for each in self.matched().entries if each.key == key)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office({each.key: each.codebook for each in prepare_text(tmp_path).forms})


def rated(office: Office) -> list[str]:
    return [v.name for v in office.codebooks["pre_locals"].variables if v.rated]


def test_paper_typed_in_months_later_counts_in_the_wave_of_its_day(office: Office) -> None:
    late = office.send("pre_locals", IN_POST, mode="paper", paper_day="2026-02-12")

    entry = office.entry(late)
    assert (entry.bucket, entry.flags) == (Bucket.LINKED, ())
    (interview,) = office.matched().interviews
    assert interview.day == date(2026, 2, 12)


def test_an_interview_on_a_phone_sent_in_another_wave_is_still_a_conflict(
    office: Office,
) -> None:
    assert office.entry(office.send("pre_locals", IN_POST)).bucket is Bucket.WAVE_CONFLICT


def test_one_that_was_stopped_gives_way_to_the_whole_one(office: Office) -> None:
    unasked = tuple(rated(office)[-3:])
    stopped = office.send("pre_locals", ended="stopped", without=unasked)
    whole = office.send("pre_locals", gender="2")

    assert office.entry(stopped).bucket is Bucket.DUPLICATE_SUPERSEDED
    assert office.entry(whole).bucket is Bucket.LINKED


@pytest.mark.parametrize(
    ("answered", "ended", "state"),
    [
        (0.4, "to_end", State.PARTIAL),
        (0.6, "to_end", State.COMPLETED),
        (0.6, "stopped", State.PARTIAL),
        (0.9, "stopped", State.COMPLETED),
    ],
)
def test_a_stop_before_four_fifths_leaves_a_partial_interview(
    office: Office, answered: float, ended: str, state: State
) -> None:
    items = rated(office)
    office.send("pre_locals", ended=ended, without=tuple(items[round(answered * len(items)) :]))

    states = {each.state for each in office.matched().persons if each.respondent.id == FIRST}
    assert state in states


def test_what_is_empty_in_an_interview_that_went_to_its_end_was_left_blank(
    office: Office,
) -> None:
    last = [v.name for v in office.codebooks["pre_locals"].variables if v.role is Role.ITEM][-1]
    office.send("pre_locals", ended="to_end", without=(last, "others_present"))
    to_end = tabulate(office.matched()).given[FIRST, "pre"]
    office.sent.clear()
    office.send("pre_locals", ended="stopped", without=(last, "others_present"))
    stopped = tabulate(office.matched()).given[FIRST, "pre"]

    assert (to_end[last].missing, to_end["others_present"].missing) == ("blank", "blank")
    assert (stopped[last].missing, stopped["others_present"].missing) == ("break_off", "blank")


def test_the_ledger_says_why_somebody_went_on_with_a_number_of_nobody(office: Office) -> None:
    doubtful = office.send("pre_locals", rid=UNKNOWN, rid_reason="spare_card")

    entry = office.entry(doubtful)
    assert entry.bucket is Bucket.UNKNOWN_ID
    assert "spare_card" in entry.reason


def test_background_added_after_the_first_wave_is_asked_of_everybody(tmp_path: Path) -> None:
    before = Office({f.key: f.codebook for f in prepare_text(tmp_path / "a").forms})
    before.send("pre_locals")
    interviews = before.matched().interviews
    later = prepare_text(tmp_path / "b", changed(("[core,", "[core, nationality,"))).forms

    same = background_known(interviews, before.codebooks.values())
    more = background_known(interviews, [form.codebook for form in later])

    assert same == {FIRST}
    assert not more


@pytest.mark.parametrize("lacking", BACKGROUND)
def test_background_left_blank_is_asked_once_more(office: Office, lacking: str) -> None:
    office.send("pre_locals", without=(lacking,))

    assert (
        background_known(office.matched().interviews, office.codebooks.values()) == frozenset()
    )


@pytest.mark.parametrize(
    ("said", "is_doubtful"),
    [
        ({"birth_year": "2020"}, True),
        ({"birth_year": "2009"}, True),
        # Eighteen this year: the birthday may be over.
        ({"birth_year": "2008"}, False),
        ({"birth_known": "2", "birth_year": "", "age": "17"}, True),
        ({"birth_known": "2", "birth_year": "", "age": "18"}, False),
        ({"birth_known": "98", "birth_year": "", "age": ""}, False),
    ],
)
def test_who_agreed_alone_and_cannot_be_of_age_is_flagged(
    office: Office, said: dict[str, Any], *, is_doubtful: bool
) -> None:
    entry = office.entry(office.send("pre_locals", **said))

    assert (Flag.AGE_CONTRADICTS_CONSENT in entry.flags) is is_doubtful
    assert entry.bucket is Bucket.LINKED
