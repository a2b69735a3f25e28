"""The contract of KoboToolbox, as it was measured on a running one, over real sockets.

The local server and the running one must both keep it; what holds for one only is marked.
"""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from defusedxml import ElementTree  # type: ignore[import-untyped]

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
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"


# Who is asking


def test_the_login_check_knows_a_token_from_none_and_from_a_wrong_one(
    alice: Client, nobody: Client
) -> None:
    known = alice.ask("GET", "/me/")
    wrong = nobody.ask("GET", "/me/", headers={"Authorization": "Token nope"})
    bearer = nobody.ask("GET", "/me/", headers={"Authorization": f"Bearer {alice.token}"})

    assert known.json()["username"] == alice.name
    assert known.headers["X-KoBoNaUt"] == alice.name
    assert nobody.ask("GET", "/me/").status_code == 401
    assert bearer.status_code == 401
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "Invalid token."})


def test_nobody_gets_an_empty_list_of_projects_and_no_refusal(
    nobody: Client, household: str
) -> None:
    empty: dict[str, object] = {"count": 0, "next": None, "previous": None, "results": []}

    assert nobody.read("/api/v2/assets/") == empty
    assert nobody.ask("GET", f"/api/v2/assets/{household}/").status_code == 404


# Addresses


def test_an_api_address_without_its_slash_is_redirected(alice: Client) -> None:
    answer = alice.ask("POST", "/api/v2/imports")

    assert answer.status_code == 301
    assert answer.headers["Location"].endswith("/api/v2/imports/")


def test_a_device_address_with_a_slash_is_not_there(alice: Client) -> None:
    answer = alice.ask("POST", "/submission/")

    assert answer.status_code == 404
    assert answer.text.endswith("Retry the request at /submission")


def test_an_unknown_address_is_a_page_or_a_short_text(alice: Client) -> None:
    page = alice.ask("GET", "/api/v2/nowhere/")
    short = alice.ask("GET", "/api/v2/nowhere/", headers=JSON)

    assert page.status_code == short.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")
    assert short.text == "Resource not found (404)"
    unknown = alice.ask("GET", "/api/v2/assets/aUnknown/")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Not found."})


def test_the_first_api_is_gone(alice: Client) -> None:
    answer = alice.ask("GET", "/api/v1/data", headers=JSON)

    assert answer.status_code == 410
    assert "V1 API has been removed" in answer.json()["detail"]


def test_the_server_is_healthy(nobody: Client) -> None:
    assert nobody.ask("GET", "/service_health/minimal/").text == "ok"


# Imports and projects


def test_a_workbook_becomes_a_project_with_its_content(alice: Client) -> None:
    shown = alice.asset(alice.project(workbook(HOUSEHOLD), name="Not this name"))

    assert shown["name"] == "Household"
    assert shown["asset_type"] == "survey"
    assert shown["deployment_status"] == "draft"
    assert shown["content"]["translations"] == ["English (en)", "Français (fr)"]
    consent = next(row for row in shown["content"]["survey"] if row.get("name") == "consent")
    assert consent["type"] == "select_one"
    assert consent["select_from_list_name"] == "yn"
    assert consent["label"] == ["Do you agree?", "Acceptez-vous ?"]
    assert consent["$kuid"] == "k4"
    assert shown["content"]["settings"] == {
        "id_string": "mine",
        "default_language": "English (en)",
    }


def test_a_form_without_a_title_has_the_name_it_was_sent_with(alice: Client) -> None:
    form = simple_form("text | a | A")

    assert alice.asset(alice.project(form, name="Sent name"))["name"] == "Sent name"


def test_a_form_goes_into_the_library_unless_told_otherwise(alice: Client) -> None:
    form = simple_form("text | a | A", "text | b | B")
    begun = alice.ask("POST", "/api/v2/imports/", files={"file": ("f.xlsx", form)})
    address = begun.json()["url"]

    assert eventually(lambda: alice.read(address)["status"] == "complete")
    uid = alice.read(address)["messages"]["created"][0]["uid"]
    alice.made.append(uid)
    assert alice.asset(uid)["asset_type"] == "block"
    assert alice.asset(uid)["deployment_status"] == "-"


def test_a_workbook_with_ids_of_its_own_can_be_sent_again_and_changes_nothing(
    alice: Client,
) -> None:
    uid = alice.project(workbook(HOUSEHOLD))
    before = alice.asset(uid)

    alice.project(workbook(HOUSEHOLD), destination=f"/api/v2/assets/{uid}/")

    after = alice.asset(uid)
    assert after["version_id"] == before["version_id"]
    assert after["version__content_hash"] == before["version__content_hash"]


def test_a_workbook_without_ids_is_a_new_version_each_time(alice: Client) -> None:
    form = simple_form("text | a | A")
    uid = alice.project(form, name="Twice")
    before = alice.asset(uid)

    alice.project(form, destination=before["url"])

    after = alice.asset(uid)
    assert after["version_id"] != before["version_id"]
    assert after["version__content_hash"] != before["version__content_hash"]


@pytest.mark.parametrize(
    ("content", "error", "kind"),
    [
        (b"no workbook", "Unsupported format, or corrupt file", "XlsFormatException"),
        (simple_form("text | 1 bad name | A"), "Invalid node name: 1 bad name", "ValueError"),
        (
            simple_form("begin group | a | A", "text | a | A", "end group | | "),
            "Duplicate node name: a",
            "DuplicateNameException",
        ),
    ],
)
def test_what_is_wrong_with_a_workbook_is_told_by_the_poll(
    alice: Client, content: bytes, error: str, kind: str
) -> None:
    state = alice.import_form(content)

    assert state["status"] == "error"
    assert state["messages"] == {"error": error, "error_type": kind}


def test_a_default_language_the_form_does_not_speak_is_told_by_the_poll(alice: Client) -> None:
    form = workbook(HOUSEHOLD.replace("mine    | English (en)", "mine | Kurdî"))

    state = alice.import_form(form)

    assert state["status"] == "error"
    assert "`Kurdî` is specified as the default language" in state["messages"]["error"]


@pytest.mark.parametrize(
    ("destination", "error"),
    [
        ("/api/v2/assets/aUnknown/", "Asset matching query does not exist."),
        ("aUnknown", "{'path': 'aUnknown'}"),
    ],
)
def test_a_destination_that_is_none_is_told_by_the_poll(
    alice: Client, destination: str, error: str
) -> None:
    state = alice.import_form(simple_form("text | a | A"), destination=destination)

    assert state["messages"]["error"] == error


def test_no_one_replaces_the_project_of_another(bob: Client, household: str) -> None:
    there = f"/api/v2/assets/{household}/"

    state = bob.import_form(simple_form("text | a | A"), destination=there)

    assert state["messages"]["error"] == "user cannot update asset"


def test_an_import_sent_as_json_is_taken_and_fails(alice: Client) -> None:
    begun = alice.ask("POST", "/api/v2/imports/", json={"library": False})

    assert begun.status_code == 201
    assert eventually(lambda: alice.read(begun.json()["url"])["status"] == "error")


def test_a_project_is_found_by_its_name(alice: Client) -> None:
    uid = alice.project(simple_form("text | a | A"), name="Gaziantep pre")

    def found(query: str) -> list[str]:
        listed = alice.read("/api/v2/assets/", params={"q": query})["results"]
        assert all("content" not in each for each in listed)
        return [each["uid"] for each in listed]

    assert found('asset_type:survey AND name:"Gaziantep pre"') == [uid]
    assert found('asset_type:survey AND name:"Gaziantep"') == []
    assert found('name__icontains:"ziantep P"') == [uid]
    assert found("colour:red") == []
    assert alice.ask("GET", "/api/v2/assets/", params={"q": "ab"}).status_code == 400


def test_a_list_of_projects_has_pages(alice: Client) -> None:
    for number in range(3):
        alice.project(simple_form("text | a | A"), name=f"Page {number}")
    asked = {"q": 'name__icontains:"Page "', "limit": 2}

    first = alice.read("/api/v2/assets/", params=asked)
    second = alice.read(first["next"])

    assert first["count"] == 3
    assert len(first["results"]) == 2
    assert len(second["results"]) == 1
    assert second["next"] is None


def test_a_changed_name_is_a_new_version_and_changed_settings_are_not(alice: Client) -> None:
    uid = alice.project(simple_form("text | a | A"))
    before = alice.asset(uid)["version_id"]

    settings = alice.ask(
        "PATCH", f"/api/v2/assets/{uid}/", json={"settings": {"description": "x"}}
    )
    renamed = alice.ask("PATCH", f"/api/v2/assets/{uid}/", json={"name": "Another"})

    assert settings.json()["version_id"] == before
    assert settings.json()["settings"]["description"] == "x"
    assert settings.json()["settings"]["country"] == []
    assert renamed.json()["version_id"] != before
    assert renamed.json()["name"] == "Another"


def test_a_deleted_project_is_gone(alice: Client, fresh: str) -> None:
    assert alice.ask("DELETE", f"/api/v2/assets/{fresh}/").status_code == 204
    assert alice.ask("GET", f"/api/v2/assets/{fresh}/").status_code == 404
    assert alice.submit(instance(fresh)).status_code == 404


# Deployment


def test_a_form_is_archived_unless_it_is_deployed_as_active(alice: Client) -> None:
    uid = alice.project(workbook(HOUSEHOLD))
    address = f"/api/v2/assets/{uid}/deployment/"

    assert alice.ask("GET", address).status_code == 404
    assert alice.ask("PATCH", address, json={"active": True}).status_code == 405
    posted = alice.ask("POST", address, json={})
    assert posted.status_code == 200
    assert posted.json()["active"] is False
    assert posted.json()["asset"]["deployment_status"] == "archived"
    refused = alice.submit(instance(uid))
    assert refused.status_code == 405
    assert "Form is not active" in refused.text


def test_a_deployed_form_is_updated_and_not_deployed_again(alice: Client, fresh: str) -> None:
    answer = alice.ask("POST", f"/api/v2/assets/{fresh}/deployment/", json={"active": True})

    assert answer.status_code == 405
    assert answer.json() == {"detail": "Use PATCH to update an existing deployment"}


def test_a_version_that_is_not_the_newest_is_a_fault_of_the_server(
    alice: Client, fresh: str
) -> None:
    address = f"/api/v2/assets/{fresh}/deployment/"

    answer = alice.ask("PATCH", address, json={"active": True, "version_id": "vOld"})

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")


def test_opening_a_form_does_not_publish_its_changes(alice: Client, fresh: str) -> None:
    before = alice.asset(fresh)["deployed_version_id"]
    alice.ask("PATCH", f"/api/v2/assets/{fresh}/", json={"name": "Changed"})

    alice.ask("PATCH", f"/api/v2/assets/{fresh}/deployment/", json={"active": True})
    opened = alice.asset(fresh)
    published = alice.redeploy(fresh).json()["asset"]

    assert opened["deployed_version_id"] == before
    assert opened["version_id"] != before
    assert published["deployed_version_id"] == published["version_id"] == opened["version_id"]
    assert published["deployed_versions"]["count"] == 2


def test_every_deployed_version_can_be_read_again(alice: Client, fresh: str) -> None:
    first = alice.asset(fresh)
    alice.project(simple_form("text | z | Z"), destination=f"/api/v2/assets/{fresh}/")
    alice.redeploy(fresh)

    old = alice.read(f"/api/v2/assets/{fresh}/versions/{first['version_id']}/")

    assert old["content"] == first["content"]
    assert old["content_hash"] == first["version__content_hash"]
    assert old["version_number"] == "1"
    assert alice.ask("GET", f"/api/v2/assets/{fresh}/versions/vNone/").status_code == 404


def test_what_pyxform_says_of_a_form_is_told_at_deployment(alice: Client) -> None:
    form = simple_form(
        "text | a | A | ${nowhere} = '1'", columns="type | name | label | relevant"
    )
    uid = alice.project(form)

    answer = alice.ask("POST", f"/api/v2/assets/{uid}/deployment/", json={"active": True})

    assert answer.status_code == 400
    assert "nowhere" in answer.json()["error"]
    assert alice.asset(uid)["has_deployment"] is False
    assert alice.asset(uid)["deployed_versions"]["count"] == 0


def test_an_empty_group_is_a_fault_of_the_server(alice: Client) -> None:
    uid = alice.project(simple_form("text | b | B", "begin group | a | A", "end group | | "))

    answer = alice.ask("POST", f"/api/v2/assets/{uid}/deployment/", json={"active": True})

    assert answer.status_code == 500


# What devices get


def test_devices_get_the_form_under_the_servers_names(alice: Client, fresh: str) -> None:
    project = alice.asset(fresh)

    listed, xml = device_form(alice, fresh)

    assert listed["name"] == "Household"
    assert listed["version"].startswith("1 (")
    assert listed["hash"] == f"md5:{hashlib.md5(xml).hexdigest()}"  # noqa: S324
    root = ElementTree.fromstring(xml).find(f".//{XFORMS}instance/{XFORMS}{fresh}")
    assert root is not None
    assert (root.get("id"), root.get("version")) == (fresh, listed["version"])
    binds = {
        bind.get("nodeset"): bind.get("calculate")
        for bind in ElementTree.fromstring(xml).iter(f"{XFORMS}bind")
    }
    assert binds[f"/{fresh}/formhub/uuid"] == f"'{project['deployment__uuid']}'"
    assert binds[f"/{fresh}/__version__"] == f"'{project['deployed_version_id']}'"
    assert b"$kuid" not in xml


def test_archived_forms_and_forms_of_others_are_not_listed(
    alice: Client, bob: Client, nobody: Client, fresh: str
) -> None:
    def is_listed(client: Client) -> bool:
        return fresh in client.ask("GET", "/formList").text

    assert is_listed(alice)
    assert not is_listed(bob)
    assert nobody.ask("GET", "/formList").status_code == 401
    number = device_form(alice, fresh)[0]["downloadUrl"]
    assert bob.ask("GET", number).status_code == 404
    alice.ask("PATCH", f"/api/v2/assets/{fresh}/deployment/", json={"active": False})
    assert not is_listed(alice)


# Media files


def add_file(client: Client, uid: str, content: bytes = b"name,label\n") -> int:
    answer = client.ask(
        "POST",
        f"/api/v2/assets/{uid}/files/",
        files={"content": ("register.csv", content)},
        data={"file_type": "form_media", "description": "d", "metadata": '{"filename":"x"}'},
    )
    return answer.status_code


def manifest(client: Client, uid: str) -> dict[str, str]:
    listed = client.ask("GET", device_form(client, uid)[0]["manifestUrl"]).content
    files = ElementTree.fromstring(listed).iter(f"{MANIFEST}mediaFile")
    texts = [[part.text or "" for part in file] for file in files]
    return {name: address for name, _, address in texts}


def test_media_reach_devices_with_the_redeployment_and_a_moment_later(
    alice: Client, fresh: str
) -> None:
    assert add_file(alice, fresh, b"name,label\n1,A\n") == 201
    before = manifest(alice, fresh)

    alice.redeploy(fresh)

    assert before == {}
    assert eventually(lambda: "register.csv" in manifest(alice, fresh))
    address = manifest(alice, fresh)["register.csv"]
    assert alice.ask("GET", address).content == b"name,label\n1,A\n"


def test_a_media_file_is_replaced_by_deleting_it_first(alice: Client, fresh: str) -> None:
    add_file(alice, fresh)
    again = add_file(alice, fresh)
    (listed,) = alice.read(f"/api/v2/assets/{fresh}/files/")["results"]

    assert again == 400
    assert listed["metadata"]["filename"] == "register.csv"
    assert listed["metadata"]["mimetype"] == "text/csv"
    assert alice.ask("DELETE", listed["url"]).status_code == 204
    assert add_file(alice, fresh) == 201


def test_a_media_file_without_metadata_is_a_fault_of_the_server(
    alice: Client, fresh: str
) -> None:
    answer = alice.ask(
        "POST",
        f"/api/v2/assets/{fresh}/files/",
        files={"content": ("register.csv", b"a\n")},
        data={"file_type": "form_media", "description": "d"},
    )

    assert answer.status_code == 500
    assert answer.headers["Content-Type"].startswith("text/html")


# Submissions


def test_a_phone_is_told_where_submissions_go(alice: Client, nobody: Client) -> None:
    answer = alice.ask("HEAD", "/submission")

    assert answer.status_code == 204
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == "10000000"
    assert nobody.ask("HEAD", "/submission").status_code == 401


def test_answers_come_back_as_text_under_their_full_paths(alice: Client, fresh: str) -> None:
    uuid = str(uuid4())
    body = (
        "<start>2026-11-24T05:00:00.000+03:00</start><kx_wave>pre</kx_wave>"
        "<hh><head>Ayşe &amp; Ali</head><consent/></hh>"
        "<member><m_name>M0</m_name></member><member><m_name/></member>"
        "<formhub><uuid>f</uuid></formhub><__version__>v1</__version__>"
    )

    answer = alice.submit(instance(fresh, body, uuid=uuid))
    (row,) = alice.rows(fresh)

    assert answer.status_code == 201
    assert f'instanceID="uuid:{uuid}"' in answer.text
    assert time.strptime(row.pop("_submission_time"), "%Y-%m-%dT%H:%M:%S")
    assert isinstance(row.pop("_id"), int)
    assert row == {
        "start": "2026-11-24T05:00:00.000+03:00",
        "kx_wave": "pre",
        "hh/head": "Ayşe & Ali",
        "member": [{"member/m_name": "M0"}],
        "formhub/uuid": "f",
        "__version__": "v1",
        "meta/instanceID": f"uuid:{uuid}",
        "meta/rootUuid": f"uuid:{uuid}",
        "_uuid": uuid,
        "_xform_id_string": fresh,
        "_attachments": [],
        "_status": "submitted_via_web",
        "_geolocation": [None, None],
        "_validation_status": {},
        "_submitted_by": alice.name,
    }


def test_nothing_is_checked_against_the_form(alice: Client, fresh: str) -> None:
    assert alice.submit(instance(fresh, "<unknown>999</unknown>")).status_code == 201
    assert alice.rows(fresh)[0]["unknown"] == "999"


def test_the_same_submission_twice_is_kept_once(alice: Client, fresh: str) -> None:
    uuid = str(uuid4())
    first = alice.submit(instance(fresh, HEAD.format("A"), uuid=uuid))
    again = alice.submit(instance(fresh, HEAD.format("A"), uuid=uuid))
    other = alice.submit(instance(fresh, HEAD.format("B"), uuid=uuid))

    assert [first.status_code, again.status_code, other.status_code] == [201, 202, 409]
    assert "Duplicate Instance" in again.text
    assert "Submission with this instance ID already exists" in other.text
    assert [row["hh/head"] for row in alice.rows(fresh)] == ["A"]


def test_an_edit_keeps_number_root_and_time(alice: Client, fresh: str) -> None:
    old, new, newer = (str(uuid4()) for _ in range(3))

    def edit(uuid: str, replaces: str) -> int:
        meta = f"<deprecatedID>uuid:{replaces}</deprecatedID>"
        xml = instance(fresh, HEAD.format(uuid), uuid=uuid, meta=meta)
        return alice.submit(xml).status_code

    original = instance(fresh, HEAD.format("first"), uuid=old)
    alice.submit(original)
    (before,) = alice.rows(fresh)

    assert edit(new, old) == 201
    (after,) = alice.rows(fresh)
    assert after["hh/head"] == after["_uuid"] == new
    for key in ("_id", "meta/rootUuid", "_submission_time"):
        assert after[key] == before[key]
    assert edit(newer, old) == 410
    assert edit(newer, str(uuid4())) == 404
    assert alice.submit(original).status_code == 409
    assert edit(new, old) == 202


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("<a><b></a>", "Improperly formatted XML."),
        ("<{0} id='{0}'><b>1</b></{0}>", "Instance ID is required"),
    ],
)
def test_what_is_no_submission_is_refused(
    alice: Client, household: str, xml: str, said: str
) -> None:
    answer = alice.submit(xml.format(household))

    assert answer.status_code == 400
    assert said in answer.text


def test_a_submission_must_be_a_file_of_that_name(alice: Client) -> None:
    answer = alice.ask("POST", "/submission", files={"other": ("a.xml", b"<a/>")})

    assert answer.status_code == 500


def test_an_unknown_form_is_not_there(alice: Client) -> None:
    answer = alice.submit(instance("aUnknown"))

    assert answer.status_code == 404
    assert "<root><detail>Not found.</detail></root>" in answer.text


def test_the_form_is_found_by_its_deployment_before_its_id(
    alice: Client, fresh: str, household: str
) -> None:
    uuid = alice.asset(fresh)["deployment__uuid"]
    body = f"<formhub><uuid>{uuid}</uuid></formhub>"

    alice.submit(instance(household, body))

    assert len(alice.rows(fresh)) == 1


def test_a_deleted_submission_may_be_sent_again(alice: Client, fresh: str) -> None:
    xml = instance(fresh, HEAD.format("A"))
    alice.submit(xml)
    (row,) = alice.rows(fresh)
    address = f"/api/v2/assets/{fresh}/data/{row['_id']}/"

    assert alice.ask("DELETE", address).status_code == 204
    assert alice.ask("DELETE", address).status_code == 404
    assert alice.submit(xml).status_code == 201
    assert alice.rows(fresh)[0]["_id"] > row["_id"]
    counted = alice.read(f"/api/v2/assets/{fresh}/counts/")
    assert counted["total_submission_count"] == 1
    assert list(counted["daily_submission_counts"].values()) == [2]


# Reading


@pytest.fixture(scope="module")
def seven(alice: Client) -> str:
    uid = alice.deployed(workbook(HOUSEHOLD))
    for number in range(7):
        wave = "pre" if number < 4 else "post"
        body = f"<kx_wave>{wave}</kx_wave><hh><head>{number}</head></hh>"
        assert alice.submit(instance(uid, body)).status_code == 201
    return uid


@pytest.mark.parametrize(
    ("query", "heads"),
    [
        ({}, "0123456"),
        ({"kx_wave": "post"}, "456"),
        ({"kx_wave": "post", "hh/head": {"$gt": "4"}}, "56"),
        ({"hh/head": {"$in": ["1", "3"]}}, "13"),
        ({"hh/head": {"$nin": ["1", "3"]}}, "02456"),
        ({"$and": [{"kx_wave": "pre"}, {"hh/head": {"$ne": "0"}}]}, "123"),
        ({"$or": [{"hh/head": "0"}, {"hh/head": "6"}]}, "06"),
        ({"hh/head": 3}, ""),
        ({"hh/head": {"$gt": 3}}, ""),
        ({"hh/consent": {"$exists": False}}, "0123456"),
        ({"hh/head": {"$regex": "^[2-3]$"}}, "23"),
        ({"hh/head": {"$not": {"$gte": "2"}}}, "01"),
        ({"_status": "submitted_via_web", "_id": {"$gt": 0}}, "0123456"),
        ({'x"y': "1"}, ""),
    ],
)
def test_a_query_finds_what_it_asks_for(
    alice: Client, seven: str, query: object, heads: str
) -> None:
    assert "".join(row["hh/head"] for row in alice.rows(seven, query=query)) == heads


def test_submissions_are_read_page_by_page_after_the_last_number(
    alice: Client, seven: str
) -> None:
    last, heads = 0, ""
    while rows := alice.rows(seven, query={"_id": {"$gt": last}}, limit="3"):
        assert len(rows) <= 3
        heads += "".join(row["hh/head"] for row in rows)
        last = rows[-1]["_id"]

    assert heads == "0123456"


def test_links_lead_through_all_pages_and_back(alice: Client, seven: str) -> None:
    address = f"/api/v2/assets/{seven}/data/"
    first = alice.read(address, params={"limit": 3, "sort": '{"_id":-1}'})
    second = alice.read(first["next"])
    third = alice.read(second["next"])

    pages = [[row["hh/head"] for row in page["results"]] for page in (first, second, third)]
    assert pages == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert first["count"] == 7
    assert first["previous"] is None
    assert third["next"] is None
    assert alice.read(third["previous"])["results"] == second["results"]


def test_offset_moves_the_link_and_not_the_rows(alice: Client, seven: str) -> None:
    asked = {"limit": 3, "offset": 3, "sort": '{"_id":1}'}
    page = alice.read(f"/api/v2/assets/{seven}/data/", params=asked)

    assert [row["hh/head"] for row in page["results"]] == ["0", "1", "2"]
    assert "start=6" in page["next"]


def test_fields_always_bring_the_keys_along(alice: Client, seven: str) -> None:
    row = alice.rows(seven, fields=["hh/head"])[0]

    assert set(row) == {"_id", "_uuid", "meta/rootUuid", "_validation_status", "hh/head"}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"limit": "0"}, 400),
        ({"limit": "-1"}, 400),
        ({"limit": "abc"}, 400),
        ({"limit": "30000"}, 200),
        ({"query": "-_id"}, 400),
        ({"sort": "-_id"}, 400),
        ({"query": "[]"}, 500),
        ({"query": '{"$where": "1"}'}, 200),
        ({"start": "-1"}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(
    alice: Client, seven: str, asked: dict[str, str], status: int
) -> None:
    answer = alice.ask("GET", f"/api/v2/assets/{seven}/data/", params=asked)

    assert answer.status_code == status


def test_a_draft_has_no_data(alice: Client) -> None:
    uid = alice.project(workbook(HOUSEHOLD))

    answer = alice.ask("GET", f"/api/v2/assets/{uid}/data/")

    assert answer.status_code == 400
    assert answer.json() == {"detail": "The specified asset has not been deployed"}


def test_a_submission_is_found_by_number_and_by_uuid(alice: Client, seven: str) -> None:
    row = alice.rows(seven)[0]

    for key in (row["_id"], row["_uuid"], row["meta/rootUuid"]):
        assert alice.read(f"/api/v2/assets/{seven}/data/{key}/") == row
    as_sent = alice.ask("GET", f"/api/v2/assets/{seven}/data/{row['_id']}/?format=xml")
    assert f"><{seven} " in as_sent.text
    assert alice.ask("GET", f"/api/v2/assets/{seven}/data/999999/").status_code == 404


def test_a_review_is_kept_and_taken_back(alice: Client, seven: str) -> None:
    number = alice.rows(seven)[0]["_id"]
    address = f"/api/v2/assets/{seven}/data/{number}/validation_status/"
    approved = "validation_status_approved"

    wrong = alice.ask("PATCH", address, json={"uid": approved})
    given = alice.ask("PATCH", address, json={"validation_status.uid": approved})

    assert wrong.status_code == 400
    assert given.json()["label"] == "Approved"
    found = alice.rows(seven, query={"_validation_status.uid": approved})
    assert [row["_validation_status"] for row in found] == [given.json()]
    # Who asks for some fields and not for this one is told that there is no review.
    for fields, told in ((["_id"], {}), (["_id", "_validation_status"], given.json())):
        [row] = alice.rows(seven, query={"_id": number}, fields=fields)
        assert row["_validation_status"] == told
    assert alice.ask("DELETE", address).status_code == 204
    assert alice.read(address) == {}


# Rights


def grant(client: Client, uid: str, username: str, right: str) -> int:
    return client.ask(
        "POST",
        f"/api/v2/assets/{uid}/permission-assignments/",
        json={
            "user": f"{client.url}/api/v2/users/{username}/",
            "permission": f"/api/v2/permissions/{right}/",
        },
    ).status_code


def test_who_may_only_submit_sees_nothing_of_the_project(
    alice: Client, bob: Client, fresh: str
) -> None:
    before = bob.submit(instance(fresh)).status_code

    assert grant(alice, fresh, bob.name, "add_submissions") == 201
    assert grant(alice, fresh, bob.name, "add_submissions") == 201

    assert before == 403
    assert bob.submit(instance(fresh)).status_code == 201
    assert fresh in bob.ask("GET", "/formList").text
    assert bob.ask("GET", f"/api/v2/assets/{fresh}/").status_code == 404
    listed = alice.read(f"/api/v2/assets/{fresh}/permission-assignments/")
    assert sum(each["user"].endswith(f"/{bob.name}/") for each in listed) == 1


def test_who_may_view_submissions_may_not_delete_them(
    alice: Client, bob: Client, fresh: str
) -> None:
    alice.submit(instance(fresh))
    grant(alice, fresh, bob.name, "view_submissions")
    (row,) = bob.rows(fresh)

    refused = bob.ask("DELETE", f"/api/v2/assets/{fresh}/data/{row['_id']}/")

    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("user", "said"), [("bob", "No URL match"), ("/api/v2/users/x/", "not exist")]
)
def test_a_right_is_given_by_addresses(alice: Client, fresh: str, user: str, said: str) -> None:
    answer = alice.ask(
        "POST",
        f"/api/v2/assets/{fresh}/permission-assignments/",
        json={"user": user, "permission": "/api/v2/permissions/view_asset/"},
    )

    assert answer.status_code == 400
    assert said in answer.json()["user"][0]


def test_anyone_may_submit_under_the_owners_name_once_that_is_allowed(
    alice: Client, nobody: Client, fresh: str
) -> None:
    refused = nobody.submit(instance(fresh), f"/{alice.name}/submission")

    assert grant(alice, fresh, "AnonymousUser", "add_submissions") == 201

    assert refused.status_code == 401
    assert fresh in nobody.ask("GET", f"/{alice.name}/formList").text
    assert nobody.submit(instance(fresh), f"/{alice.name}/submission").status_code == 201
    assert nobody.submit(instance(fresh)).status_code == 401
    assert alice.rows(fresh)[0]["_submitted_by"] is None


def test_one_submission_sent_by_several_at_once_is_kept_once(alice: Client, fresh: str) -> None:
    xml = instance(fresh, HEAD.format("A"))
    together = threading.Barrier(6)

    def phone(_: int) -> int:
        own = Client(alice.url, alice.token, phones=alice.phones)
        with own.session:
            together.wait()
            return own.submit(xml).status_code

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(phone, range(6)))

    assert codes.count(201) == 1
    assert set(codes) <= {201, 202, 423}
    assert len(alice.rows(fresh)) == 1
