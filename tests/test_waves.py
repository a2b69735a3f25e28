"""Which waves are in the field: what opens, what closes, what is said before, what can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kobosmix.cli.main import main
from kobosmix.context import Context
from kobosmix.errors import ServerError, UsageError
from kobosmix.rehearse.rehearsal import Rehearsal, plan_rehearsal
from kobosmix.server.credentials import save_token
from kobosmix.server.deploy import Project, SwitchUnfinished, switch
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.steps import deployments
from kobosmix.study import Study
from kobosmix.waves import Stand, choose_waves, note_wave, practice_waves, wave_stands
from tests.english_study import changed, prepare_text, write_study
from tests.kobo_double import kobo_double
from tests.test_rehearse import with_register

REAL = "https://eu.kobotoolbox.org"
LOCAL = "http://127.0.0.1:8085"
# Without windows, for people are rehearsed on any day but one of a window.
TWO_WAVES = changed(
    ("windows:\n      all: {opens: 2026-02-02, closes: 2026-02-20}", "windows: {}"),
    ("windows:\n      all: {opens: 2026-04-20, closes: 2026-05-08}", "windows: {}"),
    ("  fu: {}\n", ""),
)
IN_PRE, IN_NONE = date(2026, 2, 10), date(2026, 3, 10)


@dataclass
class Lake:
    """The study by the lake, and what it says."""

    study: Study
    context: Context

    def chosen(self, server: str = REAL, today: date = IN_NONE) -> tuple[str, ...]:
        return choose_waves(self.study, self.context, server, today, "lake").waves


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    prepared = prepare_text(tmp_path / "lake")
    return Lake(prepared.study, prepared.sound())


def test_on_this_machine_every_wave_is_open_until_it_is_closed(lake: Lake) -> None:
    assert lake.chosen(LOCAL) == ("pre", "post", "fu")

    note_wave(lake.study, LOCAL, "pre", Stand.CLOSED, IN_NONE)

    assert lake.chosen(LOCAL) == ("post", "fu")


def test_elsewhere_no_wave_is_opened_silently_and_the_command_is_said(lake: Lake) -> None:
    with pytest.raises(UsageError) as caught:
        lake.chosen()

    assert caught.value.exit_code == 2
    assert "pre (2026-02-02 to 2026-02-20; not opened)" in str(caught.value)
    assert f"kobosmix wave open WAVE lake --server {REAL}" in str(caught.value)


def test_the_one_wave_inside_its_window_is_opened_and_said(lake: Lake) -> None:
    chosen = choose_waves(lake.study, lake.context, REAL, IN_PRE, "lake")

    assert (chosen.waves, chosen.opens) == (("pre",), "pre")
    assert "2026-02-02 to 2026-02-20" in chosen.why


def test_two_waves_inside_their_windows_are_for_a_person_to_choose(tmp_path: Path) -> None:
    overlapping = changed(("opens: 2026-04-20", "opens: 2026-02-09"))
    prepared = prepare_text(tmp_path / "lake", overlapping)

    with pytest.raises(UsageError, match=r"windows of pre and post.*wave open pre lake"):
        choose_waves(prepared.study, prepared.sound(), REAL, IN_PRE, "lake")


def test_a_wave_somebody_closed_is_not_opened_by_a_deploy(lake: Lake) -> None:
    note_wave(lake.study, REAL, "pre", Stand.CLOSED, IN_PRE)

    with pytest.raises(UsageError, match=r"pre \(.*closed since 2026-02-10\)"):
        lake.chosen(today=IN_PRE)


def test_only_open_waves_are_brought_and_each_server_has_its_own(lake: Lake) -> None:
    note_wave(lake.study, REAL, "post", Stand.OPEN, IN_NONE)

    assert lake.chosen(today=IN_PRE) == ("post",)
    assert lake.chosen(LOCAL) == ("pre", "post", "fu")


def test_a_wave_half_closed_is_no_longer_deployed(lake: Lake) -> None:
    note_wave(lake.study, LOCAL, "pre", Stand.CLOSING, IN_NONE, ["pre_locals"])

    assert "pre" not in lake.chosen(LOCAL)
    assert wave_stands(lake.study, lake.context, LOCAL)["pre"].closed == ("pre_locals",)


def test_training_is_for_the_open_waves_else_for_the_next(lake: Lake) -> None:
    assert practice_waves(lake.study, lake.context, REAL) == ("pre",)
    note_wave(lake.study, REAL, "pre", Stand.CLOSED, IN_PRE)
    assert practice_waves(lake.study, lake.context, REAL) == ("post",)
    note_wave(lake.study, REAL, "fu", Stand.OPEN, IN_PRE)
    assert practice_waves(lake.study, lake.context, REAL) == ("fu",)


def test_a_failure_while_closing_says_which_are_closed_and_the_next_run_goes_on() -> None:
    with kobo_double() as (double, server):
        for uid in ("a1", "a2", "a3"):
            double.project(uid)
        projects = [Project(key=f"pre_{n}", uid=f"a{n}", is_open=True) for n in (1, 2, 3)]
        double.fail("PATCH /api/v2/assets/a2", status=403)
        told = list[str]()

        with pytest.raises(SwitchUnfinished, match="closed: pre_1; not yet: pre_2, pre_3"):
            switch(server, projects, lambda each: told.append(each.key), is_open=False)
        assert told == ["pre_1"]

        now = [
            Project(key=p.key, uid=p.uid, is_open=double.projects[p.uid].active)
            for p in projects
        ]
        double.asked.clear()
        switch(server, now, lambda each: told.append(each.key), is_open=False)

        assert not any(project.active for project in double.projects.values())
        assert double.asked == [
            f"PATCH /api/v2/assets/{uid}/deployment/" for uid in ("a2", "a3")
        ]


def test_closing_is_believed_only_when_the_server_says_so() -> None:
    with kobo_double() as (double, server):
        double.project("a1")
        double.fail(
            "PATCH", status=200, body=b'{"active": true}', kind="application/json", times=9
        )

        with pytest.raises(ServerError, match="the form is as it was"):
            server.set_open("a1", is_open=False)


@dataclass
class InField:
    """A study whose waves are on a local server, where people were interviewed."""

    folder: Path
    study: Study
    server: KoboServer
    rehearsal: Rehearsal

    def run(self, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(
            main, [*arguments, str(self.folder)], input=typed, catch_exceptions=False
        )

    def versions(self) -> dict[str, str]:
        forms = self.server.phones.form_list()
        return {form.uid: form.version for form in forms}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KoboServer]:
    """A local server whose token is kept where commands look for it."""
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("KOBOSMIX_TOKEN", raising=False)
    database = tmp_path / "server.sqlite"
    token = create_account(database, "office")
    with LocalServer(database) as local, Connection(local.url, token) as connection:
        save_token(local.url, token)
        yield KoboServer(connection)


@pytest.fixture
def field(tmp_path: Path, office: KoboServer) -> InField:
    study = write_study(tmp_path / "lake", TWO_WAVES)
    with_register(study, 2)
    deployed = CliRunner().invoke(main, ["deploy", str(study.root), "--server", office.url])
    assert deployed.exit_code == 0, deployed.output
    rehearsal = plan_rehearsal(study, office)
    rehearsal.send_wave("pre")
    return InField(study.root, study, office, rehearsal)


def test_on_a_real_server_a_wave_goes_to_phones_once_somebody_opens_it(
    tmp_path: Path, office: KoboServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kobosmix.waves.is_loopback", lambda _: False)
    folder = str(write_study(tmp_path / "lake", TWO_WAVES).root)

    refused = CliRunner().invoke(main, ["deploy", folder, "--server", office.url])
    assert refused.exit_code == 2
    assert "kobosmix wave open WAVE" in refused.output
    assert office.phones.form_list() == ()

    opened = CliRunner().invoke(main, ["wave", "open", "pre", folder, "--server", office.url])
    assert "pre is open; 0 forms of it are on" in opened.output
    deployed = CliRunner().invoke(main, ["deploy", folder])
    assert "2 forms are on the server" in deployed.output
    assert len(office.phones.form_list()) == 2
    assert "pre open since" in CliRunner().invoke(main, ["status", folder]).output


def test_a_wave_is_closed_after_it_was_said_what_is_missing_and_opened_as_it_was(
    field: InField,
) -> None:
    before = field.versions()
    planted = field.rehearsal.script.wave("pre")[0]
    late = (
        field.rehearsal.phones["pre"][planted.group]
        .package(planted)
        .replace(planted.uuid.encode(), b"11111111-2222-4333-8444-555555555555")
    )

    asked = field.run("wave", "close", "pre", typed="n\n")
    assert asked.exit_code == 1
    assert field.versions() == before

    closed = field.run("wave", "close", "pre", "--yes")
    assert closed.exit_code == 0
    for told in ("en01", "Pulled just now", "The register still expects", "405", "pre_locals"):
        assert told in closed.output
    assert len(field.versions()) == len(before) - 2
    with pytest.raises(ServerError, match="closed for new submissions"):
        field.server.phones.submit(late)

    deployed = field.run("deploy")
    assert "post_locals: upload register.csv" in deployed.output, "background is known now"
    assert "pre_" not in deployed.output
    assert len(field.versions()) == len(before) - 2
    assert "pre closed since" in field.run("status").output

    opened = field.run("wave", "open", "pre")
    assert opened.exit_code == 0
    again = field.versions()
    uids = [deployments(field.study)[key].uid for key in ("pre_locals", "pre_syrians")]
    assert [again[uid] for uid in uids] == [before[uid] for uid in uids], (
        "nothing to fetch anew"
    )
    assert field.server.phones.submit(late).is_new

    field.study.remember(deployments={})
    blind = field.run("wave", "close", "post", "--yes", "--no-pull")
    assert "post_locals: closed" in blind.output, "found by what the form says of itself"


def test_a_closed_wave_is_left_alone_by_deploy_even_when_its_forms_changed(
    field: InField,
) -> None:
    field.run("wave", "close", "pre", "--yes", "--no-pull")
    uid = deployments(field.study)["pre_locals"].uid
    before = field.server.asset(uid).version_id
    write_study(field.folder, TWO_WAVES.replace("Lakeside", "Seaside"))

    told = field.run("deploy").output

    assert "post_locals: replace the form" in told
    assert "pre_" not in told
    assert field.server.asset(uid).version_id == before
    assert not field.server.asset(uid).active


@pytest.mark.parametrize("arguments", [("open", "spring"), ("close", "pre", "post")])
def test_what_cannot_be_a_wave_is_said_before_anything_happens(
    lake: Lake, arguments: tuple[str, ...]
) -> None:
    refused = CliRunner().invoke(main, ["wave", *arguments, str(lake.study.root)])

    assert refused.exit_code == 2
    assert not lake.study.state_file.exists()


def test_training_stands_beside_the_field_and_is_never_pulled_or_counted(
    field: InField,
) -> None:
    planned = field.run("deploy", "--training", "--wave", "pre", "--dry-run")
    assert "pre_locals: create the form 'EXERCISE – " in planned.output
    assert len(field.versions()) == 4
    memory = deployments(field.study)

    assert field.run("deploy", "--training", "--wave", "pre").exit_code == 0
    assert "nothing to do" in field.run("deploy", "--training", "--wave", "pre").output
    assert deployments(field.study) == memory
    titles = sorted(form.name for form in field.server.phones.form_list())
    assert sum(title.startswith("EXERCISE") for title in titles) == 2
    assert "nothing to do" in field.run("deploy").output

    removed = field.run("deploy", "--training", "--remove")
    assert "2 training projects are off the phones' lists" in removed.output
    assert len(field.versions()) == 4
    assert "open it again" in field.run("deploy", "--training", "--wave", "pre").output


@pytest.mark.parametrize(
    "options", [("--remove",), ("--wave", "pre"), ("--training", "--pretest")]
)
def test_options_that_contradict_each_other_are_refused(
    lake: Lake, options: tuple[str, ...]
) -> None:
    refused = CliRunner().invoke(main, ["deploy", str(lake.study.root), *options])

    assert refused.exit_code == 2
