"""The ledgers as files: two workbooks for people, one JSON for programs. No answers in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kobosmix.files import write_bytes, write_json
from kobosmix.match.model import Bucket, Entry, Matched, PersonWave, Retention, State
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

FORMAT = 1
NO_FORM = "no form"

_SUBMISSION_COLUMNS = (
    "key",
    "wave",
    "group",
    "bucket",
    "id entered",
    "id used",
    "enumerator",
    "received",
    "flags",
    "suggestion",
    "outcome",
    "reason",
)
_EDITED_COLUMNS = (
    "project",
    "version",
    "level",
    "where",
    "what",
    "language",
    "as built",
    "on the server",
    "what it means",
)
_PERSON_COLUMNS = ("rid", "group", "site", "cohort", "partner", "arm")


def write_match(folder: Path, matched: Matched) -> None:
    """Write `submissions.xlsx`, `persons.xlsx` and `summary.json`; equal input, equal bytes."""
    sheets = [_submissions(matched), *_edited_forms(matched)]
    write_bytes(folder / "submissions.xlsx", workbook_bytes(sheets))
    write_bytes(folder / "persons.xlsx", workbook_bytes([_persons(matched)]))
    write_json(folder / "summary.json", summary(matched))


def summary(matched: Matched) -> dict[str, Any]:
    """All counts and figures. Every group of counts has its total, and the totals agree."""
    return {
        "format": FORMAT,
        "study": matched.design.study,
        "as_of": matched.today.isoformat(),
        "submissions": _bucket_counts(matched.entries),
        "by_wave": _by_wave(matched),
        "by_form": _by_form(matched),
        "persons": _persons_by_wave(matched),
        "linkage": [{**asdict(each), "rate": _rounded(each.rate)} for each in matched.linkage],
        "retention": [_retention(each) for each in matched.retention],
        "odd_values": [asdict(each) for each in matched.odd_values],
    }


def _by_wave(matched: Matched) -> dict[str, Any]:
    return {
        wave or NO_FORM: _bucket_counts([e for e in matched.entries if e.wave == wave])
        for wave in (*matched.design.waves, "")
    }


def _by_form(matched: Matched) -> dict[str, Any]:
    titles = {build_id: book.title for build_id, book in matched.codebooks.items()}
    return {
        form or NO_FORM: {
            "title": titles.get(form, ""),
            **_bucket_counts([e for e in matched.entries if e.form == form]),
        }
        for form in sorted({entry.form for entry in matched.entries})
    }


def _persons_by_wave(matched: Matched) -> dict[str, Any]:
    return {
        wave: _state_counts([p for p in matched.persons if p.wave == wave])
        for wave in matched.design.waves
    }


def _bucket_counts(entries: Sequence[Entry]) -> dict[str, int]:
    counts = Counter(entry.bucket for entry in entries)
    return {**{bucket.value: counts[bucket] for bucket in Bucket}, "total": len(entries)}


def _state_counts(persons: Sequence[PersonWave]) -> dict[str, int]:
    counts = Counter(person.state for person in persons)
    return {**{state.value: counts[state] for state in State}, "total": len(persons)}


def _retention(figure: Retention) -> dict[str, Any]:
    return {
        **asdict(figure),
        "rate": _rounded(figure.rate),
        "closed_rate": _rounded(figure.closed_rate),
        "interim": figure.is_interim,
        "verdict": figure.verdict,
        "below_30": figure.is_small,
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)


def _submissions(matched: Matched) -> Sheet:
    rows: list[Sequence[Cell]] = [_SUBMISSION_COLUMNS]
    rows += [
        (
            entry.key,
            entry.wave,
            entry.group,
            entry.bucket.value,
            entry.id_entered,
            entry.id_used,
            entry.enumerator,
            entry.received,
            ", ".join(entry.flags),
            entry.suggestion,
            entry.outcome,
            entry.reason,
        )
        for entry in matched.entries
    ]
    ids = tuple(
        _SUBMISSION_COLUMNS.index(name) for name in ("id entered", "id used", "suggestion")
    )
    return Sheet(title="Submissions", rows=rows, for_people=True, text_columns=ids)


def _edited_forms(matched: Matched) -> Iterator[Sheet]:
    """What differs in the forms that were edited on the server; no sheet where none was."""
    rows: list[Sequence[Cell]] = [
        (
            *(project, version, change.level.value, change.where, change.what),
            *(change.language, change.old, change.new, change.means),
        )
        for (project, version), found in sorted(matched.design.edited_forms.items())
        for change in found
    ]
    if rows:
        yield Sheet(title="Edited forms", rows=[_EDITED_COLUMNS, *rows], for_people=True)


def _persons(matched: Matched) -> Sheet:
    waves = matched.design.waves
    by_wave = {(p.respondent.id, p.wave): p for p in matched.persons}
    rows: list[Sequence[Cell]] = [(*_PERSON_COLUMNS, *waves, "to resolve")]
    for person in matched.register.respondents:
        seen = [by_wave[person.id, wave] for wave in waves]
        rows.append(
            (
                person.id,
                seen[0].group if seen else person.group,
                person.site,
                person.cohort,
                person.partner,
                person.arm,
                *(each.state.value for each in seen),
                sum(each.to_resolve for each in seen),
            )
        )
    return Sheet(title="Persons", rows=rows, for_people=True, text_columns=(0,))
