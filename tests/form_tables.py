"""Forms as tables people can read: the good form, and the bad ones made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kobosmix import xlsx

FOLDER = Path(__file__).parent / "bad_forms"
Table = list[list[str]]

# How many columns say which row is meant.
_KEYS = {"survey": 1, "choices": 2}
_MARK = re.compile("‹([0-9A-F]{4})›")


@dataclass(frozen=True, slots=True)
class BadForm:
    """A form with one fault, and the code of that fault."""

    code: str
    title: str
    sheets: dict[str, Table]

    def workbook(self) -> bytes:
        """The form as an .xlsx."""
        return workbook(self.sheets)


def workbook(sheets: dict[str, Table]) -> bytes:
    """The sheets as an .xlsx, every cell as text."""
    return xlsx.workbook_bytes(
        xlsx.Sheet(title=title, rows=rows) for title, rows in sheets.items()
    )


def good_form() -> dict[str, Table]:
    """A form with nothing wrong in it."""
    return tables((FOLDER / "good.md").read_text(encoding="utf-8"))


def bad_forms() -> Iterator[BadForm]:
    """Every bad form of the corpus."""
    for path in sorted(FOLDER.glob("*.md")):
        sections = re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for section in sections[1:]:
            heading, _, body = section.partition("\n")
            code, _, title = heading.partition(" ")
            yield BadForm(code, title, _changed(good_form(), tables(body)))


def tables(markdown: str) -> dict[str, Table]:
    """The sheets of an XLSForm Markdown table."""
    sheets, current = dict[str, Table](), ""
    for line in markdown.strip().splitlines():
        title, *cells = [cell.strip() for cell in line.strip().split("|")[1:-1]]
        if title:
            current = title
            sheets[current] = []
        if any(cells):
            sheets[current].append([_unseen(cell) for cell in cells])
    return sheets


def _unseen(cell: str) -> str:
    cell = cell.replace("␣", " ").replace("⍽", "\u00a0")
    return _MARK.sub(lambda found: chr(int(found[1], 16)), cell)


def _changed(good: dict[str, Table], changes: dict[str, Table]) -> dict[str, Table]:
    if "survey" in changes and changes["survey"][0][0] == "type":
        return changes
    form = dict(good)
    for title, table in changes.items():
        keys = _KEYS.get(title, 0)
        form[title] = _merged(good[title], table, keys) if keys else table
    return form


def _merged(good: Table, changes: Table, keys: int) -> Table:
    """The good table with cells changed, columns added or taken away, and rows added."""
    header, *rows = [list(row) for row in good]
    columns, *lines = changes
    for column in columns:
        if column not in header:
            header.append(column)
    for line in lines:
        told = dict(zip(columns, line, strict=False))
        row = _row_of(header, rows, {key: told[key] for key in columns[:keys]})
        for column, cell in told.items():
            row += [""] * (len(header) - len(row))
            if cell == "(no column)":
                header[header.index(column)] = ""
                for each in rows:
                    each[header.index("")] = ""
            elif cell:
                row[header.index(column)] = "" if cell == "(none)" else cell
    return [header, *rows]


def _row_of(header: list[str], rows: Table, key: dict[str, str]) -> list[str]:
    for row in rows:
        if all(row[header.index(column)] == cell for column, cell in key.items()):
            return row
    rows.append([""] * len(header))
    return rows[-1]
