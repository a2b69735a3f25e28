"""What a pull found: counts, and the changes one by one.

A pull that was cut short stored what it had read, and says so only when a later one is complete. So
what is told is everything since the last sweep that came to its end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from kobosmix.store.content import what_became
from kobosmix.store.database import Database
from kobosmix.store.model import Change, Fate, Sweep, Tally

_OF_FORM = (
    "FROM version AS v JOIN sweep AS s ON s.id = v.sweep"
    " WHERE s.asset_uid = ? AND v.sweep > ? AND v.sweep <= ?"
)


def tally(database: Database, sweep: Sweep, seen: int) -> Tally:
    """How many of each kind there are up to the end of this sweep, which has seen so many.

    The first thing that became of a submission counts: one that is new and then edited is new.
    One that came and went in between is not counted at all.
    """
    rows = database.rows(
        "SELECT first.fate, last.fate, count(*) FROM (SELECT min(v.id) AS a, max(v.id) AS b"  # noqa: S608
        f" {_OF_FORM} GROUP BY v.submission) JOIN version AS first ON first.id = a"
        " JOIN version AS last ON last.id = b GROUP BY first.fate, last.fate",
        sweep.asset_uid,
        _complete_before(database, sweep.asset_uid, sweep.id),
        sweep.id,
    )
    became = Counter[str]()
    for first, last, number in rows:
        became[_told(first, last)] += number
    there = sum(number for fate, number in became.items() if fate not in ("", Fate.DELETED))
    del became[""]
    return Tally(**became, unchanged=seen - there)


def changes(database: Database, asset_uid: str) -> Iterator[Change]:
    """What the last complete sweep found changed of what was known, in the order found.

    New submissions are not listed: the tally counts them.
    """
    last = database.row(
        "SELECT coalesce(max(id), 0) FROM sweep WHERE asset_uid = ? AND complete", asset_uid
    )
    ended = int(last[0]) if last else 0
    found = database.rows(
        "SELECT v.id, root_uuid, v.server_id, v.fate FROM version AS v"
        " JOIN submission ON submission.id = v.submission JOIN sweep AS s ON s.id = v.sweep"
        " WHERE s.asset_uid = ? AND v.sweep > ? AND v.sweep <= ?"
        " AND v.fate NOT IN ('new', 'confirmed') ORDER BY v.id",
        asset_uid,
        _complete_before(database, asset_uid, ended),
        ended,
    )
    for version, root_uuid, server_id, fate in found:
        yield Change(
            asset_uid=asset_uid,
            key=f"{asset_uid}/{root_uuid}",
            server_id=server_id,
            fate=Fate(fate),
            fields=_fields_changed(database, version) if fate == Fate.EDITED else (),
        )


def _complete_before(database: Database, asset_uid: str, sweep_id: int) -> int:
    found = database.row(
        "SELECT coalesce(max(id), 0) FROM sweep WHERE asset_uid = ? AND complete AND id < ?",
        asset_uid,
        sweep_id,
    )
    return int(found[0]) if found else 0


def _told(first: str, last: str) -> str:
    """What is said of a submission by the first and the last thing that became of it."""
    if last == Fate.DELETED and first in (Fate.NEW, Fate.RESTORED):
        return ""
    if last == Fate.DELETED:
        return last
    # What a file had said before is nothing new.
    told = last if first == Fate.CONFIRMED else first
    return "" if told == Fate.CONFIRMED else told


def _fields_changed(database: Database, version: int) -> tuple[str, ...]:
    after = database.row("SELECT submission, content FROM version WHERE id = ?", version)
    submission, content = after or (0, "{}")
    before = database.row(
        "SELECT content FROM version WHERE submission = ? AND id < ? AND content IS NOT NULL"
        " ORDER BY id DESC LIMIT 1",
        submission,
        version,
    )
    first = json.loads(before[0]) if before else {}
    return what_became(first, json.loads(content), reviewed=False)[1]
