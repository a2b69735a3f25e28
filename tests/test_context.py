"""context.yaml as people write it: every mistake at once, each with its line and a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobosmix.context.new import new_context, parse_group
from kobosmix.errors import InputError
from tests.english_study import CONTEXT, changed, line_of, prepare_text, said
from tests.strategies import contexts, damaged


def test_the_study_of_these_tests_has_nothing_wrong(tmp_path: Path) -> None:
    assert said(prepare_text(tmp_path)) == []


def test_eight_different_faults_are_all_found_in_one_run(tmp_path: Path) -> None:
    text = changed(
        ("study: lake_2026", "study: Lake 2026"),
        ("minutes: 90", "minutes: ninety"),
        ("mode: interview", "mode: telepathy"),
        ("age_of_consent: 18\n", ""),
        ("role: host", "role: boss"),
        ("asked_about: [syrians]", "asked_about: [martians]"),
        ("[core, characteristics", "[core, happiness, characteristics"),
        ("{pl: locals, adj: local}", "{pl: locals}"),
        ("country: {use", "colour: red\ncountry: {use"),
    )

    prepared = prepare_text(tmp_path, text)

    found = {(code, line) for code, line, _ in said(prepared)}
    planted = {
        "Lake 2026": "C101",
        "ninety": "C101",
        "telepathy": "C101",
        "role: boss": "C101",
        "martians": "C103",
        "happiness": "C104",
        "{pl: locals}": "W201",
        "colour: red": "C101",
    }
    assert {(code, line_of(text, part)) for part, code in planted.items()} <= found
    assert "'age_of_consent' is missing" in str(said(prepared))
    assert all(finding.remedy for finding in prepared.findings)
    with pytest.raises(InputError):
        prepared.sound()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CONTEXT.replace("groups:\n", "groups:\n\tlocals: x\n"), "Y101"),
        (CONTEXT + "title: {en: Again}\n", "Y102"),
        (CONTEXT.replace("    speaks: ar", "    speaks: ar\n    role: host"), "Y102"),
    ],
    ids=["a tab", "a key twice", "a key twice deep down"],
)
def test_what_hides_the_rest_is_shown_alone_and_says_so(
    tmp_path: Path, text: str, code: str
) -> None:
    prepared = prepare_text(tmp_path, text.replace("minutes: 90", "minutes: ninety"))

    (finding,) = prepared.findings
    assert finding.code == code
    assert "the rest of the file was not checked" in finding.problem


@pytest.mark.parametrize("typed", ["007", "2026-01-02", "true", "1.5"])
def test_text_that_yaml_takes_for_something_else_wants_quotes(
    tmp_path: Path, typed: str
) -> None:
    text = changed(("  en: Laketown", f"  en: {typed}"))

    (finding,) = [f for f in prepare_text(tmp_path, text).findings if f.code == "C101"]

    assert finding.place.line == line_of(text, f"  en: {typed}")
    assert f'"{typed}"' in finding.remedy
    assert "quotes" in finding.remedy


def test_no_is_a_language_and_not_false(tmp_path: Path) -> None:
    text = changed(("  en: use\n", "  en: use\n  no: preparing\n"))

    assert [code for code, _, _ in said(prepare_text(tmp_path, text))] == ["C112"]


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (("  en: use", "  en: use\n  xx: use"), "C102", "xx"),
        (("languages: [en]\n    speaks: en", "languages: [fr]\n    speaks: en"), "C102", "fr"),
        (("asked_about: [syrians]", "asked_about: [martians]"), "C103", "martians"),
        (("asked_about: [syrians]", "asked_about: [syrians, syrians]"), "C103", "twice"),
        (("asked_about: [syrians]", "asked_about: [locals]"), "C103", "itself"),
        (("adj: Syrian}", "adj: local}"), "C110", "local"),
        (("concepts: [core,", "ask: {threat: [newcomer]}\nconcepts: [core,"), "C104", "threat"),
        (("  en: Laketown", "  fr: Lacville"), "C105", "community"),
        (("opens: 2026-04-20", "opens: 2026-06-20"), "C106", "before it opens"),
        (("opens: 2026-04-20", "opens: 2026-01-20"), "C106", "no later"),
        (("{type: waiting_list, random: true}", "{type: no_comparison, random: true}"), "C107", ""),
        (("  comparison: Waits\n", ""), "C107", "arms"),
        (("country: {use: this_country}", "country: {use: that_country}"), "C108", "that_country"),
        (("pl: locals, adj", "pl: '[group.pl]', adj"), "C101", "pl"),
        (("pl: locals, adj", "pl: '${rid}', adj"), "C101", "rid"),
        (("  locals:\n    role", "  Locals-1:\n    role"), "C101", "Locals-1"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_clear_finding(
    tmp_path: Path, change: tuple[str, str], code: str, part: str
) -> None:
    found = said(prepare_text(tmp_path, changed(change)), code)

    assert found
    assert part in str(found)


def test_an_indicator_counts_answers_the_item_has(tmp_path: Path) -> None:
    good = "indicators:\n  - {id: a, title: T, item: trust_1, answers: ['4'], group: locals}\n"
    bad = good.replace("'4'", "'7'").replace("locals", "nobody")

    assert said(prepare_text(tmp_path / "good", CONTEXT + good)) == []
    assert [code for code, _, _ in said(prepare_text(tmp_path / "bad", CONTEXT + bad))] == [
        "C111",
        "C111",
    ]


def test_a_language_in_preparation_is_left_out_with_a_notice(tmp_path: Path) -> None:
    text = changed(
        ("  en: use", "  en: use\n  kmr: preparing"),
        ("languages: [en]\n    speaks: ar", "languages: [en, kmr]\n    speaks: ar"),
    )

    prepared = prepare_text(tmp_path, text)

    assert [code for code, _, _ in said(prepared)] == ["C112"]
    assert {form.codebook.languages for form in prepared.forms} == {("en",)}


def test_language_items_are_dropped_where_both_groups_share_one(tmp_path: Path) -> None:
    text = changed(
        ("concepts: [core,", "concepts: [core, language,"), ("speaks: ar", "speaks: en")
    )

    prepared = prepare_text(tmp_path, text)

    assert [code for code, _, _ in said(prepared)] == ["C109"]
    assert all(v.concept != "language" for f in prepared.forms for v in f.codebook.variables)


def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    prepare_text(tmp_path)
    (tmp_path / "context.yaml").write_bytes(CONTEXT.encode("utf-16"))
    from kobosmix.prepare import prepare
    from kobosmix.study import Study

    (finding,) = prepare(Study(tmp_path), engines=False).findings

    assert finding.code == "Y103"
    assert "UTF-8" in finding.remedy


def test_a_new_context_lacks_only_what_has_no_default_and_what_only_the_team_knows(
    tmp_path: Path,
) -> None:
    groups = [parse_group("hosts:host:en"), parse_group("guests:newcomer:en")]

    prepared = prepare_text(tmp_path, new_context("soup", groups))

    told = str(said(prepared))
    for key in ("own_group", "age_of_consent", "minors", "organisation", "community"):
        assert key in told
    assert {code for code, _, _ in said(prepared)} <= {"C101", "C105", "W201", "C109", "P104"}


@given(content=contexts().flatmap(damaged))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_wrong_comes_back_as_findings(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    if not isinstance(content, dict):
        content = {"format": content}

    prepared = prepare_text(tmp_path_factory.mktemp("damaged"), content)

    assert all(finding.problem and finding.remedy for finding in prepared.findings)
    assert prepared.forms or prepared.findings


@given(st.data())
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_form_without_errors_is_a_form_pyxform_takes_without_a_warning(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    from kobosmix.engines.xform import convert_rows
    from kobosmix.findings import has_errors

    prepared = prepare_text(tmp_path_factory.mktemp("any"), data.draw(contexts()))

    assert has_errors(prepared.findings) or prepared.forms
    for form in prepared.forms:
        assert convert_rows(form.form.sheets()).warnings == ()
