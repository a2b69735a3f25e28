"""The store: pages go in whole, what has become of each submission comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kobosmix.errors import StudyError
from kobosmix.files import canonical_json
from kobosmix.store.content import is_sealed, keep
from kobosmix.store.database import Database
from kobosmix.store.model import (
    AssetCounts,
    Change,
    Fate,
    Head,
    Row,
    StoredSubmission,
    StoredVersion,
    Sweep,
    Tally,
)
from kobosmix.store.odata import flat_answers
from kobosmix.store.outcome import changes, tally
from kobosmix.store.sweeping import changed, take_page

# A sweep is no photograph: what is edited behind its back shows in the next one. Taking an old
# one up again would stretch that from minutes to days, so then it is begun anew.
_TAKEN_UP_WITHIN = timedelta(hours=1)


class Store:
    """An open store. Use it as a context manager; `open_store` makes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

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
        self._database.close()

    def begin_sweep(self, asset_uid: str, *, anew: bool = False) -> Sweep:
        """A sweep of this form: one cut short lately is taken up where it stopped.

        With `anew`, or when it was begun over an hour ago, it starts from the first submission.
        """
        with self._database.transaction():
            found = self._database.row(
                "SELECT id, begun, cursor, seen, in_full FROM sweep"
                " WHERE asset_uid = ? AND finished IS NULL",
                asset_uid,
            )
            if found is not None:
                sweep_id, begun, cursor, seen, in_full = found
                age = abs(self._database.clock() - datetime.fromisoformat(begun))
                if not anew and age <= _TAKEN_UP_WITHIN:
                    return Sweep(
                        id=sweep_id,
                        asset_uid=asset_uid,
                        cursor=cursor,
                        seen=seen,
                        in_full=bool(in_full),
                    )
                self._database.execute(
                    "UPDATE sweep SET finished = ? WHERE id = ?", self._database.now(), sweep_id
                )
            return self._first(asset_uid)

    def changed(self, sweep: Sweep, heads: Sequence[Head]) -> tuple[str, ...]:
        """The server's names of the submissions that have to be read whole."""
        return changed(self._database, sweep, heads)

    def write_page(
        self,
        sweep: Sweep,
        rows: Sequence[Row],
        cursor: str,
        *,
        unchanged: Sequence[Head] = (),
        in_full: bool = False,
    ) -> Sweep:
        """Store a page and how far the sweep has come: both, or neither. The sweep as it is then.

        A row that came before in this sweep is not stored or counted twice. `unchanged` are those
        of the page that need no reading; `in_full` says how the sweep goes on.
        """
        with self._database.transaction():
            self._require_unfinished(sweep)
            seen = take_page(self._database, sweep, rows, unchanged)
            found = self._database.row(
                "UPDATE sweep SET cursor = ?, seen = seen + ?, in_full = ? WHERE id = ?"
                " RETURNING seen",
                cursor,
                seen,
                int(in_full),
                sweep.id,
            )
        return Sweep(
            id=sweep.id,
            asset_uid=sweep.asset_uid,
            cursor=cursor,
            seen=int(found[0]) if found else 0,
            in_full=in_full,
        )

    def unseen(self, sweep: Sweep) -> tuple[str, ...]:
        """The server's names of those that it had and that this sweep has not come across."""
        rows = self._database.rows(
            "SELECT server_id FROM head WHERE asset_uid = ? AND NOT is_deleted AND sweep != ?"
            " ORDER BY version",
            sweep.asset_uid,
            sweep.id,
        )
        return tuple(server_id for (server_id,) in rows)

    def finish_sweep(self, sweep: Sweep, expected: int) -> Tally:
        """Record as deleted what the sweep did not see, and say what it found.

        Refused when it has not seen as many as the server holds: a gap must not look like a
        deletion.
        """
        with self._database.transaction():
            seen = self._require_unfinished(sweep)
            if seen != expected:
                raise StudyError(
                    f"{seen} submissions of {sweep.asset_uid} were read but the server counts "
                    f"{expected}, so nothing was recorded as deleted"
                )
            self._bury_unseen(sweep)
            self._finish(sweep)
            return tally(self._database, sweep, seen)

    def add_rows(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, Tally]:
        """Store rows of some forms that are not all there are: what is absent stays as it is.

        All of all forms, or nothing; what was found, by form. A sweep of the same form that was
        cut short is begun anew after it.
        """
        with self._database.transaction():
            return {
                asset_uid: self._add(asset_uid, of_form) for asset_uid, of_form in rows.items()
            }

    def differing(self, asset_uid: str, rows: Sequence[Row]) -> tuple[str, ...]:
        """The server's names of rows that are not in the store exactly as they are here.

        What is sealed on the server is only looked for: its answers may be known from a file.
        """
        found = self._database.rows_among(
            "SELECT server_id, digest FROM head WHERE NOT is_deleted AND asset_uid = ?"
            " AND server_id IN",
            asset_uid,
            [row.server_id for row in rows],
        )
        digests = dict(found)
        return tuple(
            row.server_id
            for row in rows
            if digests.get(row.server_id) != keep(row).digest
            and not (row.server_id in digests and is_sealed(row.content))
        )

    def changes(self, asset_uid: str) -> Iterator[Change]:
        """What the last complete sweep of a form found changed of what was known, as it was found.

        New submissions are not listed: the tally counts them.
        """
        return changes(self._database, asset_uid)

    def current(self) -> Iterator[StoredSubmission]:
        """Each submission as the server had it at the last pull, by form and time of receipt.

        Those deleted on the server are left out. One at a time is in memory.
        """
        newest = self._database.rows(
            "SELECT version FROM head JOIN version AS v ON v.id = head.version"
            " JOIN submission ON submission.id = v.submission WHERE NOT is_deleted"
            " ORDER BY head.asset_uid, received, length(v.server_id), v.server_id, root_uuid"
        )
        # Only numbers are sorted; versions never change, so each can be fetched when asked for.
        for (version,) in newest:
            yield self._submission(version)

    def history(self, key: str) -> tuple[StoredVersion, ...]:
        """Everything that ever became of one submission, oldest first; empty for no such key."""
        asset_uid, _, root_uuid = key.partition("/")
        rows = self._database.rows(
            "SELECT fate, stored, server_id, received, content, digest, validation"
            " FROM version JOIN submission ON submission.id = version.submission"
            " WHERE asset_uid = ? AND root_uuid = ? ORDER BY version.id",
            asset_uid,
            root_uuid,
        )
        return tuple(_version(row) for row in rows)

    def counts(self) -> dict[str, AssetCounts]:
        """How much the store holds, by form."""
        rows = self._database.rows(
            "SELECT head.asset_uid, sum(NOT is_deleted), sum(is_deleted), sum(("
            "   SELECT count(*) FROM version WHERE version.submission = head.submission"
            " )) FROM head GROUP BY head.asset_uid ORDER BY 1"
        )
        return {
            uid: AssetCounts(current=current, deleted=deleted, versions=versions)
            for uid, current, deleted, versions in rows
        }

    def undefined_versions(self, asset_uid: str) -> tuple[str, ...]:
        """The versions of a form that answers came from and that the server was not asked for."""
        rows = self._database.rows(
            "SELECT form_version FROM definition WHERE asset_uid = ? AND stored IS NULL"
            " ORDER BY form_version",
            asset_uid,
        )
        return tuple(version for (version,) in rows)

    def write_definition(
        self, asset_uid: str, form_version: str, content: Mapping[str, Any] | None
    ) -> None:
        """Keep the form as the server had it in one version; None where it knows no such one."""
        spelled = None if content is None else canonical_json(content).decode("utf-8")
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO definition VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET stored = excluded.stored, content = excluded.content",
                asset_uid,
                form_version,
                self._database.now(),
                spelled,
            )

    def definitions(self) -> Iterator[tuple[str, str, Mapping[str, Any] | None]]:
        """Form, version, and what the server said that it was, for each version asked for."""
        rows = self._database.rows(
            "SELECT asset_uid, form_version, content FROM definition WHERE stored IS NOT NULL"
            " ORDER BY asset_uid, form_version"
        )
        for asset_uid, form_version, content in rows:
            yield asset_uid, form_version, None if content is None else json.loads(content)

    def _add(self, asset_uid: str, rows: Sequence[Row]) -> Tally:
        self._database.execute(
            "UPDATE sweep SET finished = ? WHERE asset_uid = ? AND finished IS NULL",
            self._database.now(),
            asset_uid,
        )
        sweep = self._first(asset_uid)
        seen = take_page(self._database, sweep, rows, ())
        self._finish(sweep)
        return tally(self._database, sweep, seen)

    def _first(self, asset_uid: str) -> Sweep:
        known = self._database.row(
            "SELECT 1 FROM head WHERE asset_uid = ? AND NOT is_deleted", asset_uid
        )
        made = self._database.execute(
            "INSERT INTO sweep (asset_uid, begun, cursor, seen, in_full, complete)"
            " VALUES (?, ?, '', 0, ?, 0)",
            asset_uid,
            self._database.now(),
            int(known is None),
        )
        return Sweep(
            id=made.lastrowid or 0,
            asset_uid=asset_uid,
            cursor="",
            seen=0,
            in_full=known is None,
        )

    def _finish(self, sweep: Sweep) -> None:
        self._database.execute(
            "UPDATE sweep SET finished = ?, complete = 1 WHERE id = ?",
            self._database.now(),
            sweep.id,
        )

    def _bury_unseen(self, sweep: Sweep) -> None:
        self._database.execute(
            "INSERT INTO version (submission, sweep, fate, stored, server_id, received,"
            " validation, digest)"
            " SELECT v.submission, ?, 'deleted', ?, v.server_id, v.received, '', ''"
            " FROM head JOIN version AS v ON v.id = head.version"
            " WHERE head.asset_uid = ? AND NOT is_deleted AND head.sweep != ? ORDER BY v.id",
            sweep.id,
            self._database.now(),
            sweep.asset_uid,
            sweep.id,
        )
        self._database.execute(
            "UPDATE head SET version = v.id, digest = '', mark = '', is_deleted = 1, sweep = ?"
            " FROM version AS v WHERE v.sweep = ? AND v.fate = 'deleted'"
            " AND v.submission = head.submission",
            sweep.id,
            sweep.id,
        )

    def _submission(self, version: int) -> StoredSubmission:
        row = self._database.row(
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
            content=flat_answers(json.loads(content)),
            digest=digest,
            validation=validation,
        )

    def _require_unfinished(self, sweep: Sweep) -> int:
        """How many the sweep has seen. Raises a StudyError where another pull has finished it."""
        found = self._database.row("SELECT finished, seen FROM sweep WHERE id = ?", sweep.id)
        if found is None or found[0] is not None:
            raise StudyError(
                f"another pull has finished with {sweep.asset_uid} meanwhile; run pull again"
            )
        return int(found[1])


def _version(row: tuple[Any, ...]) -> StoredVersion:
    fate, stored, server_id, received, content, digest, validation = row
    return StoredVersion(
        fate=Fate(fate),
        stored=stored,
        server_id=server_id,
        received=received,
        content=None if content is None else flat_answers(json.loads(content)),
        digest=digest,
        validation=validation,
    )
