"""Interviews on the form engine of the phones: what is shown, what is refused, what is sent.

JavaRosa is in the jar of ODK Validate; `Interview.java` walks a form with it as a phone does.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from stdnum.iso7064 import mod_11_2

from kobosmix.codebook import Codebook, Kind, Role
from kobosmix.engines.jvm import jar
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import convert_rows
from kobosmix.people.enumerators import enumerators_csv
from kobosmix.people.ids import is_valid_id
from kobosmix.people.model import Register, Respondent
from kobosmix.people.register import register_csv
from tests.english_study import changed, prepare_text
from tests.strategies import contexts

LOCAL, SYRIAN, UNKNOWN = "14343144", "58291606", "90617258"
REGISTER = Register(
    (Respondent(id=LOCAL, group="locals", site="north"), Respondent(id=SYRIAN, group="syrians"))
)
WALKER = Path(__file__).parent / "Interview.java"
ATTEMPT = {"enumerator": "en01", "site": "north", "rid_typed": LOCAL, "attempt": "interview"}
AGREED = {**ATTEMPT, "of_age": "1", "consent": "1"}
WITH_MINORS = changed(("minors: exclude", "minors: include"))
ALONE = changed(("mode: interview", "mode: self_administered"))

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(
        not shutil.which("javac"), reason="needs a Java development kit (javac)"
    ),
]


@dataclass(frozen=True)
class Interviewed:
    """What came of one interview."""

    codebook: Codebook
    shown: list[str]
    tries: list[tuple[str, str, str]]
    sent: dict[str, str]

    def refused(self) -> set[tuple[str, str]]:
        """The questions that could not be left as they were, and why."""
        return {(name, verdict) for name, _, verdict in self.tries if verdict != "OK"}

    def answers(self) -> set[str]:
        """What was sent of what a respondent said."""
        said = {Role.KEY, Role.ITEM}
        names = {v.name for v in self.codebook.variables if v.role in said}
        return {name for name in names if self.sent.get(name)}


class Team:
    """Enumerators with phones: plans interviews, and holds them all in one Java run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.codebooks: dict[str, Codebook] = {}
        self.planned: dict[str, tuple[str, Mapping[str, str | Sequence[str]]]] = {}

    def fetch(self, study: str, context: str) -> None:
        """Get the forms of a study and the lists they carry."""
        prepared = prepare_text(self.folder / study, context)
        prepared.sound()
        for built in prepared.forms:
            key = f"{study} {built.key}"
            xml = convert_rows(built.form.sheets()).xml
            (self.folder / f"{key}.xml").write_text(xml, encoding="utf-8")
            self.codebooks[key] = built.codebook
        (self.folder / "register.csv").write_bytes(register_csv(REGISTER))
        if prepared.enumerators:
            names = enumerators_csv(prepared.enumerators)
            (self.folder / "enumerators.csv").write_bytes(names)

    def plan(self, name: str, form: str, answers: Mapping[str, str | Sequence[str]]) -> None:
        self.planned[name] = (form, answers)

    def hold(self) -> dict[str, Interviewed]:
        """Every planned interview, by its name."""
        orders = [
            {
                "form": str(self.folder / f"{form}.xml"),
                "answers": {
                    n: [a] if isinstance(a, str) else list(a) for n, a in answers.items()
                },
            }
            for form, answers in self.planned.values()
        ]
        (self.folder / "orders.json").write_text(json.dumps(orders), encoding="utf-8")
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(jar()), str(WALKER)]
        run = subprocess.run(
            [*command, str(self.folder / "orders.json")], capture_output=True, check=False
        )
        assert run.returncode == 0, run.stderr.decode()
        told = json.loads(run.stdout)
        return {
            name: Interviewed(
                codebook=self.codebooks[form],
                shown=each["shown"],
                tries=[(question, text, verdict) for question, text, verdict in each["tries"]],
                sent=leaves(each["xml"]),
            )
            for (name, (form, _)), each in zip(self.planned.items(), told, strict=True)
        }


def leaves(xml: str) -> dict[str, str]:
    """The submission as name -> value; what is not relevant is not in it at all."""
    elements = ET.fromstring(xml).iter()  # noqa: S314 - written by our own run
    return {e.tag.rpartition("}")[2]: e.text or "" for e in elements if not len(e)}


def complete(codebook: Codebook) -> dict[str, str]:
    """An answer to every question of a form that is put to somebody who took part."""
    answers = dict(AGREED)
    for variable in codebook.variables:
        if variable.role in (Role.KEY, Role.ITEM) and variable.options:
            answers[variable.name] = variable.options[0].value
        elif variable.kind is Kind.INTEGER:
            answers[variable.name] = str(variable.low)
        elif variable.role is Role.ITEM and variable.kind is Kind.TEXT:
            answers[variable.name] = "words"
    return answers


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


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interviewed]:
    """All interviews of these tests."""
    team = Team(tmp_path_factory.mktemp("phones"))
    team.fetch("lake", changed(("[core,", "[core, nationality,")))
    team.fetch("young", WITH_MINORS)
    team.fetch("alone", ALONE)
    full = complete(team.codebooks["lake pre_locals"])
    post = complete(team.codebooks["lake post_locals"])
    team.plan("complete", "lake pre_locals", full)
    team.plan("scanned", "lake pre_locals", {**full, "rid_scan": LOCAL})
    team.plan("born elsewhere", "lake pre_locals", {**full, "nationality_1a": "0"})
    team.plan("age only", "lake pre_locals", {**full, "birth_known": "2"})
    team.plan("neither year nor age", "lake pre_locals", {**full, "birth_known": "98"})
    next_year = str(date.today().year + 1)  # noqa: DTZ011 - as the phone has it
    team.plan("years", "lake pre_locals", {**full, "birth_year": [next_year, "1899", "2000"]})
    team.plan("silent", "lake pre_locals", AGREED)
    team.plan("took part", "lake post_locals", {**post, "took_part": "1"})
    team.plan("did not take part", "lake post_locals", {**post, "took_part": "0"})
    team.plan("said no", "lake pre_locals", {**full, "consent": "0", "refusal_reason": "topic"})
    team.plan("too young", "lake pre_locals", {**full, "of_age": "0"})
    for attempt in ("not_reached", "moved", "postponed"):
        team.plan(attempt, "lake pre_locals", {**full, "attempt": attempt})
    at_the_door = {**full, "attempt": "refused", "refusal_reason": "no_time"}
    team.plan("refused", "lake pre_locals", at_the_door)
    team.plan("other group", "lake pre_locals", {**full, "rid_typed": SYRIAN})
    team.plan("unlisted", "lake pre_locals", {**full, "rid_typed": UNKNOWN})
    team.plan("ids", "lake pre_locals", {**full, "rid_typed": [*ids_to_try(), LOCAL]})
    young = {**complete(team.codebooks["young pre_locals"]), "of_age": "0"}
    for guardian, assent in ("11", "10", "01"):
        answers = {**young, "guardian_consent": guardian, "assent": assent}
        team.plan(f"minor {guardian}{assent}", "young pre_locals", answers)
    team.plan("alone", "alone pre_locals", AGREED)
    return team.hold()


def test_a_complete_interview_is_accepted_and_sent_whole(held: dict[str, Interviewed]) -> None:
    interview = held["complete"]

    assert interview.refused() == set()
    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert rated <= interview.answers()
    assert interview.shown[-1] == "thanks"
    assert interview.sent["kx_wave"] == "pre"
    assert interview.sent["kx_group"] == "locals"
    assert interview.sent["kx_build"] == interview.codebook.build_id
    assert interview.sent["consent_ok"] == "1"


def test_every_field_that_is_sent_is_in_the_codebook(held: dict[str, Interviewed]) -> None:
    for interview in held.values():
        known = {variable.name for variable in interview.codebook.variables}
        notes = {name for name in interview.shown if name not in known}
        assert set(interview.sent) - known - notes == {"instanceID", "instanceName"}
        assert not any(interview.sent.get(note) for note in notes)


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
    assert interview.sent["attempt"] == (how if how in ("refused", "not_reached", "moved", "postponed") else "interview")  # fmt: skip
    assert interview.sent.get("refusal_reason", "") == reason
    assert interview.sent["consent_ok"] == "0"
    assert "thanks" not in interview.shown
    assert "gender" not in interview.shown


def test_nobody_asks_for_a_reason_where_nobody_refused(held: dict[str, Interviewed]) -> None:
    asked = {name for name, interview in held.items() if "refusal_reason" in interview.shown}

    assert asked == {"said no", "refused", "minor 10", "minor 01"}


def test_the_staff_block_comes_before_the_respondent_hears_anything(
    held: dict[str, Interviewed],
) -> None:
    assert held["complete"].shown[:7] == [
        *("about_review", "about_wording"),
        *("enumerator", "site", "rid_scan", "rid_typed", "attempt"),
    ]
    assert held["complete"].shown[7] == "intro_interview_1"


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
    assert {name for name in held[how].shown if name.startswith("rid_")} - {
        "rid_scan", "rid_typed",
    } == warning  # fmt: skip
    assert held[how].sent["rid_group"] == group
    assert "thanks" in held[how].shown


def test_in_an_interview_nothing_rated_can_be_passed_over_in_silence(
    held: dict[str, Interviewed],
) -> None:
    interview = held["silent"]

    rated = {v.name for v in interview.codebook.variables if v.rated}
    assert len(rated) == 21
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
    verdicts = [verdict for name, _, verdict in held["years"].tries if name == "birth_year"]

    assert verdicts == ["CONSTRAINT", "CONSTRAINT", "OK"]


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
    tries = [
        (text, verdict) for name, text, verdict in held["ids"].tries if name == "rid_typed"
    ]

    assert len(tries) > 500
    for text, verdict in tries:
        shaped = len(text) == 8 and text.isascii() and text.isdigit() and text[0] != "0"
        expected = shaped and mod_11_2.is_valid(text)
        assert (verdict == "OK") == expected == is_valid_id(text), text
    assert sum(verdict == "OK" for _, verdict in tries) > 60


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
