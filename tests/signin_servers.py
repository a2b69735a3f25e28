"""Servers to sign in to, on real sockets, and keyrings of every temper."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

EMAIL, PASSWORD = "ana@ngo.example", "päss wort!$"
PAGE = b"<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"


class CentralDouble:
    """ODK Central as far as sessions go, and one thing to read and to write.

    `clock_ahead` is how far its clock is from ours; `lifetime` how long its sessions last.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, datetime] = {}
        self.logins = 0
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.written = 0
        self.lifetime = timedelta(days=1)
        self.clock_ahead = timedelta()
        self.has_passwords = True
        self.whom = EMAIL
        self.url = ""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock_ahead

    def expire_all(self) -> None:
        self.sessions = dict.fromkeys(self.sessions, self.now())

    def answer(self, asked: str, signed: str, body: bytes) -> tuple[int, Any]:
        self.asked.append(asked)
        self.signatures.append(signed)
        self.bodies.append(body)
        if not asked.split()[1].startswith("/v1/"):
            return 200, PAGE  # the pages for browsers, whatever is asked
        if asked == "POST /v1/sessions":
            return self._login(json.loads(body))
        token = signed.removeprefix("Bearer ")
        if self.sessions.get(token, self.now()) <= self.now():
            return 401, {"message": "Could not authenticate.", "code": 401.2}
        match asked:
            case "GET /v1/users/current":
                return 200, {"id": 5, "email": self.whom, "displayName": "Ana"}
            case "DELETE /v1/sessions/current":
                del self.sessions[token]
                return 200, {"success": True}
            case "POST /v1/projects":
                self.written += 1
                return 200, {"id": self.written}
            case _:
                return 404, {"message": "Could not find the resource.", "code": 404.1}

    def _login(self, login: dict[str, str]) -> tuple[int, Any]:
        if not self.has_passwords:
            return 404, {"message": "Could not find the resource.", "code": 404.1}
        if login != {"email": EMAIL, "password": PASSWORD}:
            return 401, {"message": "Could not authenticate.", "code": 401.2}
        self.logins += 1
        token = f"session{self.logins}!$" + "x" * 50
        self.sessions[token] = self.now() + self.lifetime
        ends = self.sessions[token].isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return 200, {"token": token, "csrf": "c", "expiresAt": ends}


@contextmanager
def central() -> Iterator[CentralDouble]:
    """A Central that runs."""
    double = CentralDouble()
    with served(double.answer, double.now) as url:
        double.url = url
        yield double


@contextmanager
def self_signed(folder: Path) -> Iterator[tuple[str, Path]]:
    """A KoboToolbox over https whose certificate is its own authority; address and certificate."""
    x509 = pytest.importorskip("cryptography.x509", reason="comes with the keyring of Linux")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, both = folder / "server.pem", folder / "both.pem"
    pem = serialization.Encoding.PEM
    certificate.write_bytes(made.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(private + made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with served(lambda *_: (200, {"username": "alice"}), tls=context) as url:
        yield url, certificate


@contextmanager
def served(
    answer: Callable[[str, str, bytes], tuple[int, Any]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    tls: ssl.SSLContext | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """An address where `answer` is asked with method and path, signature and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            signed = self.headers.get("Authorization") or ""
            status, content = answer(f"{self.command} {self.path}", signed, body)
            is_page = isinstance(content, bytes)
            sent = content if is_page else json.dumps(content).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime(now(), usegmt=True))
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(sent)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MemoryKeyring(KeyringBackend):
    """A keyring that works, and can be told to fail in each way keyrings do."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.fault = ""
        self.never = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail(password)
        if self.fault != "keeps nothing":
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.kept[service, username]

    def _fail(self, secret: str = "") -> None:
        if self.fault == "locked":
            raise KeyringLocked("Failed to unlock the collection!")
        if self.fault == "raises":
            raise OSError(f"D-Bus broke at {secret}")
        if self.fault == "hangs":
            self.never.wait(20)
