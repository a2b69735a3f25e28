"""What a rehearsal sends, and what the ledgers must say of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kobosmix.match.model import Bucket, Flag, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One submission and its fate.

    `rid` is the ID of the register it must be counted under, if any. With `sent_again` the phone
    sends the same bytes twice, and the server must not count the second time. `constants`
    replaces what the form would put in by itself.
    """

    uuid: str
    wave: str
    group: str
    answers: Mapping[str, str]
    bucket: Bucket
    rid: str = ""
    flags: frozenset[Flag] = frozenset()
    suggestion: str = ""
    sent_again: bool = False
    constants: Mapping[str, str] | None = None

    @property
    def ledger_wave(self) -> str:
        """The wave the ledger counts it under; none where the form is unknown."""
        return "" if self.bucket is Bucket.UNKNOWN_FORM else self.wave


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFault:
    """A kind of thing that goes wrong, what it must lead to, and how many persons it met."""

    name: str
    expected: str
    persons: int


@dataclass(frozen=True, kw_only=True)
class Script:
    """Everything that is sent, in order, and the state of every person in every wave."""

    waves: tuple[str, ...]
    planted: tuple[Planted, ...]
    states: Mapping[tuple[str, str], State]
    faults: tuple[PlantedFault, ...]

    def wave(self, name: str) -> tuple[Planted, ...]:
        """What one wave sends, in order."""
        return tuple(each for each in self.planted if each.wave == name)

    def as_rows(self) -> list[tuple[str, str, str]]:
        """Each fault, what the ledgers must say of it, and how often it was planted."""
        return [(each.name, each.expected, str(each.persons)) for each in self.faults]
