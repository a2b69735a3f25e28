from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kobosmix.findings import Finding
from kobosmix.yamlfile import YamlFile, check_shape, read_yaml


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    opens: datetime.date


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    study: Annotated[str, StringConstraints(pattern="^[a-z]+$")] = "x"
    codes: list[str] = []
    names: dict[Annotated[str, StringConstraints(pattern="^[a-z]+$")], str] = {}
    random: bool = True
    minutes: Annotated[int, Field(gt=0)] = 1
    share: float = 1.0
    mode: Literal["interview", "alone"] = "alone"
    window: Window | None = None


PATTERNS = {"^[a-z]+$": ("a code is small letters", "Give it a code.")}


def read(folder: Path, text: str) -> YamlFile:
    path = folder / "a.yaml"
    path.write_text(text, encoding="utf-8")
    file = read_yaml(path)
    assert isinstance(file, YamlFile), file
    return file


def fault(folder: Path, text: str | bytes) -> Finding:
    """The one finding of a file that hides the rest of itself."""
    path = folder / "a.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    finding = read_yaml(path)
    assert isinstance(finding, Finding)
    return finding


def complaints(folder: Path, text: str) -> list[tuple[int, str, str]]:
    findings = check_shape(read(folder, text), Shape, "C101", PATTERNS)
    return [(each.place.line, each.problem, each.remedy) for each in findings]


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    file = read(tmp_path, "a:\n  b: [x,\n    y]\nc: {d: 1}\n")

    assert file.content == {"a": {"b": ["x", "y"]}, "c": {"d": 1}}
    assert file.lines[("a", "b")] == 2
    assert file.lines[("a", "b", 1)] == 3
    assert file.lines[("c", "d")] == 4


def test_a_place_that_is_missing_is_the_nearest_one_above_it(tmp_path: Path) -> None:
    file = read(tmp_path, "x: 1\na:\n  b: 1\n")

    assert str(file.place(("a", "b", "c"))) == "a.yaml:3: a.b.c"
    assert str(file.place(("nowhere",))) == "a.yaml:1: nowhere"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("tr", "tr"), ("007", 7), ("1_000", 1000),
        ("true", True), ("2026-05-31", datetime.date(2026, 5, 31)), ("2026-02-30", "2026-02-30"),
        ("~", None), ("1.5", 1.5), (".inf", ".inf"), (".nan", ".nan"), ("'7'", "7"), ("1:30", "1:30"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_yaml_1_2_has_it(tmp_path: Path, text: str, value: object) -> None:
    assert read(tmp_path, f"a: {text}\n").content == {"a": value}


def test_a_file_from_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc5\x9f\r\nb: 2\r\n")

    file = read_yaml(path)

    assert isinstance(file, YamlFile)
    assert file.content == {"a": "ş", "b": 2}
    assert file.lines[("b",)] == 2


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    file = read(tmp_path, "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n")

    assert file.content == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: [1, 2\n", 3),
        ("a: 1\nb: 'x\n", 3),
        ("a: 1\n---\na: 2\n", 2),
        ("a: 1\nb: \x07\n", 2),
        ("a: 1\nb: &x [*x]\n", 2),
        ("a: 1\nb: &x\n  c: *x\n", 2),
        ("a: 1\n? [b, c]\n: d\n", 2),
        ("a: 1\nb: *nobody\n", 2),
    ],
    ids=["tab", "bracket", "quote", "two documents", "bell", "loop", "deep loop", "key", "alias"],
)  # fmt: skip
def test_broken_yaml_is_shown_alone_with_its_line_and_says_so(
    tmp_path: Path, text: str, line: int
) -> None:
    finding = fault(tmp_path, text)

    assert (finding.code, finding.place.line) == ("Y101", line)
    assert "the rest of the file was not checked" in finding.problem
    assert "indent with spaces" in finding.remedy


def test_a_duplicate_key_is_shown_alone_with_both_lines(tmp_path: Path) -> None:
    finding = fault(tmp_path, "a:\n  b: 1\n  c: 2\n  b: 3\nd: 4\nd: 5\n")

    assert (finding.code, finding.place.line) == ("Y102", 4)
    assert "'b' stands here a second time (first in line 2)" in finding.problem
    assert "the rest of the file was not checked" in finding.problem


def test_a_file_in_another_encoding_is_told_how_to_be_saved(tmp_path: Path) -> None:
    finding = fault(tmp_path, b"a: \xfe\n")

    assert finding.code == "Y103"
    assert "UTF-8" in finding.remedy


def test_an_empty_file_has_nothing_in_it(tmp_path: Path) -> None:
    assert read(tmp_path, "").content == {}
    assert read(tmp_path, "# only a comment\n").content == {}


@pytest.mark.parametrize("typed", ["007", "2026-05-31", "true", "1.50", "12"])
def test_text_that_yaml_does_not_take_as_text_is_to_be_quoted_as_typed(
    tmp_path: Path, typed: str
) -> None:
    assert complaints(tmp_path, f"study: {typed}\ncodes: [x, {typed}]\n") == [
        (
            1,
            f"{typed} is read as a number, a date or yes/no, but 'study' is text",
            f'Put it in quotes: study: "{typed}".',
        ),
        (
            2,
            f"{typed} is read as a number, a date or yes/no, but entry 2 of 'codes' is text",
            f'Put it in quotes: "{typed}".',
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("random: yes", "'random' has to be true or false", "Write true or false"),
        ("minutes: '9'", "'minutes' has to be a whole number", "Write digits only, without"),
        ("minutes: 9.5", "'minutes' has to be a whole number", "Write digits only"),
        ("minutes: 0", "'minutes': input should be greater than 0", "Correct 'minutes'."),
        ("share: x", "'share' has to be a number", "Write a number"),
        ("codes: x", "'codes' has to be a list", "Write it in brackets"),
        ("codes:", "'codes' has to be a list", "Write it in brackets"),
        ("names: [x]", "'names' has to be a list of named lines", "Write 'name: ...' lines"),
        ("names:", "'names' has to be a list of named lines", "Write 'name: ...' lines"),
        ("names: {a: }", "'a' has to be text", "Write text behind it"),
        ("names: {a: [x]}", "'a' has to be text", "Write text behind it"),
        ("names: {007: x}", "'007' cannot stand here: a code is small", "Give it a code."),
        ("study: A1", "'A1' cannot stand here: a code is small letters", "Give it a code."),
        ("mode: phone", "'phone' is not possible for 'mode'", "Use 'interview' or 'alone'."),
        ("window: {opens: '2026-05-31'}", "'opens' has to be a date", "without quotes: 2026-"),
        ("window: {}", "'opens' is missing", "Add a line 'opens:' here."),
        ("nonsense: 1", "the key 'nonsense' is not known here", "Check its spelling"),
        ("[a, b]", "the file has to be a list of named lines", "Write 'name: ...'"),
    ],
)
def test_a_wrong_shape_is_told_in_words_of_the_file(
    tmp_path: Path, text: str, problem: str, remedy: str
) -> None:
    found = complaints(tmp_path, f"# first line\n{text}\n")

    assert [line for line, _, _ in found] == [2]
    assert found[0][1].startswith(problem)
    assert remedy in found[0][2]


def test_all_faults_of_a_shape_are_found_at_once(tmp_path: Path) -> None:
    text = "study: 7\nrandom: yes\nminutes: x\nnames:\n  a: 1\n  b: 2\nmore: 1\n"

    assert [line for line, _, _ in complaints(tmp_path, text)] == [1, 5, 6, 2, 3, 7]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3000,
        "a: " + "{a: " * 3000,
        "\n".join(
            ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
            + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        ),
    ],
    ids=["brackets", "mappings", "aliases of aliases"],
)
def test_a_file_without_end_is_one_finding_and_soon(tmp_path: Path, text: str) -> None:
    (tmp_path / "context.yaml").write_text(text, encoding="utf-8")

    found = read_yaml(tmp_path / "context.yaml")

    assert isinstance(found, Finding)
    assert found.code == "Y101"
