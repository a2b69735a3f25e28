"""The tables as files: CSV for programs, workbooks for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kobosmix.context.model import Indicator
from kobosmix.files import sha256, write_bytes, write_json
from kobosmix.match.model import Matched
from kobosmix.tables.codebook import codebook_sheets
from kobosmix.tables.indicators import indicators_sheet
from kobosmix.tables.missing import missing
from kobosmix.tables.tabulate import Tabulation, tabulate
from kobosmix.tables.toolkit import headings_sheet, toolkit_table
from kobosmix.tables.topline import topline_sheets
from kobosmix.tables.wide import wide
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

if TYPE_CHECKING:
    import pandas as pd

Headings = Literal["variables", "toolkit"]


def write_tables(
    folder: Path,
    matched: Matched,
    *,
    headings: Headings = "variables",
    everyone: bool = False,
    indicators: Sequence[Indicator] = (),
) -> tuple[Path, ...]:
    """Write all tables and say which files they are; equal input gives equal bytes.

    `headings="toolkit"` puts the sample spreadsheet's headings over the wide table, and a sheet
    beside it that says what each one is. `everyone` adds the persons without any interview.
    `indicators` add a results matrix to the topline.
    """
    tabulation = tabulate(matched)
    table = _table(tabulation, headings, everyone=everyone)
    workbooks: dict[str, Iterable[Sheet]] = {
        "wide.xlsx": _wide_sheets(tabulation, table, headings),
        "codebook.xlsx": codebook_sheets(tabulation),
        "topline.xlsx": [
            *topline_sheets(tabulation),
            *([indicators_sheet(tabulation, indicators)] if indicators else []),
        ],
    }
    # All made before the first is written, so that a fault in one leaves none half new.
    files = {
        "wide.csv": csv_text(table).encode("utf-8"),
        "missing.csv": csv_text(missing(tabulation)).encode("utf-8"),
        **{name: workbook_bytes(sheets) for name, sheets in workbooks.items()},
    }
    _write(folder, files)
    return tuple(folder / name for name in files)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, and last the manifest: without it they do not all belong together."""
    manifest = folder / "manifest.json"
    manifest.unlink(missing_ok=True)
    for name, written in files.items():
        write_bytes(folder / name, written)
    digests = {name: sha256(written) for name, written in sorted(files.items())}
    write_json(manifest, {"format": 1, "sha256": digests})


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV: text in quotes, IDs too; whole numbers bare; what is missing empty.

    So a program that minds quotes tells the text 1 from the number 1, and an empty answer from
    none. Nothing is defused: this file is for programs.
    """
    return "".join(",".join(map(_field, row)) + "\n" for row in _rows(table))


def _table(tabulation: Tabulation, headings: Headings, *, everyone: bool) -> pd.DataFrame:
    if headings == "toolkit":
        return toolkit_table(tabulation, everyone=everyone)
    return wide(tabulation, everyone=everyone)


def _wide_sheets(
    tabulation: Tabulation, table: pd.DataFrame, headings: Headings
) -> Iterable[Sheet]:
    yield Sheet(title="Table", rows=_rows(table), for_people=True, text_columns=(0,))
    if headings == "toolkit":
        yield headings_sheet(tabulation)


def _rows(table: pd.DataFrame) -> list[Sequence[Cell]]:
    """The header and the rows, whole numbers as such and what is missing as None."""
    columns = [
        [
            None if is_missing else _plain(value)
            for value, is_missing in zip(column, empty, strict=True)
        ]
        for column, empty in ((table[name], table[name].isna()) for name in table.columns)
    ]
    return [tuple(map(str, table.columns)), *zip(*columns, strict=True)]


def _plain(value: object) -> Cell:
    return value if isinstance(value, str) else int(str(value))


def _field(cell: Cell) -> str:
    if cell is None:
        return ""
    return str(cell) if isinstance(cell, int) else '"' + str(cell).replace('"', '""') + '"'
