"""What SQLite's failures mean for the person whose study it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kobosmix.errors import StudyError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SENTENCES = {
    sqlite3.SQLITE_BUSY: "is being written by another program; wait until it is done",
    sqlite3.SQLITE_LOCKED: "is being written by another program; wait until it is done",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Make room and run the command again",
    sqlite3.SQLITE_READONLY: "may not be written by you; check the rights of file and folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its folder is there and yours",
    sqlite3.SQLITE_IOERR: "could not be read or written by the system; check the disk",
}


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about this file into a StudyError with a remedy."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a rule of our own was broken: that is a fault in kobosmix, not in the file
    except sqlite3.DatabaseError as error:
        # The lower byte is the kind of failure; the rest only narrows it down.
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if kind in _DAMAGED:
            raise damaged(path, str(error)) from error
        if kind in _SENTENCES:
            raise StudyError(f"{path} {_SENTENCES[kind]}") from error
        raise


def damaged(path: Path, what: str) -> StudyError:
    """The error for a file that is no longer what was written."""
    return StudyError(
        f"{path} is damaged ({what}). It was left as it is. Restore it from a backup; or keep it "
        "aside under another name and pull again: what is on the server comes back, the history "
        "of edits and deletions does not."
    )
