"""A downloaded file as tables of text, whatever it was saved as."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.errors import StudyError
from kobosmix.findings import Finding, Place, Severity
from kobosmix.xlsx import Cell, SheetRead, read_sheets

_ENCODINGS = (
    (b"\xef\xbb\xbf", "utf-8-sig", ""),
    (b"\xff\xfe", "utf-16", "it is in UTF-16, as Excel saves 'Unicode Text'"),
    (b"\xfe\xff", "utf-16", "it is in UTF-16, as Excel saves 'Unicode Text'"),
)
_SEPARATORS = (";", ",", "\t")
_ZIP, _OLE2 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# A csv of a hundred thousand interviews has some 100 MB; more than this is no download of ours.
_LARGEST_PART = 1 << 30
_LONGEST_CELL = 1 << 20
_MOST_NAMED = 5
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as a spreadsheet shows it, and the text of its cells."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a download. `file` is its name, with sheet or part where it has several."""

    file: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]

    def finding(
        self, code: str, problem: str, *, remedy: str, line: int = 0, spot: str = ""
    ) -> Finding:
        """A finding in this table; D2xx are warnings, D3xx notices."""
        kinds = {"2": Severity.WARNING, "3": Severity.NOTICE}
        return Finding(
            code=code,
            place=Place(self.file, line, spot),
            problem=problem,
            remedy=remedy,
            severity=kinds.get(code[1], Severity.ERROR),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The tables of a file that can hold submissions, and all that is wrong with it."""

    tables: tuple[Table, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_download(path: Path) -> Reading:
    """The tables of an .xlsx, .csv or .zip file, told by what is in it and not by its name."""
    content = path.read_bytes()
    if content.startswith(_ZIP) and not _is_workbook(content):
        return _read_zip(path.name, content)
    return _read_one(path.name, content)


def _is_workbook(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            return any(name.startswith("xl/") for name in parts.namelist())
    except _BROKEN_ZIP:
        # Half a workbook: the reader of workbooks says so in its own words.
        return True


def _read_zip(name: str, content: bytes) -> Reading:
    tables, findings = list[Table](), list[Finding]()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            for part in parts.infolist():
                if _holds_answers(part):
                    inside = _read_one(f"{name}: {part.filename}", parts.read(part))
                    tables += inside.tables
                    findings += inside.findings
    except _BROKEN_ZIP as error:
        return _unreadable(name, f"it cannot be unpacked ({error})")
    if not tables and not findings:
        return _unreadable(name, "there is no .csv or .xlsx in it")
    return Reading(tables=tuple(tables), findings=tuple(findings))


def _holds_answers(part: zipfile.ZipInfo) -> bool:
    # Photos and recordings lie in folders beside the table.
    is_table = part.filename.lower().endswith((".csv", ".xlsx"))
    return is_table and "/" not in part.filename and part.file_size <= _LARGEST_PART


def _read_one(name: str, content: bytes) -> Reading:
    if not content.strip():
        return _unreadable(name, "it is empty")
    if content.startswith((_ZIP, _OLE2)):
        return _read_workbook(name, content)
    return _read_csv(name, content)


def _read_workbook(name: str, content: bytes) -> Reading:
    try:
        sheets = read_sheets(content)
    except StudyError as error:
        return _unreadable(name, str(error).replace("the workbook ", "it ", 1))
    tables, findings = list[Table](), list[Finding]()
    for number, sheet in enumerate(sheets):
        file = name if len(sheets) == 1 else f"{name}, sheet {sheet.title}"
        table = _table(file, [[_as_text(cell) for cell in row] for row in sheet.rows])
        if number and _is_not_main(sheet, table):
            findings += _left_out(file, sheet)
            continue
        findings += _not_as_typed(file, sheet)
        if table is not None:
            tables.append(table)
    return Reading(tables=tuple(tables), findings=tuple(findings))


def _is_not_main(sheet: SheetRead, table: Table | None) -> bool:
    """Whether a further sheet is that of a repeated group, hidden, or no table of ours."""
    return table is None or sheet.is_hidden or "_parent_index" in table.header


def _left_out(file: str, sheet: SheetRead) -> Iterator[Finding]:
    if sheet.rows:
        yield _said("D201", file, "this sheet is not read", Severity.WARNING)


def _not_as_typed(file: str, sheet: SheetRead) -> Iterator[Finding]:
    if sheet.formulas:
        yield _said("D102", file, f"formulas in {_first(sheet.formulas)}")
    if sheet.merged:
        yield _said("D104", file, f"merged cells: {_first(sheet.merged)}")


def _first(addresses: Sequence[str]) -> str:
    more = len(addresses) - _MOST_NAMED
    return ", ".join(addresses[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _read_csv(name: str, content: bytes) -> Reading:
    text, repaired = _decoded(content)
    if text is None:
        return _unreadable(
            name,
            "its letters are in an old encoding of Windows, and nothing in the file says which",
        )
    if "\x00" in text:
        return _unreadable(name, "it is no text")
    separator, text = _separator(text)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        return _unreadable(name, f"its quotation marks do not close ({error})")
    table = _table(name, rows)
    if table is None:
        return _unreadable(name, "it has no rows")
    cut = [n for n, row in enumerate(rows, start=1) if row and len(row) != len(rows[0])]
    if cut:
        return _unreadable(name, f"row {cut[0]} has more or fewer cells than row 1")
    said = [_said("D301", name, repaired, Severity.NOTICE)] if repaired else []
    return Reading(tables=(table,), findings=(*said, *_lost_letters(table)))


def _decoded(content: bytes) -> tuple[str | None, str]:
    """The text, and what was unusual about its encoding; None where that cannot be known."""
    for mark, encoding, said in _ENCODINGS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), said
            except UnicodeDecodeError:
                return None, ""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        return None, ""


def _separator(text: str) -> tuple[str, str]:
    """The separator that makes the most columns of the first line, and the text without a mark."""
    first, _, rest = text.partition("\n")
    # Excel writes and understands a first line that names the separator.
    if first.strip().lower().startswith("sep=") and len(first.strip()) <= len("sep=;"):
        return first.strip()[4:] or "\t", rest
    widths = {each: len(next(csv.reader([first], delimiter=each), ())) for each in _SEPARATORS}
    return max(_SEPARATORS, key=lambda each: widths[each]), text


def _table(file: str, rows: Sequence[Sequence[str]]) -> Table | None:
    if not rows or not any(cell.strip() for cell in rows[0]):
        return None
    width = len(rows[0])
    lines = tuple(
        Line(number, (*row[:width], *[""] * (width - len(row))))
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    )
    return Table(file=file, header=tuple(cell.strip() for cell in rows[0]), lines=lines)


def _lost_letters(table: Table) -> Iterator[Finding]:
    lost = [
        line.number
        for line in table.lines
        if any(len(cell.strip()) > 1 and not cell.strip("? ") for cell in line.cells)
    ]
    if lost:
        remedy = EXPLANATIONS["D103"][1]
        problem = "cells of nothing but question marks"
        yield table.finding("D103", problem, remedy=remedy, line=lost[0])


def _as_text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _unreadable(name: str, why: str) -> Reading:
    return Reading(findings=(_said("D101", name, why),))


def _said(code: str, file: str, problem: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding(
        code=code,
        place=Place(file),
        problem=problem,
        remedy=EXPLANATIONS[code][1],
        severity=severity,
    )
