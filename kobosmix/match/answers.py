"""Reading a submission by its codebook: which variable holds what, and is it one of its codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kobosmix.codebook import Codebook, Kind, Missing, Role, Variable
from kobosmix.conditions import holds

SAID_BY_RESPONDENT = frozenset({Role.KEY, Role.ITEM, Role.CLOSING})

_ENOUGH, _ENOUGH_WHEN_STOPPED = 0.5, 0.8
# Up to 18 digits: what a 64-bit whole number, and so every table, can hold.
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """One answer: a valid value, or the reason why there is none.

    `problem` is empty unless the form could not have given this value; the value then counts as
    missing, and stays in the store as it came.
    """

    value: str | None
    missing: Missing | None = None
    problem: str = ""

    @property
    def is_response(self) -> bool:
        """Whether the person reacted to the question, be it with 'don't know'."""
        return self.value is not None or self.missing in {Missing.DONT_KNOW, Missing.REFUSED}


BLANK = Decoded(None, Missing.BLANK)


def answers_of(content: Mapping[str, Any], codebook: Codebook) -> dict[str, str]:
    """The raw answers by variable name; what was left empty is not among them.

    A question that somebody moved to another group on the server is found by its name, which is
    unique in the whole form.
    """
    found = {v.name: content[v.path] for v in codebook.variables if v.path in content}
    elsewhere = content.keys() - {v.path for v in codebook.variables}
    names = {v.name for v in codebook.variables} - found.keys()
    for path in sorted(elsewhere):
        name = path.rpartition("/")[2]
        if name in names and not path.startswith(("meta/", "_")):
            found.setdefault(name, content[path])
    return {
        name: str(raw) for name, raw in found.items() if raw is not None and str(raw).strip()
    }


def decode(variable: Variable, raw: str) -> Decoded:
    """What the raw answer means, by the codes of the variable; empty text is a blank."""
    if not raw:
        return BLANK
    # A list that lives in a file beside the form has no codes here to check against.
    if variable.kind is Kind.SELECT_ONE and variable.options:
        return _decode_choice(variable, raw)
    if variable.kind is Kind.INTEGER:
        return _decode_number(variable, raw)
    return Decoded(raw)


def valid_value(codebook: Codebook, answers: Mapping[str, str], name: str) -> str | None:
    """The valid answer to a question; None where it is missing, odd or not in the form."""
    for variable in codebook.variables:
        if variable.name == name:
            return decode(variable, answers.get(name, "")).value
    return None


def is_partial(codebook: Codebook, answers: Mapping[str, str]) -> bool:
    """Whether fewer than half of the rated items that were to be asked got a response.

    Fewer than four fifths where the enumerator noted that the person stopped. 'Don't know' and
    'prefers not to answer' are responses: the interview got that far. The bounds are those of
    AAPOR's Standard Definitions for break-offs and partial interviews.
    """
    rated = [variable for variable in codebook.variables if variable.rated]
    answered = {v.name for v in rated if decode(v, answers.get(v.name, "")).is_response}
    asked = [v for v in rated if v.name in answered or holds(v.asked_if, answers)]
    needed = _ENOUGH_WHEN_STOPPED if was_stopped(answers) else _ENOUGH
    return len(answered) < needed * len(asked)


def was_stopped(answers: Mapping[str, str]) -> bool:
    """Whether the enumerator noted that the person stopped before the end."""
    return answers.get("ended") == "stopped"


def odd_answers(codebook: Codebook, answers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and problem of each answer of the respondent that the form could not have given."""
    for variable in codebook.variables:
        if variable.role in SAID_BY_RESPONDENT:
            problem = decode(variable, answers.get(variable.name, "")).problem
            if problem:
                yield variable.name, problem


def interview_day(answers: Mapping[str, str], received: str) -> date:
    """The day by the paper form or the phone's clock; that of receipt where neither gave one."""
    noted = (answers.get(name, "") for name in ("paper_day", "today", "start"))
    stamps = (*noted, received)
    days = [day for day in map(day_of, stamps) if day is not None]
    return days[0] if days else date.min


def born_between(
    codebook: Codebook, answers: Mapping[str, str], day: date
) -> tuple[int, int] | None:
    """The first and the last year in which the person can have been born; None if unknown."""
    born = valid_value(codebook, answers, "birth_year")
    if born is not None:
        return int(born), int(born)
    age = valid_value(codebook, answers, "age")
    if age is None:
        return None
    # Who is 30 was born 30 or 31 years ago, as the birthday of this year is past or to come.
    latest = day.year - int(age)
    return latest - 1, latest


def contradicts_consent(
    codebook: Codebook, answers: Mapping[str, str], day: date, age_of_consent: int
) -> bool:
    """Whether somebody was taken for of age who cannot be, or for a minor who is none.

    By the year of birth, or the age where that was said. False where neither is known.
    """
    born = born_between(codebook, answers, day)
    if born is None or not age_of_consent:
        return False
    of_age = answers.get("of_age")
    if valid_value(codebook, answers, "birth_year") is None:
        youngest = oldest = day.year - born[1]
    else:
        youngest, oldest = day.year - born[1] - 1, day.year - born[0]
    return (of_age == "1" and oldest < age_of_consent) or (
        of_age == "0" and youngest >= age_of_consent
    )


def day_of(stamp: str) -> date | None:
    """The day of an ISO date or time stamp; None for anything else."""
    try:
        return date.fromisoformat(stamp[:10])
    except ValueError:
        return None


def _decode_choice(variable: Variable, raw: str) -> Decoded:
    option = variable.option(raw)
    if option is None:
        return Decoded(None, Missing.BLANK, "not one of the form's codes")
    return Decoded(None if option.missing else raw, option.missing)


def _decode_number(variable: Variable, raw: str) -> Decoded:
    if not _WHOLE_NUMBER.fullmatch(raw):
        return Decoded(None, Missing.BLANK, "not a whole number")
    too_low = variable.low is not None and int(raw) < variable.low
    too_high = variable.high is not None and int(raw) > variable.high
    if too_low or too_high:
        return Decoded(None, Missing.BLANK, "outside the range the form allows")
    return Decoded(raw)
