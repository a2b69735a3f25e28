"""The API of a project's submissions."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.responses import JSONResponse, Response

from kobosmix.server.local.calls import Call, CrashError, not_found, refusal, require_login
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployment
from kobosmix.server.local.kpi import visible
from kobosmix.server.local.queries import QueryRefused, Sql, condition, order
from kobosmix.server.local.views import page

_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
_LONGEST_NUMBER = 18
_ALWAYS_SHOWN = ("_id", "_uuid", "meta/rootUuid")
_VALIDATION = {
    "validation_status_approved": "Approved",
    "validation_status_not_approved": "Not approved",
    "validation_status_on_hold": "On hold",
}


def list_data(call: Call) -> Response:
    """A page of submissions. More than 1000 at once are cut to 1000 without a word."""
    start, limit = _start(call), _limit(call)
    wanted = _condition(call)
    by = order(_json(call, "sort", {}))
    fields = _json(call, "fields", None)
    with call.site.database.reading() as connection:
        asset = _deployed(connection, call)
        where = f"FROM submissions WHERE asset = ? AND {wanted.text}"
        values = (asset["uid"], *wanted.values)
        (count,) = connection.execute(f"SELECT count(*) {where}", values).fetchone()
        rows = connection.execute(
            f"SELECT * {where} ORDER BY {by.text} LIMIT ? OFFSET ?",
            (*values, *by.values, limit, start),
        ).fetchall()
        results = [_chosen(_view(connection, call, row), fields) for row in rows]
    return JSONResponse(page(call, results, count=count, start=start, limit=limit))


def _start(call: Call) -> int:
    text = call.query.get("start", "")
    return int(text) if text.isascii() and text.isdigit() else 0


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
        raise refusal(400, {name: ["Value must be valid JSON."]}) from error


def _condition(call: Call) -> Sql:
    query = _json(call, "query", {})
    if not isinstance(query, dict):
        raise CrashError
    try:
        return condition(query)
    except QueryRefused as error:
        raise refusal(400, {"detail": str(error)}) from error


def _deployed(connection: Connection, call: Call, right: str = "view_submissions") -> Record:
    asset = visible(connection, call, right)
    if deployment(connection, asset["uid"]) is None:
        raise refusal(400, {"detail": "The specified asset has not been deployed"})
    return asset


def _view(connection: Connection, call: Call, row: Record) -> dict[str, Any]:
    return {
        "_id": row["id"],
        **json.loads(row["answers"]),
        "_attachments": _attachments(connection, call, row),
        "_validation_status": json.loads(row["validation"]),
    }


def _attachments(connection: Connection, call: Call, row: Record) -> list[dict[str, Any]]:
    files = connection.execute(
        "SELECT uid, filename, mimetype FROM attachments WHERE submission = ? ORDER BY rowid",
        (row["id"],),
    ).fetchall()
    paths = {text: path for path, text in _leaves(json.loads(row["answers"]))} if files else {}
    data = call.link("assets", row["asset"], "data", row["id"], "attachments")
    return [
        {
            "uid": file["uid"],
            "download_url": f"{data}{file['uid']}/",
            "mimetype": file["mimetype"],
            "filename": f"attachments/{row['uuid']}/{file['filename']}",
            "media_file_basename": file["filename"],
            "is_deleted": False,
            "question_xpath": paths[file["filename"]],
        }
        for file in files
        if file["filename"] in paths
    ]


def _leaves(answers: dict[str, Any]) -> list[tuple[str, str]]:
    found = list[tuple[str, str]]()
    for path, value in answers.items():
        if isinstance(value, str):
            found.append((path, value))
        elif isinstance(value, list):
            found += [
                leaf for each in value if isinstance(each, dict) for leaf in _leaves(each)
            ]
    return found


def _chosen(shown: dict[str, Any], fields: Any) -> dict[str, Any]:
    if fields is None:
        return shown
    kept = {*fields, *_ALWAYS_SHOWN}
    chosen = {key: value for key, value in shown.items() if key in kept}
    # Always there, but true only for who asks for it.
    return {"_validation_status": {}, **chosen}


def get_submission(call: Call) -> Response:
    """One submission, by number, root uuid or current uuid; as XML with `?format=xml`."""
    with call.site.database.reading() as connection:
        row = _submission(connection, call, "view_submissions")
        if call.query.get("format") == "xml":
            return Response(row["xml"], media_type="text/xml")
        return JSONResponse(_view(connection, call, row))


def _submission(connection: Connection, call: Call, right: str) -> Record:
    asset = _deployed(connection, call, right)
    key = call.path["submission"].removeprefix("uuid:")
    number = int(key) if key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER else -1
    row: Record | None = connection.execute(
        "SELECT * FROM submissions WHERE asset = ? AND (id = ? OR root_uuid = ? OR uuid = ?)",
        (asset["uid"], number, key, key),
    ).fetchone()
    if row is None:
        raise not_found()
    return row


def get_attachment(call: Call) -> Response:
    """The bytes of a file sent with a submission."""
    with call.site.database.reading() as connection:
        row = _submission(connection, call, "view_submissions")
        file = connection.execute(
            "SELECT * FROM attachments WHERE submission = ? AND uid = ?",
            (row["id"], call.path["uid"]),
        ).fetchone()
    if file is None:
        raise not_found()
    return Response(file["content"], media_type=file["mimetype"])


def delete_submission(call: Call) -> Response:
    """Delete a submission: 204, and 404 the second time."""
    require_login(call)
    with call.site.database.writing() as connection:
        row = _submission(connection, call, "delete_submissions")
        connection.execute("DELETE FROM submissions WHERE id = ?", (row["id"],))
    return Response(status_code=204)


def patch_validation(call: Call) -> Response:
    """Say what became of a submission's review."""
    require_login(call)
    status = call.fields.get("validation_status.uid")
    if status not in _VALIDATION:
        raise refusal(400, {"detail": "No valid `validation_status.uid` was given."})
    given = {
        "timestamp": int(time.time()),
        "uid": status,
        "by_whom": call.username,
        "label": _VALIDATION[str(status)],
    }
    _set_validation(call, given)
    return JSONResponse(given)


def delete_validation(call: Call) -> Response:
    """Take the review's outcome back: 204."""
    require_login(call)
    _set_validation(call, {})
    return Response(status_code=204)


def get_validation(call: Call) -> Response:
    """The review's outcome, `{}` if there is none."""
    with call.site.database.reading() as connection:
        row = _submission(connection, call, "view_submissions")
    return JSONResponse(json.loads(row["validation"]))


def _set_validation(call: Call, given: dict[str, Any]) -> None:
    with call.site.database.writing() as connection:
        row = _submission(connection, call, "validate_submissions")
        connection.execute(
            "UPDATE submissions SET validation = ? WHERE id = ?", (json.dumps(given), row["id"])
        )


def counts(call: Call) -> Response:
    """Submissions a day as they came, deleted ones included, and how many there are now."""
    with call.site.database.reading() as connection:
        asset = visible(connection, call, "view_submissions")
        days = connection.execute(
            "SELECT day, submissions FROM daily_counts WHERE asset = ? ORDER BY day",
            (asset["uid"],),
        ).fetchall()
        (total,) = connection.execute(
            "SELECT count(*) FROM submissions WHERE asset = ?", (asset["uid"],)
        ).fetchone()
    daily = {row["day"]: row["submissions"] for row in days}
    return JSONResponse({"daily_submission_counts": daily, "total_submission_count": total})
