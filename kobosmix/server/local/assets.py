"""Projects and their versions, as stored."""

from __future__ import annotations

import json
from typing import Any

from kobosmix.files import canonical_json, sha256
from kobosmix.server.local.content import Content
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.records import new_uid, now

_NO_SETTINGS = {
    "sector": {},
    "country": [],
    "description": "",
    "organization": "",
    "country_codes": [],
}


def asset(connection: Connection, uid: str) -> Record | None:
    """The project with this uid, or None."""
    found: Record | None = connection.execute(
        "SELECT * FROM assets WHERE uid = ?", (uid,)
    ).fetchone()
    return found


def version(connection: Connection, uid: str) -> Record | None:
    """The version with this uid, or None."""
    found: Record | None = connection.execute(
        "SELECT * FROM versions WHERE uid = ?", (uid,)
    ).fetchone()
    return found


def draft(connection: Connection, asset: Record) -> Record:
    """The newest version of the project, deployed or not."""
    found: Record = connection.execute(
        "SELECT * FROM versions WHERE uid = ?", (asset["version"],)
    ).fetchone()
    return found


def content_of(connection: Connection, asset: Record) -> Content:
    """The content of the project's draft."""
    content: Content = json.loads(draft(connection, asset)["content"])
    return content


def create(connection: Connection, owner: str, kind: str, name: str, content: Content) -> str:
    """A new project with its first version; gives its uid."""
    uid, moment = new_uid("a"), now()
    connection.execute(
        "INSERT INTO assets VALUES (?, ?, ?, ?, ?, '', ?, ?)",
        (uid, owner, kind, name, json.dumps(_NO_SETTINGS), moment, moment),
    )
    _add_version(connection, uid, content)
    return uid


def change(connection: Connection, asset: Record, name: str, content: Content) -> None:
    """Give the project this name and content. Only a real change makes a new version."""
    same_content = canonical_json(content_of(connection, asset)) == canonical_json(content)
    if same_content and asset["name"] == name:
        return
    connection.execute("UPDATE assets SET name = ? WHERE uid = ?", (name, asset["uid"]))
    _add_version(connection, asset["uid"], content)


def set_settings(connection: Connection, asset: Record, settings: Any) -> None:
    """Replace the project's settings; what is not given is empty. The version stays."""
    given = settings if isinstance(settings, dict) else {}
    settings = {**_NO_SETTINGS, **given}
    if not isinstance(settings["sector"], dict):
        settings["sector"] = {}
    connection.execute(
        "UPDATE assets SET settings = ?, modified_at = ? WHERE uid = ?",
        (json.dumps(settings), now(), asset["uid"]),
    )


def delete(connection: Connection, asset: Record) -> None:
    """Delete the project and all that belongs to it, submissions included."""
    connection.execute("DELETE FROM assets WHERE uid = ?", (asset["uid"],))


def _add_version(connection: Connection, asset_uid: str, content: Content) -> None:
    uid, moment = new_uid("v"), now()
    connection.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, NULL)",
        (
            uid,
            asset_uid,
            json.dumps(content, ensure_ascii=False),
            sha256(canonical_json(content))[:40],
            moment,
        ),
    )
    connection.execute(
        "UPDATE assets SET version = ?, modified_at = ? WHERE uid = ?",
        (uid, moment, asset_uid),
    )
