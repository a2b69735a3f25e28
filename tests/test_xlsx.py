from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix import xlsx
from kobosmix.errors import StudyError
from kobosmix.xlsx import Cell, Sheet, read_rows, records, sheet_names, workbook_bytes

# What XML can hold. Leading and trailing blanks are kept; a carriage return becomes a line feed.
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\ufffe\uffff", min_codepoint=32
    ),
    min_size=1,
)


def one_sheet(*rows: list[Cell], for_people: bool = False) -> bytes:
    return workbook_bytes([Sheet(title="a", rows=rows, for_people=for_people)])


def with_part(name: str, content: bytes) -> bytes:
    """A good workbook, one part of which was replaced."""
    changed = BytesIO()
    with ZipFile(BytesIO(one_sheet(["h"], ["v"]))) as old, ZipFile(changed, "w") as new:
        assert name in old.namelist()
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each))
    return changed.getvalue()


@given(st.lists(st.lists(TEXT | st.integers(-(10**9), 10**9), min_size=1), min_size=1))
def test_what_was_written_is_read_back(rows: list[list[Cell]]) -> None:
    width = max(map(len, rows))

    read = read_rows(one_sheet(*rows))

    assert read == [row + [None] * (width - len(row)) for row in rows]


def test_an_id_keeps_its_leading_zero_and_a_formula_stays_text() -> None:
    row: list[Cell] = ["007", "=1+1", "+90", 7, 1.5, 2.0, None]

    assert read_rows(one_sheet(row)) == [
        ["007", "=1+1", "+90", 7, 1.5, 2, None][: len(row) - 1]
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_text_a_spreadsheet_would_run_is_defused_for_people_only(text: str) -> None:
    assert read_rows(one_sheet([text], for_people=True)) == [["'" + text]]
    assert read_rows(one_sheet([text])) == [[text]]


def test_a_formula_that_a_person_typed_comes_back_as_its_text() -> None:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(["=A1+1", True, 3.0])
    typed = BytesIO()
    workbook.save(typed)

    assert read_rows(typed.getvalue()) == [["=A1+1", "TRUE", 3]]


def test_equal_sheets_give_equal_bytes_and_no_part_knows_the_time() -> None:
    sheets = [Sheet(title="a", rows=[["h"], ["v"]], for_people=True, text_columns=(0,))]

    written = workbook_bytes(sheets)

    assert workbook_bytes(sheets) == written
    with ZipFile(BytesIO(written)) as parts:
        assert {info.date_time for info in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01" in parts.read("docProps/core.xml")
        assert b">20" not in parts.read("docProps/core.xml")


def test_what_a_workbook_cannot_hold_is_replaced_and_a_line_break_is_a_line_feed() -> None:
    assert read_rows(one_sheet(["a\x0bb\ud800c"], ["a\r\nb\rc\nd"])) == [
        ["a\ufffdb\ufffdc"],
        ["a\nb\nc\nd"],
    ]


def test_text_that_does_not_fit_into_a_cell_is_not_cut_in_silence() -> None:
    assert read_rows(one_sheet(["x" * 32_767])) == [["x" * 32_767]]
    with pytest.raises(StudyError, match="32768 characters does not fit"):
        one_sheet(["x" * 32_768])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"not a workbook",
        one_sheet(["h"])[:-40],
        with_part("xl/workbook.xml", b"<workbook"),
        with_part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"),
        with_part("xl/worksheets/sheet1.xml", b""),
        with_part("xl/styles.xml", b"<styleSheet"),
        with_part("[Content_Types].xml", b"<Types/>"),
    ],
    ids=["empty", "text", "cut off", "workbook", "sheet", "no sheet", "styles", "types"],
)
def test_a_damaged_workbook_is_refused_with_what_to_do(damaged: bytes) -> None:
    with pytest.raises(StudyError, match=r"cannot be read as an \.xlsx .* save it again"):
        read_rows(damaged)


def test_a_damaged_workbook_has_no_sheet_names_either() -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        sheet_names(b"not a workbook")


def test_a_workbook_open_in_excel_is_said_to_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.xlsx"
    path.write_bytes(one_sheet(["h"]))

    def refused(self: Path) -> bytes:
        raise PermissionError(13, "in use", str(self))

    monkeypatch.setattr(Path, "read_bytes", refused)

    with pytest.raises(StudyError, match=r"register\.xlsx is open in another program"):
        read_rows(path)


def test_a_sheet_is_found_by_its_name() -> None:
    book = workbook_bytes([Sheet(title=title, rows=[[title]]) for title in ("a", "b")])

    assert sheet_names(book) == ["a", "b"]
    assert read_rows(book, "b") == [["b"]]
    with pytest.raises(StudyError, match="no sheet called 'c'"):
        read_rows(book, "c")


def test_what_openpyxl_does_not_understand_is_passed_over_without_a_word() -> None:
    styles = b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'

    assert read_rows(with_part("xl/styles.xml", styles)) == [["h"], ["v"]]


def test_records_go_by_the_header_and_leave_out_empty_rows() -> None:
    rows: list[list[Cell]] = [[" id ", "site"], ["1", "north"], [None, ""], ["2"]]

    assert records(rows) == [{"id": "1", "site": "north"}, {"id": "2"}]
    assert records([]) == []


def test_a_sheet_for_people_has_a_header_that_stays_and_columns_that_can_be_read() -> None:
    sheet = Sheet(
        title="a",
        rows=[["id", "words"], ["12345674", "x" * 200]],
        for_people=True,
        right_to_left=True,
        text_columns=(0,),
    )

    read = openpyxl.load_workbook(BytesIO(workbook_bytes([sheet]))).worksheets[0]

    assert read.freeze_panes == "A2"
    assert read.sheet_view.rightToLeft
    assert read["A1"].font.b
    assert read["A2"].number_format == "@"
    assert 8 <= read.column_dimensions["B"].width <= xlsx._WIDEST + 1


def test_hidden_sheets_and_merged_cells_are_told() -> None:
    workbook = openpyxl.Workbook()
    shown, hidden = workbook.active, workbook.create_sheet("aside")
    assert shown is not None
    shown.append(["a", "b"])
    shown.merge_cells("A1:B1")
    hidden.sheet_state = "hidden"
    written = BytesIO()
    workbook.save(written)

    first, second = xlsx.read_sheets(written.getvalue())

    assert (first.merged, first.is_hidden) == (("A1:B1",), False)
    assert (second.merged, second.is_hidden) == ((), True)


def test_a_workbook_with_a_password_and_an_old_one_are_called_so() -> None:
    old = b"\xd0\xcf\x11\xe0" + bytes(600)

    with pytest.raises(StudyError, match=r"old \.xls file"):
        sheet_names(old)
    with pytest.raises(StudyError, match="password"):
        sheet_names(old + "EncryptedPackage".encode("utf-16-le"))


def test_a_column_offers_what_can_be_chosen() -> None:
    rows = [("item",), ("",), ("",)]
    sheet = Sheet(title="Columns", rows=rows, lists={0: "=Lists!$A$2:$A$4"})

    written = workbook_bytes([sheet, Sheet(title="Lists", rows=[("a",), ("b",)])])

    offered = openpyxl.load_workbook(BytesIO(written))[
        "Columns"
    ].data_validations.dataValidation
    assert [(str(each.sqref), each.formula1) for each in offered] == [
        ("A2:A3", "Lists!$A$2:$A$4")
    ]
