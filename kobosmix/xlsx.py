"""The only door to workbooks: openpyxl reads them, XlsxWriter writes them.

XlsxWriter writes twice as fast, and the same bytes for the same cells.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from kobosmix.errors import StudyError

if TYPE_CHECKING:
    from openpyxl import Workbook as ReadWorkbook
    from openpyxl.worksheet.worksheet import Worksheet as ReadWorksheet
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)
_WIDEST, _TYPED = 60, 20
# Points; Excel has no row of more than 409.
_LINE_HEIGHT, _MOST_LINES = 15, 27
_LONGEST_TEXT = 32_767
# Excel's own number for the format "Text".
_TEXT_FORMAT = 49
# A spreadsheet runs text that begins so as a formula when someone re-enters the cell.
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
# Characters that XML cannot hold; a line break is a line feed, as in Excel itself.
_LINE_BREAK = re.compile(r"\r\n?")
_MERGED = re.compile(rb'<mergeCell ref="([A-Z0-9:]+)"')
# How a file of Microsoft's older container begins: .xls, and any workbook with a password.
_OLE2 = b"\xd0\xcf\x11\xe0"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet to write: rows as they stand, the first of them the header.

    `for_people` freezes and emboldens the header, sets widths, wraps text and defuses text that
    a spreadsheet would run as a formula; a sheet for programs is written as it is.
    `right_to_left_columns` hold text that runs to the left in a sheet that runs to the right.
    `lists` gives, by column, the range whose values a person can choose from, `=Items!$A$2:$A$9`.
    """

    title: str
    rows: Sequence[Sequence[Cell]]
    for_people: bool = False
    right_to_left: bool = False
    text_columns: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    right_to_left_columns: tuple[int, ...] = ()
    lists: Mapping[int, str] = field(default_factory=dict)


def workbook_bytes(sheets: Iterable[Sheet]) -> bytes:
    """Write the sheets in the order given; equal sheets give equal bytes.

    Text longer than a cell can hold (32,767 characters) is a StudyError.
    """
    from xlsxwriter import Workbook

    written = BytesIO()
    # Text stays text: nothing becomes a formula, a link or a number behind our back.
    as_given = dict.fromkeys(
        ("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False
    )
    workbook = Workbook(written, {"in_memory": True, **as_given})
    # The time of writing would make a rebuilt form look like a changed one.
    workbook.set_properties({"author": "kobosmix", "created": _NO_DATE})
    pens = _Pens(workbook)
    for sheet in sheets:
        _write_sheet(workbook.add_worksheet(sheet.title), sheet, pens)
    workbook.close()
    return written.getvalue()


def read_rows(source: Path | bytes, sheet: str | None = None) -> list[list[Cell]]:
    """All rows of one sheet (the first, if none is named), cells as text, number or None.

    A formula cell comes back as its text, `=A1+1`, so that the caller can refuse it. Whole
    numbers come back as int. An unreadable workbook is a StudyError that says so.
    """
    return read_workbook(source, sheet)[1]


def read_workbook(
    source: Path | bytes, sheet: str | None = None
) -> tuple[str, list[list[Cell]]]:
    """The sheet's title and its rows; see `read_rows`."""
    with _opened(source) as workbook:
        if sheet is not None and sheet not in workbook.sheetnames:
            raise StudyError(f"{_name(source)} has no sheet called {sheet!r}")
        chosen = workbook[sheet] if sheet else workbook.worksheets[0]
        # The sheet itself is read only now, so this may find it damaged as well.
        return chosen.title, _plain_rows(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRead:
    """A sheet as its reader sees it: each cell shows what its formula came to, if it has one.

    `formulas` are the addresses of such cells, as in `C7`; `merged` are ranges shown as one cell,
    of which only the first holds what is shown. `is_hidden` sheets are not seen in Excel.
    """

    title: str
    rows: Sequence[Sequence[Cell]]
    formulas: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    is_hidden: bool = False


def read_sheets(source: Path | bytes) -> list[SheetRead]:
    """Every sheet of a workbook, in order; see `read_rows` for the cells.

    A formula that no spreadsheet has worked out yet comes to None.
    """
    with _opened(source, data_only=True) as workbook:
        sheets = [
            SheetRead(
                title=sheet.title,
                rows=_plain_rows(sheet),
                merged=_merged(workbook, sheet),
                is_hidden=sheet.sheet_state != "visible",
            )
            for sheet in workbook.worksheets
        ]
    formulas = _formulas(source) if _has_formulas(source) else {}
    return [replace(sheet, formulas=formulas.get(sheet.title, ())) for sheet in sheets]


def _merged(workbook: ReadWorkbook, sheet: ReadWorksheet) -> tuple[str, ...]:
    # Reading row by row, openpyxl passes over the list of them that stands behind the rows.
    part = workbook._archive.read(sheet._worksheet_path)  # type: ignore[attr-defined]  # noqa: SLF001
    return tuple(found.decode() for found in _MERGED.findall(part))


def _has_formulas(source: Path | bytes) -> bool:
    # A part nobody needed to open a moment ago may be damaged; its formulas are not looked for.
    with (
        suppress(zipfile.BadZipFile, zlib.error),
        zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source) as parts,
    ):
        return any(
            b"<f" in parts.read(name)
            for name in parts.namelist()
            if name.startswith("xl/worksheets/")
        )
    return False


def _formulas(source: Path | bytes) -> dict[str, tuple[str, ...]]:
    with _opened(source) as workbook:
        return {
            sheet.title: tuple(
                cell.coordinate
                for row in sheet.iter_rows()
                for cell in row
                if cell.data_type == "f"
            )
            for sheet in workbook.worksheets
        }


def sheet_names(source: Path | bytes) -> list[str]:
    """The titles of a workbook's sheets, in order."""
    with _opened(source) as workbook:
        return list(workbook.sheetnames)


@contextmanager
def _opened(source: Path | bytes, *, data_only: bool = False) -> Iterator[ReadWorkbook]:
    """The workbook; whatever makes it unreadable, also later on, is a StudyError."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    # XML that cannot be read is a SyntaxError, whichever library reads it.
    in_the_archive = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
    in_a_part = (InvalidFileException, SyntaxError, LookupError, AttributeError, RuntimeError)
    try:
        stream = BytesIO(source if isinstance(source, bytes) else source.read_bytes())
        with warnings.catch_warnings():
            # openpyxl warns of styles and extensions that it passes over; only cells are read.
            warnings.simplefilter("ignore", UserWarning)
            yield load_workbook(stream, read_only=True, data_only=data_only)
    except PermissionError as error:
        raise StudyError(
            f"{_name(source)} is open in another program; close it first"
        ) from error
    except (*in_the_archive, *in_a_part, ValueError, TypeError, OSError) as error:
        raise StudyError(
            f"{_name(source)} {_why_unreadable(source)}. Open it in Excel and save it "
            "again as 'Excel Workbook (*.xlsx)'."
        ) from error


def _why_unreadable(source: Path | bytes) -> str:
    with suppress(OSError):
        content = source if isinstance(source, bytes) else source.read_bytes()
        # A workbook with a password lies whole in a part of this name, in two-byte letters.
        if content.startswith(_OLE2):
            has_password = "EncryptedPackage".encode("utf-16-le") in content
            return (
                "is protected by a password, which has to be taken off first"
                if has_password
                else "is an old .xls file"
            )
    return "cannot be read as an .xlsx workbook"


def _name(source: Path | bytes) -> str:
    return source.name if isinstance(source, Path) else "the workbook"


def defused(cell: Cell) -> Cell:
    """The cell, with an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(cell, str) and cell.startswith(_FORMULA_START):
        return "'" + cell
    return cell


def records(rows: Sequence[Sequence[Cell]]) -> list[Mapping[str, Cell]]:
    """Rows as mappings by the header row's names; rows with nothing in them are left out."""
    header = [str(cell).strip() if cell is not None else "" for cell in rows[0]] if rows else []
    return [
        dict(zip(header, row, strict=False))
        for row in rows[1:]
        if any(cell not in (None, "") for cell in row)
    ]


class _Pens:
    """The formats of a workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[tuple[bool, ...], Format] = {}

    def format(
        self, *, for_people: bool, is_header: bool, is_text: bool, to_the_left: bool
    ) -> Format | None:
        """How a cell looks; None for a cell as it comes."""
        if not (for_people or is_text or to_the_left):
            return None
        which = (for_people, for_people and is_header, is_text, to_the_left)
        if which not in self._formats:
            looks: dict[str, object] = (
                {"text_wrap": True, "valign": "top"} if for_people else {}
            )
            looks |= {"bold": True} if which[1] else {}
            looks |= {"num_format": _TEXT_FORMAT} if is_text else {}
            looks |= {"reading_order": 2, "align": "right"} if to_the_left else {}
            self._formats[which] = self._workbook.add_format(looks)
        return self._formats[which]


def _write_sheet(target: Worksheet, sheet: Sheet, pens: _Pens) -> None:
    if sheet.right_to_left:
        target.right_to_left()
    if sheet.for_people:
        _lay_out(target, sheet)
    for column, source in sheet.lists.items():
        chosen = {"validate": "list", "source": source, "error_type": "warning"}
        target.data_validation(1, column, max(1, len(sheet.rows) - 1), column, chosen)
    for number, row in enumerate(sheet.rows):
        for column, value in enumerate(row):
            looks = pens.format(
                for_people=sheet.for_people,
                is_header=number == 0,
                is_text=column in sheet.text_columns,
                to_the_left=number > 0 and column in sheet.right_to_left_columns,
            )
            _write_cell(
                target, (number, column), defused(value) if sheet.for_people else value, looks
            )


def _lay_out(target: Worksheet, sheet: Sheet) -> None:
    """Widths, heights and the printed page, for a sheet that people read."""
    target.freeze_panes(1, 0)
    # Who prints it gets every column on the page.
    target.set_landscape()
    target.fit_to_pages(1, 0)
    widths = [
        max(width, _TYPED) if column in sheet.text_columns else width
        for column, width in enumerate(_widths(sheet.rows))
    ]
    for column, width in enumerate(widths):
        hidden = {"hidden": True} if column in sheet.hidden_columns else {}
        target.set_column(column, column, width, None, hidden)
    shown = [column for column in range(len(widths)) if column not in sheet.hidden_columns]
    for number, row in enumerate(sheet.rows):
        lines = min(_lines(row, shown, widths), _MOST_LINES)
        target.set_row(number, _LINE_HEIGHT * lines)


def _write_cell(
    target: Worksheet, at: tuple[int, int], value: Cell, looks: Format | None
) -> None:
    if value is None or value == "":
        # What is typed there later is text, and runs the way of its language.
        if looks is not None and (looks.num_format == _TEXT_FORMAT or looks.reading_order):
            target.write_blank(*at, None, looks)
    elif isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise StudyError(f"a text of {len(value)} characters does not fit into a cell")
        written = _UNWRITABLE.sub("\ufffd", _LINE_BREAK.sub("\n", value))
        target.write_string(*at, written, looks)
    else:
        target.write_number(*at, value, looks)


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    longest = [8] * columns
    for row in rows[:200]:
        for column, cell in enumerate(row):
            longest[column] = max(longest[column], len(str(cell or "")) + 2)
    return [min(width, _WIDEST) for width in longest]


def _lines(row: Sequence[Cell], shown: Sequence[int], widths: Sequence[int]) -> int:
    """How many lines the row's longest wrapped cell takes; not every program works it out."""
    texts = ((str(row[c] or ""), widths[c]) for c in shown if c < len(row))
    return max(
        (
            sum(-(-max(len(line), 1) // width) for line in text.split("\n"))
            for text, width in texts
        ),
        default=1,
    )


def _plain_rows(sheet: ReadWorksheet) -> list[list[Cell]]:
    rows = [[_plain(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    while rows and all(cell in (None, "") for cell in rows[-1]):
        rows.pop()
    return rows


def _plain(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return str(value)
