"""What was planted beside what was found, line by line. Nothing is rounded or allowed for."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.codebook import Codebook, Kind, Role, Variable
from kobosmix.match.model import Bucket, Entry, Flag, Matched, State
from kobosmix.rehearse.script import Planted, Script
from kobosmix.rehearse.send import Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was planted and looked for.

    `is_equal` says more than that the two numbers are: it was the same submissions, persons or
    cells.
    """

    wave: str
    what: str
    planted: int
    found: int
    is_equal: bool

    @property
    def verdict(self) -> str:
        """`exact`, or what the difference is."""
        if self.is_equal:
            return "exact"
        difference = self.found - self.planted
        return f"{difference:+d}" if difference else "others than planted"


def compare(script: Script, matched: Matched) -> list[Line]:
    """The script against both ledgers and the linked answers."""
    entries = {_uuid(entry.key): entry for entry in matched.entries}
    return [
        *_submissions(script, matched, entries),
        *_persons(script, matched),
        *_flags(script, matched.entries),
        _suggestions(script, entries),
        _answers(script, matched),
    ]


def compare_sent(script: Script, sent: Sent) -> list[Line]:
    """The script against what the server said while it was sent."""
    again = sum(each.sent_again for each in script.planted)
    return [
        _line("", "submissions taken by the server", len(script.planted), sent.taken),
        _line("", "sent again and not counted twice", again, sent.known),
    ]


def compare_table(script: Script, matched: Matched, wide_csv: Path) -> Line:
    """Each answer of a linked interview against its cell in the wide table, as written."""
    books = {(book.wave, book.group): book for book in matched.codebooks.values()}
    planted = dict[tuple[str, str], str]()
    for each in script.planted:
        if each.bucket is Bucket.LINKED:
            planted |= _cells(each, books[each.wave, each.group])
    found = _written(wide_csv, {column for _, column in _columns(books.values())})
    return _sets("", "answers in data/wide.csv", planted.items(), found.items())


def _submissions(
    script: Script, matched: Matched, entries: Mapping[str, Entry]
) -> Iterator[Line]:
    found = {uuid: (entry.wave, entry.bucket) for uuid, entry in entries.items()}
    planted = {each.uuid: (each.ledger_wave, each.bucket) for each in script.planted}
    for wave in (*matched.design.waves, ""):
        for bucket in Bucket:
            there = {uuid for uuid, cell in planted.items() if cell == (wave, bucket)}
            here = {uuid for uuid, cell in found.items() if cell == (wave, bucket)}
            if there or here:
                yield _sets(wave, f"submissions {bucket}", there, here)
    yield _sets("", "submissions in the ledger", planted, found)


def _persons(script: Script, matched: Matched) -> Iterator[Line]:
    found = {(each.respondent.id, each.wave): each.state for each in matched.persons}
    for wave in matched.design.waves:
        for state in State:
            there = {
                rid
                for (rid, when), what in script.states.items()
                if (when, what) == (wave, state)
            }
            here = {rid for (rid, when), what in found.items() if (when, what) == (wave, state)}
            if there or here:
                yield _sets(wave, f"persons {state}", there, here)


def _flags(script: Script, entries: Iterable[Entry]) -> Iterator[Line]:
    planted = {(flag, each.uuid) for each in script.planted for flag in each.flags}
    found = {(flag, _uuid(entry.key)) for entry in entries for flag in entry.flags}
    for flag in Flag:
        there = {pair for pair in planted if pair[0] is flag}
        here = {pair for pair in found if pair[0] is flag}
        if there or here:
            yield _sets("", f"submissions flagged {flag}", there, here)


def _suggestions(script: Script, entries: Mapping[str, Entry]) -> Line:
    planted = {(each.uuid, each.suggestion) for each in script.planted if each.suggestion}
    found = {(uuid, each.suggestion) for uuid, each in entries.items() if each.suggestion}
    return _sets("", "wrong IDs with the right one suggested", planted, found)


def _answers(script: Script, matched: Matched) -> Line:
    """Linked interviews, each under its ID and with all its answers as the phone sent them."""
    hidden = {
        variable.name
        for book in matched.codebooks.values()
        for variable in book.variables
        if variable.role is Role.HIDDEN
    }
    planted = {
        (each.uuid, each.rid, each.wave, frozenset(each.answers.items()))
        for each in script.planted
        if each.bucket is Bucket.LINKED
    }
    found = {
        (
            _uuid(each.key),
            each.rid,
            each.wave,
            frozenset(pair for pair in each.answers.items() if pair[0] not in hidden),
        )
        for each in matched.interviews
    }
    return _sets("", "linked interviews with every answer as sent", planted, found)


def _cells(planted: Planted, book: Codebook) -> dict[tuple[str, str], str]:
    """The valid answers of an interview, by ID and column."""
    cells = dict[tuple[str, str], str]()
    for variable, column in _columns([book]):
        raw = planted.answers.get(variable.name, "")
        option = variable.option(raw)
        if raw and not (option and option.missing):
            cells[planted.rid, column] = raw
    return cells


def _columns(books: Iterable[Codebook]) -> Iterator[tuple[Variable, str]]:
    """What the wide table has a column for, with the column's name."""
    for book in books:
        for variable in book.variables:
            is_key = variable.role is Role.KEY and variable.kind is not Kind.TEXT
            if is_key or variable.role in (Role.ITEM, Role.OBSERVATION):
                yield variable, f"{book.wave}_{variable.name}"


def _written(wide_csv: Path, columns: set[str]) -> dict[tuple[str, str], str]:
    with wide_csv.open(encoding="utf-8", newline="") as file:
        return {
            (row["rid"], column): text
            for row in csv.DictReader(file)
            for column, text in row.items()
            if column in columns and text
        }


def _line(wave: str, what: str, planted: int, found: int) -> Line:
    return Line(wave=wave, what=what, planted=planted, found=found, is_equal=planted == found)


def _sets(wave: str, what: str, planted: Iterable[object], found: Iterable[object]) -> Line:
    there, here = set(planted), set(found)
    return Line(
        wave=wave, what=what, planted=len(there), found=len(here), is_equal=there == here
    )


def _uuid(key: str) -> str:
    """The uuid of a submission, out of its key in the store."""
    return key.rpartition("/")[2]
