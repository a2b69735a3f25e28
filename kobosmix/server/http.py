"""The only door to requests: asking a server, asking again, and saying what went wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

import requests

from kobosmix import __version__
from kobosmix.errors import KobosmixError, LoginRefused, ServerError, ServerUnreachable
from kobosmix.server.address import is_loopback, origin, server_origin
from kobosmix.server.answers import explanation, moment, parse_json, wait_asked_s
from kobosmix.server.authorization import Authorization, Secret

JSON = "application/json"
_GATEWAY = frozenset({502, 503, 504})
_TOO_MANY = 429
_UNVERIFIED = (
    "its certificate could not be verified. Check the date of this computer. Where the network of "
    "an organisation reads what passes, ask its IT department for the certificate of its own "
    "authority, a .pem file, and name that in REQUESTS_CA_BUNDLE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one request may wait for a server that is busy or out of reach.

    `total_s` bounds all waits and time-outs of a request together; a server that breaks (500,
    unreadable JSON) is asked again `broken_tries` times only, for asking does not mend it.
    """

    total_s: float = 180.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    connect_timeout_s: float = 15.0
    answer_timeout_s: float = 90.0
    broken_tries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing asked of a server. `action` ends the sentence "could not ...".

    A GET is asked again when the answer fails to come. Anything else is not, unless `repeatable`
    says that the server does the same thing once however often it is told. `busy` are further
    statuses that mean "not now", `allowed` those that are no error here; `hidden` are words that
    are not repeated from its answer. `body` goes as it is, and is of the kind `body_kind`.
    """

    action: str
    path: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    files: Mapping[str, tuple[str, bytes, str]] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    body_kind: str = ""
    accept: str = JSON
    hidden: tuple[str, ...] = field(default=(), repr=False)
    repeatable: bool = False
    busy: frozenset[int] = frozenset()
    allowed: frozenset[int] = frozenset()

    @property
    def may_repeat(self) -> bool:
        """Whether asking twice is as good as asking once."""
        return self.repeatable or self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whole. `content` is the parsed JSON where JSON was asked for.

    `sent` is the time by the server's own clock, where it said one: ours may be wrong.
    """

    status: int
    body: bytes = field(repr=False)
    content: Any = field(default=None, repr=False)
    sent: datetime | None = None


class Connection:
    """Asks one server, with one token, which goes to that scheme, host and port and nowhere else."""

    def __init__(
        self,
        server: str,
        token: str | Secret,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server_origin(server)
        self.patience = patience or Patience()
        self.sleep = sleep
        self._secret = token if isinstance(token, Secret) else Secret(token, "Token")
        self._session = _session(self.server, Authorization(self.server, self._secret))
        self._siblings = list[Connection]()

    def __repr__(self) -> str:
        return f"Connection({self.server!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the sockets. Asking again opens new ones."""
        self._session.close()
        for sibling in self._siblings:
            sibling.close()

    def at(self, server: str) -> Connection:
        """A connection with the same token to another host, closed together with this one.

        Only for a host known to belong to the same server: the token goes there.
        """
        self._siblings.append(
            Connection(server, self._secret, patience=self.patience, sleep=self.sleep)
        )
        return self._siblings[-1]

    def ask_json(self, action: str, path: str, **query: str) -> Any:
        """Read JSON from a path of the API."""
        return self.send(Request(action=action, path=path, query=query)).content

    def send(self, request: Request) -> Answer:
        """The server's answer, once it is whole and one of success or of `request.allowed`."""
        url = self._url(request)
        waits = _Waits(self.patience)
        renewals = 1
        while True:
            token = self._secret.token
            try:
                return self._exchange(request, url)
            except _Setback as setback:
                # A server that does not know who is asking did nothing: even a write may be told
                # again, once, under a new session.
                refused = isinstance(setback.error, LoginRefused)
                if refused and renewals and self._secret.renew(token):
                    renewals -= 1
                    continue
                wait_s = waits.before_next(setback, may_repeat=request.may_repeat)
                if wait_s is None:
                    raise setback.error from setback.__cause__
            self.sleep(wait_s)

    def _url(self, request: Request) -> str:
        if request.path.startswith("/") and not request.path.startswith("//"):
            return self.server + request.path
        if origin(request.path) == self.server:
            return request.path
        raise ServerError(
            request.action, 200, "it links to another host, which is not followed"
        )

    def _exchange(self, request: Request, url: str) -> Answer:
        try:
            response, body = self._receive(request, url)
        except requests.RequestException as error:
            raise _no_answer(request, self, error) from error
        except OSError as error:
            # requests says so of a file with certificates that is not there.
            reason = f"the file of certificates named in {_authorities()} cannot be read"
            unreachable = ServerUnreachable(request.action, self.server, reason)
            raise _Setback(unreachable) from error
        sent = moment(response.headers.get("Date", ""))
        answer = Answer(status=response.status_code, body=body, sent=sent)
        if response.ok and response.status_code < 300:  # noqa: PLR2004 - 3xx is `ok` to requests
            return _with_content(request, answer)
        if response.status_code in request.allowed:
            return answer
        raise self._refused(request, response, body)

    def _receive(self, request: Request, url: str) -> tuple[requests.Response, bytes]:
        with self._session.request(
            request.method,
            url,
            params=request.query or None,
            json=request.json,
            data=request.form if request.body is None else request.body,
            files=request.files,
            headers=_headers(request),
            timeout=(self.patience.connect_timeout_s, self.patience.answer_timeout_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = response.content
            promised = response.headers.get("Content-Length", "")
            if promised.isdigit() and response.raw.tell() != int(promised):
                raise requests.exceptions.ChunkedEncodingError
            return response, body

    def _refused(self, request: Request, response: requests.Response, body: bytes) -> _Setback:
        status = response.status_code
        said = explanation(response.headers.get("Content-Type", ""), body)
        if response.is_redirect:
            said = (
                "a redirect to another address, which is not followed; check the server's URL"
            )
        for word in (self._secret.token, *request.hidden):
            said = said.replace(word, "[token]") if word else said
        headers = response.headers
        asked_s = wait_asked_s(headers.get("Retry-After", ""), headers.get("Date", ""))
        if asked_s is not None:
            said += f"; it asks to wait {asked_s:.0f} s"
        if status == requests.codes.unauthorized and self._secret.scheme:
            said = (
                f"{said.rstrip('.')}; to sign in again: kobosmix login --server {self.server}"
            )
        kind = LoginRefused if status == requests.codes.unauthorized else ServerError
        waiting = status == _TOO_MANY or status in request.busy
        return _Setback(
            kind(request.action, status, said),
            not_done=waiting,
            passing=waiting or status in _GATEWAY,
            broken=status == requests.codes.internal_server_error,
            asked_s=asked_s,
        )


class _Setback(Exception):
    """One attempt that failed, and what kind of failure it was.

    `not_done`: the server said that it did nothing. `passing`: likely to be over soon.
    `broken`: the server failed at it, and may do so again.
    """

    def __init__(
        self,
        error: KobosmixError,
        *,
        not_done: bool = False,
        passing: bool = False,
        broken: bool = False,
        asked_s: float | None = None,
        lost_s: float = 0.0,
    ) -> None:
        super().__init__(str(error))
        self.error, self.not_done, self.passing, self.broken = error, not_done, passing, broken
        self.asked_s, self.lost_s = asked_s, lost_s


class _Waits:
    """The waits of one request: doubling, jittered, and within its patience."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._left_s = patience.total_s
        self._next_s = patience.first_wait_s
        self._broken = 0

    def before_next(self, setback: _Setback, *, may_repeat: bool) -> float | None:
        """Seconds to wait before asking again, or None when it is over."""
        self._broken += setback.broken
        hopeless = not (setback.passing or setback.broken)
        if hopeless or self._broken > self._patience.broken_tries:
            return None
        if not (may_repeat or setback.not_done):
            return None
        self._left_s -= setback.lost_s
        wait_s = setback.asked_s if setback.asked_s is not None else self._jittered()
        self._left_s -= wait_s
        return wait_s if self._left_s >= 0 else None

    def _jittered(self) -> float:
        # Enumerators' laptops that lost the same server must not all come back in one moment.
        wait_s = self._next_s * (0.5 + SystemRandom().random() / 2)
        self._next_s = min(self._next_s * 2, self._patience.longest_wait_s)
        return wait_s


def _headers(request: Request) -> dict[str, str]:
    kind = {"Content-Type": request.body_kind} if request.body_kind else {}
    return {"Accept": request.accept, **kind}


def _session(server: str, authorization: Authorization) -> requests.Session:
    session = requests.Session()
    session.auth = authorization
    session.headers["User-Agent"] = f"kobosmix/{__version__}"
    # A session cookie would log in beside the token, and Django then asks for a CSRF token too.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # What is meant for this machine must not go out to a proxy, over plain http.
    session.trust_env = not is_loopback(server)
    # requests reads REQUESTS_CA_BUNDLE itself, but not the name that other programs know.
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    return session


def _with_content(request: Request, answer: Answer) -> Answer:
    if request.accept != JSON or not answer.body:
        return answer
    try:
        content = parse_json(answer.body)
    except ValueError as error:
        page = answer.body.lstrip()[:1] == b"<"
        said = "an HTML page in place of JSON" if page else "no JSON, or only a part of it"
        failed = ServerError(request.action, answer.status, said)
        raise _Setback(failed, broken=True) from error
    return replace(answer, content=content)


def _no_answer(request: Request, connection: Connection, error: Exception) -> _Setback:
    patience = connection.patience
    reason, passing, lost_s = "the connection failed or was cut", True, 0.0
    match error:
        case requests.exceptions.SSLError():
            reason, passing = _UNVERIFIED, False
        case requests.ConnectTimeout():
            lost_s = patience.connect_timeout_s
            reason = f"no connection within {lost_s:g} s"
        case requests.Timeout():
            lost_s = patience.answer_timeout_s
            reason = f"no answer within {lost_s:g} s"
        case requests.exceptions.ProxyError():
            reason = "the proxy between here and there did not let it through"
        case requests.ConnectionError():
            pass
        case requests.exceptions.ChunkedEncodingError():
            reason = "its answer was cut off"
        case _:
            reason, passing = f"the request could not be made: {type(error).__name__}", False
    if not request.may_repeat and not isinstance(error, requests.ConnectTimeout):
        reason += "; what was asked may have been done all the same"
    unreachable = ServerUnreachable(request.action, connection.server, reason)
    return _Setback(unreachable, passing=passing, lost_s=lost_s)


def _authorities() -> str:
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    lost = (name for name in names if not Path(os.environ.get(name) or "/").exists())
    return next(lost, "the environment")
