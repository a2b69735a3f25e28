"""Expressions are read as the phones read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobosmix.xlsform.expression import parse
from kobosmix.xlsform.functions import FUNCTIONS, INSTEAD
from kobosmix.xlsform.xpath import Call, Number, Operation, Path, Ref, Text


@pytest.mark.parametrize(
    "text",
    [
        "${a} = 'yes'",
        "(${a} >= 6 and ${a} < 24) or (${b} >= 18 and ${b} < 28)",
        "not(selected(${a}, 'none') and count-selected(.) > 1)",
        ". = 9999 or (selected(${a}, 'yes') and . <= 0)",
        "regex(., '^\\(?[0-9]{3}\\)?-?[0-9]{3}-?[0-9]{4}$')",
        "instance('children')/root/item[household = ${a}][number = position(current()/..)]/name",
        "sum(instance('p')/root/item[born > 1978][gender = 'f']/weight)",
        "${visits}[amount > 3]/amount",
        "indexed-repeat(${a}, ${r}, position(..) - 1)",
        "jr:choice-name(${a}, '${a}')",
        "once(int(random() * 1000000))",
        "${a}-1",
        "today() - ${born} > 365.25 * 18",
        "-${a} * -1.5",
        ".5 + 1.",
        "../b = 1",
        "string-length(.)>3 and .!=''",
        "${last-saved#a}",
        "count(${r})\n  > 0",
        "7 * substr(., 0, 1) mod 11 = 1",
        "a div b",
        "if(${a} = '', 'x', \"it's\")",
    ],
)
def test_what_the_phones_can_read_has_no_fault(text: str) -> None:
    assert parse(text).fault is None


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("${a} == 1", "'==' is no operator", "single ="),
        ("${a} = = 1", "'==' is no operator", "single ="),
        ("${a} => 1", "'=>' is no operator", ">="),
        ("${a} && ${b}", "'&&' is no operator", "and"),
        ("!${a}", "'!' means nothing", "not( )"),
        ("${a} AND ${b}", "'AND' is written in capitals", "Write and."),
        ("${a} / 2", "'/' does not divide", "div"),
        ("(${a} = 1", "'(' is opened and never closed", "Add the ')'"),
        ("${a}[b = 1", "'[' is opened and never closed", "Add the ']'"),
        ("${a} = 1)", "a bracket ')'", "Count the brackets"),
        ("${a} = 'x", "a quote is opened", "Close it"),
        ("${a} > 1,5", "a comma", "1.5"),
        ("${a} = 1 ${b}", "'${b}' stands where", "missing before it"),
        ("selected(${a} 'x')", "in selected( )", "a comma"),
        ("selected(${a},)", "')'", "Count the brackets"),
        ("${a} =", "it ends where", "Finish it"),
        ("", "there is nothing in it", "Write a condition"),
        ("${a} ≥ 18", "'≥' means nothing", ">="),
        ("{a} = 1", "'{' means nothing", "${name}"),
        ("$a = 1", "'$' means nothing", "${name}"),
        ("ancestor::a = 1", "'ancestor::'", "${ }"),
        ("()", "')'", "Count the brackets"),
    ],
)
def test_what_the_phones_cannot_read_is_told_in_words(
    text: str, problem: str, remedy: str
) -> None:
    fault = parse(text).fault

    assert fault is not None
    assert problem in fault.problem
    assert remedy in fault.remedy


def test_operators_bind_as_in_xpath() -> None:
    tree = parse("${a} = 1 + 2 * 3 or ${b}").tree

    product = Operation("*", Number("2"), Number("3"))
    compared = Operation("=", Ref("a"), Operation("+", Number("1"), product))
    assert tree == Operation("or", compared, Ref("b"))


def test_a_negative_number_keeps_its_sign() -> None:
    assert parse("selected(${a}, -88)").calls == [Call("selected", (Ref("a"), Number("-88")))]


def test_a_question_named_in_quotes_is_named_all_the_same() -> None:
    named = [use.name for use in parse("jr:choice-name('x', '${a}')").uses]

    assert named == ["a"]


def test_columns_in_square_brackets_are_not_taken_for_questions() -> None:
    said = parse("instance('r')/root/item[name = ${rid} and . != 'x']/group")

    assert (said.words, said.columns, said.comparisons) == ([], ["name"], [])
    assert not said.names_itself


@pytest.mark.parametrize(
    ("text", "over_many", "elsewhere"),
    [
        ("${x}", False, False),
        ("sum(${x})", True, False),
        ("if(count(${x}) > 1, 1, 2)", True, False),
        ("indexed-repeat(${x}, ${x}, 1)", True, True),
        ("${x}[a = 1]/b", True, True),
        ("${last-saved#x}", False, True),
    ],
)
def test_it_is_known_how_a_question_is_named(
    text: str, *, over_many: bool, elsewhere: bool
) -> None:
    use = parse(text).uses[0]

    assert (use.over_many, use.elsewhere) == (over_many, elsewhere)


def test_curly_quotes_are_read_as_straight_ones() -> None:
    assert parse("${a} = ‘x’").tree == Operation("=", Ref("a"), Text("x"))


def test_the_dot_is_the_answer_itself() -> None:
    said = parse(". > 1 and ../a = ..")

    assert said.names_itself
    assert said.ways == ["../a"]
    assert parse(".").tree == Path(".")


def test_equal_expressions_are_read_once() -> None:
    assert parse("${a} = 1") is parse("${a} = 1")


def test_thousands_of_brackets_are_a_fault_and_no_crash() -> None:
    assert parse("(" * 5000).fault is not None
    assert parse("not(" * 5000 + ")" * 5000).fault is not None


TOKENS = st.sampled_from(
    [
        *("${a}", "'x'", "1", "a", ".", "..", "/", "//", "(", ")", "[", "]", ",", "=", "!="),
        *("-", "and", "or", "selected(", "@", "::", "*", "|", "“", " ", "\n", "$", "=="),
    ]
)


@given(st.text() | st.lists(TOKENS, max_size=12).map("".join))
def test_reading_never_fails_whatever_is_typed(text: str) -> None:
    said = parse(text)

    assert (said.fault is None) == (said.tree is not None)


def test_what_is_offered_instead_of_a_function_is_none_itself() -> None:
    assert not INSTEAD.keys() & FUNCTIONS.keys()
