"""Projects, versions and permissions as the API shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from kobosmix.server.local import assets
from kobosmix.server.local.calls import Call
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployed_versions, deployment
from kobosmix.server.local.rights import LABELS, PARTIAL, rights

View = dict[str, Any]
_PARTIAL_LABEL = {"default": "Act on submissions only from specific users"}


def asset_view(connection: Connection, call: Call, asset: Record) -> View:
    """The whole project: the list's fields, its content, files and permissions."""
    return {
        **asset_summary(connection, call, asset),
        "content": assets.content_of(connection, asset),
        "files": [file_view(call, row) for row in _files(connection, asset)],
        "permissions": permission_views(connection, call, asset),
        "effective_permissions": [
            {"codename": each} for each in sorted(rights(connection, asset, call.username))
        ],
    }


def asset_summary(connection: Connection, call: Call, asset: Record) -> View:
    """The project as the list has it: without its content."""
    uid, owner = asset["uid"], asset["owner"]
    draft = assets.draft(connection, asset)
    count = connection.execute("SELECT count(*) FROM versions WHERE asset = ?", (uid,))
    return {
        "url": call.link("assets", uid),
        "uid": uid,
        "kind": "asset",
        "name": asset["name"],
        "asset_type": asset["kind"],
        "owner": call.link("users", owner),
        "owner__username": owner,
        "settings": json.loads(asset["settings"]),
        "date_created": asset["created_at"],
        "date_modified": asset["modified_at"],
        "version_id": asset["version"],
        "version__content_hash": draft["content_hash"],
        "version_count": count.fetchone()[0],
        "summary": _summary(json.loads(draft["content"])),
        "data": call.link("assets", uid, "data"),
        "exports": call.link("assets", uid, "exports"),
        "downloads": [],
        **_deployment_fields(connection, call, asset),
    }


def _deployment_fields(connection: Connection, call: Call, asset: Record) -> View:
    uid = asset["uid"]
    deployed = deployment(connection, uid)
    versions = deployed_versions(connection, uid)
    received = connection.execute(
        "SELECT count(*) AS number, max(submitted_at) AS last FROM submissions WHERE asset = ?",
        (uid,),
    ).fetchone()
    return {
        "has_deployment": deployed is not None,
        "deployment_status": _status(asset, deployed),
        "deployment__active": bool(deployed and deployed["active"]),
        "deployment__uuid": deployed["uuid"] if deployed else None,
        "deployed_version_id": deployed["version"] if deployed else None,
        "date_deployed": versions[0]["deployed_at"] if versions else None,
        "deployed_versions": {
            "count": len(versions),
            "next": None,
            "previous": None,
            "results": [
                version_view(call, row, number)
                for row, number in zip(versions, range(len(versions), 0, -1), strict=True)
            ],
        },
        "deployment__submission_count": received["number"],
        "deployment__last_submission_time": received["last"] and f"{received['last']}Z",
        "deployment__links": {},
        "deployment__data_download_links": _download_links(call, asset) if deployed else {},
    }


def _status(asset: Record, deployed: Record | None) -> str:
    if asset["kind"] != "survey":
        return "-"
    if deployed is None:
        return "draft"
    return "deployed" if deployed["active"] else "archived"


def _download_links(call: Call, asset: Record) -> Mapping[str, str]:
    start = f"{call.host}/{asset['owner']}/exports/{asset['uid']}"
    return {"xls_legacy": f"{start}/xls/", "csv_legacy": f"{start}/csv/"}


def _summary(content: Mapping[str, Any]) -> View:
    return {"row_count": len(content["survey"]), "languages": content["translations"]}


def version_view(call: Call, version: Record, number: int) -> View:
    """A version without its content. `number` counts the deployed ones, from 1."""
    return {
        "uid": version["uid"],
        "url": call.link("assets", version["asset"], "versions", version["uid"]),
        "content_hash": version["content_hash"],
        "date_deployed": version["deployed_at"],
        "date_modified": version["created_at"],
        "version_number": str(number),
    }


def permission_views(connection: Connection, call: Call, asset: Record) -> list[View]:
    """Everyone's rights, the owner's first."""
    granted = connection.execute(
        "SELECT * FROM permissions WHERE asset = ? ORDER BY rowid", (asset["uid"],)
    )
    owned = [
        _permission(call, asset, asset["owner"], each, f"p{asset['uid'][1:-2]}{number:02}")
        for number, each in enumerate(LABELS)
    ]
    return owned + [permission_view(call, asset, row) for row in granted]


def permission_view(call: Call, asset: Record, granted: Record) -> View:
    """One right of one user."""
    username, permission = granted["username"], granted["permission"]
    view = _permission(call, asset, username, permission, granted["uid"])
    if permission != PARTIAL:
        return view
    filters = json.loads(granted["filters"])
    partial = [
        {"url": call.link("permissions", each), "filters": filters[each]} for each in filters
    ]
    return {**view, "partial_permissions": partial}


def _permission(call: Call, asset: Record, username: str, permission: str, uid: str) -> View:
    return {
        "url": call.link("assets", asset["uid"], "permission-assignments", uid),
        "user": call.link("users", username),
        "permission": call.link("permissions", permission),
        "label": LABELS.get(permission, _PARTIAL_LABEL),
    }


def file_view(call: Call, file: Record) -> View:
    """A media file, as it would go to devices."""
    url = call.link("assets", file["asset"], "files", file["uid"])
    return {
        "uid": file["uid"],
        "url": url,
        "asset": call.link("assets", file["asset"]),
        "file_type": "form_media",
        "description": file["description"],
        "date_created": file["created_at"],
        "content": f"{url}content/",
        "metadata": {
            "filename": file["filename"],
            "hash": f"md5:{file['md5']}",
            "mimetype": file["mimetype"],
        },
    }


def _files(connection: Connection, asset: Record) -> list[Record]:
    return connection.execute(
        "SELECT * FROM files WHERE asset = ? ORDER BY rowid", (asset["uid"],)
    ).fetchall()


def page(call: Call, results: list[Any], *, count: int, start: int, limit: int) -> View:
    """The envelope of a list, with links to the pages before and after."""
    # The real server takes no notice of `offset` but for this link: rows in between are lost
    # to who uses it, and a client must not.
    shown = int(call.query["offset"]) if call.query.get("offset", "").isdigit() else start
    return {
        "count": count,
        "next": _page_link(call, shown + limit, limit) if shown + limit < count else None,
        "previous": _page_link(call, max(0, shown - limit), limit) if shown > 0 else None,
        "results": results,
    }


def _page_link(call: Call, start: int, limit: int) -> str:
    kept = {key: text for key, text in call.query.items() if key != "offset"}
    return f"{call.address}?{urlencode({**kept, 'start': start, 'limit': limit})}"
