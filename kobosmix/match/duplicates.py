"""Several interviews under one ID in one wave: which may be used, if any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kobosmix.match.answers import SAID_BY_RESPONDENT, is_partial, was_stopped
from kobosmix.match.model import Bucket
from kobosmix.match.screen import Reading


def set_duplicates_apart(readings: Sequence[Reading]) -> list[Reading]:
    """The readings in the same order, at most one `linked` for each ID and wave.

    Of equal answers the first stays. One complete interview beside incomplete ones is kept.
    Anything else is a conflict, and none of it is used: with swapped cards, the last one belongs
    to someone else.
    """
    rivals = defaultdict[tuple[str, str], list[Reading]](list)
    for reading in readings:
        if reading.entry.bucket is Bucket.LINKED:
            rivals[reading.entry.id_used, reading.entry.wave].append(reading)
    decided = {
        reading.entry.key: reading
        for several in rivals.values()
        if len(several) > 1
        for reading in _decided(several)
    }
    return [decided.get(reading.entry.key, reading) for reading in readings]


def _decided(rivals: Sequence[Reading]) -> Iterator[Reading]:
    different = dict[frozenset[tuple[str, str]], Reading]()
    for reading in rivals:
        first = different.setdefault(_said(reading), reading)
        if first is not reading:
            reason = f"the same answers as {first.entry.key}"
            yield reading.set_apart(Bucket.DUPLICATE_IDENTICAL, reason)
    yield from _among_different(list(different.values()))


def _among_different(rivals: Sequence[Reading]) -> Iterator[Reading]:
    complete = [reading for reading in rivals if not _is_incomplete(reading)]
    kept = complete[0] if len(complete) == 1 else None
    for reading in rivals:
        if reading is kept or len(rivals) == 1:
            yield reading
        elif kept:
            reason = f"incomplete, beside the complete {kept.entry.key}"
            yield reading.set_apart(Bucket.DUPLICATE_SUPERSEDED, reason)
        else:
            reason = f"one of {len(rivals)} different interviews under this ID in this wave"
            yield reading.set_apart(Bucket.DUPLICATE_CONFLICT, reason)


def _said(reading: Reading) -> frozenset[tuple[str, str]]:
    """All the respondent said; times, places and enumerator may differ between two copies."""
    variables = reading.codebook.variables if reading.codebook else ()
    said = {v.name for v in variables if v.role in SAID_BY_RESPONDENT}
    return frozenset((name, raw) for name, raw in reading.answers.items() if name in said)


def _is_incomplete(reading: Reading) -> bool:
    if reading.codebook is None:
        return False
    # One that was stopped late may count by itself; beside one that went to its end it does not.
    return was_stopped(reading.answers) or is_partial(reading.codebook, reading.answers)
