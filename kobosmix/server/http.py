"""The only door to requests: asking a server, asking again, and saying what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

import requests
from requests.auth import AuthBase

from kobosmix import __version__
from kobosmix.errors import (
    KobosmixError,
    LoginRefused,
    ServerError,
    ServerUnreachable,
    UsageError,
)
from kobosmix.server.address import is_loopback, origin, server_origin
from kobosmix.server.answers import explanation, parse_json, wait_asked_s

JSON = "application/json"
_GATEWAY = frozenset({502, 503, 504})
_TOO_MANY = 429


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
    statuses that mean "not now", `allowed` those that are no error here.
    """

    action: str
    path: str
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    accept: str = JSON
    repeatable: bool = False
    busy: frozenset[int] = frozenset()
    allowed: frozenset[int] = frozenset()

    @property
    def may_repeat(self) -> bool:
        """Whether asking twice is as good as asking once."""
        return self.repeatable or self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whole. `content` is the parsed JSON where JSON was asked for."""

    status: int
    body: bytes
    content: Any = None


class Connection:
    """Asks one server, with one token, which goes to that scheme, host and port and nowhere else."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server_origin(server)
        self.patience = patience or Patience()
        self.sleep = sleep
        self._token = _Token(self.server, token)
        self._session = _session(self.server, self._token)
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
        token = self._token.token
        self._siblings.append(
            Connection(server, token, patience=self.patience, sleep=self.sleep)
        )
        return self._siblings[-1]

    def ask_json(self, action: str, path: str, **query: str) -> Any:
        """Read JSON from a path of the API."""
        return self.send(Request(action=action, path=path, query=query)).content

    def send(self, request: Request) -> Answer:
        """The server's answer, once it is whole and one of success or of `request.allowed`."""
        url = self._url(request)
        waits = _Waits(self.patience)
        while True:
            try:
                return self._exchange(request, url)
            except _Setback as setback:
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
        answer = Answer(status=response.status_code, body=body)
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
            data=request.form,
            files=request.files,
            headers={"Accept": request.accept},
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
        said = said.replace(self._token.token, "[token]")
        asked_s = wait_asked_s(response.headers.get("Retry-After", ""))
        if asked_s is not None:
            said += f"; it asks to wait {asked_s:.0f} s"
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


class _Token(AuthBase):
    """Puts the token on requests to its own server. As an auth object, it also keeps .netrc out."""

    def __init__(self, server: str, token: str) -> None:
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise UsageError(f"the token for {server} is empty or has characters no token has")
        self.server, self.token = server, token

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if prepared.url and origin(prepared.url) == self.server:
            prepared.headers["Authorization"] = f"Token {self.token}"
        return prepared


def _session(server: str, token: _Token) -> requests.Session:
    session = requests.Session()
    session.auth = token
    session.headers["User-Agent"] = f"kobosmix/{__version__}"
    # A session cookie would log in beside the token, and Django then asks for a CSRF token too.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # What is meant for this machine must not go out to a proxy, over plain http.
    session.trust_env = not is_loopback(server)
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
    return Answer(status=answer.status, body=answer.body, content=content)


def _no_answer(request: Request, connection: Connection, error: Exception) -> _Setback:
    patience = connection.patience
    reason, passing, lost_s = "the connection failed or was cut", True, 0.0
    match error:
        case requests.exceptions.SSLError():
            reason, passing = "its certificate could not be verified", False
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
