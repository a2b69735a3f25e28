"""The Java classes in the package are what javac makes of the sources that lie beside them.

Run with KOBOSMIX_UPDATE_CLASSES=1 and a Java development kit to make them anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kobosmix.engines.javarosa import PhoneForm, Scenario, Walk, walk
from kobosmix.engines.jvm import CLASSES, jar
from kobosmix.engines.xform import convert_rows
from kobosmix.files import sha256

SOURCES = CLASSES.parent / "kobosmix"
# What they were made from and with, so that a changed source is found without a javac as well.
RECORD = CLASSES / "made.json"
JAVA_8 = 52
JAVAC = shutil.which("javac")
needs_javac = pytest.mark.skipif(JAVAC is None, reason="needs a Java development kit (javac)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Classes made anew; they replace those of the package if that is asked for."""
    folder = tmp_path_factory.mktemp("classes")
    command = ["javac", "--release", "8", "-encoding", "UTF-8", "-cp", str(jar())]
    sources = [str(path) for path in sorted(SOURCES.glob("*.java"))]
    run = subprocess.run(
        [*command, "-d", str(folder), *sources], capture_output=True, check=False
    )
    if b"release version 8 not supported" in run.stderr:
        pytest.skip("this javac no longer knows Java 8")
    assert run.returncode == 0, run.stderr.decode()
    if os.environ.get("KOBOSMIX_UPDATE_CLASSES"):
        shutil.rmtree(CLASSES)
        shutil.copytree(folder, CLASSES)
        record = {"javac": version(), "sources": digests(SOURCES), "classes": digests(CLASSES)}
        RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return folder


def version() -> str:
    run = subprocess.run(["javac", "-version"], capture_output=True, check=True)
    return (run.stdout or run.stderr).decode().split()[-1]


def digests(folder: Path) -> dict[str, str]:
    """What is in a folder by name; git may change the ends of lines of sources, not of classes."""
    found = sorted([*folder.rglob("*.java"), *folder.rglob("*.class")])
    return {
        path.relative_to(folder).as_posix(): sha256(
            path.read_text(encoding="utf-8").encode()
            if path.suffix == ".java"
            else path.read_bytes()
        )
        for path in found
    }


def recorded() -> dict[str, object]:
    content: dict[str, object] = json.loads(RECORD.read_text(encoding="utf-8"))
    return content


def disassembled(folder: Path, *options: str) -> str:
    paths = [str(path) for path in sorted(folder.rglob("*.class"))]
    run = subprocess.run(["javap", "-p", *options, *paths], capture_output=True, check=True)
    return run.stdout.decode()


@needs_javac
def test_javac_makes_the_classes_of_the_package_again(made: Path) -> None:
    """The same bytes from the same javac, the same instructions from one of the same major
    version, the same members from any other."""
    theirs, ours = str(recorded()["javac"]), version()

    assert disassembled(made) == disassembled(CLASSES)
    if ours.partition(".")[0] == theirs.partition(".")[0]:
        assert disassembled(made, "-c") == disassembled(CLASSES, "-c")
    if ours == theirs:
        assert digests(made) == digests(CLASSES)


@needs_javac
@pytest.mark.java
def test_whichever_javac_made_them_the_classes_hold_the_same_interview(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = an_interview()

    monkeypatch.setattr("kobosmix.engines.jvm.CLASSES", made)

    assert an_interview() == expected
    assert expected.shown


def test_the_classes_were_made_from_the_sources_beside_them() -> None:
    """Needs no javac: nobody can change a source and forget the classes, on any machine."""
    assert recorded()["sources"] == digests(SOURCES)
    assert recorded()["classes"] == digests(CLASSES)
    assert {re.sub(r"\$.*", "", path.stem) for path in CLASSES.rglob("*.class")} == {
        path.stem for path in SOURCES.glob("*.java")
    }


def test_a_java_runtime_of_version_8_can_run_them() -> None:
    for path in CLASSES.rglob("*.class"):
        content = path.read_bytes()
        assert content[:4] == b"\xca\xfe\xba\xbe"
        assert int.from_bytes(content[6:8], "big") == JAVA_8


def an_interview() -> Walk:
    survey = (
        {"type": "text", "name": "a", "label::English (en)": "A?", "required": "yes"},
        {"type": "text", "name": "b", "label::English (en)": "B?", "relevant": "${a} = 'x'"},
    )
    settings = ({"form_title": "T", "form_id": "t"},)
    form = PhoneForm(xform=convert_rows({"survey": survey, "settings": settings}).xml)
    scenario = Scenario(form=form, answers={"a": ["", "x"], "b": "y"}, then=({"a": "z"},))
    (held,) = walk([scenario], "java")
    number = held.sent()["meta/instanceID"]
    return replace(held, submission=held.submission.replace(number, ""))
