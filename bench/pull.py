"""What a pull costs beside a bare loop that pages, parses and throws away; and the next pull.

The local server holds submissions of 4.6 KB. Each way runs in a process of its own, so that its
memory can be told. Prints time, bytes and memory; the aims stand beside them.

    PYTHONPATH=. python bench/pull.py [SUBMISSIONS]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import requests

from kobosmix.server.http import Answer, Connection
from kobosmix.server.http import Request as Asked
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.database import Database
from kobosmix.server.local.run import LocalServer
from kobosmix.server.pull import pull
from kobosmix.store import Tally, open_store
from tests.local_forms import HOUSEHOLD, workbook

SUBMISSIONS = 100_000
ROUNDS = 3
BYTES_EACH = 4600
CHANGES = Tally(new=20, edited=40, reviewed=20, deleted=20)
_SMALL = 10


def main(number: int) -> None:
    """Print every ratio, then the aim."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = _measure(folder / "small", number // _SMALL)["memory"]
        told = _measure(folder / "large", number)
    print(f"{number} submissions of {BYTES_EACH / 1000:.1f} KB")
    print(f"bare loop {told['bare']:.1f} s, pull {told['first']:.1f} s")
    print(f"ratio {told['first'] / told['bare']:.2f} (aim: at most 2.5)")
    print(f"peak memory {told['memory']:.0f} MB (aim: under 250), with a tenth {small:.0f} MB")
    print(
        f"next pull, 100 changes: {told['next'] / told['first']:.0%} of the time (aim: 45 %), "
        f"{told['next_bytes'] / told['first_bytes']:.1%} of the bytes (aim: 8 %)"
    )


def _measure(folder: Path, number: int) -> dict[str, float]:
    folder.mkdir()
    database, store = folder / "server.sqlite", folder / "store.sqlite"
    token = create_account(database, "bench")
    serving = _serve(database)
    try:
        url = str(serving.stdout.readline()).strip() if serving.stdout else ""
        uid = _project(url, token)
        _fill(database, uid, range(1, number + 1))
        bare = min(_run("bare", url, token, uid)["seconds"] for _ in range(ROUNDS))
        first = _first(folder, (url, token, uid))
        _change(database, uid, number)
        following = _run("pull", url, token, uid, str(store))
        found = following.pop("tally")
        expected = asdict(CHANGES) | {"unchanged": number - 80}
        if found != expected:
            sys.exit(f"the changes found are {found} in place of {expected}")
    finally:
        serving.terminate()
        serving.wait()
    return {
        "bare": bare,
        "first": first["seconds"],
        "memory": max(first["memory"], following["memory"]),
        "first_bytes": first["bytes"],
        "next": following["seconds"],
        "next_bytes": following["bytes"],
    }


def _first(folder: Path, where: tuple[str, str, str]) -> dict[str, Any]:
    runs = [_run("pull", *where, str(folder / f"{n}.sqlite")) for n in range(ROUNDS)]
    (folder / "0.sqlite").rename(folder / "store.sqlite")
    return min(runs, key=lambda run: float(run["seconds"]))


def _run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return dict(json.loads(done.stdout))


def _serve(database: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, "serve", str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _project(url: str, token: str) -> str:
    with Connection(url, token) as connection:
        server = KoboServer(connection)
        uid = server.import_workbook("Household", workbook(HOUSEHOLD))
        server.deploy(uid)
    return uid


def _answers(uid: str, number: int, uuid: str) -> str:
    answers = {f"interview/items/attitudes_{n}": str(n % 7) for n in range(70)}
    answers |= {"interview/closing/note": "ş" * 400}
    kept = {
        **answers,
        "meta/instanceID": f"uuid:{uuid}",
        "meta/rootUuid": f"uuid:{number:08}-0000-4000-8000-000000000000",
        "_uuid": uuid,
        "_xform_id_string": uid,
        "_submission_time": "2026-11-24T02:19:43",
        "__version__": "v1",
    }
    kept["interview/closing/rest"] = "x" * (BYTES_EACH - 130 - len(json.dumps(kept).encode()))
    return json.dumps(kept)


def _fill(database: Path, uid: str, numbers: range) -> None:
    with closing(Database(database, serving=False)) as opened, opened.writing() as connection:
        for number in numbers:
            uuid = f"{number:08}-0000-4000-8000-000000000000"
            connection.execute(
                "INSERT INTO submissions (id, asset, root_uuid, uuid, xml, answers, submitted_at)"
                " VALUES (?, ?, ?, ?, ?, ?, '2026-11-24T02:19:43')",
                (number, uid, uuid, uuid, b"", _answers(uid, number, uuid)),
            )


def _change(database: Path, uid: str, number: int) -> None:
    """A hundred changes, spread over all submissions."""
    spread = list(range(7, number, number // 80))[:80]
    _fill(database, uid, range(number + 1, number + 21))
    with closing(Database(database, serving=False)) as opened, opened.writing() as connection:
        for each in spread[:40]:
            uuid = f"{each:08}-0000-4000-8000-00000000000e"
            connection.execute(
                "UPDATE submissions SET uuid = ?, answers = json_set(?, '$.edited', '1')"
                " WHERE id = ?",
                (uuid, _answers(uid, each, uuid), each),
            )
        for each in spread[40:60]:
            verdict = json.dumps({"uid": "validation_status_approved", "label": "Approved"})
            connection.execute(
                "UPDATE submissions SET validation = ? WHERE id = ?", (verdict, each)
            )
        for each in spread[60:]:
            connection.execute("DELETE FROM submissions WHERE id = ?", (each,))


def _bare(url: str, token: str, uid: str) -> dict[str, Any]:
    session, last, bytes_read = requests.Session(), 0, 0
    session.headers["Authorization"] = f"Token {token}"
    while True:
        answer = session.get(
            f"{url}/api/v2/assets/{uid}/data/",
            params={
                "query": f'{{"_id":{{"$gt":{last}}}}}',
                "sort": '{"_id":1}',
                "limit": "1000",
            },
        )
        bytes_read += len(answer.content)
        page = orjson.loads(answer.content)
        if page["results"]:
            last = page["results"][-1]["_id"]
        if page["count"] <= len(page["results"]):
            return {"bytes": bytes_read}


def _pull(url: str, token: str, uid: str, store: str) -> dict[str, Any]:
    with _Counting(url, token) as connection, open_store(Path(store)) as opened:
        report = pull(KoboServer(connection), opened, [uid])
    return {"bytes": connection.bytes_read, "tally": asdict(report.total)}


class _Counting(Connection):
    bytes_read = 0

    def send(self, request: Asked) -> Answer:
        answer = super().send(request)
        self.bytes_read += len(answer.body)
        return answer


def _timed(way: Callable[..., dict[str, Any]], *arguments: str) -> None:
    start = time.perf_counter()
    told = way(*arguments)
    told["seconds"] = time.perf_counter() - start
    told["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps(told))


def _serve_until_told(database: str) -> None:
    with LocalServer(Path(database)) as running:
        print(running.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["bare", *where]:
            _timed(_bare, *where)
        case ["pull", *where]:
            _timed(_pull, *where)
        case ["serve", database]:
            _serve_until_told(database)
        case [number]:
            main(int(number))
        case _:
            main(SUBMISSIONS)
