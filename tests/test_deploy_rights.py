"""Who may send: given one by one, taken from nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kobosmix.cli.deploy import require_known
from kobosmix.errors import StudyError
from kobosmix.server.deploy import FormToDeploy, plan_deploy
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.server.model import ANYONE
from tests.kobo_double import KoboDouble, kobo_double
from tests.test_deploy import a_form, acts, real_form, writes
from tests.test_deploy_faults import Office


@pytest.fixture
def both() -> Iterator[tuple[KoboDouble, KoboServer]]:
    with kobo_double() as both:
        yield both


def sent_by(*accounts: str) -> FormToDeploy:
    codes = {account: f"en0{number}" for number, account in enumerate(accounts, start=1)}
    return a_form("turks", senders=codes)


def test_enumerators_may_send_and_no_more(both: tuple[KoboDouble, KoboServer]) -> None:
    double, server = both

    plan = Office().deploy(server, sent_by("bob", "carol"))

    assert "pre_turks: let en01, en02 send with it" in [str(step) for step in plan.steps]
    assert set(double.projects["a0"].rights.values()) == {
        ("bob", "add_submissions"),
        ("carol", "add_submissions"),
    }
    assert not any("bulk" in asked for asked in double.asked)


def test_who_has_the_right_is_not_given_it_again(both: tuple[KoboDouble, KoboServer]) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by("bob"))
    double.asked.clear()

    assert office.deploy(server, sent_by("bob")).changes_nothing
    assert writes(double) == []


def test_who_leaves_the_list_loses_what_we_gave_and_nobody_else_does(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by("bob"))
    rights = double.projects["a0"].rights
    rights["pOwners"] = ("carol", "add_submissions")
    rights["pOther"] = ("bob", "view_submissions")

    plan = office.deploy(server, sent_by())

    assert acts(plan) == ["take"]
    assert rights == {
        "pOwners": ("carol", "add_submissions"),
        "pOther": ("bob", "view_submissions"),
    }


def test_a_right_that_became_part_of_a_larger_one_is_left(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by("bob"))
    double.projects["a0"].rights["pLarger"] = ("bob", "change_submissions")

    assert office.deploy(server, sent_by()).changes_nothing
    assert double.projects["a0"].senders == ["bob"]


def test_a_right_that_was_there_before_us_is_never_taken(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by())
    double.projects["a0"].rights["pOwners"] = ("bob", "add_submissions")
    office.deploy(server, sent_by("bob"))

    assert office.deploy(server, sent_by()).changes_nothing
    assert double.projects["a0"].senders == ["bob"]


def test_an_unknown_account_is_told_by_the_enumerators_code_and_stops_nobody(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both

    plan = Office().deploy(server, sent_by("nobody", "bob"))

    assert plan.unknown == ("en01",)
    assert double.projects["a0"].senders == ["bob"]


def test_an_unknown_account_ends_a_deploy_with_an_error_but_not_on_this_machine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        StudyError, match=r"written for en01, en03 .* Everyone else can\."
    ) as caught:
        require_known(("en01", "en03"), "https://eu.kobotoolbox.org")
    assert caught.value.exit_code == 4

    require_known(("en01",), "http://127.0.0.1:8085")
    assert "en01" in capsys.readouterr().err


def test_a_web_form_is_open_to_anyone_to_send_and_not_to_read(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()

    plan = office.deploy(server, a_form("turks", senders={ANYONE: "anyone"}))

    assert list(double.projects["a0"].rights.values()) == [(ANYONE, "add_submissions")]
    assert plan.public == ()
    double.projects["a0"].rights["pRead"] = (ANYONE, "view_submissions")
    seen = plan_deploy(server, [a_form("turks")], office.forms)
    assert seen.public == ("pre_turks",)


def test_a_project_that_is_only_shared_with_us_is_neither_changed_nor_doubled(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by())
    double.projects["a0"].owner = "bob"
    double.asked.clear()

    for memory in (office.forms, {}):
        with pytest.raises(StudyError, match=r"account 'bob'.*may not manage it"):
            plan_deploy(server, [sent_by()], memory)
    assert writes(double) == []


def test_a_copy_that_is_only_shared_with_us_does_not_stand_in_the_way(
    both: tuple[KoboDouble, KoboServer],
) -> None:
    double, server = both
    office = Office()
    office.deploy(server, sent_by())
    double.project("aCopy", workbook=double.projects["a0"].workbook, owner="bob")

    assert plan_deploy(server, [sent_by()], {}).forms[0].uid == "a0"


def test_the_local_server_gives_and_takes_rights(tmp_path: Path) -> None:
    database = tmp_path / "server.sqlite"
    tokens = {name: create_account(database, name) for name in ("alice", "bob")}
    with (
        LocalServer(database) as running,
        Connection(running.url, tokens["alice"]) as connection,
        Connection(running.url, tokens["bob"]) as bobs,
    ):
        office, server = Office(), KoboServer(connection)
        bob = KoboServer(bobs)
        office.deploy(server, replace(real_form(), senders={"bob": "en01", "nobody": "en02"}))
        uid = office.forms["pre_turks"]["uid"]

        assert "b1" in bob.fielded_form(uid)
        assert bob.find_asset(uid) is None
        office.deploy(server, replace(real_form(), senders={}))
        assert bob.phones.form_list() == ()
        assert {right.account for right in server.rights(uid)} == {"alice"}
