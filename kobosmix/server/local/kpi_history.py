"""The API of a project's history."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from kobosmix.server.local.calls import Call, require_login
from kobosmix.server.local.database import Record
from kobosmix.server.local.history import MEANING
from kobosmix.server.local.kpi import searched, visible, whole
from kobosmix.server.local.queries import ALL
from kobosmix.server.local.views import page

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000


def list_history(call: Call) -> Response:
    """What was done to the project and its submissions, the newest first.

    The real server also notes who looked at submissions; this one does not.
    """
    require_login(call)
    start = whole(call, "start", 0)
    limit = min(whole(call, "limit", 0) or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    wanted = searched(call, MEANING) or ALL
    with call.site.database.reading() as connection:
        asset = visible(connection, call, "manage_asset")
        where = f"FROM history WHERE asset = ? AND {wanted.text}"
        values = (asset["uid"], *wanted.values)
        (count,) = connection.execute(f"SELECT count(*) {where}", values).fetchone()
        rows = connection.execute(
            f"SELECT * {where} ORDER BY number DESC LIMIT ? OFFSET ?", (*values, limit, start)
        ).fetchall()
    views = [_view(call, asset, row) for row in rows]
    return JSONResponse(page(call, views, count=count, start=start, limit=limit))


def list_actions(call: Call) -> Response:
    """The kinds of entries that the project's history has."""
    require_login(call)
    with call.site.database.reading() as connection:
        asset = visible(connection, call, "manage_asset")
        rows = connection.execute(
            "SELECT DISTINCT action FROM history WHERE asset = ? ORDER BY action",
            (asset["uid"],),
        ).fetchall()
    return JSONResponse({"actions": [row["action"] for row in rows]})


def _view(call: Call, asset: Record, row: Record) -> dict[str, Any]:
    return {
        "user": call.link("users", row["username"]),
        "username": row["username"],
        "action": row["action"],
        "metadata": {
            "source": "",
            "asset_uid": asset["uid"],
            "ip_address": "127.0.0.1",
            **json.loads(row["details"]),
            "log_subtype": "project",
            "project_owner": asset["owner"],
        },
        "date_created": row["created_at"],
    }
