"""Whether gender and year of birth agree between the waves of one ID."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kobosmix.match.answers import born_between, interview_day, valid_value
from kobosmix.match.model import Bucket, Flag
from kobosmix.match.screen import Reading

# A year more or less is how people count; two are another person's, if the gender is too.
_YEARS_TOLERATED = 1


@dataclass(frozen=True, slots=True)
class _Keys:
    gender: str | None
    born: tuple[int, int] | None


def set_contradictions_apart(
    readings: Sequence[Reading], waves: Sequence[str]
) -> list[Reading]:
    """The readings in the same order, later waves held against the earlier ones of the same ID.

    Gender AND year of birth differ: another person, most likely; the later one is set apart, for
    the earlier answers are what there is to go by, and the earlier one is flagged. One of the two
    alone is a slip of the pen, and a flag.
    """
    place = {wave: number for number, wave in enumerate(waves)}
    by_person = defaultdict[str, list[Reading]](list)
    for reading in readings:
        if reading.entry.bucket is Bucket.LINKED:
            by_person[reading.entry.id_used].append(reading)
    compared = {
        reading.entry.key: reading
        for several in by_person.values()
        for reading in _compared(sorted(several, key=lambda r: place[r.entry.wave]))
    }
    return [compared.get(reading.entry.key, reading) for reading in readings]


def _compared(in_wave_order: Sequence[Reading]) -> list[Reading]:
    done = list[Reading]()
    for reading in in_wave_order:
        before = [earlier for earlier in done if earlier.entry.bucket is Bucket.LINKED]
        differences = {r.entry.key: _differences(_keys(r), _keys(reading)) for r in before}
        against = [r for r in before if len(differences[r.entry.key]) > 1]
        if against:
            waves = " and ".join(repr(r.entry.wave) for r in against)
            reason = f"gender and year of birth are not those of {waves}"
            done = [_contradicted(r) if r in against else r for r in done]
            done.append(reading.set_apart(Bucket.CONFLICT_KEYS, reason))
        else:
            done.append(reading.flagged(*sorted(set().union(*differences.values()))))
    return done


def _contradicted(earlier: Reading) -> Reading:
    if Flag.LATER_WAVE_CONTRADICTS in earlier.entry.flags:
        return earlier
    return earlier.flagged(Flag.LATER_WAVE_CONTRADICTS)


def _differences(first: _Keys, second: _Keys) -> set[Flag]:
    found = set[Flag]()
    if first.gender and second.gender and first.gender != second.gender:
        found.add(Flag.GENDER_DIFFERS)
    if first.born and second.born and _years_apart(first.born, second.born) > _YEARS_TOLERATED:
        found.add(Flag.BIRTH_YEAR_DIFFERS)
    return found


def _years_apart(first: tuple[int, int], second: tuple[int, int]) -> int:
    return max(0, first[0] - second[1], second[0] - first[1])


def _keys(reading: Reading) -> _Keys:
    if reading.codebook is None:
        return _Keys(None, None)
    day = interview_day(reading.answers, reading.entry.received)
    return _Keys(
        valid_value(reading.codebook, reading.answers, "gender"),
        born_between(reading.codebook, reading.answers, day),
    )
