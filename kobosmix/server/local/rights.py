"""Who may do what with a project."""

from __future__ import annotations

from kobosmix.server.local.accounts import ANONYMOUS
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.records import new_uid

LABELS = {
    "view_asset": "View form",
    "change_asset": "Edit form",
    "manage_asset": "Manage project",
    "add_submissions": "Add submissions",
    "view_submissions": "View submissions",
    "change_submissions": "Edit submissions",
    "delete_submissions": "Delete submissions",
    "validate_submissions": "Validate submissions",
}
OPEN_TO_ANYONE = frozenset({"view_asset", "view_submissions", "add_submissions"})

_SEEING = ("view_submissions", "view_asset")
# The right to add submissions brings no other: who has it alone sees nothing of the project.
_IMPLIED = {
    "change_asset": ("view_asset",),
    "view_submissions": ("view_asset",),
    "change_submissions": ("add_submissions", *_SEEING),
    "delete_submissions": _SEEING,
    "validate_submissions": _SEEING,
    "manage_asset": tuple(LABELS),
}


def rights(connection: Connection, asset: Record, username: str) -> frozenset[str]:
    """All that this user may do with the project, what anyone may do included."""
    if asset["owner"] == username:
        return frozenset(LABELS)
    granted = connection.execute(
        "SELECT permission FROM permissions WHERE asset = ? AND username IN (?, ?)",
        (asset["uid"], username, ANONYMOUS),
    )
    return frozenset(row["permission"] for row in granted)


def grant(connection: Connection, asset: Record, username: str, permission: str) -> Record:
    """Give the right and all it implies. Given again, the first grant is what comes back."""
    for each in (permission, *_IMPLIED.get(permission, ())):
        connection.execute(
            "INSERT INTO permissions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (new_uid("p"), asset["uid"], username, each),
        )
    found: Record = connection.execute(
        "SELECT * FROM permissions WHERE asset = ? AND username = ? AND permission = ?",
        (asset["uid"], username, permission),
    ).fetchone()
    return found


def take(connection: Connection, granted: Record) -> None:
    """Take a right back, and those that are nothing without it."""
    larger = [right for right, brings in _IMPLIED.items() if granted["permission"] in brings]
    for each in (granted["permission"], *larger):
        connection.execute(
            "DELETE FROM permissions WHERE asset = ? AND username = ? AND permission = ?",
            (granted["asset"], granted["username"], each),
        )
