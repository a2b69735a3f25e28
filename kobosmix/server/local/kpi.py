"""The API of projects: login check, imports, list, detail, versions, permissions."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlparse

from starlette.responses import JSONResponse, PlainTextResponse, Response

from kobosmix.server.local import assets, imports
from kobosmix.server.local.accounts import ANONYMOUS, is_account
from kobosmix.server.local.calls import (
    Call,
    CrashError,
    not_found,
    refusal,
    require_login,
)
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployed_versions
from kobosmix.server.local.rights import LABELS, OPEN_TO_ANYONE, grant, rights, take
from kobosmix.server.local.views import (
    asset_summary,
    asset_view,
    page,
    permission_view,
    permission_views,
    version_view,
)

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
_SHORTEST_SEARCH = 3
_TERM = re.compile(r'(\w+):(?:"([^"]*)"|(\S+))')


def me(call: Call) -> Response:
    """Who the server thinks is asking; 401 for nobody."""
    require_login(call)
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return JSONResponse(
        {
            "username": call.username,
            "email": "",
            "is_superuser": False,
            "server_time": moment,
            "projects_url": f"{call.host}/{call.username}",
            "extra_details": {"require_auth": True},
            "validated_password": True,
            "accepted_tos": False,
        }
    )


def token(call: Call) -> Response:
    """Tokens are given out on the command line; this address only says that one is needed."""
    require_login(call)
    raise refusal(403, {"detail": "You do not have permission to perform this action."})


def healthy(_: Call) -> Response:
    """The server is there."""
    return PlainTextResponse("ok")


def user(call: Call) -> Response:
    """An account, to who is logged in."""
    require_login(call)
    name = call.path["username"]
    with call.site.database.reading() as connection:
        if not is_account(connection, name):
            raise not_found()
    return JSONResponse({"url": call.link("users", name), "username": name})


def post_import(call: Call) -> Response:
    """Take a workbook in, whatever is in it: 201. What became of it, the poll tells."""
    require_login(call)
    fields = {key: text for key, text in call.fields.items() if isinstance(text, str)}
    workbook = _workbook(call, fields.pop("base64Encoded", None))
    with call.site.database.writing() as connection:
        uid = imports.begin(connection, call.username, workbook, fields)
    call.site.worker.later(partial(imports.run, call.site.database, uid))
    return JSONResponse(
        {"uid": uid, "url": call.link("imports", uid), "status": "processing"}, 201
    )


def _workbook(call: Call, encoded: str | None) -> bytes | None:
    if encoded is None:
        return call.parts["file"].content if "file" in call.parts else None
    _, mark, body = encoded.partition("base64,")
    if not mark:
        raise CrashError
    try:
        return base64.b64decode(body, validate=False)
    except binascii.Error as error:
        raise CrashError from error


def list_imports(_: Call) -> Response:
    """The real server fails here as soon as there is one import to list."""
    raise CrashError


def get_import(call: Call) -> Response:
    """How far an import is: 200, also when it went wrong."""
    with call.site.database.reading() as connection:
        task = connection.execute(
            "SELECT * FROM imports WHERE uid = ? AND username = ?",
            (call.path["uid"], call.username),
        ).fetchone()
    if task is None:
        raise not_found()
    return JSONResponse(
        {
            "uid": task["uid"],
            "url": call.link("imports", task["uid"]),
            "status": task["status"],
            "messages": json.loads(task["messages"]),
            "date_created": task["created_at"],
        }
    )


def list_assets(call: Call) -> Response:
    """The projects this user may see, the last changed first; none for nobody, with 200."""
    start, limit = _whole(call, "start", 0), _whole(call, "limit", 0)
    limit = min(limit or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    is_wanted = _search(call.query.get("q", ""))
    with call.site.database.reading() as connection:
        rows = connection.execute("SELECT * FROM assets ORDER BY modified_at DESC, uid")
        seen = [row for row in rows if "view_asset" in rights(connection, row, call.username)]
        shown = [asset_summary(connection, call, row) for row in seen]
    found = [each for each in shown if is_wanted(each)]
    results = found[start : start + limit]
    return JSONResponse(page(call, results, count=len(found), start=start, limit=limit))


def _whole(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _search(query: str) -> Callable[[dict[str, Any]], bool]:
    """The test that `q` puts to a project: `asset_type:survey AND name:"Baseline"`."""
    tests = list[Callable[[dict[str, Any]], bool]]()
    for term in filter(None, (each.strip() for each in re.split(r"\bAND\b", query))):
        if found := _TERM.fullmatch(term):
            tests.append(_field_test(found[1], found[2] or found[3] or ""))
        elif len(term) < _SHORTEST_SEARCH:
            raise refusal(400, {"detail": "Your query is too short"})
        else:
            tests.append(_field_test("name__icontains", term.strip('"')))
    return lambda shown: all(test(shown) for test in tests)


def _field_test(field: str, wanted: str) -> Callable[[dict[str, Any]], bool]:
    if field == "name__icontains":
        return lambda shown: wanted.casefold() in shown["name"].casefold()
    key = {"_deployment_status": "deployment_status"}.get(field, field)
    if key not in ("name", "uid", "asset_type", "owner__username", "deployment_status"):
        # The real server knows no such field either, and finds nothing.
        return lambda _: False
    return lambda shown: shown[key] == wanted


def visible(connection: Connection, call: Call, right: str = "view_asset") -> Record:
    """The project of this address: 404 if the user may not see it, 403 if not do this with it."""
    asset = assets.asset(connection, call.path["asset"])
    if asset is None:
        raise not_found()
    may = rights(connection, asset, call.username)
    if "view_asset" not in may:
        raise not_found()
    if right not in may:
        detail = "You do not have permission to perform this action."
        raise refusal(403, {"detail": detail})
    return asset


def get_asset(call: Call) -> Response:
    """The whole project."""
    with call.site.database.reading() as connection:
        return JSONResponse(asset_view(connection, call, visible(connection, call)))


def patch_asset(call: Call) -> Response:
    """Change name, content or settings; the first two make a new version if they differ."""
    require_login(call)
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "change_asset")
        content = call.fields.get("content", assets.content_of(connection, asset))
        if isinstance(content, str):
            content = json.loads(content)
        assets.change(connection, asset, str(call.fields.get("name", asset["name"])), content)
        if "settings" in call.fields:
            assets.set_settings(connection, asset, call.fields["settings"])
    return get_asset(call)


def delete_asset(call: Call) -> Response:
    """Delete the project and its submissions: 204."""
    with call.site.database.writing() as connection:
        assets.delete(connection, visible(connection, call, "manage_asset"))
    return Response(status_code=204)


def get_version(call: Call) -> Response:
    """A version with its content: what was really asked under this `__version__`."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        version = assets.version(connection, call.path["version"])
        if not version or version["asset"] != asset["uid"]:
            raise not_found()
        deployed = [row["uid"] for row in reversed(deployed_versions(connection, asset["uid"]))]
    number = deployed.index(version["uid"]) + 1 if version["uid"] in deployed else 0
    shown = version_view(call, version, number)
    return JSONResponse({**shown, "content": json.loads(version["content"])})


def list_permissions(call: Call) -> Response:
    """Everyone's rights: a bare list, without pages."""
    with call.site.database.reading() as connection:
        return JSONResponse(permission_views(connection, call, visible(connection, call)))


def post_permission(call: Call) -> Response:
    """Give a right, with all it implies: 201, also if it was given before."""
    require_login(call)
    username = _last_step(call.fields.get("user"), "users")
    permission = _last_step(call.fields.get("permission"), "permissions")
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        problems = {
            "user": _link_problem(username, is_account(connection, username or "")),
            "permission": _link_problem(permission, permission in LABELS),
        }
        if any(problems.values()):
            raise refusal(400, {key: [text] for key, text in problems.items() if text})
        if username == ANONYMOUS and permission not in OPEN_TO_ANYONE:
            raise refusal(400, {"permission": ["Anonymous users cannot have this permission."]})
        granted = grant(connection, asset, username or "", permission or "")
        return JSONResponse(permission_view(call, asset, granted), 201)


def delete_permission(call: Call) -> Response:
    """Take one right back: 204. The owner's own cannot be taken."""
    with call.site.database.writing() as connection:
        asset = visible(connection, call, "manage_asset")
        granted = connection.execute(
            "SELECT * FROM permissions WHERE asset = ? AND uid = ?",
            (asset["uid"], call.path["uid"]),
        ).fetchone()
        if granted is None:
            raise not_found()
        take(connection, granted)
    return Response(status_code=204)


def _last_step(link: object, kind: str) -> str | None:
    if not isinstance(link, str):
        return None
    found = re.fullmatch(rf"/api/v2/{kind}/([^/]+)/", unquote(urlparse(link).path))
    return found[1] if found else None


def _link_problem(name: str | None, is_known: bool) -> str:
    if name is None:
        return "Invalid hyperlink - No URL match."
    return "" if is_known else "Invalid hyperlink - Object does not exist."
