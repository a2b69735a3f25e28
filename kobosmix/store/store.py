"""The store: pages go in whole, what has become of each submission comes out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kobosmix.errors import StudyError
from kobosmix.store.content import Kept, keep
from kobosmix.store.faults import told
from kobosmix.store.model import (
    AssetCounts,
    Fate,
    StoredSubmission,
    StoredVersion,
    Sweep,
    Tally,
)

# A sweep is no photograph: what is edited behind its back shows in the next one. Taking an old
# one up again would stretch that from minutes to days, so then it is begun anew.
_TAKEN_UP_WITHIN = timedelta(hours=1)

_LATEST = "(SELECT max(id) FROM version WHERE submission = submission_.id)"


class Store:
    """An open store. Use it as a context manager; `open_store` makes it."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, clock: Callable[[], datetime]
    ) -> None:
        self.path = path
        self._connection = connection
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with told(self.path):
            self._connection.close()

    def begin_sweep(self, asset_uid: str, expected: int, *, anew: bool = False) -> Sweep:
        """A sweep of this form: one cut short lately is taken up where it stopped.

        With `anew`, or when it was begun over an hour ago, it starts from the first submission.
        """
        with self._transaction():
            found = self._row(
                "SELECT id, begun, cursor FROM sweep WHERE asset_uid = ? AND finished IS NULL",
                asset_uid,
            )
            if found is None:
                return self._first(asset_uid, expected)
            sweep_id, begun, cursor = found
            age = abs(self._clock() - datetime.fromisoformat(begun))
            if anew or age > _TAKEN_UP_WITHIN:
                return self._again(sweep_id, asset_uid, expected)
            seen = self._seen(sweep_id)
            return Sweep(
                id=sweep_id, asset_uid=asset_uid, cursor=cursor, seen=seen, expected=expected
            )

    def write_page(self, sweep: Sweep, rows: Sequence[Mapping[str, Any]], cursor: int) -> int:
        """Store a page and how far the sweep has come: both, or neither. How many it has seen.

        A row that came before in this sweep is not stored or counted twice.
        """
        kept = [keep(row) for row in rows]
        with self._transaction():
            self._require_unfinished(sweep)
            for row in kept:
                self._take(sweep, row)
            self._execute(
                "UPDATE sweep SET cursor = max(cursor, ?) WHERE id = ?", cursor, sweep.id
            )
            return self._seen(sweep.id)

    def finish_sweep(self, sweep: Sweep, expected: int) -> Tally:
        """Record as deleted what the sweep did not see, and say what it found.

        Refused when it has not seen as many as the server holds: a gap must not look like a
        deletion.
        """
        with self._transaction():
            self._require_unfinished(sweep)
            seen = self._seen(sweep.id)
            if seen != expected:
                raise StudyError(
                    f"{seen} submissions of {sweep.asset_uid} were read but the server counts "
                    f"{expected}, so nothing was recorded as deleted"
                )
            self._bury_unseen(sweep)
            tally = self._tally(sweep)
            self._execute("DELETE FROM seen WHERE sweep = ?", sweep.id)
            self._execute("UPDATE sweep SET finished = ? WHERE id = ?", self._now(), sweep.id)
            return tally

    def current(self) -> Iterator[StoredSubmission]:
        """Each submission as the server had it at the last pull, by form and server id.

        Those deleted on the server are left out. One at a time is in memory.
        """
        with told(self.path):
            newest = self._connection.execute(
                "SELECT v.id FROM submission AS submission_ JOIN version AS v"  # noqa: S608
                f" ON v.id = {_LATEST} WHERE v.fate != 'deleted'"
                " ORDER BY submission_.asset_uid, v.server_id, v.id"
            )
            # Only numbers are sorted; versions never change, so each can be fetched when asked for.
            for (version,) in newest:
                yield self._submission(version)

    def history(self, key: str) -> tuple[StoredVersion, ...]:
        """Everything that ever became of one submission, oldest first; empty for no such key."""
        asset_uid, _, root_uuid = key.partition("/")
        with told(self.path):
            rows = self._connection.execute(
                "SELECT fate, stored, server_id, received, content, digest, validation"
                " FROM version JOIN submission ON submission.id = version.submission"
                " WHERE asset_uid = ? AND root_uuid = ? ORDER BY version.id",
                (asset_uid, root_uuid),
            ).fetchall()
        return tuple(_version(row) for row in rows)

    def counts(self) -> dict[str, AssetCounts]:
        """How much the store holds, by form."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT submission_.asset_uid, sum(v.fate != 'deleted'),"  # noqa: S608
                " sum(v.fate = 'deleted'), sum(("
                "   SELECT count(*) FROM version WHERE submission = submission_.id"
                " )) FROM submission AS submission_ JOIN version AS v"
                f" ON v.id = {_LATEST} GROUP BY submission_.asset_uid ORDER BY 1"
            ).fetchall()
        return {
            uid: AssetCounts(current=current, deleted=deleted, versions=versions)
            for uid, current, deleted, versions in rows
        }

    def _first(self, asset_uid: str, expected: int) -> Sweep:
        made = self._execute(
            "INSERT INTO sweep (asset_uid, begun, expected, cursor) VALUES (?, ?, ?, 0)",
            asset_uid,
            self._now(),
            expected,
        )
        return Sweep(
            id=made.lastrowid or 0, asset_uid=asset_uid, cursor=0, seen=0, expected=expected
        )

    def _again(self, sweep_id: int, asset_uid: str, expected: int) -> Sweep:
        self._execute("DELETE FROM seen WHERE sweep = ?", sweep_id)
        self._execute(
            "UPDATE sweep SET cursor = 0, begun = ?, expected = ? WHERE id = ?",
            self._now(),
            expected,
            sweep_id,
        )
        return Sweep(id=sweep_id, asset_uid=asset_uid, cursor=0, seen=0, expected=expected)

    def _take(self, sweep: Sweep, row: Kept) -> None:
        submission = self._identify(sweep, row)
        latest = self._row(
            "SELECT fate, digest FROM version WHERE submission = ? ORDER BY id DESC LIMIT 1",
            submission,
        )
        fate = _fate(latest, row.digest)
        if fate is not None:
            self._append(sweep, submission, fate, row)
        self._execute(
            "INSERT OR IGNORE INTO seen (sweep, server_id, submission) VALUES (?, ?, ?)",
            sweep.id,
            row.server_id,
            submission,
        )

    def _identify(self, sweep: Sweep, row: Kept) -> int:
        submission = self._submission_id(sweep.asset_uid, row.root_uuid)
        taken = self._row(
            "SELECT 1 FROM seen WHERE sweep = ? AND submission = ? AND server_id != ?",
            sweep.id,
            submission,
            row.server_id,
        )
        if taken is None:
            return submission
        # Two rows under one uuid: servers have let that happen. Neither may hide the other.
        return self._submission_id(sweep.asset_uid, f"{row.root_uuid}~{row.server_id}")

    def _submission_id(self, asset_uid: str, root_uuid: str) -> int:
        found = self._row(
            "SELECT id FROM submission WHERE asset_uid = ? AND root_uuid = ?",
            asset_uid,
            root_uuid,
        )
        if found is not None:
            return int(found[0])
        made = self._execute(
            "INSERT INTO submission (asset_uid, root_uuid) VALUES (?, ?)", asset_uid, root_uuid
        )
        return made.lastrowid or 0

    def _append(self, sweep: Sweep, submission: int, fate: Fate, row: Kept) -> None:
        self._execute(
            "INSERT INTO version (submission, sweep, fate, stored, server_id, received,"
            " validation, digest, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            submission,
            sweep.id,
            fate.value,
            self._now(),
            row.server_id,
            row.received,
            row.validation,
            row.digest,
            row.content,
        )

    def _bury_unseen(self, sweep: Sweep) -> None:
        self._execute(
            "INSERT INTO version (submission, sweep, fate, stored, server_id, received,"  # noqa: S608
            " validation, digest)"
            " SELECT v.submission, ?, 'deleted', ?, v.server_id, v.received, '', ''"
            " FROM submission AS submission_ JOIN version AS v"
            f" ON v.id = {_LATEST}"
            " WHERE submission_.asset_uid = ? AND v.fate != 'deleted' AND NOT EXISTS ("
            "   SELECT 1 FROM seen WHERE sweep = ? AND submission = submission_.id)"
            " ORDER BY v.server_id",
            sweep.id,
            self._now(),
            sweep.asset_uid,
            sweep.id,
        )

    def _tally(self, sweep: Sweep) -> Tally:
        # The first fate in this sweep counts: a row that was new and then read again is new.
        fates = self._execute(
            "SELECT (SELECT fate FROM version WHERE version.submission = seen.submission"
            " AND version.sweep = seen.sweep ORDER BY id LIMIT 1) AS became, count(*)"
            " FROM seen WHERE sweep = ? GROUP BY became",
            sweep.id,
        ).fetchall()
        found = {fate or "unchanged": number for fate, number in fates}
        deleted = self._row(
            "SELECT count(*) FROM version WHERE sweep = ? AND fate = 'deleted'", sweep.id
        )
        return Tally(**{**found, "deleted": deleted[0] if deleted else 0})

    def _submission(self, version: int) -> StoredSubmission:
        row = self._row(
            "SELECT asset_uid, root_uuid, server_id, received, content, digest, validation"
            " FROM version JOIN submission ON submission.id = version.submission"
            " WHERE version.id = ?",
            version,
        )
        asset_uid, root_uuid, server_id, received, content, digest, validation = row or ()
        return StoredSubmission(
            key=f"{asset_uid}/{root_uuid}",
            asset_uid=asset_uid,
            root_uuid=root_uuid,
            server_id=server_id,
            received=received,
            content=json.loads(content),
            digest=digest,
            validation=validation,
        )

    def _require_unfinished(self, sweep: Sweep) -> None:
        found = self._row("SELECT finished FROM sweep WHERE id = ?", sweep.id)
        if found is None or found[0] is not None:
            raise StudyError(
                f"another pull has finished with {sweep.asset_uid} meanwhile; run pull again"
            )

    def _seen(self, sweep_id: int) -> int:
        found = self._row("SELECT count(*) FROM seen WHERE sweep = ?", sweep_id)
        return int(found[0]) if found else 0

    def _row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._execute(statement, *values).fetchone()
        return found

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds").replace("+00:00", "Z")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # SQLite has rolled back by itself after some failures, a full disk among them.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _fate(latest: tuple[Any, ...] | None, digest: str) -> Fate | None:
    if latest is None:
        return Fate.NEW
    if latest[0] == Fate.DELETED:
        return Fate.RESTORED
    return None if latest[1] == digest else Fate.EDITED


def _version(row: tuple[Any, ...]) -> StoredVersion:
    fate, stored, server_id, received, content, digest, validation = row
    return StoredVersion(
        fate=Fate(fate),
        stored=stored,
        server_id=server_id,
        received=received,
        content=None if content is None else json.loads(content),
        digest=digest,
        validation=validation,
    )
