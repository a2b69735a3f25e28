"""What an XForm and a workbook on the server say of themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from kobosmix.errors import ServerError, StudyError
from kobosmix.form.central import without_list
from kobosmix.server.model import Sheets
from kobosmix.xlsx import read_sheets

_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*""")


def constants_of(xform: bytes, action: str) -> dict[str, str]:
    """The hidden calculations that are one quoted word each, by name."""
    found = dict[str, str]()
    for element in _root(xform, action).iter():
        quoted = _QUOTED.fullmatch(element.get("calculate", ""))
        if quoted and _bare(element.tag) == "bind":
            name = element.get("nodeset", "").rpartition("/")[2]
            found[name] = quoted[1] if quoted[1] is not None else quoted[2]
    return found


def sheets_of_workbook(workbook: bytes, action: str) -> dict[str, list[dict[str, str]]]:
    """The rows of survey, choices and settings, column to cell, as the workbook has them."""
    try:
        sheets = read_sheets(workbook)
    except StudyError as error:
        raise ServerError(action, 200, "its workbook cannot be read") from error
    tables = {sheet.title.lower(): _records(sheet.rows) for sheet in sheets}
    # As the build says it, also where the register is a list there.
    tables["survey"] = without_list(tables.get("survey", []))
    return {name: tables.get(name, []) for name in ("survey", "choices", "settings")}


def content_of_workbook(workbook: bytes, action: str) -> dict[str, Any]:
    """The same as the `content` of a form, where the settings are one row."""
    return as_content(sheets_of_workbook(workbook, action))


def as_content(sheets: Sheets) -> dict[str, Any]:
    """Sheets as the `content` of a form."""
    (settings,) = sheets["settings"][:1] or ({},)
    return {**sheets, "settings": settings}


def constants_in(content: Mapping[str, Any]) -> dict[str, str]:
    """The same constants out of the rows of a workbook."""
    found = dict[str, str]()
    for row in content.get("survey", ()):
        quoted = _QUOTED.fullmatch(row.get("calculation", ""))
        if row.get("type") == "calculate" and quoted:
            found[row.get("name", "")] = quoted[1] if quoted[1] is not None else quoted[2]
    return found


def _records(rows: Any) -> list[dict[str, str]]:
    header, *body = [["" if cell is None else str(cell) for cell in row] for row in rows] or [
        []
    ]
    records = [
        {name: cell for name, cell in zip(header, row, strict=False) if name and cell.strip()}
        for row in body
    ]
    return [record for record in records if record]


def _root(xform: bytes, action: str) -> ElementTree.Element:
    # An XForm has no use for entities, which are how a small file grows to gigabytes.
    if b"<!ENTITY" in xform:
        raise ServerError(action, 200, "its XML defines entities, which are not read")
    try:
        return ElementTree.fromstring(xform)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise ServerError(action, 200, "no XML, or only a part of it") from error


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
