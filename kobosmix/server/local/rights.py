"""Who may do what with a project."""

from __future__ import annotations

import json

from kobosmix.server.local.accounts import ANONYMOUS
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.queries import ALL, NONE, Sql, condition
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
# A right to those submissions only that filters let through.
PARTIAL = "partial_submissions"
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
    PARTIAL: ("view_asset",),
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


def grant(
    connection: Connection, asset: Record, username: str, permission: str, filters: str = ""
) -> Record:
    """Give the right and all it implies. Given again, the first grant is what comes back.

    `filters`, as JSON, go with a right to some submissions only; that and the right to see all
    take the place of one another.
    """
    if permission == PARTIAL:
        revoke(connection, asset, username, "view_submissions")
        connection.execute(
            "DELETE FROM permissions WHERE asset = ? AND username = ? AND permission = ?",
            (asset["uid"], username, PARTIAL),
        )
    given = (permission, *_IMPLIED.get(permission, ()))
    if "view_submissions" in given:
        revoke(connection, asset, username, PARTIAL)
    for each in given:
        connection.execute(
            "INSERT INTO permissions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                new_uid("p"),
                asset["uid"],
                username,
                each,
                filters if each == PARTIAL else "",
            ),
        )
    found: Record = connection.execute(
        "SELECT * FROM permissions WHERE asset = ? AND username = ? AND permission = ?",
        (asset["uid"], username, permission),
    ).fetchone()
    return found


def revoke(connection: Connection, asset: Record, username: str, permission: str) -> None:
    """Take the right away, and every other that cannot be without it."""
    gone = [permission, *(each for each, needs in _IMPLIED.items() if permission in needs)]
    connection.execute(
        "DELETE FROM permissions WHERE asset = ? AND username = ?"
        " AND permission IN (SELECT value FROM json_each(?))",
        (asset["uid"], username, json.dumps(gone)),
    )


def revoke_all(connection: Connection, asset: Record, username: str | None = None) -> None:
    """Take every right of this user away, or of all users. The owner's are not among them."""
    connection.execute(
        "DELETE FROM permissions WHERE asset = ?1 AND (?2 IS NULL OR username = ?2)",
        (asset["uid"], username),
    )


def reach(connection: Connection, asset: Record, username: str) -> Sql:
    """Which of the project's submissions this user may see, as a condition."""
    if "view_submissions" in rights(connection, asset, username):
        return ALL
    granted = connection.execute(
        "SELECT filters FROM permissions WHERE asset = ? AND username = ? AND permission = ?",
        (asset["uid"], username, PARTIAL),
    ).fetchone()
    filters = json.loads(granted["filters"]).get("view_submissions", []) if granted else []
    return condition({"$or": filters}) if filters else NONE
