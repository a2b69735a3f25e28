"""One request and its answer, as the routes see them: read whole, nothing asynchronous left."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from kobosmix.server.local.accounts import ANONYMOUS
from kobosmix.server.local.database import Database
from kobosmix.server.local.submissions import InProgress
from kobosmix.server.local.work import Worker

_LARGEST_FIELD = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A file in a form that was sent."""

    filename: str
    mimetype: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share."""

    database: Database
    worker: Worker
    in_progress: InProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks, where, and what was sent.

    `host` is what links in the answer begin with, `address` all that was asked for but the query.
    `parts` holds the files by field, `fields` the rest: form fields or the keys of a JSON object.
    `sent` is the JSON as it came, whatever it is. `secret` is what the user logged in with, where
    that was told, and is never kept; `nonce` is what a phone may log in with.
    """

    site: Site
    username: str
    host: str
    address: str
    path: Mapping[str, Any]
    query: Mapping[str, str]
    accepts: str
    fields: Mapping[str, Any]
    parts: Mapping[str, Part]
    sent: Any = None
    secret: str = field(default="", repr=False)
    nonce: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Nobody is logged in."""
        return self.username == ANONYMOUS

    def link(self, *steps: object) -> str:
        """An absolute address in the API: `link("assets", uid)` ends in `/api/v2/assets/UID/`."""
        return f"{self.host}/api/v2/" + "".join(f"{quote(str(step))}/" for step in steps)


Handler = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class AnswerError(Exception):
    """Ends a request with this answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        super().__init__(answer.status_code)


class CrashError(Exception):
    """A request the real server has no answer for: 500, as a page."""


def refusal(status: int, body: object) -> AnswerError:
    """End the request with this status and JSON; there is no one shape for what went wrong."""
    return AnswerError(JSONResponse(body, status))


def not_found() -> AnswerError:
    """There is no such thing, or it is not for this user to know of."""
    return refusal(404, {"detail": "Not found."})


def require_login(call: Call) -> None:
    """Refuse whoever is not logged in."""
    if call.is_anonymous:
        raise refusal(401, {"detail": "Authentication credentials were not provided."})


def endpoint(handler: Handler, site: Site) -> Endpoint:
    """Read the request, answer it in a thread of its own: the database may wait, others not."""

    async def answer(request: Request) -> Response:
        try:
            call = await _read(request, site)
        except ClientDisconnect:
            # The connection broke before the end; there is nobody to read the answer.
            return PlainTextResponse("incomplete request", 400)
        except CrashError:
            return crash(request.headers.get("accept", ""))
        return await run_in_threadpool(_answer, handler, call)

    return answer


def crash(accepts: str) -> Response:
    """The page, or the short JSON, that stands for an unhandled fault."""
    if "application/json" in accepts:
        return JSONResponse({"error": "Server Error (500)"}, 500)
    return HTMLResponse("<!doctype html><title>Server Error (500)</title>", 500)


def _answer(handler: Handler, call: Call) -> Response:
    try:
        return handler(call)
    except AnswerError as error:
        return error.answer
    except CrashError:
        return crash(call.accepts)


async def _read(request: Request, site: Site) -> Call:
    fields, parts, sent = await _body(request)
    return Call(
        site=site,
        username=request.state.username,
        host=str(request.base_url).rstrip("/"),
        address=str(request.url.replace(query="")),
        path=request.path_params,
        query=request.query_params,
        accepts=request.headers.get("accept", ""),
        fields=fields,
        parts=parts,
        sent=sent,
        secret=request.state.secret,
        nonce=request.state.nonces.new(),
    )


async def _body(request: Request) -> tuple[Mapping[str, Any], Mapping[str, Part], Any]:
    kind = request.headers.get("content-type", "")
    if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        return *await _form(request), None
    body = await request.body()
    if not kind.startswith("application/json") or not body:
        return {}, {}, None
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise CrashError from error
    return (sent if isinstance(sent, dict) else {}), {}, sent


async def _form(request: Request) -> tuple[Mapping[str, Any], Mapping[str, Part]]:
    fields, parts = dict[str, Any](), dict[str, Part]()
    try:
        async with request.form(max_part_size=_LARGEST_FIELD) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if name in parts:
                        name = f"{name} {value.filename}"  # noqa: PLW2901 - none may be lost
                    mimetype = value.content_type or "application/octet-stream"
                    parts[name] = Part(value.filename or "", mimetype, await value.read())
                else:
                    fields[name] = value
    except HTTPException as error:
        raise CrashError from error
    return fields, parts
