"""The sheets of an XLSForm as they stand in the file: nothing is read into them yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the workbook, and its cells by header. Empty cells are left out."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class XlsSheet:
    """One sheet. `headers` are as written, "" where a column has none.

    `formulas` and `unheaded` are addresses of cells (`C7`): with a formula in them, and with
    something in them under no header.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    formulas: tuple[str, ...] = ()
    unheaded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class XlsSheets:
    """The sheets of one form by their names in small letters, and the file they come from."""

    file: str
    sheets: Mapping[str, XlsSheet]

    def rows(self) -> dict[str, tuple[Mapping[str, str], ...]]:
        """The cells of every row, sheet by sheet; an empty row for each that was left out.

        So the how-manieth row it is here says which row of the workbook it is.
        """
        return {name: tuple(_unbroken(sheet.rows)) for name, sheet in self.sheets.items()}


def sheets_of_rows(file: str, sheets: Mapping[str, Sequence[Mapping[str, str]]]) -> XlsSheets:
    """The sheets of a form that has not been written to a workbook yet."""
    return XlsSheets(
        file=file, sheets={name.lower(): _sheet(name, rows) for name, rows in sheets.items()}
    )


def _sheet(title: str, rows: Sequence[Mapping[str, str]]) -> XlsSheet:
    headers = dict.fromkeys(header for row in rows for header in row)
    return XlsSheet(
        title=title,
        headers=tuple(headers),
        # The header is row 1.
        rows=tuple(SheetRow(number, row) for number, row in enumerate(rows, start=2)),
    )


def _unbroken(rows: Iterable[SheetRow]) -> Iterable[Mapping[str, str]]:
    expected = 2
    for row in rows:
        while expected < row.number:
            yield {}
            expected += 1
        yield row.cells
        expected += 1
