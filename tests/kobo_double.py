"""A small KoboToolbox on a real socket, which can be told to fail in each way servers do.

Its workbooks are JSON: `{"constants": {...}, "refused": "..."}`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kobosmix.server.http import Connection, Patience
from kobosmix.server.kobo import KoboServer

TOKEN = "b" * 40
QUICK = Patience(total_s=20.0, answer_timeout_s=5.0, connect_timeout_s=5.0)


@dataclass
class Fault:
    """One failure, on the next `times` requests whose method and path contain `where`.

    `hang_up` cuts the connection before anything is done, `lost` after it was done.
    """

    where: str
    status: int = 200
    body: bytes = b"<!DOCTYPE html><html><body>SECRET PAGE</body></html>"
    kind: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_up: bool = False
    lost: bool = False
    times: int = 1


@dataclass
class Project:
    """One asset."""

    uid: str
    name: str
    workbook: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    deployed: str = ""
    active: bool = False
    deployments: int = 0
    fielded: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    published: dict[str, bytes] = field(default_factory=dict)
    manifest: dict[str, bytes] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    owner: str = "alice"
    rights: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def senders(self) -> list[str]:
        """The accounts that may send with it, beside the owner's."""
        return sorted(a for a, right in self.rights.values() if right == "add_submissions")


def row(number: int, **answers: Any) -> dict[str, Any]:
    """A submission as KoboToolbox hands it out; with answers of its own it was edited."""
    edit = hashlib.sha256(repr(sorted(answers.items())).encode()).hexdigest()
    is_edited = any(name.startswith("interview/") for name in answers)
    return {
        "_id": number,
        "meta/rootUuid": f"uuid:root-{number}",
        "_uuid": f"edit-{edit[:8]}" if is_edited else f"root-{number}",
        "_submission_time": "2026-11-24T02:19:43",
        "_submitted_by": "alice",
        "_geolocation": [2.0469, 45.3182],
        "_validation_status": {},
        "_attachments": [],
        "interview/trust_1": "4",
        **answers,
    }


class KoboDouble:
    """The double. `before` is called with method and path before each request is answered."""

    def __init__(self) -> None:
        self.projects: dict[str, Project] = {}
        self.imports: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.before: Callable[[str], None] = lambda _: None
        self.submitted: list[bytes] = []
        self.accounts = {"alice", "bob", "carol"}
        self.keeps_kuid = True
        self.slow_polls = 0
        self.late_manifest = 0
        self.lock = threading.RLock()
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"double": self})
        )
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[KoboDouble]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def project(self, uid: str = "aForm", **facts: Any) -> Project:
        """Add a deployed project."""
        made = Project(uid=uid, name=facts.pop("name", uid), active=True, **facts)
        made.version = made.deployed = made.version or "v1"
        made.versions[made.version] = made.workbook
        self.projects[uid] = made
        return made

    def fail(self, where: str, **how: Any) -> None:
        """Let the next matching request fail."""
        self.faults.append(Fault(where, **how))

    def connection(self, patience: Patience = QUICK) -> Connection:
        return Connection(self.url, TOKEN, patience=patience, sleep=lambda _: None)

    def answer(self, method: str, url: str, body: bytes, kind: str) -> tuple[int, Any]:
        """Status and body for a request; a str body is XML."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path.strip("/").split("/"):
            case ["me"]:
                return 200, {"username": "alice", "projects_url": f"{self.url}/alice"}
            case ["api", "v2", "imports", *task]:
                return self._import(body, kind) if method == "POST" else self._task(task[0])
            case ["api", "v2", "users", account]:
                return (200 if account in self.accounts else 404), {"username": account}
            case ["api", "v2", "assets"]:
                return 200, _envelope([{"uid": uid} for uid in self.projects], query)
            case ["api", "v2", "assets", uid, *rest]:
                project = self.projects.get(uid)
                if project is None:
                    return 404, {"detail": "Not found."}
                return self._asset(project, method, rest, (query, body, kind))
            case [("formList" | "xformsManifest" | "forms" | "submission") as page, *rest]:
                return self._phone(page, rest, (body, kind))
            case _:
                return 404, {"detail": "Not found."}

    def _import(self, body: bytes, kind: str) -> tuple[int, Any]:
        parts = _parts(body, kind)
        workbook = json.loads(parts["file"])
        task = f"i{len(self.imports)}"
        if "refused" in workbook:
            self.imports[task] = {"error": workbook["refused"], "error_type": "ValueError"}
            return 201, {"uid": task, "status": "processing"}
        assert parts["library"] == b"false"
        destination = parts.get("destination", b"").decode()
        assert not destination or destination.endswith("/")
        uid = destination.split("/")[-2] if destination else f"a{len(self.projects)}"
        project = self.projects.setdefault(uid, Project(uid=uid, name=parts["name"].decode()))
        digest = hashlib.sha256(parts["file"]).hexdigest()[:10]
        salt = "" if self.keeps_kuid else str(len(self.imports))
        project.workbook, project.version = workbook, f"v{digest}{salt}"
        done = "updated" if destination else "created"
        self.imports[task] = {done: [{"uid": uid, "kind": "asset"}]}
        return 201, {"uid": task, "status": "processing"}

    def _task(self, task: str) -> tuple[int, Any]:
        if self.slow_polls > 0:
            self.slow_polls -= 1
            return 200, {"uid": task, "status": "processing", "messages": {}}
        messages = self.imports[task]
        status = "error" if "error" in messages else "complete"
        return 200, {"uid": task, "status": status, "messages": messages}

    def _asset(
        self, project: Project, method: str, rest: list[str], asked: tuple[Any, bytes, str]
    ) -> tuple[int, Any]:
        query, body, _ = asked
        match rest:
            case []:
                return 200, self._detail(project)
            case ["permission-assignments", *right]:
                return self._rights(project, method, right, body)
            case ["deployment"]:
                return self._deploy(project, method, json.loads(body))
            case ["files", *file]:
                return _files(project, method, file, asked)
            case ["versions", version]:
                return 200, {"content": _content(project.versions[version])}
            case ["data"]:
                return 200, _page(project.rows, query)
            case _:
                return 404, {"detail": "Not found."}

    def _deploy(self, project: Project, method: str, asked: dict[str, Any]) -> tuple[int, Any]:
        if "invalid" in project.workbook:
            return 400, {"error": "ODK Validate Errors:\n>> XForm is invalid.\n: bad [${q1}]"}
        if (method == "POST") == bool(project.deployed):
            return 405, {"detail": "Use PATCH to update an existing deployment"}
        if method == "PATCH" and "version_id" not in asked:
            project.active = asked["active"]
            return 200, {"backend": "openrosa", "active": project.active}
        if method == "PATCH" and asked["version_id"] != project.version:
            return 500, "<html>NotImplementedError</html>"
        project.active, project.deployed = asked.get("active", False), project.version
        project.versions[project.version] = project.workbook
        project.deployments += 1
        project.fielded = json.dumps(project.workbook.get("constants", {}))
        project.published = {name: content for name, (_, content) in project.files.items()}
        self.late_manifest = 2
        return 200, {"backend": "openrosa", "active": project.active}

    def _rights(
        self, project: Project, method: str, right: list[str], body: bytes
    ) -> tuple[int, Any]:
        if method == "DELETE":
            return (204, None) if project.rights.pop(right[0], None) else (404, {})
        if method == "POST":
            asked = json.loads(body)
            account, permission = (
                asked[name].rstrip("/").rpartition("/")[2] for name in ("user", "permission")
            )
            if account not in {*self.accounts, "AnonymousUser"}:
                return 400, {"user": ["Invalid hyperlink - Object does not exist."]}
            uid = f"p{account}{permission}"
            project.rights[uid] = (account, permission)
            return 201, self._right(project, uid)
        return 200, [self._right(project, uid) for uid in project.rights]

    def _right(self, project: Project, uid: str) -> dict[str, str]:
        account, permission = project.rights[uid]
        return {
            "url": f"{self.url}/api/v2/assets/{project.uid}/permission-assignments/{uid}/",
            "user": f"{self.url}/api/v2/users/{account}/",
            "permission": f"{self.url}/api/v2/permissions/{permission}/",
            "label": permission,
        }

    def _detail(self, project: Project) -> dict[str, Any]:
        rights = [self._right(project, uid) for uid in project.rights]
        mine = "manage_asset" if project.owner == "alice" else "view_asset"
        return {
            **_detail(project),
            "owner__username": project.owner,
            "permissions": rights,
            "effective_permissions": [{"codename": mine}],
        }

    def _phone(self, page: str, rest: list[str], sent: tuple[bytes, str]) -> tuple[int, Any]:
        match page:
            case "submission":
                self.submitted.append(_parts(*sent)["xml_submission_file"])
                return 201, "<OpenRosaResponse><message>Successful</message></OpenRosaResponse>"
            case "formList":
                live = [p for p in self.projects.values() if p.active and p.deployed]
                return 200, "<xforms>" + "".join(self._xform(p) for p in live) + "</xforms>"
            case "forms":
                return 200, f"<h:html xmlns:h='x'>{self.projects[rest[0]].fielded}</h:html>"
            case _:
                return 200, self._manifest(self.projects[rest[0]])

    def _xform(self, p: Project) -> str:
        return (
            f"<xform><formID>{p.uid}</formID><name>{p.name}</name><version>1</version>"
            f"<downloadUrl>{self.url}/forms/{p.uid}/form.xml</downloadUrl>"
            f"<manifestUrl>{self.url}/xformsManifest/{p.uid}</manifestUrl></xform>"
        )

    def _manifest(self, project: Project) -> str:
        if self.late_manifest > 0:
            self.late_manifest -= 1
        else:
            project.manifest = project.published
        files = "".join(
            f"<mediaFile><filename>{name}</filename><hash>md5:{_md5(content)}</hash>"
            f"<downloadUrl>{self.url}/m/{name}</downloadUrl></mediaFile>"
            for name, content in project.manifest.items()
        )
        return f"<manifest xmlns='http://openrosa.org/xforms/xformsManifest'>{files}</manifest>"


@contextmanager
def kobo_double() -> Iterator[tuple[KoboDouble, KoboServer]]:
    """A double that runs, and the client that talks to it."""
    with KoboDouble().running() as double, double.connection() as connection:
        yield double, KoboServer(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other.
    wbufsize = -1
    double: KoboDouble

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path}"
        with self.double.lock:
            self.double.asked.append(asked)
            self.double.headers.append(dict(self.headers))
            self.double.before(asked)
            fault = self._fault(asked)
            if fault is not None and not fault.lost:
                self._fail(fault)
                return
            kind = self.headers.get("Content-Type") or ""
            answer = self.double.answer(self.command, self.path, body, kind)
            if fault is not None:
                self.close_connection = True
                return
            self._give(*answer)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _fault(self, asked: str) -> Fault | None:
        for fault in self.double.faults:
            if fault.where in asked and fault.times > 0:
                fault.times -= 1
                return fault
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return Fault("", 401, b'{"detail":"Invalid token."}', "application/json")
        return None

    def _fail(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.hang_up:
            return
        self.send_response(fault.status)
        self.send_header("Content-Type", fault.kind)
        self.send_header("Content-Length", str(len(fault.body) + 100 * fault.cut))
        self.send_header("Connection", "close")
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(fault.body)

    def _give(self, status: int, content: Any) -> None:
        is_xml = isinstance(content, str)
        body = b"" if status == 204 else (content if is_xml else json.dumps(content)).encode()
        self.send_response(status)
        if body:
            kind = "text/xml" if is_xml else "application/json"
            self.send_header("Content-Type", "text/html" if status == 500 else kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parts(body: bytes, kind: str) -> dict[str, bytes]:
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    found = dict[str, bytes]()
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(part.get_param("name", header="content-disposition"))] = content
    return found


def _envelope(results: list[Any], query: dict[str, str]) -> dict[str, Any]:
    start, limit = int(query.get("start", 0)), int(query.get("limit", 100))
    return {"count": len(results), "results": results[start : start + limit], "next": None}


def _page(rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    wanted = json.loads(query.get("query", "{}")).get("_id", {})
    after, among = wanted.get("$gt", -1), wanted.get("$in")
    asked = (r for r in rows if r["_id"] > after and (among is None or r["_id"] in among))
    found = sorted(asked, key=lambda r: r["_id"])
    limit = min(int(query.get("limit", 100)), 1000)
    shown = [_chosen(each, query.get("fields")) for each in found[:limit]]
    return {"count": len(found), "next": None, "previous": None, "results": shown}


def _chosen(shown: dict[str, Any], fields: str | None) -> dict[str, Any]:
    if fields is None:
        return shown
    kept = {*json.loads(fields), "_id", "_uuid", "meta/rootUuid"}
    chosen = {name: value for name, value in shown.items() if name in kept}
    return {"_validation_status": {}, **chosen}


def _content(workbook: dict[str, Any]) -> dict[str, Any]:
    constants = workbook.get("constants", {}).items()
    if "content" in workbook:
        return dict(workbook["content"])
    survey = [{"type": "calculate", "name": n, "calculation": f"'{v}'"} for n, v in constants]
    return {"survey": survey, "choices": [], "settings": {}}


def _detail(project: Project) -> dict[str, Any]:
    return {
        "uid": project.uid,
        "name": project.name,
        "version_id": project.version,
        "deployed_version_id": project.deployed or None,
        "has_deployment": bool(project.deployed),
        "deployment__active": project.active,
        "deployment__submission_count": len(project.rows),
        "content": _content(project.workbook),
    }


def _files(
    project: Project, method: str, file: list[str], asked: tuple[Any, bytes, str]
) -> tuple[int, Any]:
    query, body, kind = asked
    if file:
        project.files = {n: f for n, f in project.files.items() if f[0] != file[0]}
        return 204, None
    if method == "POST":
        return _upload(project, body, kind)
    return 200, _envelope([_file(name, *f) for name, f in project.files.items()], query)


def _upload(project: Project, body: bytes, kind: str) -> tuple[int, Any]:
    parts = _parts(body, kind)
    if "metadata" not in parts:
        return 500, "<html>broken</html>"
    name = json.loads(parts["metadata"])["filename"]
    if name in project.files:
        return 400, {"content": ["File already exists"]}
    project.files[name] = (f"f{name}", parts["content"])
    return 201, _file(name, *project.files[name])


def _file(name: str, uid: str, content: bytes) -> dict[str, Any]:
    metadata = {"filename": name, "hash": f"md5:{_md5(content)}"}
    return {"uid": uid, "file_type": "form_media", "metadata": metadata}


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
