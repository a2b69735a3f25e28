"""What is no form is told in words; what only a workbook can have is found."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from datetime import datetime, time
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from kobosmix.cli.main import main
from kobosmix.engines.check import check_workbook
from kobosmix.engines.xform import convert_workbook
from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.lint import lint
from kobosmix.xlsform.read import read_form
from tests.form_tables import good_form, workbook

SAMPLES = Path(__file__).parent.parent / "sample_forms"
GOOD = workbook(good_form())
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
HEADER = ("type", "name", "label")


def typed(*rows: Sequence[object], **sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook as a person leaves it, cells of any type; the rows are its survey sheet."""
    book = openpyxl.Workbook()
    for title, lines in {"survey": rows, **sheets}.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(list(line))
    del book[book.sheetnames[0]]
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def zipped(**parts: str) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def findings(content: bytes, folder: Path, name: str = "form.xlsx") -> list[Finding]:
    path = folder / name
    path.write_bytes(content)
    reading = read_form(path)
    return list(reading.findings) if reading.sheets is None else lint(reading.sheets)


def check(path: Path | str, *options: str) -> Result:
    return CliRunner().invoke(main, ["check", str(path), *options], catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("form.xlsx", b"", "L101", "the file is empty"),
        ("form.xlsx", b"\0" * 2000, "L101", "the file is empty"),
        ("form.xls", OLE, "L101", "old format .xls"),
        ("form.xlsx", OLE, "L101", "old format .xls"),
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "L101", "password"),
        ("form.csv", b"type,name,label\ntext,a,A?", "L101", "a text file (.csv"),
        ("form.xlsx", b"type,name,label\ntext,a,A?", "L101", "a text file (.csv"),
        ("form.xml", b"\xef\xbb\xbf<?xml version='1.0'?><h:html/>", "L101", "XML or HTML"),
        ("form.xlsx", b"<html><body>Please log in</body></html>", "L101", "XML or HTML"),
        ("form.xlsx", GOOD[: len(GOOD) // 2], "L101", "damaged or cut off"),
        ("form.xlsx", GOOD[:200] + bytes(100) + GOOD[300:], "L101", "damaged or cut off"),
        ("form.docx", zipped(**{"word/document.xml": "<w/>"}), "L101", "no workbook"),
        ("form.xlsx", zipped(a="b"), "L101", "damaged or cut off"),
        (
            "form.ods",
            zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
            "L101",
            "OpenDocument",
        ),
        ("photo.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "L101", "no workbook"),
        ("form.xlsx", typed(other=[HEADER]), "L103", "no 'type'"),
        ("form.xlsx", typed(HEADER), "L103", "no rows below"),
        ("form.xlsx", typed(("Question", "Answer"), ("Age", "3")), "L103", "'Question'"),
        ("form.xlsx", typed((), HEADER, ("text", "a", "A?")), "L103", "row 1"),
    ],
)
def test_what_is_no_form_is_told_in_words(
    tmp_path: Path, name: str, content: bytes, code: str, said: str
) -> None:
    (finding,) = findings(content, tmp_path, name)

    assert finding.code == code
    assert said in finding.problem
    assert finding.place.file == name


def test_a_workbook_without_survey_says_which_sheets_it_has(tmp_path: Path) -> None:
    content = workbook({"survye": [["type"], ["text"]], "choices": [["list_name"], ["a"]]})

    (finding,) = findings(content, tmp_path)

    assert finding.code == "L102"
    assert "'survye', 'choices'" in finding.problem
    assert "Is it 'survye'?" in finding.problem


def test_sheets_and_headers_may_have_capitals(tmp_path: Path) -> None:
    content = workbook({"Survey": [["Type", "Name", "Label"], ["text", "a", "A?"]]})

    assert findings(content, tmp_path) == []


def test_numbers_truths_and_dates_are_read_as_the_servers_read_them(tmp_path: Path) -> None:
    content = typed(
        HEADER,
        ("select_one list", "a", 7.0),
        choices=[
            ("list_name", "name", "label"),
            ("list", 1, "One"),
            ("list", 2.5, "Two and a half"),
            ("list", True, "True"),
            ("list", datetime(2025, 2, 1), "1-2"),  # noqa: DTZ001 - a cell has no time zone
            ("list", time(6, 30), "Half past six"),
        ],
    )
    path = tmp_path / "form.xlsx"
    path.write_bytes(content)
    sheets = read_form(path).sheets

    assert sheets is not None
    assert sheets.sheets["survey"].rows[0].cells["label"] == "7"
    assert [row.cells["name"] for row in sheets.sheets["choices"].rows] == [
        *("1", "2.5", "TRUE", "2025-02-01 00:00:00", "06:30:00")
    ]
    assert [f"{f.code}:{f.place.line}" for f in lint(sheets) if f.code in ("L105", "L205")] == [
        "L105:5",
        "L205:4",
    ]


def test_a_formula_is_told_and_what_it_came_to_is_linted(tmp_path: Path) -> None:
    content = typed(HEADER, ("text", "=A2", "=CONCAT(1, 2)"))

    told = {f.code: f.problem for f in findings(content, tmp_path)}

    # openpyxl does not calculate, so that the cells have come to nothing.
    assert told["L202"] == "formulas stand in B2 and C2"
    assert {"L112", "L161"} <= told.keys()


def test_a_formula_that_failed_is_an_error(tmp_path: Path) -> None:
    content = typed(HEADER, ("text", "a", "=1/0"))
    with zipfile.ZipFile(BytesIO(content)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = next(name for name in parts if name.startswith("xl/worksheets/"))
    # As Excel saves it: the formula, and what it came to.
    parts[sheet] = (
        parts[sheet].replace(b"<v></v>", b"<v>#DIV/0!</v>").replace(b"<v />", b"<v>#DIV/0!</v>")
    )
    parts[sheet] = parts[sheet].replace(b'<c r="C2">', b'<c r="C2" t="e">')
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part)

    told = {f.code: f for f in findings(saved.getvalue(), tmp_path)}

    assert told["L108"].problem == "a formula failed here: '#DIV/0!'"
    assert told["L108"].place.line == 2


@pytest.mark.parametrize(("empty", "code"), [(60, None), (61, "L106")])
def test_rows_below_sixty_empty_ones_are_never_read(
    tmp_path: Path, empty: int, code: str | None
) -> None:
    rows = [HEADER, ("text", "a", "A?"), *[()] * empty, ("text", "b", "B?")]
    content = typed(*rows)

    told = [(f.code, f.place.line) for f in findings(content, tmp_path)]

    assert told == ([(code, 3 + empty)] if code else [])
    assert ("/data/b" in convert_workbook(content).xml) == (code is None)


@pytest.mark.parametrize(("empty", "code"), [(20, None), (21, "L107")])
def test_columns_right_of_twenty_without_a_header_are_never_read(
    tmp_path: Path, empty: int, code: str | None
) -> None:
    gap = [None] * empty
    content = typed((*HEADER, *gap, "relevant"), ("text", "a", "A?", *gap, "true()"))

    told = [f.code for f in findings(content, tmp_path)]

    assert told == ([code] if code else [])
    assert ("relevant=" in convert_workbook(content).xml) == (code is None)


@pytest.mark.parametrize(("length", "code"), [(300, None), (301, "L265"), (3001, "L264")])
def test_a_text_fits_on_a_screen(tmp_path: Path, length: int, code: str | None) -> None:
    content = typed(HEADER, ("note", "a", "x" * length))

    assert [f.code for f in findings(content, tmp_path)] == ([code] if code else [])


def test_a_cell_under_no_header_is_named(tmp_path: Path) -> None:
    content = typed((*HEADER, None, "relevant"), ("note", "a", "A.", "old", "true()", "x"))

    (finding,) = findings(content, tmp_path)

    assert finding.code == "L206"
    assert "D2 and F2" in finding.problem


def test_a_form_is_checked_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "good.xlsx"
    path.write_bytes(GOOD)

    result = check(path)

    assert result.exit_code == 0
    assert result.stderr.endswith("No errors.\n")


def test_errors_in_a_form_give_exit_code_1_and_json(tmp_path: Path) -> None:
    path = tmp_path / "bad.xlsx"
    path.write_bytes(typed(HEADER, ("text", "a", "A?"), ("note", "b", "${c}")))

    result = check(path, "--json")

    assert result.exit_code == 1
    told = {finding["code"]: finding for finding in json.loads(result.stdout)}
    assert told.keys() >= {"L141", "F101"}
    assert (told["L141"]["file"], told["L141"]["line"]) == ("bad.xlsx", 3)
    assert "workbook" in told["F101"]["remedy"]


def test_a_warning_of_pyxform_is_a_warning_for_a_form_of_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(
        workbook({"survey": [["type", "name", "label::English"], ["text", "a", "A"]]})
    )

    said = {f.code: f.severity for f in check_workbook(path)}

    assert said["F102"] is Severity.WARNING


def test_a_file_that_is_no_form_gives_exit_code_1_in_words(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")

    result = check(path)

    assert result.exit_code == 1
    assert "error L101" in result.stderr


@pytest.mark.parametrize("name", ["nothing.xlsx", "context.yaml"])
def test_what_cannot_be_checked_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "context.yaml").write_text("format: 1\n", encoding="utf-8")

    result = check(tmp_path / name)

    assert result.exit_code == 2
    assert name in result.stderr


def test_the_form_as_it_is_uploaded_is_no_worse_than_the_form() -> None:
    """$kuid is KoboToolbox's own column; pyxform would make an element of it."""
    uploaded = SAMPLES / "gaziantep" / "build" / "kobo_upload" / "pre_turks.xlsx"

    assert [f for f in check_workbook(uploaded) if f.severity is not Severity.NOTICE] == []
