"""How the API writes times, identifiers and hashes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

# Letters and digits that cannot be taken for one another; the same 57 as on the real server.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def now() -> str:
    """The moment in UTC, to the microsecond, with a Z: `2026-11-24T02:19:43.123456Z`."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_uid(prefix: str) -> str:
    """An identifier in the shape the API uses: the prefix, then 22 letters and digits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(22))


def md5(content: bytes) -> str:
    """The MD5 that OpenRosa asks for; nothing is kept safe by it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
