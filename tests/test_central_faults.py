"""ODK Central when things go wrong: what is done all the same, and what one sentence says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from kobosmix.errors import LoginRefused, ServerError, ServerUnreachable, StudyError, UsageError
from kobosmix.server.authorization import Secret
from kobosmix.server.central import CentralServer
from kobosmix.server.central_api import CentralRefusal
from kobosmix.server.deploy import DeployUnfinished, FormToDeploy, carry_out, plan_deploy
from kobosmix.server.http import Connection
from kobosmix.server.model import ADD_SUBMISSIONS, ANYONE
from tests.central_double import (
    QUICK,
    CentralDouble,
    Form,
    Project,
    Sent,
    central_double,
    converted,
)
from tests.central_forms import built

Memory = dict[str, dict[str, Any]]
LANGUAGES = (
    "\tThe following language declarations do not contain valid machine-readable codes: "
    "Srpski (sr-Latn)."
)


@pytest.fixture
def both() -> Iterator[tuple[CentralDouble, CentralServer]]:
    with central_double() as both:
        yield both


@pytest.fixture
def double(both: tuple[CentralDouble, CentralServer]) -> CentralDouble:
    return both[0]


@pytest.fixture
def server(both: tuple[CentralDouble, CentralServer]) -> CentralServer:
    return both[1]


def deploy(server: CentralServer, form: FormToDeploy, memory: Memory, **how: Any) -> None:
    carry_out(plan_deploy(server, [form], memory, **how), memory.__setitem__)


def the_form(double: CentralDouble) -> Form:
    (project,) = double.projects.values()
    (form,) = project.forms.values()
    return form


def test_a_session_that_has_ended_is_a_login_refused(double: CentralDouble) -> None:
    with (
        Connection(double.url, Secret("0ld", "Bearer"), patience=QUICK) as connection,
        pytest.raises(LoginRefused, match="401") as refused,
    ):
        CentralServer(connection).username()

    assert "0ld" not in str(refused.value)


@pytest.mark.parametrize("where", ["POST /v1/projects/1/forms?", "attachments/", "publish"])
def test_an_answer_that_is_lost_costs_nothing_twice(
    double: CentralDouble, server: CentralServer, where: str
) -> None:
    double.fail(where, hang_up=True)

    deploy(server, built("st"), {})

    assert [each.version for each in the_form(double).published] == ["kx1.1"]
    assert len(double.projects) == 1


def test_a_project_whose_making_was_not_answered_is_found_again(
    double: CentralDouble, server: CentralServer
) -> None:
    double.fail("POST /v1/projects", hang_up=True)
    with pytest.raises(DeployUnfinished, match="may have been done all the same"):
        deploy(server, built("st"), {})

    deploy(server, built("st"), {})

    assert len(double.projects) == 1


def test_a_version_that_lies_in_the_trash_is_passed_over(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    (project,) = double.projects.values()
    project.trash.append(project.forms.pop("st_pre_turks"))

    deploy(server, built("st"), {})

    assert the_form(double).published[0].version == "kx1.2"


def test_a_version_that_is_taken_unseen_is_passed_over(
    double: CentralDouble, server: CentralServer
) -> None:
    double.refuse("publish", 409, "409.6")

    deploy(server, built("st"), {})

    assert the_form(double).published[0].version == "kx1.2"


def test_a_draft_that_is_refused_does_not_stay(
    double: CentralDouble, server: CentralServer
) -> None:
    memory: Memory = {}
    deploy(server, built("st"), memory)
    double.refuse("publish", 400, "400.17")

    with pytest.raises(DeployUnfinished, match="400"):
        deploy(server, built("st", build_id="kx2"), memory)

    assert the_form(double).draft is None
    assert the_form(double).published[-1].version == "kx1.1"
    deploy(server, built("st", build_id="kx2"), memory)
    assert the_form(double).published[-1].version == "kx2.2"


def test_a_form_that_lacks_a_file_is_not_published(
    double: CentralDouble, server: CentralServer
) -> None:
    form = replace(built("st"), media={"register.csv": b"name\n"})

    with pytest.raises(DeployUnfinished, match=r"no file enumerators\.csv"):
        deploy(server, form, {})

    assert the_form(double).published == []


def test_a_warning_that_is_expected_is_passed_and_another_stops(
    double: CentralDouble, server: CentralServer
) -> None:
    double.warnings = {
        "xlsFormWarnings": [LANGUAGES],
        "workflowWarnings": [{"type": "structureChanged", "details": ["trust_2"]}],
    }
    deploy(server, built("st"), {})
    double.warnings = {"xlsFormWarnings": ["Something new."], "workflowWarnings": None}

    with pytest.raises(DeployUnfinished, match="it warns: Something new"):
        deploy(server, built("st", build_id="kx2"), {})

    assert [each.version for each in the_form(double).published] == ["kx1.1"]


def test_what_is_wrong_with_a_form_is_said_in_the_servers_words(
    double: CentralDouble, server: CentralServer
) -> None:
    double.refuse("POST /v1/projects/1/forms?", 400, "400.15", {"error": "[row : 7] No name."})

    with pytest.raises(DeployUnfinished, match=r"\[row : 7\] No name"):
        deploy(server, built("st"), {})


def test_somebody_elses_form_of_the_same_id_is_left_alone(
    double: CentralDouble, server: CentralServer
) -> None:
    _, version = converted(built("other").workbook)
    theirs = Form("st_pre_turks", published=[version])
    double.projects[1] = Project(1, "st", "[kobosmix st]", forms={theirs.id: theirs})

    with pytest.raises(DeployUnfinished, match="not of this study's making"):
        deploy(server, built("st"), {})

    assert theirs.draft is None


def test_a_name_alone_makes_no_project_the_studys(
    double: CentralDouble, server: CentralServer
) -> None:
    double.projects[1] = Project(1, "st", None)

    deploy(server, built("st"), {})

    assert double.projects[1].forms == {}
    assert list(double.projects[2].forms) == ["st_pre_turks"]


def test_a_project_without_its_description_is_known_by_its_forms(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    double.projects[1].description = "Ours. Hands off!"

    deploy(server, built("st", group="syrians", build_id="kx2"), {})

    assert list(double.projects[1].forms) == ["st_pre_turks", "st_pre_syrians"]


def test_another_study_that_the_account_only_reads_is_no_hindrance(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("other"), {})
    double.refuse("other_pre_turks/assignments", 403, "403.1")
    double.refuse("other_pre_turks/assignments", 403, "403.1")

    deploy(server, built("st"), {})

    assert list(double.projects[2].forms) == ["st_pre_turks"]


@pytest.mark.parametrize("asked_for", ["other_pre_turks.xml", "other_pre_turks"])
def test_a_form_that_is_deleted_while_it_is_looked_at_is_no_hindrance(
    double: CentralDouble, server: CentralServer, asked_for: str
) -> None:
    deploy(server, built("other"), {})

    def delete(asked: str) -> None:
        if asked.endswith(asked_for):
            double.projects[1].forms.clear()

    double.before = delete

    deploy(server, built("st"), {})

    assert list(double.projects[2].forms) == ["st_pre_turks"]


def test_who_may_make_no_project_is_told_what_an_administrator_does(
    double: CentralDouble, server: CentralServer
) -> None:
    double.refuse("POST /v1/projects", 403, "403.1")

    with pytest.raises(DeployUnfinished, match=r"administrator.*\[kobosmix st\]"):
        deploy(server, built("st"), {})


def test_two_projects_of_one_study_are_for_a_person_to_settle(
    double: CentralDouble, server: CentralServer
) -> None:
    for number in (1, 2):
        double.projects[number] = Project(number, "st", "[kobosmix st]")

    with pytest.raises(DeployUnfinished, match="2 projects on ODK Central are of the study st"):
        deploy(server, built("st"), {})


def test_a_project_that_encrypts_is_refused(
    double: CentralDouble, server: CentralServer
) -> None:
    double.projects[1] = Project(1, "st", "[kobosmix st]", key=3)

    with pytest.raises(DeployUnfinished, match="encrypts"):
        deploy(server, built("st"), {})


def test_a_gateway_that_is_out_is_waited_for_and_a_fault_without_a_code_told(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    double.fail("Submissions", status=502, times=2)
    assert server.submission_count("1.st_pre_turks") == 0
    body = b'{"message":"Internal Server Error"}'
    double.fail("Submissions", status=500, body=body, kind="application/json", times=9)

    with pytest.raises(ServerError, match=r"500 .Internal Server Error"):
        server.submission_count("1.st_pre_turks")


def test_a_code_is_text_for_as_a_number_two_would_be_one(
    double: CentralDouble, server: CentralServer
) -> None:
    body = b'{"message": "No.", "code": 409.10}'
    double.fail("current", status=409, body=body, kind="application/json")

    with pytest.raises(CentralRefusal) as refused:
        server.username()

    assert refused.value.code == "409.10"


def test_submissions_of_one_moment_are_parted_by_no_page(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    form = the_form(double)
    for number in range(9):
        now = double.now(step_ms=number % 3 == 0)
        form.sent[f"uuid:{number}"] = Sent(f"uuid:{number}", f"uuid:{number}", {}, "kx1.1", now)

    for size in (1, 2, 3, 4):
        found, cursor, is_last = list[str](), "", False
        while not is_last:
            page = server.rows("1.st_pre_turks", cursor, size)
            found += [row.root_uuid for row in page.entries]
            cursor, is_last = page.cursor, page.is_last
        assert found == [str(number) for number in range(9)]


def test_a_submission_that_comes_or_goes_while_pages_are_read_moves_no_other(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    form = the_form(double)
    for number in range(6):
        name = f"uuid:{number}"
        form.sent[name] = Sent(name, name, {}, "kx1.1", double.now())

    first = server.rows("1.st_pre_turks", "", 3)
    form.sent["uuid:2"].deleted = double.now()
    form.sent["uuid:6"] = Sent("uuid:6", "uuid:6", {}, "kx1.1", double.now())
    second = server.rows("1.st_pre_turks", first.cursor, 10)

    assert [row.root_uuid for row in second.entries] == ["3", "4", "5", "6"]


def test_no_link_of_the_server_is_followed(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    form = the_form(double)
    for number in range(5):
        name = f"uuid:{number}"
        form.sent[name] = Sent(name, name, {}, "kx1.1", double.now())
    double.asked.clear()

    server.rows("1.st_pre_turks", "", 2)
    server.heads("1.st_pre_turks", "", 2)

    assert not any("skiptoken" in asked for asked in double.asked)


def test_whoever_has_an_app_user_that_was_revoked_gets_another(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})
    server.allow_sending("1.st_pre_turks", "E01")
    for user in double.projects[1].users.values():
        user["token"] = None
    assert server.rights("1.st_pre_turks") == []

    right = server.allow_sending("1.st_pre_turks", "E01")

    assert [each.uid for each in server.rights("1.st_pre_turks")] == [right.uid]
    with pytest.raises(StudyError, match="no app user for E02"):
        server.phone_logins("1.st_pre_turks", {"E01": "E01", "E02": "E02"})


def test_anyone_gets_a_link_and_no_app_user(
    double: CentralDouble, server: CentralServer
) -> None:
    deploy(server, built("st"), {})

    right, again = (server.allow_sending("1.st_pre_turks", ANYONE) for _ in range(2))

    assert again == right
    assert (right.account, right.permission) == (ANYONE, ADD_SUBMISSIONS)
    assert server.rights("1.st_pre_turks") == [right]
    assert double.projects[1].users == {}
    server.take_right("1.st_pre_turks", right)
    assert server.rights("1.st_pre_turks") == []


def test_a_server_that_is_gone_is_said_to_be() -> None:
    patience = replace(QUICK, total_s=0.1)
    with (
        Connection(
            "http://127.0.0.1:1", Secret("s", "Bearer"), patience=patience
        ) as connection,
        pytest.raises(ServerUnreachable, match="did not answer"),
    ):
        CentralServer(connection).submission_count("1.st")


def test_a_uid_of_another_server_is_wrong_usage(server: CentralServer) -> None:
    with pytest.raises(UsageError, match="no form of ODK Central"):
        server.submission_count("aBcD123")
