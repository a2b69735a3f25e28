"""Imports: a workbook becomes a project, or replaces one, after the request is over."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kobosmix.server.local import assets
from kobosmix.server.local.content import Content, ImportRefused, read_content
from kobosmix.server.local.database import Connection, Database, Record
from kobosmix.server.local.records import new_uid, now
from kobosmix.server.local.rights import rights

_DESTINATION = re.compile(r"(?:https?://[^/]+)?/api/v2/assets/([^/]+)/")
_NO_WORKBOOK = "ImportTask data must contain base64Encoded, url, or single_xls_url"


def begin(
    connection: Connection, username: str, workbook: bytes | None, fields: Mapping[str, str]
) -> str:
    """Keep the workbook for `run`; gives the uid of the import."""
    uid = new_uid("i")
    connection.execute(
        "INSERT INTO imports VALUES (?, ?, 'created', ?, ?, '{}', ?)",
        (uid, username, json.dumps(dict(fields)), workbook, now()),
    )
    return uid


def unfinished(connection: Connection) -> list[str]:
    """The imports that a stop of the server has cut off."""
    rows = connection.execute(
        "SELECT uid FROM imports WHERE status IN ('created', 'processing')"
    )
    return [row["uid"] for row in rows]


def run(database: Database, uid: str) -> None:
    """Carry the import out. Its outcome, good or bad, is what the poll then tells."""
    with database.writing() as connection:
        connection.execute("UPDATE imports SET status = 'processing' WHERE uid = ?", (uid,))
    with database.reading() as connection:
        task: Record = connection.execute(
            "SELECT * FROM imports WHERE uid = ?", (uid,)
        ).fetchone()
    try:
        content = _content(task)
        with database.writing() as connection:
            _end(connection, uid, "complete", _store(connection, task, content))
    except ImportRefused as error:
        with database.writing() as connection:
            messages = {"error": error.message, "error_type": error.kind}
            _end(connection, uid, "error", messages)


def _content(task: Record) -> Content:
    if task["workbook"] is None:
        raise ImportRefused(_NO_WORKBOOK, "Exception")
    return read_content(task["workbook"])


def _store(connection: Connection, task: Record, content: Content) -> Mapping[str, Any]:
    fields = json.loads(task["fields"])
    title = content["settings"].pop("form_title", None)
    if destination := fields.get("destination"):
        replaced = _destination(connection, destination, task["username"])
        assets.change(connection, replaced, title or replaced["name"], content)
        return {"updated": [_told(replaced["uid"], task["username"], content)]}
    name = title or fields.get("name") or ""
    # The real server takes a form for a block of the library unless it is told otherwise.
    block = "question" if len(content["survey"]) == 1 else "block"
    kind = "survey" if fields.get("library", "true").lower() == "false" else block
    uid = assets.create(connection, task["username"], kind, name, content)
    return {"created": [_told(uid, task["username"], content)]}


def _destination(connection: Connection, destination: str, username: str) -> Record:
    found = _DESTINATION.fullmatch(destination)
    if not found:
        raise ImportRefused(f"{{'path': '{destination}'}}", "Resolver404")
    asset = assets.asset(connection, found[1])
    if asset is None:
        raise ImportRefused("Asset matching query does not exist.", "DoesNotExist")
    if "change_asset" not in rights(connection, asset, username):
        raise ImportRefused("user cannot update asset", "PermissionDenied")
    return asset


def _told(uid: str, username: str, content: Content) -> Mapping[str, Any]:
    summary = {"languages": content["translations"], "row_count": len(content["survey"])}
    return {"uid": uid, "kind": "asset", "summary": summary, "owner__username": username}


def _end(connection: Connection, uid: str, status: str, messages: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE imports SET status = ?, messages = ?, workbook = NULL WHERE uid = ?",
        (status, json.dumps(messages, ensure_ascii=False), uid),
    )
