"""Who may come in: accounts and their tokens."""

from __future__ import annotations

import re
import secrets
from contextlib import closing
from pathlib import Path

from kobosmix.errors import UsageError
from kobosmix.files import sha256
from kobosmix.server.local.database import Connection, Database
from kobosmix.server.local.records import now

ANONYMOUS = "AnonymousUser"

_USERNAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


def create_account(database: Path, username: str) -> str:
    """A new token for this account, which is made if it is not there. Older tokens stay valid.

    The token is 40 hex digits. It is told once: only its SHA-256 is kept.
    """
    if not _USERNAME.fullmatch(username):
        raise UsageError(
            f"{username!r} cannot be a username: use 1 to 30 lower-case letters, digits or _, "
            "beginning with a letter"
        )
    token = secrets.token_hex(20)
    with closing(Database(database, serving=False)) as opened, opened.writing() as connection:
        connection.execute(
            "INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO NOTHING", (username, now())
        )
        connection.execute("INSERT INTO tokens VALUES (?, ?)", (_digest(token), username))
    return token


def account_of(connection: Connection, token: str) -> str | None:
    """The username this token lets in, or None."""
    found = connection.execute(
        "SELECT username FROM tokens WHERE digest = ?", (_digest(token),)
    ).fetchone()
    return found["username"] if found else None


def is_account(connection: Connection, username: str) -> bool:
    """Whether there is such an account; the anonymous user always counts as one."""
    found = connection.execute("SELECT 1 FROM accounts WHERE username = ?", (username,))
    return username == ANONYMOUS or found.fetchone() is not None


def _digest(token: str) -> str:
    return sha256(token.encode())
