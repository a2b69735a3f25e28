"""Skip instructions: what a phone decides, a paper has to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix import content
from kobosmix.conditions import (
    All,
    AnyOf,
    Blank,
    Condition,
    Equals,
    Not,
    holds,
    variables_of,
)
from kobosmix.prepare import prepare
from kobosmix.printed.asked_if import OnPaper, Printed, in_words
from kobosmix.printed.sentences import PrintedSentences
from kobosmix.printed.sheet import Asked, Said, Section, sections
from kobosmix.questionnaire import Block, Note, Question, Questionnaire
from kobosmix.study import Study
from kobosmix.wording import open_wording
from tests.english_study import bank, prepare_text

CODES = ("1", "2", "3")
ON_PAPER = OnPaper(
    printed={
        name: Printed(number=number, answers={"1": "yes", "2": "no", "3": "perhaps"})
        for number, name in enumerate(("a", "b", "c"), start=4)
    }
    | {"text": Printed(number=7, answers={})},
    given={"mode": "face_to_face"},
)


@pytest.fixture(scope="module")
def say(tmp_path_factory: pytest.TempPathFactory) -> PrintedSentences:
    context = prepare_text(tmp_path_factory.mktemp("study")).context
    assert context is not None
    return PrintedSentences(
        open_wording(bank(), context, content.translations(), Path("no study")), "en"
    )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (None, []),
        (Equals("a", "1"), ["Only if the answer to question 4 is: yes"]),
        (Equals("text", "7"), ["Only if the answer to question 7 is: 7"]),
        (Not(Equals("a", "1")), ["Only if the answer to question 4 is: no / perhaps"]),
        (
            AnyOf((Equals("a", "3"), Equals("a", "1"))),
            ["Only if the answer to question 4 is: yes / perhaps"],
        ),
        (
            All((Equals("a", "1"), Equals("b", "2"))),
            [
                "Only if the answer to question 4 is: yes",
                "Only if the answer to question 5 is: no",
            ],
        ),
        (
            AnyOf((Equals("a", "1"), All((Equals("b", "2"), Equals("c", "3"))))),
            [
                "Only if the answer to question 4 is: yes / Only if the answer to question 5 is: "
                "no + Only if the answer to question 6 is: perhaps"
            ],
        ),
        (Blank("a"), ["Only if question 4 has no answer"]),
        (Not(Blank("a")), []),
        # What is calculated, or stands on the phone alone, cannot be looked up on paper.
        (Equals("consent_ok", "1"), []),
        (All((Equals("consent_ok", "1"), Equals("a", "2"))), ["Only if the answer to question 4 is: no"]),
        (Blank("rid_scan"), []),
        (All((Equals("mode", "face_to_face"), Equals("a", "2"))), ["Only if the answer to question 4 is: no"]),
    ],
)  # fmt: skip
def test_a_condition_reads_as(
    say: PrintedSentences, condition: Condition | None, words: list[str]
) -> None:
    assert list(in_words(ON_PAPER.ways(condition), ON_PAPER, say)) == words


@pytest.mark.parametrize(
    "condition",
    [
        Equals("mode", "telephone"),
        Not(Equals("mode", "face_to_face")),
        Blank("mode"),
        All((Equals("a", "1"), Equals("a", "2"))),
        AnyOf((Equals("mode", "paper"), Equals("mode", "telephone"))),
    ],
)
def test_what_can_never_be_asked_on_paper_has_no_way(condition: Condition) -> None:
    assert ON_PAPER.ways(condition) == ()


def trees() -> st.SearchStrategy[Condition]:
    leaf = st.one_of(
        st.builds(Equals, st.sampled_from("abc"), st.sampled_from(CODES)),
        st.builds(Blank, st.sampled_from("abc")),
    )

    def grown(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            st.builds(Not, inner), st.builds(All, several), st.builds(AnyOf, several)
        )

    return st.recursive(leaf, grown, max_leaves=6)


@given(
    condition=trees(),
    answers=st.fixed_dictionaries({name: st.sampled_from(CODES) for name in "abc"}),
)
def test_the_ways_hold_exactly_where_the_condition_does(
    condition: Condition, answers: dict[str, str]
) -> None:
    ways = ON_PAPER.ways(condition)

    assert holds(condition, answers) is any(
        all(answers[variable] in allowed for variable, allowed in way.items()) for way in ways
    )


@pytest.mark.parametrize("name", ["bosnia", "ecuador", "gaziantep", "tunisia"])
def test_every_condition_of_the_sample_forms_names_its_questions_and_answers(name: str) -> None:
    prepared = prepare(Study(content.sample_study(name)), engines=False)
    assert prepared.wording is not None
    found = 0
    for built in prepared.forms:
        for tag in built.codebook.languages:
            say = PrintedSentences(prepared.wording, tag)
            read = sections(built.questionnaire, say)
            numbers = {a.question.name: a.number for s in read for a in s.asked}
            words = {part.name: part.when for part in _all_of(read)}
            for part, condition in _routed(built.questionnaire):
                if part.name not in words:
                    continue
                told = " ".join(words[part.name])
                for variable in variables_of(condition) & numbers.keys():
                    assert re.search(rf"\b{numbers[variable]}\b", told), part.name
                for label in _labels(built.questionnaire, condition, numbers, tag):
                    assert label in told, part.name
                    found += 1
    assert found > 20


def _all_of(read: tuple[Section, ...]) -> Iterator[_Worded]:
    for section in read:
        yield _Worded(section.name, section.when)
        for part in section.parts:
            yield _worded(part)


class _Worded:
    def __init__(self, name: str, when: tuple[str, ...]) -> None:
        self.name, self.when = name, when


def _worded(part: Asked | Said) -> _Worded:
    return _Worded(part.question.name if isinstance(part, Asked) else part.name, part.when)


def _routed(form: Questionnaire) -> Iterator[tuple[Block | Question | Note, Condition]]:
    for _, part, _ in form.walk():
        if isinstance(part, (Block, Question, Note)):
            own = part.shown_if if isinstance(part, Note) else part.asked_if
            if own is not None:
                yield part, own


def _labels(
    form: Questionnaire, condition: Condition, numbers: dict[str, int], tag: str
) -> Iterator[str]:
    """The words of each answer that a condition asks for outright."""
    match condition:
        case Equals(variable, value) if variable in numbers:
            question = next(
                p for _, p, _ in form.walk() if isinstance(p, Question) and p.name == variable
            )
            if question.list:
                options = form.lists[question.list].options
                yield next(o.labels[tag] for o in options if o.value == value)
        case All(several) | AnyOf(several):
            for inner in several:
                yield from _labels(form, inner, numbers, tag)
        case _:
            return
