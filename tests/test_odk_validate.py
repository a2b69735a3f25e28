"""ODK Validate asked about many forms at once says what it says when it is run for each alone."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kobosmix.engines.jvm import find_java, jar
from kobosmix.engines.odk_validate import validate
from kobosmix.engines.xform import convert_rows
from tests.english_study import prepare_text

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine"),
]

LABEL = "label::English (en)"
NO_LABEL = ({"list_name": "l", "name": "1"},)
HALF = ({"list_name": "l", "name": "1", LABEL: "x"}, {"list_name": "l", "name": "2"})
# One question, and what is wrong with it; the last words are what a person is told.
BAD: Mapping[str, tuple[dict[str, str], tuple[dict[str, str], ...], str]] = {
    "half an expression": ({"relevant": "1 +"}, (), "1 +"),
    "two equal signs": ({"constraint": ". == 1"}, (), ". == 1"),
    "no such function": ({"relevant": "no_such_function(1)"}, (), "no_such_function"),
    "floor": ({"relevant": "floor(1.5) = 1"}, (), "'floor'"),
    "a cycle": ({"relevant": "${a} = '1'"}, (), "Cycle detected"),
    "an Arabic name": ({"name": "سؤال"}, (), "/data/سؤال"),
    "no choice has a label": ({"type": "select_one l"}, NO_LABEL, "<label> node for itemset"),
}
# Something is said of one choice, and the form accepted all the same.
GOOD: Mapping[str, tuple[dict[str, str], tuple[dict[str, str], ...]]] = {
    "a question": ({}, ()),
    "one choice has no label": ({"type": "select_one l"}, HALF),
    "choices from a file": ({"type": "select_one_from_file x.csv"}, ()),
    "a path to nowhere": ({"relevant": "/data/nowhere = 1"}, ()),
}


@dataclass(frozen=True)
class Validated:
    """The forms, what is said of them when asked at once, and which the jar refuses alone."""

    xforms: Mapping[str, str]
    said: Mapping[str, str]
    refused_alone: frozenset[str]


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Validated:
    """Bad forms, good ones, and two that carry lists, which lie beside them."""
    folder = tmp_path_factory.mktemp("forms")
    prepared = prepare_text(folder / "study")
    xforms = {built.key: convert_rows(built.form.sheets()).xml for built in prepared.forms[:2]}
    xforms |= {key: one_question(cells, options) for key, (cells, options) in GOOD.items()}
    xforms |= {key: one_question(cells, options) for key, (cells, options, _) in BAD.items()}
    xforms |= {"no XML": "<h:html", "no form": "<h/>", "nothing": ""}
    for name, content in prepared.media().items():
        (folder / name).write_bytes(content)
    refused = frozenset(key for key, xml in xforms.items() if is_refused_alone(folder, xml))
    return Validated(xforms, validate(xforms, "java"), refused)


def one_question(cells: Mapping[str, str], choices: tuple[dict[str, str], ...]) -> str:
    question = {"type": "text", "name": "a", LABEL: "A?", **cells}
    settings = ({"form_title": "T", "form_id": "t"},)
    sheets = {"survey": (question,), "settings": settings}
    return convert_rows({**sheets, "choices": choices} if choices else sheets).xml


def is_refused_alone(folder: Path, xml: str) -> bool:
    """What the jar's own main decides."""
    (folder / "form.xml").write_bytes(xml.encode())
    command = [
        "java",
        "-Djava.awt.headless=true",
        "-XX:TieredStopAtLevel=1",
        "-jar",
        str(jar()),
    ]
    run = subprocess.run([*command, str(folder / "form.xml")], capture_output=True, check=False)
    return run.returncode != 0


def test_the_verdicts_are_those_of_the_jar_run_for_each_form_alone(
    validated: Validated,
) -> None:
    assert set(validated.said) == validated.refused_alone
    assert validated.refused_alone == {*BAD, "no XML", "no form", "nothing"}
    assert len(validated.xforms) == 16


@pytest.mark.parametrize("fault", BAD)
def test_what_is_wrong_is_said_in_the_engine_s_words_and_in_no_trace(
    validated: Validated, fault: str
) -> None:
    said = validated.said[fault]

    assert BAD[fault][2] in said
    assert "at org.javarosa" not in said
    assert "Validating" not in said


def test_no_form_answers_for_another(validated: Validated) -> None:
    """The engine keeps things between forms; in whatever order they come, nothing changes."""
    backwards = dict(reversed(list(validated.xforms.items())))
    twice = {f"{key} again": xml for key, xml in validated.xforms.items()}

    said = validate({**backwards, **twice}, "java")

    refused = validated.refused_alone
    assert set(said) == refused | {f"{key} again" for key in refused}


def test_a_form_that_exhausts_the_engine_is_refused_and_the_others_are_not() -> None:
    plain = one_question({}, ())
    deep = "(" * 4000 + "1" + ")" * 4000
    endless = plain.replace('type="string"', f'type="string" relevant="{deep}"')

    said = validate({"first": plain, "endless": endless, "last": plain}, "java")

    assert set(said) == {"endless"}
    assert "StackOverflowError" in said["endless"]


def test_a_java_that_dies_of_one_form_is_asked_about_the_others_again(tmp_path: Path) -> None:
    """It stands in for an engine that is killed by one form."""
    mortal = tmp_path / "java"
    mortal.write_text(
        '#!/bin/sh\norder=$(cat)\ncase "$order" in *deadly*) exit 137;; esac\n'
        'echo \'{"told": [{"valid": true, "said": []}]}\'\n',
        encoding="utf-8",
    )
    mortal.chmod(0o755)

    said = validate({"a": "<a/>", "b": "<deadly/>", "c": "<c/>"}, str(mortal))

    assert set(said) == {"b"}
    assert "could not be run" in said["b"]
    assert "137" in said["b"]


def test_no_forms_need_no_java() -> None:
    assert validate({}, "no such java") == {}
