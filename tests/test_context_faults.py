"""Every way to get context.yaml wrong, each found in its line, and none hiding another."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kobosmix.context import read_context
from kobosmix.context.check import EXPLANATIONS
from kobosmix.context.model import Context
from kobosmix.context.new import parse_group
from kobosmix.context.shape import STAND_INS
from kobosmix.errors import InputError, UsageError
from kobosmix.findings import Severity
from tests.english_study import (
    CONTEXT,
    as_yaml,
    bank,
    changed,
    line_of,
    prepare_text,
    said,
)

Change = tuple[str, str]
INDICATOR = (
    "indicators:\n"
    "  - {id: a, title: T, item: willingness_1, answers: ['4', '5'], group: locals, target: 60}\n"
)
LOCALS = "      en: {pl: locals, adj: local}\n"
FULL_GROUP = (
    "  locals:\n    role: host\n    languages: [en]\n    speaks: en\n"
    "    asked_about: [syrians]\n    names:\n" + LOCALS
)


def context_of(folder: Path, text: str = CONTEXT) -> Context:
    context = prepare_text(folder, text).sound()
    assert isinstance(context, Context)
    return context


def errors(folder: Path, *changes: Change, more: str = "") -> list[tuple[str, int, str]]:
    """Code, line and problem of every error in a context that was changed so."""
    prepared = prepare_text(folder, changed(*changes) + more)
    return [
        (f.code, f.place.line, f.problem)
        for f in prepared.findings
        if f.severity is Severity.ERROR
    ]


def test_the_context_holds_what_the_team_decided(tmp_path: Path) -> None:
    context = context_of(tmp_path, CONTEXT + INDICATOR)

    assert context.study == "lake_2026"
    assert list(context.groups) == ["locals", "syrians"]
    assert context.groups["syrians"].speaks == "ar"
    assert list(context.waves) == ["pre", "post", "fu"]
    assert context.concepts == ("core", "characteristics", "prior_contact", "programme_contact")
    assert (context.age_of_consent, context.minors, context.is_interview) == (18, False, True)
    assert context.indicators[0].answers == ("4", "5")


def test_a_window_for_all_holds_for_each_cohort_without_its_own(tmp_path: Path) -> None:
    text = changed(
        (
            "  fu: {}",
            "  fu:\n    windows:\n      spring: {opens: 2026-09-01, closes: 2026-09-30}",
        ),
        ("sites:", "cohorts: {spring: Spring course}\nsites:"),
    )

    waves = context_of(tmp_path, text).waves

    spring = waves["fu"].window("spring")
    assert spring is not None
    assert spring.opens.isoformat() == "2026-09-01"
    assert waves["fu"].window("autumn") is None
    assert waves["pre"].window("autumn") == waves["pre"].windows["all"]


@pytest.mark.parametrize("nothing", ["  fu:", "  fu: {}", "  fu:\n    windows: {}"])
def test_a_wave_without_windows_may_be_written_with_nothing_behind_it(
    tmp_path: Path, nothing: str
) -> None:
    assert context_of(tmp_path, changed(("  fu: {}", nothing))).waves["fu"].windows == {}


@pytest.mark.parametrize(
    "key", ["own_group", "age_of_consent", "minors", "mode", "concepts", "waves", "groups"]
)
def test_what_the_team_has_to_decide_has_no_default(tmp_path: Path, key: str) -> None:
    whole = YAML(typ="safe").load(CONTEXT)
    del whole[key]

    found = said(prepare_text(tmp_path, whole), "C101")

    assert [problem for _, _, problem in found] == [f"'{key}' is missing"]


@pytest.mark.parametrize(
    ("change", "code", "problem", "where"),
    [
        # The shape of a line.
        (("minutes: 90", "minutes: ninety"), "C101", "'minutes' has to be a whole number", ""),
        (("minutes: 90", "minutes: 0"), "C101", "greater than 0", ""),
        (("minutes: 90", "minutes: .inf"), "C101", "'minutes' has to be a whole number", ""),
        (("random: true", "random: yes"), "C101", "'random' has to be true or false", ""),
        (("role: host", "role: guest"), "C101", "'guest' is not possible for 'role'", ""),
        (("minutes: 90", "minutes: 90\nminuets: 3"), "C101", "the key 'minuets' is not known", "minuets"),
        (("format: 1", "format: 2"), "C101", "'2' is not possible for 'format'", ""),
        (("study: lake_2026", "study: 2026"), "C101", "2026 is read as a number", ""),
        (("  en: Lakeside", "  en: 2026-05-31"), "C101", "2026-05-31 is read as a number, a date", ""),
        (("asked_about: [syrians]", "asked_about: [007]"), "C101", "entry 1 of 'asked_about'", ""),
        (("  north: {en", "  007: {en"), "C101", "'007' cannot stand here: a code begins with", ""),
        (("study: lake_2026", "study: Lake-2026"), "C101", "'Lake-2026' cannot stand here", ""),
        (("pl: locals", "pl: 'lo[cals]'"), "C101", "text has no brackets, braces, $, < or >", ""),
        (("pl: locals", "pl: '${rid}'"), "C101", "text has no brackets", ""),
        (("pl: locals", "pl: 'the {locals}'"), "C101", "text has no brackets", ""),
        (("pl: locals", "pl: '<u>locals</u>'"), "C101", "text has no brackets", ""),
        (("pl: locals", "pl: 'locals '"), "C101", "no space stands at its ends", ""),
        (("pl: locals", "pl: '  '"), "C101", "no space stands at its ends", ""),
        (("  en: Lakeside", '  en: "Lake\\nside"'), "C101", "is one line", "Lake"),
        (("  fu: {}", "  follow_up: {}"), "C101", "'follow_up' cannot stand here: there is no such", ""),
        (("  fu: {}", "  fu1: {}"), "C101", "there is no such wave", ""),
        (("opens: 2026-02-02", "opens: 2026-02-30"), "C101", "'opens' has to be a date", ""),
        (("concepts: [core", "concepts: core # ["), "C101", "'concepts' has to be a list", ""),
        # Languages.
        (("languages:\n  en: use", "languages:\n  en: use\n  xx: use"), "C102", "no table for the language 'xx'", "xx"),
        (("languages: [en]", "languages: [en, tr]"), "C102", "'tr' is not among the study's languages", ""),
        (("languages: [en]", "languages: [en, en]"), "C102", "'en' is listed twice", ""),
        # Groups.
        (("asked_about: [syrians]", "asked_about: [locals]"), "C103", "'locals' is asked about itself", ""),
        (("asked_about: [syrians]", "asked_about: [nobody]"), "C103", "there is no group 'nobody'", ""),
        (("asked_about: [syrians]", "asked_about: [syrians, syrians]"), "C103", "'syrians' is listed twice", ""),
        (("pl: Syrians", "pl: LOCALS"), "C110", "'locals' and 'syrians' are both called 'LOCALS'", ""),
        (("pl: locals", "pl: locals, plural: x"), "C114", "'en' has no name form 'plural'", ""),
        # Concepts.
        (("concepts: [core", "concepts: [core, trustt"), "C104", "the bank has no concept 'trustt'", ""),
        (("minutes: 90", "ask: {threat: [newcomer]}\nminutes: 90"), "C104", "'threat' is given to a role", ""),
        (("minutes: 90", "ask: {thread: [newcomer]}\nminutes: 90"), "C104", "no concept 'thread'", ""),
        # Texts, windows, arms, phrases.
        (("community:\n  en: Laketown", "community:\n  tr: Göl"), "C105", "'community' has no text in: en", "community:"),
        (("  north: {en: North shore}", "  north: {}"), "C105", "'north' has no text in: en", ""),
        (("    en: help@", "    tr: help@"), "C105", "'complaints' has no text in: en", "complaints:"),
        (("closes: 2026-02-20", "closes: 2026-01-20"), "C106", "closes before it opens", ""),
        (("opens: 2026-04-20", "opens: 2026-01-20"), "C106", "'post' opens no later than 'pre'", ""),
        (("      all: {opens: 2026-02", "      may: {opens: 2026-02"), "C106", "there is no cohort 'may'", ""),
        (("  fu: {}\n", "  fu2: {}\n  fu: {}\n"), "C106", "do not stand in the order", "waves:"),
        (("  comparison: Waits\n", ""), "C107", "compares two arms, but not both are described", "arms:"),
        (("type: waiting_list", "type: no_comparison"), "C107", "a design without comparison", "design:"),
        (("{use: this_country}", "{use: this_land}"), "C108", "'this_land' is not a ready choice in 'en'", ""),
        (("{use: migrants}", "{use: expats}"), "C108", "'expats' is not a ready choice", ""),
    ],
)  # fmt: skip
def test_a_fault_is_found_in_its_line(
    tmp_path: Path, change: Change, code: str, problem: str, where: str
) -> None:
    text = changed(change)

    found = said(prepare_text(tmp_path, text))

    lines = {line for each, line, told in found if each == code and problem in told}
    assert lines == {line_of(text, where or change[1].splitlines()[0])}
    # Nothing else is said but what is true as well: an unknown language lacks texts too.
    assert {each for each, _, _ in found} - {code} <= {"C105", "C112", "E109"}


def test_a_group_whose_languages_are_all_being_prepared_would_get_no_form(
    tmp_path: Path,
) -> None:
    changes = (
        ("  en: use", "  en: use\n  kmr: preparing"),
        ("languages: [en]", "languages: [kmr]"),
    )

    found = said(prepare_text(tmp_path, changed(*changes)), "C102")

    assert found == [
        (
            "C102",
            line_of(changed(*changes), "languages: [kmr]"),
            "group 'locals' has no language that is in use, so it would get no form",
        )
    ]


def test_every_kind_of_fault_has_an_explanation_and_a_remedy_of_its_own(tmp_path: Path) -> None:
    changes = (("role: host", "role: guest"), ("concepts: [core", "concepts: [core, trustt"))

    found = [f for f in prepare_text(tmp_path, changed(*changes)).findings if f.code != "E202"]

    assert [finding.code for finding in found] == ["C101", "C104"]
    for finding in found:
        assert finding.code in EXPLANATIONS
        assert finding.remedy.endswith(".")
        assert finding.problem not in finding.remedy


@pytest.mark.parametrize(
    ("old", "new", "code", "problem"),
    [
        ("item: willingness_1", "item: willing_1", "C111", "the bank has no item 'willing_1'"),
        ("item: willingness_1", "item: birth_year", "C111", "with answers to choose from"),
        (
            "item: willingness_1",
            "item: threat_1",
            "C111",
            "'threat_1' is not asked of 'locals'",
        ),
        ("answers: ['4', '5']", "answers: ['6']", "C111", "'willingness_1' has no such answer"),
        ("answers: ['4', '5']", "answers: [4]", "C101", "4 is read as a number"),
        ("group: locals", "group: nobody", "C111", "there is no group 'nobody'"),
        ("target: 60", "target: 160", "C101", "less than or equal to 100"),
    ],
)
def test_an_indicator_counts_answers_that_the_study_asks_for(
    tmp_path: Path, old: str, new: str, code: str, problem: str
) -> None:
    found = errors(tmp_path, more=INDICATOR.replace(old, new))

    assert [(each, line) for each, line, _ in found] == [(code, CONTEXT.count("\n") + 2)]
    assert problem in found[0][2]


def test_two_indicators_have_two_ids(tmp_path: Path) -> None:
    found = errors(tmp_path, more=INDICATOR + INDICATOR.split("\n")[1] + "\n")

    assert [problem for _, _, problem in found] == ["the id 'a' is used already"]


def test_faults_in_one_list_are_all_found(tmp_path: Path) -> None:
    text = CONTEXT.replace(
        "concepts: [core,", "concepts:\n  - core\n  - 007\n  - trustt\n  - threats\n#"
    )

    assert [(code, line) for code, line, _ in said(prepare_text(tmp_path, text))] == [
        ("C101", line_of(text, "- 007")),
        ("C104", line_of(text, "- trustt")),
        ("C104", line_of(text, "- threats")),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "  locals: host\n",
        FULL_GROUP.replace("    languages: [en]\n", ""),
        FULL_GROUP.replace("[en]", "en"),
        FULL_GROUP.replace("[syrians]", "syrians"),
        FULL_GROUP.replace("    speaks: en\n", ""),
        FULL_GROUP.replace("    asked_about: [syrians]\n", ""),
    ],
    ids=["text", "no languages", "language", "other", "speaks nothing", "about nobody"],
)
def test_a_group_that_is_wrong_hides_no_fault_elsewhere_and_is_not_called_unknown(
    tmp_path: Path, broken: str
) -> None:
    found = errors(tmp_path, (FULL_GROUP, broken), ("closes: 2026-02-20", "closes: 2026-01-20"))

    codes = [code for code, _, _ in found if code != "W201"]
    assert codes == ["C101", "C106"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_lacks_everything_and_each_thing_is_named(
    tmp_path: Path, text: str
) -> None:
    found = said(prepare_text(tmp_path, text))

    assert {code for code, _, _ in found} == {"C101"}
    missing = {problem.split("'")[1] for _, _, problem in found}
    assert {"groups", "waves", "own_group", "age_of_consent", "minors"} <= missing
    assert len(found) == len(missing) == 20


@pytest.mark.parametrize("text", ["- a\n", "hello\n", "~\n", "7\n"])
def test_a_file_that_holds_something_else_is_one_finding(tmp_path: Path, text: str) -> None:
    assert [code for code, _, _ in said(prepare_text(tmp_path, text))] == ["C101"]


def test_a_study_with_an_error_has_no_forms_and_will_not_be_built(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, changed(("concepts: [core", "concepts: [core, trustt")))

    assert prepared.forms == ()
    with pytest.raises(InputError, match=r"1 error; nothing was written") as refused:
        prepared.sound()
    assert refused.value.findings == prepared.findings


def test_a_concept_that_no_form_asks_is_said_with_the_reason(tmp_path: Path) -> None:
    text = changed(("prior_contact,", "threat,"), ("role: host", "role: neither"))

    found = said(prepare_text(tmp_path, text), "P106")

    assert [problem for _, _, problem in found] == [
        "no form asks 'threat': asked of the host side only"
    ]


def test_a_study_inside_a_synced_folder_is_warned(tmp_path: Path) -> None:
    found = said(prepare_text(tmp_path / "OneDrive - IOM"), "P105")

    assert [problem.split(",")[0] for _, _, problem in found] == ["it lies in 'OneDrive - IOM'"]


@pytest.mark.parametrize("text", ["", "turks", "turks:host", "turks:boss:tr", "turks:host:"])
def test_a_group_that_init_does_not_understand_is_shown_how_to_be_written(text: str) -> None:
    with pytest.raises(UsageError, match="as in turks:host:tr"):
        parse_group(text)


def test_a_stand_in_is_never_a_finding_of_its_own(tmp_path: Path) -> None:
    whole = YAML(typ="safe").load(CONTEXT)
    for way in STAND_INS:
        if len(way) > 1 or way[0] not in whole:
            continue
        path = tmp_path / f"{way[0]}.yaml"
        path.write_text(as_yaml({**whole, way[0]: 1.5}), encoding="utf-8")

        # One line holds all: what only follows from the fault in it is left out.
        assert {finding.code for finding in read_context(path, bank()).findings} == {"C101"}
