"""Nothing a team chose is left out without a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from kobosmix.plan import FormPlan, kind_of_wave, plan_study
from tests.english_study import bank, changed, prepare_text, said
from tests.strategies import contexts

# Three groups, each asked about the two others.
THREE = changed(
    ("asked_about: [syrians]", "asked_about: [syrians, roma]"),
    ("asked_about: [locals]", "asked_about: [locals, roma]"),
    (
        "own_group:",
        "  roma:\n    role: neither\n    languages: [en]\n    speaks: tr\n"
        "    asked_about: [locals, syrians]\n    names: {en: {pl: Roma, adj: Romani}}\nown_group:",
    ),
    ("prior_contact,", "prior_contact, responsibility, hope, threat, language, welcoming,"),
)


def forms_of(folder: Path, text: str) -> dict[str, FormPlan]:
    context = prepare_text(folder, text).sound()
    return {form.key: form for form in plan_study(bank(), context).forms}


def names_of(form: FormPlan, concept: str) -> list[str]:
    blocks = [block for block in form.blocks if block.concept.id == concept]
    return [item.name for block in blocks for item in block.items]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(context=contexts())
def test_every_chosen_item_is_asked_or_left_out_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]
) -> None:
    read = prepare_text(tmp_path_factory.mktemp("study"), context).sound()

    for form in plan_study(bank(), read).forms:
        left_out = {left.what for left in form.left_out}
        asked = {item.item.id for item in form.items}
        for id_ in set(read.concepts) - {"core"}:
            concept = bank().concepts[id_]
            items = {item.id for item in concept.items} - {"birth_year", "age", "gender"}
            assert id_ in left_out or items == (items & asked) | (items & left_out)
        assert not asked & left_out
        assert all(left.reason for left in form.left_out)


def test_what_names_no_group_is_asked_once_even_in_a_concept_about_groups(
    tmp_path: Path,
) -> None:
    form = forms_of(tmp_path, THREE)["pre_roma"]

    assert names_of(form, "responsibility") == [
        *("responsibility_1__locals", "responsibility_2__locals"),
        *("responsibility_3", "responsibility_4"),
        *("responsibility_1__syrians", "responsibility_2__syrians"),
    ]
    assert names_of(form, "hope").count("hope_1") == 1


def test_language_is_asked_of_each_group_that_meets_another_language(tmp_path: Path) -> None:
    forms = forms_of(tmp_path, THREE)

    for group in ("locals", "syrians", "roma"):
        assert names_of(forms[f"pre_{group}"], "language") == ["language_1", "language_2"]


def test_a_long_group_code_does_no_harm_where_one_other_group_is_asked_about(
    tmp_path: Path,
) -> None:
    text = changed().replace("syrians", "syrians_of_laketown")

    assert said(prepare_text(tmp_path, text)) == []


def test_a_second_follow_up_asks_what_a_follow_up_asks(tmp_path: Path) -> None:
    forms = forms_of(tmp_path, changed(("  fu: {}", "  fu: {}\n  fu2: {}")))

    assert forms["fu2_locals"].items == forms["fu_locals"].items
    assert [kind_of_wave(each) for each in ("pre", "post", "fu", "fu9")] == [
        *("pre", "post", "fu", "fu")
    ]


def test_a_concept_that_comes_down_to_one_item_is_said_to_have_no_reliability(
    tmp_path: Path,
) -> None:
    found = said(prepare_text(tmp_path, changed(("prior_contact,", "welcoming,"))), "P104")

    assert [problem for _, _, problem in found] == [
        "'welcoming' comes down to one item for 'locals', so it has no reliability"
    ]
