"""Conditions and rules as XPath, in the subset that all three form engines agree on."""

from __future__ import annotations

from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.questionnaire.model import (
    Constant,
    FirstAnswered,
    FromRegister,
    Holds,
    Limits,
    NotAfterToday,
    OneOf,
    Rule,
    SameAs,
)

# Eight digits whose last is an ISO 7064 MOD 11-2 check digit. On `.` alone: a constraint that
# goes through a calculate on the same field never passes in JavaRosa. Anchored, as only
# JavaRosa matches whole strings by itself. The weights are the powers of 2 modulo 11.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1)
ID_CONSTRAINT = (
    "regex(., '^[1-9][0-9]{7}$') and ("
    + " + ".join(
        f"{weight} * substr(., {position}, {position + 1})"
        for position, weight in enumerate(_WEIGHTS)
    )
    + ") mod 11 = 1"
)


def condition_xpath(condition: Condition) -> str:
    """The condition as XLSForm writes it."""
    match condition:
        case Equals(variable, value):
            return f"${{{variable}}} = '{value}'"
        case Blank(variable):
            return f"${{{variable}}} = ''"
        case Not(Blank(variable)):
            return f"${{{variable}}} != ''"
        case Not(Equals(variable, value)):
            return f"${{{variable}}} != '{value}'"
        case Not(inner):
            return f"not({condition_xpath(inner)})"
        case All(several):
            return " and ".join(_inner(each) for each in several)
        case AnyOf(several):
            return " or ".join(_inner(each) for each in several)


def limits_xpath(limits: Limits) -> str:
    """The limits of a whole number, on `.`; the current year is the phone's."""
    high = "number(format-date(today(), '%Y'))" if limits.high is None else str(limits.high)
    return f". >= {limits.low} and . <= {high}"


def accepted_xpath(accepted: SameAs | NotAfterToday) -> str:
    """What an answer is held against, on `.`."""
    match accepted:
        case SameAs(variable):
            return f". = ${{{variable}}}"
        case NotAfterToday():
            return ". <= today()"


def rule_xpath(rule: Rule) -> str:
    """How a value nobody types is worked out."""
    match rule:
        case Constant(value):
            return f"'{value}'"
        case Holds(condition):
            return f"if({condition_xpath(condition)}, '1', '0')"
        case FirstAnswered((only,)):
            return f"${{{only}}}"
        case FirstAnswered((first, *rest)):
            otherwise = rule_xpath(FirstAnswered(tuple(rest)))
            return f"if(${{{first}}} != '', ${{{first}}}, {otherwise})"
        case FromRegister(column, id_variable):
            return f"instance('register')/root/item[name = ${{{id_variable}}}]/{column}"
        case OneOf(variable, (first, *rest)):
            known = " or ".join(f"${{{variable}}} = '{value}'" for value in (first, *rest))
            return f"if({known}, ${{{variable}}}, '{first}')"
        case _:
            raise ValueError(f"{rule} is the device's own and has no expression")


def _inner(condition: Condition) -> str:
    text = condition_xpath(condition)
    return f"({text})" if isinstance(condition, (All, AnyOf)) else text
