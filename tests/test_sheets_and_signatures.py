"""Sheets go out and come back; what a reader signed stays signed until it changes."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from kobosmix import content
from kobosmix.cli.main import main
from kobosmix.codebook import Adaptation, Codebook
from kobosmix.errors import InputError, StudyError
from kobosmix.prepare import prepare
from kobosmix.study import Study, open_study
from kobosmix.translate import read_sheet, take_sheet_in, write_proof, write_sheet
from kobosmix.wording.review import Purpose

TODAY = datetime.date(2026, 11, 24)
Edit = Callable[[Any, dict[str, int], int], None]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A copy of the sample in Bosnia, where each group is asked about two others."""
    source = content.sample_study("bosnia")
    for name in ("context.yaml", "enumerators.xlsx"):
        shutil.copyfile(source / name, tmp_path / name)
    return open_study(tmp_path)


def edited(path: Path, key: str, edit: Edit, *, first_only: bool = True) -> Path:
    """The workbook after a person has changed the row, or rows, of one sentence."""
    workbook = load_workbook(path)
    page = workbook["Sentences"]
    columns = {str(cell.value): cell.column or 0 for cell in page[1]}
    rows = [r for r in range(2, page.max_row + 1) if page.cell(r, columns["key"]).value == key]
    for row in rows[: 1 if first_only else None]:
        edit(page, columns, row)
    workbook.save(path)
    return path


def writes(text: object) -> Edit:
    def edit(page: Any, columns: dict[str, int], row: int) -> None:
        page.cell(row, columns["text"]).value = text

    return edit


def appends(more: str) -> Edit:
    def edit(page: Any, columns: dict[str, int], row: int) -> None:
        cell = page.cell(row, columns["text"])
        cell.value = str(cell.value).rstrip(".") + more

    return edit


def signed(path: Path, *parts: str) -> Path:
    workbook = load_workbook(path)
    page = workbook["Sign"]
    for row in (2, 3):
        if page.cell(row, 1).value in parts:
            page.cell(row, 3).value, page.cell(row, 5).value = "Ana Primjer", "2026-11-20"
    workbook.save(path)
    return path


def said(study: Study, key: str, tag: str = "hr") -> set[str]:
    review = prepare(study, engines=False).reviews[tag]
    return {text.text for text in review.texts if text.key == key}


@pytest.mark.parametrize("tag", ["bs", "hr", "sr-BA", "sr-Latn-BA"])
def test_an_unchanged_sheet_changes_nothing(study: Study, tag: str) -> None:
    taken = read_sheet(study, write_sheet(study, tag), TODAY)

    assert (taken.changes, taken.findings) == ((), ())


def test_a_corrected_sentence_is_a_template_again_and_holds_for_every_group(
    study: Study,
) -> None:
    path = edited(write_sheet(study, "hr"), "item.trust_2", appends(", mislim."))

    taken = read_sheet(study, path, TODAY)
    take_sheet_in(study, taken, TODAY)

    (change,) = taken.changes
    assert (change.kind, change.also) == ("template", 1)
    assert "[group.gen_pl]" in change.becomes.lower()
    assert said(study, "item.trust_2") == {
        "Većina Bošnjaka zaslužuje povjerenje, mislim.",
        "Većina Srba zaslužuje povjerenje, mislim.",
    }


def test_a_sentence_without_the_name_is_kept_for_its_form_only_and_the_codebook_says_so(
    study: Study,
) -> None:
    path = edited(write_sheet(study, "hr"), "item.trust_2", writes("Vjerujem im."))

    taken = read_sheet(study, path, TODAY)
    take_sheet_in(study, taken, TODAY)

    assert [change.kind for change in taken.changes] == ["override"]
    assert said(study, "item.trust_2") == {"Vjerujem im.", "Većina Srba zaslužuje povjerenje."}
    codebooks = {f.key: f.codebook for f in prepare(study, engines=False).forms}
    (adaptation,) = worded_otherwise(codebooks["pre_hrv"])
    assert (adaptation.key, adaptation.about) == ("item.trust_2", "bos")
    assert adaptation.reason
    assert worded_otherwise(codebooks["pre_bos"]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("=A1&B1", "a formula"),
        (datetime.datetime(2026, 5, 1), "Excel has made"),  # noqa: DTZ001
        (1.5, "Excel has made"),
        ("Većina [group.pl]", "the character '['"),
        ("Većina ${x}", "the character '$'"),
    ],
)
def test_a_row_that_cannot_be_read_stops_the_whole_import(
    study: Study, text: object, problem: str
) -> None:
    path = edited(write_sheet(study, "hr"), "item.trust_2", writes(text))
    edited(path, "item.trust_3", appends(", mislim."))

    taken = read_sheet(study, path, TODAY)

    (fault,) = [f for f in taken.findings if f.code == "W401"]
    assert problem in fault.problem
    assert fault.place.file == "sheet_hr.xlsx"
    assert fault.place.line > 1
    with pytest.raises(InputError):
        take_sheet_in(study, taken, TODAY)
    assert not study.translations_folder.exists()


def test_a_sheet_of_another_study_is_refused(study: Study) -> None:
    path = write_sheet(study, "hr")
    text = study.context_file.read_text("utf-8").replace("bosna_2026", "bosna_2027")
    study.context_file.write_text(text, "utf-8")

    assert [f.code for f in read_sheet(study, path, TODAY).findings] == ["W402"]


def test_a_row_whose_english_changed_is_told_and_not_taken(study: Study) -> None:
    path = edited(write_sheet(study, "hr"), "item.trust_2", appends(", mislim."))
    study.translations_folder.mkdir()
    (study.translations_folder / "en.po").write_text(
        'msgid ""\nmsgstr ""\n\nmsgctxt "item.trust_2"\n'
        'msgid "Most [group.pl] are people who deserve trust."\n'
        'msgstr "Nearly all [group.pl] deserve trust."\n',
        "utf-8",
    )

    taken = read_sheet(study, path, TODAY)

    assert [f.code for f in taken.findings] == ["W404"]
    assert taken.changes == ()


def test_a_signature_covers_every_sentence_until_it_changes(study: Study) -> None:
    path, _ = write_proof(study, "hr")
    take_sheet_in(study, read_sheet(study, signed(path, "questions"), TODAY), TODAY)
    half = prepare(study, engines=False).reviews["hr"]
    take_sheet_in(study, read_sheet(study, signed(path, "questions", "consent"), TODAY), TODAY)

    whole = prepare(study, engines=False).reviews["hr"]
    names = study.context_file.read_text("utf-8").replace(
        "use: serbs",
        "use: serbs\n    names: {hr: {pl: Srbi, acc_pl: Srbe, dat_pl: Srbima, gen_pl: Srbâ}}",
    )
    study.context_file.write_text(names, "utf-8")
    after = prepare(study, engines=False).reviews["hr"]

    assert {t.part for t in half.texts if t.state == "draft"} == {"consent"}
    assert whole.unsigned() == 0
    reopened = [text for text in after.texts if text.state == "stale"]
    assert reopened
    assert all("Srbâ" in text.text for text in reopened)
    assert after.count(after.texts[0].state) < len(after.texts)


def test_unsigned_wording_goes_to_a_local_server_only(study: Study) -> None:
    drafts = prepare(study, engines=False)

    drafts.require_signed(Purpose.LOCAL)
    drafts.require_signed(Purpose.TRAINING)
    for purpose in (Purpose.PRETEST, Purpose.FIELD):
        with pytest.raises(StudyError, match="not signed"):
            drafts.require_signed(purpose)
    assert all(f.codebook.title.startswith(("NACRT: ", "НАЦРТ: ")) for f in drafts.forms)


def test_the_one_exception_never_covers_consent(study: Study) -> None:
    told = "unsigned_wording: {by: Ana Primjer, reason: Vrijeme}\n"
    study.context_file.write_text(study.context_file.read_text("utf-8") + told, "utf-8")
    with pytest.raises(StudyError, match="consent"):
        prepare(study, engines=False).require_signed(Purpose.FIELD)
    for tag in ("bs", "hr", "sr-BA", "sr-Latn-BA"):
        path, _ = write_proof(study, tag)
        take_sheet_in(study, read_sheet(study, signed(path, "consent"), TODAY), TODAY)

    excepted = prepare(study, engines=False)

    excepted.require_signed(Purpose.FIELD)
    form = excepted.forms[0]
    assert form.codebook.exception == "Ana Primjer: Vrijeme"
    assert not form.codebook.title.startswith(("NACRT", "НАЦРТ"))
    notice = next(row for row in form.form.survey if row.get("name") == "about_review")
    assert "Ana Primjer" in str(notice)


def test_a_damaged_record_of_signatures_signs_nothing(study: Study) -> None:
    study.translations_folder.mkdir()
    (study.translations_folder / "signatures.json").write_text("{", "utf-8")

    assert "W109" in {f.code for f in prepare(study, engines=False).findings}


def test_status_counts_every_sentence_once(study: Study) -> None:
    run = CliRunner().invoke(main, ["wording", "status", "--study", str(study.root), "--json"])

    languages = json.loads(run.stdout)["languages"]
    assert {each["tag"] for each in languages} == {"bs", "hr", "sr-BA", "sr-Latn-BA"}
    for each in languages:
        states = ("missing", "draft", "signed", "stale")
        assert sum(each[state] for state in states) == each["texts"] > 0


def worded_otherwise(codebook: Codebook) -> list[Adaptation]:
    """The sentences of a form in other words; what kobosmix itself does otherwise is left out."""
    return [each for each in codebook.adaptations if each.by != "kobosmix"]
