"""The sample study's forms, as they lie in the repository, are what its files make today.

Run with KOBOSMIX_UPDATE_SAMPLE=1 to write them anew; a person reads the difference.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from kobosmix import content
from kobosmix.bank import read_bank
from kobosmix.prepare import prepare, write_build
from kobosmix.study import Study, open_study
from kobosmix.wording import read_catalogue
from kobosmix.xlsx import read_rows, sheet_names

SAMPLE = Path(__file__).parent.parent / "sample_forms" / "gaziantep"


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample built anew from its context and its list of enumerators."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("context.yaml", "enumerators.xlsx"):
        shutil.copyfile(SAMPLE / name, folder / name)
    write_build(prepare(open_study(folder), engines=False))
    if os.environ.get("KOBOSMIX_UPDATE_SAMPLE"):
        shutil.rmtree(SAMPLE / "build", ignore_errors=True)
        shutil.copytree(folder / "build", SAMPLE / "build")
    return folder / "build"


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_committed_forms_are_those_the_files_make(rebuilt: Path) -> None:
    committed = SAMPLE / "build"

    assert files(committed) == files(rebuilt)
    for name in files(rebuilt):
        if name.endswith(".xlsx"):
            assert parts(committed / name) == parts(rebuilt / name), name
        elif name != "manifest.json":
            assert (committed / name).read_bytes() == (rebuilt / name).read_bytes(), name


def parts(workbook: Path) -> dict[str, bytes]:
    """What is in the workbook; how it is compressed differs between builds of zlib."""
    with ZipFile(workbook) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_no_cell_of_the_sample_is_left_untranslated(rebuilt: Path) -> None:
    for key, suffix in {"pre_turks": "Türkçe (tr)", "pre_syrians": "العربية (ar)"}.items():
        assert sheet_names(rebuilt / f"{key}.xlsx") == ["survey", "choices", "settings"]
        header, *rows = read_rows(rebuilt / f"{key}.xlsx", "survey")
        label = header.index(f"label::{suffix}")
        kind = header.index("type")
        asked = [row for row in rows if str(row[kind]).startswith(("select", "note", "text"))]
        assert len(asked) > 40
        assert all(row[label] for row in asked)
        assert "⟦" not in str(rows)


def test_the_drafts_translate_the_whole_bank() -> None:
    bank = read_bank(content.item_templates())

    for tag in ("tr", "ar"):
        catalogue, findings = read_catalogue(content.translations(), tag)
        assert findings == []
        assert [k for k in bank.sentences if not catalogue.messages[k].text] == []
        assert set(catalogue.messages) == set(bank.sentences)


def test_the_catalogues_come_back_byte_for_byte() -> None:
    import polib

    for path in sorted(content.translations().glob("*.po")):
        assert str(polib.pofile(str(path), wrapwidth=0)) == path.read_text(encoding="utf-8")


def test_the_sample_study_has_no_errors() -> None:
    findings = prepare(Study(SAMPLE), engines=False).findings

    assert [str(finding) for finding in findings if finding.severity == "error"] == []
