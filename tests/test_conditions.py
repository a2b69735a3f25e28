from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from hypothesis import example, given

from kobosmix.conditions import (
    All,
    AnyOf,
    Blank,
    Condition,
    Equals,
    Not,
    both,
    from_json,
    holds,
    variables_of,
)
from kobosmix.files import canonical_json
from kobosmix.form.codebook_workbook import in_words
from kobosmix.form.xpath import condition_xpath
from tests.strategies import VARIABLES, answers, conditions

YES, LATER = Equals("consent", "1"), Equals("attempt", "postponed")


def evaluate_xpath(xpath: str, given_answers: Mapping[str, str]) -> bool:
    """What an engine makes of our subset of XPath, where a blank is the empty string."""
    python = re.sub(r"\$\{(\w+)\}", r"given_answers.get('\1', '')", xpath).replace(
        " = ", " == "
    )
    return bool(eval(python, {"given_answers": given_answers}))  # noqa: S307 - our own text


@given(conditions(), answers())
@example(All((Equals("trust_1", "1"), AnyOf((Blank("rid_group"), Not(Blank("attempt")))))), {})
def test_the_form_asks_exactly_where_the_condition_holds(
    condition: Condition, given_answers: Mapping[str, str]
) -> None:
    xpath = condition_xpath(condition)

    assert evaluate_xpath(xpath, given_answers) == holds(condition, given_answers)


@given(conditions())
def test_a_condition_survives_the_codebook(condition: Condition) -> None:
    assert from_json(json.loads(canonical_json(condition))) == condition


def test_no_condition_always_holds_and_is_null_in_the_codebook() -> None:
    assert holds(None, {})
    assert from_json(None) is None
    assert variables_of(None) == set()


@pytest.mark.parametrize(
    "content",
    [
        {}, [], "x", 1, {"equals": ["a"]}, {"equals": ["a", 1]}, {"blank": None},
        {"not": None}, {"all": [None]}, {"any": [{"not": {"xor": []}}]},
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="condition"):
        from_json(content)


@given(conditions(), conditions(), answers())
def test_both_holds_where_each_of_the_two_does(
    first: Condition, second: Condition, given_answers: Mapping[str, str]
) -> None:
    expected = holds(first, given_answers) and holds(second, given_answers)

    assert holds(both(first, second), given_answers) == expected
    assert both(first, None) == first
    assert both(None, second) == second
    assert both(None, None) is None


@given(conditions(), answers())
def test_only_the_variables_it_names_can_change_a_condition(
    condition: Condition, given_answers: Mapping[str, str]
) -> None:
    named = variables_of(condition)
    others = {name: "1" for name in VARIABLES if name not in named}

    assert holds(condition, {**given_answers, **others}) == holds(condition, given_answers)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (None, ""),
        (YES, "consent is 1"),
        (Not(YES), "not (consent is 1)"),
        (All((YES, AnyOf((LATER, Blank("rid"))))), "consent is 1 and (attempt is postponed or rid is empty)"),
    ],
)  # fmt: skip
def test_an_analyst_reads_a_condition_in_words(condition: Condition | None, words: str) -> None:
    assert in_words(condition) == words
