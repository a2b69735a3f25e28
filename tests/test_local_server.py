"""The local server, over real sockets, against what was measured on the real one."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from kobosmix import xlsx
from kobosmix.errors import UsageError
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.database import DatabaseInUse, DatabaseTooNew, DatabaseUnreadable
from kobosmix.server.local.records import md5
from kobosmix.server.local.run import LocalServer, PortInUse
from tests.local_forms import (
    HOUSEHOLD,
    Client,
    device_form,
    eventually,
    instance,
    simple_form,
    workbook,
)

JSON = {"Accept": "application/json"}
HEAD = "<hh><head>{}</head></hh>"
XFORMS = "{http://www.w3.org/2002/xforms}"
LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"

SERVE = """
import sys
from pathlib import Path
from kobosmix.server.local.run import serve_forever
serve_forever(Path(sys.argv[1]), 0, lambda url: print(url, flush=True))
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "local.sqlite"


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[LocalServer]:
    with LocalServer(database) as running:
        yield running


def client(server: LocalServer, database: Path, username: str) -> Client:
    return Client(server.url, create_account(database, username))


@pytest.fixture(scope="module")
def alice(server: LocalServer, database: Path) -> Iterator[Client]:
    someone = client(server, database, "alice")
    yield someone
    someone.session.close()


@pytest.fixture(scope="module")
def bob(server: LocalServer, database: Path) -> Iterator[Client]:
    someone = client(server, database, "bob")
    yield someone
    someone.session.close()


@pytest.fixture(scope="module")
def nobody(server: LocalServer) -> Iterator[Client]:
    someone = Client(server.url)
    yield someone
    someone.session.close()


@pytest.fixture(scope="module")
def household(alice: Client) -> str:
    return alice.deployed(workbook(HOUSEHOLD))


@pytest.fixture
def fresh(alice: Client) -> str:
    """A deployed form with no submissions."""
    return alice.deployed(workbook(HOUSEHOLD))


# What holds here only


def test_a_password_gets_no_token_here(nobody: Client) -> None:
    answer = nobody.ask("GET", "/token/?format=json", auth=("alice", "pw"))

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Invalid username/password."}
    assert nobody.ask("GET", "/token/?format=json").status_code == 401


def test_every_token_of_an_account_stays_valid_and_none_is_stored(
    server: LocalServer, database: Path, alice: Client
) -> None:
    later = client(server, database, "alice")

    assert later.read("/me/")["username"] == alice.read("/me/")["username"] == "alice"
    assert later.token != alice.token
    assert len(later.token) == 40
    later.session.close()
    stored = b"".join(path.read_bytes() for path in database.parent.iterdir())
    assert alice.token.encode() not in stored


def test_a_name_that_is_no_username_is_refused(database: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a username"):
        create_account(database, "AnonymousUser")


def test_listing_imports_is_a_fault_of_the_server(alice: Client) -> None:
    assert alice.ask("GET", "/api/v2/imports/").status_code == 500


@pytest.mark.java
@pytest.mark.skipif(shutil.which("java") is None, reason="needs a Java runtime")
def test_odk_validate_accepts_the_form_devices_get(
    alice: Client, fresh: str, tmp_path: Path
) -> None:
    pyxform = find_spec("pyxform")
    assert pyxform
    assert pyxform.submodule_search_locations
    folder = Path(pyxform.submodule_search_locations[0])
    jar = folder / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
    form = tmp_path / "form.xml"
    form.write_bytes(device_form(alice, fresh)[1])

    said = subprocess.run(
        ["java", "-jar", str(jar), str(form)], capture_output=True, text=True, check=False
    )

    assert said.returncode == 0, said.stderr


def test_a_page_never_holds_more_than_a_thousand(
    alice: Client, fresh: str, database: Path
) -> None:
    alice.submit(instance(fresh))
    with sqlite3.connect(database, timeout=30) as direct:
        direct.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
            " INSERT INTO submissions (asset, root_uuid, uuid, xml, answers, submitted_at)"
            " SELECT asset, 'r' || i, 'u' || i, xml, answers, submitted_at"
            " FROM submissions, n WHERE asset = ?",
            (fresh,),
        )
    direct.close()
    address = f"/api/v2/assets/{fresh}/data/"

    page = alice.read(address, params={"limit": 30000, "sort": '{"_id":1}'})

    assert (page["count"], len(page["results"])) == (1101, 1000)
    assert len(alice.read(page["next"])["results"]) == 101
    assert len(alice.read(address)["results"]) == 100


def test_media_are_not_with_devices_at_once(alice: Client, fresh: str) -> None:
    sent = alice.ask(
        "POST",
        f"/api/v2/assets/{fresh}/files/",
        files={"content": ("register.csv", b"name,label\n")},
        data={"file_type": "form_media", "description": "d", "metadata": '{"filename":"x"}'},
    )
    alice.redeploy(fresh)
    listed = device_form(alice, fresh)[0]["manifestUrl"]

    assert sent.status_code == 201
    assert b"register.csv" not in alice.ask("GET", listed).content
    assert eventually(lambda: b"register.csv" in alice.ask("GET", listed).content)


def test_a_document_type_is_refused(alice: Client) -> None:
    answer = alice.submit("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>")

    assert answer.status_code == 400
    assert "Improperly formatted XML." in answer.text


# A phone logs in


def test_a_phone_logs_in_by_digest_with_the_token_as_its_password(
    alice: Client, fresh: str
) -> None:
    login = HTTPDigestAuth("alice", alice.token)
    with requests.Session() as phone:

        def ask(method: str, path: str, **sent: Any) -> requests.Response:
            address = path if path.startswith("http") else alice.url + path
            return phone.request(method, address, auth=login, timeout=30, **sent)

        listed = ask("GET", "/formList")
        form = re.findall(rf"formID>{fresh}<.*?downloadUrl>(.*?)<", listed.text)[0]
        sent = {"xml_submission_file": ("s.xml", instance(fresh).encode(), "text/xml")}

        assert listed.headers["X-KoBoNaUt"] == "alice"
        assert ask("GET", form).status_code == 200
        assert ask("HEAD", "/submission?deviceID=x").status_code == 204
        assert ask("POST", "/submission?deviceID=x", files=sent).status_code == 201
    assert alice.rows(fresh)[0]["_submitted_by"] == "alice"


@pytest.mark.parametrize(
    "login",
    [
        HTTPDigestAuth("alice", "wrong"),
        HTTPDigestAuth("nobody", "wrong"),
        HTTPBasicAuth("alice", "wrong"),
    ],
)
def test_a_wrong_password_is_told_how_to_log_in(
    alice: Client, login: requests.auth.AuthBase
) -> None:
    answer = requests.get(f"{alice.url}/formList", auth=login, timeout=30)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Digest realm="kobosmix", qop="auth"')


def test_a_login_with_a_made_up_nonce_is_refused(alice: Client) -> None:
    ha1 = md5(f"alice:kobosmix:{alice.token}".encode())
    nonce = f"{time.time():.0f}:{'0' * 32}"
    response = md5(f"{ha1}:{nonce}:{md5(b'GET:/formList')}".encode())
    told = {"username": "alice", "realm": "kobosmix", "uri": "/formList"}
    told |= {"nonce": nonce, "response": response}
    made_up = "Digest " + ", ".join(f'{name}="{text}"' for name, text in told.items())

    answer = alice.ask("GET", "/formList", headers={"Authorization": made_up})

    assert answer.status_code == 401


def test_a_token_is_a_password_also_for_who_asks_by_hand(alice: Client, bob: Client) -> None:
    def me(name: str, password: str) -> requests.Response:
        return requests.get(f"{alice.url}/me/", auth=(name, password), timeout=30)

    assert me("alice", alice.token).json()["username"] == "alice"
    assert me("bob", alice.token).status_code == 401
    by_digest = HTTPDigestAuth("alice", alice.token)
    assert requests.get(f"{alice.url}/me/", auth=by_digest, timeout=30).status_code == 401
    told = requests.get(f"{bob.url}/token/?format=json", auth=("bob", bob.token), timeout=30)
    assert told.json() == {"token": bob.token}


# Databases of before


def test_a_database_of_the_first_format_is_brought_up_and_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    token = create_account(path, "alice")
    photo = {"p.jpg": ("p.jpg", b"\xff\xd8", "image/jpeg")}
    with LocalServer(path) as server:
        person = Client(server.url, token)
        uid = person.deployed(simple_form("image | photo | P"))
        person.submit(instance(uid, "<photo>p.jpg</photo>"), files=photo)
        before = person.rows(uid)
        person.session.close()
    as_in_the_first_format(path)

    with LocalServer(path) as server:
        person = Client(server.url, token)
        (row,) = person.rows(uid)
        assert row["meta/rootUuid"] == before[0]["meta/rootUuid"]
        (file,) = row["_attachments"]
        assert file["question_xpath"] == "photo"
        assert person.ask("GET", file["download_url"]).content == b"\xff\xd8"
        assert person.read(f"/api/v2/assets/{uid}/history/")["count"] == 0
        person.session.close()

    copy = tmp_path / "old.sqlite.format-1"
    kept = sqlite3.connect(copy)
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    assert kept.execute("SELECT count(*) FROM submissions").fetchone() == (1,)
    kept.close()
    assert os.name != "posix" or copy.stat().st_mode & 0o077 == 0


def as_in_the_first_format(path: Path) -> None:
    """Undo what the second format brought."""
    direct = sqlite3.connect(path)
    direct.executescript(
        """
        DROP TABLE history; DROP INDEX submission_heads;
        ALTER TABLE tokens DROP COLUMN ha1;
        ALTER TABLE permissions DROP COLUMN filters;
        ALTER TABLE attachments DROP COLUMN xpath;
        PRAGMA user_version = 1;
        """
    )
    direct.close()


# Many at once, and the worst


def test_submissions_from_many_phones_at_once_are_all_kept(alice: Client, fresh: str) -> None:
    sent = [str(uuid4()) for _ in range(160)]

    def phone(uuids: list[str]) -> list[int]:
        own = Client(alice.url, alice.token)
        with own.session:
            return [own.submit(instance(fresh, uuid=uuid)).status_code for uuid in uuids]

    with ThreadPoolExecutor(8) as pool:
        codes = [
            code for part in pool.map(phone, [sent[n::8] for n in range(8)]) for code in part
        ]

    assert set(codes) == {201}
    assert sorted(row["_uuid"] for row in alice.rows(fresh, limit="1000")) == sorted(sent)


def served(database: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(database)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def acknowledged_until_death(url: str, token: str, uid: str) -> list[str]:
    phone, acknowledged = Client(url, token), list[str]()
    with phone.session, suppress(OSError):
        while True:
            uuid = str(uuid4())
            if phone.submit(instance(uid, uuid=uuid)).status_code == 201:
                acknowledged.append(uuid)
    return acknowledged


@pytest.mark.parametrize("alive_s", [0.1, 0.25, 0.4])
def test_a_killed_server_keeps_every_submission_it_acknowledged(
    tmp_path: Path, alive_s: float
) -> None:
    path = tmp_path / "local.sqlite"
    token = create_account(path, "alice")
    process, url = served(path)
    with Client(url, token).session as session:
        uid = Client(url, token, session).deployed(workbook(HOUSEHOLD))

    with ThreadPoolExecutor(4) as pool:
        phones = [pool.submit(acknowledged_until_death, url, token, uid) for _ in range(4)]
        time.sleep(alive_s)
        process.kill()
    process.communicate()
    acknowledged = {uuid for phone in phones for uuid in phone.result()}

    direct = sqlite3.connect(path)
    kept = {uuid for (uuid,) in direct.execute("SELECT uuid FROM submissions")}
    direct.close()
    assert acknowledged
    assert acknowledged <= kept
    with LocalServer(path) as again, Client(again.url, token).session as session:
        counted = Client(again.url, token, session).read(f"/api/v2/assets/{uid}/counts/")
    assert counted["total_submission_count"] == len(kept)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal to send")
def test_ctrl_c_stops_the_server_cleanly_and_it_logs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "local.sqlite"
    token = create_account(path, "alice")
    process, url = served(path)
    with Client(url, token).session as session:
        session.get(f"{url}/me/", headers={"Authorization": f"Token {token}"})

        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=20)

    assert process.returncode == 0
    assert told == ""


def test_another_process_reads_while_the_server_runs(
    alice: Client, household: str, database: Path
) -> None:
    alice.submit(instance(household))
    counting = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("
        "'SELECT count(*) FROM submissions WHERE asset = ?', (sys.argv[2],)).fetchone()[0])"
    )

    counted = subprocess.run(
        [sys.executable, "-c", counting, str(database), household],
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(counted.stdout) == len(alice.rows(household))


def test_no_token_is_logged(alice: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    alice.read("/me/")
    alice.ask("GET", "/api/v2/imports/")

    assert alice.token not in caplog.text


# What keeps it from starting


def test_two_servers_do_not_share_a_database(server: LocalServer, database: Path) -> None:
    assert server.url
    with pytest.raises(DatabaseInUse, match="in use by another local server"):
        LocalServer(database).__enter__()


def test_a_port_in_use_is_told_with_its_number(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse, match=f"port {port} is in use"):
            LocalServer(tmp_path / "local.sqlite", port).__enter__()


def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "local.sqlite"
    create_account(path, "alice")
    direct = sqlite3.connect(path)
    direct.execute("PRAGMA user_version = 99")
    direct.close()

    with pytest.raises(DatabaseTooNew, match="its format is 99"):
        LocalServer(path).__enter__()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"notes " * 500)

    with pytest.raises(DatabaseUnreadable, match="cannot be opened"):
        LocalServer(path).__enter__()

    assert path.read_bytes() == b"notes " * 500


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    direct = sqlite3.connect(path)
    direct.execute("CREATE TABLE answers (a)")
    direct.close()
    before = path.read_bytes()

    with pytest.raises(DatabaseUnreadable, match="it holds something else"):
        create_account(path, "alice")

    assert path.read_bytes() == before


def test_an_import_cut_off_by_a_stop_is_taken_up_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "local.sqlite"
    token = create_account(path, "alice")
    direct = sqlite3.connect(path)
    fields = '{"library": "false", "name": "Late"}'
    direct.execute(
        "INSERT INTO imports VALUES ('iLate', 'alice', 'processing', ?, ?, '{}', '')",
        (fields, simple_form("text | a | A")),
    )
    direct.commit()
    direct.close()

    with LocalServer(path) as again:
        reader = Client(again.url, token)

        def is_complete() -> bool:
            state: str = reader.read("/api/v2/imports/iLate/")["status"]
            return state == "complete"

        assert eventually(is_complete)
        reader.session.close()


def test_a_workbook_is_read_whatever_its_cells_hold(alice: Client) -> None:
    sheet = xlsx.Sheet(
        title="survey",
        rows=[["type", "name", "label", "note for us"], ["integer", "age", 7, None]],
    )

    uid = alice.project(xlsx.workbook_bytes([sheet]))

    (row,) = alice.asset(uid)["content"]["survey"]
    assert row["label"] == ["7"]
