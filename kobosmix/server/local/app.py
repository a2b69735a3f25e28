"""The local server as an application: routes, logins, and what is said where there is nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
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

from kobosmix.server.local import (
    deployments,
    imports,
    kpi,
    kpi_bulk,
    kpi_data,
    kpi_deployment,
    kpi_history,
    kpi_permissions,
    openrosa,
)
from kobosmix.server.local.calls import Handler, Site, crash, endpoint
from kobosmix.server.local.database import Database
from kobosmix.server.local.logins import LoginCheck
from kobosmix.server.local.submissions import InProgress
from kobosmix.server.local.work import Worker

_GONE = (
    "The V1 API has been removed. Please read the migration article at "
    "https://support.kobotoolbox.org/migrating_api.html"
)
_NO_SLASH = "OpenRosa endpoints do not accept a trailing slash. Retry the request at "
_ASSET = "/api/v2/assets/{asset}/"
_RIGHTS = f"{_ASSET}permission-assignments/"
_DATA = f"{_ASSET}data/"
_ONE = f"{_DATA}{{submission}}/"

_KPI: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/me/", kpi.me),
    ("GET", "/token/", kpi.token),
    ("GET", "/service_health/minimal/", kpi.healthy),
    ("GET", "/api/v2/environment/", kpi.environment),
    ("GET", "/api/v2/users/{username}/", kpi.user),
    ("GET", "/api/v2/imports/", kpi.list_imports),
    ("POST", "/api/v2/imports/", kpi.post_import),
    ("GET", "/api/v2/imports/{uid}/", kpi.get_import),
    ("GET", "/api/v2/assets/", kpi.list_assets),
    ("POST", "/api/v2/assets/", kpi.post_asset),
    ("GET", _ASSET, kpi.get_asset),
    ("PATCH", _ASSET, kpi.patch_asset),
    ("DELETE", _ASSET, kpi.delete_asset),
    ("GET", f"{_ASSET}versions/", kpi.list_versions),
    ("GET", f"{_ASSET}versions/{{version}}/", kpi.get_version),
    ("GET", _RIGHTS, kpi_permissions.list_permissions),
    ("POST", _RIGHTS, kpi_permissions.post_permission),
    ("POST", f"{_RIGHTS}bulk/", kpi_permissions.post_permissions),
    ("DELETE", f"{_RIGHTS}bulk/", kpi_permissions.delete_permissions),
    ("GET", f"{_RIGHTS}{{uid}}/", kpi_permissions.get_permission),
    ("DELETE", f"{_RIGHTS}{{uid}}/", kpi_permissions.delete_permission),
    ("GET", f"{_ASSET}history/", kpi_history.list_history),
    ("GET", f"{_ASSET}history/actions/", kpi_history.list_actions),
    ("GET", f"{_ASSET}deployment/", kpi_deployment.get_deployment),
    ("POST", f"{_ASSET}deployment/", kpi_deployment.post_deployment),
    ("PATCH", f"{_ASSET}deployment/", kpi_deployment.patch_deployment),
    ("GET", f"{_ASSET}files/", kpi_deployment.list_files),
    ("POST", f"{_ASSET}files/", kpi_deployment.post_file),
    ("GET", f"{_ASSET}files/{{uid}}/", kpi_deployment.get_file),
    ("DELETE", f"{_ASSET}files/{{uid}}/", kpi_deployment.delete_file),
    ("GET", f"{_ASSET}files/{{uid}}/content/", kpi_deployment.get_file_content),
    ("GET", _DATA, kpi_data.list_data),
    ("GET", f"{_DATA}bulk/", kpi_bulk.look),
    ("GET", f"{_DATA}validation_statuses/", kpi_bulk.look),
    ("PATCH", f"{_DATA}bulk/", kpi_bulk.edit_all),
    ("DELETE", f"{_DATA}bulk/", kpi_bulk.delete_all),
    ("PATCH", f"{_DATA}validation_statuses/", kpi_bulk.review_all),
    ("DELETE", f"{_DATA}validation_statuses/", kpi_bulk.review_all),
    ("GET", _ONE, kpi_data.get_submission),
    ("DELETE", _ONE, kpi_data.delete_submission),
    ("POST", f"{_ONE}duplicate/", kpi_bulk.duplicate),
    ("GET", f"{_ONE}validation_status/", kpi_data.get_validation),
    ("PATCH", f"{_ONE}validation_status/", kpi_data.patch_validation),
    ("DELETE", f"{_ONE}validation_status/", kpi_data.delete_validation),
    ("GET", f"{_ONE}attachments/", kpi_data.find_attachment),
    ("GET", f"{_ONE}attachments/{{uid}}/", kpi_data.get_attachment),
    ("GET", f"{_ONE}attachments/{{uid}}/{{size}}/", kpi_data.get_attachment),
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
        middleware=[Middleware(LoginCheck, database=site.database)],
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


async def _nothing_here(request: Request, _: Exception) -> Response:
    path = request.url.path
    if path.startswith(("/api/v1/", "/assets/", "/imports/", "/exports/", "/environment/")):
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
