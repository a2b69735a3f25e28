"""A workbook as the API shows it: `content`, with survey, choices, settings, translations."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from kobosmix import xlsx
from kobosmix.errors import StudyError

Content = dict[str, Any]
Row = dict[str, Any]
# The name of one language as the workbook has it; None is the column without a language.
Translation = str | None

_ALIASES = {
    "begin group": "begin_group",
    "end group": "end_group",
    "begin repeat": "begin_repeat",
    "end repeat": "end_repeat",
}
_LISTED = re.compile(r"(select_one|select_multiple|rank|select_one_external)\s+(\S+)")
_FROM_FILE = re.compile(r"(select_one_from_file|select_multiple_from_file)\s+(\S+)")
_NODE_NAME = re.compile(r"[^\W\d][\w.\-]*")
_MEDIA = ("image", "audio", "video", "big-image")
# As XLSForm has them, and as the server knows them beside.
_TYPES = frozenset(
    "start end today deviceid phonenumber phone_number username email simserial subscriberid "
    "audit start-geopoint background-audio background-geopoint note text integer int decimal "
    "range date time datetime dateTime calculate hidden geopoint geotrace geoshape gps image "
    "photo audio video file barcode acknowledge trigger csv-external xml-external select_one "
    "select_multiple rank select_one_external select_one_from_file select_multiple_from_file "
    "begin_group end_group begin_repeat end_repeat begin_score end_score score__row begin_rank "
    "end_rank rank__level begin_kobomatrix end_kobomatrix osm kobo--locking".lower().split()
)
_SHEETS = ("survey", "choices", "settings", "entities")
_NEVER_TRANSLATED = ("bind", "body", "instance")


class ImportRefused(Exception):
    """The workbook cannot become a project. `kind` is the API's `error_type`."""

    def __init__(self, message: str, kind: str = "ValueError") -> None:
        self.message, self.kind = message, kind
        super().__init__(message)


def read_content(workbook: bytes) -> Content:
    """The workbook's `content`. What is wrong beyond names and languages shows at deployment."""
    sheets = _sheets(workbook)
    survey = [_typed(row) for row in sheets.get("survey", [])]
    settings: Row = next(iter(sheets.get("settings", [])), {})
    _check_names(survey)
    _check_types(survey)
    translations = _translations([*survey, *sheets.get("choices", [])], settings)
    content: Content = {
        "schema": "1",
        "survey": _numbered([_folded(row, translations) for row in survey]),
        "choices": _numbered([_folded(row, translations) for row in sheets.get("choices", [])]),
        "settings": _renamed(settings),
        "translations": translations,
        "translated": _translated_columns([*survey, *sheets.get("choices", [])]),
    }
    if sheets.get("entities"):
        content["entities"] = sheets["entities"]
    return content


def _renamed(settings: Row) -> Row:
    kept = {key: text for key, text in settings.items() if key != "form_id"}
    return {"id_string": settings["form_id"], **kept} if "form_id" in settings else kept


def content_of_rows(sent: Any) -> Content:
    """Rows that were sent in the API's own form, with what the server adds to them."""
    if not isinstance(sent, dict):
        raise ImportRefused("not an object")
    survey = [_typed(row) for row in sent.get("survey", [])]
    _check_types(survey)
    content: Content = {
        "schema": "1",
        "translations": [None],
        "translated": [],
        "settings": {},
        **sent,
        "survey": _numbered(survey),
        "choices": _numbered(list(sent.get("choices", []))),
    }
    return content


def _sheets(workbook: bytes) -> dict[str, list[Row]]:
    try:
        xlsx.read_rows(workbook)
        names = [name for name in xlsx.sheet_names(workbook) if name in _SHEETS]
        rows = {name: xlsx.records(xlsx.read_rows(workbook, name)) for name in names}
    except StudyError as error:
        raise ImportRefused(
            "Unsupported format, or corrupt file", "XlsFormatException"
        ) from error
    return {name: [_text_cells(row) for row in found] for name, found in rows.items()}


def _text_cells(row: Mapping[str, xlsx.Cell]) -> Row:
    cells = {column: str(cell).strip() for column, cell in row.items() if cell is not None}
    return {column: text for column, text in cells.items() if column and text}


def _typed(row: Row) -> Row:
    kind = " ".join(row.get("type", "").split())
    kind = _ALIASES.get(kind, kind)
    for pattern, column in ((_LISTED, "select_from_list_name"), (_FROM_FILE, "file")):
        if found := pattern.fullmatch(kind):
            return {**row, "type": found[1], column: found[2]}
    return {**row, "type": kind} if kind else row


def _check_names(survey: Iterable[Row]) -> None:
    seen = set[str]()
    for row in survey:
        name = row.get("name")
        if name is None or row.get("type", "").startswith("end_"):
            continue
        if not _NODE_NAME.fullmatch(name):
            raise ImportRefused(f"Invalid node name: {name}")
        if name in seen:
            raise ImportRefused(f"Duplicate node name: {name}", "DuplicateNameException")
        seen.add(name)


def _check_types(survey: Iterable[Row]) -> None:
    for row in survey:
        kind = str(row.get("type", ""))
        if kind and " " not in kind and kind.lower() not in _TYPES:
            raise ImportRefused(f"unknown type ['{kind}']")


def _translations(rows: Iterable[Row], settings: Row) -> list[Translation]:
    split = (_split(column) for row in rows for column in row)
    found = list(dict.fromkeys(part[1] for part in split if part)) or [None]
    default = settings.get("default_language")
    if default is None:
        return found
    if default not in found:
        raise ImportRefused(
            f"`{default}` is specified as the default language, but only these translations "
            f"are present in the form: `{', '.join(str(each) for each in found)}`"
        )
    return [default, *(each for each in found if each != default)]


def _translated_columns(rows: Iterable[Row]) -> list[str]:
    return sorted({part[0] for row in rows for column in row if (part := _split(column))})


def _split(column: str) -> tuple[str, Translation] | None:
    """A translated column as the API's key and its language; None if it has no language."""
    base, *rest = re.split(r"\s*::?\s*", column)
    if base == "media" and rest:
        base, rest = rest[0], rest[1:]
    if base in _MEDIA:
        base = f"media::{base}"
    elif base in _NEVER_TRANSLATED or not (rest or base in ("label", "hint")):
        return None
    return base, ":".join(rest) or None


def _folded(row: Row, translations: list[Translation]) -> Row:
    folded: Row = {}
    for column, text in row.items():
        if part := _split(column):
            texts = folded.setdefault(part[0], [None] * len(translations))
            texts[translations.index(part[1])] = text
        else:
            folded[column] = text
    if "list name" in folded:
        folded["list_name"] = folded.pop("list name")
    return folded


def _numbered(rows: list[Row]) -> list[Row]:
    """Give every row the API's id, `$kuid`; the workbook's own, if it has one, is kept."""
    open_blocks = list[str]()
    numbered = list[Row]()
    for row in rows:
        kind = row.get("type", "")
        if kind.startswith("end_"):
            kuid = "/" + open_blocks.pop() if open_blocks else secrets.token_hex(4)
        else:
            kuid = row.get("$kuid") or secrets.token_hex(4)
        if kind.startswith("begin_"):
            open_blocks.append(kuid)
        numbered.append({**row, "$kuid": row.get("$kuid") or kuid, **_automatic(row)})
    return numbered


def _automatic(row: Row) -> Row:
    if "list_name" in row:
        return {"$autovalue": row["name"]} if "name" in row else {}
    if row.get("type", "").startswith("end_"):
        return {}
    return {"$autoname": row.get("name") or _name_from(row.get("label"))}


def _name_from(label: Any) -> str:
    text = next((each for each in label if each), "") if isinstance(label, list) else ""
    words = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return words if _NODE_NAME.fullmatch(words) else f"_{words or secrets.token_hex(4)}"
