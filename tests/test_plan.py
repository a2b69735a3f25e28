"""Which form asks which items of whom, at which wave, and why the rest is left out."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from kobosmix.bank.model import LONGEST_NAME
from kobosmix.context import Context, read_context
from kobosmix.findings import Severity
from kobosmix.plan import (
    VERIFICATION_KEYS,
    FormPlan,
    Plan,
    chosen_concepts,
    plan_study,
    too_long,
)
from tests.english_study import CONTEXT, bank, built, changed, line_of, prepare_text, said

# A longer name than Stata takes would be cut, and two cut names may be one.
STATA_LIMIT = 32

THREE_GROUPS = CONTEXT.replace(
    "    asked_about: [syrians]", "    asked_about: [syrians, afghans]"
).replace(
    """\
    asked_about: [locals]
    names:
      en: {pl: Syrians, adj: Syrian}
""",
    """\
    asked_about: [locals, afghans]
    names:
      en: {pl: Syrians, adj: Syrian}
  afghans:
    role: newcomer
    languages: [en]
    speaks: ps
    asked_about: [locals, syrians]
    names:
      en: {pl: Afghans, adj: Afghan}
""",
)


def context_of(folder: Path, text: str) -> Context:
    path = folder / "context.yaml"
    path.write_text(text, encoding="utf-8")
    reading = read_context(path, bank())
    assert reading.findings == ()
    assert reading.context is not None
    return reading.context


def plan_of(folder: Path, text: str = CONTEXT) -> Plan:
    return plan_study(bank(), context_of(folder, text))


def choosing(*concepts: str, ask: str = "") -> str:
    """The small study with these concepts."""
    line = "concepts: [core, characteristics, prior_contact, programme_contact]"
    return changed(
        (line, f"concepts: [{', '.join(concepts)}]" + (f"\nask: {ask}" if ask else ""))
    )


def form(plan: Plan, key: str) -> FormPlan:
    return next(each for each in plan.forms if each.key == key)


def names(plan: Plan, key: str) -> list[str]:
    return [item.name for item in form(plan, key).items]


def concepts_of(plan: Plan, key: str) -> list[str]:
    return [block.concept.id for block in form(plan, key).blocks]


def reasons(plan: Plan, key: str) -> dict[str, str]:
    return {left.what: left.reason for left in form(plan, key).left_out}


def test_there_is_one_form_for_each_wave_and_group_in_the_order_of_the_context(
    tmp_path: Path,
) -> None:
    keys = [each.key for each in plan_of(tmp_path).forms]

    assert keys == [f"{wave}_{group}" for wave in ("pre", "post", "fu") for group in ("locals", "syrians")]  # fmt: skip


def test_core_stands_for_the_six_concepts_of_the_first_section(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, choosing("core"))

    core = ["attitudes", "anxiety", "empathy", "trust", "metaperceptions", "willingness"]
    assert {tuple(concepts_of(plan, each.key)) for each in plan.forms} == {tuple(core)}
    assert {len(each.items) for each in plan.forms} == {19}


def test_only_newcomers_are_asked_whether_they_are_made_to_feel_welcome(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, choosing("welcoming"))

    assert names(plan, "pre_locals") == ["welcoming_1"]
    assert names(plan, "pre_syrians") == ["welcoming_1", "welcoming_2"]
    assert reasons(plan, "pre_locals")["welcoming_2"] == "asked of the newcomer side only"


def test_threat_and_immigration_are_asked_of_the_host_side_only(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, choosing("core", "threat", "immigration"))

    assert {"threat", "immigration"} <= set(concepts_of(plan, "fu_locals"))
    assert not {"threat", "immigration"} & set(concepts_of(plan, "fu_syrians"))
    assert reasons(plan, "fu_syrians")["threat"] == "asked of the host side only"


def test_a_group_that_is_neither_host_nor_newcomer_gets_what_is_for_all(tmp_path: Path) -> None:
    text = choosing("core", "threat", "welcoming").replace("role: host", "role: neither")

    asked = names(plan_of(tmp_path, text), "pre_locals")

    assert "welcoming_1" in asked
    assert not {"welcoming_2", "threat_1"} & set(asked)


@pytest.mark.parametrize(
    ("concept", "role", "given", "others"),
    [
        ("threat", "newcomer", "pre_syrians", {"threat_1", "threat_2", "threat_3", "threat_4"}),
        ("welcoming", "host", "pre_locals", {"welcoming_1", "welcoming_2"}),
    ],
)
def test_ask_gives_a_concept_to_another_role_and_takes_it_from_none(
    tmp_path: Path, concept: str, role: str, given: str, others: set[str]
) -> None:
    without = plan_of(tmp_path, choosing("core", concept))
    with_ = plan_of(tmp_path, choosing("core", concept, ask=f"{{{concept}: [{role}]}}"))

    assert not others <= set(names(without, given))
    assert others <= set(names(with_, given))
    other = "pre_syrians" if given == "pre_locals" else "pre_locals"
    assert names(with_, other) == names(without, other)


def test_contact_before_is_asked_before_and_contact_in_the_programme_after(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path)

    asked = {each.key: set(concepts_of(plan, each.key)) for each in plan.forms}

    assert {key for key, ids in asked.items() if "prior_contact" in ids} == {
        "pre_locals", "pre_syrians",
    }  # fmt: skip
    assert {key for key, ids in asked.items() if "programme_contact" in ids} == {
        "post_locals", "post_syrians",
    }  # fmt: skip
    assert (
        reasons(plan, "post_locals")["prior_contact"] == "not asked at this wave, only at: pre"
    )


def test_behaviour_is_asked_only_where_it_is_named(tmp_path: Path) -> None:
    behaviour = {"signup", "attendance", "crossing"}
    every_other = sorted(bank().concepts.keys() - behaviour)
    unnamed = plan_of(tmp_path, choosing("core", *every_other))
    named = plan_of(tmp_path, choosing("core", "crossing", "signup"))

    assert not any(behaviour & set(concepts_of(unnamed, each.key)) for each in unnamed.forms)
    assert "crossing" in concepts_of(named, "pre_locals")
    assert "signup" not in concepts_of(named, "pre_locals")
    assert {"crossing", "signup"} <= set(concepts_of(named, "post_locals"))


def test_ethnicity_and_religion_are_asked_only_where_they_are_named(tmp_path: Path) -> None:
    default = names(plan_of(tmp_path, choosing("characteristics")), "pre_locals")
    named = names(plan_of(tmp_path, choosing("characteristics", "religion")), "pre_locals")

    assert default == ["education", "disability", "displacement"]
    assert named == [*default, "religion"]


def test_the_keys_of_matching_are_never_planned_as_items(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    asked = {item.item.id for each in plan.forms for item in each.items}

    assert not asked & set(VERIFICATION_KEYS)


def test_what_is_sensitive_comes_last_and_the_banks_order_is_kept_otherwise(
    tmp_path: Path,
) -> None:
    everything = context_of(tmp_path, choosing("core", *sorted(bank().concepts)))

    chosen = chosen_concepts(bank(), everything)

    sensitive = [concept.sensitive for concept in chosen]
    assert sensitive == sorted(sensitive)
    assert set(sensitive) == {False, True}
    order = list(bank().concepts)
    for one, next_ in pairwise(chosen):
        if one.sensitive == next_.sensitive:
            assert order.index(one.id) < order.index(next_.id)


def test_naming_one_item_does_not_ask_the_rest_of_its_concept(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, choosing("core", "ethnicity"))

    asked = names(plan, "pre_locals")

    assert "ethnicity" in asked
    assert not {"education", "disability", "displacement", "religion"} & set(asked)


def test_outcomes_stand_in_the_same_order_at_every_wave(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, choosing("core", *sorted(bank().concepts)))

    orders = [names(plan, f"{wave}_locals") for wave in ("pre", "post", "fu")]

    common = set.intersection(*map(set, orders))
    assert len(common) > 50
    assert len({tuple(name for name in order if name in common) for order in orders}) == 1


def test_an_item_about_two_groups_names_the_group_it_is_about(tmp_path: Path) -> None:
    codebook = built(tmp_path, THREE_GROUPS).codebook

    trust = {other: codebook.variable(f"trust_2__{other}") for other in ("syrians", "afghans")}

    assert {other: variable.about for other, variable in trust.items()} == {o: o for o in trust}
    assert "Syrians" in trust["syrians"].labels["en"]
    assert "Afghans" in trust["afghans"].labels["en"]


def test_a_group_asked_about_two_others_is_asked_each_item_about_both(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, THREE_GROUPS)

    assert len(plan.forms) == 9
    for respondents, others in {
        "locals": ("syrians", "afghans"),
        "syrians": ("locals", "afghans"),
        "afghans": ("locals", "syrians"),
    }.items():
        asked = form(plan, f"pre_{respondents}")
        about = {item.name: item.about for item in asked.items}
        for other in others:
            assert about[f"trust_1__{other}"] == other
            assert about[f"prior_contact_2__{other}"] == other
        assert "trust_1" not in about
        assert f"trust_1__{respondents}" not in about


def test_what_names_no_group_is_asked_once_however_many_others_there_are(
    tmp_path: Path,
) -> None:
    text = THREE_GROUPS.replace("[core, ", "[core, responsibility, hope, gen_trust, ")

    asked = names(plan_of(tmp_path, text), "pre_locals")

    once = [each for each in asked if each.startswith(("responsibility_3", "hope_1", "gen_trust_1", "education"))]  # fmt: skip
    assert sorted(once) == ["education", "gen_trust_1", "hope_1", "responsibility_3"]
    assert {"responsibility_1__syrians", "responsibility_1__afghans"} <= set(asked)
    assert {"hope_2__syrians", "hope_2__afghans"} <= set(asked)


def test_names_are_unique_and_with_their_wave_fit_stata_with_three_groups(
    tmp_path: Path,
) -> None:
    every = ", ".join(sorted(bank().concepts))
    plan = plan_of(tmp_path, THREE_GROUPS.replace("[core, characteristics, prior_contact, programme_contact]", f"[{every}]"))  # fmt: skip

    for each in plan.forms:
        lowered = [item.name.lower() for item in each.items]
        assert len(lowered) == len(set(lowered)) > 80
        assert max(len(f"{each.wave.id}_{name}") for name in lowered) <= STATA_LIMIT
    assert too_long(plan) == []


def test_a_name_that_stata_would_cut_is_an_error_that_names_it(tmp_path: Path) -> None:
    text = THREE_GROUPS.replace("syrians", "syrians_of_the_north")

    prepared = prepare_text(tmp_path, text)

    told = [problem for _, _, problem in said(prepared, "P102")]
    assert any("'prior_contact_1__syrians_of_the_north'" in problem for problem in told)
    assert prepared.forms == ()
    assert len("prior_contact_1__syrians_of_the_north") > LONGEST_NAME


def test_a_form_that_would_ask_nothing_is_an_error(tmp_path: Path) -> None:
    text = choosing("prior_contact")

    told = said(prepare_text(tmp_path, text), "P101")

    assert {problem for _, _, problem in told} == {
        f"the form {wave}_{group} would ask nothing"
        for wave in ("post", "fu")
        for group in ("locals", "syrians")
    }
    assert {line for _, line, _ in told} == {line_of(text, "concepts:")}


def test_a_chosen_concept_that_no_form_asks_is_told_with_the_reason(tmp_path: Path) -> None:
    no_post = changed(
        ("  post:\n    windows:\n      all: {opens: 2026-04-20, closes: 2026-05-08}\n", "")
    )

    ((_, _, problem),) = said(prepare_text(tmp_path, no_post), "P106")

    assert problem == "no form asks 'programme_contact': not asked at this wave, only at: post"


def test_an_interview_longer_than_respondents_are_told_is_a_warning(tmp_path: Path) -> None:
    prepared = prepare_text(tmp_path, changed(("minutes: 90", "minutes: 5")))

    told = [each for each in prepared.findings if each.code == "P103"]
    assert {each.problem.split()[0] for each in told} == {each.key for each in prepared.forms}
    assert {each.severity for each in told} == {Severity.WARNING}
    assert said(prepare_text(tmp_path, CONTEXT), "P103") == []


def test_the_estimated_minutes_grow_by_the_seconds_of_each_item_asked(tmp_path: Path) -> None:
    short = form(plan_of(tmp_path, choosing("core")), "pre_locals")
    longer = form(plan_of(tmp_path, choosing("core", "gen_trust")), "pre_locals")

    added = 2 * bank().concepts["gen_trust"].seconds_per_item
    assert longer.minutes - short.minutes == pytest.approx(added / 60)
