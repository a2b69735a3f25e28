"""How many submissions a second the local server hands out: whole, and their heads only.

    python bench/local_server.py [SUBMISSIONS]

Each of 4.6 KB, in pages of 1000, over a socket on this machine; the client throws them away.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import requests

from kobosmix import xlsx
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer

QUESTIONS = 60
ANSWER = "an answer as long as answers are "
HEADS = '["_id","_attachments"]'
ROOM_FOR = 100_000


def main() -> None:
    """Fill a server, read it to the end both ways, and print what it took."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else ROOM_FOR
    with TemporaryDirectory() as folder:
        database = Path(folder) / "server.sqlite"
        headers = {"Authorization": f"Token {create_account(database, 'bench')}"}
        with LocalServer(database) as server, requests.Session() as session:
            session.headers.update(headers)
            uid = deployed_form(session, server.url)
            fill(database, uid, number)
            for name, fields in (("whole", ""), ("heads", HEADS)):
                measure(session, f"{server.url}/api/v2/assets/{uid}/data/", name, fields)


def measure(session: requests.Session, url: str, name: str, fields: str) -> None:
    """Read all submissions by key-set paging, and print rows and bytes a second."""
    begun = time.perf_counter()
    rows = size = pages = 0
    for page in read_all(session, url, fields):
        pages, size = pages + 1, size + len(page)
        rows += page.count(b'"_validation_status"')
    took = time.perf_counter() - begun
    print(
        f"{name}: {rows} rows, {size / 1e6:.1f} MB in {took:.2f} s: {rows / took:,.0f} rows/s, "
        f"{1000 * took / pages:.1f} ms a page"
    )


def read_all(session: requests.Session, url: str, fields: str) -> Iterator[bytes]:
    """Every page as it came, each asked for after the last `_id` of the one before."""
    after = 0
    while True:
        query = {"query": f'{{"_id":{{"$gt":{after}}}}}', "sort": '{"_id":1}', "limit": "1000"}
        if fields:
            query["fields"] = fields
        body = session.get(url, params=query, timeout=60).content
        last = body.rfind(b'"_id":')
        if last < 0:
            return
        yield body
        after = int(body[last + 6 :].split(b",", 1)[0].split(b"}", 1)[0])


def deployed_form(session: requests.Session, url: str) -> str:
    """The uid of a form of its own on the server."""
    rows = [["type", "name", "label"], ["text", "q", "Q"]]
    workbook = xlsx.workbook_bytes([xlsx.Sheet(title="survey", rows=rows)])
    begun = session.post(
        f"{url}/api/v2/imports/",
        data={"library": "false", "name": "bench"},
        files={"file": ("form.xlsx", workbook)},
        timeout=60,
    ).json()
    while (state := session.get(begun["url"], timeout=60).json())["status"] != "complete":
        time.sleep(0.05)
    uid: str = state["messages"]["created"][0]["uid"]
    session.post(
        f"{url}/api/v2/assets/{uid}/deployment/", json={"active": True}, timeout=60
    ).raise_for_status()
    return uid


def fill(database: Path, uid: str, number: int) -> None:
    """Put submissions of 4.6 KB into the server's database, past its door, for speed."""
    with sqlite3.connect(database, timeout=60) as connection:
        connection.executemany(
            "INSERT INTO submissions (asset, root_uuid, uuid, xml, answers, submitted_at)"
            " VALUES (?, ?, ?, ?, ?, '2026-11-24T05:00:00')",
            (_submission(uid, each) for each in range(number)),
        )
    connection.close()


def _submission(uid: str, number: int) -> tuple[str, str, str, bytes, str]:
    uuid = str(UUID(int=number, version=4))
    answers: dict[str, object] = {
        f"interview/items/question_{each:02}": f"{ANSWER}{number} {each}"
        for each in range(QUESTIONS)
    }
    answers |= {
        "meta/instanceID": f"uuid:{uuid}",
        "meta/rootUuid": f"uuid:{uuid}",
        "_uuid": uuid,
        "_xform_id_string": uid,
        "_status": "submitted_via_web",
        "_geolocation": [None, None],
        "_submission_time": "2026-11-24T05:00:00",
        "_submitted_by": "bench",
    }
    text = json.dumps(answers, separators=(",", ":"))
    # The XML of a submission is about as long as its answers.
    return uid, uuid, uuid, b"<x>" + text.encode() + b"</x>", text


if __name__ == "__main__":
    main()
