"""What a person meets on the command line: words, exit codes, and nothing half done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from kobosmix import content
from kobosmix.cli.bank import explanations
from kobosmix.cli.main import COMMANDS, main
from kobosmix.codebook import read_codebook
from kobosmix.people.register import write_register
from kobosmix.server.credentials import save_token
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.study import Study, writing
from kobosmix.xlsx import read_rows


@pytest.fixture(autouse=True)
def private_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the settings of whoever runs it."""
    folder = tmp_path / "settings"
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(folder))
    monkeypatch.delenv("KOBOSMIX_TOKEN", raising=False)
    # Without Java in reach: what ODK Validate says of the forms is shown in test_engines.
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


@pytest.fixture
def soup(tmp_path: Path) -> Path:
    """A copy of the sample study, as `init --like` makes it."""
    folder = tmp_path / "soup"
    assert run("init", str(folder), "--like", "gaziantep").exit_code == 0
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a local server whose token is kept where commands look for it."""
    database = tmp_path / "server.sqlite"
    with LocalServer(database) as local:
        save_token(local.url, create_account(database, "office"))
        yield local.url


@pytest.fixture(scope="module")
def once_deployed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A study of three people whose forms are on a server: its folder, and a token."""
    folder = tmp_path_factory.mktemp("deployed")
    database = folder / "server.sqlite"
    token = create_account(database, "office")
    with pytest.MonkeyPatch.context() as patch, LocalServer(database) as local:
        patch.setenv("KOBOSMIX_CONFIG_DIR", str(folder / "settings"))
        patch.setenv("PATH", "")
        save_token(local.url, token)
        soup = str(folder / "soup")
        assert run("init", soup, "--like", "gaziantep").exit_code == 0
        assert run("ids", soup, "--group", "turks", "--count", "3").exit_code == 0
        assert run("deploy", soup, "--server", local.url).exit_code == 0
    return folder, token


@pytest.fixture
def fielded(once_deployed: tuple[Path, str], tmp_path: Path) -> Iterator[Path]:
    """A copy of that study, with its server running at another address."""
    folder, token = once_deployed
    shutil.copytree(folder / "soup", tmp_path / "soup")
    shutil.copy(folder / "server.sqlite", tmp_path / "server.sqlite")
    study = Study(tmp_path / "soup")
    with LocalServer(tmp_path / "server.sqlite") as local:
        save_token(local.url, token)
        known = study.state()["deployments"]
        moved = {key: {**told, "server": local.url} for key, told in known.items()}
        study.remember(server=local.url, deployments=moved)
        yield study.root


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def edit(study: Path, old: str, new: str) -> None:
    path = study / "context.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_command_says_of_itself(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.help is not None
    said = command.help.split("\n\n")[0].replace("\x08", "").strip()
    assert " ".join(said.split()) == COMMANDS[name][1]
    assert f"kobosmix {name}" in command.help, "each help shows the command in use"


def test_the_first_screen_lists_every_command() -> None:
    shown = run("--help").output

    assert all(f"  {name} " in shown for name in COMMANDS)


def test_the_bank_is_printed_for_programs() -> None:
    concepts = json.loads(run("concepts", "--json").stdout)

    assert sum(item["rated"] for concept in concepts for item in concept["items"]) == 69
    assert {concept["section"] for concept in concepts} == {"4.1", "4.2", "4.3", "4.4", "4.5"}


def test_a_concept_is_shown_with_its_items_word_for_word() -> None:
    assert "Most [group.pl] are people who deserve trust." in run("concepts", "trust").output


def test_a_concept_that_is_not_there_names_those_that_are() -> None:
    result = run("concepts", "turst")

    assert result.exit_code == 2
    assert "trust" in result.stderr


def test_every_finding_can_be_explained() -> None:
    assert run("explain", "w201").output.startswith("W201: ")
    assert all(meaning and remedy for meaning, remedy in explanations().values())


def test_a_folder_without_context_is_no_study(tmp_path: Path) -> None:
    result = run("check", str(tmp_path))

    assert result.exit_code == 2
    assert "kobosmix init" in result.stderr


def test_init_never_writes_over_a_study(soup: Path) -> None:
    before = (soup / "context.yaml").read_bytes()

    result = run("init", str(soup), "--like", "gaziantep")

    assert result.exit_code == 2
    assert (soup / "context.yaml").read_bytes() == before


def test_a_new_study_says_everything_it_still_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "new one"
    made = run("init", str(folder), "--group", "hosts:host:tr", "--group", "others:newcomer:ar")

    result = run("check", str(folder))

    assert made.exit_code == 0
    assert result.exit_code == 1
    for key in ("own_group", "age_of_consent", "minors", "organisation", "enumerators"):
        assert key in result.stderr
    assert "W201" in result.stderr, "the name forms it needs are asked for in the same run"


def test_a_group_that_cannot_be_read_is_told_how_to_write_it(tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "x"), "--group", "turks")

    assert result.exit_code == 2
    assert "turks:host:tr" in result.stderr
    assert not (tmp_path / "x").exists()


def test_check_writes_nothing(soup: Path) -> None:
    before = sorted(path for path in soup.rglob("*"))

    assert run("check", str(soup)).exit_code == 0
    assert sorted(path for path in soup.rglob("*")) == before


def test_findings_come_with_place_and_remedy_for_programs(soup: Path) -> None:
    edit(soup, "mode: interview", "mode: telepathy")

    result = run("check", str(soup), "--json")

    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (
        found[0]["line"]
        == (soup / "context.yaml").read_text("utf-8").split("\n").index("mode: telepathy") + 1
    )
    assert "interview" in found[0]["remedy"]


def test_build_with_errors_writes_nothing(soup: Path) -> None:
    edit(soup, "mode: interview", "mode: telepathy")

    result = run("build", str(soup))

    assert result.exit_code == 1
    assert "nothing was written" in result.stderr
    assert not (soup / "build").exists()


def test_build_writes_a_form_and_a_codebook_for_each_group_and_wave(soup: Path) -> None:
    result = run("build", str(soup))

    assert result.exit_code == 0
    for wave in ("pre", "post", "fu"):
        for group in ("turks", "syrians"):
            assert (soup / "build" / f"{wave}_{group}.xlsx").is_file()
            assert (soup / "build" / f"{wave}_{group}_codebook.xlsx").is_file()
    codebooks = list((soup / "build").glob("kx*/codebook.json"))
    assert {read_codebook(path).wave for path in codebooks} == {"pre", "post", "fu"}
    assert "build/preview.html" in result.stderr
    assert (soup / "build" / "preview.html").is_file()


def test_an_old_codebook_stays_when_the_form_changes(soup: Path) -> None:
    run("build", str(soup))
    before = {path.parent.name for path in (soup / "build").glob("kx*/codebook.json")}
    edit(soup, "minutes: 25", "minutes: 40")

    run("build", str(soup))

    after = {path.parent.name for path in (soup / "build").glob("kx*/codebook.json")}
    assert before < after


def test_ids_go_into_the_register_and_are_told_by_number_only(soup: Path) -> None:
    result = run("ids", str(soup), "--group", "turks", "--site", "sahinbey", "--count", "12")

    rows = read_rows(soup / "register.xlsx")
    assert result.exit_code == 0
    assert len(rows) == 1 + 12 + 2
    assert all(str(row[0]) not in result.output for row in rows[1:])


def test_an_unknown_site_is_refused_before_any_id_is_drawn(soup: Path) -> None:
    result = run("ids", str(soup), "--group", "turks", "--site", "x", "--count", "3")

    assert result.exit_code == 2
    assert "sahinbey" in result.stderr
    assert not (soup / "register.xlsx").exists()


def test_a_second_command_is_told_who_is_at_work(soup: Path) -> None:
    with writing(Study(soup), "pull"):
        result = run("build", str(soup))

    assert result.exit_code == 4
    assert "kobosmix pull" in result.stderr
    assert run("build", str(soup)).exit_code == 0, "the lock is gone with the other command"


def test_a_server_that_is_down_is_a_clear_sentence(soup: Path) -> None:
    save_token("http://127.0.0.1:9", "t" * 40)

    result = run("deploy", str(soup), "--server", "http://127.0.0.1:9")

    assert result.exit_code == 3
    assert "did not answer" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_token_is_refused_and_never_shown(soup: Path, server: str) -> None:
    save_token(server, "wrong" * 8)

    result = run("deploy", str(soup), "--server", server)

    assert result.exit_code == 3
    assert "wrong" * 8 not in result.output + result.stderr


def test_no_token_says_both_ways_to_give_one(soup: Path) -> None:
    result = run("deploy", str(soup), "--server", "http://127.0.0.1:9")

    assert result.exit_code == 2
    assert "KOBOSMIX_TOKEN" in result.stderr


def test_deploying_twice_changes_nothing(soup: Path, server: str) -> None:
    planned = run("deploy", str(soup), "--server", server, "--dry-run")
    first = run("deploy", str(soup), "--server", server)
    again = run("deploy", str(soup))

    assert "create the form" in planned.output
    assert first.exit_code == again.exit_code == 0
    assert "nothing to do" in again.output


def test_pull_before_deploy_says_what_comes_first(soup: Path, server: str) -> None:
    result = run("pull", str(soup), "--server", server)

    assert result.exit_code == 4
    assert "deploy" in result.stderr


def test_match_and_export_before_pull_say_what_comes_first(soup: Path) -> None:
    run("build", str(soup))

    for command in ("match", "export"):
        result = run(command, str(soup))
        assert result.exit_code == 4
        assert "kobosmix pull" in result.stderr


def test_tables_are_made_of_no_answers_too(fielded: Path) -> None:
    run("pull", str(fielded))

    assert run("match", str(fielded)).exit_code == 0
    assert run("export", str(fielded)).exit_code == 0
    assert "No interview" in str(read_rows(fielded / "data" / "topline.xlsx"))


def test_an_altered_id_in_the_register_stops_the_matching(fielded: Path) -> None:
    run("pull", str(fielded))
    rows = read_rows(fielded / "register.xlsx")
    from kobosmix.people.model import Register, Respondent

    altered = str(int(str(rows[1][0])) + 1)
    people = [Respondent(id=altered, group="turks")]
    people += [Respondent(id=str(row[0]), group="turks") for row in rows[2:]]
    write_register(fielded / "register.xlsx", Register(tuple(people)))

    result = run("match", str(fielded))

    assert result.exit_code == 1
    assert not (fielded / "match").exists()


def test_a_damaged_store_is_named_and_left_alone(fielded: Path) -> None:
    (fielded / "store.sqlite").write_bytes(b"not a database" * 100)

    result = run("pull", str(fielded))

    assert result.exit_code == 4
    assert "store.sqlite" in result.stderr
    assert (fielded / "store.sqlite").read_bytes() == b"not a database" * 100


def test_a_table_that_is_open_in_another_program_is_kept(
    fielded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("pull", str(fielded))
    run("export", str(fielded))
    before = (fielded / "data" / "wide.xlsx").read_bytes()
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        # Excel on Windows: the file cannot be replaced while it is open.
        if Path(target).name == "wide.xlsx":
            raise PermissionError(13, "in use", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held)
    result = run("export", str(fielded))

    assert result.exit_code == 4
    assert "wide.new.xlsx" in result.stderr
    assert (fielded / "data" / "wide.xlsx").read_bytes() == before
    assert (fielded / "data" / "wide.new.xlsx").is_file()


def test_a_synced_folder_is_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "OneDrive - Office" / "soup"
    run("init", str(folder), "--like", "gaziantep")

    result = run("check", str(folder))

    assert result.exit_code == 0
    assert "P105" in result.stderr
    assert "OneDrive" in result.stderr


def test_status_says_what_to_type_next_all_the_way(soup: Path, server: str) -> None:
    def next_command() -> str:
        return str(json.loads(run("status", str(soup), "--json").stdout)["next"])

    assert next_command().startswith("kobosmix build")
    run("build", str(soup))
    assert next_command().startswith("kobosmix ids")
    run("ids", str(soup), "--group", "turks", "--count", "3")
    assert next_command().startswith("kobosmix deploy")
    run("deploy", str(soup), "--server", server)
    assert next_command().startswith("kobosmix pull")
    run("pull", str(soup))
    assert next_command().startswith("kobosmix pull"), "no answer has come yet"
    run("rehearse", str(soup))
    run("pull", str(soup))
    assert next_command().startswith("kobosmix match")
    run("match", str(soup))
    assert next_command().startswith("kobosmix export")
    run("export", str(soup))
    assert next_command().startswith("kobosmix pull")


def test_status_reads_while_another_command_writes(soup: Path) -> None:
    with writing(Study(soup), "pull"):
        result = run("status", str(soup))

    assert result.exit_code == 0


def test_an_old_console_loses_characters_but_not_the_output(soup: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "kobosmix", "build", str(soup)],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "cp1252", "PATH": "", "HOME": str(soup), "LC_ALL": "C"},
    )

    assert b"pre_turks" in shown.stdout


def test_a_killed_command_leaves_no_lock(soup: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from kobosmix.study import Study, writing\n"
        f"with writing(Study(Path({str(soup)!r})), 'pull'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        refused = run("build", str(soup)).exit_code
        holder.kill()
        holder.wait()

    assert refused == 4
    assert run("build", str(soup)).exit_code == 0


def test_the_sample_travels_with_the_package() -> None:
    assert (content.sample_study("gaziantep") / "context.yaml").is_file()


def test_the_form_of_a_wave_that_was_taken_out_is_taken_away_its_codebook_not(
    soup: Path,
) -> None:
    run("build", str(soup))
    by_hand = soup / "build" / "fu_syrians.xlsx"
    by_hand.write_bytes(b"changed by a person")
    codebooks = len(list((soup / "build").glob("kx*/codebook.json")))
    text = (soup / "context.yaml").read_text(encoding="utf-8")
    (soup / "context.yaml").write_text(
        text[: text.index("  fu:\n")] + "\n" + text[text.index("cohorts:") :], encoding="utf-8"
    )

    run("build", str(soup))

    assert not (soup / "build" / "fu_turks.xlsx").exists()
    assert not (soup / "build" / "kobo_upload" / "fu_turks.xlsx").exists()
    assert by_hand.read_bytes() == b"changed by a person"
    assert (soup / "build" / "post_turks.xlsx").exists()
    assert len(list((soup / "build").glob("kx*/codebook.json"))) == codebooks


def test_invented_people_never_become_answers_of_the_field(
    soup: Path, server: str, tmp_path: Path
) -> None:
    for group in ("turks", "syrians"):
        run("ids", str(soup), "--group", group, "--cohort", "spring", "--count", "20")
    run("deploy", str(soup), "--server", server)
    run("rehearse", str(soup))
    run("pull", str(soup))
    rehearsed = run("match", str(soup))
    field = tmp_path / "field.sqlite"

    with LocalServer(field) as other:
        save_token(other.url, create_account(field, "office"))
        run("deploy", str(soup), "--server", other.url)
        run("pull", str(soup))
        matched = run("match", str(soup))

    assert "linked" in rehearsed.output
    assert "invented" in rehearsed.stderr
    assert "linked" not in matched.output
    assert " test " in matched.output
    assert "invented" not in matched.stderr


def test_a_register_that_is_gone_is_missed(soup: Path) -> None:
    run("ids", str(soup), "--group", "turks", "--count", "5")
    (soup / "register.xlsx").unlink()

    result = run("check", str(soup))

    assert result.exit_code == 1
    assert "R101" in result.stderr


def test_rows_that_are_gone_from_the_register_are_counted(soup: Path) -> None:
    from kobosmix.people.model import Register, Respondent

    run("ids", str(soup), "--group", "turks", "--count", "5", "--spare", "0")
    rows = read_rows(soup / "register.xlsx")[1:4]
    people = tuple(Respondent(id=str(row[0]), group="turks") for row in rows)
    write_register(soup / "register.xlsx", Register(people))

    assert "2 issued IDs have no row any more" in run("check", str(soup)).stderr


def test_an_empty_list_of_enumerators_is_an_error(soup: Path) -> None:
    from kobosmix.people.enumerators import write_enumerators_template

    write_enumerators_template(soup / "enumerators.xlsx")

    result = run("check", str(soup))

    assert result.exit_code == 1
    assert "E111" in result.stderr


def test_issuing_ids_throws_away_nothing_that_people_added(soup: Path) -> None:
    from kobosmix.xlsx import Sheet, workbook_bytes

    run("ids", str(soup), "--group", "turks", "--count", "2")
    header, *rows = read_rows(soup / "register.xlsx")
    more = [[*header, "visit plan"], *([*row, "on Monday"] for row in rows)]
    (soup / "register.xlsx").write_bytes(
        workbook_bytes([Sheet(title="register", rows=more, text_columns=(0,))])
    )
    before = (soup / "register.xlsx").read_bytes()

    result = run("ids", str(soup), "--group", "turks", "--count", "2")

    assert result.exit_code == 4
    assert (soup / "register.xlsx").read_bytes() == before


def test_a_rehearsal_that_is_refused_makes_nobody_invented(fielded: Path) -> None:
    # Answers that people gave must stay theirs: today is inside the window of the first wave.
    edit(fielded, "closes: 2025-02-21", f"closes: {date.today().isoformat()}")  # noqa: DTZ011

    refused = run("rehearse", str(fielded))

    assert refused.exit_code != 0
    assert "rehearsed" not in Study(fielded).state()


def test_a_store_cut_to_nothing_is_not_taken_for_a_new_one(fielded: Path) -> None:
    run("pull", str(fielded))
    for path in fielded.glob("store.sqlite*"):
        path.unlink()
    (fielded / "store.sqlite").touch()

    result = run("pull", str(fielded))

    assert result.exit_code == 4
    assert "backup" in result.stderr


def test_status_tells_of_a_broken_store(fielded: Path) -> None:
    (fielded / "store.sqlite").write_bytes(b"not a database" * 100)

    assert "store.sqlite" in run("status", str(fielded)).output


def test_an_export_that_was_cut_short_is_not_called_finished(fielded: Path) -> None:
    run("pull", str(fielded))
    run("match", str(fielded))
    (fielded / "data" / "topline.xlsx").mkdir(parents=True)

    failed = run("export", str(fielded))

    assert failed.exit_code == 4
    status = json.loads(run("status", str(fielded), "--json").stdout)
    assert status["tables"] == "not all written; export again"
    assert status["next"].startswith("kobosmix export")


def test_ids_that_were_sorted_without_their_rows_are_missed(soup: Path) -> None:
    from kobosmix.people.model import Register, Respondent

    for group, site in (("turks", "sahinbey"), ("syrians", "sehitkamil")):
        run("ids", str(soup), "--group", group, "--site", site, "--count", "6", "--spare", "0")
    header, *rows = read_rows(soup / "register.xlsx")
    at = {str(name): number for number, name in enumerate(header)}

    def register(numbers: list[str]) -> Register:
        places = [(str(row[at["group"]]), str(row[at["site"]])) for row in rows]
        people = zip(numbers, places, strict=True)
        return Register(tuple(Respondent(id=n, group=g, site=s) for n, (g, s) in people))

    numbers = [str(row[0]) for row in rows]
    write_register(soup / "register.xlsx", register(numbers))
    whole = run("check", str(soup))
    write_register(soup / "register.xlsx", register([*numbers[1:], numbers[0]]))
    shifted = run("check", str(soup))

    assert whole.exit_code == 0
    assert shifted.exit_code == 1
    assert "R205" in shifted.stderr


def test_nobody_is_matched_by_a_context_that_is_only_guessed_at(fielded: Path) -> None:
    run("pull", str(fielded))
    edit(fielded, "study: gaziantep_2025", "study: Gaziantep 2025")

    for command in ("match", "export"):
        result = run(command, str(fielded))
        assert result.exit_code == 1
        assert "C101" in result.stderr
    assert run("ids", str(fielded), "--group", "turks", "--count", "3").exit_code == 1
    assert not (fielded / "match").exists()
    assert not (fielded / "data").exists()


def test_what_a_sentence_lacks_does_not_keep_answers_from_being_matched(fielded: Path) -> None:
    run("pull", str(fielded))
    edit(fielded, "tr: {pl: Suriyeliler, adj: Suriyeli}", "tr: {pl: Suriyeliler}")

    assert run("build", str(fielded)).exit_code == 1
    assert run("match", str(fielded)).exit_code == 0
