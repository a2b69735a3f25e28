"""Deploying: what phones get is what was built, and doing it again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kobosmix.errors import ServerError, StudyError
from kobosmix.server.deploy import (
    Act,
    DeployUnfinished,
    FormToDeploy,
    Plan,
    carry_out,
    plan_deploy,
)
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from tests.kobo_double import KoboDouble, Project, kobo_double, row
from tests.local_forms import workbook

Memory = dict[str, dict[str, Any]]


@pytest.fixture
def both() -> Iterator[tuple[KoboDouble, KoboServer]]:
    with kobo_double() as both:
        yield both


@pytest.fixture
def double(both: tuple[KoboDouble, KoboServer]) -> KoboDouble:
    return both[0]


@pytest.fixture
def server(both: tuple[KoboDouble, KoboServer]) -> KoboServer:
    return both[1]


def a_form(
    group: str,
    build_id: str = "b1",
    *,
    media: Mapping[str, bytes] | None = None,
    senders: Mapping[str, str] | None = None,
    **facts: Any,
) -> FormToDeploy:
    constants = {"kx_study": "gaziantep", "kx_group": group, "kx_wave": "pre"}
    workbook = {"constants": {**constants, "kx_build": f"{build_id}-{group}"}, **facts}
    return FormToDeploy(
        key=f"pre_{group}",
        title=f"Pre {group}",
        study="gaziantep",
        wave="pre",
        group=group,
        build_id=f"{build_id}-{group}",
        workbook=json.dumps(workbook).encode(),
        media=media or {"enumerators.csv": b"name,label\n", "register.csv": b"name,group\n"},
        senders=senders or {},
    )


def with_sheets(form: FormToDeploy) -> FormToDeploy:
    """The form with the rows that the double makes of its workbook."""
    constants = json.loads(form.workbook)["constants"]
    rows = [
        {"type": "calculate", "name": name, "calculation": f"'{said}'"}
        for name, said in constants.items()
    ]
    return replace(form, sheets={"survey": rows, "choices": [], "settings": []})


def deploy(server: KoboServer, forms: list[FormToDeploy], memory: Memory, **how: Any) -> Plan:
    plan = plan_deploy(server, forms, memory, **how)
    carry_out(plan, memory.__setitem__)
    return plan


def acts(plan: Plan) -> list[str]:
    return [step.act.value for step in plan.steps]


def writes(double: KoboDouble) -> list[str]:
    return [asked for asked in double.asked if not asked.startswith("GET")]


def test_a_first_deploy_brings_every_form_with_its_files(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    forms = [a_form("turks"), a_form("syrians")]

    plan = deploy(server, forms, memory)

    assert acts(plan) == ["create", "upload", "upload", "deploy"] * 2
    assert str(plan.steps[1]) == "pre_turks: upload enumerators.csv"
    for form in forms:
        uid = memory[form.key]["uid"]
        assert form.build_id in server.fielded_form(uid)
        assert server.fielded_media(uid) == form.media_md5
        assert double.projects[uid].deployments == 1
    json.dumps(memory)


def test_planning_changes_nothing(double: KoboDouble, server: KoboServer) -> None:
    plan = plan_deploy(server, [a_form("turks")], {})

    assert not plan.changes_nothing
    assert writes(double) == []


def test_deploying_twice_changes_nothing(double: KoboDouble, server: KoboServer) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    before = json.dumps(memory)
    double.asked.clear()

    plan = deploy(server, [a_form("turks")], memory)

    assert plan.changes_nothing
    assert str(plan.steps[0]) == "pre_turks: nothing to do"
    assert writes(double) == []
    assert json.dumps(memory) == before


def test_a_lost_memory_finds_the_forms_again_and_phones_notice_nothing(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.project("aStranger", name="Pre turks")
    again: Memory = {}

    plan = deploy(server, [a_form("turks")], again)

    assert acts(plan) == ["replace", "deploy"]
    assert again == memory
    assert double.projects[memory["pre_turks"]["uid"]].deployments == 1


def test_a_form_of_the_same_name_that_is_another_is_left_alone(
    double: KoboDouble, server: KoboServer
) -> None:
    double.project("aOther", name="Pre turks", workbook={"constants": {"kx_study": "mosul"}})
    memory: Memory = {}

    deploy(server, [a_form("turks")], memory)

    assert memory["pre_turks"]["uid"] != "aOther"
    assert double.projects["aOther"].deployments == 0


def test_two_projects_that_are_one_form_are_for_a_person_to_sort_out(
    double: KoboDouble, server: KoboServer
) -> None:
    workbook = json.loads(a_form("turks").workbook)
    double.project("aOne", workbook=workbook)
    double.project("aTwo", workbook=workbook)

    with pytest.raises(StudyError, match=r"2 projects .* aOne, aTwo"):
        plan_deploy(server, [a_form("turks")], {})


def test_a_new_build_replaces_the_old_in_its_project(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)

    plan = deploy(server, [a_form("turks", "b2")], memory)

    assert acts(plan) == ["replace", "deploy"]
    assert len(double.projects) == 1
    assert "b2-turks" in server.fielded_form(memory["pre_turks"]["uid"])


def test_a_changed_file_goes_up_alone(double: KoboDouble, server: KoboServer) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    form = replace(a_form("turks"), media={**a_form("turks").media, "register.csv": b"new"})

    plan = deploy(server, [form], memory)

    assert acts(plan) == ["upload", "deploy"]
    assert server.fielded_media(memory["pre_turks"]["uid"]) == form.media_md5
    assert double.projects[memory["pre_turks"]["uid"]].deployments == 2


def test_a_form_closed_on_the_server_is_opened_again(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects[memory["pre_turks"]["uid"]].active = False

    assert acts(deploy(server, [a_form("turks")], memory)) == ["open"]
    assert double.projects[memory["pre_turks"]["uid"]].active
    assert double.projects[memory["pre_turks"]["uid"]].deployments == 1


def test_a_form_edited_on_the_server_is_put_back_as_built(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    project = double.projects[memory["pre_turks"]["uid"]]
    project.version = project.deployed = "vEdited"

    plan = deploy(server, [a_form("turks")], memory)

    assert "it was changed on the server" in str(plan.steps[0])
    assert project.version == memory["pre_turks"]["version_id"]


_WITHOUT_AGE = {
    "survey": [
        {"type": "calculate", "name": name, "calculation": f"'{said}'"}
        for name, said in (
            ("kx_study", "gaziantep"),
            ("kx_group", "turks"),
            ("kx_wave", "pre"),
            ("kx_build", "b1-turks"),
        )
    ],
    "choices": [],
    "settings": {},
}


def edited(project: Project, **constants: str) -> None:
    """What somebody does who changes a form on the server and deploys it there."""
    workbook = {"constants": {**project.workbook["constants"], **constants}}
    project.workbook, project.version, project.deployed = workbook, "vEdited", "vEdited"
    project.versions["vEdited"] = workbook


def test_what_was_edited_on_the_server_is_shown_before_it_goes(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    form = with_sheets(a_form("turks"))
    deploy(server, [form], memory)
    edited(double.projects["a0"], age="'40'")

    plan = plan_deploy(server, [form], memory)

    assert "it was changed on the server: 1 addition (age: new value), which go" in str(
        plan.steps[0]
    )
    assert [change.where for change in plan.forms[0].edited] == ["age"]
    carry_out(plan, memory.__setitem__)
    assert "age" not in double.projects["a0"].workbook["constants"]


def test_an_edited_form_with_answers_is_not_put_back_unless_that_is_asked_for(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    form = with_sheets(a_form("turks"))
    deploy(server, [form], memory)
    edited(double.projects["a0"], age="'40'")
    double.projects["a0"].rows = [row(1)]

    with pytest.raises(StudyError, match=r"1 submission, was edited on the server, and would"):
        plan_deploy(server, [form], memory)
    deploy(server, [form], memory, replace_answered=True)
    assert double.projects["a0"].deployed == memory["pre_turks"]["version_id"]


def test_another_name_on_the_server_is_no_reason_to_deploy_anew(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    form = with_sheets(a_form("turks"))
    deploy(server, [form], memory)
    double.projects["a0"].name, double.projects["a0"].version = "Our own name", "vNamed"

    assert plan_deploy(server, [form], memory).changes_nothing


def test_a_remembered_project_without_its_constants_is_still_the_form(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects["a0"].workbook = {"constants": {}}
    double.projects["a0"].version = "vBare"

    assert acts(deploy(server, [a_form("turks")], memory)) == ["replace", "deploy"]
    assert len(double.projects) == 1


def test_a_server_that_hands_out_something_else_than_was_built_is_found_out(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    form = with_sheets(a_form("turks", content=_WITHOUT_AGE))
    asked = [*form.sheets["survey"], {"type": "integer", "name": "age"}]
    form = replace(form, sheets={**form.sheets, "survey": asked})

    for _ in range(2):
        with pytest.raises(DeployUnfinished, match=r"otherwise than .*age: removed") as caught:
            deploy(server, [form], memory)
        assert "pre_turks is deployed and open" in str(caught.value)
        assert caught.value.exit_code == 3
    assert double.projects["a0"].active


def test_a_form_deleted_on_the_server_is_made_again(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects.clear()

    assert acts(deploy(server, [a_form("turks")], memory))[0] == "create"


def test_the_memory_of_another_server_is_not_believed(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects.clear()
    elsewhere = {"pre_turks": {**memory["pre_turks"], "server": "https://kf.kobotoolbox.org"}}
    double.asked.clear()

    plan = plan_deploy(server, [a_form("turks")], elsewhere)

    assert acts(plan)[0] == "create"
    assert not any(memory["pre_turks"]["uid"] in asked for asked in double.asked)


@pytest.mark.parametrize("memory", [{}, {"uid": "x"}, {"uid": "x", "server": "SAME"}])
def test_a_memory_with_holes_is_as_good_as_none(
    server: KoboServer, memory: dict[str, str]
) -> None:
    holed = {name: value.replace("SAME", server.url) for name, value in memory.items()}

    assert acts(plan_deploy(server, [a_form("turks")], {"pre_turks": holed}))[0] == "create"


def test_an_answered_form_is_not_replaced_by_another_build(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks"), a_form("syrians")], memory)
    double.projects[memory["pre_turks"]["uid"]].rows = [row(1), row(2)]
    double.asked.clear()

    with pytest.raises(
        StudyError, match=r"pre_turks already has 2 submissions\. .*Nothing was"
    ):
        plan_deploy(server, [a_form("turks", "b2"), a_form("syrians", "b2")], memory)

    assert writes(double) == []


def test_an_answered_form_is_replaced_when_that_is_asked_for(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects[memory["pre_turks"]["uid"]].rows = [row(1)]

    deploy(server, [a_form("turks", "b2")], memory, replace_answered=True)

    assert "b2-turks" in server.fielded_form(memory["pre_turks"]["uid"])


def test_an_answered_form_gets_a_new_register(double: KoboDouble, server: KoboServer) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    double.projects[memory["pre_turks"]["uid"]].rows = [row(1)]
    form = replace(a_form("turks"), media={"register.csv": b"new"})

    assert acts(deploy(server, [form], memory)) == ["upload", "withdraw", "deploy"]
    assert double.projects[memory["pre_turks"]["uid"]].manifest == {"register.csv": b"new"}


def test_what_is_in_the_field_counts_and_not_the_draft_on_the_server(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    uid = memory["pre_turks"]["uid"]
    double.projects[uid].rows = [row(1)]
    server.import_workbook("Pre turks", a_form("turks", "b2").workbook, replace=uid)

    with pytest.raises(StudyError, match="already has 1 submission"):
        plan_deploy(server, [a_form("turks", "b2")], memory)


def test_a_failure_in_the_middle_says_how_far_it_came_and_the_next_run_goes_on(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    forms = [a_form(group) for group in ("turks", "syrians", "kurds", "arabs")]
    plan = plan_deploy(server, forms, memory)

    def fail_the_second(key: str, remembered: dict[str, Any]) -> None:
        memory[key] = remembered
        if key == "pre_syrians":
            double.fail("POST /api/v2/assets/a1/deployment", status=500)

    with pytest.raises(DeployUnfinished) as caught:
        carry_out(plan, fail_the_second)

    assert str(caught.value).endswith(
        "\n1 of 4 forms deployed; pre_syrians was imported but not deployed; run again to continue"
    )
    assert caught.value.exit_code == 3
    again = plan_deploy(server, forms, memory)
    assert acts(again)[:3] == ["nothing", "deploy", "create"]
    carry_out(again, memory.__setitem__)
    assert len(double.projects) == 4
    assert all(project.deployments == 1 for project in double.projects.values())


def test_an_import_whose_answer_was_lost_makes_no_second_project(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    plan = plan_deploy(server, [a_form("turks")], memory)
    double.fail("GET /api/v2/imports", status=403, times=1)

    with pytest.raises(DeployUnfinished, match="pre_turks was not imported"):
        carry_out(plan, memory.__setitem__)
    assert memory == {}
    deploy(server, [a_form("turks")], memory)

    assert len(double.projects) == 1


def test_files_that_went_up_before_a_failure_still_reach_phones(
    double: KoboDouble, server: KoboServer
) -> None:
    memory: Memory = {}
    deploy(server, [a_form("turks")], memory)
    form = replace(a_form("turks"), media={"register.csv": b"new"})
    double.fail("/deployment/", status=500)
    with pytest.raises(DeployUnfinished, match="pre_turks was not redeployed"):
        deploy(server, [form], memory)

    plan = deploy(server, [form], memory)

    assert acts(plan) == ["deploy"]
    fielded = server.fielded_media(memory["pre_turks"]["uid"])
    assert fielded["register.csv"] == form.media_md5["register.csv"]


def test_a_form_the_server_finds_invalid_is_told_in_its_words(server: KoboServer) -> None:
    with pytest.raises(DeployUnfinished, match=r"XForm is invalid.*\n0 of 1 forms deployed"):
        deploy(server, [a_form("turks", invalid=True)], {})


def test_a_form_that_does_not_arrive_is_not_called_deployed(
    server: KoboServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory: Memory = {}
    monkeypatch.setattr(server, "fielded_form", lambda _: "<an-older-form/>")

    with pytest.raises(DeployUnfinished, match="another build than b1-turks") as caught:
        deploy(server, [a_form("turks")], memory)

    assert isinstance(caught.value.__cause__, ServerError)
    assert "was deployed, but phones do not get it yet" in str(caught.value)


def test_one_group_and_wave_is_one_form(server: KoboServer) -> None:
    twice = [a_form("turks"), replace(a_form("turks"), key="copy")]

    with pytest.raises(StudyError, match="pre_turks and copy are the same"):
        plan_deploy(server, twice, {})


def test_steps_are_told_as_they_are_done(server: KoboServer) -> None:
    told = list[str]()
    plan = plan_deploy(server, [a_form("turks")], {})

    carry_out(plan, Memory().__setitem__, told.append)

    assert told == [str(step) for step in plan.steps]
    assert Act.NOTHING not in {step.act for step in plan.steps}


_REAL_FORM = """
| survey |           |          |                |                  |       |
|        | type      | name     | label::English (en) | calculation | $kuid |
|        | calculate | kx_study |                | 'gaziantep'      | k1    |
|        | calculate | kx_group |                | 'turks'          | k2    |
|        | calculate | kx_wave  |                | 'pre'            | k3    |
|        | calculate | kx_build |                | 'BUILD'          | k4    |
|        | select_one_from_file register.csv | rid | Who? | | k5 |
|        | QUESTION  | trust_1  | Trust?         |                  | k6    |
"""


def real_form(build_id: str = "b1", question: str = "integer") -> FormToDeploy:
    table = _REAL_FORM.replace("BUILD", build_id).replace("QUESTION", question)
    return replace(
        a_form("turks"),
        build_id=build_id,
        workbook=workbook(table),
        media={"register.csv": b"name,label\n12345674,x\n"},
    )


@pytest.fixture
def local(tmp_path: Path) -> Iterator[KoboServer]:
    database = tmp_path / "server.sqlite"
    token = create_account(database, "alice")
    with (
        LocalServer(database) as running,
        Connection(running.url, token) as connection,
    ):
        yield KoboServer(connection)


def test_the_local_server_takes_a_real_form_and_the_next_build_of_it(local: KoboServer) -> None:
    memory: Memory = {}

    assert acts(deploy(local, [real_form()], memory)) == ["create", "upload", "deploy"]
    assert plan_deploy(local, [real_form()], memory).changes_nothing
    first = memory["pre_turks"]
    assert acts(deploy(local, [real_form("b2")], memory)) == ["replace", "deploy"]

    uid = memory["pre_turks"]["uid"]
    assert uid == first["uid"]
    assert "'b2'" in local.fielded_form(uid)
    assert local.version_constants(uid, first["version_id"])["kx_build"] == "b1"
    assert local.phones.media(uid, "register.csv") == real_form().media["register.csv"]


def test_on_the_local_server_a_lost_memory_makes_no_second_project(local: KoboServer) -> None:
    memory: Memory = {}
    deploy(local, [real_form()], memory)
    fielded = local.fielded_form(memory["pre_turks"]["uid"])
    again: Memory = {}

    deploy(local, [real_form()], again)

    assert again == memory
    assert local.fielded_form(memory["pre_turks"]["uid"]) == fielded


def test_the_local_servers_refusals_come_through(local: KoboServer) -> None:
    with pytest.raises(DeployUnfinished, match=r"no_such_type[^$]*pre_turks was"):
        deploy(local, [real_form(question="no_such_type")], {})
