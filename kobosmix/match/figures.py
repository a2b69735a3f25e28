"""The figures to hold against the toolkit's 80 to 85 per cent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from kobosmix.match.model import (
    Bucket,
    Entry,
    Linkage,
    MatchDesign,
    PersonWave,
    Retention,
    State,
)

_WITHOUT_CONSENT = frozenset(
    {
        Bucket.NOT_CONTACTED,
        Bucket.REFUSED,
        Bucket.REFUSED_MINOR,
        Bucket.WITHDRAWN,
        Bucket.TEST,
        Bucket.UNKNOWN_FORM,
    }
)


def linkage(entries: Sequence[Entry], waves: Sequence[str]) -> tuple[Linkage, ...]:
    """For each wave, the submissions linked among those with consent and not withdrawn."""
    consented = [entry for entry in entries if entry.bucket not in _WITHOUT_CONSENT]
    return tuple(
        Linkage(
            wave=wave,
            linked=sum(e.wave == wave and e.bucket is Bucket.LINKED for e in consented),
            consented=sum(e.wave == wave for e in consented),
        )
        for wave in waves
    )


def retention(
    persons: Sequence[PersonWave],
    lost: Collection[str],
    design: MatchDesign,
    today: date,
) -> tuple[Retention, ...]:
    """For each wave after the first: over everyone, then for each cell of group and arm.

    Valid means completed. `lost` are persons who had a valid first wave and withdrew since: they
    stay among those who should have come back.
    """
    if not design.waves:
        return ()
    states = {(p.respondent.id, p.wave): p.state for p in persons}
    first = [p for p in persons if p.wave == design.waves[0]]
    base = [p for p in first if p.state is State.COMPLETED or p.respondent.id in lost]
    return tuple(
        _retention(cell, members, wave, _over(members, wave, design, today), states)
        for wave in design.waves[1:]
        for cell, members in _cells(base)
    )


def _cells(base: Sequence[PersonWave]) -> Iterator[tuple[tuple[str, str], list[PersonWave]]]:
    yield ("", ""), list(base)
    for cell in sorted({(person.group, person.respondent.arm) for person in base}):
        yield cell, [p for p in base if (p.group, p.respondent.arm) == cell]


def _over(
    members: Sequence[PersonWave], wave: str, design: MatchDesign, today: date
) -> set[str]:
    windows = {p.respondent.id: design.window(wave, p.respondent.cohort) for p in members}
    return {rid for rid, window in windows.items() if window and window[1] < today}


def _retention(
    cell: tuple[str, str],
    members: Sequence[PersonWave],
    wave: str,
    over: set[str],
    states: Mapping[tuple[str, str], State],
) -> Retention:
    ids = {person.respondent.id for person in members}
    retained = {rid for rid in ids if states[rid, wave] is State.COMPLETED}
    return Retention(
        wave=wave,
        group=cell[0],
        arm=cell[1],
        with_first=len(ids),
        retained=len(retained),
        closed_with_first=len(over),
        closed_retained=len(retained & over),
    )
