from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobosmix.errors import StudyError
from kobosmix.match import Matched, write_match
from kobosmix.match.model import Bucket, Entry, Flag, Retention, State
from kobosmix.xlsx import read_rows, records
from tests.answers import WAVES, Scenario, issued

BREAK_OFF = {"trust_2": None, "hope_1": None, "hope_2": None, "comment": None}
TOKEN, LOST = "a2" * 16, "b3" * 16
FIRST_ONLY: dict[str, str | None] = {"trust_1": "4", **BREAK_OFF}


@pytest.fixture
def study() -> Scenario:
    """Ana and Ben are locals, Nur is a newcomer, and Sam's ID is a spare."""
    scenario = Scenario()
    scenario.person("ana", arm="programme", site="north")
    scenario.person("ben", arm="comparison", site="north")
    scenario.person("nur", group="newcomer", arm="programme")
    scenario.person("sam", group="", status="spare")
    return scenario


def entry(matched: Matched, key: str) -> Entry:
    return next(each for each in matched.entries if each.key == key)


def bucket(matched: Matched, key: str) -> Bucket:
    return entry(matched, key).bucket


def state(study: Scenario, matched: Matched, name: str, wave: str = "pre") -> State:
    rid = study.rid(name)
    return next(p.state for p in matched.persons if (p.respondent.id, p.wave) == (rid, wave))


def test_an_interview_with_a_good_id_links_and_completes_the_person(study: Scenario) -> None:
    key = study.answers("ana")

    matched = study.matched()

    assert entry(matched, key).bucket is Bucket.LINKED
    assert entry(matched, key).flags == ()
    assert [(each.rid, each.wave) for each in matched.interviews] == [(study.rid("ana"), "pre")]
    assert state(study, matched, "ana") is State.COMPLETED


def test_an_id_in_arabic_digits_with_spaces_is_the_same_id(study: Scenario) -> None:
    arabic = study.rid("ana").translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    key = study.answers(f"{arabic[:4]} {arabic[4:]}")

    found = entry(study.matched(), key)

    assert (found.bucket, found.id_used) == (Bucket.LINKED, study.rid("ana"))
    assert found.id_entered == f"{arabic[:4]} {arabic[4:]}"


@pytest.mark.parametrize("attempt", ["not_reached", "moved", "postponed"])
def test_an_attempt_without_an_interview_keeps_the_id_and_no_answers(
    study: Scenario, attempt: str
) -> None:
    key = study.answers("ana", attempt=attempt, consent=None, consent_ok=None)

    matched = study.matched()

    found = entry(matched, key)
    assert (found.bucket, found.outcome) == (Bucket.NOT_CONTACTED, attempt)
    assert found.id_used == study.rid("ana")
    assert matched.interviews == ()
    assert state(study, matched, "ana") is State.NOT_CONTACTED


def test_a_refusal_at_the_door_and_one_of_consent_are_refusals(study: Scenario) -> None:
    door = study.answers("ana", attempt="refused", consent_ok="0", refusal_reason="no_time")
    consent = study.answers("ben", consent="0", consent_ok="0")

    matched = study.matched()

    assert entry(matched, door).reason == "refused at the door (no_time)"
    assert entry(matched, consent).reason == "consent was refused"
    assert state(study, matched, "ana") is state(study, matched, "ben") is State.REFUSED


def test_a_refusal_in_free_words_is_not_repeated_in_the_ledger(study: Scenario) -> None:
    key = study.answers("ana", attempt="refused", refusal_reason="My husband Karim forbids it")

    assert "Karim" not in str(entry(study.matched(), key))


def test_without_a_recorded_consent_no_answer_is_used(study: Scenario) -> None:
    silent = study.answers("ana", consent=None, consent_ok=None)
    contradicted = study.answers("ben", consent="0", consent_ok="1")

    matched = study.matched()

    assert bucket(matched, silent) is bucket(matched, contradicted) is Bucket.REFUSED
    assert matched.interviews == ()


def test_a_minor_needs_guardian_and_own_consent(study: Scenario) -> None:
    both = {"of_age": "0", "consent": None, "guardian_consent": "1", "assent": "1"}
    allowed = study.answers("ana", "pre", both)
    alone = study.answers("ben", "pre", {**both, "guardian_consent": "0", "consent_ok": "0"})

    matched = study.matched()

    assert bucket(matched, allowed) is Bucket.LINKED
    assert bucket(matched, alone) is Bucket.REFUSED_MINOR
    assert entry(matched, alone).reason == "not of age, without guardian_consent"
    assert state(study, matched, "ben") is State.REFUSED


def test_a_withdrawn_persons_answers_are_not_used(study: Scenario) -> None:
    study.person("eva", status="withdrawn")
    key = study.answers("eva")

    matched = study.matched()

    assert bucket(matched, key) is Bucket.WITHDRAWN
    assert matched.interviews == ()
    assert {state(study, matched, "eva", wave) for wave in WAVES} == {State.WITHDRAWN}


def test_an_erased_submission_still_counts(study: Scenario) -> None:
    key = study.send({})

    assert bucket(study.matched(), key) is Bucket.WITHDRAWN


def test_an_interview_without_an_id_is_nobodys(study: Scenario) -> None:
    key = study.answers("", rid=None)

    assert bucket(study.matched(), key) is Bucket.NO_ID


def test_a_slip_of_the_pen_gets_a_suggestion_that_is_never_applied(study: Scenario) -> None:
    rid = study.rid("ana")
    slipped = rid[:-1] + str((int(rid[-1]) + 1) % 10)
    key = study.answers(slipped)
    hopeless = study.answers("12")

    matched = study.matched()

    found = entry(matched, key)
    assert (found.bucket, found.suggestion, found.id_used) == (Bucket.CHECK_FAILED, rid, "")
    assert entry(matched, hopeless).suggestion == ""
    assert matched.interviews == ()
    assert state(study, matched, "ana") is State.OVERDUE


def test_a_valid_id_that_was_never_issued_here_is_unknown(study: Scenario) -> None:
    key = study.answers(issued(99))

    assert bucket(study.matched(), key) is Bucket.UNKNOWN_ID


def test_a_form_that_is_not_of_this_study_is_not_read(study: Scenario) -> None:
    key = study.answers("ana")
    good = study.submissions.pop().content
    strange = {
        "another study": {**good, "kx_study": "sea2026"},
        "an unknown build": {**good, "kx_build": "0000"},
        "an edited form": {**good, "kx_wave": "post"},
        "no constants": {"staff/rid": study.rid("ana")},
    }
    keys = [study.send(content) for content in strange.values()]

    matched = study.matched()

    assert key in keys
    assert {bucket(matched, each) for each in keys} == {Bucket.UNKNOWN_FORM}
    assert {each.wave for each in matched.entries} == {""}
    assert state(study, matched, "ana") is State.OVERDUE


def test_a_personal_link_stands_for_the_id(study: Scenario) -> None:
    study.person("lea", link_token=TOKEN)
    key = study.answers("lea", link_token=TOKEN, rid=None)

    matched = study.matched()

    found = entry(matched, key)
    assert (found.bucket, found.id_used, found.id_entered) == (
        Bucket.LINKED,
        study.rid("lea"),
        "",
    )
    assert state(study, matched, "lea") is State.COMPLETED


def test_a_link_of_nobody_waits_for_somebody_who_knows_more(study: Scenario) -> None:
    study.person("lea", link_token=TOKEN)
    lost = study.answers("ana", link_token=LOST, rid=None)
    typed = study.answers("ana", link_token=LOST)

    matched = study.matched()

    for found in (entry(matched, lost), entry(matched, typed)):
        assert (found.bucket, found.id_used) == (Bucket.UNKNOWN_ID, "")
        assert "personal link" in found.reason
        assert LOST not in str(found)
    assert state(study, matched, "ana") is not State.COMPLETED


def test_a_link_and_an_id_of_two_persons_are_for_a_person_to_decide(study: Scenario) -> None:
    study.person("lea", link_token=TOKEN)
    agreeing = study.answers("lea", link_token=TOKEN)
    contrary = study.answers("lea", "post", link_token=TOKEN, rid=study.rid("ana"))

    matched = study.matched()

    assert bucket(matched, agreeing) is Bucket.LINKED
    found = entry(matched, contrary)
    assert (found.bucket, found.id_used) == (Bucket.LINK_CONFLICT, study.rid("lea"))
    assert found.id_entered == study.rid("ana")
    assert state(study, matched, "lea", "post") is State.CONFLICT
    assert state(study, matched, "ana", "post") is not State.CONFLICT


def test_who_withdrew_is_left_out_whatever_the_way_in(study: Scenario) -> None:
    study.person("lea", link_token=TOKEN, status="withdrawn")
    key = study.answers("lea", link_token=TOKEN, rid=None)

    assert bucket(study.matched(), key) is Bucket.WITHDRAWN


def test_no_token_gets_into_what_is_written_of_the_matching(
    study: Scenario, tmp_path: Path
) -> None:
    study.person("lea", link_token=TOKEN)
    study.answers("lea", link_token=TOKEN, rid=None)
    study.answers("ana", link_token=LOST, rid=None)

    write_match(tmp_path, study.matched())

    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2
    for file in files:
        text = str(read_rows(file)) if file.suffix == ".xlsx" else file.read_text("utf-8")
        assert TOKEN not in text
        assert LOST not in text


def test_the_form_of_another_group_is_a_conflict(study: Scenario) -> None:
    key = study.answers("nur", form="local-pre")

    matched = study.matched()

    assert bucket(matched, key) is Bucket.GROUP_CONFLICT
    assert state(study, matched, "nur") is State.CONFLICT


def test_a_form_sent_twice_is_used_once_and_the_first_stays(study: Scenario) -> None:
    second = study.answers("ana", received="2026-03-12T08:00:00Z")
    first = study.answers("ana", received="2026-03-11T08:00:00Z")

    matched = study.matched()

    assert bucket(matched, first) is Bucket.LINKED
    assert bucket(matched, second) is Bucket.DUPLICATE_IDENTICAL
    assert first in entry(matched, second).reason
    assert state(study, matched, "ana") is State.COMPLETED


def test_a_broken_off_interview_gives_way_to_the_complete_one(study: Scenario) -> None:
    started = study.answers("ana", "pre", FIRST_ONLY)
    finished = study.answers("ana", immigration_1="3")

    matched = study.matched()

    assert bucket(matched, started) is Bucket.DUPLICATE_SUPERSEDED
    assert bucket(matched, finished) is Bucket.LINKED


@pytest.mark.parametrize("second", [{"trust_1": "1"}, {"gender": "male", "birth_year": "1960"}])
def test_two_different_interviews_under_one_id_are_both_set_aside(
    study: Scenario, second: dict[str, str]
) -> None:
    keys = [study.answers("ana"), study.answers("ana", "pre", second), study.answers("ana")]

    matched = study.matched()

    assert [bucket(matched, key) for key in keys] == [
        Bucket.DUPLICATE_CONFLICT,
        Bucket.DUPLICATE_CONFLICT,
        Bucket.DUPLICATE_IDENTICAL,
    ]
    assert matched.interviews == ()
    assert state(study, matched, "ana") is State.CONFLICT


def test_two_different_halves_are_no_whole(study: Scenario) -> None:
    keys = [
        study.answers("ana", "pre", FIRST_ONLY),
        study.answers("ana", "pre", {**FIRST_ONLY, "trust_1": "1"}),
    ]

    matched = study.matched()

    assert {bucket(matched, key) for key in keys} == {Bucket.DUPLICATE_CONFLICT}


def test_an_interview_links_whatever_attempts_came_before_it(study: Scenario) -> None:
    away = study.answers("ana", attempt="not_reached")
    again = study.answers("ana", attempt="postponed")
    refused = study.answers("ana", attempt="refused")
    given_in = study.answers("ana")

    matched = study.matched()

    assert [bucket(matched, key) for key in (away, again, refused, given_in)] == [
        Bucket.NOT_CONTACTED,
        Bucket.NOT_CONTACTED,
        Bucket.REFUSED,
        Bucket.LINKED,
    ]
    assert state(study, matched, "ana") is State.COMPLETED


def test_a_refusal_outweighs_a_visit_that_found_nobody(study: Scenario) -> None:
    study.answers("ana", attempt="refused")
    study.answers("ana", attempt="not_reached")

    assert state(study, study.matched(), "ana") is State.REFUSED


def test_a_form_received_in_another_waves_window_is_a_conflict_in_both(study: Scenario) -> None:
    key = study.answers("ana", "pre", received="2026-06-10T09:00:00Z", today="2026-03-09")

    matched = study.matched()

    assert bucket(matched, key) is Bucket.WAVE_CONFLICT
    assert "the phone says 2026-03-09" in entry(matched, key).reason
    assert state(study, matched, "ana", "pre") is State.CONFLICT
    assert state(study, matched, "ana", "post") is State.CONFLICT


def test_a_wave_conflict_does_not_spoil_the_good_interview_of_that_wave(
    study: Scenario,
) -> None:
    good = study.answers("ana", "pre")
    wrong_form = study.answers("ana", "pre", received="2026-06-10T09:00:00Z", trust_1="1")

    matched = study.matched()

    assert bucket(matched, good) is Bucket.LINKED
    assert bucket(matched, wrong_form) is Bucket.WAVE_CONFLICT
    assert state(study, matched, "ana", "pre") is State.COMPLETED


@pytest.mark.parametrize(
    ("received", "flag"),
    [("2026-02-20T12:00:00Z", Flag.EARLY), ("2026-04-20T12:00:00Z", Flag.LATE)],
)
def test_merely_early_or_late_is_linked_with_a_flag(
    study: Scenario, received: str, flag: Flag
) -> None:
    key = study.answers("ana", received=received)

    found = entry(study.matched(), key)

    assert (found.bucket, found.flags) == (Bucket.LINKED, (flag,))


def test_a_cohort_has_its_own_window(study: Scenario) -> None:
    study.person("lea", cohort="late")
    key = study.answers("lea", "post", received="2026-08-10T12:00:00Z")

    assert entry(study.matched(), key).flags == ()


def test_another_gender_and_another_birth_year_are_another_person(study: Scenario) -> None:
    before = study.answers("ana", "pre", gender="female", birth_year="1990")
    after = study.answers("ana", "post", gender="male", birth_year="1972")

    matched = study.matched()

    assert bucket(matched, after) is Bucket.CONFLICT_KEYS
    assert bucket(matched, before) is Bucket.LINKED
    assert entry(matched, before).flags == (Flag.LATER_WAVE_CONTRADICTS,)
    assert state(study, matched, "ana", "post") is State.CONFLICT


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        ({"gender": "male"}, (Flag.GENDER_DIFFERS,)),
        ({"birth_year": "1972"}, (Flag.BIRTH_YEAR_DIFFERS,)),
        ({"gender": "male", "birth_year": "1991"}, (Flag.GENDER_DIFFERS,)),
        ({"gender": "99", "birth_year": "1972"}, (Flag.BIRTH_YEAR_DIFFERS,)),
        ({"gender": None, "birth_year": None}, ()),
    ],
)
def test_one_key_alone_is_a_slip_and_not_another_person(
    study: Scenario, said: dict[str, str | None], flags: tuple[Flag, ...]
) -> None:
    study.answers("ana", "pre")
    key = study.answers("ana", "post", said)

    found = entry(study.matched(), key)

    assert (found.bucket, found.flags) == (Bucket.LINKED, flags)


def test_a_site_and_a_spare_are_flagged(study: Scenario) -> None:
    elsewhere = study.answers("ana", site="south")
    walk_in = study.answers("sam")

    matched = study.matched()

    assert entry(matched, elsewhere).flags == (Flag.SITE_DIFFERS,)
    assert entry(matched, walk_in).flags == (Flag.SPARE_USED,)
    assert state(study, matched, "sam") is State.COMPLETED
    assert state(study, matched, "sam", "fu") is State.NOT_DUE
    assert {p.group for p in matched.persons if p.respondent.status == "spare"} == {"local"}


def test_an_unused_spare_is_nobody_to_look_for(study: Scenario) -> None:
    matched = study.matched()

    assert {state(study, matched, "sam", wave) for wave in WAVES} == {State.SPARE}


def test_fewer_than_half_of_the_items_asked_is_partial(study: Scenario) -> None:
    study.answers("ana", "pre", FIRST_ONLY)
    study.answers("nur", trust_1="4", trust_2="98", hope_1=None, hope_2=None)

    matched = study.matched()

    assert state(study, matched, "ana") is State.PARTIAL
    assert state(study, matched, "nur") is State.COMPLETED


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 5, 31), State.NOT_DUE),
        (date(2026, 6, 1), State.DUE),
        (date(2026, 6, 30), State.DUE),
        (date(2026, 7, 1), State.OVERDUE),
    ],
)
def test_who_is_due_follows_the_window(study: Scenario, today: date, expected: State) -> None:
    assert state(study, study.matched(today), "ana", "post") is expected


def test_without_a_window_nobody_is_due_and_nothing_is_late() -> None:
    study = Scenario(windows={})
    study.person("ana")
    study.person("ben")
    key = study.answers("ana", received="2031-01-01T00:00:00Z")

    matched = study.matched()

    assert entry(matched, key).flags == ()
    assert state(study, matched, "ben") is State.NOT_DUE


def test_linkage_counts_the_consented_only(study: Scenario) -> None:
    study.answers("ana")
    study.answers("", rid=None)
    study.answers("ben", attempt="refused")

    linkage = study.matched().linkage[0]

    assert (linkage.linked, linkage.consented, linkage.rate) == (1, 2, 0.5)


def cell(matched: Matched, wave: str, group: str = "", arm: str = "") -> Retention:
    wanted = (wave, group, arm)
    return next(r for r in matched.retention if (r.wave, r.group, r.arm) == wanted)


def test_retention_is_over_persons_with_a_valid_first_wave(study: Scenario) -> None:
    for name in ("ana", "ben", "nur"):
        study.answers(name)
    study.answers("ana", "post")
    study.answers("sam", "post")

    matched = study.matched(date(2026, 7, 1))

    everyone = cell(matched, "post")
    assert (everyone.with_first, everyone.retained, everyone.verdict) == (3, 1, "below")
    assert not everyone.is_interim
    assert cell(matched, "post", "local", "programme").verdict == "above"
    assert cell(matched, "post", "local", "comparison").rate == 0
    assert cell(matched, "post", "local", "programme").is_small


def test_retention_is_interim_while_a_window_is_open(study: Scenario) -> None:
    study.answers("ana")

    figure = cell(study.matched(date(2026, 6, 15)), "post")

    assert (figure.is_interim, figure.closed_rate, figure.verdict) == (True, None, "open")


def test_who_withdraws_after_the_first_wave_is_lost_and_not_forgotten(study: Scenario) -> None:
    study.answers("ana")
    study.answers("ben")
    study.answers("ana", "post")
    ben = study.respondents["ben"]
    study.respondents["ben"] = replace(ben, status="withdrawn")

    figure = cell(study.matched(), "post")

    assert (figure.with_first, figure.retained) == (2, 1)


def test_a_value_the_form_could_not_give_is_listed_without_being_repeated(
    study: Scenario,
) -> None:
    key = study.answers("ana", trust_1="7", birth_year="about 1990", hope_1="98")
    too_old = study.answers("ben", birth_year="1820")

    matched = study.matched()

    assert {(odd.key, odd.variable) for odd in matched.odd_values} == {
        (key, "trust_1"),
        (key, "birth_year"),
        (too_old, "birth_year"),
    }
    assert "about" not in str(matched.odd_values)
    assert matched.interviews[0].answers["trust_1"] == "7"


def test_a_submission_given_twice_stops_the_run(study: Scenario) -> None:
    study.answers("ana")

    with pytest.raises(StudyError, match="s001"):
        study.matched(submissions=study.submissions * 2)


NAMES = ("ana", "ben", "nur", "sam", "eva", "", "12", issued(99))
PLANS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(WAVES),
        st.sampled_from(["local-pre", "newcomer-post", ""]),
        st.sampled_from(
            ["2026-03-10T10:00:00Z", "2026-06-10T10:00:00Z", "2027-01-01T10:00:00Z"]
        ),
        st.fixed_dictionaries(
            {
                "attempt": st.sampled_from([None, "interview", "refused", "moved"]),
                "consent_ok": st.sampled_from(["1", "1", "1", "0", None]),
                "of_age": st.sampled_from(["1", "0"]),
                "gender": st.sampled_from(["female", "male", None]),
                "birth_year": st.sampled_from(["1990", "1960", "x"]),
                "trust_1": st.sampled_from(["1", "2", "9", None]),
                "hope_1": st.sampled_from(["1", None]),
                "hope_2": st.sampled_from(["98", None]),
            }
        ),
    ),
    max_size=12,
)


@given(plan=PLANS, shuffled=st.randoms(use_true_random=False), day=st.dates(date(2026, 1, 1)))
@settings(deadline=None)
def test_nobody_is_lost_and_the_order_of_rows_changes_nothing(
    plan: list[tuple[str, str, str, str, dict[str, str | None]]],
    shuffled: st.DataObject,
    day: date,
) -> None:
    study = Scenario()
    for name in ("ana", "ben"):
        study.person(name, arm="programme")
    study.person("nur", group="newcomer")
    study.person("sam", group="", status="spare")
    study.person("eva", status="withdrawn")
    for name, wave, form, received, said in plan:
        study.answers(name, wave, said, form=form, received=received)
    in_another_order = list(study.submissions)
    shuffled.shuffle(in_another_order)  # type: ignore[attr-defined]

    matched = study.matched(day)

    assert matched == study.matched(day, in_another_order)
    assert sorted(e.key for e in matched.entries) == [s.key for s in study.submissions]
    assert Counter(p.wave for p in matched.persons) == dict.fromkeys(WAVES, 5)
    linked = {each.key for each in matched.entries if each.bucket is Bucket.LINKED}
    assert {each.key for each in matched.interviews} == linked
    assert len({(each.rid, each.wave) for each in matched.interviews}) == len(linked)


def test_the_ledgers_read_back_with_totals_that_agree(study: Scenario, tmp_path: Path) -> None:
    study.answers("ana", comment="My phone is 0123", trust_1="4")
    study.answers("ben", attempt="refused")
    study.answers("ana", "post")
    study.answers("=1+1")
    study.send({"kx_study": "sea2026"})
    matched = study.matched()

    write_match(tmp_path, matched)

    rows = records(read_rows(tmp_path / "submissions.xlsx"))
    assert [row["bucket"] for row in rows] == [each.bucket for each in matched.entries]
    assert {row["id used"] for row in rows} >= {study.rid("ana")}
    assert "'=1+1" in {row["id entered"] for row in rows}
    assert not any("0123" in str(row) for row in rows)
    persons = records(read_rows(tmp_path / "persons.xlsx"))
    assert {row["rid"]: row["pre"] for row in persons} == {
        study.rid("ana"): "completed",
        study.rid("ben"): "refused",
        study.rid("nur"): "overdue",
        study.rid("sam"): "spare",
    }
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    total = summary["submissions"]["total"]
    assert total == len(study.submissions)
    for counts in (summary["by_wave"], summary["by_form"]):
        assert sum(each["total"] for each in counts.values()) == total
    assert {counts["total"] for counts in summary["persons"].values()} == {4}
    assert sum(n for name, n in summary["submissions"].items() if name != "total") == total


def test_an_empty_study_has_ledgers_too(study: Scenario, tmp_path: Path) -> None:
    write_match(tmp_path / "match", study.matched())

    assert len(read_rows(tmp_path / "match" / "submissions.xlsx")) == 1
    assert len(read_rows(tmp_path / "match" / "persons.xlsx")) == 5


def test_equal_answers_give_equal_bytes(study: Scenario, tmp_path: Path) -> None:
    study.answers("ana")
    for folder in ("one", "two"):
        write_match(tmp_path / folder, study.matched())

    for name in ("submissions.xlsx", "persons.xlsx", "summary.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
