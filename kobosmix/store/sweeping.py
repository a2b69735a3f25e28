"""How a page of submissions goes into the store: what is new of it, and that it was seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kobosmix.store.content import Kept, agree, is_from_file, is_sealed, keep, what_became
from kobosmix.store.database import Database
from kobosmix.store.model import Fate, Head, Row, Sweep
from kobosmix.store.odata import flat_answers


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store holds of a submission."""

    submission: int
    server_id: str
    mark: str
    version: int
    digest: str
    is_deleted: bool
    sweep: int


_KNOWN = "SELECT submission, server_id, mark, version, digest, is_deleted, sweep FROM head"


def changed(database: Database, sweep: Sweep, heads: Sequence[Head]) -> tuple[str, ...]:
    """The server's names of those that are not as the store last saw them, or not known at all."""
    known = _by_server_id(database, sweep.asset_uid, [head.server_id for head in heads])
    return tuple(
        head.server_id for head in heads if not _is_as_before(known.get(head.server_id), head)
    )


def take_page(
    database: Database, sweep: Sweep, rows: Iterable[Row], unchanged: Sequence[Head]
) -> int:
    """Store what is new among the rows, note all as seen; how many were not seen before.

    Call it within a transaction. A submission that came before in this sweep counts once.
    """
    page = _Page(database, sweep, [keep(row) for row in _once(rows)])
    page.note_seen(unchanged)
    for each in page.kept:
        page.take(each)
    return page.write()


def _is_as_before(known: _Known | None, head: Head) -> bool:
    return known is not None and not known.is_deleted and known.mark == head.mark != ""


def _once(rows: Iterable[Row]) -> list[Row]:
    # Servers have handed a row out twice on one page; the later one is the newer.
    return list({row.server_id: row for row in rows}.values())


def _by_server_id(
    database: Database, asset_uid: str, server_ids: Sequence[str]
) -> dict[str, _Known]:
    found = database.rows_among(
        f"{_KNOWN} WHERE asset_uid = ? AND server_id IN", asset_uid, server_ids
    )
    known = [_known(row) for row in found]
    # After a submission was deleted and sent again, an old head may have the same number.
    return {
        each.server_id: each for each in sorted(known, key=lambda each: not each.is_deleted)
    }


def _by_root(database: Database, asset_uid: str, roots: Sequence[str]) -> dict[str, _Known]:
    found = database.rows_among(
        "SELECT root_uuid, submission, server_id, mark, version, digest, is_deleted, sweep"
        " FROM submission JOIN head ON head.submission = submission.id"
        " WHERE submission.asset_uid = ? AND root_uuid IN",
        asset_uid,
        roots,
    )
    return {str(root): _known(row) for root, *row in found}


def _known(row: Sequence[object]) -> _Known:
    submission, server_id, mark, version, digest, is_deleted, sweep = row
    return _Known(
        int(str(submission)),
        str(server_id),
        str(mark),
        int(str(version)),
        str(digest),
        bool(is_deleted),
        int(str(sweep)),
    )


class _Page:
    """One page on its way into the store, gathered first and written at once."""

    def __init__(self, database: Database, sweep: Sweep, kept: Sequence[Kept]) -> None:
        self.kept = kept
        self._database, self._sweep, self._now = database, sweep, database.now()
        self._by_root = _by_root(database, sweep.asset_uid, _names([k.row for k in kept]))
        self._newly_seen = 0
        self._submissions = list[tuple[Any, ...]]()
        self._versions = list[tuple[Any, ...]]()
        self._heads = dict[int, _Known]()
        self._form_versions = set[str]()
        # Within the transaction nobody else can take these numbers.
        self._next_submission = _next_id(database, "submission")
        self._next_version = _next_id(database, "version")

    def note_seen(self, heads: Sequence[Head]) -> None:
        """Note submissions that are as they were."""
        asset, names = self._sweep.asset_uid, [head.server_id for head in heads]
        for known in _by_server_id(self._database, asset, names).values():
            if known.sweep != self._sweep.id:
                self._newly_seen += 1
                self._heads[known.submission] = known
        # A row of the same page may have the root uuid of one of them; see _name.
        for root, known in self._by_root.items():
            if known.submission in self._heads:
                self._by_root[root] = replace(known, sweep=self._sweep.id)

    def take(self, kept: Kept) -> None:
        """Take one row, which is stored if it is not what the store has already."""
        row = kept.row
        name = self._name(row)
        known = self._by_root.get(name)
        if row.form_version:
            self._form_versions.add(row.form_version)
        if known is None or known.sweep != self._sweep.id:
            self._newly_seen += 1
        fate = self._fate(known, kept)
        submission = known.submission if known else self._new_submission(name)
        if known is not None and fate is None:
            version, digest = known.version, known.digest
        else:
            version, digest = self._new_version(submission, fate or Fate.NEW, kept), kept.digest
        # Without a mark it is read again by each sweep: perhaps the other one is gone by then.
        mark = row.mark if name == row.root_uuid else ""
        newest = _Known(submission, row.server_id, mark, version, digest, False, self._sweep.id)
        self._by_root[name] = self._heads[submission] = newest

    def write(self) -> int:
        """Write what was gathered; how many had not been seen in this sweep before."""
        asset, sweep = self._sweep.asset_uid, self._sweep.id
        write = self._database.execute_many
        write("INSERT INTO submission VALUES (?, ?, ?)", self._submissions)
        write(
            "INSERT INTO version (id, submission, sweep, fate, stored, server_id, received,"
            " validation, digest, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._versions,
        )
        write(
            "INSERT INTO head VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET"
            " server_id = excluded.server_id, mark = excluded.mark, version = excluded.version,"
            " digest = excluded.digest, is_deleted = 0, sweep = excluded.sweep",
            [
                (
                    each.submission,
                    asset,
                    each.server_id,
                    each.mark,
                    each.version,
                    each.digest,
                    sweep,
                )
                for each in self._heads.values()
            ],
        )
        write(
            "INSERT OR IGNORE INTO definition (asset_uid, form_version) VALUES (?, ?)",
            [(asset, version) for version in sorted(self._form_versions)],
        )
        return self._newly_seen

    def _name(self, row: Row) -> str:
        """The root uuid; with the server's name behind it where another row has the uuid too.

        Servers have let that happen, and neither may hide the other. But one that was deleted and
        sent again has its root uuid to itself, once a sweep no longer comes across the first.
        """
        known = self._by_root.get(row.root_uuid)
        is_other = known is not None and known.server_id != row.server_id
        is_seen = known is not None and known.sweep == self._sweep.id
        return _twin(row) if is_other and is_seen else row.root_uuid

    def _new_submission(self, name: str) -> int:
        number, self._next_submission = self._next_submission, self._next_submission + 1
        self._submissions.append((number, self._sweep.asset_uid, name))
        return number

    def _new_version(self, submission: int, fate: Fate, kept: Kept) -> int:
        row = kept.row
        number, self._next_version = self._next_version, self._next_version + 1
        self._versions.append(
            (
                *(number, submission, self._sweep.id, fate.value, self._now, row.server_id),
                *(row.received, row.validation, kept.digest, kept.content),
            )
        )
        return number

    def _fate(self, known: _Known | None, kept: Kept) -> Fate | None:
        """What has become of it; None where there is nothing to be stored.

        That is so where it is as it was, or is sealed on the server and known from a file.
        """
        if known is None:
            return Fate.NEW
        if known.is_deleted:
            return Fate.RESTORED
        if known.digest == kept.digest:
            return None
        before = self._database.row(
            "SELECT content, validation FROM version WHERE id = ?", known.version
        )
        content, validation = before or ("{}", "")
        was, now = json.loads(content), json.loads(kept.content)
        if is_from_file(was) and not is_from_file(now):
            if is_sealed(now):
                return None
            if agree(was, flat_answers(now)):
                return Fate.CONFIRMED
        return what_became(was, now, reviewed=validation != kept.row.validation)[0]


def _next_id(database: Database, table: str) -> int:
    found = database.row(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")  # noqa: S608
    return int(found[0]) if found else 1


def _names(rows: Sequence[Row]) -> list[str]:
    return [*(row.root_uuid for row in rows), *(_twin(row) for row in rows)]


def _twin(row: Row) -> str:
    return f"{row.root_uuid}~{row.server_id}"
