from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kobosmix.slots import (
    FIRST_STRONG_ISOLATE,
    LEFT_TO_RIGHT_MARK,
    POP_ISOLATE,
    RIGHT_TO_LEFT_MARK,
    Slot,
    capitalised,
    fill,
    is_well_formed,
    slots_of,
)

MARKS = {FIRST_STRONG_ISOLATE, POP_ISOLATE, RIGHT_TO_LEFT_MARK, LEFT_TO_RIGHT_MARK}


def filled(template: str, form: str, tag: str = "en", *, right_to_left: bool = False) -> str:
    return fill(template, lambda _: form, tag, right_to_left=right_to_left)


def shown(text: str) -> str:
    """The text with its direction marks as letters a person can read in a test."""
    names = {"\u2068": "<", "\u2069": ">", "\u200f": "(rtl)", "\u200e": "(ltr)"}
    return "".join(names.get(letter, letter) for letter in text)


def enketo_direction(text: str) -> str:
    """The rule of web forms: whatever is not purely left-to-right runs to the left."""
    first = next((c for c in text if c in (RIGHT_TO_LEFT_MARK, LEFT_TO_RIGHT_MARK)), "")
    if first:
        return "rtl" if first == RIGHT_TO_LEFT_MARK else "ltr"
    strong = {unicodedata.bidirectional(letter) for letter in text} & {"L", "R", "AL"}
    return "rtl" if strong & {"R", "AL"} else "ltr"


def collect_direction(text: str) -> str:
    """The rule of phones: the first strong letter outside isolates."""
    depth = 0
    for letter in text:
        depth += (letter == FIRST_STRONG_ISOLATE) - (letter == POP_ISOLATE)
        kind = unicodedata.bidirectional(letter)
        if not depth and kind in {"L", "R", "AL"}:
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def test_a_slot_has_a_name_a_form_and_perhaps_a_capital() -> None:
    found = slots_of("[Group.acc_pl] and [group.pl], not [[group.pl] nor [x] nor [group.]")

    assert found == [Slot("group", "acc_pl", capital=True), Slot("group", "pl")]


def test_the_form_is_put_where_the_slot_was() -> None:
    assert filled("Most [group.pl] live here.", "Syrians") == "Most Syrians live here."


def test_a_doubled_bracket_is_a_bracket() -> None:
    assert filled("[[group.pl] is [group.pl]", "x") == "[group.pl] is x"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", True), ("[group.pl]", True), ("[[", True), ("a [[ b [group.pl]", True),
        ("[group.pl", False), ("group.pl]", False), ("[group]", False), ("[group.PL]", False),
        ("[[group.pl]", False), ("[group.pl ]", False), ("[group.__class__]", True),
    ],
)  # fmt: skip
def test_a_stray_bracket_is_noticed(template: str, expected: bool) -> None:
    assert is_well_formed(template) is expected


@pytest.mark.parametrize(
    "form", ["[country.np]", "{group}", "${rid}", r"\g<0>\1", "%s %(a)s", "{0.__class__}", "[["]
)
def test_what_goes_into_a_slot_is_never_looked_into(form: str) -> None:
    assert filled("a [group.pl] b", form) == f"a {form} b"


@pytest.mark.parametrize(
    ("tag", "text", "capital"),
    [
        ("tr", "iranlılar", "İranlılar"), ("tr", "ıraklılar", "Iraklılar"), ("az", "irəvan", "İrəvan"),
        ("en", "iranians", "Iranians"), ("tr-CY", "iranlılar", "İranlılar"), ("ka", "სირიელები", "სირიელები"),
        ("hr", "ǆaci", "ǅaci"), ("ar", "السوريون", "السوريون"), ("uk", "їжаки", "Їжаки"),
        ("es", "«sirios»", "«Sirios»"), ("en", "\u2068iranians\u2069", "\u2068Iranians\u2069"), ("en", "12", "12"),
    ],
)  # fmt: skip
def test_the_first_letter_is_capitalised_as_the_language_does_it(
    tag: str, text: str, capital: str
) -> None:
    assert capitalised(text, tag) == capital


def test_only_a_slot_with_a_capital_is_capitalised() -> None:
    assert filled("[Group.pl], [group.pl]", "iranlılar", "tr") == "İranlılar, iranlılar"


def test_a_form_is_put_in_as_composed_letters() -> None:
    assert filled("[group.pl]", "S\u0327") == "Ş"


@pytest.mark.parametrize(
    ("template", "form", "right_to_left", "expected"),
    [
        ("Most [group.pl] live here.", "سوريون", False, "(ltr)Most <سوريون> live here."),
        ("يعيش هنا [group.pl].", "Syrians", True, "(rtl)يعيش هنا <Syrians>."),
        ("يعيش هنا [group.pl].", "السوريون", True, "يعيش هنا السوريون."),
        ("[group.pl] يعيشون هنا", "Syrians", True, "(rtl)<Syrians> يعيشون هنا"),
        ("Nur [group.pl].", "1234", False, "Nur 1234."),
    ],
)
def test_a_name_in_the_other_direction_is_isolated_and_the_sentence_marked(
    template: str, form: str, right_to_left: bool, expected: str
) -> None:
    assert shown(filled(template, form, right_to_left=right_to_left)) == expected


def test_a_telephone_number_keeps_the_order_of_its_groups_in_arabic() -> None:
    line = "خط الاستفسار 0342 555 01 01"

    assert shown(filled("[contact.x].", line, right_to_left=True)) == (
        "خط الاستفسار <0342 555 01 01>."
    )
    assert filled("[contact.x].", "0342 555", right_to_left=False) == "0342 555."


SENTENCES = (
    "Most [group.pl] live here.",
    "يعيش [group.pl] هنا.",
    "[group.pl]?",
    "[group.pl] 12",
)
LETTERS = st.characters(categories=("L", "Nd", "P"), exclude_characters="[]")


@given(st.sampled_from(SENTENCES), st.text(LETTERS, min_size=1), st.booleans())
@example("Most [group.pl] live here.", "\u07ca\u0840\U0001e900", False)
def test_a_mixed_sentence_runs_the_way_of_its_language_on_phones_and_in_web_forms(
    template: str, form: str, right_to_left: bool
) -> None:
    sentence = filled(template, form, right_to_left=right_to_left)

    wanted, strong = ("rtl", {"L"}) if right_to_left else ("ltr", {"R", "AL"})
    is_mixed = any(unicodedata.bidirectional(letter) in strong for letter in sentence)
    if is_mixed:
        assert collect_direction(sentence) == enketo_direction(sentence) == wanted
    else:
        assert not {RIGHT_TO_LEFT_MARK, LEFT_TO_RIGHT_MARK} & set(sentence)


@given(st.text(LETTERS))
def test_nothing_but_direction_marks_is_ever_added(form: str) -> None:
    sentence = filled("a [group.pl] b", form, right_to_left=True)

    bare = "".join(letter for letter in sentence if letter not in MARKS)
    assert bare == f"a {unicodedata.normalize('NFC', form)} b"
