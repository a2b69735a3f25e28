"""`kobosmix diff`: builds, studies, and forms on a server, compared over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from kobosmix.build import write_build
from kobosmix.changes import compare, compare_with_server
from kobosmix.cli.main import main
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.form import kobo_workbook
from kobosmix.prepare import Prepared, prepare
from kobosmix.server.content import sheets_of
from kobosmix.server.credentials import save_token
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.content import read_content
from kobosmix.server.local.run import LocalServer
from kobosmix.steps import deploy_study, deployments, plan_study_deploy
from kobosmix.study import Study
from kobosmix.xlsform.diff import Level, changes
from kobosmix.xlsform.model import sheets_of_rows
from tests.english_study import bank, changed, write_study
from tests.local_forms import Client, instance
from tests.test_invariance import NAMES, sample


def build(study: Study, *edits: tuple[str, str]) -> Prepared:
    """The study built with these edits of its context; its build ids stay where they are."""
    study.context_file.write_text(changed(*edits), encoding="utf-8")
    with patch("kobosmix.prepare.read_bank", lambda *_: bank()):
        prepared = prepare(study, engines=False)
    write_build(prepared)
    return prepared


def build_id(prepared: Prepared, key: str) -> str:
    return next(form.codebook.build_id for form in prepared.forms if form.key == key)


def told(study: Study, old: str, new: str) -> list[tuple[Level, str, str]]:
    (compared,) = compare(old, new, study)
    return [(change.level, change.where, change.what) for change in compared.changes]


# One wave, so that fewer forms have to go to a server.
FIRST_WAVE = (
    "  post:\n    windows:\n      all: {opens: 2026-04-20, closes: 2026-05-08}\n  fu: {}\n",
    "",
)


# Builds and studies


def test_two_builds_of_one_form_can_be_compared_later(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    before = build_id(build(study), "pre_locals")
    now = build_id(build(study, ("prior_contact,", "prior_contact, belonging,")), "pre_locals")

    found = told(study, before, now)

    assert [where for level, where, _ in found if level is Level.ADDITION] == [
        f"belonging_{n}" for n in (1, 2)
    ]
    assert (Level.COSMETIC, "kx_build", "another build") in found
    assert Level.BREAKING not in {level for level, _, _ in found}
    removed = [level for level, _, what in told(study, now, before) if what == "removed"]
    assert removed == [Level.BREAKING] * 2


def test_a_build_is_compared_with_the_form_as_it_is_built_now(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    before = build_id(build(study), "pre_locals")
    build(study, ("pl: Syrians", "pl: Syrian people"))

    found = told(study, before, "pre_locals")

    assert (Level.WORDING, "empathy_1", "other words") in found
    assert {level for level, _, _ in found} == {Level.WORDING, Level.COSMETIC}


def test_another_wave_is_another_form_altogether(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    build(study)

    found = told(study, "pre_locals", "post_locals")

    assert found[0] == (Level.BREAKING, "kx_wave", "another form altogether")
    assert (Level.BREAKING, "prior_contact_1", "removed") in found
    assert (Level.ADDITION, "prog_contact_1", "new question") in found


def test_two_studies_are_compared_form_by_form(tmp_path: Path) -> None:
    old, new = write_study(tmp_path / "a"), write_study(tmp_path / "b")
    build(old)
    build(new, ("  fu: {}\n", ""), ("pl: Syrians", "pl: Syrian people"))

    compared = {each.form: each.changes for each in compare(str(old.root), str(new.root), None)}

    assert [c.what for c in compared["fu_locals"]] == ["form removed"]
    assert compared["fu_locals"][0].level is Level.BREAKING
    assert any(c.where == "empathy_1" for c in compared["pre_locals"])
    back = {each.form: each.changes for each in compare(str(new.root), str(old.root), None)}
    assert [(c.level, c.what) for c in back["fu_locals"]] == [(Level.ADDITION, "new form")]


def test_the_form_kept_with_a_build_is_never_written_over(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    kept = study.form_file(build_id(build(study), "pre_locals"))
    kept.write_bytes(b"as it was fielded")

    build(study)

    assert kept.read_bytes() == b"as it was fielded"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("nowhere.xlsx", "pre_locals", "nowhere.xlsx is no file"),
        ("pre_locals", "pre_strangers", "there is no form or build 'pre_strangers'"),
        ("kx0123456789ab", "pre_locals", "build kx0123456789ab is not kept"),
    ],
)
def test_what_is_not_there_is_told_in_words(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    study = write_study(tmp_path)
    build(study)

    with pytest.raises(UsageError, match=said):
        compare(old, new, study)


def test_a_build_without_its_study_asks_for_the_study() -> None:
    with pytest.raises(UsageError, match="--study DIR"):
        compare("pre_locals", "post_locals", None)


def test_a_study_that_was_never_built_says_what_comes_first(tmp_path: Path) -> None:
    study = write_study(tmp_path)

    with pytest.raises(StudyError, match="'kobosmix build' comes first"):
        compare(str(study.root), str(study.root), None)


def test_a_file_that_is_no_workbook_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "form.xlsx"
    file.write_text("type;name", encoding="utf-8")

    with pytest.raises(InputError) as refused:
        compare(str(file), str(file), None)

    assert [f.code for f in refused.value.findings] == ["L101"]


# What a server has


@pytest.mark.parametrize("name", NAMES)
def test_what_a_server_holds_of_a_built_form_is_the_built_form(name: str) -> None:
    for form in sample(name).forms:
        content = json.loads(json.dumps(read_content(kobo_workbook(form.form))))

        back = sheets_of_rows(form.key, sheets_of(content))

        assert changes(sheets_of_rows(form.key, form.form.sheets()), back, on_server=True) == []


def test_content_as_the_form_page_writes_it_comes_back_as_rows() -> None:
    content = {
        "translations": [None, "Français (fr)"],
        "survey": [
            {"type": "select_one_or_other", "select_from_list_name": "yn", "$autoname": "q1",
             "label": ["Well?", None], "media::image": [None, "a.png"], "required": True,
             "$kuid": "x", "$xpath": "q1"},
            {"type": "select_one_from_file", "file": "v.csv", "name": "q2", "required": False},
            {"type": "end_group", "$kuid": "/x"},
        ],
        "choices": [{"list_name": "yn", "name": "1", "label": ["Yes", "Oui"], "$autovalue": "1"}],
        "settings": {"title": "Form", "id_string": "aX", "version": "", "style": None},
    }  # fmt: skip

    assert sheets_of(content) == {
        "survey": [
            {"type": "select_one yn or_other", "label": "Well?", "name": "q1",
             "media::image::Français (fr)": "a.png", "required": "true"},
            {"type": "select_one_from_file v.csv", "name": "q2", "required": "false"},
            {"type": "end_group"},
        ],
        "choices": [{"list_name": "yn", "name": "1", "label": "Yes", "label::Français (fr)": "Oui"}],
        "settings": [{"form_title": "Form", "form_id": "aX"}],
    }  # fmt: skip


class Fielded:
    """A study deployed to a local server, and somebody at its form page."""

    def __init__(self, study: Study, server: KoboServer, page: Client) -> None:
        self.study, self.server, self.page = study, server, page

    def uid(self, key: str) -> str:
        return deployments(self.study)[key].uid

    def edit(self, key: str, edit: Any, *, redeploy: bool = False) -> None:
        """Change the content as the form page does."""
        uid = self.uid(key)
        content = self.page.asset(uid)["content"]
        edit(content)
        answer = self.page.ask("PATCH", f"/api/v2/assets/{uid}/", json={"content": content})
        assert answer.status_code == 200, answer.text
        if redeploy:
            assert self.page.redeploy(uid).status_code == 200

    def told(self, key: str) -> list[tuple[Level, str, str]]:
        compared = {each.form: each for each in compare_with_server(self.study, self.server)}
        return [(c.level, c.where, c.what) for c in compared[key].changes]

    def note(self, key: str) -> str:
        compared = {each.form: each for each in compare_with_server(self.study, self.server)}
        return compared[key].note


@pytest.fixture
def fielded(tmp_path: Path) -> Iterator[Fielded]:
    study = write_study(tmp_path / "study")
    database = tmp_path / "server.sqlite"
    with LocalServer(database) as local:
        token = create_account(database, "office")
        with Connection(local.url, token) as connection:
            server, page = KoboServer(connection), Client(local.url, token)
            prepared = build(study, FIRST_WAVE)
            deploy_study(study, plan_study_deploy(study, prepared, server))
            yield Fielded(study, server, page)
            page.session.close()


def row_named(content: Any, name: str) -> Any:
    return next(row for row in content["survey"] if row.get("name") == name)


def test_forms_nobody_touched_are_on_the_server_as_they_were_built(fielded: Fielded) -> None:
    compared = compare_with_server(fielded.study, fielded.server)

    assert [each.form for each in compared] == list(deployments(fielded.study))
    assert [each.changes for each in compared] == [(), ()]
    assert {each.note for each in compared} == {""}


def test_an_edit_on_the_form_page_is_found_and_told_for_what_it_is(fielded: Fielded) -> None:
    def edit(content: Any) -> None:
        content["survey"].remove(row_named(content, "trust_2"))
        row_named(content, "trust_1")["label"] = ["Trust them?"]
        row_named(content, "gender")["required"] = True
        labels = {
            row["name"]: row["label"]
            for row in content["choices"]
            if row["list_name"] == "gender"
        }
        one, two, *_ = labels
        for row in content["choices"]:
            if row["list_name"] == "gender" and row["name"] in (one, two):
                row["label"] = labels[two if row["name"] == one else one]

    fielded.edit("pre_locals", edit)

    found = fielded.told("pre_locals")
    assert (Level.BREAKING, "trust_2", "removed") in found
    assert (Level.BREAKING, "gender", "required otherwise") in found
    assert sum(what.endswith("means something else") for _, _, what in found) == 2
    assert (Level.WORDING, "trust_1", "other words") in found
    assert len(found) == 5
    assert fielded.told("pre_syrians") == []


def test_a_draft_on_the_server_is_told_apart_from_what_phones_get(fielded: Fielded) -> None:
    def edit(content: Any) -> None:
        row_named(content, "trust_1")["label"] = ["Trust them?"]

    fielded.edit("pre_locals", edit)
    as_draft = fielded.note("pre_locals")
    fielded.edit("pre_locals", lambda _: None, redeploy=True)

    assert "once it is deployed there" in as_draft
    assert fielded.note("pre_locals") == ""
    assert fielded.told("pre_locals") == [(Level.WORDING, "trust_1", "other words")]


def test_a_form_deleted_on_the_server_is_the_worst_that_can_be_told(fielded: Fielded) -> None:
    uid = fielded.uid("pre_locals")
    assert fielded.page.ask("DELETE", f"/api/v2/assets/{uid}/").status_code == 204

    assert fielded.told("pre_locals") == [
        (Level.BREAKING, "pre_locals", "not on the server any more")
    ]


def test_what_was_built_since_is_not_taken_for_an_edit_on_the_server(fielded: Fielded) -> None:
    build(fielded.study, FIRST_WAVE, ("pl: Syrians", "pl: Syrian people"))

    assert fielded.told("pre_locals") == []


def test_without_the_kept_form_there_is_nothing_to_compare_with(fielded: Fielded) -> None:
    fielded.study.form_file(deployments(fielded.study)["pre_locals"].build_id).unlink()

    with pytest.raises(StudyError, match="is not kept"):
        compare_with_server(fielded.study, fielded.server)


def test_a_deploy_that_is_refused_says_what_would_change(fielded: Fielded) -> None:
    uid = fielded.uid("pre_locals")
    assert fielded.page.submit(instance(uid)).status_code == 201
    prepared = build(fielded.study, FIRST_WAVE, ("concepts: [core, ", "concepts: [trust, "))

    with pytest.raises(StudyError) as refused:
        plan_study_deploy(fielded.study, prepared, fielded.server)

    said = str(refused.value)
    assert "pre_locals already has 1 submission and would get " in said
    assert "breaking changes" in said
    assert "(attitudes_1: removed; attitudes_2: removed)" in said
    assert "deploy --replace-answered" in said


# On the command line


@pytest.fixture
def office(fielded: Fielded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fielded:
    """The same, with the token where commands look for it."""
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.delenv("KOBOSMIX_TOKEN", raising=False)
    save_token(fielded.server.url, fielded.page.token)
    return fielded


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)], catch_exceptions=False)


def test_the_exit_code_says_whether_answers_can_be_pooled(office: Fielded) -> None:
    study = office.study.root
    same = run(study, "--server")
    office.edit("pre_locals", lambda c: row_named(c, "trust_1").update(label=["Trust them?"]))
    reworded = run(study, "--server", office.server.url)
    office.edit("pre_locals", lambda c: c["survey"].remove(row_named(c, "trust_2")))
    broken = run("--study", study, "--server")

    assert (same.exit_code, reworded.exit_code, broken.exit_code) == (0, 0, 1)
    assert same.output.splitlines()[-1] == "The forms are the same."
    assert "wording trust_1: other words (English (en)): " in reworded.output
    assert broken.output.index("breaking trust_2") < broken.output.index("wording trust_1")
    assert broken.output.splitlines()[-1].startswith("1 breaking change, 1 change of wording. ")


def test_a_program_gets_the_changes_as_json(office: Fielded) -> None:
    office.edit("pre_locals", lambda c: c["survey"].remove(row_named(c, "trust_2")))

    result = run(office.study.root, "--server", "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["is_breaking"] is True
    (change,) = next(form["changes"] for form in told["forms"] if form["form"] == "pre_locals")
    assert (change["level"], change["where"], change["what"]) == (
        "breaking",
        "trust_2",
        "removed",
    )


def test_two_workbooks_need_no_study(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    build(study)
    before, now = (
        study.build_folder / "pre_locals.xlsx",
        study.build_folder / "pre_syrians.xlsx",
    )

    assert run(before, before).output == "The forms are the same.\n"
    assert run(before, study.build_folder / "kobo_upload" / "pre_locals.xlsx").exit_code == 0
    assert "breaking kx_group: another form altogether" in run(before, now).output


@pytest.mark.parametrize("arguments", [(), ("a.xlsx",), ("a", "b", "--server", "http://x")])
def test_what_cannot_be_meant_is_refused_with_what_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)

    assert result.exit_code == 2
    assert "name" in result.stderr
    assert "Traceback" not in result.stderr
