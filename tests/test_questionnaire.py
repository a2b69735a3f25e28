"""What is asked, of whom, under which condition: before it is any file format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kobosmix import content
from kobosmix.codebook import Role
from kobosmix.conditions import holds
from kobosmix.plan import plan_study
from kobosmix.questionnaire import compile_questionnaire, stamped
from kobosmix.questionnaire.compile import build_id
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Constant,
    Holds,
    Note,
    Question,
    Questionnaire,
)
from kobosmix.wording import open_wording
from tests.english_study import CONTEXT, bank, changed, prepare_text

MINORS = changed(("minors: exclude", "minors: include"))
ALONE = changed(("mode: interview", "mode: self_administered"))


def questionnaire(folder: Path, text: str = CONTEXT, key: str = "pre_locals") -> Questionnaire:
    context = prepare_text(folder, text).sound()
    wording = open_wording(bank(), context, content.translations(), Path("no study"))
    plan = next(form for form in plan_study(bank(), context).forms if form.key == key)
    return stamped(compile_questionnaire(bank(), wording, plan))


def questions(asked: Questionnaire) -> Iterator[Question]:
    for _, part, _ in asked.walk():
        if isinstance(part, Question):
            yield part


def value(asked: Questionnaire, name: str) -> Constant | Holds:
    rules = [p.rule for _, p, _ in asked.walk() if isinstance(p, Calculated) and p.name == name]
    (rule,) = rules
    assert isinstance(rule, (Constant, Holds))
    return rule


ADULT = {"attempt": "interview", "of_age": "1", "consent": "1"}
MINOR = {"attempt": "interview", "of_age": "0", "guardian_consent": "1", "assent": "1"}


@pytest.mark.parametrize(
    ("text", "answers", "agreed"),
    [
        (CONTEXT, ADULT, True),
        (CONTEXT, {**ADULT, "consent": "0"}, False),
        (CONTEXT, {**ADULT, "of_age": "0"}, False),
        (CONTEXT, MINOR, False),
        (CONTEXT, {}, False),
        # Web forms keep what was answered before somebody went back and changed the outcome.
        (CONTEXT, {**ADULT, "attempt": "refused"}, False),
        (CONTEXT, {**ADULT, "attempt": "moved"}, False),
        (MINORS, ADULT, True),
        (MINORS, MINOR, True),
        (MINORS, {**MINOR, "guardian_consent": "0"}, False),
        (MINORS, {**MINOR, "assent": "0"}, False),
        (MINORS, {**MINOR, "of_age": "1"}, False),
        (MINORS, {**MINOR, "consent": "1", "assent": "0"}, False),
        (MINORS, {**MINOR, "attempt": "postponed"}, False),
        (ALONE, {"of_age": "1", "consent": "1"}, True),
        (ALONE, {"of_age": "1", "consent": "0"}, False),
    ],
)
def test_an_interview_begins_only_when_everybody_who_has_to_agree_did(
    tmp_path: Path, text: str, answers: Mapping[str, str], *, agreed: bool
) -> None:
    rule = value(questionnaire(tmp_path, text), "consent_ok")

    assert isinstance(rule, Holds)
    assert holds(rule.condition, answers) is agreed


@pytest.mark.parametrize("text", [CONTEXT, MINORS, ALONE])
def test_whatever_a_respondent_says_is_asked_only_after_consent(
    tmp_path: Path, text: str
) -> None:
    everything_but_consent = {"consent_ok": "0", "attempt": "interview", "took_part": "1"}

    for _, part, asked_if in questionnaire(tmp_path, text, "post_locals").walk():
        if isinstance(part, Question) and part.role in (Role.KEY, Role.ITEM):
            assert not holds(asked_if, everything_but_consent), part.name


def test_blocks_come_in_the_order_staff_introduction_interview_end(tmp_path: Path) -> None:
    asked = questionnaire(tmp_path)

    assert [part.name for part in asked.parts if isinstance(part, Block)] == [
        *("staff", "introduction", "interview", "closing")
    ]
    inner = next(p for p in asked.parts if isinstance(p, Block) and p.name == "interview")
    assert isinstance(inner.parts[0], Block)
    assert inner.parts[0].name == "keys"


def test_the_staff_block_asks_the_respondent_nothing(tmp_path: Path) -> None:
    staff = [q for q in questions(questionnaire(tmp_path)) if q.role is Role.STAFF]

    assert [question.name for question in staff] == [
        *("typed_by", "enumerator", "site", "rid_scan", "rid_typed", "rid_again"),
        *("rid_reason", "rid_reason_other", "attempt"),
    ]
    assert next(q for q in staff if q.name == "enumerator").from_file == "enumerators.csv"


def test_a_constant_says_which_study_group_wave_and_build_it_was(tmp_path: Path) -> None:
    asked = questionnaire(tmp_path, key="post_syrians")

    constants = ("kx_study", "kx_group", "kx_wave", "kx_build")
    assert [value(asked, name) for name in constants] == [
        *(
            Constant("lake_2026"),
            Constant("syrians"),
            Constant("post"),
            Constant(build_id(asked)),
        )
    ]


def test_hints_for_enumerators_are_kept_from_respondents_who_are_alone(tmp_path: Path) -> None:
    spoken = {q.name: q.hint for q in questions(questionnaire(tmp_path / "a"))}
    alone = {q.name: q.hint for q in questions(questionnaire(tmp_path / "b", ALONE))}

    assert "Do not read the last two" in spoken["trust_1"]["en"]
    assert "Do not read the last two" in spoken["prior_contact_1"]["en"]
    assert all(
        "read" not in str(hint).lower() for name, hint in alone.items() if name != "consent"
    )
    assert alone["trust_1"] == {}


def test_only_interviews_offer_does_not_know_and_prefers_not_to_answer(tmp_path: Path) -> None:
    spoken = questionnaire(tmp_path / "a").lists["agree"]
    alone = questionnaire(tmp_path / "b", ALONE).lists["agree"]

    assert [option.value for option in spoken.options] == ["1", "2", "3", "4", "5", "98", "99"]
    assert [str(o.missing or "") for o in spoken.options[5:]] == ["dont_know", "refused"]
    assert [option.value for option in alone.options] == ["1", "2", "3", "4", "5"]


def test_consent_offers_yes_and_no_and_nothing_between(tmp_path: Path) -> None:
    asked = questionnaire(tmp_path, MINORS)

    for question in questions(asked):
        if question.role is Role.CONSENT:
            assert [o.value for o in asked.lists[question.list].options] == ["1", "0"]
            assert question.required


def test_the_respondent_hears_minutes_contacts_and_age_as_the_team_wrote_them(
    tmp_path: Path,
) -> None:
    asked = questionnaire(tmp_path)
    texts = {
        p.name: p.label["en"] for _, p, _ in asked.walk() if isinstance(p, (Note, Question))
    }

    assert "about 90 minutes" in texts["intro_interview_2"]
    assert "0123 456" in texts["consent_contacts"]
    assert "help@lake.example" in texts["consent_contacts"]
    assert texts["of_age"] == "Is this person 18 years old or older?"


def test_self_administered_forms_speak_to_the_respondent(tmp_path: Path) -> None:
    names = {p.name for _, p, _ in questionnaire(tmp_path, ALONE).walk()}
    texts = {q.name: q.label["en"] for q in questions(questionnaire(tmp_path, ALONE))}

    assert {"intro_self_1", "intro_self_2"} <= names
    assert not {"intro_interview_1", "enumerator", "rid_scan", "attempt"} & names
    assert texts["of_age"] == "Are you 18 years old or older?"
    assert texts["rid_typed"] == "Please type the number on your card"


def test_every_list_that_is_named_is_there(tmp_path: Path) -> None:
    for text in (CONTEXT, MINORS, ALONE):
        for key in ("pre_locals", "post_syrians"):
            asked = questionnaire(tmp_path, text, key)
            named = {question.list for question in questions(asked) if question.list}
            assert named <= set(asked.lists)


def test_a_concept_is_entered_once_however_many_groups_it_is_asked_about(
    tmp_path: Path,
) -> None:
    text = changed(
        ("asked_about: [syrians]", "asked_about: [syrians, roma]"),
        (
            "own_group:",
            "  roma:\n    role: neither\n    languages: [en]\n    speaks: en\n"
            "    asked_about: [locals]\n    names: {en: {pl: Roma, adj: Romani}}\nown_group:",
        ),
    )
    asked = questionnaire(tmp_path, text)

    entries = [concept.id for concept in asked.concepts]
    assert len(entries) == len(set(entries))
    trust = [q for q in questions(asked) if q.measures and q.measures.concept == "trust"]
    assert [q.label["en"] for q in trust[::2]] == [
        "As for people who are Syrian, I can trust most of them.",
        "As for people who are Romani, I can trust most of them.",
    ]


def test_nothing_lacks_where_the_wording_lacks_nothing(tmp_path: Path) -> None:
    for _, part, _ in questionnaire(tmp_path).walk():
        if isinstance(part, (Question, Note)):
            assert "⟦" not in str(part)
            assert part.label["en"].strip()
