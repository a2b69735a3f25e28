"""Sheets, columns and cells: what the servers never read, and what Excel changes in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.columns import COLUMNS, SHEETS, TRANSLATABLE
from kobosmix.xlsform.excel import CHANGED, DATE, FAILED_FORMULA
from kobosmix.xlsform.model import XlsSheet
from kobosmix.xlsform.outline import Outline
from kobosmix.xlsform.tell import listed, nearest, quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L104": (
        "Two columns of one sheet are the same column, under one header or under two spellings.",
        "Keep one of them.",
    ),
    "L105": (
        "Excel has made a date of a name or a value (1-2 becomes 2025-02-01 00:00:00).",
        "Format the cell as text and type it again.",
    ),
    "L106": (
        "Rows stand below more than 60 empty ones: the servers stop reading before they get there.",
        "Delete the empty rows.",
    ),
    "L107": (
        "Columns stand right of more than 20 columns without a header: they are not read.",
        "Delete the empty columns.",
    ),
    "L108": (
        "A formula failed, and its error text has become a part of the form.",
        "Correct the formula, or write the text in its place.",
    ),
    "L201": (
        "No server knows a column, but its name is near to one they know. What stands in it has "
        "no effect.",
        "Correct the header.",
    ),
    "L202": (
        "Cells hold formulas. A server sees what they came to when the file was saved last, and "
        "nothing if it was saved by a program that does not calculate.",
        "Paste the values over the formulas before the form goes to a server.",
    ),
    "L203": (
        "A name, type, list or value has blanks at its ends, or a no-break space in it. Some "
        "programs take them off, others do not, and the two spellings do not match.",
        "Delete the blanks.",
    ),
    "L204": (
        "Columns no server reads. They do no harm, and no good.",
        "Nothing to do if they are meant for people.",
    ),
    "L205": (
        "A value looks as if Excel had changed it: yes typed as TRUE, or 1 as 1.0.",
        "Format the column as text and type the value again.",
    ),
    "L206": (
        "Cells stand under no header. No server reads them.",
        "Give their column a header, or delete them.",
    ),
    "L207": (
        "A sheet is called almost like one the servers read, which is missing.",
        "Correct its name. A sheet that is not meant for servers can begin with _.",
    ),
    "L208": (
        "The column 'disabled' is no longer part of XLSForm; not every server heeds it.",
        "Delete the rows, or set 'relevant' to false().",
    ),
}

_MOST_EMPTY_ROWS, _MOST_EMPTY_COLUMNS = 60, 20
_AT_AN_END = re.compile(r"^\s|\s$|[\u00a0\u202f]")
# The columns whose cells are names, on each sheet.
_NAMES = {"survey": ("type", "name"), "choices": ("list_name", "name")}
# Columns that servers keep for themselves.
_OF_A_SERVER = ("$", "kobo--", "_", "#")


def check_repeated_columns(form: Outline) -> Iterator[Finding]:
    """A column stands on a sheet once."""
    for sheet, columns in form.columns.items():
        seen = dict[tuple[str, str], int]()
        for place, column in enumerate(columns):
            earlier = seen.setdefault((column.name, column.language), place)
            if earlier != place:
                first = columns[earlier]
                problem = f"'{first.header}' and '{column.header}' are the same column"
                if first.header == column.header:
                    problem = f"the column '{column.header}' is there twice"
                yield tell(
                    form, "L104", (sheet, 1, column.header), problem, "Keep one of them."
                )


def check_dates_and_truths(form: Outline) -> Iterator[Finding]:
    """Names and values are text; Excel likes to make dates, truths and fractions of them."""
    for sheet, columns in _NAMES.items():
        for row in form.rows[sheet]:
            for column in columns:
                text = row.cells.get(column, "")
                if DATE.fullmatch(text):
                    said = f"Excel has made a date of what was typed: '{text}'"
                    remedy = "Format the cell as text and type it again."
                    yield tell(form, "L105", (sheet, row.number, column), said, remedy)
                elif column == "name" and CHANGED.fullmatch(text):
                    said = f"'{text}' looks as if Excel had changed what was typed"
                    remedy = "If so, format the column as text and type it again."
                    yield tell(form, "L205", (sheet, row.number, column), said, remedy)


def check_unread_rows_and_columns(form: Outline) -> Iterator[Finding]:
    """Servers stop reading at the 61st empty row, and at the 21st column without a header."""
    for name in SHEETS:
        sheet = form.sheet(name)
        for above, below in pairwise([1, *(row.number for row in sheet.rows)]):
            if below - above - 1 > _MOST_EMPTY_ROWS:
                said = f"{below - above - 1} empty rows stand above it: it is never read"
                yield tell(form, "L106", (name, below, ""), said, "Delete the empty rows.")
        empty = 0
        for header in sheet.headers:
            if header.strip() and empty > _MOST_EMPTY_COLUMNS:
                said = f"{empty} columns without a header stand before it: it is never read"
                yield tell(form, "L107", (name, 1, header), said, "Delete the empty columns.")
            empty = 0 if header.strip() else empty + 1


def check_formulas(form: Outline) -> Iterator[Finding]:
    """A form holds texts; what a formula comes to is not sure to reach the server."""
    for name in SHEETS:
        sheet = form.sheet(name)
        if not sheet.formulas:
            continue
        said = f"formulas stand in {listed(sheet.formulas)}"
        remedy = "Paste the values over them before the form goes to a server."
        yield tell(form, "L202", (name, 0, ""), said, remedy)
        for row in sheet.rows:
            for header, text in row.cells.items():
                if FAILED_FORMULA.match(text):
                    said = f"a formula failed here: '{text}'"
                    remedy = "Correct it, or write the text in its place."
                    yield tell(form, "L108", (name, row.number, header), said, remedy)


def check_blanks(form: Outline) -> Iterator[Finding]:
    """Names, types, lists and values have no blanks at their ends and no no-break spaces."""
    for name, wanted in _NAMES.items():
        for column in form.columns[name]:
            if column.name not in wanted:
                continue
            loose = [
                (row.number, text)
                for row in form.sheet(name).rows
                if (text := row.cells.get(column.header, "")) and _AT_AN_END.search(text)
            ]
            if loose:
                rows = rows_of([number for number, _ in loose])
                said = f"{quoted(text for _, text in loose)} ({rows}) have a blank at an end, or a "
                at = (name, loose[0][0], column.header)
                remedy = "Delete it: not every program does."
                yield tell(form, "L203", at, said + "no-break space in them", remedy)


def check_columns(form: Outline) -> Iterator[Finding]:
    """A column that no server knows does nothing; often it is a slip in the header."""
    filtered = {name for used in form.expressions for name in used.expression.words}
    filtered |= {name for used in form.expressions for name in used.expression.columns}
    for sheet in COLUMNS:
        strange = [
            column.header
            for column in form.columns[sheet]
            if not column.is_known
            and not column.header.startswith(_OF_A_SERVER)
            and not (sheet == "choices" and column.name in filtered)
        ]
        for header in tuple(strange):
            if near := _meant_column(header, sheet):
                strange.remove(header)
                said = f"no server knows the column '{header}': what stands in it has no effect"
                yield tell(form, "L201", (sheet, 1, header), said, f"Is it '{near}'?")
        # On the choices sheet extra columns are common: exports and analysis use them.
        if strange and sheet != "choices":
            said = f"no server reads the columns {quoted(strange)}"
            remedy = "Nothing to do if they are meant for people."
            yield tell(form, "L204", (sheet, 1, ""), said, remedy, severity=Severity.NOTICE)


def _meant_column(header: str, sheet: str) -> str:
    words = header.strip()
    for name in TRANSLATABLE.get(sheet, ()):
        behind = words[len(name) :].strip(" :_-.()[]")
        follows = words[len(name) : len(name) + 1]
        if words.lower().startswith(name) and behind and not follows.isalnum():
            return f"{name}::{behind}"
    return nearest("_".join(words.split()), COLUMNS[sheet])


def check_cells_without_header(form: Outline) -> Iterator[Finding]:
    """What stands under no header is never read."""
    for name in SHEETS:
        sheet = form.sheet(name)
        if sheet.unheaded:
            said = (
                f"no header stands over the cells {listed(sheet.unheaded)}: nobody reads them"
            )
            remedy = "Give their column a header, or delete them."
            yield tell(form, "L206", (name, 0, ""), said, remedy)


def check_sheet_names(form: Outline) -> Iterator[Finding]:
    """A sheet with a slip in its name is passed over in silence."""
    missing = [name for name in SHEETS if not form.sheet(name).headers and name != "osm"]
    for key, sheet in form.sheets.sheets.items():
        near = "" if key in SHEETS or key.startswith("_") else nearest(key, missing)
        if near and _could_be(sheet):
            said = f"a sheet called '{sheet.title}' is not read; '{near}' is missing"
            yield tell(
                form, "L207", (sheet.title, 0, ""), said, f"Call it '{near}', or '_{key}'."
            )


def _could_be(sheet: XlsSheet) -> bool:
    return bool(sheet.headers and sheet.rows)


def check_disabled(form: Outline) -> Iterator[Finding]:
    """A row is switched off by 'relevant', not by 'disabled'."""
    rows = [row.number for row in form.rows["survey"] if row.cells.get("disabled")]
    if rows:
        said = f"'disabled' is no longer part of XLSForm ({rows_of(rows)})"
        remedy = "Delete the rows, or set 'relevant' to false()."
        yield tell(form, "L208", ("survey", rows[0], "disabled"), said, remedy)


RULES = (
    check_repeated_columns,
    check_dates_and_truths,
    check_unread_rows_and_columns,
    check_formulas,
    check_blanks,
    check_columns,
    check_cells_without_header,
    check_sheet_names,
    check_disabled,
)
