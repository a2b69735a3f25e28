"""Each fault of the corpus is found, and nothing else; good forms have none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.engines.jvm import find_java
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import FormRefused, convert_workbook
from kobosmix.findings import Finding, Severity
from kobosmix.xlsform import read
from kobosmix.xlsform.columns import COLUMNS
from kobosmix.xlsform.lint import EXPLANATIONS, THEMES, lint
from kobosmix.xlsform.model import XlsSheets, sheets_of_rows
from kobosmix.xlsform.read import read_form
from tests.form_tables import BadForm, bad_forms, good_form, workbook

ROOT = Path(__file__).parent.parent
SAMPLES, DOCS = ROOT / "sample_forms", ROOT / "docs" / "lint.md"
TABLE = re.compile(r"(?<=<!-- codes -->\n).*(?=<!-- /codes -->)", re.DOTALL)
BAD = tuple(bad_forms())
# What only a real workbook can have, or no table can show: see test_xlsform_read.py.
IN_WORKBOOKS = {"L101", "L102", "L103", "L106", "L107", "L108", "L202", "L264", "L265"}
# What the phones refuse, and pyxform lets through.
REFUSED_BY_PHONES = ("L144", "L145", "L146", "L147", "L117", "L118")


def found_in(content: bytes, folder: Path) -> list[Finding]:
    path = folder / "form.xlsx"
    path.write_bytes(content)
    reading = read_form(path)
    assert reading.sheets is not None, reading.findings
    return lint(reading.sheets)


def loud(findings: Sequence[Finding]) -> set[str]:
    """The codes that are more than a notice."""
    return {each.code for each in findings if each.severity is not Severity.NOTICE}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.code} {bad.title}")
def test_a_bad_form_has_the_finding_it_was_made_for_and_no_other(
    bad: BadForm, tmp_path: Path
) -> None:
    findings = found_in(bad.workbook(), tmp_path)

    assert bad.code in {each.code for each in findings}
    assert loud(findings) <= {bad.code}


def test_the_good_form_has_no_finding(tmp_path: Path) -> None:
    assert found_in(workbook(good_form()), tmp_path) == []


def test_every_code_has_a_bad_form() -> None:
    assert {bad.code for bad in BAD} | IN_WORKBOOKS == set(EXPLANATIONS)
    assert len(BAD) > 60


def test_every_code_belongs_to_one_theme() -> None:
    codes = [code for theme in THEMES for code in theme.EXPLANATIONS]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.code} {bad.title}")
def test_errors_begin_with_l1_and_nothing_else_does(bad: BadForm, tmp_path: Path) -> None:
    for each in found_in(bad.workbook(), tmp_path):
        assert (each.severity is Severity.ERROR) == each.code.startswith("L1")


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.code} {bad.title}")
def test_what_pyxform_refuses_is_told_before(bad: BadForm, tmp_path: Path) -> None:
    try:
        convert_workbook(bad.workbook())
    except FormRefused:
        told = {each.code for each in found_in(bad.workbook(), tmp_path)}
        # These two it refuses for what the small forms of the corpus lack besides.
        assert any(code.startswith("L1") for code in told) or bad.code in {"L253", "L275"}


def test_pyxform_takes_the_good_form_without_a_word() -> None:
    assert convert_workbook(workbook(good_form())).warnings == ()


@pytest.mark.java
@pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine")
def test_the_phones_take_the_good_form_and_refuse_what_lint_says_they_refuse() -> None:
    java = find_java()
    assert java
    forms = {"good": convert_workbook(workbook(good_form())).xml}
    for bad in BAD:
        if bad.code in REFUSED_BY_PHONES:
            # One of them pyxform refuses already.
            with suppress(FormRefused):
                forms[f"{bad.code} {bad.title}"] = convert_workbook(bad.workbook()).xml

    verdicts = validate(forms, java)

    assert len(forms) > 15
    assert forms.keys() - verdicts.keys() == {"good"}


@pytest.mark.parametrize(
    "path",
    # What is uploaded is a form; other workbooks of a build are not.
    [
        uploaded.parent.parent / uploaded.name
        for uploaded in sorted(SAMPLES.glob("*/build/kobo_upload/*.xlsx"))
    ],
    ids=lambda path: f"{path.parent.parent.name} {path.stem}",
)
def test_our_own_forms_have_nothing_but_notices(path: Path) -> None:
    reading = read_form(path)

    assert reading.sheets is not None
    assert loud(lint(reading.sheets)) == set()


def test_a_finding_says_sheet_row_column_and_what_was_meant() -> None:
    survey = (
        {"type": "select_one yn", "name": "consent", "label": "Do you agree?"},
        {"type": "note", "name": "bye", "label": "Bye.", "relevant": "${consent} = 'nein'"},
    )
    choices = tuple({"list_name": "yn", "name": v, "label": v} for v in ("yes", "no"))

    finding, *_ = lint(sheets_of_rows("a.xlsx", {"survey": survey, "choices": choices}))

    assert str(finding) == (
        "a.xlsx:3: survey, relevant\n"
        "  error L142: 'nein' is no answer to 'consent'.\n"
        "  Its list has no and yes."
    )


def test_rows_and_workbook_of_one_form_have_the_same_findings(tmp_path: Path) -> None:
    for bad in BAD:
        header_of = {name: table[0] for name, table in bad.sheets.items()}
        # Rows cannot have a column twice, one without a header, or one with nothing in it.
        if bad.code == "L104" or any("" in header for header in header_of.values()):
            continue
        rows = {
            name: tuple(
                {
                    column: cell
                    for column, cell in zip(header_of[name], row, strict=False)
                    if cell
                }
                for row in table[1:]
            )
            for name, table in bad.sheets.items()
        }

        from_rows = lint(sheets_of_rows("form.xlsx", rows))

        assert loud(from_rows) == loud(found_in(bad.workbook(), tmp_path)), bad.title


def test_a_list_on_the_sheet_of_external_choices_is_looked_for_there() -> None:
    question = {"type": "select_one_external villages", "name": "v", "label": "Where?"}
    filtered = {**question, "choice_filter": "true()"}
    listed = {"list name": "villages", "name": "a", "label": "A"}

    without = lint(sheets_of_rows("f", {"survey": (filtered,)}))
    with_it = lint(sheets_of_rows("f", {"survey": (filtered,), "external_choices": (listed,)}))

    assert [each.code for each in without] == ["L121", "L275"]
    assert [each.code for each in with_it] == ["L275"]


def one_row(sheet: str, cells: dict[str, str]) -> XlsSheets:
    question = {"type": "select_one a", "name": "q", "label": "Q?"}
    choice = {"list_name": "a", "name": "1", "label": "One"}
    sheets = {"survey": (question,), "choices": (choice,), "settings": ({"form_title": "T"},)}
    return sheets_of_rows("f.xlsx", {**sheets, sheet: (*sheets[sheet], cells)})


CELLS = st.sampled_from(
    [
        "",
        "q",
        "${q}",
        "${q} = '1'",
        ".",
        "[",
        "yes",
        "select_one a",
        "begin group",
        "end repeat",
    ]
) | st.text(max_size=12)


@given(
    sheet=st.sampled_from(["survey", "choices", "settings"]),
    cells=st.data(),
)
def test_lint_never_fails_whatever_stands_in_the_cells(
    sheet: str, cells: st.DataObject
) -> None:
    columns = st.sampled_from([*sorted(COLUMNS[sheet]), "label::English (en)", "x", " "])
    row = cells.draw(st.dictionaries(columns | st.text(max_size=5), CELLS, max_size=6))

    for finding in lint(one_row(sheet, row)):
        assert finding.code in EXPLANATIONS
        assert finding.problem
        assert finding.remedy


def test_the_table_in_the_docs_says_what_each_code_means(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    notices = {"L265"} | {
        each.code
        for bad in BAD
        for each in found_in(bad.workbook(), tmp_path)
        if each.severity is Severity.NOTICE
    }

    table = "".join(code_table(notices))

    if os.environ.get("KOBOSMIX_UPDATE_LINT"):
        DOCS.write_text(TABLE.sub(lambda _: table, text), encoding="utf-8", newline="\n")
    else:
        assert TABLE.search(text)[0] == table  # type: ignore[index]


def code_table(notices: set[str]) -> Iterator[str]:
    told = {"The file": read.EXPLANATIONS}
    for theme in THEMES:
        assert theme.__doc__
        told[theme.__doc__.splitlines()[0].rstrip(".")] = theme.EXPLANATIONS
    for heading, codes in told.items():
        yield f"\n### {heading}\n\n| code | what is wrong | what to do |\n|---|---|---|\n"
        for code in sorted(codes):
            meaning, remedy = (said.replace("|", "\\|") for said in codes[code])
            yield f"| {code}{' ·' if code in notices else ''} | {meaning} | {remedy} |\n"
    yield "\n"
