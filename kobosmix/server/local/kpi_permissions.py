"""The API of who may do what with a project."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from starlette.responses import JSONResponse, Response

from kobosmix.server.local.accounts import ANONYMOUS, is_account
from kobosmix.server.local.calls import Call, refusal, require_login
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.kpi import visible
from kobosmix.server.local.rights import (
    LABELS,
    OPEN_TO_ANYONE,
    PARTIAL,
    grant,
    revoke,
    revoke_all,
)
from kobosmix.server.local.views import permission_view, permission_views


def list_permissions(call: Call) -> Response:
    """Everyone's rights: a bare list, without pages."""
    with call.site.database.reading() as connection:
        return JSONResponse(permission_views(connection, call, visible(connection, call)))


def get_permission(call: Call) -> Response:
    """One right of one user."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        for view in permission_views(connection, call, asset):
            if view["url"].endswith(f"/{call.path['uid']}/"):
                return JSONResponse(view)
    raise _no_right()


def post_permission(call: Call) -> Response:
    """Give a right, with all it implies: 201, also if it was given before."""
    require_login(call)
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        granted = _grant(connection, asset, call.fields)
        view = permission_view(call, asset, granted)
    return JSONResponse(view, 201, {"Location": view["url"]})


def post_permissions(call: Call) -> Response:
    """Put these rights in place of all that were given. Who is not named loses every one."""
    require_login(call)
    if not isinstance(call.sent, list):
        kind = type(call.sent).__name__
        said = f'Expected a list of items but got type "{kind}".'
        raise refusal(400, {"assignments": [said]})
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        revoke_all(connection, asset)
        for each in call.sent:
            _grant(connection, asset, each if isinstance(each, dict) else {})
        return JSONResponse(permission_views(connection, call, asset))


def delete_permission(call: Call) -> Response:
    """Take one right away, and those that cannot be without it: 204."""
    require_login(call)
    uid = call.path["uid"]
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        granted = connection.execute(
            "SELECT * FROM permissions WHERE asset = ? AND uid = ?", (asset["uid"], uid)
        ).fetchone()
        if granted is None:
            shown = permission_views(connection, call, asset)
            raise _owners() if any(f"/{uid}/" in each["url"] for each in shown) else _no_right()
        revoke(connection, asset, granted["username"], granted["permission"])
    return Response(status_code=204)


def delete_permissions(call: Call) -> Response:
    """Take all rights of one user away: 204, also if there were none."""
    require_login(call)
    username = call.fields.get("username")
    if not username:
        raise refusal(400, {"username": "This field is required"})
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        if username == asset["owner"]:
            raise _owners()
        revoke_all(connection, asset, str(username))
    return Response(status_code=204)


def _grant(connection: Connection, asset: Record, sent: Mapping[str, Any]) -> Record:
    username = _last_step(sent.get("user"), "users")
    permission = _last_step(sent.get("permission"), "permissions")
    problems = {
        "user": _link_problem(username, is_account(connection, username or "")),
        "permission": _link_problem(permission, permission in (*LABELS, PARTIAL)),
    }
    if any(problems.values()):
        raise refusal(400, {key: [text] for key, text in problems.items() if text})
    if username == asset["owner"]:
        said = "Owner's permissions cannot be assigned explicitly"
        raise refusal(400, {"user": said})
    if username == ANONYMOUS and permission not in OPEN_TO_ANYONE:
        said = f"Anonymous users cannot be granted the permission {permission}."
        raise refusal(400, {"permission": said})
    filters = _filters(sent) if permission == PARTIAL else ""
    return grant(connection, asset, username or "", permission or "", filters)


def _filters(sent: Mapping[str, Any]) -> str:
    given = sent.get("partial_permissions")
    if not isinstance(given, list):
        said = f"This field is required for the '{PARTIAL}' permission"
        raise refusal(400, {"partial_permissions": [said]})
    return json.dumps(
        {
            _last_step(each.get("url"), "permissions"): each.get("filters", [])
            for each in given
            if isinstance(each, dict)
        }
    )


def _owners() -> Exception:
    return refusal(409, {"detail": "Owner's permissions cannot be deleted"})


def _no_right() -> Exception:
    return refusal(404, {"detail": "No ObjectPermission matches the given query."})


def _last_step(link: object, kind: str) -> str | None:
    if not isinstance(link, str):
        return None
    found = re.fullmatch(rf"/api/v2/{kind}/([^/]+)/", unquote(urlparse(link).path))
    return found[1] if found else None


def _link_problem(name: str | None, is_known: bool) -> str:
    if name is None:
        return "Invalid hyperlink - No URL match."
    return "" if is_known else "Invalid hyperlink - Object does not exist."
