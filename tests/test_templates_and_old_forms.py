"""Sheets with slots for people who build catalogues, old forms laid beside, recording scripts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook

from kobosmix import content
from kobosmix.cli.main import main
from kobosmix.prepare import prepare
from kobosmix.study import Study, open_study
from kobosmix.wording.po import read_po
from kobosmix.xlsx import read_rows, records


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A copy of the sample in Tunisia: Arabic adapted, and French."""
    source = content.sample_study("tunisia")
    for name in ("context.yaml", "enumerators.xlsx"):
        shutil.copyfile(source / name, tmp_path / name)
    return open_study(tmp_path)


def wording(study: Study, *words: str) -> Result:
    return CliRunner().invoke(main, ["wording", *words, "--study", str(study.root)])


def changed(
    path: Path, page: str, row_of: Callable[[dict[str, Any]], bool], **cells: str
) -> None:
    """Change cells of the first row that is meant, as a person does in Excel."""
    workbook = load_workbook(path)
    sheet = workbook[page]
    header = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row_of({str(h): cell.value for h, cell in zip(header, row, strict=True)}):
            for name, value in cells.items():
                row[header.index(name)].value = value
            break
    workbook.save(path)


def test_a_template_and_a_name_form_are_taken_where_they_belong(study: Study) -> None:
    assert wording(study, "sheet", "fr", "--templates").exit_code == 0
    path = study.wording_folder / "templates_fr.xlsx"
    before = study.context_file.read_text("utf-8")
    sentence = "Les personnes [group.adj_f_pl] méritent ma confiance."
    changed(path, "Templates", lambda row: row["key"] == "item.trust_2", text=sentence)
    changed(path, "Names", lambda row: row["form"] == "adj_f_pl", value="du Soudan")

    said = wording(study, "import", str(path), "--yes")

    assert said.exit_code == 0, said.output
    (entry,) = read_po(study.translations_folder / "fr.po")
    assert (entry.key, entry.text) == ("item.trust_2", sentence)
    assert "adj_f_pl: du Soudan" in study.context_file.read_text("utf-8")
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert all(line in study.context_file.read_text("utf-8") for line in comments)
    texts = {t.text for t in prepare(study, engines=False).reviews["fr"].texts}
    assert "Les personnes du Soudan méritent ma confiance." in texts


@pytest.mark.parametrize(
    ("page", "column", "value", "problem"),
    [
        ("Templates", "text", "Elles méritent confiance.", "the slots: group"),
        ("Templates", "text", "Les [group.datif].", "no form 'datif'"),
        ("Templates", "text", "=A1", "a formula"),
        ("Names", "value", "[country.in]", "the character '['"),
    ],
)
def test_a_template_that_cannot_be_used_stops_the_import(
    study: Study, page: str, column: str, value: str, problem: str
) -> None:
    wording(study, "sheet", "fr", "--templates")
    path = study.wording_folder / "templates_fr.xlsx"
    before = study.context_file.read_bytes()
    changed(
        path,
        page,
        lambda row: row.get("key", "item.trust_2") == "item.trust_2",
        **{column: value},
    )

    said = wording(study, "import", str(path), "--yes")

    assert said.exit_code == 1
    assert problem in said.output
    assert "templates_fr.xlsx:" in said.output
    assert study.context_file.read_bytes() == before
    assert not study.translations_folder.exists()


def test_an_unchanged_sheet_of_templates_changes_nothing(study: Study) -> None:
    wording(study, "sheet", "ar-TN", "--templates")

    said = wording(study, "import", str(study.wording_folder / "templates_ar-TN.xlsx"), "--yes")

    assert "Nothing has changed" in said.output


def test_the_names_page_says_what_to_ask_and_where_each_form_stands(study: Study) -> None:
    wording(study, "sheet", "fr", "--templates")

    rows = records(read_rows(study.wording_folder / "templates_fr.xlsx", "Names"))

    asked = {(row["who"], row["form"]): row for row in rows}
    name = asked["sdn", "adj_f_pl"]
    assert name["state"] == "suggested by kobosmix"
    assert "___" in str(name["fill the gap"])
    assert str(name["where"]).count("soudanaises") > 5


def old_form(folder: Path) -> Path:
    workbook = Workbook()
    survey = workbook.active
    assert survey is not None
    survey.title = "survey"
    survey.append(["type", "name", "label::English (en)", "label::Français (fr)"])
    survey.append(["select_one a", "trust_2", "We asked it so", "Ils méritent confiance."])
    survey.append(["select_one a", "q7", "Do you agree to take part?", "Vous participez ?"])
    survey.append(["select_one a", "q8", "Something else", "Autre chose"])
    workbook.create_sheet("choices").append(["list_name", "name", "label::Français (fr)"])
    path = folder / "old.xlsx"
    workbook.save(path)
    return path


def test_an_old_form_is_laid_beside_and_only_what_is_marked_is_taken(study: Study) -> None:
    said = wording(study, "import", "--from-form", str(old_form(study.root)))

    assert said.exit_code == 0, said.output
    path = study.wording_folder / "from_form_fr.xlsx"
    rows = records(read_rows(path, "Sentences"))
    assert {row["key"]: row["from the form"] for row in rows} == {
        "item.trust_2": "Ils méritent confiance.",
        "text.consent": "Vous participez ?",
    }
    assert not study.translations_folder.exists()
    changed(path, "Sentences", lambda row: row["key"] == "text.consent", take="yes")
    assert wording(study, "import", str(path), "--yes").exit_code == 0
    texts = {t.key: t.text for t in prepare(study, engines=False).reviews["fr"].texts}
    assert texts["text.consent"] == "Vous participez ?"
    assert texts["item.trust_2"] != "Ils méritent confiance."


def test_an_old_form_without_the_language_says_which_it_has(study: Study) -> None:
    path = old_form(study.root)
    workbook = load_workbook(path)
    for page in workbook:
        for cell in page[1]:
            cell.value = str(cell.value).replace("Français (fr)", "Wolof (wo)")
    workbook.save(path)

    said = wording(study, "import", "--from-form", str(path))

    assert said.exit_code != 0
    assert "label::Wolof (wo)" in said.output


def test_a_recording_script_has_every_sentence_a_respondent_hears(study: Study) -> None:
    assert wording(study, "sheet", "ar-TN", "--recording").exit_code == 0

    rows = records(read_rows(study.wording_folder / "recording_ar-TN.xlsx"))

    heard = prepare(study, engines=False).reviews["ar-TN"].texts
    items = [text for text in heard if text.key.startswith(("item.", "scale.agree"))]
    assert {text.text for text in items} <= {str(row["say"]) for row in rows}
    assert len({row["file"] for row in rows}) == len(rows)
    staff = next(text.text for text in heard if text.key == "text.rid_scan")
    assert staff not in {row["say"] for row in rows}


def test_a_language_without_text_gets_a_script_to_be_filled_by_speakers(study: Study) -> None:
    text = study.context_file.read_text("utf-8")
    text = text.replace("  fr: use\n", "  fr: use\n  shk: preparing\n", 1)
    text = text.replace("languages: [ar-TN]", "languages: [ar-TN, shk]", 1)
    study.context_file.write_text(text, "utf-8")

    said = wording(study, "sheet", "shk", "--recording")

    assert said.exit_code == 0, said.output
    rows = records(read_rows(study.wording_folder / "recording_shk.xlsx"))
    assert len(rows) > 100
    assert {row["say"] for row in rows} == {None}
    assert all(row["English"] for row in rows)


def test_concepts_of_a_study_are_browsed_with_the_banks(study: Study) -> None:
    folder = study.items_folder / "concepts"
    folder.mkdir(parents=True)
    (folder / "tea.yaml").write_text(
        "concepts:\n  - {id: own_tea, section: own, title: Tea, score_name: Tea, measures: Tea.,\n"
        "     direction: none, items: [{id: own_tea_1, text: Do you drink tea?, scale: yes_no}]}\n",
        "utf-8",
    )

    plain = CliRunner().invoke(main, ["concepts", "--json"])
    own = CliRunner().invoke(main, ["concepts", "--json", "--study", str(study.root)])

    ids = [{each["id"] for each in json.loads(run.stdout)} for run in (plain, own)]
    assert ids[1] - ids[0] == {"own_tea"}
