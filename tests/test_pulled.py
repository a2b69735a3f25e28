"""The pull of a study: what was asked is proved, and so is that nothing is missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kobosmix.cli.main import main
from kobosmix.server.credentials import save_token
from kobosmix.server.http import Connection, Request
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.steps import deployments
from kobosmix.store import open_store
from kobosmix.study import Study, open_study
from kobosmix.xlsx import read_rows
from tests.local_forms import instance, simple_form


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """A study of few people, deployed, rehearsed and pulled; its server's database and token."""
    folder = tmp_path_factory.mktemp("played")
    patch = pytest.MonkeyPatch()
    patch.setenv("KOBOSMIX_CONFIG_DIR", str(folder / "settings"))
    patch.setenv("PATH", "")
    database = folder / "server.sqlite"
    token = create_account(database, "office")
    with LocalServer(database) as local:
        save_token(local.url, token)
        run("init", str(folder / "soup"), "--like", "gaziantep")
        for group in ("turks", "syrians"):
            run("ids", str(folder / "soup"), "--group", group, "--count", "8")
        assert run("deploy", str(folder / "soup"), "--server", local.url).exit_code == 0
        assert run("rehearse", str(folder / "soup")).exit_code == 0
        assert run("pull", str(folder / "soup")).exit_code == 0
    yield folder / "soup", database, token
    patch.undo()


@pytest.fixture
def soup(
    played: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Study, KoboServer]]:
    """A copy of all that, with its server running at another address."""
    folder, database, token = played
    shutil.copytree(folder, tmp_path / "soup")
    shutil.copy(database, tmp_path / "server.sqlite")
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("PATH", "")
    study = open_study(tmp_path / "soup")
    with LocalServer(tmp_path / "server.sqlite") as local, Connection(local.url, token) as to:
        save_token(local.url, token)
        known = study.state()["deployments"]
        moved = {key: {**told, "server": local.url} for key, told in known.items()}
        study.remember(server=local.url, deployments=moved)
        yield study, KoboServer(to)


def test_a_form_edited_on_the_server_is_told_and_its_answers_are_marked(
    soup: tuple[Study, KoboServer],
) -> None:
    study, server = soup
    form = deployments(study)["pre_turks"]
    first = server.rows(form.uid, "", 1).entries[0]
    content = json.loads(json.dumps(server.asset(form.uid).content))
    [item] = [row for row in content["survey"] if row.get("name") == "trust_1"]
    item["label"][0] = "Something else altogether."
    send(server, "PATCH", f"/api/v2/assets/{form.uid}/", {"content": content})
    server.deploy(form.uid)
    xml = server.connection.send(
        Request(
            action="read a submission",
            path=f"/api/v2/assets/{form.uid}/data/{first.server_id}/?format=xml",
            accept="text/xml",
        )
    ).body.decode()
    version = server.asset(form.uid).deployed_version_id
    edited = xml.replace(str(first.content["__version__"]), version)
    server.phones.submit(edited.replace(first.root_uuid, "a-late-one").encode())

    pulled = run("pull", str(study.root))

    assert pulled.exit_code == 0
    assert f"pre_turks, version {version}: 1 change of wording" in pulled.stderr
    matched = run("match", str(study.root))
    assert "1 submissions were made with a form that was edited" in matched.stderr
    sheet = read_rows(study.match_folder / "submissions.xlsx")
    columns = sheet[0]
    marked = [row for row in sheet[1:] if "form_edited" in str(row[columns.index("flags")])]
    assert [row[columns.index("key")] for row in marked] == [f"{form.uid}/a-late-one"]
    versions = json.loads(run("pull", str(study.root), "--json").stdout)["versions"]
    [told] = [each for each in versions if each["changes"]]
    assert (told["form_version"], told["changes"][0]["where"]) == (version, "trust_1")
    assert told["changes"][0]["new"] == "Something else altogether."


def test_what_the_server_holds_is_proved_to_be_in_the_store(
    soup: tuple[Study, KoboServer],
) -> None:
    study, server = soup
    form = deployments(study)["post_turks"]
    first, second, *_ = server.rows(form.uid, "", 9).entries
    path = f"/api/v2/assets/{form.uid}/data/"
    send(
        server,
        "PATCH",
        f"{path}{first.server_id}/validation_status/",
        {"validation_status.uid": "validation_status_approved"},
    )
    send(server, "DELETE", f"{path}{second.server_id}/", None)

    pulled = run("pull", str(study.root), "--verify")

    assert pulled.exit_code == 0
    assert f"post_turks {first.server_id} reviewed by a supervisor" in pulled.stdout
    assert f"post_turks {second.server_id} deleted on the server" in pulled.stdout
    assert pulled.stdout.count("exactly as on the server") == 6
    assert run("pull", str(study.root)).stdout.splitlines()[-1].split()[1:4] == ["0", "0", "0"]


def test_a_form_that_is_gone_is_named_and_the_others_are_pulled(
    soup: tuple[Study, KoboServer],
) -> None:
    study, server = soup
    form = deployments(study)["pre_turks"]
    send(server, "DELETE", f"/api/v2/assets/{form.uid}/", None)

    pulled = run("pull", str(study.root))

    assert pulled.exit_code == 3
    assert "pre_turks" in pulled.stderr
    assert "deploy" in pulled.stderr
    assert "fu_syrians" in pulled.stdout
    with open_store(study.store_file, read_only=True) as store:
        assert store.counts()[form.uid].deleted == 0


def test_files_come_when_they_are_asked_for_and_only_once(
    soup: tuple[Study, KoboServer],
) -> None:
    study, server = soup
    uid = server.import_workbook("Photos", simple_form("text | photo | A photo"))
    server.deploy(uid)
    xml = instance(uid, "<photo>a/../b.jpg</photo>", uuid="with-photo")
    server.phones.submit(xml.encode(), {"a/../b.jpg": (b"JPEG", "image/jpeg")})
    known = study.state()["deployments"]
    photos = {"server": server.url, "uid": uid, "build_id": "none"}
    study.remember(deployments={**known, "photos": photos})

    assert "files" not in run("pull", str(study.root)).stdout
    first = run("pull", str(study.root), "--attachments")
    again = run("pull", str(study.root), "--attachments")

    assert "1 files came with submissions; 1 of them" in first.stdout
    assert "1 files came with submissions; 0 of them" in again.stdout
    [path] = [path for path in study.attachments_folder.rglob("*") if path.is_file()]
    assert path.read_bytes() == b"JPEG"
    assert path.relative_to(study.attachments_folder).parts[:2] == ("photos", "with-photo")


def send(server: KoboServer, method: str, path: str, body: object) -> None:
    server.connection.send(Request(action="change it", method=method, path=path, json=body))
