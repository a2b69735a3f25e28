"""The local server as an application: routes, logins, and what is said where there is nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kobosmix.server.local import (
    deployments,
    imports,
    kpi,
    kpi_data,
    kpi_deployment,
    openrosa,
)
from kobosmix.server.local.accounts import ANONYMOUS, account_of
from kobosmix.server.local.calls import Handler, Site, crash, endpoint
from kobosmix.server.local.database import Database
from kobosmix.server.local.submissions import InProgress
from kobosmix.server.local.work import Worker

_GONE = (
    "The V1 API has been removed. Please read the migration article at "
    "https://support.kobotoolbox.org/migrating_api.html"
)
_NO_SLASH = "OpenRosa endpoints do not accept a trailing slash. Retry the request at "
_ASSET = "/api/v2/assets/{asset}/"

_KPI: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/me/", kpi.me),
    ("GET", "/token/", kpi.token),
    ("GET", "/service_health/minimal/", kpi.healthy),
    ("GET", "/api/v2/users/{username}/", kpi.user),
    ("GET", "/api/v2/imports/", kpi.list_imports),
    ("POST", "/api/v2/imports/", kpi.post_import),
    ("GET", "/api/v2/imports/{uid}/", kpi.get_import),
    ("GET", "/api/v2/assets/", kpi.list_assets),
    ("GET", _ASSET, kpi.get_asset),
    ("PATCH", _ASSET, kpi.patch_asset),
    ("DELETE", _ASSET, kpi.delete_asset),
    ("GET", f"{_ASSET}versions/{{version}}/", kpi.get_version),
    ("GET", f"{_ASSET}permission-assignments/", kpi.list_permissions),
    ("POST", f"{_ASSET}permission-assignments/", kpi.post_permission),
    ("DELETE", f"{_ASSET}permission-assignments/{{uid}}/", kpi.delete_permission),
    ("GET", f"{_ASSET}deployment/", kpi_deployment.get_deployment),
    ("POST", f"{_ASSET}deployment/", kpi_deployment.post_deployment),
    ("PATCH", f"{_ASSET}deployment/", kpi_deployment.patch_deployment),
    ("GET", f"{_ASSET}files/", kpi_deployment.list_files),
    ("POST", f"{_ASSET}files/", kpi_deployment.post_file),
    ("GET", f"{_ASSET}files/{{uid}}/", kpi_deployment.get_file),
    ("DELETE", f"{_ASSET}files/{{uid}}/", kpi_deployment.delete_file),
    ("GET", f"{_ASSET}files/{{uid}}/content/", kpi_deployment.get_file_content),
    ("GET", f"{_ASSET}data/", kpi_data.list_data),
    ("GET", f"{_ASSET}data/{{submission}}/", kpi_data.get_submission),
    ("DELETE", f"{_ASSET}data/{{submission}}/", kpi_data.delete_submission),
    ("GET", f"{_ASSET}data/{{submission}}/validation_status/", kpi_data.get_validation),
    ("PATCH", f"{_ASSET}data/{{submission}}/validation_status/", kpi_data.patch_validation),
    ("DELETE", f"{_ASSET}data/{{submission}}/validation_status/", kpi_data.delete_validation),
    ("GET", f"{_ASSET}data/{{submission}}/attachments/{{uid}}/", kpi_data.get_attachment),
    ("GET", f"{_ASSET}counts/", kpi_data.counts),
)
_OPENROSA: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/formList", openrosa.form_list),
    ("GET", "/{owner}/formList", openrosa.form_list),
    ("GET", "/forms/{number:int}/form.xml", openrosa.form),
    ("GET", "/xformsManifest/{number:int}", openrosa.manifest),
    ("GET", "/xformsMedia/{number:int}/{file}", openrosa.media),
    ("HEAD", "/submission", openrosa.announce),
    ("HEAD", "/{owner}/submission", openrosa.announce),
    ("POST", "/submission", openrosa.submit),
    ("POST", "/{owner}/submission", openrosa.submit),
)
_OPENROSA_WORDS = ("formList", "submission", "xformsManifest", "xformsMedia")


def create_app(database: Path) -> Starlette:
    """The local server over this database file, which is made if it is not there.

    It holds the file until it is shut down: a second one over the same file is refused.
    """
    site = Site(Database(database, serving=True), Worker(), InProgress())
    routes: list[BaseRoute] = [
        Route(path, endpoint(handler, site), methods=[method])
        for method, path, handler in (*_KPI, *_OPENROSA)
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Login, database=site.database)],
        exception_handlers={404: _nothing_here, 405: _not_allowed, 500: _fault},
        lifespan=partial(_lifespan, site=site),
    )
    # The real server sends another status than the framework does; see _nothing_here.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(_: Starlette, site: Site) -> AsyncIterator[None]:
    with site.database.reading() as connection:
        cut_off = imports.unfinished(connection)
        media_due = deployments.media_due(connection)
    for uid in cut_off:
        site.worker.later(partial(imports.run, site.database, uid))
    for asset in media_due:
        site.worker.later(partial(deployments.bring_media, site.database, asset))
    try:
        yield
    finally:
        await run_in_threadpool(site.worker.stop)
        site.database.close()


class Login:
    """Says who is asking, by the token alone, and tells it back in `X-KoBoNaUt`."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app, self._database = app, database
        self._known = dict[str, str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 401 if it has a wrong token or a password."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, _, secret = Headers(scope=scope).get("authorization", "").partition(" ")
        username: str | None = ANONYMOUS
        if kind.lower() == "token":
            username = self._username(secret.strip())
        if username is None or kind.lower() in ("basic", "digest"):
            await _refused(scope, kind)(scope, receive, send)
            return
        scope.setdefault("state", {})["username"] = username
        await self._app(scope, receive, _named(send, username))

    def _username(self, token: str) -> str | None:
        if token not in self._known:
            with self._database.reading() as connection:
                found = account_of(connection, token)
            if found is None:
                return None
            self._known[token] = found
        return self._known[token]


def _named(send: Send, username: str) -> Send:
    async def with_name(message: Message) -> None:
        if message["type"] == "http.response.start" and username != ANONYMOUS:
            MutableHeaders(scope=message)["X-KoBoNaUt"] = username
        await send(message)

    return with_name


def _refused(scope: Scope, kind: str) -> Response:
    detail = "Invalid token." if kind.lower() == "token" else "Invalid username/password."
    if any(word in scope["path"] for word in (*_OPENROSA_WORDS, "/forms/")):
        return openrosa.challenge(detail)
    return JSONResponse({"detail": detail}, 401)


async def _nothing_here(request: Request, _: Exception) -> Response:
    path = request.url.path
    if path.startswith(("/api/v1/", "/assets/", "/imports/", "/exports/")):
        return _gone(request)
    if path.endswith("/") and any(f"/{word}/" in path for word in _OPENROSA_WORDS):
        return PlainTextResponse(f"{_NO_SLASH}{path.rstrip('/')}", 404)
    if not path.endswith("/") and _is_route(request, f"{path}/"):
        return RedirectResponse(str(request.url.replace(path=f"{path}/")), 301)
    if "application/json" in request.headers.get("accept", ""):
        return PlainTextResponse("Resource not found (404)", 404)
    return HTMLResponse("<!doctype html><title>Resource not found (404)</title>", 404)


def _gone(request: Request) -> Response:
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"detail": _GONE}, 410)
    return HTMLResponse(f"<!doctype html><title>410</title><p>{_GONE}</p>", 410)


def _is_route(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path}
    return any(route.matches(scope)[0] is not Match.NONE for route in request.app.routes)


async def _not_allowed(request: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, HTTPException) else None
    detail = f'Method "{request.method}" not allowed.'
    return JSONResponse({"detail": detail}, 405, headers=headers)


async def _fault(request: Request, _: Exception) -> Response:
    return crash(request.headers.get("accept", ""))
