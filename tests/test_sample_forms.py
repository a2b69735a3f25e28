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
from kobosmix.build import write_build
from kobosmix.prepare import prepare
from kobosmix.study import Study, open_study
from kobosmix.translate import write_proof
from kobosmix.wording import read_catalogue
from kobosmix.wording.po import read_po
from kobosmix.xlsx import read_rows, sheet_names

SAMPLES = Path(__file__).parent.parent / "sample_forms"
SAMPLE = SAMPLES / "gaziantep"
# No machine writes these languages: their catalogues are for speakers to fill.
EMPTY = ("din", "pga", "prs", "rhg", "shk")
WRITTEN = ("build", "wording")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The samples, each built anew from what people wrote, with a proof of each language."""
    return {
        sample.name: remade(sample, tmp_path_factory.mktemp(sample.name))
        for sample in sorted(SAMPLES.iterdir())
        if sample.is_dir()
    }


def remade(sample: Path, folder: Path) -> Path:
    for path in (sample / "context.yaml", sample / "enumerators.xlsx"):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
    prepared = prepare(open_study(folder), engines=False)
    write_build(prepared)
    # Three megabytes for each study, and made in a moment.
    (folder / "build" / "preview.html").unlink()
    if sample.name != SAMPLE.name:
        # What goes on paper is shown once, in two directions.
        shutil.rmtree(folder / "build" / "print")
    for tag in prepared.sound().languages:
        write_proof(open_study(folder), tag)
    if os.environ.get("KOBOSMIX_UPDATE_SAMPLE"):
        for name in WRITTEN:
            shutil.rmtree(sample / name, ignore_errors=True)
            shutil.copytree(folder / name, sample / name)
    return folder


@pytest.fixture(scope="module")
def rebuilt(studies: dict[str, Path]) -> Path:
    """The forms of the first sample."""
    return studies["gaziantep"] / "build"


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("sample", ["gaziantep", "bosnia", "ecuador", "tunisia"])
@pytest.mark.parametrize("folder", WRITTEN)
def test_the_committed_files_are_those_the_study_makes(
    studies: dict[str, Path], sample: str, folder: str
) -> None:
    committed, made = SAMPLES / sample / folder, studies[sample] / folder

    assert files(committed) == files(made)
    for name in files(made):
        if name.endswith(".xlsx"):
            assert parts(committed / name) == parts(made / name), name
        elif name != "manifest.json":
            assert (committed / name).read_bytes() == (made / name).read_bytes(), name


def test_no_preview_is_committed() -> None:
    assert list(SAMPLES.rglob("preview.html")) == []


def test_every_language_with_a_catalogue_is_in_a_sample_or_listed_here() -> None:
    """A language nobody has seen in a form is no language we know to work."""
    used = {tag for s in SAMPLES.iterdir() for tag in prepare(Study(s), engines=False).reviews}

    assert {"tr", "ar", "bs", "hr", "sr-BA", "sr-Latn-BA", "es-EC", "ar-TN", "fr"} <= used


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

    for tag in sorted(bank.languages.keys() - {"en", *EMPTY}):
        catalogue, findings = read_catalogue([content.translations()], bank, tag)
        assert findings == []
        assert [k for k in bank.sentences if not catalogue.messages[k].text] == []
        assert set(catalogue.messages) == set(bank.sentences)


@pytest.mark.parametrize("tag", EMPTY)
def test_a_language_no_machine_may_write_has_an_empty_catalogue_with_every_key(
    tag: str,
) -> None:
    entries = read_po(content.translations() / f"{tag}.po")

    assert [entry.key for entry in entries] == list(
        read_bank(content.item_templates()).sentences
    )
    assert {entry.text for entry in entries} == {""}


def test_the_catalogues_come_back_byte_for_byte() -> None:
    import polib

    for path in sorted(content.translations().glob("*.po")):
        assert str(polib.pofile(str(path), wrapwidth=0)) == path.read_text(encoding="utf-8")


def test_the_sample_study_has_no_errors() -> None:
    findings = prepare(Study(SAMPLE), engines=False).findings

    assert [str(finding) for finding in findings if finding.severity == "error"] == []
