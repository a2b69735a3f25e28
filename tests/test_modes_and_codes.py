"""How it is held, who somebody is, what is known already: what the frame of a form asks when."""

from __future__ import annotations

import csv
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from kobosmix import content
from kobosmix.cli.main import main
from kobosmix.codebook import Codebook, Kind, Role, Variable
from kobosmix.conditions import holds
from kobosmix.form import XlsForm
from kobosmix.match import background_known
from kobosmix.match.answers import interview_day
from kobosmix.match.model import Interview
from kobosmix.people.model import Register, Respondent
from kobosmix.people.register import register_csv
from kobosmix.prepare import BuiltForm, Prepared, prepare
from kobosmix.study import Study
from tests.english_study import CONTEXT, changed, prepare_text, said, write_study

PHONE = changed(("mode: interview", "mode: telephone"))
ALONE = changed(("mode: interview", "mode: self_administered"))
CODED = changed(("mode: interview", "mode: interview\nid_method: self_generated"))
PAID = changed(
    ("compensation: {type: none}", "compensation: {type: given, text: {en: a bus ticket}}")
)
CODE = ("code_mother", "code_day", "code_birthplace", "code_brothers", "code_sisters", "code_family", "code_father")  # fmt: skip


def form(folder: Path, text: str = CONTEXT, key: str = "pre_locals") -> BuiltForm:
    return form_of(prepare_text(folder, text), key)


def form_of(prepared: Prepared, key: str) -> BuiltForm:
    prepared.sound()
    return next(each for each in prepared.forms if each.key == key)


def shown(form: XlsForm, answers: dict[str, str]) -> list[str]:
    """The notes a form shows at these answers, by the conditions written in its rows."""
    notes = {
        row["name"]: row.get("relevant", "") for row in form.survey if row["type"] == "note"
    }
    known = {f"${{{name}}}": f"'{text}'" for name, text in answers.items()}
    return [name for name, relevant in notes.items() if _is_true(relevant, known)]


def _is_true(relevant: str, known: dict[str, str]) -> bool:
    for name, text in known.items():
        relevant = relevant.replace(name, text)
    if "${" in relevant:
        return False
    return not relevant or bool(eval(relevant.replace(" = ", " == ")))  # noqa: S307 - our own rows


def variable(codebook: Codebook, name: str) -> Variable:
    return codebook.variable(name)


@pytest.mark.parametrize(
    ("mode", "greeted"),
    [
        ("face_to_face", {"intro_interview_1"}),
        ("telephone", {"intro_telephone_1", "intro_telephone_2"}),
        ("paper", set()),
    ],
)
def test_who_is_called_hears_another_greeting_and_paper_hears_none(
    tmp_path: Path, mode: str, greeted: set[str]
) -> None:
    built = form(tmp_path)

    notes = set(shown(built.form, {"mode": mode}))

    openings = {"intro_interview_1", "intro_telephone_1", "intro_telephone_2"}
    assert notes & openings == greeted
    assert ("consent_voluntary" in notes) is (mode != "paper")


@pytest.mark.parametrize(("text", "first"), [(CONTEXT, "face_to_face"), (PHONE, "telephone")])
def test_the_usual_mode_of_the_study_stands_first(
    tmp_path: Path, text: str, first: str
) -> None:
    codebook = form(tmp_path, text).codebook

    modes = [option.value for option in variable(codebook, "mode").options]
    assert modes[0] == first
    assert set(modes) == {"face_to_face", "telephone", "paper"}


def test_there_is_a_card_to_show_face_to_face_only(tmp_path: Path) -> None:
    spoken = variable(form(tmp_path / "a").codebook, "trust_1").hints["en"]
    called = variable(form(tmp_path / "b", PHONE).codebook, "trust_1").hints["en"]

    assert spoken.startswith("Show card 1.")
    assert "card" not in called
    assert "aloud" in called


def test_what_was_left_empty_on_paper_and_after_a_stop_is_not_insisted_on(
    tmp_path: Path,
) -> None:
    asked = form(tmp_path).codebook.variable("trust_1")

    assert asked.required
    assert holds(asked.required_if, {"mode": "face_to_face", "ended": ""})
    assert holds(asked.required_if, {"mode": "telephone", "ended": "to_end"})
    assert not holds(asked.required_if, {"mode": "paper"})
    assert not holds(asked.required_if, {"mode": "face_to_face", "ended": "stopped"})
    # A stop takes no answer away: only conditions to be asked do that in a form.
    assert "ended" not in str(asked.asked_if)


def test_a_paper_form_brings_its_own_day_and_who_types_it_in(tmp_path: Path) -> None:
    codebook = form(tmp_path).codebook

    day, typist = variable(codebook, "paper_day"), variable(codebook, "typed_by")
    assert (day.kind, day.required) == (Kind.DATE, True)
    for asked in (day, typist):
        assert holds(asked.asked_if, {"mode": "paper"})
        assert not holds(asked.asked_if, {"mode": "telephone"})
    assert "typed_by" not in {v.name for v in form(tmp_path / "b", ALONE).codebook.variables}


def test_a_number_is_typed_twice_and_doubted_numbers_need_a_reason(tmp_path: Path) -> None:
    built = form(tmp_path)
    again = next(row for row in built.form.survey if row.get("name") == "rid_again")
    reason = variable(built.codebook, "rid_reason")

    assert again["constraint"] == ". = ${rid_typed}"
    assert again["appearance"] == "numbers"
    nobody = {"rid": "90617258", "rid_listed": "", "rid_group": ""}
    other = {"rid": "58291606", "rid_listed": "58291606", "rid_group": "syrians"}
    own = {"rid": "14343144", "rid_listed": "14343144", "rid_group": "locals"}
    spare = {"rid": "14343144", "rid_listed": "14343144", "rid_group": ""}
    assert [holds(reason.asked_if, each) for each in (nobody, other, own, spare, {})] == [
        *(True, True, False, False, False)
    ]
    assert {option.value for option in reason.options} == {
        *("card_shows", "spare_card", "old_list", "other")
    }


def test_each_wave_asks_for_consent_anew_and_later_ones_say_why(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path)
    first, later = form_of(prepared, "pre_locals"), form_of(prepared, "post_locals")

    for built in (first, later):
        assert variable(built.codebook, "consent").required
    says = {row["name"] for row in later.form.survey if row["type"] == "note"}
    said_before = {row["name"] for row in first.form.survey if row["type"] == "note"}
    assert says - said_before >= {"intro_again"}
    assert "same_enumerator" in {v.name for v in later.codebook.variables}
    assert "same_enumerator" not in {v.name for v in first.codebook.variables}


@pytest.mark.parametrize(
    ("text", "note", "words"),
    [
        (CONTEXT, "consent_no_compensation", "no payment"),
        (PAID, "consent_compensation", "a bus ticket"),
    ],
)
def test_what_people_receive_or_that_there_is_nothing_is_said_in_any_case(
    tmp_path: Path, text: str, note: str, words: str
) -> None:
    rows = {row["name"]: row for row in form(tmp_path, text).form.survey if "name" in row}

    assert words in rows[note]["label::English (en)"]
    assert len({"consent_no_compensation", "consent_compensation"} & rows.keys()) == 1
    assert "December 31, 2099" in rows["consent_until"]["label::English (en)"]


def test_compensation_without_a_word_and_an_early_last_day_are_findings(tmp_path: Path) -> None:
    early = changed(("withdrawal_until: 2099-12-31", "withdrawal_until: 2026-03-01"))
    mute = changed(("compensation: {type: none}", "compensation: {type: given}"))

    assert [code for code, _, _ in said(prepare_text(tmp_path / "a", early), "C118")] == [
        "C118"
    ]
    assert [code for code, _, _ in said(prepare_text(tmp_path / "b", mute), "C101")] == ["C101"]


def test_who_was_there_and_whether_it_went_to_the_end_is_noted_in_interviews_only(
    tmp_path: Path,
) -> None:
    spoken, alone = form(tmp_path / "a").codebook, form(tmp_path / "b", ALONE).codebook

    noted = {v.name for v in spoken.variables if v.role is Role.OBSERVATION}
    assert noted == {
        *("mode", "paper_day", "language", "ended", "others_present", "interruptions"),
        *("understanding", "language_kept"),
    }
    assert {v.name for v in alone.variables if v.role is Role.OBSERVATION} == {
        *("mode", "paper_day", "language")
    }


def test_a_code_has_seven_closed_elements_and_no_number_is_asked_for(tmp_path: Path) -> None:
    built = form(tmp_path, CODED)
    names = [v.name for v in built.codebook.variables]

    assert [name for name in names if name.startswith("code_")] == list(CODE)
    assert not [name for name in names if name.startswith("rid")]
    for name in CODE:
        asked = variable(built.codebook, name)
        assert (asked.role, asked.kind) == (Role.KEY, Kind.SELECT_ONE)
        assert len(asked.options) > 5
        assert not holds(asked.asked_if, {"consent_ok": "0"})
    assert "csv-external" not in {row["type"] for row in built.form.survey}
    assert built.form.settings[0]["instance_name"] == "'pre'"
    assert "register.csv" not in prepare_text(tmp_path / "again", CODED).media()


def test_letters_are_those_of_the_language_that_was_chosen(tmp_path: Path) -> None:
    study = Study(shutil.copytree(content.sample_study("bosnia"), tmp_path / "bosnia"))
    text = study.context_file.read_text(encoding="utf-8")
    coded = text.replace("mode: interview", "mode: interview\nid_method: self_generated")
    study.context_file.write_text(coded, encoding="utf-8")
    built = form_of(prepare(study, engines=False), "pre_srb")

    letters = [row for row in built.form.choices if row["list_name"] == "letters"]
    asked = next(row for row in built.form.survey if row.get("name") == "code_mother")
    assert {row["alphabet"] for row in letters} == {"sr-BA", "sr-Latn-BA", "every"}
    assert {row["name"] for row in letters if row["alphabet"] == "every"} == {"98", "99"}
    assert asked["choice_filter"] == "alphabet = ${code_alphabet} or alphabet = 'every'"


def test_background_is_asked_again_only_of_those_it_is_not_known_of(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, changed(("[core,", "[core, nationality,")))
    before, after = (form_of(prepared, f"{wave}_locals").codebook for wave in ("pre", "post"))

    for name in ("education", "nationality_1a"):
        agreed = {"consent_ok": "1"}
        assert holds(variable(before, name).asked_if, agreed)
        assert holds(variable(after, name).asked_if, agreed)
        assert not holds(variable(after, name).asked_if, {**agreed, "rid_known": "1"})
    assert not holds(
        variable(after, "nationality_1b").asked_if, {"consent_ok": "1", "rid_known": ""}
    )
    assert form_of(prepared, "post_locals").plan.minutes < form_of(prepared, "pre_locals").plan.minutes + 2  # fmt: skip


def test_whose_background_is_known_stands_in_the_list_on_the_phone(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path)
    before, after = (form_of(prepared, f"{wave}_locals").codebook for wave in ("pre", "post"))
    whole = {"consent_ok": "1", "education": "3", "disability": "99", "displacement": "0"}
    interviews = [
        interview("14343144", before, whole),
        interview("58291606", before, {**whole, "education": ""}),
    ]

    known = background_known(interviews, [before, after])

    people = Register(tuple(Respondent(id=i, group="locals") for i in ("14343144", "58291606")))
    rows = csv.DictReader(StringIO(register_csv(people, known).decode("utf-8")))
    assert {row["name"]: row["background"] for row in rows} == {"14343144": "1", "58291606": ""}


def interview(rid: str, codebook: Codebook, answers: dict[str, str]) -> Interview:
    from datetime import date

    given = {name: text for name, text in answers.items() if text}
    return Interview(
        key=rid, rid=rid, wave=codebook.wave, codebook=codebook, answers=given,
        day=date(2026, 3, 1), enumerator="en01", is_partial=False,
    )  # fmt: skip


def test_items_in_an_order_of_their_own_stand_so_in_every_form_and_the_codebook_says_so(
    tmp_path: Path,
) -> None:
    text = changed(("mode: interview", "mode: interview\nitem_order: {type: random, seed: 3}"))
    prepared = prepare_text(tmp_path, text)

    orders = {
        tuple(v.name for v in built.codebook.variables if v.concept == "attitudes")
        for built in prepared.forms
    }
    assert len(orders) == 1
    (order,) = orders
    assert sorted(order) == ["attitudes_1", "attitudes_2", "attitudes_3", "attitudes_4"]
    assert list(order) != sorted(order)
    told = [each for each in prepared.forms[0].codebook.adaptations if "order" in each.key]
    assert "seed 3" in told[0].text


def test_a_random_order_has_a_whole_number_as_its_seed(tmp_path: Path) -> None:
    for order in ("{type: random}", "{type: random, seed: 1.5}", "{type: bank, seed: 3}"):
        text = changed(("mode: interview", f"mode: interview\nitem_order: {order}"))
        found = said(prepare_text(tmp_path / str(len(order)), text), "C101")
        assert len(found) == 1, order


def test_people_counted_aloud_are_counted_in_words_on_the_same_codes(tmp_path: Path) -> None:
    spoken = form(tmp_path / "a").codebook
    alone = form(tmp_path / "b", ALONE)
    count, same = (
        variable(spoken, "prior_contact_1"),
        variable(alone.codebook, "prior_contact_1"),
    )

    def words(asked: Variable) -> list[str]:
        return [o.labels["en"] for o in asked.options if o.missing is None]

    assert words(count) == ["none", "1", "2", "3 or 4", "5 or more"]
    assert words(same) == ["none", "2", "3", "4", "5 or more"]
    assert count.scale != same.scale
    assert [o.value for o in count.options[:5]] == [o.value for o in same.options]
    assert [a.key for a in spoken.adaptations] == ["scale.count_5"]
    row = next(r for r in alone.form.survey if r.get("name") == "prior_contact_1")
    assert row["appearance"] == "likert"
    trust = next(r for r in alone.form.survey if r.get("name") == "trust_1")
    assert "appearance" not in trust, "'disagree strongly' does not fit a fifth of a phone"


@pytest.mark.parametrize(
    ("locals_", "syrians"),
    [
        ("use: syrians", "use: syrians"),
        ("names: {en: {pl: Syrians, adj: Syrian}}", "use: syrians"),
        ("use: turks", "names: {en: {pl: Turks, adj: Syrian}}"),
    ],
)
def test_two_groups_by_one_name_are_a_finding_wherever_the_name_is_from(
    tmp_path: Path, locals_: str, syrians: str
) -> None:
    text = re.sub(r"names:\n +en: {pl: [^}]*}", "NAMES", CONTEXT)
    assert text.count("NAMES") == 2
    text = text.replace("NAMES", locals_, 1).replace("NAMES", syrians, 1)

    assert [code for code, _, _ in said(prepare_text(tmp_path, text), "C110")] == ["C110"]


def test_a_name_no_phone_can_show_is_a_finding(tmp_path: Path) -> None:
    long = changed(("title:\n  en: ", "title:\n  en: " + "very " * 14))

    assert [code for code, _, _ in said(prepare_text(tmp_path, long), "C116")] == ["C116"]


def test_a_later_form_of_nothing_but_known_background_is_empty(tmp_path: Path) -> None:
    only = re.sub(r"concepts: \[.*\]", "concepts: [nationality]", CONTEXT)

    found = said(prepare_text(tmp_path, only), "P101")

    assert {problem.split()[2] for _, _, problem in found} >= {"post_locals", "post_syrians"}
    assert "pre_locals" not in str(found)


def test_a_study_with_codes_issues_no_numbers_and_says_what_it_cannot_do_yet(
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path / "coded", CODED)
    run = CliRunner()

    built = run.invoke(main, ["build", str(study.root)])
    issued = run.invoke(main, ["ids", str(study.root), "--group", "locals", "-n", "3"])
    matched = run.invoke(main, ["match", str(study.root)])
    told = run.invoke(main, ["status", str(study.root)])

    assert built.exit_code == 0, built.output
    assert issued.exit_code == matched.exit_code == 4
    assert "self-generated codes" in issued.output
    assert "does not match by them yet" in matched.output
    assert "codes of their own" in told.output
    assert "ids" not in told.output.splitlines()[-1]
    assert not study.register_file.exists()


def test_the_day_of_an_interview_on_paper_is_that_of_the_paper() -> None:
    typed_in = {"paper_day": "2026-03-01", "today": "2026-03-09"}

    assert interview_day(typed_in, "2026-03-10T08:00:00").isoformat() == "2026-03-01"
    assert interview_day({"today": "2026-03-09"}, "2026-03-10").isoformat() == "2026-03-09"


def test_a_last_day_that_is_over_is_an_error_where_no_window_says_when_people_are_asked(
    tmp_path: Path,
) -> None:
    windows = re.sub(r"windows:\n +all: {[^}]*}", "windows: {}", CONTEXT)
    over = windows.replace("withdrawal_until: 2099-12-31", "withdrawal_until: 2020-12-31")

    assert [code for code, _, _ in said(prepare_text(tmp_path / "a", over), "C118")] == ["C118"]
    assert said(prepare_text(tmp_path / "b", windows), "C118") == []
