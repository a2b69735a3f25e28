"""Who is asking: by token as the API has it, or as a phone logs in, the token its password.

A phone that is told an http address logs in by Digest only, so the server must speak it. Basic is
accepted as well, everywhere: the server listens on this machine only, where nothing can be
overheard on the way, so it stands for https. (The real server refuses Basic over http.)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.request import parse_http_list, parse_keqv_list

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kobosmix.server.local import openrosa
from kobosmix.server.local.accounts import ANONYMOUS, account_of, ha1s_of
from kobosmix.server.local.database import Database
from kobosmix.server.local.records import md5

_OPENROSA_WORDS = ("formList", "submission", "xformsManifest", "xformsMedia", "forms")
_NONCE_LASTS_S = 3600


class LoginWrong(Exception):
    """What was given does not let anyone in; the message says what was wrong."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who is asking, and what they logged in with where that was told."""

    username: str = ANONYMOUS
    secret: str = ""


class Nonces:
    """Numbers used for a while: what a Digest login is computed with, so that none is for ever."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def new(self) -> str:
        """One that is good from now on."""
        moment = f"{time.time():.0f}"
        return f"{moment}:{self._mark(moment)}"

    def is_good(self, nonce: str) -> bool:
        """Whether this server gave it out, and not too long ago."""
        moment, _, mark = nonce.partition(":")
        if not hmac.compare_digest(mark.encode(), self._mark(moment).encode()):
            return False
        return time.time() - float(moment) < _NONCE_LASTS_S

    def _mark(self, moment: str) -> str:
        return hmac.new(self._key, moment.encode(), hashlib.sha256).hexdigest()[:32]


class LoginCheck:
    """Lets requests through with the name of who asks, and tells it back in `X-KoBoNaUt`."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app, self._database = app, database
        self._known = dict[str, str]()
        self._nonces = Nonces()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer 401 if what it logs in with is wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["nonces"] = self._nonces
        try:
            login = self._login(scope)
        except LoginWrong as error:
            await self._refused(scope, str(error))(scope, receive, send)
            return
        state["username"], state["secret"] = login.username, login.secret
        await self._app(scope, receive, _named(send, login.username))

    def _login(self, scope: Scope) -> Login:
        kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        match kind.lower():
            case "token":
                return self._by_token(given.strip(), "Invalid token.")
            case "basic":
                return self._by_password(given)
            case "digest" if _is_openrosa(scope):
                return self._by_digest(scope["method"], given)
            case _:
                # The real server's API knows neither Digest nor Bearer: they are nobody's.
                return Login()

    def _by_token(self, token: str, said: str) -> Login:
        if token not in self._known:
            with self._database.reading() as connection:
                found = account_of(connection, token)
            if found is None:
                raise LoginWrong(said)
            self._known[token] = found
        return Login(self._known[token], token)

    def _by_password(self, given: str) -> Login:
        said = "Invalid username/password."
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise LoginWrong(said) from error
        username, _, password = pair.partition(":")
        login = self._by_token(password, said)
        if login.username != username:
            raise LoginWrong(said)
        return login

    def _by_digest(self, method: str, given: str) -> Login:
        told = parse_keqv_list(parse_http_list(given))
        username = told.get("username", "")
        with self._database.reading() as connection:
            ha1s = ha1s_of(connection, username)
        if not self._nonces.is_good(told.get("nonce", "")):
            raise LoginWrong("Invalid username/password")
        if any(_answers(told, method, ha1) for ha1 in ha1s):
            return Login(username)
        raise LoginWrong("Invalid username/password")

    def _refused(self, scope: Scope, detail: str) -> Response:
        if _is_openrosa(scope):
            return openrosa.challenge(detail, self._nonces.new())
        return JSONResponse({"detail": detail}, 401)


def _answers(told: dict[str, str], method: str, ha1: str) -> bool:
    """Whether the login was computed from this: RFC 7616, with MD5, which is all phones know."""
    asked = md5(f"{method}:{told.get('uri', '')}".encode())
    middle = [told["nonce"]]
    if "qop" in told:
        middle += [told.get("nc", ""), told.get("cnonce", ""), told["qop"]]
    wanted = md5(":".join([ha1, *middle, asked]).encode())
    return hmac.compare_digest(wanted.encode(), told.get("response", "").encode())


def _is_openrosa(scope: Scope) -> bool:
    return any(word in scope["path"].split("/") for word in _OPENROSA_WORDS)


def _named(send: Send, username: str) -> Send:
    async def with_name(message: Message) -> None:
        if message["type"] == "http.response.start" and username != ANONYMOUS:
            MutableHeaders(scope=message)["X-KoBoNaUt"] = username
        await send(message)

    return with_name
