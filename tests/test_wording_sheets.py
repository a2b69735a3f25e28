"""Sheets for translators: what comes back is what somebody wrote, or it is a finding."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kobosmix import content
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.findings import Finding
from kobosmix.form.codebook_workbook import codebook_workbook
from kobosmix.prepare import Prepared, prepare
from kobosmix.study import Study, open_study
from kobosmix.translate import read_sheet, take_sheet_in, write_proof, write_sheet
from kobosmix.wording.catalogue import SOURCE
from kobosmix.wording.po import Entry, read_po, write_po
from kobosmix.wording.render import Wording
from kobosmix.wording.reread import plain, unusable
from kobosmix.wording.take_in import TakenIn, template_of
from kobosmix.xlsx import read_rows
from tests.english_study import write_study

TODAY = datetime.date(2026, 6, 1)
KEY = "item.attitudes_1"
SAMPLES = ("gaziantep", "bosnia", "ecuador", "tunisia")
LOWER = ("tr: {pl: Suriyeliler, adj: Suriyeli}", "tr: {pl: iyi insanlar, adj: iyi insan}")


def sample(folder: Path, name: str, *changes: tuple[str, str]) -> Study:
    """What people wrote of a sample study, with each `(old, new)` in context.yaml replaced."""
    study, source = folder / name, content.sample_study(name)
    study.mkdir(parents=True)
    if (source / "enumerators.xlsx").exists():
        shutil.copyfile(source / "enumerators.xlsx", study / "enumerators.xlsx")
    text = (source / "context.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (study / "context.yaml").write_text(text, encoding="utf-8")
    return open_study(study)


def seen(study: Study) -> Prepared:
    return prepare(study, engines=False)


def worded(study: Study) -> Wording:
    wording = seen(study).wording
    assert wording is not None
    return wording


def said(study: Study, tag: str, group: str, about: str) -> str:
    """The sentence as the forms of this group say it today."""
    return worded(study).renderings[tag, KEY, group, about].text


def page(path: Path, edit: Callable[[Any, dict[str, int]], None]) -> None:
    """Open the sheet of sentences, as a person would, change it, and save it."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Sentences"]
    edit(sheet, {str(cell.value): number for number, cell in enumerate(sheet[1], start=1)})
    workbook.save(path)


def write(
    path: Path, value: Any, *, key: str = KEY, form: str = "", column: str = "text"
) -> int:
    """Write into the row of this sentence, a value or a `(old, new)`; the row's number."""
    found = list[int]()

    def edit(sheet: Any, columns: dict[str, int]) -> None:
        for row in range(2, sheet.max_row + 1):
            forms = str(sheet.cell(row, columns["forms"]).value).split()
            if sheet.cell(row, columns["key"]).value != key or form not in (*forms, ""):
                continue
            cell = sheet.cell(row, columns[column])
            if isinstance(value, tuple):
                assert value[0] in cell.value
                cell.value = cell.value.replace(*value)
            else:
                cell.value = value
            found.append(row)
            return

    page(path, edit)
    return found[0]


def taken(study: Study, path: Path) -> TakenIn:
    """Read the sheet and write it into the study."""
    result = read_sheet(study, path, TODAY)
    take_sheet_in(study, result, TODAY)
    return result


def files(study: Study) -> dict[str, bytes]:
    """Everything in the study's folder of translations."""
    return {p.name: p.read_bytes() for p in sorted(study.translations_folder.glob("*"))}


def refused(study: Study, path: Path) -> list[Finding]:
    """The findings of a sheet that must not be taken, and was not."""
    before = files(study)
    result = read_sheet(study, path, TODAY)
    with pytest.raises(InputError):
        take_sheet_in(study, result, TODAY)
    assert files(study) == before
    return [finding for finding in result.findings if finding.severity == "error"]


@pytest.fixture
def ecuador(tmp_path: Path) -> Study:
    """Two groups in one language: what one form corrects, the other says as well."""
    return sample(tmp_path, "ecuador")


@pytest.fixture
def turkish(tmp_path: Path) -> tuple[Study, Path]:
    """The sample study with its Turkish sheet."""
    study = sample(tmp_path, "gaziantep")
    return study, write_sheet(study, "tr")


@pytest.fixture
def lake(tmp_path: Path) -> Study:
    """A study asked in English, with a group that has a lower-case name."""
    return write_study(tmp_path / "lake")


# What comes back


@pytest.mark.parametrize("name", SAMPLES)
def test_an_unchanged_sheet_changes_nothing(tmp_path: Path, name: str) -> None:
    study = sample(tmp_path, name)
    reviews = seen(study).reviews

    for tag, review in reviews.items():
        for path in (write_sheet(study, tag, more_columns=True), write_proof(study, tag)[0]):
            page(path, lambda *_: None)
            result = taken(study, path)

            assert (result.changes, result.findings) == ((), ())
            assert len(result.given.rows) == len(review.texts)
    assert files(study) == {}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sentence_finds_its_slots_again_with_or_without_capital(
    tmp_path: Path, name: str
) -> None:
    for each in worded(sample(tmp_path, name)).renderings.values():
        assert template_of(plain(each.text), each, each.way[0]) == plain(each.template)


def test_a_correction_does_not_capitalise_the_other_groups_name(lake: Study) -> None:
    path = write_sheet(lake, SOURCE)
    write(path, ("Think", "Please think"), form="locals>syrians")

    taken(lake, path)

    assert "people who are local." in said(lake, SOURCE, "syrians", "locals")


def test_a_corrected_sentence_becomes_a_template_and_changes_the_other_groups_sentence(
    ecuador: Study,
) -> None:
    path = write_sheet(ecuador, "es-EC")
    row = write(path, ("Piense", "Por favor, piense"), form="ven>ecu")

    (change,) = taken(ecuador, path).changes

    assert (change.kind, change.row, change.also) == ("template", row, 1)
    (entry,) = read_po(ecuador.translations_folder / "es-EC.po")
    assert entry.text.startswith("Por favor, piense en las personas [group.adj_f_pl].")
    assert list(files(ecuador)) == ["es-EC.po"]
    for form, name in {("ecu", "ven"): "venezolanas", ("ven", "ecu"): "ecuatorianas"}.items():
        assert f"Por favor, piense en las personas {name}." in said(ecuador, "es-EC", *form)


def test_two_forms_that_want_different_words_each_keep_their_own(ecuador: Study) -> None:
    path = write_sheet(ecuador, "es-EC")
    write(path, ("Piense", "Imagine"), form="ven>ecu")
    write(path, ("Piense", "Recuerde"), form="ecu>ven")

    taken(ecuador, path)

    assert said(ecuador, "es-EC", "ven", "ecu").startswith("Imagine")
    assert said(ecuador, "es-EC", "ecu", "ven").startswith("Recuerde")


@pytest.mark.parametrize("text", ["Piense en sus vecinas.", "No", "12:30", "null", "a: b # c"])
def test_a_sentence_without_its_name_is_kept_whole_for_that_form(
    ecuador: Study, text: str
) -> None:
    before = said(ecuador, "es-EC", "ven", "ecu")
    path = write_sheet(ecuador, "es-EC")
    write(path, text, form="ecu>ven")

    (change,) = taken(ecuador, path).changes

    assert (change.kind, change.form, change.becomes) == ("override", ("ecu", "ven"), text)
    assert said(ecuador, "es-EC", "ecu", "ven") == text
    assert said(ecuador, "es-EC", "ven", "ecu") == before
    (override,) = worded(ecuador).overrides.values()
    assert (override.reason != "", override.by, override.on) == (True, path.name, TODAY)


def test_the_codebook_lists_the_sentences_a_form_says_in_its_own_words(ecuador: Study) -> None:
    path = write_sheet(ecuador, "es-EC")
    write(path, "Piense en sus vecinas.", form="ecu>ven")

    taken(ecuador, path)

    for built in seen(ecuador).forms:
        rows = read_rows(codebook_workbook(built.codebook), "form")
        told = [str(row[0]) for row in rows if f"changed: {KEY}" in str(row[0])]
        listed = [(a.key, a.about, a.text) for a in built.codebook.adaptations]
        if built.codebook.group == "ecu":
            assert listed == [(KEY, "ven", "Piense en sus vecinas.")]
            assert told == [f"changed: {KEY} (es-EC)"]
            assert all(a.reason for a in built.codebook.adaptations)
        else:
            assert (listed, told) == ([], [])


def test_an_overridden_sentence_can_be_corrected_again(ecuador: Study) -> None:
    for text in ("Piense en sus vecinas.", "Piense en las personas venezolanas de aquí."):
        path = write_sheet(ecuador, "es-EC")
        write(path, text, form="ecu>ven")
        taken(ecuador, path)

        assert said(ecuador, "es-EC", "ecu", "ven") == text
    assert len(worded(ecuador).overrides) == 1


def test_correcting_an_override_keeps_its_reason_and_the_comments_around_it(
    ecuador: Study,
) -> None:
    overrides = "\n".join(
        f"  # of {group}\n  - key: {KEY}\n    language: es-EC\n    group: {group}\n"
        f"    about: {about}\n    text: Piense.\n    reason: the elders asked for it\n"
        f"    by: Ana\n    on: 2026-01-01"
        for group, about in (("ecu", "ven"), ("ven", "ecu"))
    )
    ecuador.translations_folder.mkdir()
    file = ecuador.translations_folder / "overrides.yaml"
    file.write_text(f"format: 1\noverrides:\n{overrides}\n", encoding="utf-8")
    path = write_sheet(ecuador, "es-EC")
    write(path, "Piense bien.", form="ecu>ven")

    taken(ecuador, path)

    written = file.read_text(encoding="utf-8")
    assert "Piense bien." in written
    assert written.count("the elders asked for it") == 2
    assert written.count("# of ") == 2


def test_a_capital_slot_comes_back_with_the_dotted_capital_of_turkish(tmp_path: Path) -> None:
    study = sample(tmp_path, "gaziantep", LOWER)
    path = write_sheet(study, "tr")
    assert said(study, "tr", "turks", "syrians").startswith("İyi insanları düşünün.")
    write(path, ("düşünün", "lütfen düşünün"))
    write(path, ("Az da olsa", "Biraz da olsa"), key="item.prior_contact_1")

    taken(study, path)

    written = {e.key: e.text for e in read_po(study.translations_folder / "tr.po")}
    assert written[KEY].startswith("[Group.acc_pl] lütfen düşünün.")
    assert written["item.prior_contact_1"].endswith("[group.adj]?")
    assert said(study, "tr", "turks", "syrians").startswith("İyi insanları lütfen")


def test_a_name_moved_into_the_sentence_loses_its_capital(tmp_path: Path) -> None:
    study = sample(tmp_path, "gaziantep", LOWER)
    path = write_sheet(study, "tr")
    write(path, "Lütfen iyi insanları düşünün.")

    (change,) = taken(study, path).changes

    assert change.becomes == "Lütfen [group.acc_pl] düşünün."


def test_part_of_another_word_is_no_name(turkish: tuple[Study, Path]) -> None:
    study, path = turkish
    write(path, ("Suriyelileri", "Suriyelilerimizi"))

    (change,) = taken(study, path).changes

    assert change.kind == "override"


def test_rows_may_be_sorted_and_left_out(turkish: tuple[Study, Path]) -> None:
    study, path = turkish
    row_of_key = write(path, ("düşünün", "lütfen düşünün"))

    def sort(sheet: Any, _: dict[str, int]) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        kept = [rows[row_of_key - 2], *rows[row_of_key:][:30]]
        kept.sort(key=lambda row: str(row[4]))
        sheet.delete_rows(2, sheet.max_row)
        for row in kept:
            sheet.append(row)

    page(path, sort)

    result = taken(study, path)

    assert (len(result.given.rows), result.findings) == (31, ())
    assert [change.key for change in result.changes] == [KEY]


@pytest.mark.parametrize(
    ("adjudicated", "wins"),
    [
        ("Suriyelileri iyice düşünün.", "iyice"),
        (None, "bir"),
        (" ", "bir"),
    ],
)
def test_the_adjudicated_text_wins_over_the_first_where_there_is_one(
    tmp_path: Path, adjudicated: str | None, wins: str
) -> None:
    study = sample(tmp_path, "gaziantep")
    path = write_sheet(study, "tr", more_columns=True)
    write(path, "Suriyelileri bir düşünün.")
    write(path, "Suriyelileri çok düşünün.", column="second translation")
    write(path, adjudicated, column="adjudicated")

    taken(study, path)

    assert said(study, "tr", "turks", "syrians") == f"Suriyelileri {wins} düşünün."


@pytest.mark.parametrize(("name", "tag"), [("gaziantep", "ar"), ("tunisia", "ar-TN")])
def test_the_column_of_a_language_that_runs_to_the_left_runs_to_the_left(
    tmp_path: Path, name: str, tag: str
) -> None:
    sheet = openpyxl.load_workbook(write_sheet(sample(tmp_path, name), tag))["Sentences"]

    header = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        order = {h: cell.alignment.readingOrder for h, cell in zip(header, row, strict=True)}
        assert [h for h in header if order[h] == 2] == ["text"]


def test_the_cells_to_type_into_are_formatted_before_anybody_types(tmp_path: Path) -> None:
    study = sample(tmp_path, "gaziantep")
    sheet = openpyxl.load_workbook(write_sheet(study, "ar", more_columns=True))["Sentences"]
    signing = openpyxl.load_workbook(write_proof(study, "ar")[0])["Sign"]

    header = [cell.value for cell in sheet[1]]
    empty = sheet.cell(2, header.index("adjudicated") + 1)

    assert (empty.number_format, empty.alignment.readingOrder) == ("@", 2)
    assert [signing.cell(2, column).number_format for column in (3, 4, 5)] == ["@"] * 3


# What is refused


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("=A1", "formula"),
        (datetime.datetime(2026, 5, 1), "2026-05-01"),  # noqa: DTZ001
        (datetime.date(2026, 5, 1), "2026-05-01"),
        (0.5, "0.5"),
        ("[group.pl] düşünün.", "'['"),
        ("Suriyelileri ] düşünün.", "']'"),
        ("${q1}", "'$'"),
        ("a < b", "'<'"),
    ],
)
def test_a_cell_that_says_something_else_than_was_typed_stops_the_whole_import(
    turkish: tuple[Study, Path], value: Any, problem: str
) -> None:
    study, path = turkish
    row = write(path, value)
    write(path, ("düşünün", "lütfen düşünün"), key="item.attitudes_2")

    (finding,) = refused(study, path)

    assert (finding.code, finding.place.file, finding.place.line) == ("W401", path.name, row)
    assert problem in finding.problem


@pytest.mark.parametrize("character", ["\x01", "\x0b", "\x1f"])
def test_a_control_character_cannot_stand_in_a_sentence(character: str) -> None:
    assert "cannot stand in a sentence" in unusable(f"a{character}b")


@pytest.mark.parametrize(
    "value",
    [
        datetime.time(8, 30),
        datetime.timedelta(days=1),
        True,
        7,
        "#NAME?",
        "#REF!",
        # How Excel writes the control characters that people paste from Word.
        "Merhaba_x000D_ dünya",
        "Merhaba_x000B_dünya",
        "a\ufffdb",
    ],
)
def test_what_excel_made_of_a_sentence_is_not_asked_of_anybody(
    turkish: tuple[Study, Path], value: Any
) -> None:
    study, path = turkish
    row = write(path, value)

    assert [(f.code, f.place.line) for f in refused(study, path)] == [("W401", row)]


def test_a_duplicated_row_is_told_with_the_row_it_repeats(turkish: tuple[Study, Path]) -> None:
    study, path = turkish
    first, last = write(path, ("düşünün", "lütfen düşünün")), list[int]()

    def repeat(sheet: Any, _: dict[str, int]) -> None:
        sheet.append([cell.value for cell in sheet[first]])
        last.append(sheet.max_row)

    page(path, repeat)

    (finding,) = refused(study, path)

    assert (finding.code, finding.place.line) == ("W401", last[0])
    assert f"row {first}" in finding.problem


@pytest.mark.parametrize("column", ["key", "forms"])
def test_a_row_that_no_longer_says_which_sentence_it_is_is_told(
    turkish: tuple[Study, Path], column: str
) -> None:
    study, path = turkish
    write(path, ("düşünün", "lütfen düşünün"))
    row = write(path, None, column=column)

    (finding,) = refused(study, path)

    assert (finding.code, finding.place.file, finding.place.line) == ("W401", path.name, row)


@pytest.mark.parametrize("column", ["key", "forms", "was", "source", "text"])
def test_a_deleted_column_is_told(turkish: tuple[Study, Path], column: str) -> None:
    study, path = turkish
    page(path, lambda sheet, columns: sheet.delete_cols(columns[column]))

    (finding,) = refused(study, path)

    assert (finding.code, finding.place.line) == ("W401", 1)
    assert column in finding.problem


@pytest.mark.parametrize("what", ["study", "item bank"])
def test_a_sheet_of_another_study_or_bank_is_refused(
    turkish: tuple[Study, Path], what: str
) -> None:
    study, path = turkish
    write(path, ("düşünün", "lütfen düşünün"))
    workbook = openpyxl.load_workbook(path)
    for row in workbook["About"].iter_rows():
        if row[0].value == what:
            row[1].value = "another"
    workbook.save(path)

    (finding,) = refused(study, path)

    assert finding.code == "W402"
    assert "'another'" in finding.problem


def test_a_sheet_in_a_language_nobody_is_asked_in_is_refused(
    turkish: tuple[Study, Path], ecuador: Study
) -> None:
    with pytest.raises(UsageError, match="no group of this study is asked in 'tr'"):
        read_sheet(ecuador, turkish[1], TODAY)


def test_a_workbook_of_somebody_else_is_refused(
    turkish: tuple[Study, Path], tmp_path: Path
) -> None:
    path = tmp_path / "budget.xlsx"
    openpyxl.Workbook().save(path)

    with pytest.raises(StudyError, match="not a sheet that kobosmix wrote"):
        read_sheet(turkish[0], path, TODAY)


# What changed meanwhile


def test_a_row_whose_english_changed_meanwhile_is_a_conflict(
    turkish: tuple[Study, Path],
) -> None:
    study, path = turkish
    row = write(path, ("düşünün", "lütfen düşünün"))
    write(path, ("düşünün", "lütfen düşünün"), key="item.attitudes_2")
    source = worded(study).source(KEY)
    entry = Entry(key=KEY, source=source, text=source.replace("Think of", "Picture"))
    study.translations_folder.mkdir(exist_ok=True)
    write_po(study.translations_folder / "en.po", "en", [entry])

    result = taken(study, path)

    (conflict,) = result.findings
    assert (conflict.code, conflict.place.line) == ("W404", row)
    assert "Picture" in conflict.problem
    assert [change.key for change in result.changes] == ["item.attitudes_2"]
    assert "lütfen" not in said(study, "tr", "turks", "syrians")


def test_a_row_whose_translation_changed_meanwhile_is_a_conflict(
    turkish: tuple[Study, Path], tmp_path: Path
) -> None:
    study, path = turkish
    other = tmp_path / "other.xlsx"
    shutil.copyfile(path, other)
    write(path, ("düşünün", "bir düşünün"))
    row = write(other, ("düşünün", "lütfen düşünün"))

    taken(study, path)
    result = taken(study, other)

    assert [(f.code, f.place.line) for f in result.findings] == [("W404", row)]
    assert "bir düşünün" in said(study, "tr", "turks", "syrians")


def test_a_sheet_taken_in_twice_changes_nothing_the_second_time(
    turkish: tuple[Study, Path],
) -> None:
    study, path = turkish
    write(path, ("düşünün", "lütfen düşünün"))
    write(path, "Nasıl?", key="item.attitudes_2")
    taken(study, path)
    before = files(study)

    again = taken(study, path)

    assert (again.changes, again.findings) == ((), ())
    assert files(study) == before


def test_an_english_sheet_taken_in_twice_changes_nothing_the_second_time(lake: Study) -> None:
    path = write_sheet(lake, SOURCE)
    write(path, ("Think", "Please think"))
    taken(lake, path)

    assert taken(lake, path).findings == ()


def test_an_english_sentence_can_be_corrected_twice(lake: Study) -> None:
    for change in (("Think", "Please think"), ("Please", "Do")):
        path = write_sheet(lake, SOURCE)
        write(path, change)
        taken(lake, path)

    assert [f for f in seen(lake).findings if f.code == "W103"] == []


def test_a_sentence_with_a_count_is_not_kept_whole(turkish: tuple[Study, Path]) -> None:
    study, path = turkish
    write(path, "Birinci bölüm", key="text.block_part")

    taken(study, path)

    survey = seen(study).forms[0].form.sheets()["survey"]
    assert sum("Birinci bölüm" in str(row) for row in survey) <= 1


def test_a_change_counts_the_sentences_of_the_languages_that_follow(tmp_path: Path) -> None:
    """The Serbian in Latin letters takes its sentences from the Serbian in Cyrillic."""
    study = sample(tmp_path, "bosnia")
    path = write_sheet(study, "sr-BA")
    write(path, ("Помислите", "Сад помислите"))

    (change,) = taken(study, path).changes

    changed = [
        each
        for way, each in worded(study).renderings.items()
        if way[1] == KEY and each.text.startswith(("Сад ", "Sad "))
    ]
    assert change.also == len(changed) - 1
