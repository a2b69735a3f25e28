"""The forms of the samples on the engine of the phones, beside their codebooks.

What is shown is what the workbook says in that language; what is asked is what the codebook says
is asked; what is sent is what was entered, under the codebook's paths, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pytest

from kobosmix.codebook import Codebook, Kind, Role, Variable
from kobosmix.conditions import holds
from kobosmix.engines.javarosa import PhoneForm, Scenario, Shown, Verdict, Walk, walk
from kobosmix.engines.jvm import find_java
from kobosmix.form.rows import Row
from kobosmix.people.model import Respondent
from kobosmix.prepare import BuiltForm, Prepared, prepare
from kobosmix.rehearse.answers import Occasion, fill_in
from kobosmix.rehearse.people import invent_people
from kobosmix.study import Study
from tests.interviews import (
    FIRST,
    NOT_A_NUMBER,
    asked,
    at_random,
    entered,
    phone_form,
    questions,
)

pytestmark = [
    pytest.mark.java,
    pytest.mark.skipif(find_java() is None, reason="no Java runtime on this machine"),
]

SAMPLES = Path(__file__).parent.parent / "sample_forms"
RANDOM_INTERVIEWS = 15


@dataclass(frozen=True)
class Held:
    """One interview: by which form, in which language, what was entered, and how it went."""

    study: str
    built: BuiltForm
    tag: str
    answers: Mapping[str, str]
    scenario: Scenario
    walk: Walk

    @property
    def codebook(self) -> Codebook:
        return self.built.codebook

    @cached_property
    def sent(self) -> dict[str, str]:
        return self.walk.sent()

    def asked(self) -> list[Shown]:
        return [screen for screen in self.walk.shown if not screen.read_only]

    def __str__(self) -> str:
        return f"{self.study} {self.built.key} in {self.tag}, entered {self.answers}"


@dataclass(frozen=True)
class Family:
    """Interviews by all forms of the samples: complete ones in each language, random ones."""

    complete: tuple[Held, ...]
    random: tuple[Held, ...]

    def all(self) -> tuple[Held, ...]:
        return (*self.complete, *self.random)


@dataclass(frozen=True)
class Desk:
    """Where the interviews by one form are planned."""

    study: str
    prepared: Prepared
    built: BuiltForm
    form: PhoneForm

    @property
    def codebook(self) -> Codebook:
        return self.built.codebook

    @property
    def enumerators(self) -> list[str]:
        return [enumerator.code for enumerator in self.prepared.enumerators] or [""]

    def language(self, tag: str) -> str:
        """What stands behind `label::` in the workbook: so a phone calls the language."""
        return self.prepared.bank.languages[tag].column_suffix(self.codebook.languages)


@dataclass(frozen=True)
class Plan:
    """An interview that is still to be held."""

    desk: Desk
    tag: str
    answers: Mapping[str, str]
    scenario: Scenario


@pytest.fixture(scope="module")
def family() -> Family:
    """Every interview of these tests, held in one run of Java."""
    complete, by_chance = list[Plan](), list[Plan]()
    for sample in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
        prepared = prepare(Study(sample), engines=False)
        for built in prepared.forms:
            desk = Desk(sample.name, prepared, built, phone_form(prepared, built))
            complete += complete_interviews(desk)
            by_chance += random_interviews(desk)
    plans = (*complete, *by_chance)
    walks = walk([plan.scenario for plan in plans], find_java() or "java")
    held = [
        Held(plan.desk.study, plan.desk.built, plan.tag, plan.answers, plan.scenario, each)
        for plan, each in zip(plans, walks, strict=True)
    ]
    return Family(tuple(held[: len(complete)]), tuple(held[len(complete) :]))


def complete_interviews(desk: Desk) -> Iterator[Plan]:
    """Somebody takes part, in each language; first everything is left blank or mistyped."""
    answers = entered(desk.codebook, enumerator=desk.enumerators[0])
    tried = {v.name: slips(v, answers[v.name]) for v in questions(desk.codebook)}
    for tag in desk.codebook.languages:
        scenario = Scenario(form=desk.form, language=desk.language(tag), answers=tried)
        yield Plan(desk, tag, answers, scenario)


def random_interviews(desk: Desk) -> Iterator[Plan]:
    """Every other time the enumerator goes back and enters something else for some questions."""
    for number in range(RANDOM_INTERVIEWS):
        chance = random.Random(f"{desk.study} {desk.built.key} interview {number}")  # noqa: S311 - the same every time
        answers = at_random(desk.codebook, chance, desk.enumerators)
        other = at_random(desk.codebook, chance, desk.enumerators)
        changed = {
            name: other[name]
            for name in chance.sample(sorted(other), 5 * (number % 2))
            # Of the number typed twice, one time would be wrong.
            if not name.startswith("rid_")
        }
        tag = chance.choice(desk.codebook.languages)
        scenario = Scenario(
            form=desk.form,
            language=desk.language(tag),
            answers={name: text for name, text in answers.items() if text},
            then=(changed,) if changed else (),
        )
        yield Plan(desk, tag, {**answers, **changed}, scenario)


def slips(variable: Variable, answer: str) -> list[str]:
    """Answers that a phone should refuse, then the one it should take."""
    tried = list[str]()
    if variable.required:
        tried.append("")
    if variable.name == "rid_typed":
        tried.append(NOT_A_NUMBER)
    if variable.kind is Kind.INTEGER and variable.low is not None:
        tried.append(str(variable.low - 1))
    return [*tried, answer]


def rows(held: Held) -> dict[str, Row]:
    return {row["name"]: row for row in held.built.form.survey if "name" in row}


def test_every_sample_form_is_walked_in_every_language(family: Family) -> None:
    assert len({(held.study, held.built.key) for held in family.all()}) == 22
    assert len({held.tag for held in family.complete}) >= 9
    for held in family.complete:
        named = tuple(
            column.removeprefix("label::")
            for column in rows(held)["consent"]
            if column.startswith("label::")
        )
        assert held.walk.languages == named
        assert len(named) == len(held.codebook.languages)
        assert held.walk.title == held.codebook.title


def test_labels_and_hints_are_the_codebook_s_for_the_language(family: Family) -> None:
    for held in family.all():
        for screen in held.asked():
            variable = held.codebook.variable(screen.name)
            assert screen.path == variable.path
            assert screen.label == variable.labels[held.tag]
            assert screen.hint == variable.hints.get(held.tag, "")
            # Going back, an interview may already be known to have been stopped.
            if not (variable.required_if and held.scenario.then):
                so_far = {"mode": held.answers["mode"]}
                insists = variable.required and holds(variable.required_if, so_far)
                assert screen.required == insists


def test_choices_are_the_codebook_s_in_its_order_and_for_the_language(family: Family) -> None:
    for held in family.all():
        for screen in held.asked():
            options = held.codebook.variable(screen.name).options
            shown = [(choice.value, choice.label) for choice in screen.choices]
            if options:
                assert shown == [(o.value, o.labels[held.tag]) for o in options]
            elif shown:
                assert screen.name in ("enumerator", "typed_by")


def test_notes_and_headings_are_the_workbook_s_for_the_language(family: Family) -> None:
    for held in family.all():
        row_of, language = rows(held), held.scenario.language
        for screen in held.walk.shown:
            above = screen.path.split("/")[:-1]
            assert screen.label == row_of[screen.name][f"label::{language}"]
            assert screen.hint == row_of[screen.name].get(f"hint::{language}", "")
            assert screen.headings == tuple(
                row_of[block][f"label::{language}"] for block in above
            )


def test_whatever_is_refused_is_refused_in_the_language_of_the_interview(
    family: Family,
) -> None:
    refused = dict.fromkeys(Verdict, 0)
    for held in family.complete:
        row_of, language = rows(held), held.scenario.language
        for screen in held.asked():
            *wrong, right = screen.tries
            row = row_of[screen.name]
            for each in wrong:
                column = "required_message" if each.text == "" else "constraint_message"
                assert each.verdict is (Verdict.CONSTRAINT if each.text else Verdict.REQUIRED)
                assert each.message == row[f"{column}::{language}"]
                refused[each.verdict] += 1
            assert (right.verdict, right.message) == (Verdict.OK, "")
    assert refused[Verdict.REQUIRED] > 500
    assert refused[Verdict.CONSTRAINT] > 40


def test_what_is_asked_is_what_the_codebook_says_is_asked(family: Family) -> None:
    for held in family.all():
        predicted = asked(held.codebook, held.answers, held.sent)

        assert [screen.name for screen in held.asked()] == list(predicted), held


def test_what_is_sent_is_what_was_entered_under_the_paths_of_the_codebook(
    family: Family,
) -> None:
    for held in family.all():
        predicted = asked(held.codebook, held.answers, held.sent)
        paths = {v.path: v for v in held.codebook.variables}
        notes = {screen.path for screen in held.walk.shown} - paths.keys()
        of_the_phone = {"meta/instanceID", "meta/instanceName"}
        sent = {p: text for p, text in held.sent.items() if p not in notes | of_the_phone}

        assert held.sent.keys() >= of_the_phone
        assert {p: t for p, t in sent.items() if p in paths and paths[p].name in predicted} == {
            held.codebook.variable(name).path: text for name, text in predicted.items()
        }, held
        assert sent.keys() - {held.codebook.variable(name).path for name in predicted} == {
            v.path for v in held.codebook.variables if v.kind in (Kind.CALCULATED, Kind.META)
        }, held
        assert not any(held.sent[note] for note in notes if note in held.sent)


def test_a_rehearsal_sends_what_a_phone_would_send_for_the_same_answers(
    family: Family,
) -> None:
    """It works out by itself whose number it is and whether everybody agreed; so does a phone."""
    (person,) = invent_people([Respondent(id=FIRST, group="")], ["anyone"], year=2026, seed=1)
    for held in family.all():
        calculated = {
            v.name: held.sent[v.path]
            for v in held.codebook.variables
            if v.kind is Kind.CALCULATED and v.name not in ("rid", "consent_ok")
        }
        said = {**held.answers, **calculated}
        occasion = Occasion(
            codebook=held.codebook,
            wave=0,
            day=date(2026, 3, 1),
            rng=random.Random(1),  # noqa: S311 - nothing is left to chance
        )

        filled = fill_in(occasion, person, said)

        assert {
            n: text for n, text in filled.items() if n not in ("start", "end", "today")
        } == {
            v.name: held.sent[v.path]
            for v in held.codebook.variables
            if v.role not in (Role.HIDDEN, Role.META) and held.sent.get(v.path)
        }, held


def test_what_the_form_says_of_itself_is_in_every_submission(family: Family) -> None:
    for held in family.all():
        codebook = held.codebook
        assert [held.sent[f"kx_{name}"] for name in ("study", "group", "wave", "build")] == [
            *(codebook.study, codebook.group, codebook.wave, codebook.build_id),
        ]
        assert all(held.sent[name] for name in ("start", "end", "today"))


def test_every_interview_can_be_finished_and_sent(family: Family) -> None:
    for held in family.all():
        assert (held.walk.outcome, held.walk.failed) == (Verdict.OK, ""), held
    for held in family.random:
        refused = [t for screen in held.asked() for t in screen.tries if t.verdict != "OK"]
        assert refused == [], held


def test_the_random_interviews_went_every_way_there_is(family: Family) -> None:
    """So that nothing above is proved of complete interviews only."""
    by_form = dict[tuple[str, str], list[Held]]()
    for held in family.random:
        by_form.setdefault((held.study, held.built.key), []).append(held)
    for interviews in by_form.values():
        agreed = {held.sent["consent_ok"] for held in interviews}
        ways = {tuple(s.name for s in held.asked()) for held in interviews}
        assert agreed == {"0", "1"}
        assert len(ways) >= 4
    assert {len(held.walk.rounds) for held in family.random} == {1, 2}
    names = {v.name for held in family.random for v in questions(held.codebook)}
    assert names == {screen.name for held in family.random for screen in held.asked()}
