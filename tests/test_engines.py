"""What pyxform and the engine of the phones say, told as findings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest

from kobosmix.engines import odk_validate
from kobosmix.engines.check import check_forms, is_harmless
from kobosmix.engines.jvm import find_java
from kobosmix.engines.xform import FormRefused, convert_rows, convert_workbook
from kobosmix.findings import Severity
from kobosmix.form import kobo_workbook, workbook
from kobosmix.prepare import BuiltForm, prepare
from kobosmix.study import Study
from tests.english_study import built

SAMPLE = Path(__file__).parent.parent / "sample_forms" / "gaziantep"
WARNING = (
    "The following language declarations do not contain valid machine-readable codes: "
    "{}. Learn more: http://xlsform.org#multiple-language-support"
)
needs_java = pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine")


@pytest.fixture
def without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop without Java."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.fixture(scope="module")
def sample() -> tuple[BuiltForm, ...]:
    """The six forms of the sample study."""
    return prepare(Study(SAMPLE), engines=False).forms


def one_question(**cells: str) -> dict[str, tuple[dict[str, str], ...]]:
    question = {"type": "text", "name": "a", "label::English (en)": "A?", **cells}
    return {"survey": (question,), "settings": ({"form_title": "T", "form_id": "t"},)}


@pytest.mark.usefixtures("without_java")
def test_a_form_that_cannot_be_converted_is_an_error_with_pyxforms_sentence() -> None:
    found = check_forms({"pre_x": one_question(relevant="${nobody} = '1'")})

    assert [f.code for f in found if f.severity is Severity.ERROR] == ["L141", "F101"]
    for finding in found[:2]:
        assert "nobody" in finding.problem
        assert finding.place.file == "form pre_x"


@pytest.mark.usefixtures("without_java")
def test_a_warning_is_an_error_unless_it_is_about_a_region_or_a_script() -> None:
    regional = {"type": "text", "name": "a", "label::Deutsch (de-AT)": "A?"}
    nonsense = {"type": "text", "name": "a", "label::Deutsch (xx)": "A?"}
    settings = one_question()["settings"]

    fine = check_forms({"f": {"survey": (regional,), "settings": settings}})
    bad = check_forms({"f": {"survey": (nonsense,), "settings": settings}})

    assert [finding.code for finding in fine] == ["F104"]
    assert [finding.code for finding in bad] == ["F102", "F104"]


@pytest.mark.parametrize(
    ("named", "harmless"),
    [
        ("Deutsch (de-AT)", True),
        ("српски, ћирилица (sr-Cyrl)", True),
        ("српски, ћирилица (sr-Cyrl), Deutsch (de-AT)", True),
        ("Deutsch (xx)", False),
        ("Deutsch (de-AT), English", False),
        ("English", False),
    ],
)
def test_only_a_tag_with_a_region_or_script_is_harmless(named: str, *, harmless: bool) -> None:
    assert is_harmless(WARNING.format(named)) is harmless


def test_another_warning_is_never_harmless() -> None:
    assert not is_harmless("On the choices sheet, labels are missing.")


@pytest.mark.usefixtures("without_java")
def test_without_java_it_is_said_that_the_phones_engine_was_not_asked() -> None:
    (notice,) = check_forms({"f": one_question()})

    assert notice.code == "F104"
    assert notice.severity is Severity.NOTICE
    assert "was not run" in notice.problem


def test_rows_and_workbook_give_the_same_xform(sample: tuple[BuiltForm, ...]) -> None:
    for form in sample:
        rows, book = convert_rows(form.form.sheets()), convert_workbook(workbook(form.form))
        assert canonicalize(rows.xml) == canonicalize(book.xml)


def test_pyxform_takes_every_form_of_the_sample_without_a_warning(
    sample: tuple[BuiltForm, ...],
) -> None:
    assert {form.key: convert_rows(form.form.sheets()).warnings for form in sample} == {
        form.key: () for form in sample
    }
    assert len(sample) == 6


def test_no_text_of_the_sample_is_shown_as_a_dash(sample: tuple[BuiltForm, ...]) -> None:
    for form in sample:
        assert "<value>-</value>" not in convert_rows(form.form.sheets()).xml


def test_the_uploaded_dialect_is_not_for_pyxform(sample: tuple[BuiltForm, ...]) -> None:
    """The server takes $kuid off before it converts; that is why it is not in the neutral form."""
    xml = convert_workbook(kobo_workbook(sample[0].form)).xml

    assert "$kuid" in xml


def test_an_empty_workbook_is_refused_in_words() -> None:
    with pytest.raises(FormRefused):
        convert_rows({"survey": (), "settings": ()})


@needs_java
@pytest.mark.java
def test_odk_validate_takes_every_form_of_the_sample(sample: tuple[BuiltForm, ...]) -> None:
    assert check_forms({form.key: form.form.sheets() for form in sample}) == []


@needs_java
@pytest.mark.java
@pytest.mark.parametrize(
    "cells",
    [
        {"relevant": "floor(1.5) = 1"},
        {"constraint": ". == 1"},
        {"relevant": "no_such_function(1)"},
        {"relevant": "${a} = '1'"},
    ],
    ids=["no floor", "no ==", "no such function", "a cycle"],
)
def test_odk_validate_finds_what_pyxform_lets_through(cells: dict[str, str]) -> None:
    found = check_forms({"f": one_question(**cells)})

    # Lint says the same, but also where there is no Java.
    lint, engine = (finding for finding in found if finding.severity is Severity.ERROR)
    assert lint.code.startswith("L1")
    assert engine.code == "F103"
    assert "Traceback" not in engine.problem


def test_lint_of_a_study_leaves_out_notices_and_what_its_context_decides() -> None:
    long = (
        "Do you remember how often you met your neighbours in the market during the last month?"
    )
    cells = {"label::English (en)": long, "appearance": "minimul"}
    device = {"type": "deviceid", "name": "deviceid"}
    sheets = one_question(**cells)

    found = check_forms({"f": {**sheets, "survey": (*sheets["survey"], device)}})

    assert [f.code for f in found if f.code.startswith("L")] == ["L251"]


def test_a_java_that_does_not_run_is_no_praise_for_the_form(tmp_path: Path) -> None:
    broken = tmp_path / "java"
    broken.write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    broken.chmod(0o755)

    assert odk_validate.validate({"f": "<h/>"}, str(broken))["f"]
    assert odk_validate.validate({"f": "<h/>"}, str(tmp_path / "nothing"))["f"]


def test_java_home_goes_before_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bin" / "java"
    own.parent.mkdir()
    shutil.copyfile(sys.executable, own)
    own.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    assert find_java() == str(own)


def test_looking_for_the_jar_does_not_import_pyxform() -> None:
    code = (
        "import sys; from kobosmix.engines.jvm import jar; "
        "assert jar().is_file(); assert 'pyxform.xls2xform' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_build_has_an_id_of_its_own(
    tmp_path: Path, sample: tuple[BuiltForm, ...]
) -> None:
    ids = {form.codebook.build_id for form in sample} | {built(tmp_path).codebook.build_id}

    assert len(ids) == 7
