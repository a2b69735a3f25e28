"""EXERCISE and PRETEST: the same questions, and nobody takes them for the field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kobosmix.engines.xform import convert_rows
from kobosmix.form import for_practice
from kobosmix.match.model import Bucket
from kobosmix.server.deploy import plan_deploy
from kobosmix.xlsform.diff import changes
from kobosmix.xlsform.model import sheets_of_rows
from tests.answers import Scenario, codebook, constants
from tests.english_study import built
from tests.kobo_double import kobo_double
from tests.test_deploy import a_form, acts, deploy


@pytest.mark.parametrize(
    ("purpose", "mark"), [("training", "EXERCISE"), ("pretest", "PRETEST")]
)
def test_a_form_for_practice_asks_the_same_under_a_title_that_says_what_it_is(
    tmp_path: Path, purpose: str, mark: str
) -> None:
    form = built(tmp_path).form

    practice = for_practice(form, purpose)

    settings = practice.settings[0]
    assert settings["form_title"].startswith(f"{mark} – ")
    assert settings["instance_name"].startswith(f"concat('{mark} ', ")
    assert settings["version"] == form.settings[0]["version"], "the build id stays"
    found = changes(
        sheets_of_rows("field", form.sheets()), sheets_of_rows(purpose, practice.sheets())
    )
    assert {change.where for change in found} == {"kx_purpose", "about_purpose", "settings"}
    xml = convert_rows(practice.sheets()).xml
    assert f"'{purpose}'" in xml
    assert f">{mark}<" in xml


def test_the_mark_is_the_first_thing_on_the_first_screen(tmp_path: Path) -> None:
    survey = for_practice(built(tmp_path).form, "training").survey
    first = next(i for i, row in enumerate(survey) if row["type"] == "begin_group")

    assert survey[first + 1]["name"] == "about_purpose"
    assert sum(row.get("name") == "about_purpose" for row in survey) == 1


def test_what_was_sent_for_practice_is_a_test_wherever_it_comes_from() -> None:
    study = Scenario()
    study.person("ana")
    good = study.answers("ana")
    book = codebook("local", "pre")
    for purpose in ("training", "pretest"):
        study.send({**constants(book), "kx_purpose": purpose})

    matched = study.matched()

    assert [(e.key == good, e.bucket) for e in matched.entries if e.bucket is Bucket.TEST] == [
        (False, Bucket.TEST),
        (False, Bucket.TEST),
    ]
    assert len(matched.interviews) == 1


def test_field_and_practice_are_never_taken_for_each_other() -> None:
    field = a_form("turks")
    workbook = field.workbook.replace(b'"kx_wave"', b'"kx_purpose": "training", "kx_wave"')
    training = replace(field, purpose="training", workbook=workbook)
    with kobo_double() as (double, server):
        deploy(server, [field], {})

        assert acts(deploy(server, [training], {}))[0] == "create"

        assert len(double.projects) == 2
        assert plan_deploy(server, [field], {}).forms[0].uid == "a0"
        assert plan_deploy(server, [training], {}).forms[0].uid == "a1"
