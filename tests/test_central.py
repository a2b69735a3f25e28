"""ODK Central: the same tests for the double, and for a running server where one is named.

KOBOSMIX_CENTRAL is its address, KOBOSMIX_CENTRAL_EMAIL and KOBOSMIX_CENTRAL_PASSWORD let in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from kobosmix.server.authorization import Secret
from kobosmix.server.central import CLOSED, CentralServer
from kobosmix.server.deploy import FormToDeploy, carry_out, plan_deploy
from kobosmix.server.http import Connection
from kobosmix.server.pull import pull
from kobosmix.store import Fate, Store, Tally, open_store
from tests.central_double import QUICK, SESSION, central_double
from tests.central_forms import FILES, REGISTER, Phone, built, md5

Memory = dict[str, dict[str, Any]]
URL = os.environ.get("KOBOSMIX_CENTRAL", "")


class Field:
    """A study of its own on one server."""

    def __init__(self, server: CentralServer, session: str) -> None:
        self.server, self.session = server, session
        self.study = f"test_{uuid4().hex[:8]}"
        self.memory: Memory = {}

    def form(self, **how: Any) -> FormToDeploy:
        return built(self.study, **how)

    def deploy(self, *forms: FormToDeploy, **how: Any) -> list[str]:
        plan = plan_deploy(self.server, forms, self.memory, **how)
        carry_out(plan, self.memory.__setitem__)
        return [step.act.value for step in plan.steps]

    @property
    def uid(self) -> str:
        return str(self.memory["pre_turks"]["uid"])

    @property
    def version(self) -> str:
        return self.server.asset(self.uid).deployed_version_id

    @contextmanager
    def phone(self) -> Iterator[Phone]:
        with closing(Phone(self.server.url, self.session, self.uid)) as phone:
            yield phone


@contextmanager
def _running() -> Iterator[Field]:
    """A study on the running server, whose projects go with it; those of other runs stay."""
    account = {
        "email": os.environ.get("KOBOSMIX_CENTRAL_EMAIL", ""),
        "password": os.environ.get("KOBOSMIX_CENTRAL_PASSWORD", ""),
    }
    answer = requests.post(f"{URL}/v1/sessions", json=account, timeout=20)
    session = str(answer.json()["token"])
    with Connection(URL, Secret(session, "Bearer"), patience=QUICK) as connection:
        server = CentralServer(connection)
        field = Field(server, session)
        yield field
        for project in list(server.projects.visible()):
            if f"[kobosmix {field.study}" in project.description:
                server.api.remove("tidy up", f"/v1/projects/{project.id}")
        server.api.remove("sign out", "/v1/sessions/current")


@pytest.fixture(
    params=[
        "double",
        pytest.param(
            "running",
            marks=[
                pytest.mark.live,
                pytest.mark.skipif(not URL, reason="KOBOSMIX_CENTRAL names no server"),
            ],
        ),
    ]
)
def field(request: pytest.FixtureRequest) -> Iterator[Field]:
    if request.param == "running":
        with _running() as field:
            yield field
    else:
        with central_double() as (_, server):
            yield Field(server, SESSION)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.sqlite") as store:
        yield store


def test_phones_get_what_was_built_under_a_version_that_counts_up(field: Field) -> None:
    form = field.form()

    assert field.deploy(form) == ["create", "upload", "upload", "deploy"]

    asset = field.server.asset(field.uid)
    assert asset.is_live
    assert asset.deployed_version_id == "kx1.1"
    said = {name: value for name, value in form.constants.items() if value}
    assert asset.constants == {**said, "kx_build": "kx1"}
    assert field.server.fielded_media(field.uid) == form.media_md5
    assert form.build_id in field.server.fielded_form(field.uid)


def test_deploying_twice_publishes_nothing_even_when_the_memory_is_lost(field: Field) -> None:
    field.deploy(field.form(), field.form(group="syrians", build_id="kx2"))

    assert field.deploy(field.form(), field.form(group="syrians", build_id="kx2")) == [
        "nothing",
        "nothing",
    ]
    field.memory.clear()
    field.deploy(field.form(), field.form(group="syrians", build_id="kx2"))

    assert field.version == "kx1.1"
    assert len({told["uid"].partition(".")[0] for told in field.memory.values()}) == 1


def test_another_file_is_a_new_version_of_the_same_form(field: Field) -> None:
    field.deploy(field.form())
    files = {**FILES, "enumerators.csv": b"name,label\nE01,E01\nE02,E02\n"}

    assert field.deploy(field.form(files=files)) == ["upload", "deploy"]

    assert field.version == "kx1.2"
    expected = {name: md5(content) for name, content in files.items()}
    assert field.server.fielded_media(field.uid) == expected


def test_a_draft_that_somebody_left_is_not_published_by_us(field: Field) -> None:
    field.deploy(field.form())
    other = field.form(items=("trust_1", "by_hand"))
    field.server._make_draft("leave a draft", field.uid, other.workbook)
    assert not field.server.asset(field.uid).is_live

    assert field.deploy(field.form())[0] == "replace"

    asset = field.server.asset(field.uid)
    assert asset.is_live
    assert asset.deployed_version_id == "kx1.1"


def test_forms_of_a_project_that_was_deleted_are_deployed_anew(field: Field) -> None:
    form = field.form()
    field.deploy(form)
    field.server.allow_sending(field.uid, "E01")
    first = field.uid.partition(".")[0]
    field.server.api.remove("delete the project", f"/v1/projects/{first}")

    assert field.server.find_asset(field.uid) is None
    assert field.deploy(form) == ["create", "upload", "upload", "deploy"]

    assert field.uid.partition(".")[0] != first
    assert field.server.asset(field.uid).is_live
    assert field.deploy(form) == ["nothing"]


def test_every_change_is_seen_and_none_twice(field: Field, store: Store) -> None:
    field.deploy(field.form())
    version = field.version
    with field.phone() as phone:
        names = [phone.send(version, trust_1="4", age="30") for _ in range(5)]
        names.append(phone.send(version, photo="face.jpg"))
        assert _pull(field, store) == Tally(new=6)
        assert _pull(field, store) == Tally(unchanged=6)

        phone.edit(names[0], names[0], version, trust_1="2")
        assert _pull(field, store) == Tally(edited=1, unchanged=5)
        (change,) = store.changes(field.uid)
        assert "interview/trust_1" in change.fields
        phone.ask("PATCH", f"/submissions/{names[1]}", {"reviewState": "approved"})
        assert _pull(field, store) == Tally(reviewed=1, unchanged=5)
        phone.ask("POST", f"/submissions/{names[5]}/attachments/face.jpg", b"a face")
        assert _pull(field, store) == Tally(media=1, unchanged=5)
        phone.ask("DELETE", f"/submissions/{names[2]}")
        assert _pull(field, store) == Tally(deleted=1, unchanged=5)
        assert list(field.server.deleted(field.uid)) == [names[2]]
        phone.ask("POST", f"/submissions/{names[2]}/restore")
        assert _pull(field, store) == Tally(restored=1, unchanged=5)


def test_answers_are_kept_by_their_paths_and_nobody_who_sent_them(
    field: Field, store: Store
) -> None:
    field.deploy(field.form())
    with field.phone() as phone:
        name = phone.send(field.version, trust_1="4", age="30")
        _pull(field, store)
        phone.edit(name, name, field.version, trust_1="2", age="30")
        phone.ask("PATCH", f"/submissions/{name}", {"reviewState": "approved"})
        _pull(field, store)

    (current,) = store.current()
    assert current.content["interview/trust_1"] == "2"
    assert current.content["interview/age"] == "30"
    assert current.content["__version__"] == "kx1.1"
    assert current.validation == "approved"
    history = store.history(current.key)
    assert [each.fate for each in history] == [Fate.NEW, Fate.EDITED]
    personal = {"submitterName", "submitterId", "deviceId"}
    assert not any(personal & set((each.content or {})["__system"]) for each in history)


def test_a_file_is_fetched_once_it_has_come(field: Field, store: Store) -> None:
    field.deploy(field.form())
    with field.phone() as phone:
        name = phone.send(field.version, photo="a face.jpg")
        _pull(field, store)
        (submission,) = store.current()
        assert field.server.attached(submission) == []
        phone.ask("POST", f"/submissions/{name}/attachments/a face.jpg", b"a face")

    (file,) = field.server.attached(submission)

    assert file.name == "a face.jpg"
    assert field.server.attachment(field.uid, file) == b"a face"


def test_answers_to_a_question_that_was_taken_out_stay_as_they_were(
    field: Field, store: Store, tmp_path: Path
) -> None:
    field.deploy(field.form())
    with field.phone() as phone:
        said = 'he said "no",\nthen yes'
        names = [phone.send(field.version, trust_1="4", trust_2=said, age="7")]
        _pull(field, store)
        field.deploy(
            field.form(build_id="kx2", items=("trust_1", "trust_3")), replace_answered=True
        )
        names.append(phone.send(field.version, trust_1="5", trust_3="1"))

    assert field.version == "kx2.2"
    assert _pull(field, store) == Tally(new=1, unchanged=1)
    with open_store(tmp_path / "new.sqlite") as new:
        _pull(field, new)
        assert _digests(new) == _digests(store)
        old, recent = (
            each.content
            for each in sorted(new.current(), key=lambda each: each.server_id == names[1])
        )
    assert (old["interview/trust_2"], old["interview/age"]) == (said, "7")
    assert "interview/trust_3" not in old
    assert recent["interview/trust_3"] == "1"


def test_answers_to_what_was_taken_out_are_asked_for_page_by_page(
    field: Field, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kobosmix.server.central_reading._NAMES_IN_ONE", 2)
    field.deploy(field.form())
    with field.phone() as phone:
        names = [phone.send(field.version, trust_2=str(code)) for code in (1, 2, 3, 4, 5)]
        phone.ask("DELETE", f"/submissions/{names.pop(1)}")
        field.deploy(field.form(build_id="kx2", items=("trust_1",)), replace_answered=True)
        names.append(phone.send(field.version, trust_1="5"))

    pull(field.server, store, [field.uid], page_size=4)

    said = {each.server_id: each.content.get("interview/trust_2") for each in store.current()}
    assert said == dict(zip(names, ("1", "3", "4", "5", None), strict=True))


def test_each_submission_is_on_one_page_whatever_the_size(field: Field) -> None:
    field.deploy(field.form())
    with field.phone() as phone:
        version = field.version
        sent = [phone.send(version, trust_1="1") for _ in range(7)]

    for size in (1, 2, 3, 7, 50):
        assert _walk(field.server.rows, field.uid, size) == sent
        assert _walk(field.server.heads, field.uid, size) == sent
    asked = field.server.rows_of(field.uid, [*sent[:2], "uuid:never"])
    assert {row.server_id for row in asked} == set(sent[:2])
    assert field.server.submission_count(field.uid) == len(sent)


def test_heads_and_rows_carry_the_same_mark(field: Field) -> None:
    field.deploy(field.form())
    with field.phone() as phone:
        name = phone.send(field.version, trust_1="1")
        phone.edit(name, name, field.version, trust_1="2")

    (head,) = field.server.heads(field.uid, "", 10).entries
    (row,) = field.server.rows(field.uid, "", 10).entries

    assert head.mark == row.mark
    assert row.form_version == "kx1.1"
    assert row.root_uuid == name.removeprefix("uuid:")


def test_an_enumerator_has_one_way_in_however_often_it_is_given(field: Field) -> None:
    field.deploy(field.form(), field.form(group="syrians", build_id="kx2"))
    uids = [str(told["uid"]) for told in field.memory.values()]
    project = int(uids[0].partition(".")[0])

    for _ in range(2):
        for uid in uids:
            field.server.allow_sending(uid, "E01")

    assert list(field.server.app_users(project)) == ["E01"]
    (right,) = field.server.rights(uids[0])
    [login] = field.server.phone_logins(uids[0], {"E01": "E01"})
    token = field.server.app_user(project, "E01").token
    assert login.address == f"{field.server.url}/v1/key/{token}/projects/{project}"
    assert (login.code, login.account, login.is_secret) == ("E01", "", True)
    assert token not in repr(login)
    assert token not in repr(field.server.app_user(project, "E01"))
    field.server.take_right(uids[0], right)
    field.server.take_right(uids[0], right)
    assert field.server.rights(uids[0]) == []
    assert len(field.server.rights(uids[1])) == 1


def test_a_register_that_is_a_list_is_fresh_on_phones_without_a_new_version(
    field: Field,
) -> None:
    field.server.keep_register_as_list()
    form = field.form(in_list=True)
    assert field.deploy(form) == ["create", "upload", "upload", "deploy"]
    assert field.deploy(form) == ["nothing"]
    assert field.server.fielded_media(field.uid) == form.media_md5

    # One is gone, one has another group, one is new; then the one who was gone is back.
    header, first, second = REGISTER.splitlines(keepends=True)
    later = header + second.replace(b"turks", b"syrians") + b"10000003,1000 0003,turks,a,2,\n"
    for register in (later, header + first + b"10000003,1000 0003,turks,a,2,\n"):
        now = field.form(in_list=True, files={**FILES, "register.csv": register})
        assert field.deploy(now)[0] == "upload"
        assert field.server.fielded_media(field.uid) == now.media_md5
        assert field.deploy(now) == ["nothing"]

    assert field.version == "kx1.1"


def test_a_register_can_become_a_list_and_a_file_again(field: Field) -> None:
    field.deploy(field.form())
    field.server.keep_register_as_list()

    field.deploy(field.form(build_id="kx2", in_list=True))
    assert field.server._is_linked(field.uid)

    field.server.lists_register = False
    field.deploy(field.form(build_id="kx3"))
    assert not field.server._is_linked(field.uid)
    assert field.server.fielded_media(field.uid) == field.form().media_md5


def test_a_form_with_a_list_reads_back_as_the_form_that_was_built(field: Field) -> None:
    field.server.keep_register_as_list()
    field.deploy(field.form(in_list=True))

    content = field.server.asset(field.uid).content

    (found,) = [row for row in content["survey"] if row.get("name") == "rid_group"]
    assert found["calculation"] == "instance('register')/root/item[name = ${rid}]/group"


def test_a_form_that_is_being_closed_takes_late_answers_and_a_closed_one_none(
    field: Field,
) -> None:
    field.deploy(field.form())
    version = field.version
    with field.phone() as phone:
        field.server.set_open(field.uid, is_open=False)
        phone.send(version, trust_1="1")
        field.server.set_state(field.uid, CLOSED)
        with pytest.raises(AssertionError, match=r"409\.2"):
            phone.send(version, trust_1="1")

    assert not field.server.asset(field.uid).active
    field.server.set_open(field.uid, is_open=True)
    assert field.server.asset(field.uid).is_live
    assert field.version == version


def test_each_version_can_be_compared_with_the_build(field: Field) -> None:
    form = field.form()
    field.deploy(form)
    field.deploy(field.form(build_id="kx2", items=("trust_1", "trust_3")))

    sheets = field.server.version_sheets(field.uid, "kx1.1")

    assert sheets is not None
    assert [row["name"] for row in sheets["survey"] if "name" in row][-1] == "trust_2"
    assert len(sheets["choices"]) == 5
    assert field.server.version_constants(field.uid, "kx1.1")["kx_build"] == "kx1"
    assert field.server.version_sheets(field.uid, "never") is None


def _pull(field: Field, store: Store) -> Tally:
    return pull(field.server, store, [field.uid], page_size=3).total


def _digests(store: Store) -> dict[str, str]:
    return {each.key: each.digest for each in store.current()}


def _walk(ask: Any, uid: str, size: int) -> list[str]:
    found, cursor, is_last = list[str](), "", False
    while not is_last:
        page = ask(uid, cursor, size)
        found += [each.server_id for each in page.entries]
        cursor, is_last = page.cursor, page.is_last
    return found
