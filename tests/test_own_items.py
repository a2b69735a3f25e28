"""Concepts, items and scales that a team adds in its study folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobosmix.codebook import Role
from kobosmix.conditions import holds
from kobosmix.errors import InputError
from kobosmix.prepare import prepare
from kobosmix.study import Study
from tests.english_study import CONTEXT, write_study

CONCEPT = """\
concepts:
  - id: own_food
    section: own
    title: Sharing food
    score_name: Openness to sharing food
    measures: "Whether people would eat together."
    direction: up
    about: group
    items:
      - id: own_food_1
        text: "I would gladly eat a meal with [group.pl]."
        intent: "Willingness to share a table."
        scale: own_glad
"""
SCALES = """\
scales:
  - id: own_glad
    title: Gladness
    kind: ordinal
    options:
      - {value: "1", label: not gladly}
      - {value: "2", label: gladly}
"""


def study_with(folder: Path, concepts: str = CONCEPT, scales: str = SCALES) -> Path:
    write_study(folder, CONTEXT.replace("concepts: [", "concepts: [own_food, ", 1))
    (folder / "item_templates" / "concepts").mkdir(parents=True)
    (folder / "item_templates" / "concepts" / "food.yaml").write_text(concepts, "utf-8")
    (folder / "item_templates" / "scales.yaml").write_text(scales, "utf-8")
    return folder


def test_an_item_of_ones_own_is_asked_with_its_own_scale(tmp_path: Path) -> None:
    prepared = prepare(Study(study_with(tmp_path)), engines=False)

    codebook = next(f.codebook for f in prepared.forms if f.key == "pre_locals")
    asked = codebook.variable("own_food_1")
    assert asked.role is Role.ITEM
    assert asked.labels["en"] == "I would gladly eat a meal with Syrians."
    assert [o.english for o in asked.options][:2] == ["not gladly", "gladly"]


@pytest.mark.parametrize(
    ("change", "code", "problem"),
    [
        (("id: own_food_1", "id: trust_1"), "B102", "used already"),
        (("id: own_food\n", "id: food\n"), "B108", "'food' is an id of your own"),
        (("section: own", 'section: "4.1"'), "B108", "in no section of the toolkit"),
        (("scale: own_glad", "scale: own_happy"), "B103", "no scale 'own_happy'"),
        (("[group.pl]", "[group.plural]"), "B104", "no form 'plural'"),
        (("[group.pl]", "[group.pl"), "B104", "a bracket"),
    ],
)
def test_an_own_concept_is_checked_like_the_banks(
    tmp_path: Path, change: tuple[str, str], code: str, problem: str
) -> None:
    study = Study(study_with(tmp_path, CONCEPT.replace(*change)))

    with pytest.raises(InputError) as refused:
        prepare(study, engines=False)

    found = [f for f in refused.value.findings if f.code == code and problem in f.problem]
    assert found
    assert found[0].place.file == "food.yaml"
    assert found[0].place.line > 0


def test_what_an_own_item_lacks_in_a_language_is_a_missing_translation(tmp_path: Path) -> None:
    study = study_with(tmp_path)
    (study / "translations").mkdir()
    (study / "translations" / "tr.po").write_text(
        'msgid ""\nmsgstr ""\n\nmsgctxt "item.own_food_1"\n'
        'msgid "I would gladly eat a meal with [group.pl]."\n'
        'msgstr "[Group.ins_pl] seve seve yemek yerim."\n',
        "utf-8",
    )

    prepared = prepare(Study(study), engines=False)

    assert prepared.wording is not None
    assert prepared.wording.source("item.own_food_1").startswith("I would gladly")
    assert "own_food" in prepared.bank.concepts


SEVERAL = """\
concepts:
  - id: own_food
    section: own
    title: Sharing food
    score_name: Openness to sharing food
    measures: "Whether people would eat together."
    direction: up
    about: group
    items:
      - id: own_cooks
        text: "Do you cook at home?"
        scale: yes_no
      - id: own_food_1
        text: "Which dish of [group.pl] do you like?"
        scale: own_dish
        specify: {id: own_food_1_t, text: "Which other dish?", when: "3"}
        asked_if: {item: own_cooks, equals: "1"}
      - id: own_meals
        text: "How many meals did you share with [group.pl]?"
        answer: {kind: integer}
"""
DISHES = """\
scales:
  - id: own_dish
    title: Dishes
    options:
      - {value: "1", label: soup}
      - {value: "2", label: bread}
      - {value: "3", label: another}
"""
ROMA = (
    "own_group:",
    "  roma:\n    role: neither\n    languages: [en]\n    speaks: en\n    asked_about: [locals]\n"
    "    names:\n      en: {pl: Roma, adj: Romani}\nown_group:",
)


def test_beside_two_groups_each_text_and_route_has_its_own_name(tmp_path: Path) -> None:
    folder = study_with(tmp_path, SEVERAL, DISHES)
    context = Study(folder).context_file
    text = context.read_text("utf-8").replace(*ROMA, 1)
    context.write_text(
        text.replace("asked_about: [syrians]", "asked_about: [syrians, roma]"), "utf-8"
    )

    prepared = prepare(Study(folder))
    prepared.sound()

    codebook = next(f.codebook for f in prepared.forms if f.key == "pre_locals")
    names = [v.name for v in codebook.variables if v.concept == "own_food"]
    assert len(names) == len(set(names))
    assert {"own_food_1_t__syrians", "own_food_1_t__roma", "own_cooks"} <= set(names)
    agreed = {"consent_ok": "1", "own_cooks": "1", "own_food_1__roma": "3"}
    assert holds(codebook.variable("own_food_1__syrians").asked_if, agreed)
    assert holds(codebook.variable("own_food_1_t__roma").asked_if, agreed)
    assert not holds(codebook.variable("own_food_1_t__syrians").asked_if, agreed)
    meals = codebook.variable("own_meals__roma")
    assert (meals.low, meals.high) == (0, 999_999_999)


@pytest.mark.parametrize(
    ("concepts", "scales", "code"),
    [
        (
            SEVERAL.replace("{kind: integer}", "{kind: integer, min: 10, max: 5}"),
            DISHES,
            "B101",
        ),
        (SEVERAL, DISHES.replace('"3", label', '"98", label').replace('"3"', '"98"'), "B109"),
    ],
)
def test_what_nobody_could_answer_is_a_finding(
    tmp_path: Path, concepts: str, scales: str, code: str
) -> None:
    with pytest.raises(InputError) as refused:
        prepare(Study(study_with(tmp_path, concepts, scales)), engines=False)

    assert code in {f.code for f in refused.value.findings}
