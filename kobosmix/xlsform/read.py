"""An XLSForm out of a workbook, or in words why there is none in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.findings import Finding, Place
from kobosmix.xlsform.model import SheetRow, XlsSheet, XlsSheets
from kobosmix.xlsx import Cell, SheetRead, read_sheets

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L101": (
        "The file is no .xlsx workbook that can be read: an older or another format, one with a "
        "password, damaged, or empty.",
        "Open it in a spreadsheet program and save it as 'Excel Workbook (*.xlsx)', without a "
        "password.",
    ),
    "L102": (
        "The workbook has no sheet called 'survey'. KoboToolbox makes an empty form of it.",
        "Call the sheet with the questions 'survey'.",
    ),
    "L103": (
        "The survey sheet has no questions, or its first row is not the row of headers.",
        "Write the headers into row 1 ('type', 'name', 'label::English (en)') and the questions "
        "below.",
    ),
}

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AS_XLSX = "Open it in a spreadsheet program and save it as 'Excel Workbook (*.xlsx)'."
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class FormReading:
    """The sheets, or what stands in the way of reading any."""

    sheets: XlsSheets | None
    findings: tuple[Finding, ...] = ()


def read_form(path: Path) -> FormReading:
    """The XLSForm in this workbook. What cannot be read is a finding, never an exception.

    Only a file that the system will not open raises OSError.
    """
    name, content = path.name, path.read_bytes()
    what = _what_it_is_instead(content, name)
    if what is not None:
        return _refused(name, "L101", *what)
    try:
        sheets = read_sheets(content)
    except StudyError:
        return _refused(name, "L101", "the workbook is damaged or cut off", _AS_XLSX)
    form = _form(name, sheets)
    faults = tuple(_missing(form, [sheet.title for sheet in sheets]))
    return FormReading(None if faults else form, faults)


def _what_it_is_instead(content: bytes, name: str) -> tuple[str, str] | None:
    """Problem and remedy, by the first bytes; None for what may be a workbook."""
    head = content[:_HEAD]
    if not content.strip(b"\0 \r\n\t"):
        return "the file is empty", "Save the form again, or copy it from a backup."
    if head.startswith(_OLE):
        if _ENCRYPTED in content:
            return "the workbook is protected by a password", "Save it without a password."
        return "it is a workbook of the old format .xls", _AS_XLSX
    if not head.startswith(_ZIP):
        return _text_instead(head, name), _AS_XLSX
    if b"application/vnd.oasis.opendocument" in head:
        return "it is an OpenDocument file (.ods)", _AS_XLSX
    if b"word/" in head or name.lower().endswith((".docx", ".zip", ".pptx")):
        return "it is no workbook", "Name the .xlsx of the form."
    return None


def _text_instead(head: bytes, name: str) -> str:
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return "it is an XML or HTML file, not a workbook"
    if name.lower().endswith((".csv", ".tsv", ".txt", ".md")) or b"\0" not in head:
        return "it is a text file (.csv or the like), which holds one sheet at most"
    return "it is no workbook"


def _form(name: str, sheets: Sequence[SheetRead]) -> XlsSheets:
    return XlsSheets(file=name, sheets={sheet.title.lower(): _sheet(sheet) for sheet in sheets})


def _sheet(read: SheetRead) -> XlsSheet:
    header: Sequence[Cell] = read.rows[0] if read.rows else ()
    headers = ["" if cell is None else str(cell) for cell in header]
    while headers and not headers[-1].strip():
        headers.pop()
    rows = list[SheetRow]()
    for number, cells in enumerate(read.rows[1:], start=2):
        row = dict[str, str]()
        for column, cell in zip(headers, cells, strict=False):
            # Of two columns with one header the first is taken.
            if column and cell is not None and (text := str(cell)).strip():
                row.setdefault(column, text)
        if row:
            rows.append(SheetRow(number, row))
    return XlsSheet(
        title=read.title,
        headers=tuple(headers),
        rows=tuple(rows),
        formulas=read.formulas,
        unheaded=tuple(_unheaded(headers, read.rows)),
    )


def _unheaded(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    bare = [place for place, header in enumerate(headers) if not header.strip()]
    for number, cells in enumerate(rows[1:], start=2):
        for place in (*bare, *range(len(headers), len(cells))):
            if place < len(cells) and str(cells[place] or "").strip():
                yield f"{_letters(place)}{number}"


def _letters(place: int) -> str:
    letters, place = "", place + 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _missing(form: XlsSheets, titles: Sequence[str]) -> Iterator[Finding]:
    survey = form.sheets.get("survey")
    if survey is None:
        near = get_close_matches("survey", [title.lower() for title in titles], 1)
        meant = f" Is it '{near[0]}'?" if near else ""
        listed = ", ".join(f"'{title}'" for title in titles)
        yield _finding(
            form.file, "L102", f"no sheet is called 'survey'; there is: {listed}.{meant}"
        )
    elif not {"type", "command"} & {header.strip().lower() for header in survey.headers}:
        headers = ", ".join(f"'{header}'" for header in survey.headers[:6] if header)
        said = f"row 1 of the survey sheet has no 'type'; it has: {headers or 'nothing'}"
        yield _finding(form.file, "L103", said)
    elif not survey.rows:
        yield _finding(form.file, "L103", "the survey sheet has no rows below its headers")


def _finding(file: str, code: str, problem: str) -> Finding:
    return Finding(code=code, place=Place(file), problem=problem, remedy=EXPLANATIONS[code][1])


def _refused(file: str, code: str, problem: str, remedy: str) -> FormReading:
    return FormReading(
        None, (Finding(code=code, place=Place(file), problem=problem, remedy=remedy),)
    )
