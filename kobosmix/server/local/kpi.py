"""The API of projects: login check, imports, list, detail, versions, permissions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from starlette.responses import JSONResponse, PlainTextResponse, Response

from kobosmix.server.local import assets, imports
from kobosmix.server.local.accounts import is_account
from kobosmix.server.local.calls import (
    Call,
    CrashError,
    not_found,
    refusal,
    require_login,
)
from kobosmix.server.local.content import Content, ImportRefused, content_of_rows
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployed_versions
from kobosmix.server.local.rights import rights
from kobosmix.server.local.searches import Meaning, SearchTooShort, understood
from kobosmix.server.local.views import (
    asset_summary,
    asset_view,
    page,
    version_view,
)

_ASSET_TYPES = ("survey", "block", "question", "template", "collection")
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
Test = Callable[[dict[str, Any]], bool]
T = TypeVar("T")


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
    """The token that one logged in with. The server does not know any other: none is stored."""
    require_login(call)
    if "username" in call.query or not call.secret:
        detail = "You do not have permission to perform this action."
        raise refusal(403, {"detail": detail})
    return JSONResponse({"token": call.secret})


def healthy(_: Call) -> Response:
    """The server is there."""
    return PlainTextResponse("ok")


def environment(_: Call) -> Response:
    """What the real server's pages are set up with; here, what a client may go by."""
    return JSONResponse({"frontend_min_retry_time": 2, "frontend_max_retry_time": 120})


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
    start, limit = whole(call, "start", 0), whole(call, "limit", 0)
    limit = min(limit or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    is_wanted = searched(call, _MEANING) or (lambda _: True)
    with call.site.database.reading() as connection:
        rows = connection.execute("SELECT * FROM assets ORDER BY modified_at DESC, uid")
        seen = [row for row in rows if "view_asset" in rights(connection, row, call.username)]
        shown = [asset_summary(connection, call, row) for row in seen]
    found = [each for each in shown if is_wanted(each)]
    results = found[start : start + limit]
    return JSONResponse(page(call, results, count=len(found), start=start, limit=limit))


def searched(call: Call, meaning: Meaning[T]) -> T | None:
    """What the `q` of the address means; None where there is none."""
    try:
        return understood(call.query.get("q", ""), meaning)
    except SearchTooShort as error:
        raise refusal(400, {"detail": "Your query is too short"}) from error


def whole(call: Call, name: str, default: int) -> int:
    """A number of the address's query; what is none counts for the default."""
    text = call.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _field_test(field: str, wanted: str) -> Test:
    if field in ("", "name__icontains"):
        return lambda shown: wanted.casefold() in shown["name"].casefold()
    key = {"_deployment_status": "deployment_status"}.get(field, field)
    if key not in ("name", "uid", "asset_type", "owner__username", "deployment_status"):
        # The real server knows no such field either, and finds nothing.
        return lambda _: False
    return lambda shown: shown[key] == wanted


_MEANING: Meaning[Test] = Meaning(
    term=_field_test,
    both=lambda one, other: lambda shown: one(shown) and other(shown),
    either=lambda one, other: lambda shown: one(shown) or other(shown),
    opposite=lambda one: lambda shown: not one(shown),
)


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
        content = assets.content_of(connection, asset)
        if "content" in call.fields:
            content = _sent_content(call.fields["content"])
        assets.change(connection, asset, str(call.fields.get("name", asset["name"])), content)
        if "settings" in call.fields:
            assets.set_settings(connection, asset, call.fields["settings"])
    return get_asset(call)


def delete_asset(call: Call) -> Response:
    """Delete the project and its submissions: 204."""
    with call.site.database.writing() as connection:
        assets.delete(connection, visible(connection, call, "manage_asset"))
    return Response(status_code=204)


def post_asset(call: Call) -> Response:
    """Make a project of rows sent as JSON: 201. What is wrong with them shows at deployment."""
    require_login(call)
    kind = call.fields.get("asset_type")
    if kind is None:
        raise refusal(400, {"asset_type": ["This field is required."]})
    if kind not in _ASSET_TYPES:
        raise refusal(400, {"asset_type": [f'"{kind}" is not a valid choice.']})
    content = _sent_content(call.fields.get("content", {}))
    with call.site.database.writing() as connection:
        name = str(call.fields.get("name", ""))
        uid = assets.create(connection, call.username, kind, name, content)
        asset = assets.asset(connection, uid)
        if asset is None:
            raise CrashError
        if "settings" in call.fields:
            assets.set_settings(connection, asset, call.fields["settings"])
        view = asset_view(connection, call, asset)
    return JSONResponse(view, 201, {"Location": view["url"]})


def _sent_content(sent: Any) -> Content:
    try:
        return content_of_rows(json.loads(sent) if isinstance(sent, str) else sent)
    except (ValueError, ImportRefused) as error:
        raise CrashError from error


def list_versions(call: Call) -> Response:
    """The versions that were deployed, the newest first."""
    with call.site.database.reading() as connection:
        rows = deployed_versions(connection, visible(connection, call)["uid"])
    views = [
        version_view(call, row, number)
        for row, number in zip(rows, range(len(rows), 0, -1), strict=True)
    ]
    start = whole(call, "start", 0)
    limit = min(whole(call, "limit", 0) or _DEFAULT_LIMIT, _LARGEST_LIMIT)
    shown = views[start : start + limit]
    return JSONResponse(page(call, shown, count=len(views), start=start, limit=limit))


def get_version(call: Call) -> Response:
    """A version with its content: what was really asked under this `__version__`."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        version = assets.version(connection, call.path["version"])
        if not version or version["asset"] != asset["uid"]:
            raise refusal(404, {"detail": "No AssetVersion matches the given query."})
        deployed = [row["uid"] for row in reversed(deployed_versions(connection, asset["uid"]))]
    number = deployed.index(version["uid"]) + 1 if version["uid"] in deployed else 0
    shown = version_view(call, version, number)
    return JSONResponse({**shown, "content": json.loads(version["content"])})
