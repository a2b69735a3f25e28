"""The item bank against the inventory of chapter 4, counted and read by hand."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from kobosmix import content
from kobosmix.bank import Bank, Concept, Item, read_bank
from kobosmix.bank.model import LONGEST_NAME
from kobosmix.bank.slot_check import NAME_SLOTS, STUDY_SLOTS
from kobosmix.errors import InputError
from kobosmix.slots import slots_of
from tests.english_study import bank

# The concepts in the order of the toolkit: section, rated items, wanted direction, who, when.
# "up" means that programmes hope for a higher score as it is stored. Anxiety is coded as comfort;
# metaperceptions, victimhood, blame and threat are unwanted when high.
INVENTORY = """
attitudes          4.1  4  up     all   pre post fu
anxiety            4.1  3  up     all   pre post fu
empathy            4.1  3  up     all   pre post fu
trust              4.1  2  up     all   pre post fu
metaperceptions    4.1  3  down   all   pre post fu
willingness        4.1  4  up     all   pre post fu
characteristics    4.2  0  none   all   pre post fu
construals         4.2  3  up     all   pre post fu
norms              4.2  4  up     all   pre post fu
prior_contact      4.2  2  none   all   pre
programme_contact  4.2  6  up     all   post
gen_trust          4.3  2  up     all   pre post fu
safety             4.3  3  up     all   pre post fu
wellbeing          4.3  4  up     all   pre post fu
group_id           4.4  2  none   all   pre post fu
victimhood         4.4  2  down   all   pre post fu
responsibility     4.4  4  mixed  all   pre post fu
hope               4.4  3  up     all   pre post fu
nationality        4.5  0  none   all   pre
language           4.5  2  none   all   pre
belonging          4.5  2  up     all   pre post fu
welcoming          4.5  2  up     all   pre post fu
acculturation      4.5  3  none   all   pre post fu
immigration        4.5  2  up     host  pre post fu
threat             4.5  4  down   host  pre post fu
"""
ROWS = [line.split() for line in INVENTORY.split("\n") if line]
BEHAVIOUR = ("signup", "attendance", "crossing")


def headed() -> list[Concept]:
    """The concepts with a heading of their own in chapter 4."""
    return [concept for concept in bank().concepts.values() if not concept.optional]


def rated(concept: Concept | None = None) -> list[Item]:
    return [i for c, i in bank().items() if i.rated and (concept is None or c is concept)]


def items_of(concept: str) -> list[Item]:
    return list(bank().concepts[concept].items)


def changed_bank(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the bank with `(file, old, new)` replaced in it, an empty `old` added at the end."""
    copy = folder / "item_templates"
    shutil.copytree(content.item_templates(), copy)
    for name, old, new in changes:
        path = copy / name
        text = path.read_text("utf-8") if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
    return copy


def findings(folder: Path, *changes: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """Place, code and problem of everything wrong with a bank that was changed so."""
    with pytest.raises(InputError) as refused:
        read_bank(changed_bank(folder, *changes))
    return [(str(f.place), f.code, f.problem) for f in refused.value.findings]


# The inventory ------------------------------------------------------------------------------


def test_the_bank_has_the_25_concepts_of_chapter_4_in_the_order_of_the_toolkit() -> None:
    found = [
        [c.id, c.section, str(len(rated(c))), c.direction, c.audience, *c.waves]
        for c in headed()
    ]

    assert len(found) == 25
    assert found == ROWS


def test_there_are_69_rated_items_of_which_two_run_against_their_concept() -> None:
    assert len(rated()) == 69
    assert [item.id for _, item in bank().items() if item.reversed] == ["safety_2", "hope_1"]


def test_rated_items_by_section_are_as_counted_by_hand() -> None:
    counted = Counter(c.section for c in headed() for _ in rated(c))

    assert counted == {"4.1": 19, "4.2": 15, "4.3": 9, "4.4": 11, "4.5": 15}
    assert Counter(concept.section for concept in headed()) == {
        "4.1": 6, "4.2": 5, "4.3": 3, "4.4": 4, "4.5": 7,
    }  # fmt: skip


def test_the_13_rated_scales_run_from_1_to_5() -> None:
    scales = {item.scale for item in rated()}

    assert len(scales) == 13
    assert scales == {scale.id for scale in bank().scales.values() if scale.rated}
    for scale in scales:
        options = bank().scales[scale].options
        assert [option.value for option in options] == ["1", "2", "3", "4", "5"]


def test_each_scale_is_used_as_often_as_in_the_toolkit() -> None:
    used = Counter(item.scale for item in rated())

    assert used["agree"] == 49
    assert used["count_5"] == 4
    assert used["proficiency"] == 2
    # Four of the seven label sets of attitudes and anxiety are used again for contact.
    four = {item.scale for item in items_of("attitudes")}
    assert {used[scale] for scale in four} == {2}
    assert [item.scale for item in items_of("programme_contact")[2:]] == [
        item.scale for item in items_of("attitudes")
    ]
    assert sum(used.values()) - 49 - 4 - 2 == 14


def test_only_the_ends_of_the_count_scale_have_words() -> None:
    marked = [scale for scale in bank().scales.values() if scale.endpoints_only]

    assert [scale.id for scale in marked] == ["count_5"]
    assert [o.label for o in marked[0].options] == ["none", "2", "3", "4", "5 or more"]


# First and last label of each rated scale: a scale turned round would turn every result round.
POLES = {
    "agree": ("disagree strongly", "agree strongly"),
    "neg_positive": ("very negative", "very positive"),
    "hostile_friendly": ("very hostile", "very friendly"),
    "distant_close": ("very distant", "very close"),
    "diff_similar": ("very different", "very similar"),
    "discomfort": ("very uncomfortable", "very comfortable"),
    "anxious_relaxed": ("very anxious", "very relaxed"),
    "insecure_conf": ("very insecure", "very confident"),
    "conflict_harmony": ("completely in conflict", "completely in harmony"),
    "competitive_coop": ("completely competitive", "completely cooperative"),
    "enemies_allies": ("completely enemies", "completely allies"),
    "count_5": ("none", "5 or more"),
    "proficiency": ("not at all", "very well"),
}


def test_every_scale_runs_from_the_low_pole_to_the_high_one() -> None:
    found = {
        scale.id: (scale.options[0].label, scale.options[-1].label)
        for scale in bank().scales.values()
        if scale.rated
    }

    assert found == POLES


def test_responsibility_has_two_scores_that_are_wanted_in_opposite_directions() -> None:
    facets = {facet.id: facet.direction for facet in bank().concepts["responsibility"].facets}

    assert facets == {"outgroup_blame": "down", "own_acknowledgement": "up"}
    assert [item.facet for item in items_of("responsibility")] == [
        *["outgroup_blame"] * 2,
        *["own_acknowledgement"] * 2,
    ]


def test_only_concepts_with_two_directions_are_mixed() -> None:
    for concept in bank().concepts.values():
        directions = {facet.direction for facet in concept.facets}
        assert (concept.direction == "mixed") == (len(directions) == 2)


def test_two_concepts_are_for_the_host_side_and_one_item_for_newcomers() -> None:
    assert [c.id for c in headed() if c.audience != "all"] == ["immigration", "threat"]
    assert [item.id for _, item in bank().items() if item.audience == "newcomer"] == [
        "welcoming_2"
    ]


def test_the_nationality_block_has_six_fields_and_their_routing() -> None:
    fields = items_of("nationality")
    routes = {item.id: item.asked_if for item in fields}

    assert [item.position for item in fields] == ["1a", "1b", "1c", "2", "3a", "3b"]
    assert routes == {
        "nationality_1a": None,
        "nationality_1b": ("nationality_1a", "0"),
        "nationality_1c": ("nationality_1a", "0"),
        "nationality_2": None,
        "nationality_3a": None,
        "nationality_3b": ("nationality_3a", "0"),
    }
    specify = fields[0].specify
    assert specify is not None
    assert (specify.id, specify.when) == ("nationality_1a_other", "0")
    labels = {o.value: o.label for o in bank().scales["birth_country"].options}
    assert labels["0"] == "in another country"
    assert [i.id for _, i in bank().items() if i.asked_if and i not in fields] == []


def test_there_are_two_instruction_lines() -> None:
    instructed = [concept.id for concept in headed() if concept.instruction]

    assert instructed == ["programme_contact", "wellbeing"]
    slots = slots_of(bank().concepts["programme_contact"].instruction)
    assert "group" in {slot.name for slot in slots}


def test_only_contact_in_the_programme_stands_behind_did_you_take_part() -> None:
    assert [c.id for c in bank().concepts.values() if c.screen] == ["programme_contact"]


def test_core_is_the_six_concepts_of_section_4_1() -> None:
    core = [concept for concept in bank().concepts.values() if concept.core]

    assert [concept.id for concept in core] == [row[0] for row in ROWS[:6]]
    assert sum(len(concept.items) for concept in core) == 19


def test_behaviour_is_three_optional_concepts_without_rated_items() -> None:
    optional = [concept for concept in bank().concepts.values() if concept.optional]

    assert [concept.id for concept in optional] == list(BEHAVIOUR)
    assert not any(item.rated for concept in optional for item in concept.items)
    assert not any(concept.default for concept in optional)


def test_ethnicity_religion_and_the_nationality_block_are_off_by_default() -> None:
    off = [item.id for _, item in bank().items() if not item.default]

    assert off == ["ethnicity", "religion"]
    assert [concept.id for concept in headed() if not concept.default] == ["nationality"]


def test_background_is_asked_once_and_what_verifies_a_number_at_every_wave() -> None:
    waves = {item.id: item.waves for item in items_of("characteristics")}

    for key in ("birth_year", "age", "gender"):
        assert waves.pop(key) == ("pre", "post", "fu")
    assert set(waves.values()) == {("pre",)}
    assert {"education", "disability", "displacement"} <= waves.keys()


def test_the_items_about_the_own_group_have_a_variant_for_its_name() -> None:
    named = [item.id for _, item in bank().items() if item.named]

    assert named == ["group_id_1", "group_id_2"]


def test_a_concept_is_asked_anew_about_each_group_where_its_items_name_one() -> None:
    for concept in bank().concepts.values():
        names = {slot.name for item in concept.items for slot in slots_of(item.text)}
        assert concept.per_group == ("group" in names), concept.id


def test_every_rated_concept_has_at_least_two_items() -> None:
    assert [c.id for c in headed() if len(rated(c)) == 1] == []


# Names and sentences ------------------------------------------------------------------------


def test_no_two_variables_of_the_whole_bank_share_a_name_and_all_fit() -> None:
    names = [item.id for _, item in bank().items()]
    names += [item.specify.id for _, item in bank().items() if item.specify]

    assert len(names) == len({name.casefold() for name in names})
    assert max(map(len, names)) <= LONGEST_NAME


def test_every_sentence_uses_only_slots_that_exist() -> None:
    forms = bank().languages["en"].forms
    for key, sentence in bank().sentences.items():
        for slot in slots_of(sentence):
            if slot.name in STUDY_SLOTS:
                assert slot.form in STUDY_SLOTS[slot.name], key
            else:
                assert slot.name in NAME_SLOTS, key
                assert slot.form in forms, key


def test_every_sentence_has_a_key_of_its_own_for_translators() -> None:
    sentences = bank().sentences

    assert sentences["item.trust_2"] == "Most [group.pl] are people who deserve trust."
    assert sentences["item.group_id_1@named"].startswith("Being [ingroup.adj]")
    assert sentences["scale.agree.5"] == "agree strongly"
    assert sentences["scale.missing.98"] == "Does not know (do not read)"
    assert sentences["concept.wellbeing.instruction"]
    assert sentences["item.nationality_1a_other"]
    assert sentences["text.consent"] == "Do you agree to take part?"


def test_a_question_ends_with_a_question_mark_and_a_statement_with_a_stop() -> None:
    for item in (item for _, item in bank().items()):
        is_statement = item.scale == "agree"
        assert item.text.endswith("." if is_statement else "?"), item.id


# A bank that is wrong -------------------------------------------------------------------------


CORE = "concepts/4_1_core.yaml"
MIGRATION = "concepts/4_5_migration.yaml"


def test_a_duplicate_id_is_shown_with_both_lines(tmp_path: Path) -> None:
    found = findings(tmp_path, (CORE, "id: trust_2", "id: trust_1"))

    lines = (content.item_templates() / CORE).read_text("utf-8").splitlines()
    first, second = (lines.index(f"      - id: trust_{n}") + 1 for n in (1, 2))
    assert found == [
        (
            f"4_1_core.yaml:{second}: concepts.3.items.1.id",
            "B102",
            f"the item id 'trust_1' is used already, in 4_1_core.yaml:{first}",
        )
    ]


def test_an_id_used_in_two_files_is_found_as_well(tmp_path: Path) -> None:
    found = findings(tmp_path, (MIGRATION, "id: threat_4", "id: trust_1"))

    assert len(found) == 1
    assert "the item id 'trust_1' is used already, in 4_1_core.yaml:" in found[0][2]


@pytest.mark.parametrize(
    ("change", "place", "code", "problem"),
    [
        ((CORE, "scale: agree", "scale: agre"), "scale", "B103", "there is no scale 'agre'"),
        ((MIGRATION, 'when: "0"', 'when: "7"'), "specify.when", "B103", "has no answer '7'"),
        ((MIGRATION, 'equals: "0"', 'equals: "9"'), "asked_if", "B103", "can never be true"),
        ((CORE, "[group.adj]", "[group.adjective]"), "text", "B104", "no form 'adjective'"),
        ((CORE, "[group.adj]", "[grup.adj]"), "text", "B104", "no slot 'grup'"),
        ((CORE, "[group.adj]", "[group.adj"), "text", "B104", "bracket is not part of a slot"),
        ((CORE, "[group.adj]", "${rid}"), "text", "B104", "have a meaning of their own"),
        (("concepts/4_4_conflict.yaml", "direction: mixed", "direction: up"), "direction", "B106", "down, up"),
        (("languages/ar.yaml", "direction: rtl", "direction: ltr"), "direction", "B107", "right-to-left"),
        (("languages/ar.yaml", "cldr: ar", "cldr: xx"), "cldr", "B107", "no locale 'xx'"),
        (("languages/tr.yaml", "tag: tr", "tag: en"), "tag", "B102", "language tag 'en' is used already"),
        (("languages/tr.yaml", "[tr_suffix, pl, I]", "[tr_suffix, xx, I]"), "derive", "B103", "cannot be derived"),
        (("languages/tr.yaml", "[tr_suffix, pl, I]", "[tr_suffix]"), "derive", "B103", "cannot be derived"),
        (("languages/tr.yaml", "[tr_suffix, pl, I]", "[guess, pl, I]"), "derive", "B103", "cannot be derived"),
        (("languages/tr.yaml", "[tr_suffix, pl, I]", "[same, acc_pl]"), "derive", "B103", "cannot be derived"),
        (("languages/en.yaml", "migrants: {pl:", "migrants: {plx:"), "plx", "B104", "no form 'plx'"),
        (("scales.yaml", '{value: "2", label: disagree}', '{value: "1", label: disagree}'), "options.1", "B102", "code '1' is used twice"),
        (("scales.yaml", '{value: "2", label: disagree}', "{value: 2, label: disagree}"), "value", "B101", "is read as a number"),
        (("scales.yaml", '{value: "2", label: disagree}', '{value: "2 b", label: disagree}'), "value", "B101", "'value'"),
        ((CORE, "intent:", "intend:"), "intend", "B101", "'intend' is not known here"),
        ((CORE, "scale: neg_positive", "answer: {kind: text}\n        scale: neg_positive"), "items.0", "B101", "either a scale or an answer"),
        ((CORE, "core: true", "core: yes"), "core", "B101", "true or false"),
        ((CORE, "concepts:", "concepts: ["), "", "Y101", "this is not YAML"),
        ((CORE, "section:", "id: again\n    section:"), "id", "Y102", "a second time"),
    ],
)  # fmt: skip
def test_a_fault_in_the_bank_is_found_where_it_is(
    tmp_path: Path, change: tuple[str, str, str], place: str, code: str, problem: str
) -> None:
    found = findings(tmp_path, change)

    assert len(found) == 1
    assert found[0][0].endswith(place)
    assert found[0][1] == code
    assert problem in found[0][2]


def test_a_bank_without_one_of_its_files_says_which(tmp_path: Path) -> None:
    copy = changed_bank(tmp_path)
    (copy / "scales.yaml").unlink()

    with pytest.raises(InputError) as refused:
        read_bank(copy)

    assert [(f.code, str(f.place)) for f in refused.value.findings] == [("B100", "scales.yaml")]


def test_faults_in_several_files_are_found_in_one_run(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        (CORE, "id: trust_2", "id: trust_1"),
        (CORE, "scale: hostile_friendly", "scale: hostile"),
        (MIGRATION, "[country.np]", "[country.acc]"),
        ("languages/ar.yaml", "direction: rtl", "direction: ltr"),
    )

    assert {code for _, code, _ in found} == {"B102", "B103", "B104", "B107"}


def test_the_bank_is_found_in_a_checkout_and_is_whole() -> None:
    assert isinstance(bank(), Bank)
    shipped = {"ar", "bs", "de", "en", "es", "fr", "hr", "ru", "sr", "tr", "uk"}
    assert set(bank().languages) >= shipped
    assert bank().languages["ar"].column_suffix() == "العربية (ar)"


def test_the_language_files_are_composed_and_their_headers_tell_languages_apart() -> None:
    import unicodedata

    for path in sorted((content.item_templates() / "languages").glob("*.yaml")):
        assert unicodedata.is_normalized("NFC", path.read_text("utf-8")), path.name
    tags = sorted(bank().languages)
    headers = {bank().languages[tag].column_suffix(tags) for tag in tags}
    codes = {header.rpartition("(")[2] for header in headers}

    assert len(headers) == len(codes) == len(tags)
    assert all(header.count("(") == header.count(")") == 1 for header in headers)
