"""What was done to a project and its submissions, by whom and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kobosmix.server.local.accounts import ANONYMOUS
from kobosmix.server.local.database import Connection
from kobosmix.server.local.queries import Sql
from kobosmix.server.local.records import now
from kobosmix.server.local.searches import Meaning

_COLUMNS = {
    "action": "action",
    "metadata__submission__root_uuid": "root_uuid",
    "user__username": "username",
}
_WHEN = {
    f"date_created__{name}": sign
    for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<="))
}


def of_submission(
    connection: Connection,
    asset: str,
    action: str,
    username: str | None,
    root_uuid: str,
    **details: str,
) -> None:
    """Note what was done to a submission: `add-`, `modify-` or `delete-submission`."""
    told = {"submission": {**details, "root_uuid": root_uuid}}
    _note(connection, asset, action, username, root_uuid, told)


def of_project(connection: Connection, asset: str, action: str, username: str) -> None:
    """Note what was done to a project: `deploy`, `redeploy`, `archive` or `unarchive`."""
    _note(connection, asset, action, username, None, {})


def _note(
    connection: Connection,
    asset: str,
    action: str,
    username: str | None,
    root_uuid: str | None,
    details: Mapping[str, Any],
) -> None:
    connection.execute(
        "INSERT INTO history (asset, action, username, root_uuid, details, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            asset,
            action,
            username or ANONYMOUS,
            root_uuid,
            json.dumps(details),
            now()[:19] + "Z",
        ),
    )


def _term(field: str, value: str) -> Sql:
    if field in _COLUMNS:
        return Sql(f"coalesce({_COLUMNS[field]} = ?, 0)", (value,))
    if field in _WHEN:
        return Sql(f"created_at {_WHEN[field]} ?", (value.replace(" ", "T"),))
    return Sql("0")


# How `q` chooses among the entries; a field it does not know finds nothing, as on the real server.
MEANING: Meaning[Sql] = Meaning(
    term=_term,
    both=lambda one, other: Sql(f"({one.text} AND {other.text})", one.values + other.values),
    either=lambda one, other: Sql(f"({one.text} OR {other.text})", one.values + other.values),
    opposite=lambda one: Sql(f"NOT {one.text}", one.values),
)
