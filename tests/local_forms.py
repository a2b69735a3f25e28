"""Workbooks, submissions and a plain client, to talk to the local server as anyone would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from defusedxml import ElementTree  # type: ignore[import-untyped]

from kobosmix import xlsx

LIST = "{http://openrosa.org/xforms/xformsList}"
HOUSEHOLD = """
| survey  |               |         |                     |                      |             |       |
|         | type          | name    | label::English (en) | label::Français (fr) | calculation | $kuid |
|         | start         | start   |                     |                      |             | k0    |
|         | calculate     | kx_wave |                     |                      | 'pre'       | k1    |
|         | begin group   | hh      | Household           | Ménage               |             | k2    |
|         | text          | head    | Name of the head    | Nom du chef          |             | k3    |
|         | select_one yn | consent | Do you agree?       | Acceptez-vous ?      |             | k4    |
|         | end group     |         |                     |                      |             | k5    |
|         | begin repeat  | member  | Member              | Membre               |             | k6    |
|         | text          | m_name  | Name                | Nom                  |             | k7    |
|         | end repeat    |         |                     |                      |             | k8    |
| choices |               |         |                     |                      |             |       |
|         | list_name     | name    | label::English (en) | label::Français (fr) |             | $kuid |
|         | yn            | yes     | Yes                 | Oui                  |             | c0    |
|         | yn            | no      | No                  | Non                  |             | c1    |
| settings |              |         |                     |                      |             |       |
|         | form_title    | form_id | default_language    |                      |             |       |
|         | Household     | mine    | English (en)        |                      |             |       |
"""


def workbook(table: str) -> bytes:
    """The workbook that a Markdown table of the XLSForm community stands for."""
    sheets = dict[str, list[list[str]]]()
    current = ""
    for line in table.strip().splitlines():
        title, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if title:
            current = title
            sheets[current] = []
        elif any(cells):
            sheets[current].append(cells)
    return xlsx.workbook_bytes(
        xlsx.Sheet(title=title, rows=rows) for title, rows in sheets.items()
    )


def simple_form(*questions: str, columns: str = "type | name | label") -> bytes:
    """A workbook with these rows on its survey sheet."""
    rows = "\n".join(f"| | {question} |" for question in questions)
    return workbook(f"| survey | |\n| | {columns} |\n{rows}")


@dataclass
class Client:
    """Someone with a token, or nobody.

    `phones` is where the phones' side of the server is, if that is another address; `made` are
    the projects that came about, so that they can be deleted.
    """

    url: str
    token: str = field(default="", repr=False)
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    name: str = ""
    phones: str = ""
    made: list[str] = field(default_factory=list, repr=False)

    def ask(self, method: str, path: str, **sent: Any) -> requests.Response:
        """Send one request; `path` may be a whole address. Redirects are not followed."""
        headers = dict(sent.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Token {self.token}")
        address = path if path.startswith("http") else self._host(path) + path
        sent.setdefault("allow_redirects", False)
        return self.session.request(method, address, headers=headers, timeout=30, **sent)

    def _host(self, path: str) -> str:
        is_phones = bool({"formList", "submission"} & set(path.partition("?")[0].split("/")))
        return self.phones if is_phones and self.phones else self.url

    def read(self, path: str, **sent: Any) -> Any:
        """The JSON of an answer that has to be 200."""
        answer = self.ask("GET", path, **sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def import_form(self, content: bytes, **fields: str) -> Mapping[str, Any]:
        """Import a workbook and wait; gives what the poll says in the end."""
        begun = self.ask(
            "POST",
            "/api/v2/imports/",
            data={"library": "false", "name": "A form", **fields},
            files={"file": ("form.xlsx", content)},
        )
        assert begun.status_code == 201, begun.text
        assert begun.json()["status"] == "processing"
        until = time.monotonic() + 20
        while time.monotonic() < until:
            state: Mapping[str, Any] = self.read(begun.json()["url"])
            if state["status"] in ("complete", "error"):
                self.made += [each["uid"] for each in state["messages"].get("created", ())]
                return state
            time.sleep(0.01)
        raise AssertionError("the import did not end")

    def project(self, content: bytes, **fields: str) -> str:
        """Import a workbook that has to be accepted; gives the project's uid."""
        state = self.import_form(content, **fields)
        assert state["status"] == "complete", state
        uid: str = (state["messages"].get("created") or state["messages"]["updated"])[0]["uid"]
        return uid

    def asset(self, uid: str) -> Any:
        """The project as the server has it."""
        return self.read(f"/api/v2/assets/{uid}/")

    def deployed(self, content: bytes) -> str:
        """Import and deploy a workbook; gives the project's uid."""
        uid = self.project(content)
        answer = self.ask("POST", f"/api/v2/assets/{uid}/deployment/", json={"active": True})
        assert answer.status_code == 200, answer.text
        return uid

    def redeploy(self, uid: str) -> requests.Response:
        """Give devices the newest version."""
        version = self.asset(uid)["version_id"]
        return self.ask(
            "PATCH",
            f"/api/v2/assets/{uid}/deployment/",
            json={"active": True, "version_id": version},
        )

    def submit(
        self,
        xml: str,
        path: str = "/submission",
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> requests.Response:
        """Post a submission as a phone does, with what goes along."""
        submission = ("s.xml", xml.encode(), "text/xml")
        parts = {"xml_submission_file": submission, **(files or {})}
        return self.ask("POST", path, files=parts)

    def rows(self, uid: str, **query: Any) -> list[dict[str, Any]]:
        """The submissions of a project, by number."""
        asked = {"sort": '{"_id":1}', **{key: as_text(value) for key, value in query.items()}}
        found: list[dict[str, Any]] = self.read(f"/api/v2/assets/{uid}/data/", params=asked)[
            "results"
        ]
        return found


def as_text(value: Any) -> str:
    """A query parameter: JSON, but for text."""
    return value if isinstance(value, str) else json.dumps(value)


def instance(
    uid: str, body: str = "", *, uuid: str | None = None, meta: str = "", form: str = ""
) -> str:
    """The XML of a submission to this project."""
    return (
        f'<{uid} id="{form or uid}" version="1">{body}'
        f"<meta><instanceID>uuid:{uuid or uuid4()}</instanceID>{meta}</meta></{uid}>"
    )


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def device_form(client: Client, uid: str) -> tuple[dict[str, str], bytes]:
    listed = client.ask("GET", f"/formList?formID={uid}")
    assert listed.headers["X-OpenRosa-Version"] == "1.0"
    (entry,) = ElementTree.fromstring(listed.content)
    fields = {part.tag.removeprefix(LIST): part.text or "" for part in entry}
    return fields, client.ask("GET", fields["downloadUrl"]).content
