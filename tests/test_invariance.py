"""Waves and groups are asked the same, and what is not the same is found and named."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kobosmix.build import write_build
from kobosmix.codebook import Codebook, Kind, NoteEntry, Variable
from kobosmix.conditions import Equals, both
from kobosmix.errors import InputError
from kobosmix.findings import Severity
from kobosmix.invariance import FormVersion, Grounds, Proof, Standing, prove
from kobosmix.invariance.check import check_invariance
from kobosmix.invariance.model import Pair, Relation, What
from kobosmix.prepare import Prepared, prepare
from kobosmix.pulling import pull_study
from kobosmix.store import open_store
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, read_rows, workbook_bytes
from tests.english_study import ENUMERATORS, changed, prepare_text, write_study
from tests.kobo_double import kobo_double, row
from tests.strategies import contexts
from tests.test_own_items import SCALES, study_with

SAMPLES = Path(__file__).parent.parent / "sample_forms"
NAMES = ("gaziantep", "bosnia", "ecuador", "tunisia")


def copied(name: str, folder: Path) -> Study:
    """What people wrote of a sample study, without what was built of it."""
    for file in ("context.yaml", "enumerators.xlsx"):
        if (SAMPLES / name / file).exists():
            shutil.copyfile(SAMPLES / name / file, folder / file)
    return Study(folder)


@cache
def sample(name: str) -> Prepared:
    """A sample study, prepared once."""
    with tempfile.TemporaryDirectory() as folder:
        return prepare(copied(name, Path(folder)), engines=False)


def pair(proof: Proof, a: str, b: str) -> Pair:
    """The two forms compared, by their keys."""
    (found,) = [p for p in proof.pairs if (p.a.key, p.b.key) == (a, b)]
    return found


def accepted(found: Pair, variable: str, what: What) -> str:
    """Why this difference is accepted."""
    (difference,) = [d for d in found.accepted if (d.variable, d.what) == (variable, what)]
    return difference.reason


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_studies_ask_every_wave_and_group_the_same(name: str) -> None:
    prepared = sample(name)
    forms = {form.key for form in prepared.forms}

    assert {key for p in prepared.proof.pairs for key in (p.a.key, p.b.key)} == forms
    assert [d for p in prepared.proof.pairs for d in p.unexpected] == []
    assert all(p.compared > 70 for p in prepared.proof.pairs)
    assert [f for f in prepared.findings if f.code.startswith("I")] == []


@pytest.mark.parametrize(("name", "pairs"), [("gaziantep", 9), ("bosnia", 9), ("ecuador", 4)])
def test_each_two_waves_of_a_group_and_each_two_groups_of_a_wave_are_compared(
    name: str, pairs: int
) -> None:
    proof = sample(name).proof

    assert len(proof.pairs) == pairs
    assert {p.relation for p in proof.pairs} == {Relation.WAVES, Relation.GROUPS}
    assert str(proof).startswith(f"{pairs} pairs of forms compared: ")


@pytest.mark.parametrize(
    ("variable", "what", "reason"),
    [
        ("prior_contact_1", What.NOT_ASKED, "not asked at this wave, only at: pre"),
        ("prog_contact_1", What.NOT_ASKED, "not asked at this wave, only at: post"),
        ("programme_contact_intro", What.NOT_ASKED, "not asked at this wave, only at: post"),
        (
            "took_part",
            What.NOT_ASKED,
            "it decides on questions that are not asked: not asked at",
        ),
        ("same_enumerator", What.NOT_ASKED, "only for people who were interviewed before"),
        ("education", What.ROUTING, "only of those of whom it is not known yet"),
    ],
)
def test_what_later_waves_do_otherwise_is_listed_with_the_reason(
    variable: str, what: What, reason: str
) -> None:
    assert reason in accepted(
        pair(sample("gaziantep").proof, "pre_turks", "post_turks"), variable, what
    )


def test_what_one_group_is_not_asked_is_listed_with_the_reason() -> None:
    groups = pair(sample("gaziantep").proof, "pre_turks", "pre_syrians")

    assert accepted(groups, "threat_1", What.NOT_ASKED) == "asked of the host side only"
    assert "in its own languages" in accepted(groups, "", What.LANGUAGES)


def test_two_groups_with_one_language_hear_one_sentence_with_other_names() -> None:
    groups = pair(sample("ecuador").proof, "pre_ecu", "pre_ven")

    renamed = [d for d in groups.accepted if d.what is What.WORDS]
    assert len(renamed) > 20
    assert all("one sentence with other names in it: [group." in d.reason for d in renamed)
    assert all(d.in_a != d.in_b for d in renamed)


def test_items_about_each_of_several_groups_are_counterparts_of_each_other() -> None:
    proof = sample("bosnia").proof
    groups = pair(proof, "pre_bos", "pre_hrv")

    assert groups.compared > 100
    assert "order that context.yaml gives" in accepted(groups, "", What.ORDER)
    assert [d for d in groups.differences if d.what is What.NOT_ASKED] == []


# One thing changed


@cache
def english() -> Prepared:
    """The study by the lake: two groups in one language, three waves."""
    with tempfile.TemporaryDirectory() as folder:
        return prepare_text(Path(folder))


def proof_with(key: str, change: Callable[[Codebook], Codebook]) -> Proof:
    """The proof of the English study, with one form changed."""
    prepared = english()
    assert prepared.wording is not None
    versions = [
        FormVersion(
            codebook=change(form.codebook) if form.key == key else form.codebook,
            left_out={left.what: left.reason for left in form.plan.left_out},
        )
        for form in prepared.forms
    ]
    renderings = tuple(prepared.wording.renderings.values())
    return prove(versions, Grounds(renderings, frozenset({"same_enumerator", "intro_again"})))


def unexpected(proof: Proof, a: str, b: str) -> list[tuple[What, str]]:
    return [(d.what, d.variable) for d in pair(proof, a, b).unexpected]


def with_variable(which: str, **facts: Any) -> Callable[[Codebook], Codebook]:
    def change(book: Codebook) -> Codebook:
        return replace(
            book,
            variables=tuple(
                replace(v, **facts) if v.name == which else v for v in book.variables
            ),
        )

    return change


def code_changed(v: Variable) -> Variable:
    first, *rest = v.options
    return replace(v, options=(replace(first, value="71"), *rest))


def codes_reversed(v: Variable) -> Variable:
    asked = [o for o in v.options if not o.missing]
    return replace(v, options=(*reversed(asked), *(o for o in v.options if o.missing)))


def labels_moved(v: Variable) -> Variable:
    one, two, *rest = v.options
    return replace(
        v,
        options=(
            replace(one, english=two.english, labels=two.labels),
            replace(two, english=one.english, labels=one.labels),
            *rest,
        ),
    )


def label_reworded(v: Variable) -> Variable:
    first, *rest = v.options
    return replace(v, options=(replace(first, labels={"en": "Otherwise"}), *rest))


def labels_swapped_in_one_language(v: Variable) -> Variable:
    one, two, *rest = v.options
    swapped = replace(one, labels=two.labels), replace(two, labels=one.labels)
    return replace(v, options=(*swapped, *rest))


def no_missing(v: Variable) -> Variable:
    return replace(v, options=tuple(o for o in v.options if not o.missing))


RATED: Sequence[tuple[Callable[[Variable], Variable], What]] = [
    (code_changed, What.CODES),
    (codes_reversed, What.CODES),
    (labels_moved, What.MEANING),
    (label_reworded, What.LABELS),
    (labels_swapped_in_one_language, What.MEANING),
    (no_missing, What.MISSING_CODES),
    (lambda v: replace(v, scale="other_5"), What.SCALE),
    (lambda v: replace(v, kind=Kind.INTEGER, options=()), What.KIND),
    (lambda v: replace(v, reversed=not v.reversed), What.DIRECTION),
    (lambda v: replace(v, concept="elsewhere"), What.CONCEPT),
    (lambda v: replace(v, low=1, high=7), What.LIMITS),
    (lambda v: replace(v, required=not v.required), What.REQUIRED),
    (lambda v: replace(v, asked_if=both(v.asked_if, Equals("gender", "1"))), What.ROUTING),
    (lambda v: replace(v, english=v.english + " Really."), What.ENGLISH),
    (lambda v: replace(v, labels={"en": v.labels["en"] + " Really."}), What.WORDS),
    (lambda v: replace(v, hints={"en": "Look at the sky."}), What.HINT),
]
ERRORS = {
    *(What.CODES, What.MEANING, What.SCALE, What.KIND, What.DIRECTION, What.CONCEPT),
    *(What.LIMITS, What.ROUTING, What.ORDER, What.NOT_ASKED),
}


def rated_items() -> list[str]:
    book = next(f.codebook for f in english().forms if f.key == "post_locals")
    earlier = next(f.codebook for f in english().forms if f.key == "pre_locals")
    names = {v.name for v in earlier.variables}
    return [v.name for v in book.items() if v.rated and v.name in names]


@settings(max_examples=40)
@given(data=st.data())
def test_one_thing_changed_in_one_form_is_found_and_nothing_else(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(rated_items()))
    change, what = data.draw(st.sampled_from(RATED))

    def changed_form(book: Codebook) -> Codebook:
        return replace(
            book, variables=tuple(change(v) if v.name == name else v for v in book.variables)
        )

    proof = proof_with("post_locals", changed_form)

    # Against each other wave, and against the other group where it is asked of it at all.
    assert unexpected(proof, "pre_locals", "post_locals") == [(what, name)]
    assert unexpected(proof, "post_locals", "fu_locals") == [(what, name)]
    assert unexpected(proof, "pre_locals", "fu_locals") == []
    assert unexpected(proof, "post_locals", "post_syrians") == [(what, name)]
    severities = {f.severity for f in check_invariance(proof)}
    assert severities == {Severity.ERROR if what in ERRORS else Severity.WARNING}


@settings(max_examples=40)
@given(data=st.data())
def test_a_question_that_moved_is_the_one_that_is_named(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(rated_items()[1:]))

    def moved(book: Codebook) -> Codebook:
        # Behind everything: the one that moved is named, not the many it jumped over.
        rest = [v for v in book.variables if v.name != name]
        return replace(book, variables=(*rest, book.variable(name)))

    proof = proof_with("post_locals", moved)

    assert unexpected(proof, "pre_locals", "post_locals") == [(What.ORDER, name)]
    assert {(f.code, f.severity) for f in check_invariance(proof)} == {("I102", Severity.ERROR)}


@settings(max_examples=40)
@given(data=st.data())
def test_a_question_left_out_without_a_reason_is_found(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(rated_items()))

    def without(book: Codebook) -> Codebook:
        return replace(book, variables=tuple(v for v in book.variables if v.name != name))

    proof = proof_with("post_locals", without)

    assert unexpected(proof, "pre_locals", "post_locals") == [(What.NOT_ASKED, name)]
    assert {(f.code, f.severity) for f in check_invariance(proof)} == {("I105", Severity.ERROR)}


@settings(max_examples=40)
@given(data=st.data())
def test_an_instruction_in_other_words_is_found(data: st.DataObject) -> None:
    form = next(f.codebook for f in english().forms if f.key == "post_locals")
    shared = {n.name for f in english().forms if f.key == "fu_locals" for n in f.codebook.notes}
    names = [n.name for n in form.notes if n.name in shared and not n.name.startswith("about_")]
    name = data.draw(st.sampled_from(names))

    def reworded(note: NoteEntry) -> NoteEntry:
        return replace(note, labels={"en": "Otherwise."}) if note.name == name else note

    proof = proof_with(
        "post_locals", lambda book: replace(book, notes=tuple(map(reworded, book.notes)))
    )

    assert unexpected(proof, "post_locals", "fu_locals") == [(What.WORDS, name)]
    is_before_items = name.endswith("_intro")
    expected = Severity.WARNING if is_before_items else Severity.NOTICE
    assert {f.severity for f in check_invariance(proof)} == {expected}


def test_a_variable_under_another_name_is_no_longer_the_same_column() -> None:
    proof = proof_with("post_locals", with_variable("trust_1", name="trust_1__syrians"))

    found = unexpected(proof, "pre_locals", "post_locals")

    assert (What.NAME, "trust_1") in found


def test_what_the_team_notes_for_itself_is_told_without_alarm() -> None:
    proof = proof_with("post_locals", with_variable("attempt", required=False))

    assert unexpected(proof, "pre_locals", "post_locals") == [(What.REQUIRED, "attempt")]
    assert {f.severity for f in check_invariance(proof)} == {Severity.NOTICE}


def test_the_finding_says_what_where_and_what_to_do() -> None:
    proof = proof_with("post_locals", with_variable("trust_1", reversed=True))

    finding = next(iter(check_invariance(proof)))

    assert str(finding).splitlines() == [
        "the forms: pre_locals and post_locals",
        "  error I103: post_locals counts otherwise than pre_locals: trust_1, direction: "
        "'reversed, rated', there 'not reversed, rated'",
        "  Put 'reversed' and the concept of the item back; or give the item an id of its own.",
    ]


# What a team does


OVERRIDE = """\
format: 1
overrides:
  - key: item.trust_1
    language: en
    group: locals
    text: "Nearly all Syrians can be trusted."
    about: syrians
    reason: "'deserve' was not understood in the pretest"
    by: Ann
    on: 2026-01-15
"""


def override(study: Study, text: str = OVERRIDE) -> None:
    study.translations_folder.mkdir(exist_ok=True)
    (study.translations_folder / "overrides.yaml").write_text(text, encoding="utf-8")


def test_other_words_for_one_group_are_accepted_with_their_reason(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    override(study)

    proof = prepare(study, engines=False).proof

    assert [d for p in proof.pairs for d in p.unexpected] == []
    groups = pair(proof, "pre_locals", "pre_syrians")
    reason = accepted(groups, "trust_1", What.WORDS)
    assert "not understood in the pretest (Ann, 2026-01-15)" in reason


def fielded(study: Study, *keys: str, answered: bool = True) -> dict[str, str]:
    """The study as it is, built and deployed; these forms have answers. Their build ids."""
    prepared = prepare(study, engines=False)
    write_build(prepared)
    builds = {form.key: form.codebook.build_id for form in prepared.forms}
    deployments = {
        key: {"server": "https://eu.example", "uid": f"a{key}", "build_id": builds[key]}
        for key in keys
    }
    study.remember(deployments=deployments)
    if answered:
        study.remember(answered=[builds[key] for key in keys])
    return builds


def said(study: Study) -> list[tuple[str, Severity]]:
    found = prepare(study, engines=False).findings
    return [(f.code, f.severity) for f in found if f.code.startswith("I")]


def rewrite(study: Study, *changes: tuple[str, str]) -> None:
    study.context_file.write_text(changed(*changes), encoding="utf-8")


def test_nothing_changed_since_the_field_is_nothing_to_tell(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    fielded(study, "pre_locals", "pre_syrians")

    prepared = prepare(study, engines=False)

    assert said(study) == []
    assert all(p.a.is_today and p.b.is_today for p in prepared.proof.pairs)


def test_a_group_renamed_after_the_first_wave_is_asked_about_in_other_words(
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path)
    builds = fielded(study, "pre_locals")
    rewrite(study, ("pl: Syrians", "pl: Syrian people"))

    prepared = prepare(study, engines=False)

    found = [f for f in prepared.findings if f.code == "I107"]
    assert {f.severity for f in found} == {Severity.WARNING}
    assert {f.place.spot for f in found} == {
        "pre_locals and pre_locals",
        "pre_locals and post_locals",
        "pre_locals and fu_locals",
    }
    assert all(
        f"pre_locals (build {builds['pre_locals']}, with answers)" in f.problem for f in found
    )
    assert all(f.problem.endswith("'Syrians' are called 'Syrian people' since") for f in found)
    today = [p for p in prepared.proof.pairs if p.a.is_today and p.b.is_today]
    assert [d for p in today for d in p.unexpected] == []


def test_a_scale_changed_after_the_first_wave_stops_the_build(tmp_path: Path) -> None:
    study = Study(study_with(tmp_path))
    fielded(study, "pre_locals")
    scales = study.items_folder / "scales.yaml"
    scales.write_text(
        SCALES.replace("not gladly", "never").replace("label: gladly", "label: not gladly"),
        encoding="utf-8",
    )

    with pytest.raises(InputError) as refused:
        prepare(study, engines=False).sound()

    errors = [f for f in refused.value.findings if f.severity is Severity.ERROR]
    assert {f.code for f in errors} == {"I101"}
    assert "own_food_1, meaning of a code" in errors[0].problem
    assert "1 = not gladly, 2 = gladly" in errors[0].problem


def test_what_is_deployed_and_has_no_answers_yet_does_not_stop_a_build(tmp_path: Path) -> None:
    study = Study(study_with(tmp_path))
    fielded(study, "pre_locals", answered=False)
    scales = study.items_folder / "scales.yaml"
    scales.write_text(SCALES.replace('value: "2"', 'value: "3"'), encoding="utf-8")

    assert set(said(study)) == {("I101", Severity.WARNING)}


def test_a_rehearsal_is_no_fieldwork(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    fielded(study, "pre_locals", answered=False)
    study.remember(rehearsed=["apre_locals"])
    rewrite(study, ("pl: Syrians", "pl: Syrian people"))

    assert said(study) == []


def test_a_concept_dropped_after_the_first_wave_is_a_decision_that_is_told(
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path)
    rewrite(study, ("prior_contact,", "prior_contact, belonging,"))
    fielded(study, "pre_locals")
    rewrite(study)

    assert set(said(study)) == {("I105", Severity.WARNING)}


def test_where_nothing_was_deployed_earlier_builds_are_listed_and_told_of_once(
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path)
    write_build(prepare(study, engines=False))
    rewrite(study, ("pl: Syrians", "pl: Syrian people"))

    prepared = prepare(study, engines=False)

    assert [f.code for f in prepared.findings if f.code.startswith("I")] == ["I110"]
    kept = [p for p in prepared.proof.pairs if p.a.standing is Standing.KEPT]
    assert any(d.what is What.WORDS for p in kept for d in p.unexpected)


def test_a_fielded_build_whose_codebook_is_gone_is_told(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    study.remember(answered=["kx0123456789ab"])
    write_build(prepare(study, engines=False))

    assert said(study) == [("I109", Severity.WARNING)]


def test_a_language_dropped_after_the_first_wave_is_told(tmp_path: Path) -> None:
    study = copied("tunisia", tmp_path)
    fielded(study, "pre_tun")
    text = study.context_file.read_text("utf-8")
    study.context_file.write_text(text.replace("[ar-TN, fr]", "[ar-TN]"), encoding="utf-8")

    assert ("I108", Severity.WARNING) in said(study)


def test_a_codebook_without_notes_is_compared_by_what_it_has(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    form = next(f for f in prepare(study, engines=False).forms if f.key == "pre_locals")
    old = FormVersion(
        codebook=replace(form.codebook, notes=(), build_id="kxold"), standing=Standing.ANSWERED
    )
    today = FormVersion(codebook=form.codebook)

    proof = prove((old, today), Grounds())

    assert [d for p in proof.pairs for d in p.unexpected] == []
    assert proof.pairs[0].compared == len(form.codebook.variables)


# What is written


def test_the_workbook_lists_every_pair_and_every_difference(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    fielded(study, "pre_locals")
    rewrite(study, ("pl: Syrians", "pl: Syrian people"))
    prepared = prepare(study, engines=False)
    write_build(prepared)
    written = study.build_folder / "invariance.xlsx"

    pairs, differences = read_rows(written, "proof"), read_rows(written, "differences")

    assert len(pairs) == 1 + len(prepared.proof.pairs)
    assert len(differences) == 1 + sum(len(p.differences) for p in prepared.proof.pairs)
    numbers = [
        (p.compared, p.identical, len(p.accepted), len(p.unexpected))
        for p in prepared.proof.pairs
    ]
    assert [tuple(row[3:]) for row in pairs[1:]] == numbers
    reasons = [row[-1] for row in differences[1:]]
    unexpected_first = sorted(reasons, key=lambda reason: reason != "NOT EXPECTED")
    assert reasons[0] == "NOT EXPECTED"
    assert reasons == unexpected_first
    assert all(reasons)


def test_pulling_remembers_which_builds_people_have_answered(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    with kobo_double() as (double, server):
        for uid, build in (("aReal", "kxreal"), ("aTest", "kxtest")):
            double.project(uid, rows=[row(1, kx_build=build), row(2)])
        study.remember(
            deployments={
                uid: {"server": server.url, "uid": uid, "build_id": "kx"}
                for uid in double.projects
            },
            rehearsed=["aTest"],
        )

        pull_study(study, server)

    assert study.state()["answered"] == ["kxreal"]
    with open_store(study.store_file, read_only=True) as store:
        assert len(list(store.current())) == 4


# Whatever a team decides


@settings(max_examples=25)
@given(context=contexts())
def test_no_valid_study_asks_its_waves_or_groups_otherwise_without_a_reason(
    context: dict[str, Any],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare_text(Path(folder), context)

    assert [f for f in prepared.findings if f.severity is Severity.ERROR] == []
    assert [(str(p.a), str(p.b), d) for p in prepared.proof.pairs for d in p.unexpected] == []


@pytest.mark.parametrize("ids", ["register", "self_generated"])
@pytest.mark.parametrize("mode", ["interview", "telephone", "self_administered"])
@pytest.mark.parametrize("name", NAMES)
def test_no_mode_and_no_kind_of_number_makes_waves_or_groups_differ(
    tmp_path: Path, name: str, mode: str, ids: str
) -> None:
    study = copied(name, tmp_path)
    text = study.context_file.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("mode:", "id_method:"))]
    lines += [f"mode: {mode}", f"id_method: {ids}", "item_order: {type: random, seed: 3}"]
    study.context_file.write_text("\n".join(lines), encoding="utf-8")
    if not study.enumerators_file.exists():
        rows = [ENUMERATORS[0], ("ec01", "Ana", "", "f", "es-EC", "yes")]
        study.enumerators_file.write_bytes(workbook_bytes([Sheet(title="list", rows=rows)]))

    prepared = prepare(study, engines=False)

    assert prepared.proof.pairs
    assert [(str(p.a), str(p.b), d) for p in prepared.proof.pairs for d in p.unexpected] == []
