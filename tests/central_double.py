"""A small ODK Central on a real socket, which answers as the running one was seen to answer.

It has no pyxform: of a workbook it takes what a form needs to be told apart.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from kobosmix.server.authorization import Secret
from kobosmix.server.central import CentralServer
from kobosmix.server.http import Connection, Patience
from kobosmix.xlsx import read_sheets
from tests.kobo_double import Fault

SESSION = "s" * 64
QUICK = Patience(total_s=20.0, answer_timeout_s=10.0, connect_timeout_s=5.0)
# What the server thinks it is called: behind a proxy it is often wrong.
DOMAIN = "https://central.example"
Given = tuple[int, Any]


@dataclass
class Version:
    """What one upload made: a draft, and a version once it is published."""

    workbook: bytes
    version: str
    fields: dict[str, str]
    constants: dict[str, str]
    files: dict[str, bytes | None]
    linked: set[str] = field(default_factory=set)

    @property
    def xml(self) -> str:
        binds = "".join(
            f'<bind nodeset="/data/{name}" calculate="\'{escape(value)}\'"/>'
            for name, value in self.constants.items()
        )
        return f'<h:html xmlns:h="x"><data version="{self.version}"/>{binds}</h:html>'


@dataclass
class Sent:
    """One submission: its newest version, and what happened to it."""

    root: str
    instance: str
    answers: dict[str, str]
    version: str
    received: str
    updated: str | None = None
    review: str | None = None
    edits: int = 0
    deleted: str | None = None
    files: dict[str, bytes | None] = field(default_factory=dict)


@dataclass
class Form:
    """A form of a project."""

    id: str
    state: str = "open"
    draft: Version | None = None
    published: list[Version] = field(default_factory=list)
    sent: dict[str, Sent] = field(default_factory=dict)
    assigned: set[int] = field(default_factory=set)
    links: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class EntityList:
    """A list of entities. Those deleted keep their uuid, and nobody else can have it."""

    properties: list[str] = field(default_factory=list)
    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def csv(self) -> str:
        lines = [["__id", "label", *self.properties, "__version"]]
        for name, told in self.entities.items():
            cells = [str(told["data"].get(each, "")) for each in self.properties]
            lines.append([name, told["label"], *cells, str(told["version"])])
        return "".join(",".join(line) + "\n" for line in lines)


@dataclass
class Project:
    """A project and its app users."""

    id: int
    name: str
    description: str | None
    key: int | None = None
    is_deleted: bool = False
    forms: dict[str, Form] = field(default_factory=dict)
    trash: list[Form] = field(default_factory=list)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, EntityList] = field(default_factory=dict)


class CentralDouble:
    """The double. `before` is called with method and path before each request is answered."""

    def __init__(self) -> None:
        self.projects: dict[int, Project] = {}
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.warnings: dict[str, Any] | None = None
        self.lock = threading.RLock()
        self.clock = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"double": self})
        )
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[CentralDouble]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def fail(self, where: str, **how: Any) -> None:
        """Let the next matching request fail."""
        self.faults.append(Fault(where, **how))

    def refuse(self, where: str, status: int, code: str, details: Any = None) -> None:
        """Let the next matching request be refused with a code."""
        said = {"message": "No.", "code": float(code), "details": details}
        self.fail(where, status=status, kind="application/json", body=json.dumps(said).encode())

    def writes(self) -> list[str]:
        """What was asked that changes something."""
        return [asked for asked in self.asked if not asked.startswith("GET")]

    def now(self, step_ms: int = 1) -> str:
        self.clock += timedelta(milliseconds=step_ms)
        return self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def answer(self, method: str, url: str, body: bytes) -> Given:
        """Status and content: bytes are a file, str is XML, anything else JSON."""
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = [unquote(each) for each in parts.path.strip("/").split("/")[1:]]
        match path:
            case ["users", "current"]:
                return 200, {"email": "alice@example.org", "displayName": "Alice"}
            case ["projects"] if method == "POST":
                asked = json.loads(body)
                number = len(self.projects) + 1
                made = Project(number, asked["name"], asked.get("description"))
                self.projects[number] = made
                return 200, _project(made)
            case ["projects"]:
                there = [each for each in self.projects.values() if not each.is_deleted]
                return 200, [_project(each) for each in there]
            case ["projects", number, "datasets", *rest]:
                return _datasets(self.projects[int(number)], method, rest, (query, body))
            case ["projects", number, *rest] if int(number) in self.projects:
                return self._project(self.projects[int(number)], method, rest, (query, body))
            case _:
                return _no("404.1")

    def _project(
        self, project: Project, method: str, rest: list[str], asked: tuple[Any, bytes]
    ) -> Given:
        query, body = asked
        match rest:
            case [] | ["app-users"] as what:
                return _itself(project, method, what, body)
            case ["forms"] if method == "POST":
                return self._upload(project, None, query, body)
            case ["forms"]:
                among = project.trash if query.get("deleted") else project.forms.values()
                return 200, [_form(each) for each in among]
            case ["forms", name, *more]:
                bare = re.sub(r"\.(svc|xml|xlsx)$", "", name)
                form = project.forms.get(bare)
                if form is None:
                    return _no("404.1")
                kind = name[len(bare) + 1 :]
                return self._form(project, form, method, ([kind, *more], query, body))
            case _:
                return _no("404.1")

    def _form(
        self,
        project: Project,
        form: Form,
        method: str,
        asked: tuple[list[str], dict[str, str], bytes],
    ) -> Given:
        rest, query, body = asked
        match rest:
            case ["svc", "Submissions"]:
                return self._table(form, query) if form.published else _no("404.1")
            case ["", "draft"] if method == "POST":
                return self._upload(project, form, query, body)
            case ["", "draft", *more]:
                return self._draft(project, form, method, (more, query, body))
            case ["", "assignments" | "public-links" as kind, *more]:
                give = _links if kind == "public-links" else _assignments
                return give(project, form, method, more)
            case ["", "submissions.csv"]:
                return 200, _csv(form, _matching(form, query)).encode()
            case ["", "submissions", *more]:
                return self._submissions(form, method, more, body)
            case [""] if method == "PATCH":
                form.state = json.loads(body)["state"]
                return 200, _form(form)
            case _:
                return _as_published(form, rest)

    def _draft(
        self,
        project: Project,
        form: Form,
        method: str,
        asked: tuple[list[str], dict[str, str], bytes],
    ) -> Given:
        rest, query, body = asked
        draft = form.draft
        if draft is None:
            return _no("404.1")
        match rest:
            case [] if method == "DELETE" and form.published:
                form.draft = None
            case [] if method == "DELETE":
                return _no("409.7")
            case ["publish"]:
                return _publish(form, draft, query, _of_id(project, form))
            case ["attachments", name] if name in draft.files:
                is_linked = method == "PATCH"
                draft.linked = draft.linked | {name} if is_linked else draft.linked - {name}
                draft.files[name] = None if is_linked else body
            case ["attachments"]:
                return 200, _attachments(draft)
            case [_, *_]:
                return _no("404.1")
            case _:
                pass
        return 200, {"version": draft.version, "hash": _md5(draft.xml.encode())}

    def _upload(
        self, project: Project, form: Form | None, query: dict[str, str], body: bytes
    ) -> Given:
        if not body and form is not None:
            newest = form.published[-1]
            form.draft = Version(
                **{**vars(newest), "files": {**newest.files}, "linked": {*newest.linked}}
            )
            return 200, {"success": True}
        form_id, made = converted(body)
        if form is None and form_id in project.forms:
            return _no("409.3")
        if form is not None and form.id != form_id:
            return _no("400.8")
        if self.warnings and query.get("ignoreWarnings") != "true":
            return _no("400.16", {"warnings": self.warnings})
        target = form or project.forms.setdefault(form_id, Form(form_id))
        if target.published:
            before = target.published[-1].files
            made.files = {name: before.get(name) for name in made.files}
        # A file that is called like a list is that list, unless a file was there before.
        names = {f"{name}.csv" for name in project.lists} & made.files.keys()
        made.linked = {name for name in names if made.files[name] is None}
        target.draft = made
        return 200, _form(target)

    def _submissions(self, form: Form, method: str, rest: list[str], body: bytes) -> Given:
        match rest:
            case []:
                return self._send(form, body)
            case [root, *more] if root in form.sent:
                return self._submission(form.sent[root], method, more, body)
            case _:
                return _no("404.1")

    def _submission(self, sent: Sent, method: str, rest: list[str], body: bytes) -> Given:
        match (method, rest):
            case ("PUT", _):
                came = _read(body)
                if came.get("meta/deprecatedID") != sent.instance:
                    return _no("409.9")
                sent.answers, sent.instance = came, came["meta/instanceID"]
                sent.edits, sent.updated, sent.review = sent.edits + 1, self.now(), "edited"
            case ("PATCH", _):
                sent.review, sent.updated = json.loads(body)["reviewState"], self.now()
            case ("DELETE", _):
                sent.deleted = self.now()
            case (_, ["restore"]):
                sent.deleted = None
            case (_, ["attachments", *name]):
                return _sent_files(sent, method, name, body)
            case _:
                pass
        return 200, {"success": True}

    def _send(self, form: Form, body: bytes) -> Given:
        if form.state == "closed":
            return _no("409.2")
        came = _read(body)
        name = came.get("meta/instanceID") or f"uuid:{uuid.uuid4()}"
        version = came.pop("@version")
        if name in form.sent:
            return _no("409.3")
        if version not in [each.version for each in form.published]:
            return _no("404.6")
        sent = Sent(name, name, came, version, self.now())
        sent.files = {value: None for path, value in came.items() if path.endswith("photo")}
        form.sent[name] = sent
        return 200, {"instanceId": name}

    def _table(self, form: Form, query: dict[str, str]) -> Given:
        if "$orderby" in query and "$skiptoken" in query:
            return _no("501.1")
        top = int(query.get("$top", 10**9))
        if top < 0:
            return 500, {"message": "Internal Server Error"}
        found = _matching(form, query)
        if "$orderby" not in query:
            found.reverse()
        given = found[:top]
        rows = [_odata(form, each) for each in given]
        if "$select" in query:
            rows = [_selected(row, query["$select"].split(",")) for row in rows]
        content: dict[str, Any] = {"value": rows}
        if query.get("$count") == "true":
            content["@odata.count"] = len(found)
        if top and len(found) > top:
            token = base64.b64encode(json.dumps({"instanceId": given[-1].root}).encode())
            content["@odata.nextLink"] = f"{DOMAIN}/v1/x?$skiptoken=01{token.decode()}"
        return 200, content


@contextmanager
def central_double() -> Iterator[tuple[CentralDouble, CentralServer]]:
    """A double that runs, and the client that talks to it."""
    with CentralDouble().running() as double:
        secret = Secret(SESSION, "Bearer")
        with Connection(double.url, secret, patience=QUICK, sleep=lambda _: None) as connection:
            yield double, CentralServer(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait 40 ms for each other.
    wbufsize = -1
    double: CentralDouble

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path}"
        with self.double.lock:
            self.double.asked.append(asked)
            self.double.before(asked)
            fault = next((f for f in self.double.faults if f.where in asked and f.times), None)
            if fault is not None:
                fault.times -= 1
                if fault.hang_up:
                    # Done all the same; only the answer is lost.
                    self.double.answer(self.command, self.path, body)
                    self.close_connection = True
                    return
                self._give(fault.status, fault.body, fault.kind)
            elif self.headers.get("Authorization") != f"Bearer {SESSION}":
                self._give(*_no("401.2"))
            else:
                self._give(*self.double.answer(self.command, self.path, body))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _give(self, status: int, content: Any, kind: str = "") -> None:
        is_file = isinstance(content, bytes)
        body = content if is_file else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind or ("x/x" if is_file else "application/json"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _no(code: str, details: Any = None) -> Given:
    said = {"message": f"Central says {code}.", "code": float(code)}
    return int(float(code)), said if details is None else {**said, "details": details}


def converted(workbook: bytes) -> tuple[str, Version]:
    tables = {
        sheet.title: [
            dict(zip(map(str, sheet.rows[0]), map(str, row), strict=False))
            for row in sheet.rows[1:]
        ]
        for sheet in read_sheets(workbook)
    }
    settings = tables["settings"][0]
    fields, constants = {"meta/instanceID": "unknown"}, dict[str, str]()
    files, above = dict[str, bytes | None](), list[str]()
    for row in tables["survey"]:
        kind, name = row["type"], row.get("name", "")
        match kind.split(" "):
            case ["begin_group"]:
                above.append(name)
            case ["end_group"]:
                above.pop()
            case ["select_one_from_file", file]:
                files[file] = None
            case ["csv-external"]:
                files[f"{name}.csv"] = None
            case _:
                pass
        if kind not in ("begin_group", "end_group", "csv-external"):
            types = {"integer": "int"}
            fields["/".join([*above, name])] = types.get(kind, "string")
        if kind == "calculate":
            constants[name] = row.get("calculation", "").strip("'")
    version = settings.get("version", "")
    return settings["form_id"], Version(workbook, version, fields, constants, files)


def _as_published(form: Form, rest: list[str]) -> Given:
    shown = form.published[-1] if form.published else form.draft
    match rest:
        case ["", file] if file.startswith("draft."):
            return _file(form.draft, file)
        case ["", "versions"]:
            return 200, [{"version": each.version} for each in reversed(form.published)]
        case ["", "versions", version, "fields"]:
            found = _of_version(form, version)
            fields = found.fields.items() if found else ()
            return 200, [{"path": f"/{path}", "type": kind} for path, kind in fields]
        case ["", "versions", file]:
            return _file(_of_version(form, file.rpartition(".")[0]), file)
        case ["", "attachments"]:
            return 200, _attachments(shown)
        case [""]:
            return 200, _form(form)
        case [kind]:
            return _file(shown, kind)
        case _:
            return _no("404.1")


def _publish(form: Form, draft: Version, query: dict[str, str], trash: list[Form]) -> Given:
    version = query.get("version", draft.version)
    if version in [each.version for old in (form, *trash) for each in old.published]:
        return _no("409.6")
    draft.version, form.draft = version, None
    form.published.append(draft)
    return 200, {"success": True}


def _file(version: Version | None, kind: str) -> Given:
    if version is None:
        return _no("404.1")
    return 200, version.workbook if kind.endswith("xlsx") else version.xml.encode()


def _of_version(form: Form, version: str) -> Version | None:
    wanted = "" if version == "___" else version
    return next((each for each in form.published if each.version == wanted), None)


def _of_id(project: Project, form: Form) -> list[Form]:
    return [each for each in project.trash if each.id == form.id]


def _project(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "keyId": project.key,
        "verbs": ["form.create", "form.update"],
        "formList": [_form(each) for each in project.forms.values()],
    }


def _form(form: Form) -> dict[str, Any]:
    newest = form.published[-1] if form.published else None
    shown = newest or form.draft
    return {
        "xmlFormId": form.id,
        "name": form.id,
        "state": form.state,
        "version": shown.version if shown else "",
        "publishedAt": "2026-11-24T12:00:00.000Z" if newest else None,
    }


def _attachments(version: Version | None) -> list[dict[str, Any]]:
    if version is None:
        return []
    return [
        {
            "name": name,
            "exists": content is not None or name in version.linked,
            "blobExists": content is not None,
            "datasetExists": name in version.linked,
            "hash": None if content is None else _md5(content),
        }
        for name, content in version.files.items()
    ]


def _itself(project: Project, method: str, what: list[str], body: bytes) -> Given:
    """The project and its app users, gone when it is deleted. Its forms are handed out even then."""
    match (method, what):
        case _ if project.is_deleted:
            return _no("404.1")
        case ("DELETE", []):
            project.is_deleted = True
        case ("GET", []):
            return 200, _project(project)
        case ("POST", _):
            number = 100 + len(project.users)
            user = {"id": number, "displayName": json.loads(body)["displayName"]}
            project.users[number] = {**user, "token": f"t!{number}$" + "x" * 20}
            return 200, project.users[number]
        case _:
            return 200, list(project.users.values())[::-1]
    return 200, {"success": True}


def _datasets(
    project: Project, method: str, rest: list[str], asked: tuple[dict[str, str], bytes]
) -> Given:
    query, body = asked
    told = json.loads(body) if body else {}
    if not rest:
        is_new = told["name"] not in project.lists
        project.lists.setdefault(told["name"], EntityList())
        return (200, {}) if is_new else _no("409.3")
    found = project.lists.get(rest[0])
    match rest[1:]:
        case _ if found is None:
            return _no("404.1")
        case ["properties"] if told["name"] in found.properties:
            return _no("409.3")
        case ["properties"]:
            found.properties.append(told["name"])
        case ["entities.csv"]:
            return 200, found.csv.encode()
        case ["entities"]:
            return _add_entities(found, told["entities"])
        case ["entities", name, *more]:
            return _entity(found, name, method, more, (query, told))
        case _:
            return _no("404.1")
    return 200, {"success": True}


def _add_entities(found: EntityList, told: list[dict[str, Any]]) -> Given:
    names = [each["uuid"] for each in told]
    if any(uuid.UUID(name).version != 4 for name in names):
        return _no("400.11")
    if gone := [name for name in names if name in found.deleted]:
        return _no("409.19", {"entityUuids": gone})
    if any(name in found.entities for name in names):
        return _no("409.3")
    for each in told:
        assert all(isinstance(value, str) for value in each["data"].values())
        found.entities[each["uuid"]] = {**each, "version": 1}
    return 200, {"success": True}


def _entity(
    found: EntityList,
    name: str,
    method: str,
    rest: list[str],
    asked: tuple[dict[str, str], dict[str, Any]],
) -> Given:
    query, told = asked
    if rest == ["restore"]:
        found.entities[name] = found.deleted.pop(name)
    elif name not in found.entities:
        return _no("404.1")
    elif method == "DELETE":
        found.deleted[name] = found.entities.pop(name)
    elif query.get("baseVersion") != str(found.entities[name]["version"]):
        return _no("409.15")
    else:
        version = found.entities[name]["version"] + 1
        found.entities[name] = {"uuid": name, **told, "version": version}
    return 200, {"success": True}


def _links(_: Project, form: Form, method: str, rest: list[str]) -> Given:
    if rest:
        form.links.pop(int(rest[0]))
    elif method == "POST":
        number = 500 + len(form.links)
        form.links[number] = {"id": number, "displayName": "kobosmix", "token": "l" * 20}
        return 200, form.links[number]
    return 200, list(form.links.values())


def _assignments(project: Project, form: Form, method: str, rest: list[str]) -> Given:
    if rest == ["app-user"]:
        return 200, [project.users[actor] for actor in sorted(form.assigned)]
    actor = int(rest[1])
    if method == "POST" and actor in form.assigned:
        return _no("409.3")
    if method == "DELETE" and actor not in form.assigned:
        return _no("404.1")
    form.assigned ^= {actor}
    return 200, {"success": True}


def _sent_files(sent: Sent, method: str, name: list[str], body: bytes) -> Given:
    if not name:
        files = sent.files.items()
        return 200, [{"name": each, "exists": content is not None} for each, content in files]
    if method == "GET":
        return 200, sent.files[name[0]] or b""
    # Neither the time of the last change nor the ETag tells of it.
    sent.files[name[0]] = body
    return 200, {"success": True}


def _matching(form: Form, query: dict[str, str]) -> list[Sent]:
    """Oldest first."""
    asked = query.get("$filter", "")
    names = set(re.findall(r"__id eq '([^']*)'", asked))
    since = re.search(r"submissionDate ge (\S+)", asked)
    until = re.search(r"submissionDate le (\S+)", asked)
    in_trash = "deletedAt ne null" in asked
    return [
        each
        for each in form.sent.values()
        if bool(each.deleted) == in_trash
        and (not names or each.root in names)
        and (since is None or each.received >= since[1])
        and (until is None or each.received <= until[1])
    ]


def _odata(form: Form, sent: Sent) -> dict[str, Any]:
    row: dict[str, Any] = {"__id": sent.root}
    for path, kind in form.published[-1].fields.items():
        *groups, name = path.split("/")
        place = row
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = _typed(sent.answers.get(path), kind)
    there = [content for content in sent.files.values() if content is not None]
    row["__system"] = {
        "submissionDate": sent.received,
        "updatedAt": sent.updated,
        "submitterId": "5",
        "submitterName": "alice@example.org",
        "attachmentsPresent": len(there),
        "attachmentsExpected": len(sent.files),
        "status": None,
        "reviewState": sent.review,
        "deviceId": "phone-1",
        "edits": sent.edits,
        "formVersion": sent.version,
        "deletedAt": sent.deleted,
    }
    return row


def _typed(raw: str | None, kind: str) -> Any:
    if not raw:
        return None
    if kind != "int":
        return raw
    return int(raw) if raw.lstrip("-").isdigit() else None


def _selected(row: dict[str, Any], names: list[str]) -> dict[str, Any]:
    system = {name.partition("/")[2] for name in names if name.startswith("__system/")}
    told = row["__system"].items()
    kept = {name: value for name, value in told if "__system" in names or name in system}
    return {"__id": row["__id"], **({"__system": kept} if kept else {})}


def _csv(form: Form, found: list[Sent]) -> str:
    paths = list(dict.fromkeys(p for v in reversed(form.published) for p in v.fields))
    lines = [["SubmissionDate", *(path.replace("/", "-") for path in paths), "KEY"]]
    lines += [[s.received, *(s.answers.get(p, "") for p in paths), s.root] for s in found]
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in lines]
    return "\n".join(",".join(line) for line in quoted) + "\n"


def _read(xml: bytes) -> dict[str, str]:
    root = ElementTree.fromstring(xml)  # noqa: S314 - the tests' own
    found = {"@version": root.get("version", "")}

    def walk(element: ElementTree.Element, path: str) -> None:
        for child in element:
            walk(child, f"{path}/{child.tag}" if path else child.tag)
            if not len(child) and child.text:
                found[f"{path}/{child.tag}" if path else child.tag] = child.text

    walk(root, "")
    return found


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
