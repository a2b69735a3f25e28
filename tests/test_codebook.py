from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kobosmix.codebook import MISSING_CODES, Missing, Role, read_codebook, write_codebook
from kobosmix.errors import StudyError
from kobosmix.form import codebook_workbook
from kobosmix.xlsx import read_rows, sheet_names
from tests.english_study import built, changed

EVERYTHING = changed(
    ("prior_contact,", "prior_contact, nationality, responsibility, ethnicity, language,"),
    ("minors: exclude", "minors: include"),
)


def test_a_codebook_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    codebook = built(tmp_path, EVERYTHING).codebook
    assert any(variable.asked_if for variable in codebook.variables)
    assert any(concept.facets for concept in codebook.concepts)

    write_codebook(tmp_path / "codebook.json", codebook)

    assert read_codebook(tmp_path / "codebook.json") == codebook


def test_missing_codes_are_one_block_that_spss_can_declare_as_a_range() -> None:
    assert set(MISSING_CODES) == set(Missing)
    assert sorted(MISSING_CODES.values()) == [-99, -98, -97, -96, -95]


def test_a_newer_codebook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "codebook.json"
    write_codebook(path, built(tmp_path).codebook)
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**content, "format": 2}), encoding="utf-8")

    with pytest.raises(StudyError, match="newer kobosmix; update"):
        read_codebook(path)


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "[]", "7", '{"format": 1}', '{"format": 1, "variables": 3}'],
)
def test_a_damaged_codebook_is_a_sentence_and_no_traceback(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "codebook.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(StudyError, match="cannot be read; run kobosmix build"):
        read_codebook(path)


def test_a_codebook_with_a_role_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "codebook.json"
    write_codebook(path, built(tmp_path).codebook)
    path.write_text(path.read_text("utf-8").replace('"staff"', '"crew"'), encoding="utf-8")

    with pytest.raises(StudyError, match="cannot be read"):
        read_codebook(path)


def test_an_option_is_found_by_its_code_and_a_variable_by_its_name(tmp_path: Path) -> None:
    codebook = built(tmp_path).codebook
    trust = codebook.variable("trust_1")

    refused = trust.option("99")
    assert refused is not None
    assert refused.missing is Missing.REFUSED
    assert trust.option("6") is None
    with pytest.raises(KeyError):
        codebook.variable("trust_9")


def test_items_are_what_was_asked_beyond_the_verification_keys(tmp_path: Path) -> None:
    codebook = built(tmp_path).codebook

    names = [variable.name for variable in codebook.items()]
    assert names[:2] == ["attitudes_1", "attitudes_2"]
    assert not {"gender", "birth_year", "age", "consent", "site"} & set(names)
    assert {variable.role for variable in codebook.items()} == {Role.ITEM}


def test_the_workbook_tells_every_variable_and_every_answer(tmp_path: Path) -> None:
    codebook = built(tmp_path, EVERYTHING).codebook
    book = codebook_workbook(codebook)

    assert sheet_names(book) == ["form", "variables", "answers"]
    header, *rows = read_rows(book, "variables")
    assert [row[0] for row in rows] == [variable.name for variable in codebook.variables]
    by_name = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert by_name["trust_1"]["words (en)"] == codebook.variable("trust_1").labels["en"]
    assert by_name["nationality_1b"]["asked if"] == "consent_ok is 1 and nationality_1a is 0"
    answers = read_rows(book, "answers")
    assert ["agree", "5", "agree strongly", "agree strongly", None] in answers
    unsure = next(row for row in answers if row[:2] == ["agree", "98"])
    assert unsure[:3] == [
        "agree",
        "98",
        "Does not know (do not read)",
    ]


def test_the_workbook_says_whose_wording_was_fielded(tmp_path: Path) -> None:
    codebook = built(tmp_path).codebook
    said = [
        next(
            row[1] for row in read_rows(codebook_workbook(each), "form") if row[0] == "wording"
        )
        for each in (codebook, replace(codebook, wording="published"))
    ]

    assert "kobosmix's own" in str(said[0])
    assert "published English wording of Tropp and Morhayim" in str(said[1])
