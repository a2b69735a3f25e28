"""Invented people: who they are, and what the programme does to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from kobosmix.people.model import Respondent

PROGRAMME = "programme"

_YOUNGEST, _OLDEST = 18, 70
_KNOW_THEIR_BIRTH_YEAR = 0.85
# A few of the programme never come, and a few of the others come all the same.
_COME = {PROGRAMME: 0.93}
_COME_UNASKED = 0.04
_WARMTH, _SPREAD = -0.3, 0.7
# By how much those who came are warmer: right after the programme, and at every later wave.
_AT_ONCE, _LASTING = 0.9, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One invented respondent behind a row of the register.

    `group` is also there where the register leaves it open; `warmth` is how the person stands to
    the other group before the programme, around 0.
    """

    respondent: Respondent
    group: str
    chance: str
    born: int
    knows_year: bool
    takes_part: bool
    warmth: float

    @property
    def rid(self) -> str:
        """The person's ID."""
        return self.respondent.id

    def habit(self, variable: str) -> Random:
        """Chance that falls the same way at every wave: for what does not change in a person."""
        return Random(f"{self.chance}/{variable}")  # noqa: S311 - a simulation, not a secret

    def warmth_at(self, wave: int) -> float:
        """How the person stands to the other group at the n-th wave, counted from 0."""
        if wave == 0 or not self.takes_part:
            return self.warmth
        return self.warmth + (_AT_ONCE if wave == 1 else _LASTING)


def invent_people(
    respondents: Iterable[Respondent],
    groups: Sequence[str],
    *,
    year: int,
    seed: int,
    youngest: int = _YOUNGEST,
) -> tuple[Person, ...]:
    """A person behind each row, in the order given; the same seed gives the same people.

    Nobody is younger than `youngest` when interviewed up to a year ago.

    Where the register has no group, one of `groups` is drawn.
    """
    return tuple(
        _invent(respondent, groups, year - max(youngest, _YOUNGEST), f"{seed}/{number}")
        for number, respondent in enumerate(respondents)
    )


def _invent(respondent: Respondent, groups: Sequence[str], latest: int, chance: str) -> Person:
    rng = Random(chance)  # noqa: S311 - a simulation, not a secret
    return Person(
        respondent=respondent,
        group=respondent.group or rng.choice(groups),
        chance=chance,
        born=latest - rng.randint(1, _OLDEST - _YOUNGEST),
        knows_year=rng.random() < _KNOW_THEIR_BIRTH_YEAR,
        takes_part=rng.random() < _COME.get(respondent.arm, _COME_UNASKED),
        warmth=rng.gauss(_WARMTH, _SPREAD),
    )
