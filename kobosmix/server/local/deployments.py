"""Deployments: which version devices get, and which media files with it."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

from kobosmix.server.local import assets
from kobosmix.server.local.database import Connection, Database, Record
from kobosmix.server.local.device_form import DeviceForm, Names, device_form
from kobosmix.server.local.records import now

# The real server takes as long to bring media to devices (0.4 s was measured). A client that
# does not wait for them must fail here too, not only in the field.
_MEDIA_DELAY_S = 0.2


def deployment(connection: Connection, asset_uid: str) -> Record | None:
    """The deployment of this project, or None while it is a draft."""
    found: Record | None = connection.execute(
        "SELECT * FROM deployments WHERE asset = ?", (asset_uid,)
    ).fetchone()
    return found


def deployed_versions(connection: Connection, asset_uid: str) -> list[Record]:
    """Every version that was ever deployed, the newest first."""
    return connection.execute(
        "SELECT * FROM versions WHERE asset = ? AND deployed_at IS NOT NULL"
        " ORDER BY deployed_at DESC, rowid DESC",
        (asset_uid,),
    ).fetchall()


def deploy(connection: Connection, asset: Record, *, active: bool) -> None:
    """Deploy the draft for the first time. Raises as `device_form` does."""
    names = _names(connection, asset, uuid.uuid4().hex)
    form = _form(connection, asset, names)
    connection.execute(
        "INSERT INTO deployments (asset, uuid, active, version, title, label, form, repeats,"
        " media_due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            asset["uid"],
            names.uuid,
            int(active),
            names.version,
            names.title,
            names.label,
            form.xml,
            form.repeats,
        ),
    )


def redeploy(connection: Connection, asset: Record, deployed: Record) -> None:
    """Give devices the draft and the media files as they are now."""
    names = _names(connection, asset, deployed["uuid"])
    form = _form(connection, asset, names)
    connection.execute(
        "UPDATE deployments SET version = ?, title = ?, label = ?, form = ?, repeats = ?,"
        " media_due = 1 WHERE number = ?",
        (
            names.version,
            names.title,
            names.label,
            form.xml,
            form.repeats,
            deployed["number"],
        ),
    )


def set_active(connection: Connection, deployed: Record, *, active: bool) -> None:
    """Open the form for submissions, or archive it; devices get no new version."""
    connection.execute(
        "UPDATE deployments SET active = ? WHERE number = ?", (int(active), deployed["number"])
    )


def media_due(connection: Connection) -> list[str]:
    """The projects whose media a stop of the server has kept from devices."""
    rows = connection.execute("SELECT asset FROM deployments WHERE media_due")
    return [row["asset"] for row in rows]


def bring_media(database: Database, asset_uid: str) -> None:
    """Let devices have the project's media files, a moment after the deployment."""
    time.sleep(_MEDIA_DELAY_S)
    with database.writing() as connection:
        deployed = deployment(connection, asset_uid)
        if deployed is None:
            return
        number = deployed["number"]
        # A file that has not changed keeps its id, and so its address.
        connection.execute(
            "DELETE FROM device_files WHERE deployment = ? AND (filename, md5) NOT IN"
            " (SELECT filename, md5 FROM files WHERE asset = ?)",
            (number, asset_uid),
        )
        connection.execute(
            "INSERT INTO device_files (deployment, filename, mimetype, md5, content)"
            " SELECT ?, filename, mimetype, md5, content FROM files WHERE asset = ?"
            " ON CONFLICT DO NOTHING",
            (number, asset_uid),
        )
        connection.execute("UPDATE deployments SET media_due = 0 WHERE number = ?", (number,))


def _names(connection: Connection, asset: Record, deployment_uuid: str) -> Names:
    connection.execute(
        "UPDATE versions SET deployed_at = coalesce(deployed_at, ?) WHERE uid = ?",
        (now(), asset["version"]),
    )
    number = len(deployed_versions(connection, asset["uid"]))
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    title = assets.content_of(connection, asset)["settings"].get("form_title")
    return Names(
        uid=asset["uid"],
        title=title or asset["name"],
        label=f"{number} ({moment})",
        version=asset["version"],
        uuid=deployment_uuid,
    )


def _form(connection: Connection, asset: Record, names: Names) -> DeviceForm:
    return device_form(assets.content_of(connection, asset), names)


def repeats(deployed: Record) -> list[str]:
    """The paths of the repeats in the deployed form."""
    paths: list[str] = json.loads(deployed["repeats"])
    return paths
