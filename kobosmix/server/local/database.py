"""The door to SQLite: one writer at a time, readers never blocked, nothing lost once told."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock

from filelock import FileLock, Timeout

from kobosmix.errors import StudyError
from kobosmix.server.local import schema

Connection = sqlite3.Connection
Record = sqlite3.Row

_BUSY_TIMEOUT_S = 30.0


class DatabaseInUse(StudyError):
    """Another local server is at work on this database."""


class DatabaseTooNew(StudyError):
    """A newer kobosmix has written this database."""


class DatabaseUnreadable(StudyError):
    """The file cannot be opened as a database of the local server."""


class Database:
    """All that the local server keeps, in one file.

    `serving` takes the file for one server, for as long as it is open. Without it, a short
    task such as adding an account may run beside the server.
    """

    def __init__(self, path: Path, *, serving: bool) -> None:
        self._path = path
        # The server thread that closes the database is not the thread that opened it.
        self._taken = FileLock(path.with_name(f"{path.name}.lock"), thread_local=False)
        self._writing = Lock()
        self._readers = SimpleQueue[Connection]()
        path.parent.mkdir(parents=True, exist_ok=True)
        if serving:
            self._take()
        try:
            self._writer = self._open()
        except BaseException:
            self._taken.release()
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of one's own, on disk when the block ends, gone if it raises."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unchanging view of the database for the length of the block."""
        reader = self._free_reader()
        reader.execute("BEGIN")
        try:
            yield reader
        finally:
            reader.execute("ROLLBACK")
            self._readers.put(reader)

    def close(self) -> None:
        """Close every connection and let the next server have the file."""
        with self._writing, suppress(Empty):
            self._writer.close()
            while True:
                self._readers.get_nowait().close()
        self._taken.release()

    def _take(self) -> None:
        try:
            self._taken.acquire(timeout=0)
        except Timeout as error:
            raise DatabaseInUse(
                f"{self._path} is in use by another local server. Stop that one first, or give "
                "this one a database of its own."
            ) from error

    def _open(self) -> Connection:
        try:
            # Answers are personal: the file is for its owner alone, from the first byte.
            self._path.touch(mode=0o600)
            connection = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise self._unreadable(str(error)) from error
        try:
            self._prepare(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._unreadable(str(error)) from error
            raise
        return connection

    def _prepare(self, connection: Connection) -> None:
        self._check_owner(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for script in self._scripts(_pragma(connection, "user_version")):
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION}")
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")

    def _scripts(self, version: int) -> list[str]:
        if version == 0:
            return [schema.TABLES]
        if version < schema.VERSION:
            copy = self._path.with_name(f"{self._path.name}.format-{version}")
            with closing(self._connect()) as before, closing(sqlite3.connect(copy)) as kept:
                copy.chmod(0o600)
                before.backup(kept)
        return [schema.STEPS[each] for each in range(version, schema.VERSION)]

    def _check_owner(self, connection: Connection) -> None:
        connection.execute("BEGIN")
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        owner = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        connection.execute("ROLLBACK")
        if tables and owner != schema.APPLICATION:
            raise self._unreadable("it holds something else")
        if version > schema.VERSION:
            raise DatabaseTooNew(
                f"{self._path} was written by a newer kobosmix (its format is {version}, this "
                f"kobosmix knows {schema.VERSION}). Update kobosmix; nothing was changed."
            )

    def _unreadable(self, why: str) -> DatabaseUnreadable:
        return DatabaseUnreadable(
            f"{self._path} cannot be opened as a database of the local server: {why}"
        )

    def _free_reader(self) -> Connection:
        try:
            return self._readers.get_nowait()
        except Empty:
            reader = self._connect()
            reader.execute("PRAGMA query_only = ON")
            return reader

    def _connect(self) -> Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.create_function("regexp", 2, _matches, deterministic=True)
        return connection


def _pragma(connection: Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _matches(pattern: str, text: str | None) -> bool:
    return text is not None and re.search(pattern, str(text)) is not None
