"""The contract of KoboToolbox: what changes submissions and rights, and what tells of it.

As in `test_kobo_contract.py`, every test is for the local server and for a running one.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from tests.kobo_places import Place
from tests.local_forms import Client, instance, simple_form

FORM = simple_form(
    "begin group | hh | H",
    "text | head | Name",
    "integer | size | Size",
    "end group | | ",
    "begin repeat | member | M",
    "text | m_name | Name",
    "end repeat | | ",
    "image | photo | P",
    "image | other | P",
    "geopoint | gps | G",
)
BODY = (
    "<hh><head>H{0}</head><size>{0}</size></hh>"
    "<member><m_name>x</m_name></member><member><m_name>y</m_name></member>"
    "<photo>p.jpg</photo><gps>2.0469 45.3182 10 4.5</gps>"
)
PHOTO = {"p.jpg": ("p.jpg", b"\xff\xd8 a photo", "image/jpeg")}
APPROVED = "validation_status_approved"
# A number that no submission has.
NO_ONE = 99_999_999


@pytest.fixture
def uid(alice: Client) -> str:
    return alice.deployed(FORM)


@pytest.fixture
def four(alice: Client, uid: str) -> list[int]:
    """The numbers of four submissions."""
    for number in range(4):
        assert alice.submit(instance(uid, BODY.format(number))).status_code == 201
    return [row["_id"] for row in alice.rows(uid)]


def data(client: Client, uid: str, method: str, path: str, **payload: Any) -> tuple[int, Any]:
    """Status and JSON of a request about a project's submissions."""
    sent = {"json": {"payload": payload}} if payload else {"json": {}}
    answer = client.ask(method, f"/api/v2/assets/{uid}/data/{path}", **sent)
    return answer.status_code, answer.json()


# Many at once


def test_many_are_reviewed_at_once_and_none_if_one_is_not_there(
    alice: Client, uid: str, four: list[int]
) -> None:
    def review(**payload: Any) -> tuple[int, Any]:
        told = {"validation_status.uid": APPROVED, **payload}
        return data(alice, uid, "PATCH", "validation_statuses/", **told)

    invalid = (400, {"detail": "One or more submission ids are invalid"})
    assert review(submission_ids=[four[0], NO_ONE]) == invalid
    assert all(not row["_validation_status"] for row in alice.rows(uid))

    done = (200, {"detail": "2 submissions have been updated"})
    assert review(submission_ids=four[:2]) == done
    assert review(query={"hh/head": "H3"})[1] == {"detail": "1 submissions have been updated"}
    assert review(query={"hh/head": "none"})[1] == {"detail": "0 submissions have been updated"}
    states = [row["_validation_status"].get("label") for row in alice.rows(uid)]
    assert states == ["Approved", "Approved", None, "Approved"]


def test_a_review_of_many_needs_a_status_and_says_which(
    alice: Client, uid: str, four: list[int]
) -> None:
    where = "validation_statuses/"

    assert data(alice, uid, "PATCH", where) == (400, {"payload": ["This field is required."]})
    missing = data(alice, uid, "PATCH", where, submission_ids=four)
    assert missing == (400, {"payload": ["`validation_status.uid` is required"]})
    unsaid = data(alice, uid, "PATCH", where, **{"validation_status.uid": APPROVED})
    assert unsaid == (400, {"payload": ["Confirmation is required"]})
    unknown = {"submission_ids": four[:1], "validation_status.uid": "nonsense"}
    assert data(alice, uid, "PATCH", where, **unknown)[0] == 200
    assert alice.rows(uid)[0]["_validation_status"] == {}


@pytest.mark.parametrize(
    ("kind", "label"),
    [("on_hold", "On Hold"), ("not_approved", "Not Approved"), ("approved", "Approved")],
)
def test_a_review_has_the_servers_own_words_and_leaves_the_uuid(
    alice: Client, uid: str, four: list[int], kind: str, label: str
) -> None:
    before = alice.rows(uid)[0]
    address = f"/api/v2/assets/{uid}/data/{four[0]}/validation_status/"

    wrong = alice.ask("PATCH", address, json={"validation_status.uid": "nope"})
    given = alice.ask(
        "PATCH", address, json={"validation_status.uid": f"validation_status_{kind}"}
    )

    assert wrong.json() == {"detail": "Invalid validation status: `nope`"}
    assert (given.json()["label"], given.json()["by_whom"]) == (label, alice.name)
    after = alice.rows(uid)[0]
    assert after.pop("_validation_status") == given.json()
    before.pop("_validation_status")
    assert after == before


def test_the_review_is_shown_among_fields_only_if_it_is_asked_for(
    alice: Client, uid: str, four: list[int]
) -> None:
    told = {"submission_ids": four, "validation_status.uid": APPROVED}
    data(alice, uid, "PATCH", "validation_statuses/", **told)

    unasked = alice.rows(uid, fields=["_id"])[0]
    asked = alice.rows(uid, fields=["_id", "_validation_status"])[0]

    assert unasked["_validation_status"] == {}
    assert asked["_validation_status"]["uid"] == APPROVED


def test_many_are_edited_at_once_under_new_uuids(
    alice: Client, uid: str, four: list[int]
) -> None:
    before = alice.rows(uid)[0]
    changes = {"hh/head": "BULK", "new/field": "n", "member/m_name": "first"}

    status, said = data(
        alice, uid, "PATCH", "bulk/", submission_ids=[four[0], NO_ONE], data=changes
    )

    assert status == 200
    assert (said["count"], said["successes"], said["failures"]) == (1, 1, 0)
    (result,) = said["results"]
    assert (result["status_code"], result["message"]) == (201, "Successful submission")
    row = alice.rows(uid)[0]
    assert row["_uuid"] == result["uuid"] != before["_uuid"]
    assert row["meta/rootUuid"] == before["meta/rootUuid"] == f"uuid:{result['root_uuid']}"
    assert row["meta/deprecatedID"] == before["meta/instanceID"]
    assert (row["hh/head"], row["new/field"], row["hh/size"]) == ("BULK", "n", "0")
    assert row["member"] == [{"member/m_name": "first"}, {"member/m_name": "y"}]
    assert row["_submission_time"] == before["_submission_time"]


def test_an_edit_of_many_says_what_it_lacks(alice: Client, uid: str, four: list[int]) -> None:
    def edit(**payload: Any) -> tuple[int, Any]:
        return data(alice, uid, "PATCH", "bulk/", **payload)

    assert edit() == (400, {"payload": ["This field is required."]})
    assert edit(submission_ids=four) == (400, {"payload": ["`data` is required"]})
    assert edit(data={"a": "b"}) == (400, {"payload": ["Confirmation is required"]})
    nobody = (400, ["No submissions match the given `submission_ids`"])
    assert edit(submission_ids=[NO_ONE], data={"a": "b"}) == nobody
    assert edit(confirm=True, data={"hh/head": ""})[1]["successes"] == 4
    assert all("hh/head" not in row for row in alice.rows(uid))


def test_many_are_deleted_at_once_or_none(alice: Client, uid: str, four: list[int]) -> None:
    invalid = (400, {"detail": "One or more submission ids are invalid"})
    mixed = data(alice, uid, "DELETE", "bulk/", submission_ids=[four[0], NO_ONE])
    one = data(alice, uid, "DELETE", "bulk/", submission_ids=[four[0]])
    found = data(alice, uid, "DELETE", "bulk/", query={"hh/head": "H1"})

    assert mixed == invalid
    assert one == found == (200, {"detail": "1 submissions have been deleted"})
    assert [row["_id"] for row in alice.rows(uid)] == four[2:]
    assert data(alice, uid, "DELETE", "bulk/", submission_ids=[four[0]]) == invalid


def test_a_closed_form_takes_no_copy_and_no_edit(
    alice: Client, uid: str, four: list[int]
) -> None:
    alice.ask("PATCH", f"/api/v2/assets/{uid}/deployment/", json={"active": False})
    row = alice.rows(uid)[0]
    meta = f"<deprecatedID>{row['meta/instanceID']}</deprecatedID>"

    status, said = data(
        alice, uid, "PATCH", "bulk/", submission_ids=[four[0]], data={"hh/head": "x"}
    )
    copied = data(alice, uid, "POST", f"{four[0]}/duplicate/")
    sent = alice.submit(instance(uid, meta=meta))

    assert (status, said["failures"]) == (400, 1)
    assert said["results"][0]["message"] == "Form is not active"
    assert copied == (405, "Form is not active")
    assert sent.status_code == 405
    assert alice.rows(uid)[0] == row


def test_a_copy_is_another_submission_with_the_same_answers_and_files(
    alice: Client, uid: str
) -> None:
    alice.submit(instance(uid, BODY.format(1)), files=PHOTO)
    (row,) = alice.rows(uid)

    status, copy = data(alice, uid, "POST", f"{row['_id']}/duplicate/")

    assert status == 201
    assert copy["hh/head"] == row["hh/head"]
    assert copy["_id"] > row["_id"]
    assert copy["meta/rootUuid"] == f"uuid:{copy['_uuid']}" != row["meta/rootUuid"]
    assert [each["media_file_basename"] for each in copy["_attachments"]] == ["p.jpg"]
    assert data(alice, uid, "POST", f"{NO_ONE}/duplicate/") == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", "bulk/"), ("PUT", "bulk/"), ("PATCH", "1/")]
)
def test_what_the_api_has_no_word_for_is_405(
    alice: Client, uid: str, method: str, path: str
) -> None:
    status, said = data(alice, uid, method, path)

    assert (status, said) == (405, {"detail": f'Method "{method}" not allowed.'})


# Files


def test_a_file_that_comes_late_leaves_the_uuid_as_it_was(alice: Client, uid: str) -> None:
    xml = instance(uid, BODY.format(1))
    first = alice.submit(xml)
    (before,) = alice.rows(uid)

    late, again = alice.submit(xml, files=PHOTO), alice.submit(xml, files=PHOTO)
    other = alice.submit(xml, files={"p.jpg": ("p.jpg", b"another", "image/jpeg")})
    (after,) = alice.rows(uid)
    (kept,) = after.pop("_attachments")

    codes = [each.status_code for each in (first, late, again, other)]
    assert codes == [201, 201, 202, 409]
    assert before.pop("_attachments") == []
    assert after == before
    assert (kept["media_file_basename"], kept["question_xpath"]) == ("p.jpg", "photo")
    assert kept["is_deleted"] is False
    assert alice.ask("GET", kept["download_url"]).content == PHOTO["p.jpg"][1]


def test_a_file_no_answer_names_is_dropped(alice: Client, uid: str) -> None:
    unnamed = {"q.jpg": ("q.jpg", b"\xff\xd8 q", "image/jpeg")}
    alice.submit(instance(uid, BODY.format(1)), files={**PHOTO, **unnamed})

    assert len(alice.rows(uid)[0]["_attachments"]) == 1


def test_an_edit_keeps_the_files_that_its_answers_still_name(alice: Client, uid: str) -> None:
    first, second, third = (str(uuid4()) for _ in range(3))
    alice.submit(instance(uid, BODY.format(1), uuid=first), files=PHOTO)

    def edit(uuid: str, of: str, body: str) -> list[dict[str, Any]]:
        meta = f"<deprecatedID>uuid:{of}</deprecatedID>"
        assert alice.submit(instance(uid, body, uuid=uuid, meta=meta)).status_code == 201
        shown: list[dict[str, Any]] = alice.rows(uid)[0]["_attachments"]
        return shown

    assert len(edit(second, first, BODY.format(2))) == 1
    assert edit(third, second, "<hh><head>none</head></hh>") == []
    # A place that is taken out of the answers stays with the submission all the same.
    assert alice.rows(uid)[0]["_geolocation"] == [2.0469, 45.3182]


def test_a_file_is_found_by_the_question_it_answers(alice: Client, uid: str) -> None:
    alice.submit(instance(uid, BODY.format(1)), files=PHOTO)
    alice.submit(instance(uid, BODY.format(2)))
    with_file, without = (row["_id"] for row in alice.rows(uid))

    def ask(number: int, query: str) -> tuple[int, bytes]:
        address = f"/api/v2/assets/{uid}/data/{number}/attachments/{query}"
        answer = alice.ask("GET", address)
        return answer.status_code, answer.content

    assert ask(with_file, "?xpath=photo") == (200, PHOTO["p.jpg"][1])
    assert ask(with_file, "")[0] == 400
    assert ask(with_file, "?xpath=other")[0] == 400
    assert ask(without, "?xpath=photo")[0] == 404


# Submissions as JSON


def test_a_submission_may_be_sent_as_json(alice: Client, uid: str) -> None:
    name = f"uuid:{uuid4()}"
    answers = {
        "hh": {"head": ["a", "b"], "size": 3},
        "member": [{"m_name": "x"}, {"m_name": "y"}],
        "meta": {"instanceID": name},
    }

    answer = alice.ask("POST", "/submission", json={"id": uid, "submission": answers})

    assert answer.status_code == 201
    assert (answer.json()["formid"], answer.json()["instanceID"]) == (uid, name)
    (row,) = alice.rows(uid)
    assert (row["hh/head"], row["hh/size"]) == ("a b", "3")
    assert row["member"] == [{"member/m_name": "x"}, {"member/m_name": "y"}]
    assert "__version__" not in row


def test_what_is_wrong_with_json_is_said_in_json(alice: Client, uid: str) -> None:
    def send(**sent: Any) -> tuple[int, Any]:
        answer = alice.ask("POST", "/submission", json=sent)
        return answer.status_code, answer.json()

    nameless = send(id=uid, submission={"hh": {"head": "x"}})
    named = {"meta": {"instanceID": f"uuid:{uuid4()}"}}

    assert nameless == (400, {"error": "Instance ID is required"})
    assert send(id=uid) == (400, {"error": "No submission key provided."})
    assert send(submission=named) == (404, {"detail": "Not found."})
    assert send(id="aUnknown", submission=named) == (404, {"detail": "Not found."})


# History


def events(client: Client, uid: str, query: str = "") -> list[tuple[str, str]]:
    """Action and root uuid of each entry, the newest first; looking at data is left out."""
    asked = {"q": query, "limit": 1000} if query else {"limit": 1000}
    listed = client.read(f"/api/v2/assets/{uid}/history/", params=asked)["results"]
    told = [(each["action"], each["metadata"].get("submission", {})) for each in listed]
    return [(action, of.get("root_uuid", "")) for action, of in told if action != "view-data"]


def test_history_tells_of_all_but_files_that_come_late(
    alice: Client, uid: str, four: list[int]
) -> None:
    roots = [row["meta/rootUuid"].removeprefix("uuid:") for row in alice.rows(uid)]
    xml = instance(uid, BODY.format(9))
    alice.submit(xml)
    late = alice.rows(uid)[-1]["_uuid"]
    data(alice, uid, "PATCH", "bulk/", submission_ids=[four[0]], data={"hh/head": "x"})
    told = {"submission_ids": [four[1]], "validation_status.uid": APPROVED}
    data(alice, uid, "PATCH", "validation_statuses/", **told)
    data(alice, uid, "DELETE", "bulk/", submission_ids=[four[2]])
    assert alice.submit(xml, files=PHOTO).status_code == 201

    changed = [("modify-submission", roots[1]), ("modify-submission", roots[0])]
    assert events(alice, uid, "action:modify-submission") == changed
    assert events(alice, uid, "action:delete-submission") == [("delete-submission", roots[2])]
    added = {root for _, root in events(alice, uid, "action:add-submission")}
    assert added == {*roots, late}
    # All of it: no word of the late file.
    assert len(events(alice, uid)) == 5 + 2 + 1 + 1
    assert events(alice, uid)[-1] == ("deploy", "")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("action:nonsense", 0),
        ("colour:red", 0),
        ('action:add-submission AND date_created__gte:"2020-01-01T00:00:00Z"', 4),
        ('action:add-submission AND date_created__gte:"2099-01-01"', 0),
        ("action:add-submission OR action:deploy", 5),
        ("(action:add-submission OR action:deploy) AND NOT action:deploy", 4),
    ],
)
def test_history_is_searched(
    alice: Client, uid: str, four: list[int], query: str, number: int
) -> None:
    assert len(four) == 4
    assert len(events(alice, uid, query)) == number


def test_history_is_for_who_manages_the_project(
    alice: Client, bob: Client, nobody: Client, uid: str
) -> None:
    address = f"/api/v2/assets/{uid}/history/"
    give(alice, uid, bob.name, "view_submissions")

    assert bob.ask("GET", address).status_code == 403
    assert nobody.ask("GET", address).status_code == 401
    assert alice.ask("GET", address, params={"q": "zz"}).status_code == 400


# Rights


def give(client: Client, uid: str, username: str, right: str, **more: Any) -> Any:
    """Give a right; the JSON of the answer."""
    return client.ask(
        "POST",
        f"/api/v2/assets/{uid}/permission-assignments/",
        json={**link(client, username, right), **more},
    ).json()


def link(client: Client, username: str, right: str) -> dict[str, str]:
    return {
        "user": f"{client.url}/api/v2/users/{username}/",
        "permission": f"{client.url}/api/v2/permissions/{right}/",
    }


def rights_of(client: Client, uid: str, username: str) -> set[str]:
    listed = client.read(f"/api/v2/assets/{uid}/permission-assignments/")
    return {
        each["permission"].rstrip("/").rpartition("/")[2]
        for each in listed
        if each["user"].endswith(f"/{username}/")
    }


@pytest.mark.parametrize(
    "case",
    [
        (
            "change_submissions",
            {"add_submissions", "change_submissions", "view_asset", "view_submissions"},
            "view_submissions",
            {"add_submissions", "view_asset"},
        ),
        (
            "validate_submissions",
            {"validate_submissions", "view_asset", "view_submissions"},
            "view_asset",
            set(),
        ),
        ("add_submissions", {"add_submissions"}, "add_submissions", set()),
    ],
)
def test_a_right_brings_others_and_takes_them_with_it(
    alice: Client, bob: Client, uid: str, case: tuple[str, set[str], str, set[str]]
) -> None:
    given, has, taken, left = case
    give(alice, uid, bob.name, given)
    assert rights_of(alice, uid, bob.name) == has

    listed = alice.read(f"/api/v2/assets/{uid}/permission-assignments/")
    (address,) = (
        each["url"]
        for each in listed
        if each["user"].endswith(f"/{bob.name}/") and taken in each["permission"]
    )
    assert alice.ask("DELETE", address).status_code == 204
    assert alice.ask("DELETE", address).status_code == 404
    assert rights_of(alice, uid, bob.name) == left


def test_rights_given_in_bulk_replace_all_but_the_owners(
    alice: Client, bob: Client, uid: str
) -> None:
    address = f"/api/v2/assets/{uid}/permission-assignments/bulk/"
    give(alice, uid, bob.name, "view_submissions")
    owned = rights_of(alice, uid, alice.name)

    given = [link(alice, bob.name, "add_submissions")]
    replaced = alice.ask("POST", address, json=given)
    assert replaced.status_code == 200
    assert rights_of(alice, uid, bob.name) == {"add_submissions"}
    assert alice.ask("POST", address, json=[]).status_code == 200
    assert rights_of(alice, uid, bob.name) == set()
    assert rights_of(alice, uid, alice.name) == owned
    wrong = alice.ask("POST", address, json=given[0])
    assert wrong.json() == {"assignments": ['Expected a list of items but got type "dict".']}
    own = alice.ask("POST", address, json=[link(alice, alice.name, "view_asset")])
    assert own.json() == {"user": "Owner's permissions cannot be assigned explicitly"}


def test_all_rights_of_one_user_are_taken_at_once(alice: Client, bob: Client, uid: str) -> None:
    address = f"/api/v2/assets/{uid}/permission-assignments/bulk/"
    give(alice, uid, bob.name, "change_submissions")

    def take(**sent: str) -> int:
        return alice.ask("DELETE", address, json=sent).status_code

    assert take(username=bob.name) == 204
    assert rights_of(alice, uid, bob.name) == set()
    assert take(username=bob.name) == 204
    assert take(username="nobody_of_that_name") == 204
    assert take(username=alice.name) == 409
    assert take() == 400


def test_a_right_to_some_submissions_shows_these_alone(
    alice: Client, bob: Client, uid: str
) -> None:
    some = {"url": f"{alice.url}/api/v2/permissions/view_submissions/"}
    filters = [{"_submitted_by": bob.name}]
    partial = {"partial_permissions": [{**some, "filters": filters}]}
    given = give(alice, uid, bob.name, "partial_submissions", **partial)
    give(alice, uid, bob.name, "add_submissions")
    for person in (alice, bob):
        person.submit(instance(uid, BODY.format(1)))
    theirs, own = (row["_id"] for row in alice.rows(uid))

    assert given["partial_permissions"][0]["filters"] == filters
    assert [row["_id"] for row in bob.rows(uid)] == [own]
    address = f"/api/v2/assets/{uid}/data/"
    assert bob.read(address)["count"] == 1
    assert bob.ask("GET", f"{address}{own}/").status_code == 200
    assert bob.ask("GET", f"{address}{theirs}/").status_code == 404
    counted = bob.read(f"/api/v2/assets/{uid}/counts/")
    assert counted["total_submission_count"] is None
    missing = give(alice, uid, bob.name, "partial_submissions")
    assert "partial_permissions" in missing


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "validation_statuses/"),
        ("PATCH", "bulk/"),
        ("DELETE", "bulk/"),
        ("POST", "{}/duplicate/"),
    ],
)
def test_who_may_only_look_changes_nothing(
    alice: Client, bob: Client, uid: str, method: str, path: str
) -> None:
    alice.submit(instance(uid, BODY.format(1)))
    give(alice, uid, bob.name, "view_submissions")
    (row,) = alice.rows(uid)
    payload = {
        "submission_ids": [row["_id"]],
        "validation_status.uid": APPROVED,
        "data": {"hh/head": "x"},
    }

    assert data(bob, uid, method, path.format(row["_id"]), **payload)[0] == 403
    assert alice.rows(uid) == [row]
    assert "detail" in give(bob, uid, bob.name, "manage_asset")
    assert rights_of(alice, uid, bob.name) == {"view_asset", "view_submissions"}


# Projects made without a workbook, and their versions


def test_a_project_is_made_of_rows(alice: Client) -> None:
    rows = [{"type": "text", "name": "q", "label": ["Q"]}]
    sent = {"name": "By rows", "asset_type": "survey", "content": {"survey": rows}}

    made = alice.ask("POST", "/api/v2/assets/", json=sent)
    alice.made.append(made.json()["uid"])

    assert made.status_code == 201
    assert made.headers["Location"] == made.json()["url"]
    (row,) = made.json()["content"]["survey"]
    assert (row["name"], row["$autoname"], row["label"]) == ("q", "q", ["Q"])
    assert made.json()["deployment_status"] == "draft"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 400),
        ({"name": "x", "asset_type": "nonsense"}, 400),
        (
            {"asset_type": "survey", "content": {"survey": [{"type": "zz", "name": "q"}]}},
            500,
        ),
    ],
)
def test_a_project_of_wrong_rows_is_refused(
    alice: Client, sent: dict[str, Any], status: int
) -> None:
    assert alice.ask("POST", "/api/v2/assets/", json=sent).status_code == status


def test_broken_json_is_a_fault_of_the_server(alice: Client, nobody: Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = alice.ask("POST", "/api/v2/assets/", data="{", headers=headers)

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")
    assert nobody.ask("POST", "/api/v2/assets/", json={}).status_code == 401


def test_versions_are_listed_the_newest_first(alice: Client, uid: str) -> None:
    alice.project(simple_form("text | z | Z"), destination=f"/api/v2/assets/{uid}/")
    alice.redeploy(uid)

    listed = alice.read(f"/api/v2/assets/{uid}/versions/")

    assert listed["count"] == 2
    assert [each["version_number"] for each in listed["results"]] == ["2", "1"]
    assert listed["results"][0]["uid"] == alice.asset(uid)["deployed_version_id"]


def test_a_draft_has_no_counts_and_no_history(alice: Client) -> None:
    uid = alice.project(FORM)

    assert alice.ask("GET", f"/api/v2/assets/{uid}/counts/").status_code == 404
    assert events(alice, uid) == []


def test_the_server_says_how_long_to_wait(nobody: Client) -> None:
    told = nobody.read("/api/v2/environment/")

    assert told["frontend_min_retry_time"] == 2
    assert told["frontend_max_retry_time"] == 120


# The client


def test_the_client_reads_what_is_there(alice: Client, uid: str, four: list[int]) -> None:
    with Connection(alice.url, alice.token) as connection:
        server = KoboServer(connection)

        assert server.username() == alice.name
        assert server.submission_count(uid) == 4
        first = server.heads(uid, "", 3)
        rest = server.rows(uid, first.cursor, 3)
        assert [head.server_id for head in first.entries] == [str(n) for n in four[:3]]
        assert [row.server_id for row in rest.entries] == [str(four[3])]
        assert (first.is_last, rest.is_last) == (False, True)
        (one,) = server.rows_of(uid, [str(four[1]), str(NO_ONE)])
        assert one.server_id == str(four[1])
        marks = {head.server_id: head.mark for head in first.entries}
        assert marks[one.server_id] == one.mark


@pytest.mark.parametrize("what", ["edit", "review", "file"])
def test_the_client_sees_each_change_by_the_mark(
    place: Place, alice: Client, uid: str, what: str
) -> None:
    assert place.alice is alice
    xml = instance(uid, BODY.format(1))
    alice.submit(xml)
    with Connection(alice.url, alice.token) as connection:
        server = KoboServer(connection)
        (before,) = server.heads(uid, "", 10).entries

        if what == "edit":
            data(alice, uid, "PATCH", "bulk/", confirm=True, data={"hh/head": "x"})
        if what == "review":
            told = {"confirm": True, "validation_status.uid": APPROVED}
            data(alice, uid, "PATCH", "validation_statuses/", **told)
        if what == "file":
            alice.submit(xml, files=PHOTO)
        (after,) = server.heads(uid, "", 10).entries

    assert after.server_id == before.server_id
    assert after.mark != before.mark
