"""Interviews on the form engine of the phones: what is shown, what is refused, what is sent.

A test says what it is about; every other question gets a sensible answer (`tests/interviews.py`).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from stdnum.iso7064 import mod_11_2

from kobosmix.codebook import Codebook, Role
from kobosmix.engines.javarosa import PhoneForm, Scenario, Shown, Verdict, Walk, walk
from kobosmix.engines.jvm import find_java
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import convert_rows
from kobosmix.people.ids import is_valid_id
from tests.english_study import changed, prepare_text
from tests.interviews import FIRST as LOCAL
from tests.interviews import KNOWN, SAID, UNKNOWN, entered, phone_form
from tests.interviews import SECOND as SYRIAN
from tests.strategies import contexts

WITH_MINORS = changed(("minors: exclude", "minors: include"))
ALONE = changed(("mode: interview", "mode: self_administered"))
SILENT = tuple(role for role in Role if role not in SAID)
CODED = changed(("mode: interview", "mode: interview\nid_method: self_generated"))
AFTER_TRUST = (
    *(f"metaperceptions_{number}" for number in range(1, 4)),
    *(f"willingness_{number}" for number in range(1, 5)),
)
TOKEN = "abcdefghijklmnopqrstuvwxyz234567"
ATTEMPTS = ("not_reached", "moved", "postponed")

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine"),
]


@dataclass(frozen=True)
class Interviewed:
    """What came of one interview."""

    codebook: Codebook
    walk: Walk

    @cached_property
    def sent(self) -> dict[str, str]:
        """The submission as name -> value; what is not relevant is not in it at all."""
        return {path.rpartition("/")[2]: text for path, text in self.walk.sent().items()}

    @property
    def shown(self) -> list[str]:
        return [screen.name for screen in self.walk.shown]

    def screen(self, name: str) -> Shown:
        return next(screen for screen in self.walk.shown if screen.name == name)

    def notes(self) -> set[str]:
        return {screen.name for screen in self.walk.shown if screen.read_only}

    def refused(self) -> set[tuple[str, str]]:
        """The questions that could not be left as they were, and why."""
        return {
            (screen.name, each.verdict)
            for screen in self.walk.shown
            for each in screen.tries
            if each.verdict is not Verdict.OK
        }

    def answers(self) -> set[str]:
        """What was sent of what a respondent said."""
        names = {v.name for v in self.codebook.variables if v.role in SAID}
        return {name for name in names if self.sent.get(name)}


class Team:
    """Enumerators with phones: plans interviews, and holds them all in one Java run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forms: dict[str, PhoneForm] = {}
        self.codebooks: dict[str, Codebook] = {}
        self.planned: dict[str, tuple[str, Scenario]] = {}

    def fetch(self, study: str, context: str) -> None:
        """Get the forms of a study and the lists they carry."""
        prepared = prepare_text(self.folder / study, context)
        prepared.sound()
        for built in prepared.forms:
            key = f"{study} {built.key}"
            self.forms[key] = phone_form(prepared, built)
            self.codebooks[key] = built.codebook

    def opened_by_link(self, form: str, token: str) -> str:
        """The form as a web form has it that was opened by a personal link; its name."""
        key, empty = f"{form} by link", "<link_token/>"
        plain = self.forms[form]
        assert plain.xform.count(empty) == 1
        filled = plain.xform.replace(empty, f"<link_token>{token}</link_token>")
        self.forms[key] = replace(plain, xform=filled)
        self.codebooks[key] = self.codebooks[form]
        return key

    def plan(
        self,
        name: str,
        form: str,
        *,
        roles: Collection[Role] = tuple(Role),
        rid: str = LOCAL,
        then: tuple[Mapping[str, str], ...] = (),
        **said: str | Sequence[str],
    ) -> None:
        """One interview in which this is said, and everything else answered sensibly."""
        answers = {**entered(self.codebooks[form], roles=roles, rid=rid), **said}
        self.planned[name] = (
            form,
            Scenario(form=self.forms[form], answers=answers, then=then),
        )

    def hold(self) -> dict[str, Interviewed]:
        """Every planned interview, by its name."""
        walks = walk([scenario for _, scenario in self.planned.values()], "java")
        return {
            name: Interviewed(self.codebooks[form], held)
            for (name, (form, _)), held in zip(self.planned.items(), walks, strict=True)
        }


def ids_to_try() -> list[str]:
    """Valid IDs, IDs with one slip in them, and everything else that could be typed."""
    draw, ids = random.Random(7), list[str]()  # noqa: S311 - the same every time
    while len(ids) < 60:
        body = str(draw.randrange(1_000_000, 10_000_000))
        if mod_11_2.calc_check_digit(body) != "X":
            ids.append(body + mod_11_2.calc_check_digit(body))
    slips = list[str]()
    for each in ids:
        place, digit = draw.randrange(8), draw.choice("0123456789")
        slips.append(each[:place] + digit + each[place + 1 :])
        place = draw.randrange(7)
        slips.append(each[:place] + each[place + 1] + each[place] + each[place + 2 :])
        slips += [each[:-1], each + digit, f"0{each[1:]}", f"{each[:4]} {each[4:]}", f" {each}"]
        slips.append(each.translate({ord("0") + n: ord("٠") + n for n in range(10)}))
    return [*ids, *slips, "1234567X", "12345678.0", "-1234567", "abcdefgh", "1e234567", "%"]


def plan_routes(team: Team) -> None:
    """Who is asked what."""
    pre, post = "lake pre_locals", "lake post_locals"
    team.plan("complete", pre)
    team.plan("born elsewhere", pre, nationality_1a="0")
    team.plan("age only", pre, birth_known="2")
    team.plan("neither year nor age", pre, birth_known="98")
    next_year = str(date.today().year + 1)  # noqa: DTZ011 - as the phone has it
    team.plan("years", pre, birth_year=[next_year, "1899", "2000"])
    team.plan("silent", pre, roles=SILENT)
    team.plan("took part", post, took_part="1")
    team.plan("did not take part", post, took_part="0")
    team.plan("no citizen", pre, nationality_3a="0")
    team.plan("citizen", pre, nationality_3a="1")


def plan_consents(team: Team) -> None:
    """Who agrees, and who is not reached."""
    pre, young = "lake pre_locals", "young pre_locals"
    team.plan("said no", pre, consent="0", refusal_reason="topic")
    team.plan("too young", pre, of_age="0")
    for attempt in ATTEMPTS:
        team.plan(attempt, pre, attempt=attempt)
    team.plan("refused", pre, attempt="refused", refusal_reason="no_time")
    for guardian, assent in ("11", "10", "01"):
        name = f"minor {guardian}{assent}"
        team.plan(name, young, of_age="0", guardian_consent=guardian, assent=assent)
    team.plan("changed mind", pre, then=({"consent": "0", "refusal_reason": "topic"},))
    team.plan("let be persuaded", pre, consent="0", then=({"consent": "1"},))
    back_and_forth = ({"consent": "0"}, {"consent": "1", "gender": ""})
    team.plan("back and forth", pre, gender="2", then=back_and_forth)


def plan_numbers(team: Team) -> None:
    """Whose number it is."""
    pre, post = "lake pre_locals", "lake post_locals"
    team.plan("scanned", pre, rid_scan=LOCAL)
    team.plan("other group", pre, rid=SYRIAN)
    team.plan("unlisted", pre, rid=UNKNOWN)
    team.plan("ids", pre, rid_typed=[*ids_to_try(), LOCAL])
    team.plan("newcomer", "lake pre_syrians", rid=SYRIAN)
    team.plan("typed twice", pre, rid_again=["58291606", "14343145", "", LOCAL])
    team.plan("unlisted, other reason", pre, rid=UNKNOWN, rid_reason="other")
    team.plan("known", post, rid=KNOWN)


def plan_modes(team: Team) -> None:
    """How it is held, and how it ends."""
    pre = "lake pre_locals"
    team.plan("alone", "alone pre_locals", roles=SILENT)
    team.plan("alone, whole", "alone pre_locals")
    team.plan("alone, by link", team.opened_by_link("alone pre_locals", TOKEN))
    stopped: dict[str, Any] = dict.fromkeys(AFTER_TRUST, "")
    team.plan("stopped", pre, **stopped, ended="stopped")
    team.plan("left off", pre, **stopped, ended="to_end")
    team.plan("on paper", pre, mode="paper", paper_day=["2999-01-01", "2026-02-03"], **stopped)
    team.plan("by telephone", pre, mode="telephone")
    team.plan("coded", "coded pre_locals")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interviewed]:
    """All interviews of these tests."""
    team = Team(tmp_path_factory.mktemp("phones"))
    team.fetch("lake", changed(("[core,", "[core, nationality,")))
    team.fetch("young", WITH_MINORS)
    team.fetch("alone", ALONE)
    team.fetch("coded", CODED)
    plan_routes(team)
    plan_consents(team)
    plan_numbers(team)
    plan_modes(team)
    return team.hold()


def test_a_complete_interview_is_accepted_and_sent_whole(held: dict[str, Interviewed]) -> None:
    interview = held["complete"]

    assert interview.refused() == set()
    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert rated <= interview.answers()
    assert "thanks" in interview.shown
    assert interview.walk.outcome is Verdict.OK
    assert interview.sent["kx_wave"] == "pre"
    assert interview.sent["kx_group"] == "locals"
    assert interview.sent["kx_build"] == interview.codebook.build_id
    assert interview.sent["consent_ok"] == "1"


def test_every_field_that_is_sent_is_in_the_codebook(held: dict[str, Interviewed]) -> None:
    for interview in held.values():
        sent = interview.walk.sent()
        known = {variable.path for variable in interview.codebook.variables}
        notes = {s.path for s in interview.walk.shown if s.path not in known}
        assert set(sent) - known - notes == {"meta/instanceID", "meta/instanceName"}
        assert not any(sent.get(note) for note in notes)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("said no", "topic"), ("refused", "no_time"), ("not_reached", ""), ("moved", ""),
        ("postponed", ""), ("too young", ""),
    ],
)  # fmt: skip
def test_who_is_not_interviewed_leaves_id_wave_outcome_and_reason_and_no_answer(
    held: dict[str, Interviewed], how: str, reason: str
) -> None:
    interview = held[how]

    assert interview.refused() == set()
    assert interview.answers() == set()
    assert (interview.sent["rid"], interview.sent["kx_wave"]) == (LOCAL, "pre")
    assert interview.sent["attempt"] == (how if how in ("refused", *ATTEMPTS) else "interview")
    assert interview.sent.get("refusal_reason", "") == reason
    assert interview.sent["consent_ok"] == "0"
    assert "thanks" not in interview.shown
    assert "gender" not in interview.shown


def test_nobody_asks_for_a_reason_where_nobody_refused(held: dict[str, Interviewed]) -> None:
    asked = {name for name, interview in held.items() if "refusal_reason" in interview.shown}

    assert asked == {"said no", "refused", "minor 10", "minor 01", "changed mind"}


def test_the_staff_block_comes_before_the_respondent_hears_anything(
    held: dict[str, Interviewed],
) -> None:
    interview = held["complete"]
    before = interview.shown[: interview.shown.index("intro_interview_1")]

    assert {"enumerator", "site", "rid_scan", "rid_typed", "attempt"} <= set(before)
    said = {v.name for v in interview.codebook.variables if v.role in (*SAID, Role.CONSENT)}
    assert not said & set(before)


def test_a_scanned_number_need_not_be_typed(held: dict[str, Interviewed]) -> None:
    assert "rid_typed" not in held["scanned"].shown
    assert held["scanned"].sent["rid"] == LOCAL
    assert held["complete"].sent["rid"] == LOCAL


@pytest.mark.parametrize(
    ("how", "warning", "group"),
    [
        ("complete", set(), "locals"),
        ("other group", {"rid_other_group"}, "syrians"),
        ("unlisted", {"rid_not_listed"}, ""),
    ],
)
def test_the_phone_warns_of_a_number_of_another_group_or_of_nobody(
    held: dict[str, Interviewed], how: str, warning: set[str], group: str
) -> None:
    assert {note for note in held[how].notes() if note.startswith("rid_")} == warning
    assert held[how].sent["rid_group"] == group
    assert "thanks" in held[how].shown


def test_in_an_interview_nothing_rated_can_be_passed_over_in_silence(
    held: dict[str, Interviewed],
) -> None:
    interview = held["silent"]

    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert len(rated) > 20
    assert {(name, "REQUIRED") for name in rated} <= interview.refused()
    assert interview.answers() == set()


def test_alone_every_rated_item_can_be_left_out(held: dict[str, Interviewed]) -> None:
    interview = held["alone"]

    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert rated <= set(interview.shown)
    assert interview.refused() == set()
    assert not {"enumerator", "rid_scan", "attempt", "refusal_reason"} & set(interview.shown)
    assert interview.sent["consent_ok"] == "1"


def test_birth_year_or_age_is_asked_by_what_is_known(held: dict[str, Interviewed]) -> None:
    asked = {
        name: {"birth_year", "age"} & set(held[name].shown)
        for name in ("complete", "age only", "neither year nor age")
    }

    assert asked == {
        "complete": {"birth_year"},
        "age only": {"age"},
        "neither year nor age": set(),
    }


def test_a_year_of_birth_lies_between_1900_and_now(held: dict[str, Interviewed]) -> None:
    tries = held["years"].screen("birth_year").tries

    assert [each.verdict for each in tries] == ["CONSTRAINT", "CONSTRAINT", "OK"]
    assert all(each.message for each in tries if each.verdict is Verdict.CONSTRAINT)


def test_arrival_is_asked_of_those_born_elsewhere(held: dict[str, Interviewed]) -> None:
    arrival = {"nationality_1a_other", "nationality_1b", "nationality_1c"}

    assert arrival <= set(held["born elsewhere"].shown)
    assert not arrival & set(held["complete"].shown)


def test_contact_in_the_programme_is_asked_of_those_who_took_part(
    held: dict[str, Interviewed],
) -> None:
    contact = {f"prog_contact_{number}" for number in range(1, 7)}

    assert contact <= held["took part"].answers()
    assert not contact & set(held["did not take part"].shown)
    assert held["did not take part"].refused() == set()


@pytest.mark.parametrize(("how", "is_asked"), [("11", True), ("10", False), ("01", False)])
def test_a_minor_is_asked_only_with_a_guardian_s_consent_and_their_own(
    held: dict[str, Interviewed], how: str, *, is_asked: bool
) -> None:
    interview = held[f"minor {how}"]

    assert bool(interview.answers()) is is_asked
    assert interview.sent["consent_ok"] == str(int(is_asked))
    assert "consent" not in interview.shown
    assert ("assent" in interview.shown) is how.startswith("1")


def test_a_number_is_taken_exactly_where_the_standard_says_it_is_one(
    held: dict[str, Interviewed],
) -> None:
    tries = [(t.text, t.verdict) for t in held["ids"].screen("rid_typed").tries]

    assert len(tries) > 500
    for text, verdict in tries:
        shaped = len(text) == 8 and text.isascii() and text.isdigit() and text[0] != "0"
        expected = shaped and mod_11_2.is_valid(text)
        assert (verdict is Verdict.OK) == expected == is_valid_id(text), text
    assert sum(verdict is Verdict.OK for _, verdict in tries) > 60


def test_who_takes_a_consent_back_leaves_no_answer(held: dict[str, Interviewed]) -> None:
    interview = held["changed mind"]

    before, after = interview.walk.rounds
    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert rated <= {screen.name for screen in before}
    assert not rated & {screen.name for screen in after}
    assert interview.answers() == set()
    assert not rated & set(interview.sent)
    assert interview.sent["consent_ok"] == "0"
    assert interview.sent["refusal_reason"] == "topic"


def test_who_agrees_after_all_is_interviewed(held: dict[str, Interviewed]) -> None:
    interview = held["let be persuaded"]

    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert not rated & {screen.name for screen in interview.walk.rounds[0]}
    assert rated <= interview.answers()
    assert "refusal_reason" not in interview.sent
    assert interview.refused() == set()


def test_a_consent_pressed_wrongly_and_put_right_costs_no_answer(
    held: dict[str, Interviewed],
) -> None:
    interview = held["back and forth"]

    assert interview.answers() == held["complete"].answers()
    assert interview.sent["gender"] == "2"
    assert interview.refused() == {("gender", "REQUIRED")}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(context=contexts())
def test_whatever_is_chosen_odk_validate_accepts_the_forms(
    tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]
) -> None:
    prepared = prepare_text(tmp_path_factory.mktemp("any"), context)
    prepared.sound()

    xforms = {built.key: convert_rows(built.form.sheets()).xml for built in prepared.forms[:2]}

    assert xforms
    assert validate(xforms, "java") == {}


def test_whoever_stops_keeps_what_was_answered_and_the_form_can_be_sent(
    held: dict[str, Interviewed],
) -> None:
    stopped, left_off = held["stopped"], held["left off"]

    assert (stopped.walk.outcome, left_off.walk.outcome) == (Verdict.OK, Verdict.REQUIRED)
    assert "metaperceptions_1" in left_off.walk.failed
    assert {"trust_1", "trust_2", "attitudes_1"} <= stopped.answers()
    assert not set(AFTER_TRUST) & stopped.answers()
    assert stopped.sent["ended"] == "stopped"
    assert set(AFTER_TRUST) <= set(stopped.shown), (
        "nothing is taken away that could be answered"
    )


def test_a_paper_form_is_typed_in_as_it_is_with_its_own_day(
    held: dict[str, Interviewed],
) -> None:
    interview = held["on paper"]

    assert interview.walk.outcome is Verdict.OK
    assert ("paper_day", Verdict.CONSTRAINT) in interview.refused()
    assert interview.sent["paper_day"] == "2026-02-03"
    assert {"typed_by", "enumerator", "paper_entry"} <= set(interview.shown)
    read_aloud = {
        "intro_interview_1",
        "intro_telephone_1",
        "consent_voluntary",
        "consent_until",
    }
    assert not read_aloud & set(interview.shown)
    assert interview.sent["consent_ok"] == "1"


@pytest.mark.parametrize(
    ("how", "greeting"),
    [("complete", "intro_interview_1"), ("by telephone", "intro_telephone_1")],
)
def test_the_greeting_is_that_of_the_mode(
    held: dict[str, Interviewed], how: str, greeting: str
) -> None:
    greetings = {"intro_interview_1", "intro_telephone_1"} & set(held[how].shown)

    assert greetings == {greeting}
    assert {"consent_voluntary", "consent_no_compensation", "consent_until"} <= held[
        how
    ].notes()


def test_only_the_same_number_is_taken_the_second_time(held: dict[str, Interviewed]) -> None:
    tries = [
        (each.text, each.verdict) for each in held["typed twice"].screen("rid_again").tries
    ]

    assert tries == [
        ("58291606", Verdict.CONSTRAINT),
        ("14343145", Verdict.CONSTRAINT),
        ("", Verdict.REQUIRED),
        (LOCAL, Verdict.OK),
    ]
    assert "rid_again" not in held["scanned"].shown


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        ("complete", set()),
        ("unlisted", {"rid_reason"}),
        ("other group", {"rid_reason"}),
        ("unlisted, other reason", {"rid_reason", "rid_reason_other"}),
    ],
)
def test_a_doubtful_number_is_used_only_with_a_reason(
    held: dict[str, Interviewed], how: str, asked: set[str]
) -> None:
    interview = held[how]

    assert {name for name in interview.shown if name.startswith("rid_reason")} == asked
    assert all(interview.screen(name).required for name in asked)


def test_background_is_asked_later_of_those_only_it_is_not_known_of(
    held: dict[str, Interviewed],
) -> None:
    background = {"education", "disability", "displacement", "nationality_1a"}

    assert background <= held["took part"].answers()
    assert not background & set(held["known"].shown)
    assert held["known"].walk.outcome is Verdict.OK


def test_a_residence_paper_is_asked_about_only_without_citizenship(
    held: dict[str, Interviewed],
) -> None:
    assert "nationality_3b" in held["no citizen"].answers()
    assert "nationality_3b" not in held["citizen"].shown


def test_a_newcomer_is_asked_by_the_form_of_the_newcomers(held: dict[str, Interviewed]) -> None:
    interview = held["newcomer"]

    assert interview.walk.outcome is Verdict.OK
    assert interview.sent["kx_group"] == "syrians"
    assert "rid_reason" not in interview.shown


def test_a_code_is_asked_after_consent_and_no_number_before(
    held: dict[str, Interviewed],
) -> None:
    interview = held["coded"]
    elements = [name for name in interview.shown if name.startswith("code_")]

    assert elements[0] == "code_intro"
    assert len(elements) == 1 + 7
    assert interview.shown.index("consent") < interview.shown.index("code_intro")
    assert set(elements[1:]) <= interview.answers()
    assert not {name for name in interview.shown if name.startswith("rid")}
    letters = [choice.label for choice in interview.screen("code_mother").choices]
    assert letters[:3] == ["A", "B", "C"]
    assert len(letters) == 26 + 2


def test_who_comes_by_a_personal_link_is_asked_no_number(held: dict[str, Interviewed]) -> None:
    linked, alone = held["alone, by link"], held["alone, whole"]

    assert linked.walk.outcome is Verdict.OK
    assert not {name for name in linked.shown if name.startswith("rid")}
    assert (linked.sent["link_token"], linked.sent["rid"]) == (TOKEN, "")
    assert {"rid_typed", "rid_again"} <= set(alone.shown)
    assert (alone.sent["link_token"], alone.sent["rid"]) == ("", LOCAL)
    assert set(alone.shown) - set(linked.shown) == {"rid_typed", "rid_again"}
    assert linked.answers() == alone.answers()


def test_alone_somebody_answers_all_and_sends(held: dict[str, Interviewed]) -> None:
    interview = held["alone, whole"]

    assert interview.walk.outcome is Verdict.OK
    assert {"rid_typed", "rid_again", "mode"} <= set(interview.shown)
    assert not {"ended", "others_present", "enumerator"} & set(interview.shown)
