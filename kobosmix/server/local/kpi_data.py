"""The API of a project's submissions."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.responses import JSONResponse, Response

from kobosmix.server.local import history
from kobosmix.server.local.calls import Call, CrashError, not_found, refusal, require_login
from kobosmix.server.local.data_pages import rows_of_fields, rows_whole
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployment
from kobosmix.server.local.instances import leaves
from kobosmix.server.local.kpi import visible
from kobosmix.server.local.queries import ALL, NONE, QueryRefused, Sql, condition, order
from kobosmix.server.local.rights import reach
from kobosmix.server.local.views import page

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
_LONGEST_NUMBER = 18
_VALIDATION = {
    "validation_status_approved": "Approved",
    "validation_status_not_approved": "Not Approved",
    "validation_status_on_hold": "On Hold",
}


def list_data(call: Call) -> Response:
    """A page of submissions. More than 1000 at once are cut to 1000 without a word."""
    if call.query.get("format", "json") != "json":
        raise not_found()
    start, limit = _start(call), _limit(call)
    wanted = _condition(call)
    by = order(_json(call, "sort", {}))
    fields = _json(call, "fields", None)
    with call.site.database.reading() as connection:
        asset, may_see = deployed_asset(connection, call)
        where = f"submissions WHERE asset = ? AND {wanted.text} AND {may_see.text}"
        values = (asset["uid"], *wanted.values, *may_see.values)
        (count,) = connection.execute(f"SELECT count(*) FROM {where}", values).fetchone()  # noqa: S608
        chosen = Sql(
            f"{where} ORDER BY {by.text} LIMIT ? OFFSET ?", (*values, *by.values, limit, start)
        )
        if fields:
            results = rows_of_fields(connection, call, chosen, _texts(fields))
        else:
            results = rows_whole(connection, call, chosen)
    envelope = page(call, [], count=count, start=start, limit=limit)
    # The rows are JSON already; they go where the empty list ends.
    body = b"%s%s]}" % (json.dumps(envelope).encode().removesuffix(b"]}"), b",".join(results))
    return Response(body, media_type="application/json")


def _texts(fields: Any) -> list[str]:
    return [each for each in fields if isinstance(each, str)]


def _start(call: Call) -> int:
    text = call.query.get("start", "0")
    if not (text.isascii() and text.isdigit()):
        raise refusal(400, {"start": "A positive integer is required."})
    return int(text)


def _limit(call: Call) -> int:
    text = call.query.get("limit", str(_DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise refusal(400, {"limit": "A positive integer is required"})
    return min(int(text), _LARGEST_LIMIT)


def _json(call: Call, name: str, default: Any) -> Any:
    if name not in call.query:
        return default
    try:
        return json.loads(call.query[name])
    except ValueError as error:
        raise refusal(400, {name: "Value must be valid JSON."}) from error


def _condition(call: Call) -> Sql:
    query = _json(call, "query", {})
    if not isinstance(query, dict):
        raise CrashError
    try:
        return condition(query)
    except QueryRefused as error:
        raise refusal(400, {"detail": str(error)}) from error


def deployed_asset(
    connection: Connection, call: Call, right: str = "view_submissions"
) -> tuple[Record, Sql]:
    """The project of this address and the condition on those submissions the user may see."""
    asset = visible(connection, call)
    may_see = reach(connection, asset, call.username)
    if right != "view_submissions" or may_see == NONE:
        visible(connection, call, right)
    if deployment(connection, asset["uid"]) is None:
        raise refusal(400, {"detail": "The specified asset has not been deployed"})
    return asset, may_see


def get_submission(call: Call) -> Response:
    """One submission, by number, root uuid or current uuid; as XML with `?format=xml`."""
    with call.site.database.reading() as connection:
        row = submission(connection, call)
        if call.query.get("format") == "xml":
            body = row["xml"]
            head = (
                b"" if body.startswith(b"<?xml") else b'<?xml version="1.0" encoding="utf-8"?>'
            )
            return Response(head + body, media_type="application/xml")
        return shown(connection, call, row["id"])


def shown(connection: Connection, call: Call, number: int, status: int = 200) -> Response:
    """The answer that is this submission, whole."""
    chosen = Sql("submissions WHERE id = ?", (number,))
    (body,) = rows_whole(connection, call, chosen)
    return Response(body, status, media_type="application/json")


def submission(connection: Connection, call: Call, right: str = "view_submissions") -> Record:
    """The submission of this address, which the user must have the right to."""
    asset, may_see = deployed_asset(connection, call, right)
    key = call.path["submission"].removeprefix("uuid:")
    number = int(key) if key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER else -1
    row: Record | None = connection.execute(
        "SELECT * FROM submissions WHERE asset = ? AND (id = ? OR root_uuid = ? OR uuid = ?)"  # noqa: S608
        f" AND {may_see.text}",
        (asset["uid"], number, key, key, *may_see.values),
    ).fetchone()
    if row is None:
        raise not_found()
    return row


def get_attachment(call: Call) -> Response:
    """The bytes of a file sent with a submission."""
    with call.site.database.reading() as connection:
        row = submission(connection, call)
        file = connection.execute(
            "SELECT * FROM attachments WHERE submission = ? AND uid = ?",
            (row["id"], call.path["uid"]),
        ).fetchone()
    if file is None:
        raise not_found()
    return Response(file["content"], media_type=file["mimetype"])


def find_attachment(call: Call) -> Response:
    """The file that is the answer to the question of this path."""
    xpath = call.query.get("xpath")
    if not xpath:
        raise refusal(400, {"detail": "`xpath` query parameter is required"})
    with call.site.database.reading() as connection:
        row = submission(connection, call)
        if xpath not in dict(leaves(json.loads(row["answers"]))):
            said = "The path could not be found in the submission"
            raise refusal(400, {"detail": said})
        file = connection.execute(
            "SELECT * FROM attachments WHERE submission = ? AND xpath = ?", (row["id"], xpath)
        ).fetchone()
    if file is None:
        raise not_found()
    return Response(file["content"], media_type=file["mimetype"])


def delete_submission(call: Call) -> Response:
    """Delete a submission: 204, and 404 the second time."""
    require_login(call)
    with call.site.database.writing() as connection:
        row = submission(connection, call, "delete_submissions")
        delete(connection, call, row)
    return Response(status_code=204)


def delete(connection: Connection, call: Call, row: Record) -> None:
    """Delete a submission; only the history still knows of it."""
    connection.execute("DELETE FROM submissions WHERE id = ?", (row["id"],))
    history.of_submission(
        connection, row["asset"], "delete-submission", call.username, row["root_uuid"]
    )


def patch_validation(call: Call) -> Response:
    """Say what became of a submission's review."""
    require_login(call)
    status = call.fields.get("validation_status.uid")
    if status not in _VALIDATION:
        raise refusal(400, {"detail": f"Invalid validation status: `{status}`"})
    return JSONResponse(_set_validation(call, str(status)))


def reviewed(connection: Connection, call: Call, row: Record, status: str) -> dict[str, Any]:
    """Set the review's outcome; a status that is none takes it back. Gives what is then shown."""
    label = _VALIDATION.get(status)
    given: dict[str, Any] = {}
    if label:
        given = {
            "timestamp": int(time.time()),
            "uid": status,
            "by_whom": call.username,
            "label": label,
        }
    connection.execute(
        "UPDATE submissions SET validation = ? WHERE id = ?",
        (json.dumps(given, separators=(",", ":")), row["id"]),
    )
    history.of_submission(
        connection,
        row["asset"],
        "modify-submission",
        call.username,
        row["root_uuid"],
        status=label or "None",
    )
    return given


def delete_validation(call: Call) -> Response:
    """Take the review's outcome back: 204."""
    require_login(call)
    _set_validation(call, "")
    return Response(status_code=204)


def get_validation(call: Call) -> Response:
    """The review's outcome, `{}` if there is none."""
    with call.site.database.reading() as connection:
        row = submission(connection, call)
    return JSONResponse(json.loads(row["validation"]))


def _set_validation(call: Call, status: str) -> dict[str, Any]:
    with call.site.database.writing() as connection:
        row = submission(connection, call, "validate_submissions")
        return reviewed(connection, call, row, status)


def counts(call: Call) -> Response:
    """Submissions a day as they came, deleted ones included, and how many there are now."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call)
        may_see = reach(connection, asset, call.username)
        if may_see == NONE:
            visible(connection, call, "view_submissions")
        if deployment(connection, asset["uid"]) is None:
            raise not_found()
        days = connection.execute(
            "SELECT day, submissions FROM daily_counts WHERE asset = ? ORDER BY day",
            (asset["uid"],),
        ).fetchall()
        (total,) = connection.execute(
            "SELECT count(*) FROM submissions WHERE asset = ?", (asset["uid"],)
        ).fetchone()
    daily = {row["day"]: row["submissions"] for row in days}
    # Who may see some only is not told how many there are.
    shown_total = total if may_see == ALL else None
    counted = {"daily_submission_counts": daily, "total_submission_count": shown_total}
    return JSONResponse(counted)
