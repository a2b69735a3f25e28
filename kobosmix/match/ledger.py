"""Each person of the register in exactly one state per wave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kobosmix.match.model import (
    CONFLICTS,
    Bucket,
    Entry,
    Interview,
    MatchDesign,
    PersonWave,
    State,
)
from kobosmix.people.model import SPARE, WITHDRAWN, Register, Respondent

# A refusal is an answer, and outweighs a visit that found nobody.
_OUTCOMES = {
    Bucket.REFUSED: State.REFUSED,
    Bucket.REFUSED_MINOR: State.REFUSED,
    Bucket.NOT_CONTACTED: State.NOT_CONTACTED,
}


@dataclass(frozen=True)
class _Traces:
    """What the submissions say of each person and wave."""

    interviews: dict[tuple[str, str], Interview]
    buckets: dict[tuple[str, str], set[Bucket]]
    to_resolve: Counter[tuple[str, str]]
    seen: set[str]


def person_waves(
    entries: Sequence[Entry],
    interviews: Sequence[Interview],
    register: Register,
    design: MatchDesign,
    today: date,
) -> tuple[PersonWave, ...]:
    """The ledger of persons, by wave and then in the register's order."""
    traces = _traces(entries, interviews)
    groups = {each.rid: each.codebook.group for each in interviews}
    return tuple(
        PersonWave(
            respondent=person,
            group=person.group or groups.get(person.id, ""),
            wave=wave,
            state=_state(person, wave, traces) or _waiting(person, wave, design, today),
            to_resolve=traces.to_resolve[person.id, wave],
        )
        for wave in design.waves
        for person in register.respondents
    )


def _traces(entries: Sequence[Entry], interviews: Sequence[Interview]) -> _Traces:
    buckets = defaultdict[tuple[str, str], set[Bucket]](set)
    to_resolve = Counter[tuple[str, str]]()
    for entry in entries:
        for wave in _waves_touched(entry):
            buckets[entry.id_used, wave].add(entry.bucket)
        to_resolve[entry.id_used, entry.wave] += entry.bucket in CONFLICTS
    return _Traces(
        interviews={(each.rid, each.wave): each for each in interviews},
        buckets=dict(buckets),
        to_resolve=to_resolve,
        seen={entry.id_used for entry in entries if entry.id_used},
    )


def _waves_touched(entry: Entry) -> Iterator[str]:
    if entry.id_used:
        yield entry.wave
        # Filled in with the wrong form, most likely: nobody is to be asked again before it is
        # cleared up, so the person waits in both waves.
        if entry.other_wave:
            yield entry.other_wave


def _state(person: Respondent, wave: str, traces: _Traces) -> State | None:
    """What is known of the person in this wave; None where there is nothing but to wait."""
    interview = traces.interviews.get((person.id, wave))
    buckets = traces.buckets.get((person.id, wave), set())
    if person.status == WITHDRAWN:
        return State.WITHDRAWN
    if interview:
        return State.PARTIAL if interview.is_partial else State.COMPLETED
    if buckets & CONFLICTS:
        return State.CONFLICT
    outcome = next((state for bucket, state in _OUTCOMES.items() if bucket in buckets), None)
    is_unused = person.status == SPARE and person.id not in traces.seen
    return outcome or (State.SPARE if is_unused else None)


def _waiting(person: Respondent, wave: str, design: MatchDesign, today: date) -> State:
    window = design.window(wave, person.cohort)
    if window is None or today < window[0]:
        return State.NOT_DUE
    return State.OVERDUE if today > window[1] else State.DUE
