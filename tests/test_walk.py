"""The engine of the phones does with every kind of question what a phone does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kobosmix.engines import jvm
from kobosmix.engines.javarosa import Answers, PhoneForm, Scenario, Shown, Verdict, Walk, walk
from kobosmix.engines.jvm import EngineFailed, find_java
from kobosmix.engines.xform import convert_rows
from kobosmix.errors import KobosmixError

needs_java = pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine")
LABEL, ARABIC = "label::English (en)", "label::العربية (ar)"
LETTERS = tuple(
    {"list_name": "letters", "name": x, LABEL: x.upper(), ARABIC: x * 2} for x in "abcdef"
)


def question(type_: str, name: str, **cells: str) -> dict[str, str]:
    return {"type": type_, "name": name, LABEL: f"{name}?", ARABIC: f"{name}؟", **cells}


def form(*rows: Mapping[str, str], files: Mapping[str, bytes] | None = None) -> PhoneForm:
    setting = {"form_title": "T", "form_id": "t", "default_language": "English (en)"}
    sheets: dict[str, Sequence[Mapping[str, str]]] = {
        "survey": rows,
        "choices": LETTERS,
        "settings": (setting,),
    }
    return PhoneForm(xform=convert_rows(sheets).xml, files=files or {})


def held(
    of: PhoneForm,
    *,
    language: str = "",
    then: tuple[Answers, ...] = (),
    **answers: str | Sequence[str],
) -> Walk:
    (only,) = walk([Scenario(form=of, answers=answers, language=language, then=then)], "java")
    return only


def only(shown: Walk) -> Shown:
    (screen,) = shown.shown
    return screen


@needs_java
@pytest.mark.java
def test_each_kind_of_question_takes_its_answer_and_sends_it() -> None:
    answers = {
        "one": "b",
        "several": "a c",
        "whole": "12",
        "part": "1.5",
        "words": 'Ayşe\'s "<both>" & 🙂 جاري',
        "day": "2026-03-01",
        "code": "14343144",
    }
    asked = form(
        question("select_one letters", "one"),
        question("select_multiple letters", "several"),
        question("integer", "whole"),
        question("decimal", "part"),
        question("text", "words"),
        question("date", "day"),
        question("barcode", "code"),
        question("note", "read"),
    )

    (walked,) = walk([Scenario(form=asked, answers=answers)], "java")

    sent = walked.sent()
    assert {name: sent[name] for name in answers} == answers
    assert walked.outcome is Verdict.OK
    assert walked.shown[-1].read_only
    assert walked.shown[-1].tries == ()


@needs_java
@pytest.mark.java
def test_a_default_is_kept_where_nothing_is_entered_and_can_be_emptied() -> None:
    asked = form(question("text", "a", default="here"), question("integer", "b", default="7"))

    kept, emptied = held(asked), held(asked, a="", b="8")

    assert [each.tries[0].text for each in kept.shown] == ["here", "7"]
    assert (kept.sent()["a"], kept.sent()["b"]) == ("here", "7")
    assert (emptied.sent()["a"], emptied.sent()["b"]) == ("", "8")


@needs_java
@pytest.mark.java
def test_a_refused_answer_is_not_kept_and_the_phone_looks_once_more_before_it_sends() -> None:
    asked = form(
        question("integer", "a", constraint=". > 3"), question("text", "b", required="yes")
    )

    walked = held(asked, a=["5", "2"])

    assert [t.verdict for t in walked.shown[0].tries] == [Verdict.OK, Verdict.CONSTRAINT]
    assert walked.sent()["a"] == "5"
    assert (walked.outcome, walked.failed) == (Verdict.REQUIRED, "b")


@needs_java
@pytest.mark.java
def test_choices_come_in_the_order_they_are_shown_in() -> None:
    shuffled = question(
        "select_one letters", "a", parameters="randomize=true, seed=7", appearance="minimal"
    )

    once, again = (
        only(held(form(shuffled))),
        only(held(form(shuffled), language="العربية (ar)")),
    )

    values = [choice.value for choice in once.choices]
    assert sorted(values) == list("abcdef")
    assert values != list("abcdef")
    assert [choice.value for choice in again.choices] == values
    assert [choice.label for choice in again.choices] == [value * 2 for value in values]
    assert once.appearance == "minimal"


@needs_java
@pytest.mark.java
@pytest.mark.parametrize(
    ("language", "label", "message"),
    [("", "a?", "Please."), ("English (en)", "a?", "Please."), ("العربية (ar)", "a؟", "رجاءً.")],
)
def test_what_is_said_is_said_in_the_language(language: str, label: str, message: str) -> None:
    messages = {
        f"{kind}_message::{named}": text
        for kind in ("required", "constraint")
        for named, text in {"English (en)": "Please.", "العربية (ar)": "رجاءً."}.items()
    }
    asked = form(question("text", "a", required="yes", constraint=". = 'x'", **messages))

    walked = held(asked, language=language, a=["", "y", "x"])

    assert walked.languages == ("English (en)", "العربية (ar)")
    assert only(walked).label == label
    assert only(walked).required
    assert [each.message for each in only(walked).tries] == [message, message, ""]


@needs_java
@pytest.mark.java
def test_a_form_in_one_unnamed_language_has_messages_all_the_same() -> None:
    checked = {"required": "yes", "constraint": ". = 'x'"}
    survey = (
        {"type": "text", "name": "a", "label": "A?", "hint": "Aha", **checked,
         "required_message": "It's needed, 'a' is"},
        {"type": "text", "name": "b", "label": "After ${a}", "required": "yes"},
    )  # fmt: skip
    plain = {"survey": survey, "settings": ({"form_title": "T", "form_id": "t"},)}

    walked = held(PhoneForm(xform=convert_rows(plain).xml), a=["", "y", "x"])

    first, second = walked.shown
    assert walked.languages == ()
    assert first.hint == "Aha"
    assert [each.message for each in first.tries] == ["It's needed, 'a' is", "", ""]
    assert second.label == "After x"
    assert second.tries[0].message == ""


@needs_java
@pytest.mark.java
def test_the_blocks_a_question_stands_in_are_its_headings_and_its_path() -> None:
    walked = held(
        form(
            {"type": "begin_group", "name": "outer", LABEL: "Outer", ARABIC: "خارج"},
            {"type": "begin_group", "name": "inner", LABEL: "Inner", ARABIC: "داخل"},
            question("text", "a"),
            {"type": "end_group"},
            {"type": "end_group"},
        ),
        a="x",
    )

    assert only(walked).headings == ("Outer", "Inner")
    assert only(walked).path == "outer/inner/a"
    assert walked.sent()["outer/inner/a"] == "x"


@needs_java
@pytest.mark.java
def test_going_back_changes_one_answer_and_keeps_the_others() -> None:
    asked = form(
        question("select_one letters", "a"),
        question("text", "b", relevant="${a} = 'a'"),
        question("text", "c", relevant="${a} = 'b'"),
        question("text", "d", default="own"),
    )

    walked = held(asked, a="a", b="1", c="2", d="3", then=({"a": "b"}, {"a": "a"}, {"b": ""}))

    assert [[screen.name for screen in round_] for round_ in walked.rounds] == [
        ["a", "b", "d"],
        ["a", "c", "d"],
        ["a", "b", "d"],
        ["a", "b", "d"],
    ]
    assert [each.tries[0].text for each in walked.rounds[2]] == ["a", "1", "3"]
    assert {name: text for name, text in walked.sent().items() if "meta" not in name} == {
        "a": "a",
        "b": "",
        "d": "3",
    }


@needs_java
@pytest.mark.java
def test_each_form_has_its_own_lists_even_under_the_same_name() -> None:
    rows = (
        {"type": "csv-external", "name": "people"},
        question("select_one_from_file people.csv", "who"),
        question(
            "text", "why", relevant="instance('people')/root/item[name = ${who}]/odd = '1'"
        ),
    )
    here = form(*rows, files={"people.csv": "name,label,odd\nx1,Ğül,1\nx2,Xu,0\n".encode()})
    there = form(*rows, files={"people.csv": b"name,label,odd\nx9,Zoe,1\n"})
    scenarios = [
        Scenario(form=here, answers={"who": "x1"}),
        Scenario(form=there, answers={"who": "x9"}),
        Scenario(form=here, answers={"who": "x2"}),
    ]

    walked = walk(scenarios, "java")

    offered = [[(c.value, c.label) for c in each.shown[0].choices] for each in walked]
    assert offered[0] == offered[2] == [("x1", "Ğül"), ("x2", "Xu")]
    assert offered[1] == [("x9", "Zoe")]
    assert ["why" in [s.name for s in each.shown] for each in walked] == [True, True, False]


@needs_java
@pytest.mark.java
@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ({"answers": {"nobody": "1"}}, "no question 'nobody'"),
        ({"answers": {}, "then": ({"nobody": "1"},)}, "no question 'nobody'"),
        ({"answers": {"a": "z"}}, "'a' does not offer 'z'"),
        ({"answers": {"s": "a z"}}, "'s' does not offer 'z'"),
        ({"answers": {"n": "many"}}, "'many' cannot be entered for 'n'"),
        ({"language": "Türkçe (tr)"}, "language 'Türkçe (tr)'"),
    ],
)
def test_a_scenario_the_form_cannot_follow_is_named_and_explained(
    scenario: dict[str, object], sentence: str
) -> None:
    asked = form(
        question("select_one letters", "a"),
        question("select_multiple letters", "s"),
        question("integer", "n"),
    )
    wrong = Scenario(form=asked, **scenario)  # type: ignore[arg-type]

    with pytest.raises(EngineFailed) as failure:
        walk([Scenario(form=asked), wrong], "java")

    assert sentence in str(failure.value)
    assert "number 2" in str(failure.value)


@needs_java
@pytest.mark.java
@pytest.mark.parametrize(
    "xform",
    ["", "<h/>", "no XML", convert_rows({"survey": (question("text", "a", relevant="floor(1) = 1"),)}).xml],
)  # fmt: skip
def test_a_form_the_engine_cannot_open_is_a_failure_in_words(xform: str) -> None:
    with pytest.raises(EngineFailed) as failure:
        walk([Scenario(form=PhoneForm(xform=xform))], "java")

    assert "the form engine was asked: the engine" in str(failure.value)
    assert isinstance(failure.value, KobosmixError)


def test_no_scenarios_need_no_java() -> None:
    assert walk([], "no such java") == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 7", "exit code 7"),
        ("echo nonsense", "exit code 0"),
        ("echo '[]'", "exit code 0"),
        (
            "echo 'java.lang.UnsupportedClassVersionError: Unsupported major.minor version 52.0'"
            " >&2; exit 1",
            "too old",
        ),
        ("echo 'Exception in thread \"main\" java.lang.OutOfMemoryError' >&2; exit 3", "OutOfMemory"),
        ("sleep 30", "within"),
    ],
)  # fmt: skip
def test_a_java_that_does_not_do_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    java.chmod(0o755)
    # Long enough for a shell to start, and much shorter than it sleeps.
    monkeypatch.setattr(jvm, "_START_S", -3)

    with pytest.raises(EngineFailed, match=sentence):
        walk([Scenario(form=PhoneForm(xform="<h/>"))], str(java))


def test_a_java_that_is_not_there_is_a_failure_in_words() -> None:
    with pytest.raises(EngineFailed, match="could not be started"):
        walk([Scenario(form=PhoneForm(xform="<h/>"))], "no such java")
