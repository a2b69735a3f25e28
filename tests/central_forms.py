"""Forms and submissions for ODK Central, running or double, sent as anyone would send them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import requests

from kobosmix.server.deploy import FormToDeploy
from kobosmix.xlsx import Sheet, workbook_bytes

ITEMS = ("trust_1", "trust_2")
REGISTER = (
    b"name,label,group,site,cohort,background\n"
    b"10000001,1000 0001,turks,a,1,\n"
    b"10000002,1000 0002,turks,b,1,1\n"
)
FILES = {"enumerators.csv": b"name,label\nE01,E01\n", "register.csv": REGISTER}


def built(
    study: str,
    group: str = "turks",
    build_id: str = "kx1",
    items: Sequence[str] = ITEMS,
    files: dict[str, bytes] | None = None,
    *,
    in_list: bool = False,
) -> FormToDeploy:
    """A form as a build makes it, as small as a real server takes it."""
    hidden = {"kx_study": study, "kx_group": group, "kx_wave": "pre", "kx_build": build_id}
    survey: list[list[str | None]] = [["type", "name", "label", "calculation"]]
    survey += [["calculate", name, None, f"'{value}'"] for name, value in hidden.items()]
    survey += [["csv-external", "register", None, None]]
    survey += [["select_one_from_file enumerators.csv", "enumerator", "Who?", None]]
    by = "rid" if in_list else "name"
    found = f"instance('register')/root/item[{by} = ${{rid}}]/group"
    survey += [["text", "rid", "Number?", None], ["calculate", "rid_group", None, found]]
    survey += [["begin_group", "interview", "Interview", None]]
    survey += [["integer", "age", "Age?", None], ["image", "photo", "Photo?", None]]
    survey += [["select_one agree", name, f"{name}?", None] for name in items]
    survey += [["end_group", None, None, None]]
    survey[-len(items) - 2].append("max-pixels=1024")
    survey[0].append("parameters")
    choices: list[list[str | None]] = [["list_name", "name", "label"]]
    choices += [["agree", str(code), f"Point {code}"] for code in range(1, 6)]
    form_id = f"{study}_pre_{group}"
    settings: list[list[str | None]] = [
        ["form_title", "form_id", "version"],
        [f"Before, {group}", form_id, build_id],
    ]
    tables = {"survey": survey, "choices": choices, "settings": settings}
    return FormToDeploy(
        key=f"pre_{group}",
        title=f"Before, {group}",
        study=study,
        wave="pre",
        group=group,
        build_id=build_id,
        workbook=workbook_bytes(Sheet(title=n, rows=rows) for n, rows in tables.items()),
        media=FILES if files is None else files,
    )


class Phone:
    """Sends, edits and reviews: what a client for deploying and pulling never does."""

    def __init__(self, url: str, session: str, uid: str) -> None:
        project, _, self.form_id = uid.partition(".")
        self.form = f"{url}/v1/projects/{project}/forms/{self.form_id}"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {session}"

    def send(self, version: str, **answers: str) -> str:
        """A new submission; its name."""
        name = f"uuid:{uuid4()}"
        self.ask("POST", "/submissions", self._xml(name, version, answers))
        return name

    def edit(self, root: str, before: str, version: str, **answers: str) -> str:
        """Put another version in place of the one before; its name."""
        name = f"uuid:{uuid4()}"
        self.ask("PUT", f"/submissions/{root}", self._xml(name, version, answers, before))
        return name

    def ask(self, method: str, path: str, body: Any = b"") -> requests.Response:
        """Anything else of the form."""
        told = {"json": body} if isinstance(body, dict) else {"data": body}
        kind = {"Content-Type": "application/xml"} if isinstance(body, bytes) else {}
        answer = self._session.request(
            method,
            self.form + path,
            headers=kind,
            timeout=20,
            **told,
        )
        assert answer.ok, answer.text
        return answer

    def close(self) -> None:
        """Let go of the socket."""
        self._session.close()

    def _xml(self, name: str, version: str, answers: dict[str, str], before: str = "") -> bytes:
        said = "".join(f"<{item}>{value}</{item}>" for item, value in answers.items())
        old = f"<deprecatedID>{before}</deprecatedID>" if before else ""
        return (
            f'<data id="{self.form_id}" version="{version}"><interview>{said}</interview>'
            f"<meta>{old}<instanceID>{name}</instanceID></meta></data>"
        ).encode()


def md5(content: bytes) -> str:
    """As the server has it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
