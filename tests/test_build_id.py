"""One build id for what respondents are asked, whoever asks and whoever is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobosmix.build import write_build
from kobosmix.form import kobo_workbook
from kobosmix.prepare import prepare
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, workbook_bytes
from tests.english_study import CONTEXT, ENUMERATORS, built, changed, write_study


def build_id(folder: Path, text: str = CONTEXT) -> str:
    return built(folder, text).codebook.build_id


def test_other_enumerators_change_neither_form_nor_build_id(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    before = prepare(study, engines=False)
    rows = [*ENUMERATORS, ("en03", "Zoe", "", "f", "en", "no")]
    study.enumerators_file.write_bytes(workbook_bytes([Sheet(title="a", rows=rows)]))

    after = prepare(study, engines=False)

    assert b"Zoe" in after.media()["enumerators.csv"]
    assert [f.codebook for f in after.forms] == [f.codebook for f in before.forms]
    assert [kobo_workbook(f.form) for f in after.forms] == [
        kobo_workbook(f.form) for f in before.forms
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("pl: Syrians", "pl: Syrian people"),
        ("minutes: 90", "minutes: 91"),
        ("age_of_consent: 18", "age_of_consent: 16"),
        ("minors: exclude", "minors: include"),
        ("mode: interview", "mode: self_administered"),
        ("own_group: community", "own_group: name"),
        ("{en: North shore}", "{en: Northern shore}"),
        ("prior_contact,", "prior_contact, belonging,"),
        ("study: lake_2026", "study: lake_2027"),
    ],
)
def test_whatever_changes_what_is_asked_changes_the_build_id(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    assert build_id(tmp_path / "a") != build_id(tmp_path / "b", changed(change))


@pytest.mark.parametrize(
    "change",
    [
        ("  programme: Cooks along", "  programme: Starts at once"),
        ("opens: 2026-02-02", "opens: 2026-02-03"),
        ("mode: interview", "# a comment\nmode: interview"),
        ("sites:", "partners: {house: Neighbourhood house}\nsites:"),
        ("    role: newcomer", "    role: neither"),
    ],
)
def test_what_no_respondent_of_the_form_meets_leaves_the_build_id_alone(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    assert build_id(tmp_path / "a") == build_id(tmp_path / "b", changed(change))


def test_no_two_forms_of_a_study_share_a_build_id(tmp_path: Path) -> None:
    forms = prepare(write_study(tmp_path), engines=False).forms

    assert len({form.codebook.build_id for form in forms}) == len(forms) == 6


def test_building_twice_gives_the_same_files_byte_for_byte(tmp_path: Path) -> None:
    written = [_built_files(write_study(tmp_path / name)) for name in ("a", "b")]

    assert written[0] == written[1]
    assert "pre_locals.xlsx" in written[0]
    assert "kobo_upload/pre_locals.xlsx" in written[0]


def test_a_codebook_once_built_is_never_written_over(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    form = prepare(study, engines=False).forms[0]
    kept = study.codebook_file(form.codebook.build_id)
    _built_files(study)
    kept.write_text("as it was fielded", encoding="utf-8")

    _built_files(study)

    assert kept.read_text("utf-8") == "as it was fielded"


def test_the_build_id_travels_in_the_form(tmp_path: Path) -> None:
    form = built(tmp_path)

    (hidden,) = [row for row in form.form.survey if row.get("name") == "kx_build"]
    assert hidden["calculation"] == f"'{form.codebook.build_id}'"
    assert form.form.settings[0]["version"] == form.codebook.build_id


def _built_files(study: Study) -> dict[str, bytes]:
    write_build(prepare(study, engines=False))
    folder = study.build_folder
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
