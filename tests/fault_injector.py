"""A proxy in front of a server that lets requests fail in each way networks and servers do."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HTML = b"<!DOCTYPE html><html><body>Server Error (500)</body></html>"
# These belong to one connection; the proxy has two.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "host"})


class Fault(StrEnum):
    """One way to fail.

    DROP_BEFORE cuts the connection before the server hears of the request, DROP_AFTER when it
    has done what was asked. CUT promises the whole body and sends half, CUT_AS_WHOLE says that
    the half is all, TOO_LITTLE sends all of it and promises more. SKIP hands a row out twice in
    place of its neighbour, as pages do that hang on a position when rows move.
    """

    DROP_BEFORE = "drop before"
    DROP_AFTER = "drop after"
    LATE = "late"
    CUT = "cut"
    CUT_AS_WHOLE = "cut as whole"
    TOO_LITTLE = "too little"
    WAIT_SECONDS = "429 seconds"
    WAIT_UNTIL = "429 date"
    BROKEN = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_LATE = "504"
    NO_JSON = "no JSON"
    TWICE = "twice"
    SHUFFLED = "shuffled"
    SKIP = "skip"
    OLD_PAGE = "old page"
    STALE_COUNT = "stale count"
    CLOCK = "clock"


_GATEWAY = {
    Fault.BROKEN: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_LATE: 504,
}
# A row handed out twice needs a row, and a neighbour needs two.
_ROWS_NEEDED = {Fault.TWICE: 1, Fault.SHUFFLED: 2, Fault.SKIP: 2}
# "GET /api/...", and how that fails; None is for going through.
Plan = Callable[[str], Fault | None]


@dataclass
class Answer:
    """What the server said, on its way to the client."""

    status: int
    headers: dict[str, str]
    body: bytes

    def rows(self) -> list[Any] | None:
        """The rows of a page; None where it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return None
        return content.get("results") if isinstance(content, dict) else None

    def with_changes(self, **changes: Any) -> Answer:
        """The same page with other rows, or another count."""
        body = json.dumps({**json.loads(self.body), **changes}).encode()
        return Answer(self.status, self.headers, body)


def listed(faults: Iterable[Fault | None], where: str = "/data/") -> Plan:
    """These faults, one for each request that has the words in it; after that none."""
    coming = iter(faults)

    def plan(asked: str) -> Fault | None:
        return next(coming, None) if where in asked else None

    return plan


def at_random(
    seed: int, faults: Sequence[Fault], *, share: float, where: str = "/data/"
) -> Plan:
    """Any of these faults on this share of the requests that have the words in them."""
    chance = random.Random(seed)  # noqa: S311 - not a secret

    def plan(asked: str) -> Fault | None:
        is_struck = where in asked and chance.random() < share
        return chance.choice(faults) if is_struck else None

    return plan


class FaultInjector:
    """The proxy. `before` is called with method and path before each request goes on.

    `injected` counts the faults that took place: one that cannot, such as an old page where there
    was none before, is left out. `late_s` is how long LATE keeps the client waiting.
    """

    def __init__(self, server: str, plan: Plan = lambda _: None, *, late_s: float) -> None:
        self.plan, self.late_s = plan, late_s
        self.before: Callable[[str], None] = lambda _: None
        self.injected = Counter[Fault]()
        self.asked = list[str]()
        self.lock = threading.RLock()
        self.upstream = urlsplit(server).netloc
        self.chance = random.Random(0)  # noqa: S311
        self.ended = threading.Event()
        # By what was asked for, less where the page begins.
        self.pages: dict[str, Answer] = {}
        self.counts: dict[str, list[int]] = {}
        handler = type("Handler", (_Handler,), {"injector": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[FaultInjector]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def spoilt(self, asked: str, answer: Answer, fault: Fault) -> Answer | None:
        """The answer with this fault in its content; None where the fault has no place in it."""
        if fault in _GATEWAY:
            return Answer(_GATEWAY[fault], {"Content-Type": "text/html"}, HTML)
        match fault:
            case Fault.WAIT_SECONDS:
                return _too_many("1")
            case Fault.WAIT_UNTIL:
                return _too_many(format_datetime(_later(timedelta(seconds=1)), usegmt=True))
            case Fault.NO_JSON:
                return Answer(200, answer.headers, b'{"count": NaN, "results": [')
            case Fault.CLOCK:
                off = timedelta(hours=self.chance.choice((-9, -2, 3, 26)))
                date = format_datetime(_later(off), usegmt=True)
                return Answer(answer.status, {**answer.headers, "Date": date}, answer.body)
            case _:
                return self._page(asked, answer, fault)

    def _page(self, asked: str, answer: Answer, fault: Fault) -> Answer | None:
        rows = answer.rows()
        if rows is None or len(rows) < _ROWS_NEEDED.get(fault, 0):
            return None
        place = self.chance.randrange(len(rows)) if rows else 0
        match fault:
            case Fault.TWICE:
                return answer.with_changes(results=[*rows, rows[place]])
            case Fault.SKIP:
                kept = [*rows[:place], *rows[place + 1 :]]
                return answer.with_changes(results=[*kept, kept[-1]])
            case Fault.SHUFFLED:
                return answer.with_changes(results=self.chance.sample(rows, len(rows)))
            case Fault.OLD_PAGE:
                return self.pages.get(_kind(asked))
            case _:
                return self._with_stale_count(asked, answer)

    def _with_stale_count(self, asked: str, answer: Answer) -> Answer | None:
        now = json.loads(answer.body)["count"]
        others = [count for count in self.counts.get(asked, ()) if count != now]
        return answer.with_changes(count=others[-1]) if others else None

    def remember(self, asked: str, answer: Answer) -> None:
        """Keep what may be handed out again later."""
        rows = answer.rows()
        if rows is not None:
            if rows:
                self.pages[_kind(asked)] = answer
            self.counts.setdefault(asked, []).append(json.loads(answer.body)["count"])


def _kind(asked: str) -> str:
    """A page of heads is no page of whole rows, and a row asked for by name is on neither."""
    path, _, query = asked.partition("?")
    names = sorted(each.partition("=")[0] for each in query.split("&"))
    return " ".join((path, *names, "named" if "%24in" in query else ""))


def _too_many(wait: str) -> Answer:
    body = b'{"detail": "Request was throttled."}'
    return Answer(429, {"Content-Type": "application/json", "Retry-After": wait}, body)


def _later(by: timedelta) -> datetime:
    return datetime.now(UTC) + by


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other.
    wbufsize = -1
    injector: FaultInjector

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection(self.injector.upstream, timeout=30)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path}"
        injector = self.injector
        with injector.lock:
            injector.asked.append(asked)
            injector.before(asked)
            fault = injector.plan(asked)
        if fault is Fault.DROP_BEFORE:
            injector.injected[fault] += 1
            self.close_connection = True
            return
        answer = self._from_upstream(body)
        if fault is None:
            self._give(answer)
        else:
            self._spoil(asked, answer, fault)
        with injector.lock:
            injector.remember(asked, answer)

    do_POST = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _from_upstream(self, body: bytes) -> Answer:
        headers = {k: v for k, v in self.headers.items() if _travels(k)}
        try:
            self.upstream.request(self.command, self.path, body or None, headers)
            got = self.upstream.getresponse()
        except (HTTPException, OSError):
            # The server ends connections that were idle for a while.
            self.upstream.close()
            self.upstream.request(self.command, self.path, body or None, headers)
            got = self.upstream.getresponse()
        content = got.read()
        return Answer(got.status, {k: v for k, v in got.getheaders() if _travels(k)}, content)

    def _spoil(self, asked: str, answer: Answer, fault: Fault) -> None:
        half = len(answer.body) // 2
        self.injector.injected[fault] += 1
        match fault:
            case Fault.DROP_AFTER:
                self.close_connection = True
            case Fault.LATE:
                self.injector.ended.wait(self.injector.late_s)
                self.close_connection = True
            case Fault.CUT:
                self._give(answer, answer.body[:half], len(answer.body))
            case Fault.CUT_AS_WHOLE:
                self._give(answer, answer.body[:half])
            case Fault.TOO_LITTLE:
                self._give(answer, answer.body, len(answer.body) + 100)
            case _:
                with self.injector.lock:
                    spoilt = self.injector.spoilt(asked, answer, fault)
                    self.injector.injected[fault] -= spoilt is None
                self._give(spoilt or answer)

    def _give(
        self, answer: Answer, body: bytes | None = None, promised: int | None = None
    ) -> None:
        body = answer.body if body is None else body
        # Nothing follows half an answer.
        self.close_connection = promised is not None
        self.send_response_only(answer.status)
        length = str(len(body) if promised is None else promised)
        for name, value in _lengthened(answer.headers, length).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def _travels(name: str) -> bool:
    return name.lower() not in _OF_THE_CONNECTION


def _lengthened(headers: Mapping[str, str], length: str) -> dict[str, str]:
    kept = {k: v for k, v in headers.items() if k.lower() != "content-length"}
    return {**kept, "Content-Length": length}
