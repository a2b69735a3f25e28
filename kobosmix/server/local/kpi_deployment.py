"""The API of one project's deployment and its media files."""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import sqlite3
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from kobosmix.engines.xform import FormRefused
from kobosmix.server.local import deployments, history
from kobosmix.server.local.calls import (
    Call,
    CrashError,
    Part,
    not_found,
    refusal,
    require_login,
)
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.device_form import FormCrash
from kobosmix.server.local.kpi import visible
from kobosmix.server.local.records import md5, new_uid, now
from kobosmix.server.local.views import asset_view, file_view, page

# By name and not by the system's own list, which on Windows depends on what is installed.
_MIMETYPES = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "xml": "application/xml",
    "zip": "application/zip",
}


def get_deployment(call: Call) -> Response:
    """The deployment, or 404 while there is none."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        if deployments.deployment(connection, asset["uid"]) is None:
            raise not_found()
        return JSONResponse(_deployed_view(connection, call, asset["uid"]))


def post_deployment(call: Call) -> Response:
    """Deploy for the first time; archived at once, unless `active` is sent."""
    require_login(call)
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "change_asset")
        if deployments.deployment(connection, asset["uid"]):
            detail = "Use PATCH to update an existing deployment"
            raise refusal(405, {"detail": detail})
        try:
            is_active = _is_true(call.fields.get("active", False))
            deployments.deploy(connection, asset, active=is_active)
            history.of_project(connection, asset["uid"], "deploy", call.username)
        except FormRefused as error:
            raise refusal(400, {"error": str(error)}) from error
        except FormCrash as error:
            raise CrashError from error
        answer = _deployed_view(connection, call, asset["uid"])
    _bring_media(call)
    return JSONResponse(answer)


def patch_deployment(call: Call) -> Response:
    """Redeploy the newest version, if it is named; open or archive the form, if that is sent."""
    require_login(call)
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "change_asset")
        deployed = deployments.deployment(connection, asset["uid"])
        if deployed is None:
            detail = "Use POST to create a new deployment"
            raise refusal(405, {"detail": detail})
        if "version_id" in call.fields:
            _redeploy(connection, call, asset, deployed)
        if "active" in call.fields:
            is_active = _is_true(call.fields["active"])
            deployments.set_active(connection, deployed, active=is_active)
            if is_active != bool(deployed["active"]):
                action = "unarchive" if is_active else "archive"
                history.of_project(connection, asset["uid"], action, call.username)
        answer = _deployed_view(connection, call, asset["uid"])
    if "version_id" in call.fields:
        _bring_media(call)
    return JSONResponse(answer)


def _redeploy(connection: Connection, call: Call, asset: Record, deployed: Record) -> None:
    if call.fields["version_id"] != asset["version"]:
        # The real server has this case unwritten: NotImplementedError.
        raise CrashError
    try:
        deployments.redeploy(connection, asset, deployed)
        history.of_project(connection, asset["uid"], "redeploy", call.username)
    except FormRefused as error:
        raise refusal(400, {"error": str(error)}) from error
    except FormCrash as error:
        raise CrashError from error


def _bring_media(call: Call) -> None:
    task = partial(deployments.bring_media, call.site.database, call.path["asset"])
    call.site.worker.later(task)


def _is_true(sent: object) -> bool:
    return sent is True or (isinstance(sent, str) and sent.lower() in ("true", "1", "on"))


def _deployed_view(connection: Connection, call: Call, uid: str) -> dict[str, Any]:
    asset = visible(connection, call)
    deployed = deployments.deployment(connection, uid)
    if deployed is None:
        raise not_found()
    return {
        "backend": "openrosa",
        "active": bool(deployed["active"]),
        "version_id": deployed["version"],
        "asset": asset_view(connection, call, asset),
    }


def list_files(call: Call) -> Response:
    """The media files of the project."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        rows = connection.execute(
            "SELECT * FROM files WHERE asset = ? ORDER BY rowid", (asset["uid"],)
        ).fetchall()
    views = [file_view(call, row) for row in rows]
    return JSONResponse(page(call, views, count=len(views), start=0, limit=len(views) or 1))


def post_file(call: Call) -> Response:
    """Add a media file. Devices get it with the next redeployment."""
    require_login(call)
    part = _sent_file(call)
    description = call.fields.get("description")
    if not description:
        raise refusal(400, {"description": ["This field is required."]})
    mimetype = _mimetype(part.filename)
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "change_asset")
        uid = new_uid("af")
        values = (uid, asset["uid"], part.filename, str(description), mimetype)
        try:
            connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, md5(part.content), part.content, now()),
            )
        except sqlite3.IntegrityError as error:
            raise refusal(400, {"content": ["File already exists"]}) from error
        return JSONResponse(file_view(call, _file(connection, asset, uid)), 201)


def _sent_file(call: Call) -> Part:
    if "content" in call.parts:
        if "metadata" not in call.fields:
            raise CrashError
        return call.parts["content"]
    encoded = call.fields.get("base64Encoded")
    if not isinstance(encoded, str):
        raise refusal(400, {"content": ["No file was submitted."]})
    metadata = call.fields.get("metadata")
    try:
        known = json.loads(metadata) if isinstance(metadata, str) else metadata or {}
        filename = str(known["filename"])
        body = base64.b64decode(encoded.partition("base64,")[2])
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise refusal(400, {"metadata": ["This field is required."]}) from error
    return Part(filename, "", body)


def _mimetype(filename: str) -> str:
    found = _MIMETYPES.get(filename.rpartition(".")[2].lower())
    guessed = found or mimetypes.guess_type(filename, strict=True)[0] or ""
    if found or guessed.startswith(("image/", "audio/", "video/")):
        return guessed
    raise refusal(400, {"content": ["MIME type not allowed"]})


def delete_file(call: Call) -> Response:
    """Remove a media file: 204. Devices keep it until the next redeployment."""
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "change_asset")
        file = _file(connection, asset, call.path["uid"])
        connection.execute("DELETE FROM files WHERE uid = ?", (file["uid"],))
    return Response(status_code=204)


def get_file(call: Call) -> Response:
    """What is known of a media file."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        return JSONResponse(file_view(call, _file(connection, asset, call.path["uid"])))


def get_file_content(call: Call) -> Response:
    """The bytes of a media file."""
    with call.site.database.reading() as connection:
        file = _file(connection, visible(connection, call), call.path["uid"])
    return Response(file["content"], media_type=file["mimetype"])


def _file(connection: Connection, asset: Record, uid: str) -> Record:
    found: Record | None = connection.execute(
        "SELECT * FROM files WHERE asset = ? AND uid = ?", (asset["uid"], uid)
    ).fetchone()
    if found is None:
        raise not_found()
    return found
