"""Types and columns are what pyxform takes them for."""

from __future__ import annotations

import pytest
from pyxform import aliases
from pyxform.question import MultipleChoiceQuestion, Option
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT
from pyxform.survey import Survey

from kobosmix.xlsform.appearances import APPEARANCES
from kobosmix.xlsform.columns import Column, column_of
from kobosmix.xlsform.kinds import SPELLINGS, TYPES, USUAL_TYPES, Kind, kind_of

# pyxform's own, which no sheet has a column or a type for.
INTERNAL = {
    "parent",
    "extra_data",
    "children",
    "type",
    "title",
    "id_string",
    "file_name",
    "hint",
}


def usable(slots: set[str]) -> set[str]:
    return {slot for slot in slots if not slot.startswith("_")} - INTERNAL


@pytest.mark.parametrize("word", sorted(QUESTION_TYPE_DICT))
def test_every_type_of_pyxform_is_known(word: str) -> None:
    needs_list = kind_of(word).name == "" or word == "rank"

    assert kind_of(f"{word} yn" if needs_list else word).name


@pytest.mark.parametrize("word", sorted(aliases.select))
def test_every_way_to_write_a_select_is_known(word: str) -> None:
    kind = kind_of(f"{word} yn or_other")

    assert (kind.list, kind.or_other) == ("yn", True)


@pytest.mark.parametrize("word", sorted(aliases.control))
def test_every_way_to_open_a_group_is_known(word: str) -> None:
    opened, closed = kind_of(f"begin {word}").name, kind_of(f"end_{word}").name

    assert opened.removeprefix("begin ") == closed.removeprefix("end ") != ""


@pytest.mark.parametrize(
    "word", ["Text", "selectone yn", "interger", "Begin group", "select_one"]
)
def test_what_pyxform_does_not_know_is_unknown(word: str) -> None:
    assert kind_of(word) == Kind("")


def test_every_spelling_and_every_offer_is_a_type() -> None:
    assert set(SPELLINGS.values()) <= TYPES
    assert all(kind_of(word).name or kind_of(f"{word} yn").name for word in USUAL_TYPES)


@pytest.mark.parametrize(
    ("sheet", "names"),
    [
        ("survey", usable(set(MultipleChoiceQuestion.get_slot_names())) - {"control"}),
        ("survey", {*aliases.survey_header} - {"jr:count"}),
        ("choices", usable(set(Option.get_slot_names())) | {*aliases.list_header}),
        ("settings", usable(set(Survey.get_slot_names())) & {"style", "version", "public_key"}),
        ("settings", {*aliases.settings_header}),
    ],
)
def test_every_column_of_pyxform_is_known(sheet: str, names: set[str]) -> None:
    unknown = {
        name for name in names if not column_of(name, sheet, by_double_colon=True).is_known
    }

    assert unknown == set()


@pytest.mark.parametrize(
    ("header", "means"),
    [
        ("label::English (en)", ("label", "English (en)")),
        ("Label::English (en)", ("label", "English (en)")),
        ("media::image::Français (fr)", ("image", "Français (fr)")),
        ("image", ("image", "")),
        ("bind::relevant", ("relevant", "")),
        ("relevance", ("relevant", "")),
        ("bind::jr:constraintMsg::English (en)", ("constraint_message", "English (en)")),
        ("constraint message", ("constraint_message", "")),
        ("bind::odk:length", ("bind::odk:length", "")),
        ("instance::tag", ("instance::tag", "")),
        ("omit_instanceID", ("omit_instanceID", "")),
    ],
)
def test_a_header_is_read_as_pyxform_reads_it(header: str, means: tuple[str, str]) -> None:
    sheet = "settings" if header == "omit_instanceID" else "survey"
    column = column_of(header, sheet, by_double_colon=True)

    assert (column.name, column.language) == means
    assert column.is_known


def test_one_colon_separates_the_language_only_where_no_header_has_two() -> None:
    assert column_of("label:English", "survey", by_double_colon=False) == Column(
        "label:English", "label", "English"
    )
    assert not column_of("label:English", "survey", by_double_colon=True).is_known


def test_every_appearance_is_for_a_type_there_is() -> None:
    groups = {"begin group", "begin repeat", "begin loop"}

    assert set().union(*APPEARANCES.values()) <= TYPES | groups
