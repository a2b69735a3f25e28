"""The only door to openpyxl: workbooks in and out."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from kobosmix.errors import StudyError

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

# openpyxl stamps the time of saving into this part, and zip into every part. Both go:
# the same form must give the same bytes, or nobody can tell a rebuilt form from a changed one.
_STAMPED_PART = "docProps/core.xml"
_NO_DATE = datetime(1980, 1, 1, tzinfo=UTC)
_WIDEST = 60
# A spreadsheet runs text that begins so as a formula when someone re-enters the cell.
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet to write: rows as they stand, the first of them the header.

    `for_people` freezes and emboldens the header, sets widths, wraps text and defuses text that
    a spreadsheet would run as a formula; a sheet for programs is written as it is.
    """

    title: str
    rows: Sequence[Sequence[Cell]]
    for_people: bool = False
    right_to_left: bool = False
    text_columns: tuple[int, ...] = ()


def workbook_bytes(sheets: Iterable[Sheet]) -> bytes:
    """Write the sheets in the order given; equal sheets give equal bytes."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    for sheet in sheets:
        _write_sheet(workbook.create_sheet(sheet.title), sheet)
    stamped = BytesIO()
    workbook.save(stamped)
    return _without_time_stamps(stamped)


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
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    name = source.name if isinstance(source, Path) else "the workbook"
    try:
        stream = BytesIO(source if isinstance(source, bytes) else source.read_bytes())
        workbook = load_workbook(stream, read_only=True, data_only=False)
    except PermissionError as error:
        raise StudyError(f"{name} is open in another program; close it first") from error
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise StudyError(
            f"{name} cannot be read as an .xlsx workbook. Open it in Excel and save it again as "
            "'Excel Workbook (*.xlsx)'."
        ) from error
    if sheet is not None and sheet not in workbook.sheetnames:
        raise StudyError(f"{name} has no sheet called {sheet!r}")
    chosen = workbook[sheet] if sheet else workbook.worksheets[0]
    return chosen.title, _plain_rows(chosen)


def sheet_names(source: Path | bytes) -> list[str]:
    """The titles of a workbook's sheets, in order."""
    from openpyxl import load_workbook

    stream = BytesIO(source if isinstance(source, bytes) else source.read_bytes())
    return list(load_workbook(stream, read_only=True).sheetnames)


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


def _write_sheet(target: Worksheet, sheet: Sheet) -> None:
    from openpyxl.utils import get_column_letter

    if sheet.right_to_left:
        target.sheet_view.rightToLeft = True
    if sheet.for_people:
        target.freeze_panes = "A2"
        for number, width in enumerate(_widths(sheet.rows), start=1):
            target.column_dimensions[get_column_letter(number)].width = width
    for number, row in enumerate(sheet.rows):
        target.append(_styled(target, row, sheet, is_header=number == 0))


def _styled(
    target: Worksheet, row: Sequence[Cell], sheet: Sheet, *, is_header: bool
) -> list[object]:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    cells = list[object]()
    for column, value in enumerate(row):
        cell = WriteOnlyCell(target, value=defused(value) if sheet.for_people else value)
        if isinstance(value, str):
            # openpyxl takes text that begins with "=" for a formula; here it is always text.
            cell.data_type = "s"
        if sheet.for_people:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=is_header)
        if column in sheet.text_columns:
            cell.number_format = "@"
        cells.append(cell)
    return cells


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    longest = [8] * columns
    for row in rows[:200]:
        for column, cell in enumerate(row):
            longest[column] = max(longest[column], len(str(cell or "")) + 2)
    return [min(width, _WIDEST) for width in longest]


def _plain_rows(sheet: Worksheet) -> list[list[Cell]]:
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


def _without_time_stamps(stamped: BytesIO) -> bytes:
    from openpyxl.packaging.core import DocumentProperties
    from openpyxl.xml.functions import tostring

    properties = DocumentProperties(creator="kobosmix", created=_NO_DATE, modified=_NO_DATE)
    plain = BytesIO()
    with ZipFile(stamped) as old, ZipFile(plain, "w") as new:
        for name in old.namelist():
            part = tostring(properties.to_tree()) if name == _STAMPED_PART else old.read(name)
            stamp = _NO_DATE.timetuple()
            info = ZipInfo(name, (stamp[0], stamp[1], stamp[2], 0, 0, 0))
            # The host system is written into each entry; one value, so Windows gives equal bytes.
            info.create_system = 3
            info.compress_type = ZIP_DEFLATED
            new.writestr(info, part)
    return plain.getvalue()
