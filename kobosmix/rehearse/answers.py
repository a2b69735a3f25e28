"""What an invented person answers, question by question, as the form would put them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from kobosmix.codebook import Codebook, Kind, Option, Role, Variable
from kobosmix.conditions import holds
from kobosmix.rehearse.people import Person

_DIRECTIONS = {"up": 1, "down": -1}
_SHARE_MISSING, _SHARE_BLANK = 0.03, 0.05
_NOISE = 0.6
_LARGEST_STEP = 60
_FIRST_HOUR, _LAST_HOUR = 8, 17
_SHORTEST_S, _LONGEST_S = 900, 2400
# What forms, servers and tables have been seen to stumble over.
_TEXTS = (
    "Ayşe'nin komşusu, İzmir’den",
    "جاري من حلب",
    "=1+1",
    'She said: "yes & no" <both>',
    "two\nlines",
    "0012",
    "🙂",
)

_CONSENT = {
    "attempt": "interview",
    # Nobody types in paper in a rehearsal, and an interview goes to its end.
    "mode": "face_to_face",
    "ended": "to_end",
    "of_age": "1",
    "consent": "1",
    "guardian_consent": "1",
    "assent": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One interview about to be held: by which form, at which wave, when, by chance `rng`."""

    codebook: Codebook
    wave: int
    day: date
    rng: Random


def fill_in(occasion: Occasion, person: Person, said: Mapping[str, str]) -> dict[str, str]:
    """The answers by variable name to all that the form asks, in its order.

    `said` goes before chance, but not before routing; an empty text in it leaves a question
    blank. The constants of the form are not among the answers: the form has them.
    """
    answers = dict[str, str]()
    given = {**_CONSENT, **_clock(occasion), **said}
    for variable in occasion.codebook.variables:
        if variable.role is Role.HIDDEN or not holds(variable.asked_if, answers):
            continue
        known = given.get(variable.name)
        text = known if known is not None else _answer(occasion, person, variable, answers)
        if text:
            answers[variable.name] = text
    return answers


def broken_off(codebook: Codebook, answers: Mapping[str, str]) -> dict[str, str]:
    """The same interview, ended after a quarter of its rated items, as the enumerator notes."""
    rated = [v.name for v in codebook.variables if v.rated and v.name in answers]
    kept, names = dict(answers), [variable.name for variable in codebook.variables]
    noted = {v.name for v in codebook.variables if v.role is Role.OBSERVATION}
    if rated:
        for name in names[names.index(rated[len(rated) // 4]) :]:
            if name not in noted:
                kept.pop(name, None)
    if "ended" in noted:
        kept["ended"] = "stopped"
    return kept


def _clock(occasion: Occasion) -> dict[str, str]:
    rng = occasion.rng
    at = time(rng.randint(_FIRST_HOUR, _LAST_HOUR), rng.randint(0, 59), rng.randint(0, 59))
    start = datetime.combine(occasion.day, at, UTC)
    end = start + timedelta(seconds=rng.randint(_SHORTEST_S, _LONGEST_S))
    return {
        "start": start.isoformat(timespec="milliseconds"),
        "end": end.isoformat(timespec="milliseconds"),
        "today": occasion.day.isoformat(),
    }


def _answer(
    occasion: Occasion, person: Person, variable: Variable, answers: Mapping[str, str]
) -> str:
    match variable.kind:
        case Kind.CALCULATED:
            return _calculated(occasion.codebook, variable.name, answers)
        case _ if variable.name == "rid_again":
            return answers.get("rid_typed", "")
        case Kind.SELECT_ONE:
            return _choice(occasion, person, variable)
        case Kind.INTEGER:
            return str(_number(occasion, person, variable))
        case Kind.TEXT if variable.name == "rid_reason_other":
            return occasion.rng.choice(_TEXTS)
        case Kind.TEXT if variable.role is Role.ITEM:
            is_blank = occasion.rng.random() < _SHARE_BLANK and not variable.required
            return "" if is_blank else person.habit(variable.name).choice(_TEXTS)
        case _:
            return ""


def _calculated(codebook: Codebook, name: str, answers: Mapping[str, str]) -> str:
    """What the form works out by itself. The codebook has no formulas, so they stand here too."""
    if name == "rid":
        return answers.get("rid_scan") or answers.get("rid_typed", "")
    if name == "language":
        # Worked out only where the form has one language and nobody to ask for it.
        return codebook.languages[0]
    if name == "consent_ok":
        return "1" if _agreed(answers) else "0"
    return ""


def _agreed(answers: Mapping[str, str]) -> bool:
    if answers.get("attempt", "interview") != "interview":
        return False
    if answers.get("of_age") == "1":
        return answers.get("consent") == "1"
    return answers.get("guardian_consent") == "1" and answers.get("assent") == "1"


def _choice(occasion: Occasion, person: Person, variable: Variable) -> str:
    valid = [option.value for option in variable.options if not option.missing]
    if variable.name == "birth_known":
        return "1" if person.knows_year else "2"
    if variable.name == "took_part":
        return "1" if person.takes_part else "0"
    if not valid:
        return ""
    if variable.name == "gender":
        return person.habit(variable.name).choice(valid[:2])
    if variable.role is not Role.ITEM:
        return occasion.rng.choice(valid)
    return _chosen(occasion, person, variable, valid)


def _chosen(
    occasion: Occasion, person: Person, variable: Variable, valid: Sequence[str]
) -> str:
    if not variable.required and occasion.rng.random() < _SHARE_BLANK:
        return ""
    missing: list[Option] = [option for option in variable.options if option.missing]
    if missing and occasion.rng.random() < _SHARE_MISSING:
        return occasion.rng.choice(missing).value
    if variable.rated:
        return _rating(occasion, person, variable, valid)
    return person.habit(variable.name).choice(valid)


def _rating(
    occasion: Occasion, person: Person, variable: Variable, valid: Sequence[str]
) -> str:
    """A point on the scale: warmer people answer further in the direction the concept desires."""
    direction = _DIRECTIONS.get(_direction(occasion.codebook, variable), 0)
    leaning = direction * person.warmth_at(occasion.wave)
    # The concept's direction is that of its score; an item keyed backwards runs against it.
    leaning = -leaning if variable.reversed else leaning
    middle = (len(valid) - 1) / 2
    step = middle + (leaning + occasion.rng.gauss(0, _NOISE)) * middle / 2
    ordered = sorted(valid, key=lambda code: (len(code), code))
    return ordered[min(len(ordered) - 1, max(0, round(step)))]


def _direction(codebook: Codebook, variable: Variable) -> str:
    """The direction of the item's facet, else of its concept; empty for what has none."""
    for concept in codebook.concepts:
        if concept.id == variable.concept:
            facets = {facet.id: facet.direction for facet in concept.facets}
            return facets.get(variable.facet, concept.direction)
    return ""


def _number(occasion: Occasion, person: Person, variable: Variable) -> int:
    habit, year = person.habit(variable.name), occasion.day.year
    if variable.name == "birth_year":
        return person.born
    if variable.name == "age":
        return year - person.born - habit.randint(0, 1)
    low = variable.low or 0
    if variable.high is None:
        return habit.randint(min(max(low, person.born), year), year)
    return habit.randint(low, min(variable.high, low + _LARGEST_STEP))
