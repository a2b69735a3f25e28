"""From submissions to persons, by ID alone and never silently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from kobosmix.codebook import Codebook
from kobosmix.errors import StudyError
from kobosmix.match import figures
from kobosmix.match.answers import interview_day, is_partial, odd_answers
from kobosmix.match.duplicates import set_duplicates_apart
from kobosmix.match.keys import set_contradictions_apart
from kobosmix.match.ledger import person_waves
from kobosmix.match.model import (
    Bucket,
    Interview,
    MatchDesign,
    Matched,
    OddValue,
    PersonWave,
    Submission,
)
from kobosmix.match.screen import Evidence, Reading, screen
from kobosmix.people.model import Register


def link(
    submissions: Iterable[Submission],
    codebooks: Mapping[str, Codebook],
    register: Register,
    design: MatchDesign,
    today: date,
) -> Matched:
    """Every submission in one bucket, every person in one state per wave, and the answers linked.

    The order of the submissions changes nothing. The order of the tests is told in
    `kobosmix.match.screen`. A ledger that does not sum is a StudyError.
    """
    in_order = sorted(submissions, key=lambda submission: (submission.received, submission.key))
    screened = [screen(Evidence(each, codebooks, register, design)) for each in in_order]
    readings = set_contradictions_apart(set_duplicates_apart(screened), design.waves)
    entries = tuple(reading.entry for reading in readings)
    interviews = _interviews(readings, design.waves)
    persons = person_waves(entries, interviews, register, design, today)
    _check_sums(in_order, readings, interviews, persons, len(register.by_id))
    return Matched(
        design=design,
        register=register,
        codebooks=codebooks,
        today=today,
        entries=entries,
        interviews=interviews,
        persons=persons,
        odd_values=_odd_values(interviews),
        linkage=figures.linkage(entries, design.waves),
        retention=figures.retention(persons, _lost(readings, design.waves), design, today),
    )


def _interviews(readings: Sequence[Reading], waves: Sequence[str]) -> tuple[Interview, ...]:
    linked = [
        Interview(
            key=reading.entry.key,
            rid=reading.entry.id_used,
            wave=reading.entry.wave,
            codebook=reading.codebook,
            answers=reading.answers,
            day=interview_day(reading.answers, reading.entry.received),
            enumerator=reading.entry.enumerator,
            is_partial=is_partial(reading.codebook, reading.answers),
        )
        for reading in readings
        if reading.codebook and reading.entry.bucket is Bucket.LINKED
    ]
    return tuple(sorted(linked, key=lambda each: (waves.index(each.wave), each.rid)))


def _odd_values(interviews: Sequence[Interview]) -> tuple[OddValue, ...]:
    return tuple(
        OddValue(key=each.key, variable=name, problem=problem)
        for each in interviews
        for name, problem in odd_answers(each.codebook, each.answers)
    )


def _lost(readings: Sequence[Reading], waves: Sequence[str]) -> set[str]:
    """Persons who completed the first wave and have withdrawn since."""
    return {
        reading.entry.id_used
        for reading in readings
        if reading.entry.bucket is Bucket.WITHDRAWN
        and reading.codebook
        and reading.entry.wave in waves[:1]
        and not is_partial(reading.codebook, reading.answers)
    }


def _check_sums(
    submissions: Sequence[Submission],
    readings: Sequence[Reading],
    interviews: Sequence[Interview],
    persons: Sequence[PersonWave],
    registered: int,
) -> None:
    given = Counter(submission.key for submission in submissions)
    _refuse_repeated("submission", given)
    if given != Counter(reading.entry.key for reading in readings):
        raise StudyError(f"{len(given)} submissions went in, {len(readings)} came out")
    _refuse_repeated("interview", Counter((each.rid, each.wave) for each in interviews))
    _refuse_repeated("person", Counter((each.respondent.id, each.wave) for each in persons))
    for wave, n in Counter(person.wave for person in persons).items():
        if n != registered:
            raise StudyError(f"the register has {registered} persons, the ledger {n} in {wave}")


def _refuse_repeated(what: str, counts: Counter[str] | Counter[tuple[str, str]]) -> None:
    repeated = [str(each) for each, n in counts.items() if n > 1]
    if repeated:
        raise StudyError(f"{len(repeated)} {what}s stand there twice, such as {repeated[0]}")
