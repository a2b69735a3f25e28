"""The connection to a store's file: statements, and transactions that are whole or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from kobosmix.store.faults import told

# SQLite takes some thousand values in one statement; older ones took 999.
_MOST_VALUES = 900


class Database:
    """An open store's file. Every failure of SQLite becomes a sentence on `path`."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, clock: Callable[[], datetime]
    ) -> None:
        self.path, self.clock = path, clock
        self._connection = connection

    def close(self) -> None:
        """Let go of the file."""
        with told(self.path):
            self._connection.close()

    def now(self) -> str:
        """The moment, as it is written into the store."""
        return self.clock().isoformat(timespec="seconds").replace("+00:00", "Z")

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement."""
        with told(self.path):
            return self._connection.execute(statement, values)

    def execute_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        with told(self.path):
            self._connection.executemany(statement, values)

    def row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row that a statement finds, or None."""
        found: tuple[Any, ...] | None = self.execute(statement, *values).fetchone()
        return found

    def rows(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows that a statement finds, one at a time in memory."""
        with told(self.path):
            # Not `yield from`: that would close the cursor, after the file perhaps.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row

    def rows_among(
        self, statement: str, asset_uid: str, wanted: Sequence[str]
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement that ends in `... = ? AND ... IN`, for any number of values."""
        for start in range(0, len(wanted), _MOST_VALUES):
            part = wanted[start : start + _MOST_VALUES]
            marks = ", ".join("?" * len(part))
            yield from self.rows(f"{statement} ({marks})", asset_uid, *part)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing of it."""
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
