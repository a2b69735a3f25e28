"""When a question is asked: one small tree that every stage reads in its own way.

The form writes it as XPath, the rehearsal evaluates it, the codebook stores it as JSON.
A variable that was not answered is the empty string, as in XForms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Equals:
    """The variable's answer is this code."""

    variable: str
    value: str

    def as_json(self) -> Any:
        """How the codebook spells it."""
        return {"equals": [self.variable, self.value]}


@dataclass(frozen=True, slots=True)
class Blank:
    """The variable has no answer."""

    variable: str

    def as_json(self) -> Any:
        """How the codebook spells it."""
        return {"blank": self.variable}


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition

    def as_json(self) -> Any:
        """How the codebook spells it."""
        return {"not": self.condition}


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the conditions holds."""

    conditions: tuple[Condition, ...]

    def as_json(self) -> Any:
        """How the codebook spells it."""
        return {"all": self.conditions}


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]

    def as_json(self) -> Any:
        """How the codebook spells it."""
        return {"any": self.conditions}


Condition = Equals | Blank | Not | All | AnyOf


def holds(condition: Condition | None, answers: Mapping[str, str]) -> bool:
    """Whether the condition holds for these answers; no condition always holds."""
    match condition:
        case None:
            return True
        case Equals(variable, value):
            return answers.get(variable, "") == value
        case Blank(variable):
            return not answers.get(variable, "")
        case Not(inner):
            return not holds(inner, answers)
        case All(several):
            return all(holds(each, answers) for each in several)
        case AnyOf(several):
            return any(holds(each, answers) for each in several)


def both(first: Condition | None, second: Condition | None) -> Condition | None:
    """A condition that holds where both do; None stands for 'always'."""
    if first is None or second is None:
        return first or second
    return All((first, second))


def variables_of(condition: Condition | None) -> set[str]:
    """The names of the variables the condition looks at."""
    match condition:
        case None:
            return set()
        case Equals(variable, _) | Blank(variable):
            return {variable}
        case Not(inner):
            return variables_of(inner)
        case All(several) | AnyOf(several):
            return {name for each in several for name in variables_of(each)}


def from_json(content: Any) -> Condition | None:
    """What `as_json` spelled. Raises ValueError for anything else."""
    match content:
        case None:
            return None
        case {"equals": [str(variable), str(value)]}:
            return Equals(variable, value)
        case {"blank": str(variable)}:
            return Blank(variable)
        case {"not": inner}:
            return Not(_required(inner))
        case {"all": [*several]}:
            return All(tuple(_required(each) for each in several))
        case {"any": [*several]}:
            return AnyOf(tuple(_required(each) for each in several))
        case _:
            raise ValueError(f"not a condition: {content!r}")


def _required(content: Any) -> Condition:
    condition = from_json(content)
    if condition is None:
        raise ValueError("an empty condition inside another")
    return condition
