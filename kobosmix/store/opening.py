"""Opening the store: only one that is whole, ours, and not from the future."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.store import schema
from kobosmix.store.database import Database
from kobosmix.store.faults import damaged, told
from kobosmix.store.store import Store

_BUSY_TIMEOUT_S = 10.0
# Each page of a pull is some megabytes: at SQLite's own 1000 it would all be written twice at once.
_PAGES_BETWEEN_CHECKPOINTS = 8000


def open_store(
    path: Path,
    *,
    read_only: bool = False,
    busy_timeout_s: float = _BUSY_TIMEOUT_S,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Store:
    """The store in this file, which is made when missing; with `read_only` it must be there.

    Reading is possible while another process writes. A damaged file, one of a newer kobosmix
    and one that is no store are each a StudyError, and are left as they are.
    """
    with told(path):
        holds_something = path.is_file() and path.stat().st_size > 0
        if holds_something:
            holds_something = _inspect(path, thoroughly=not read_only)
        if read_only and not holds_something:
            raise StudyError(f"{path} is not there yet: nothing has been pulled")
        connection = _connect(path, read_only=read_only, busy_timeout_s=busy_timeout_s)
        try:
            if read_only:
                _require_newest(connection, path)
            else:
                _make_ready(connection, path)
        except BaseException:
            connection.close()
            raise
    return Store(Database(connection, path, clock))


def _inspect(path: Path, *, thoroughly: bool) -> bool:
    """Whether there are tables. Looks through a connection that cannot write."""
    with closing(_connect(path, read_only=True, busy_timeout_s=_BUSY_TIMEOUT_S)) as connection:
        application = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        # A store that was killed while being made is still without tables, and may be made.
        if (tables or version or application) and application != schema.APPLICATION_ID:
            raise StudyError(f"{path} is not a kobosmix store; it was left as it is")
        if version > schema.FORMAT:
            raise StudyError(
                f"{path} has format {version} and this kobosmix knows up to {schema.FORMAT}; "
                "update kobosmix to open it"
            )
        if thoroughly:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise damaged(path, str(verdict))
        return bool(tables)


def _connect(path: Path, *, read_only: bool, busy_timeout_s: float) -> sqlite3.Connection:
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    mode = "ro" if read_only else "rwc"
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
    )


def _require_newest(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "user_version") < schema.FORMAT:
        raise StudyError(
            f"{path} is of an older kobosmix; the next 'kobosmix pull' brings it up to date"
        )


def _make_ready(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what a pull has told the user is stored survives the power cut a second later.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BETWEEN_CHECKPOINTS}")
    if _pragma(connection, "user_version") == 1:
        _back_up(connection, path.with_name(f"{path.stem}.format1{path.suffix}"))
    with _one_maker(connection) as version:
        statements = {0: schema.STATEMENTS, 1: schema.FROM_FORMAT_1}.get(version, ())
        for statement in statements:
            connection.execute(statement)
        if statements:
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {schema.FORMAT}")
    connection.execute("PRAGMA foreign_keys = ON")


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    """A copy of the store as it is, before it is brought to a newer format."""
    with closing(sqlite3.connect(path)) as copy:
        connection.backup(copy)


@contextmanager
def _one_maker(connection: sqlite3.Connection) -> Iterator[int]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield _pragma(connection, "user_version")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
