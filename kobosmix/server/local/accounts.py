"""Who may come in: accounts and their tokens."""

from __future__ import annotations

import re
import secrets
from contextlib import closing
from pathlib import Path

from kobosmix.errors import UsageError
from kobosmix.files import sha256
from kobosmix.server.local.database import Connection, Database
from kobosmix.server.local.records import md5, now

ANONYMOUS = "AnonymousUser"
# Part of what a Digest login is computed from: with another name, no phone could log in any more.
REALM = "kobosmix"

_USERNAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


def create_account(database: Path, username: str) -> str:
    """A new token for this account, which is made if it is not there. Older tokens stay valid.

    The token is 40 hex digits. It is told once: only its SHA-256 is kept, and what a phone's
    Digest login is checked with, from neither of which it can be found again.
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
        ha1 = md5(f"{username}:{REALM}:{token}".encode())
        values = (_digest(token), username, ha1)
        connection.execute("INSERT INTO tokens VALUES (?, ?, ?)", values)
    return token


def account_of(connection: Connection, token: str) -> str | None:
    """The username this token lets in, or None."""
    found = connection.execute(
        "SELECT username FROM tokens WHERE digest = ?", (_digest(token),)
    ).fetchone()
    return found["username"] if found else None


def ha1s_of(connection: Connection, username: str) -> list[str]:
    """What a Digest login of this user may be computed from."""
    rows = connection.execute(
        "SELECT ha1 FROM tokens WHERE username = ? AND ha1 <> ''", (username,)
    )
    return [row["ha1"] for row in rows]


def is_account(connection: Connection, username: str) -> bool:
    """Whether there is such an account; the anonymous user always counts as one."""
    found = connection.execute("SELECT 1 FROM accounts WHERE username = ?", (username,))
    return username == ANONYMOUS or found.fetchone() is not None


def _digest(token: str) -> str:
    return sha256(token.encode())
