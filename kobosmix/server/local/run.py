"""Running the local server: in a thread beside other work, or until it is stopped by hand."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import uvicorn

from kobosmix.errors import ServerUnreachable, UsageError
from kobosmix.server.local.app import create_app

_HOST = "127.0.0.1"
_LOOK_AGAIN_S = 0.1


class PortInUse(UsageError):
    """Another program has the port."""


class LocalServer:
    """The local server for the length of a `with` block, on this machine only.

    Port 0 takes any free port. `url` is where it answers: `http://127.0.0.1:8085`.
    """

    def __init__(self, database: Path, port: int = 0) -> None:
        self._database, self._port = database, port
        self.url = ""

    def __enter__(self) -> Self:
        """Start; when this returns, the server answers."""
        self._socket = _bound(self._port)
        ready = Event()
        try:
            self._server = _Server(self._database, lambda _: ready.set())
        except BaseException:
            self._socket.close()
            raise
        self.url = _url(self._socket)
        self._thread = Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="kobosmix-server"
        )
        self._thread.start()
        while not ready.wait(_LOOK_AGAIN_S):
            if not self._thread.is_alive():
                self._socket.close()
                reason = "it stopped while starting"
                raise ServerUnreachable("start the local server", self.url, reason)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Answer what was asked, then stop."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def serve_forever(database: Path, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. `on_ready` is given the address once the server answers."""
    with contextlib.closing(_bound(port)) as listening:
        server = _Server(database, lambda _: on_ready(_url(listening)))
        # uvicorn finishes what is under way, then raises the Ctrl-C that stopped it again.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, database: Path, on_started: Callable[[None], None]) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(database),
                # Requests carry tokens and answers are personal: neither goes into a log.
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=False,
                ws="none",
                lifespan="on",
                timeout_graceful_shutdown=10,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started(None)


def _bound(port: int) -> socket.socket:
    # asyncio sends small answers at once only on a socket that was made by this protocol's
    # number; without it each answer waits 40 ms for the client's acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # On Windows this option lets two servers have one port; elsewhere it only skips a wait.
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise PortInUse(
            f"port {port} is in use by another program, or kept for one ({error.strerror}). Give "
            "another port, or stop that program."
        ) from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"
