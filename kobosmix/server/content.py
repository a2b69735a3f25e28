"""The `content` of a project, as KoboToolbox's API has it, turned back into rows of an XLSForm.

There texts are lists beside `translations`, the list of a select stands in a column of its own,
and the server's own columns begin with `$`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LISTS = ("select_from_list_name", "file")
_OR_OTHER = "_or_other"
_SETTINGS: Mapping[str, str] = {"title": "form_title", "id_string": "form_id"}


def sheets_of(content: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """The sheets of the form, row by row, as a workbook would have them."""
    settings = content.get("settings")
    told = settings.items() if isinstance(settings, Mapping) else ()
    row = {
        _SETTINGS.get(name, name): str(cell) for name, cell in told if cell not in (None, "")
    }
    sheets = {name: flat_rows(content, name) for name in ("survey", "choices")}
    return {**sheets, "settings": [row] if row else []}


def flat_rows(content: Mapping[str, Any], sheet: str) -> list[dict[str, str]]:
    """The rows of `survey` or `choices` as a workbook has them, without the API's own columns."""
    translations = content.get("translations") or [None]
    return [_unfolded(row, translations) for row in content.get(sheet) or []]


def _unfolded(row: Mapping[str, Any], translations: Sequence[str | None]) -> dict[str, str]:
    flat = dict[str, str]()
    for column, cell in row.items():
        if column.startswith("$") or column in _LISTS:
            continue
        if isinstance(cell, list):
            flat |= _by_language(column, cell, translations)
        elif isinstance(cell, bool):
            flat[column] = "true" if cell else "false"
        elif cell not in (None, ""):
            flat[column] = str(cell)
    listed = row.get("select_from_list_name") or row.get("file")
    if listed:
        kind = str(row["type"])
        other = " or_other" if kind.endswith(_OR_OTHER) else ""
        flat["type"] = f"{kind.removesuffix(_OR_OTHER)} {listed}{other}"
    if "name" not in flat and "$autoname" in row:
        flat["name"] = str(row["$autoname"])
    return flat


def _by_language(
    column: str, texts: Sequence[str | None], translations: Sequence[str | None]
) -> dict[str, str]:
    return {
        f"{column}::{language}" if language else column: text
        for language, text in zip(translations, texts, strict=False)
        if text
    }
