"""A proxy on a real socket that spoils answers of the server behind it, as networks and servers do.

Which answers, and how, is a plan: a list of faults, or a random one that a seed decides. Some
faults are loud (a cut connection, a 502); the worse ones lie: an answer of 200 with an old page, a
row twice, rows in another order, an old count.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!DOCTYPE html><html><body>SECRET PAGE</body></html>"
DELAY_S = 0.6


class Fault(StrEnum):
    """What becomes of one request and its answer."""

    DROPPED_BEFORE = "the connection breaks before the server gets the request"
    DROPPED_AFTER = "the connection breaks when the server has done what was asked"
    LATE = "the answer comes after the client has given up"
    TRUNCATED = "half of the body comes, with the length of the whole"
    SHORT_LENGTH = "the length that is told is half of the body's"
    TOO_MANY_SECONDS = "429, to wait some seconds"
    TOO_MANY_DATE = "429, to wait until a moment"
    BROKEN = "500, as a page"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    NO_JSON = "200, and half of the JSON as if it were whole"
    ROW_TWICE = "a row stands twice on the page"
    ANOTHER_ORDER = "the rows of the page are shuffled"
    OLD_PAGE = "a page that was asked for before comes again"
    ROW_OF_BEFORE = "the last row of the page before comes first on this one"
    OLD_COUNT = "the count is that of an earlier answer"
    CLOCK_SHIFTED = "the Date header is hours off"


# Those after which the client knows that it has to ask again.
LOUD = tuple(Fault)[: list(Fault).index(Fault.ROW_TWICE)]
LYING = tuple(Fault)[list(Fault).index(Fault.ROW_TWICE) :]
_STATUS = {
    Fault.TOO_MANY_SECONDS: 429,
    Fault.TOO_MANY_DATE: 429,
    Fault.BROKEN: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT: 504,
}


@dataclass(frozen=True)
class Asked:
    """A request: `GET`, and all of its address but the host."""

    method: str
    address: str

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        parts = parse_qs(urlsplit(self.address).query)
        return {name: values[0] for name, values in parts.items()}


Plan = Callable[[Asked], Fault | None]


def nothing(_: Asked) -> None:
    """The plan that spoils nothing."""


def listed(faults: Iterable[Fault | None], where: str = "") -> Plan:
    """These faults one after the other, on requests whose address has `where` in it."""
    left = iter(faults)
    return lambda asked: next(left, None) if where in asked.address else None


@dataclass
class RandomPlan:
    """`number` faults, each as likely on any request; the same seed decides the same.

    No request is spoilt more than `in_a_row` times running: a server that never answers is
    another matter than one that is having a bad day. Late answers take time, so there are few.
    """

    seed: int
    number: int
    share: float = 0.6
    in_a_row: int = 2
    kinds: tuple[Fault, ...] = tuple(Fault)
    most_late: int = 4
    done: Counter[Fault] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable
        self._running = Counter[Asked]()

    def __call__(self, asked: Asked) -> Fault | None:
        spoilt = self._running.pop(asked, 0)
        if self.done.total() >= self.number or spoilt >= self.in_a_row:
            return None
        if self._random.random() > self.share:
            return None
        fault = self._random.choice(self.kinds)
        if fault == Fault.LATE and self.done[fault] >= self.most_late:
            fault = Fault.DROPPED_AFTER
        self.done[fault] += 1
        self._running[asked] = spoilt + 1
        return fault


@dataclass
class Answer:
    """What the server said, whole."""

    status: int
    headers: dict[str, str]
    body: bytes


class FaultInjector:
    """The proxy in front of one server. `before` is called before each request goes on."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self.plan: Plan = nothing
        self.before: Callable[[Asked], None] = lambda _: None
        self.asked = 0
        self.lock = threading.Lock()
        self._pages = list[dict[str, Any]]()
        self._counts = list[int]()
        self._random = random.Random(0)  # noqa: S311 - repeatable
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"injector": self})
        )
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[FaultInjector]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def decide(self, asked: Asked) -> Fault | None:
        """Count the request, let the world move on before it, and see what is to go wrong."""
        with self.lock:
            self.asked += 1
            self.before(asked)
            return self.plan(asked)

    def forward(self, asked: Asked, headers: dict[str, str], body: bytes) -> Answer:
        """The server's own answer."""
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=30)
        try:
            connection.request(asked.method, asked.address, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def spoil(self, fault: Fault | None, asked: Asked, answer: Answer) -> Answer:
        """The answer with the fault in it, where the fault is in what is said."""
        if fault in _STATUS:
            return _refusal(fault)
        if fault == Fault.NO_JSON:
            return Answer(200, answer.headers, answer.body[: len(answer.body) // 2])
        if fault == Fault.CLOCK_SHIFTED:
            shifted = format_datetime(datetime.now(UTC) + timedelta(hours=7), usegmt=True)
            return Answer(answer.status, {**answer.headers, "Date": shifted}, answer.body)
        if answer.status == 200 and "/data/?" in asked.address:
            return Answer(200, answer.headers, self._lie(fault, asked, answer.body))
        return answer

    def _lie(self, fault: Fault | None, asked: Asked, body: bytes) -> bytes:
        page = json.loads(body)
        with self.lock:
            told = self._false(fault, asked, page)
            if "_id" in asked.query.get("query", ""):
                self._pages.append(page)
            else:
                self._counts.append(page["count"])
        return body if told is page else json.dumps(told).encode()

    def _false(self, fault: Fault | None, asked: Asked, page: dict[str, Any]) -> dict[str, Any]:
        rows = page["results"]
        alike = [each for each in self._pages[-30:] if _is_alike(each, page)]
        match fault:
            case Fault.ROW_TWICE if rows:
                return {**page, "results": [*rows, self._random.choice(rows)]}
            case Fault.ANOTHER_ORDER:
                return {**page, "results": self._random.sample(rows, len(rows))}
            case Fault.OLD_PAGE if alike:
                return self._random.choice(alike)
            case Fault.ROW_OF_BEFORE if alike and alike[-1]["results"]:
                return {**page, "results": [alike[-1]["results"][-1], *rows]}
            case Fault.OLD_COUNT if self._counts and "_id" not in asked.query.get("query", ""):
                return {**page, "count": self._random.choice(self._counts[-20:])}
            case _:
                return page


def _is_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both are pages of heads, or both of whole rows."""
    first = [set(page["results"][0]) if page["results"] else None for page in (one, other)]
    return None not in first and (len(first[0] or ()) < 7) == (len(first[1] or ()) < 7)


def _refusal(fault: Fault | None) -> Answer:
    headers = {"Content-Type": "text/html"}
    if fault == Fault.TOO_MANY_SECONDS:
        headers["Retry-After"] = "1"
    if fault == Fault.TOO_MANY_DATE:
        soon = datetime.now(UTC) + timedelta(seconds=2)
        headers["Retry-After"] = format_datetime(soon, usegmt=True)
    return Answer(_STATUS[fault] if fault else 500, headers, PAGE)


class _Handler(BaseHTTPRequestHandler):
    injector: FaultInjector
    protocol_version = "HTTP/1.1"
    # Head and body in one piece, at once: else each answer waits for the client's acknowledgement.
    wbufsize = 1 << 20
    disable_nagle_algorithm = True

    def _pass_on(self) -> None:
        asked = Asked(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.injector.decide(asked)
        if fault == Fault.DROPPED_BEFORE:
            self.close_connection = True
            return
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("connection", "accept-encoding")
        }
        answer = self.injector.spoil(fault, asked, self.injector.forward(asked, headers, body))
        if fault == Fault.LATE:
            time.sleep(DELAY_S)
        if fault == Fault.DROPPED_AFTER:
            self.close_connection = True
            return
        self._write(fault, answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - their names

    def _write(self, fault: Fault | None, answer: Answer) -> None:
        length, body = len(answer.body), answer.body
        if fault == Fault.TRUNCATED:
            body = body[: length // 2]
        if fault == Fault.SHORT_LENGTH:
            length //= 2
        if fault in (Fault.TRUNCATED, Fault.SHORT_LENGTH):
            self.close_connection = True
        with suppress(OSError):
            # The client may be gone; that is its matter.
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass
