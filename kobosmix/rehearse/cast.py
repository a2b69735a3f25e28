"""Who meets which fault in which wave: the whole script of a rehearsal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kobosmix.match.model import Bucket, Flag, State
from kobosmix.people.model import SPARE, WITHDRAWN, Register, Respondent
from kobosmix.rehearse.faults import FAULTS, Fault, ordinary_interview
from kobosmix.rehearse.field import Field, Visit
from kobosmix.rehearse.people import Person
from kobosmix.rehearse.script import Planted, PlantedFault, Script

_ORDINARY = PlantedFault(name="nothing wrong", expected="linked", persons=0)
_WALK_IN = PlantedFault(
    name="walk-in with a spare ID", expected="linked, flagged spare_used", persons=0
)
# At least so many of those visited in a wave meet no fault.
_SHARE_ORDINARY = 0.5


def write_script(
    waves: Iterable[Field],
    people: Sequence[Person],
    walk_ins: Sequence[Person],
    register: Register,
) -> Script:
    """What each person does at each wave, and where every person of the register must stand.

    `walk_ins` hold spare IDs and come to every wave. Who is in neither list is never visited.
    """
    company = _Company(present=list(people))
    fields = tuple(waves)
    for each in fields:
        company.go_through(each, walk_ins)
    return Script(
        waves=tuple(each.wave for each in fields),
        planted=tuple(_contradicted(company.planted)),
        states=dict(_states(fields, company.states, register, walk_ins)),
        faults=company.counted(),
    )


@dataclass
class _Company:
    """The persons on their way through the waves."""

    present: list[Person]
    planted: list[Planted] = field(default_factory=list)
    states: dict[tuple[str, str], State] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def go_through(self, wave: Field, walk_ins: Sequence[Person]) -> None:
        """One wave: everyone who is left is visited once."""
        roles, ordinary = _roles(wave, self.present, self.met)
        wave = replace(wave, ordinary=ordinary)
        for person in wave.casting.sample(self.present, len(self.present)):
            fault = roles.get(person.rid)
            if fault is None or not fault.is_possible_for(wave, person):
                self._note(wave, person, _ORDINARY, ordinary_interview(wave, person))
                continue
            self._note(wave, person, fault, fault.act(wave, person))
            self.met.add(person.rid)
            if fault.is_last_visit:
                self.present.remove(person)
        for person in walk_ins:
            self._note(wave, person, _WALK_IN, ordinary_interview(wave, person))

    def _note(
        self, wave: Field, person: Person, what: Fault | PlantedFault, visit: Visit
    ) -> None:
        self.counts[what.name] += 1
        self.planted.extend(visit.planted)
        if visit.state:
            self.states[person.rid, wave.wave] = visit.state

    def counted(self) -> tuple[PlantedFault, ...]:
        """Each kind of fault that happened, in the order of the list, over all waves."""
        kinds: list[Fault | PlantedFault] = [_ORDINARY, *FAULTS, _WALK_IN]
        return tuple(
            PlantedFault(name=kind.name, expected=kind.expected, persons=number)
            for kind in kinds
            if (number := self.counts[kind.name])
        )


def _roles(
    wave: Field, present: Sequence[Person], met: set[str]
) -> tuple[dict[str, Fault], list[Person]]:
    """Faults by ID, and the persons who meet none. Nobody meets two in one rehearsal."""
    pool = wave.casting.sample(present, len(present))
    # A person's earlier waves must be in order for a later one to contradict them.
    free = [person for person in pool if person.rid not in met]
    most = min(len(free), int(len(pool) * (1 - _SHARE_ORDINARY)))
    roles = dict[str, Fault]()
    for fault in FAULTS:
        if fault.is_possible_in(wave):
            wanted = max(1, round(fault.share * len(pool)))
            for person in free[len(roles) : min(most, len(roles) + wanted)]:
                roles[person.rid] = fault
    return roles, [person for person in pool if person.rid not in roles]


def _contradicted(planted: Sequence[Planted]) -> Iterator[Planted]:
    """Earlier interviews are flagged where a later one must be somebody else's."""
    conflicts = {
        each.rid: place
        for place, each in enumerate(planted)
        if each.bucket is Bucket.CONFLICT_KEYS
    }
    for place, each in enumerate(planted):
        if each.bucket is Bucket.LINKED and place < conflicts.get(each.rid, 0):
            yield replace(each, flags=each.flags | {Flag.LATER_WAVE_CONTRADICTS})
        else:
            yield each


def _states(
    waves: Sequence[Field],
    known: Mapping[tuple[str, str], State],
    register: Register,
    walk_ins: Sequence[Person],
) -> Iterator[tuple[tuple[str, str], State]]:
    used = {person.rid for person in walk_ins}
    for wave in waves:
        for person in register.respondents:
            cell = person.id, wave.wave
            if person.status == WITHDRAWN:
                yield cell, State.WITHDRAWN
            elif person.status == SPARE and person.id not in used:
                yield cell, State.SPARE
            else:
                yield cell, known.get(cell) or _waiting(wave, person)


def _waiting(wave: Field, person: Respondent) -> State:
    window = wave.design.window(wave.wave, person.cohort)
    if window is None or wave.today < window[0]:
        return State.NOT_DUE
    return State.OVERDUE if wave.today > window[1] else State.DUE
