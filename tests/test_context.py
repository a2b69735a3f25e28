"""What a team can get wrong in context.yaml, and what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobosmix.context import ContextReading, read_context
from kobosmix.context.check import EXPLANATIONS
from kobosmix.context.new import new_context, parse_group
from kobosmix.errors import InputError
from kobosmix.findings import Finding, Severity
from kobosmix.wording.check import EXPLANATIONS as WORDING_EXPLANATIONS
from tests.english_study import CONTEXT, bank, changed, line_of, prepare_text, said
from tests.strategies import contexts, damaged

EVERY_CODE = (*EXPLANATIONS, *WORDING_EXPLANATIONS)


def read(folder: Path, text: str | bytes) -> ContextReading:
    path = folder / "context.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_context(path, bank())


def found(folder: Path, *changes: tuple[str, str]) -> list[Finding]:
    """What is said of the context with these changes."""
    return list(read(folder, changed(*changes)).findings)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_the_small_english_study_is_read_without_a_finding(tmp_path: Path) -> None:
    reading = read(tmp_path, CONTEXT)

    assert reading.findings == ()
    assert reading.context is not None
    assert list(reading.context.groups) == ["locals", "syrians"]
    assert list(reading.context.waves) == ["pre", "post", "fu"]
    assert reading.context.is_interview


def test_ten_faults_of_different_kinds_are_all_found_at_once_with_line_and_remedy(
    tmp_path: Path,
) -> None:
    text = changed(
        ("study: lake_2026", "study: 007"),
        ("role: host", "role: hosts"),
        ("asked_about: [syrians]", "asked_about: [locals]"),
        ("{pl: Syrians, adj: Syrian}", '{pl: "Syrians [all]", adj: Syrian}'),
        ("closes: 2026-02-20", "closes: 2026-01-20"),
        ("south: {en: South shore}", "south: {fr: Rive sud}"),
        ("[core, ", "[core, witchcraft, "),
        ("mode: interview", "mode: interview\ncolour: red"),
        ("minutes: 90", "minutes: ninety"),
        ("age_of_consent: 18\n", ""),
    )
    # Code, where it is, and a word of the remedy.
    planted = [
        ("C101", line_of(text, "study: 007"), 'study: "007"'),
        ("C101", line_of(text, "hosts"), "'newcomer'"),
        ("C103", line_of(text, "[locals]"), "Name another"),
        ("C101", line_of(text, "[all]"), "Take these characters out"),
        ("C106", line_of(text, "2026-01-20"), "Correct it"),
        ("C105", line_of(text, "Rive"), "Add one for each"),
        ("C104", line_of(text, "witchcraft"), "kobosmix concepts"),
        ("C101", line_of(text, "colour"), "spelling"),
        ("C101", line_of(text, "ninety"), "digits only"),
        ("C101", 1, "Add a line 'age_of_consent:'"),
    ]

    findings = read(tmp_path, text).findings

    told = {(each.code, each.place.line): each for each in findings}
    assert set(told) == {(code, line) for code, line, _ in planted}
    assert len(findings) == len(planted)
    for code, line, remedy in planted:
        assert remedy in told[code, line].remedy
        assert told[code, line].severity is Severity.ERROR
    assert {each.place.file for each in findings} == {"context.yaml"}


def test_a_study_with_errors_has_no_forms_and_cannot_be_built(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, changed(("minutes: 90", "minutes: ninety")))

    assert prepared.forms == ()
    with pytest.raises(InputError):
        prepared.sound()


def test_a_syntax_fault_hides_the_rest_and_says_so(tmp_path: Path) -> None:
    text = changed(("    role: host", "\trole: host"), ("minutes: 90", "minutes: ninety"))

    finding = only(list(read(tmp_path, text).findings))

    assert finding.code == "Y101"
    assert abs(finding.place.line - line_of(text, "role: host")) <= 1
    assert "the rest of the file was not checked" in finding.problem


def test_a_duplicate_key_is_shown_alone_with_both_lines(tmp_path: Path) -> None:
    text = changed(
        ("mode: interview", "mode: interview\nminutes: 20"), ("role: host", "role: x")
    )

    finding = only(list(read(tmp_path, text).findings))

    assert (finding.code, finding.place.line) == ("Y102", line_of(text, "minutes: 90"))
    assert f"first in line {line_of(text, 'minutes: 20')}" in finding.problem
    assert "the rest of the file was not checked" in finding.problem


def test_a_file_that_is_not_utf_8_is_said_to_be_so(tmp_path: Path) -> None:
    finding = only(list(read(tmp_path, "title: Göl".encode("latin-1")).findings))

    assert finding.code == "Y103"
    assert "UTF-8" in finding.remedy


@pytest.mark.parametrize(
    ("old", "new", "quoted"),
    [
        ("study: lake_2026", "study: 007", 'study: "007"'),
        ("{en: South shore}", "{en: 2026-02-02}", 'en: "2026-02-02"'),
        ("en: 0123 456", "en: 0123456", 'en: "0123456"'),
        ("{en: South shore}", "{en: 1.5}", 'en: "1.5"'),
        ("comparison: Waits", "comparison: true", 'comparison: "true"'),
    ],
)
def test_what_looks_like_a_number_or_a_date_where_text_is_meant_needs_quotes(
    tmp_path: Path, old: str, new: str, quoted: str
) -> None:
    finding = only(found(tmp_path, (old, new)))

    assert finding.code == "C101"
    assert finding.place.line == line_of(changed((old, new)), new)
    assert finding.remedy == f"Put it in quotes: {quoted}."


def test_quotes_are_all_that_a_date_as_text_needed(tmp_path: Path) -> None:
    assert found(tmp_path, ("{en: South shore}", '{en: "2026-02-02"}')) == []


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("minutes: 90", 'minutes: "90"', "a whole number"),
        ("random: true", 'random: "yes"', "true or false"),
        ("asked_about: [syrians]", "asked_about: syrians", "a list"),
        ("{opens: 2026-02-02,", '{opens: "2026-02-02",', "a date"),
        ("country: {use: this_country}", "country: this_country", "a list of named lines"),
    ],
)
def test_a_value_of_the_wrong_type_is_told_which_type_is_wanted(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    finding = only(found(tmp_path, (old, new)))

    assert finding.code == "C101"
    assert finding.place.line == line_of(changed((old, new)), new)
    assert finding.problem.endswith(f"has to be {wanted}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("minutes: 90", "minutes: 90\nminute: 90"),
        ("    speaks: en", "    speaks: en\n    colour: red"),
        ("{opens: 2026-02-02,", "{open: 2026-02-01, opens: 2026-02-02,"),
    ],
)
def test_an_unknown_key_is_found_wherever_it_stands(tmp_path: Path, old: str, new: str) -> None:
    finding = only(found(tmp_path, (old, new)))

    assert finding.code == "C101"
    assert "is not known here" in finding.problem


@pytest.mark.parametrize(
    "text", ["Syrians [all]", "${rid}", "{x}", "a < b", "two\\nlines", " x"]
)
def test_a_name_out_of_which_a_slot_or_an_expression_could_be_made_is_refused(
    tmp_path: Path, text: str
) -> None:
    context = changed(("en: {pl: Syrians,", f'en: {{pl: "{text}",'))

    ((code, line, problem),) = said(prepare_text(tmp_path, context), *EVERY_CODE)
    assert (code, line) == ("C101", line_of(context, "adj: Syrian"))
    assert "brackets" in problem


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  en: Lakeside", "  en: Lake{side}"),
        ("  en: 0123 456", "  en: 0123456"),
        ("adj: Syrian}", "adj: 5}"),
        ("{en: North shore}", '{en: ""}'),
    ],
)
def test_a_text_that_is_there_but_wrong_is_not_called_missing_as_well(
    tmp_path: Path, old: str, new: str
) -> None:
    context = changed((old, new))

    told = said(prepare_text(tmp_path, context), *EVERY_CODE)

    assert [(code, line) for code, line, _ in told] == [("C101", line_of(context, new))]


def test_a_language_without_a_table_is_an_error_and_preparing_is_offered(
    tmp_path: Path,
) -> None:
    text = changed(("  en: use", "  en: use\n  kmr: use"))

    findings = read(tmp_path, text).findings

    unknown = only([each for each in findings if each.code == "C102"])
    assert unknown.place.line == line_of(text, "kmr")
    assert "'kmr'" in unknown.problem
    assert "'preparing'" in unknown.remedy


def test_a_group_may_only_use_languages_of_the_study_and_each_once(tmp_path: Path) -> None:
    findings = found(tmp_path, ("languages: [en]", "languages: [en, tr, en]"))

    assert {(each.code, each.problem) for each in findings} == {
        ("C102", "'tr' is not among the study's languages"),
        ("C102", "'en' is listed twice"),
    }


@pytest.mark.parametrize(
    ("others", "problem"),
    [
        ("locals", "'locals' is asked about itself"),
        ("martians", "there is no group 'martians'"),
        ("syrians, syrians", "'syrians' is listed twice"),
    ],
)
def test_a_group_is_asked_about_other_groups_that_are_there(
    tmp_path: Path, others: str, problem: str
) -> None:
    change = ("asked_about: [syrians]", f"asked_about: [{others}]")

    finding = only(found(tmp_path, change))

    assert (finding.code, finding.problem) == ("C103", problem)
    assert finding.place.line == line_of(changed(change), f"[{others}]")


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("C104", "arms:", "ask: {threat: [newcomer]}\narms:"),
        ("C106", "closes: 2026-02-20", "closes: 2026-02-01"),
        ("C106", "all: {opens: 2026-04-20", "all: {opens: 2026-01-20"),
        ("C106", "all: {opens: 2026-04-20", "spring: {opens: 2026-04-20"),
        ("C106", "  fu: {}", "  fu3: {}\n  fu2: {}"),
        ("C107", "type: waiting_list", "type: no_comparison"),
        ("C107", "  comparison: Waits\n", ""),
        ("C108", "{use: migrants}", "{use: martians}"),
        ("C110", "{pl: Syrians,", "{pl: Locals,"),
        ("C114", "adj: Syrian}", "adj: Syrian, dual: Syrians}"),
    ],
)
def test_entries_that_contradict_each_other_are_found(
    tmp_path: Path, code: str, old: str, new: str
) -> None:
    findings = found(tmp_path, (old, new))

    assert [each.code for each in findings] == [code]
    assert findings[0].place.line > 1


def test_a_missing_name_form_is_told_with_group_language_form_and_every_sentence(
    tmp_path: Path,
) -> None:
    text = changed(("pl: Syrians, ", ""), ("closes: 2026-02-20", "closes: 2026-01-20"))
    asked = ["attitudes", "anxiety", "empathy", "trust", "metaperceptions", "willingness"]
    asked += ["prior_contact", "programme_contact"]
    concepts = [bank().concepts[id_] for id_ in asked]
    sentences = [item.text for concept in concepts for item in concept.items]
    sentences += [concept.instruction for concept in concepts if concept.instruction]

    prepared = prepare_text(tmp_path, text)

    missing = only([each for each in prepared.findings if each.code == "W201"])
    assert missing.place.line == line_of(text, "adj: Syrian")
    assert "group 'syrians' has no form 'pl' in English (en)" in missing.problem
    shown = missing.problem.splitlines()[1:]
    assert len(shown) == sum("[group.pl]" in sentence for sentence in sentences) > 10
    for sentence in sentences:
        if "[group.pl]" in sentence:
            before, _, _ = sentence.partition("[")
            assert any(before in line and "⟦pl?⟧" in line for line in shown)
    assert "Most ___ live in cities" in missing.remedy
    assert "pl: ..." in missing.remedy
    # The other fault of the file is told in the same run.
    assert said(prepared, "C106")[0][1] == line_of(text, "2026-01-20")


def test_a_language_being_prepared_is_in_no_form_and_that_is_said(tmp_path: Path) -> None:
    text = changed(
        ("  en: use", "  en: use\n  kmr: preparing"),
        ("languages: [en]", "languages: [kmr, en]"),
    )

    prepared = prepare_text(tmp_path, text)

    prepared.sound()
    ((_, line, problem),) = said(prepared, "C112")
    assert line == line_of(text, "kmr: preparing")
    assert "not in any form" in problem
    assert {form.codebook.languages for form in prepared.forms} == {("en",)}
    suffixes = {c.partition("::")[2] for f in prepared.forms for r in f.form.survey for c in r}
    assert suffixes == {"", "English (en)"}


def test_language_items_are_dropped_with_a_notice_where_groups_share_one_language(
    tmp_path: Path,
) -> None:
    chosen = ("prior_contact, ", "prior_contact, language, ")
    two = prepare_text(tmp_path, changed(chosen))
    one = prepare_text(tmp_path, changed(chosen, ("speaks: ar", "speaks: en")))

    def asked(prepared_names: list[str]) -> bool:
        return {"language_1", "language_2"} <= set(prepared_names)

    assert said(two, "C109") == []
    assert asked([v.name for v in two.forms[0].codebook.variables])
    notice = only([each for each in one.findings if each.code == "C109"])
    assert notice.severity is Severity.NOTICE
    assert "'language' was dropped" in notice.problem
    assert not any(
        v.name.startswith("language_1") for f in one.forms for v in f.codebook.variables
    )


def test_every_code_of_the_context_is_explained() -> None:
    source = "\n".join(
        (Path(__file__).parents[1] / "kobosmix" / name).read_text(encoding="utf-8")
        for name in (
            "context/check.py",
            "wording/check.py",
            "wording/catalogue.py",
            "prepare.py",
        )
    )
    used = {
        part[:4] for part in source.split('"')[1::2] if part[:1] in "CW" and part[1:4].isdigit()
    }

    assert used <= EXPLANATIONS.keys() | WORDING_EXPLANATIONS.keys()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_anywhere_in_a_context_gives_findings_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    context = data.draw(contexts().flatmap(damaged))
    mapping = context if isinstance(context, dict) else {"format": context}

    prepared = prepare_text(tmp_path_factory.mktemp("study"), mapping)

    assert all(each.problem and each.remedy for each in prepared.findings)
    assert prepared.forms or prepared.findings


def test_no_is_a_language_and_not_false(tmp_path: Path) -> None:
    text = changed(("  en: use\n", "  en: use\n  no: preparing\n"))

    assert [code for code, _, _ in said(prepare_text(tmp_path, text))] == ["C112"]


def test_a_new_context_lacks_only_what_has_no_default_and_what_only_the_team_knows(
    tmp_path: Path,
) -> None:
    groups = [parse_group("hosts:host:en"), parse_group("guests:newcomer:en")]

    prepared = prepare_text(tmp_path, new_context("soup", groups))

    told = str(said(prepared))
    for key in ("own_group", "age_of_consent", "minors", "organisation", "community"):
        assert key in told
    assert {code for code, _, _ in said(prepared)} <= {"C101", "C105", "W201", "C109", "P104"}


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
