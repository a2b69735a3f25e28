"""The API of what is done to many submissions at once, and of copying one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from kobosmix.server.local import kpi_data
from kobosmix.server.local.calls import Call, CrashError, refusal, require_login
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.deployments import deployment, repeats
from kobosmix.server.local.instances import answers, copied, edited, read_instance
from kobosmix.server.local.queries import ALL, QueryRefused, Sql, condition
from kobosmix.server.local.submissions import copy, replace

_NOT_ACTIVE = "Form is not active"
_INVALID = {"detail": "One or more submission ids are invalid"}


def look(_: Call) -> Response:
    """Many at once can be changed here, but not looked at: 405."""
    raise refusal(405, {"detail": 'Method "GET" not allowed.'})


def review_all(call: Call) -> Response:
    """Set the review's outcome of many, or of none if one of them is not there."""
    require_login(call)
    payload = _payload(call)
    if "validation_status.uid" not in payload:
        raise refusal(400, {"payload": ["`validation_status.uid` is required"]})
    status = str(payload["validation_status.uid"])
    with call.site.database.writing() as connection:
        rows = _chosen(connection, call, payload, "validate_submissions")
        for row in rows:
            kpi_data.reviewed(connection, call, row, status)
    return JSONResponse({"detail": f"{len(rows)} submissions have been updated"})


def delete_all(call: Call) -> Response:
    """Delete many, or none if one of them is not there."""
    require_login(call)
    payload = _payload(call)
    with call.site.database.writing() as connection:
        rows = _chosen(connection, call, payload, "delete_submissions")
        for row in rows:
            kpi_data.delete(connection, call, row)
    return JSONResponse({"detail": f"{len(rows)} submissions have been deleted"})


def edit_all(call: Call) -> Response:
    """Change the same answers of many: each is a new version, with its outcome told apart.

    Those that are not there are passed over, unlike where many are reviewed or deleted.
    """
    require_login(call)
    payload = _payload(call)
    changes = payload.get("data")
    if not isinstance(changes, dict) or not changes:
        raise refusal(400, {"payload": ["`data` is required"]})
    given = {str(path): str(text) for path, text in changes.items()}
    with call.site.database.writing() as connection:
        rows = _chosen(connection, call, payload, "change_submissions", all_there=False)
        if not rows:
            raise refusal(400, ["No submissions match the given `submission_ids`"])
        deployed = _deployment(connection, call)
        results = [_edited(connection, call, deployed, row, given) for row in rows]
    done = sum(each["status_code"] == 201 for each in results)  # noqa: PLR2004 - HTTP's own
    counted = {"count": len(rows), "successes": done, "failures": len(rows) - done}
    return JSONResponse({**counted, "results": results}, 200 if done == len(rows) else 400)


def _edited(
    connection: Connection, call: Call, deployed: Record, row: Record, changes: dict[str, str]
) -> dict[str, Any]:
    uuid = str(uuid4())
    if not deployed["active"]:
        failed = {"status_code": 400, "message": _NOT_ACTIVE}
        return {"uuid": uuid, "root_uuid": None, **failed}
    instance = read_instance(edited(row["xml"], uuid, changes))
    given = answers(instance, repeats(deployed))
    replace(connection, row["asset"], instance, given, call.username)
    done = {"status_code": 201, "message": "Successful submission"}
    return {"uuid": uuid, "root_uuid": row["root_uuid"], **done}


def duplicate(call: Call) -> Response:
    """Another submission with the same answers and files, begun and ended now: 201."""
    require_login(call)
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    with call.site.database.writing() as connection:
        row = kpi_data.submission(connection, call, "change_submissions")
        deployed = _deployment(connection, call)
        if not deployed["active"]:
            raise refusal(405, _NOT_ACTIVE)
        instance = read_instance(
            copied(row["xml"], str(uuid4()), {"start": moment, "end": moment})
        )
        given = answers(instance, repeats(deployed))
        number = copy(connection, row, instance, given, call.username)
        return kpi_data.shown(connection, call, number, 201)


def _payload(call: Call) -> dict[str, Any]:
    payload = call.fields.get("payload")
    if payload is None:
        raise refusal(400, {"payload": ["This field is required."]})
    if not isinstance(payload, dict):
        raise CrashError
    return payload


def _chosen(
    connection: Connection,
    call: Call,
    payload: dict[str, Any],
    right: str,
    *,
    all_there: bool = True,
) -> list[Record]:
    """The submissions that are meant: by number, by query, or all if that is confirmed."""
    asset, may_see = kpi_data.deployed_asset(connection, call, right)
    wanted = _meant(payload)
    found = connection.execute(
        f"SELECT * FROM submissions WHERE asset = ? AND {wanted.text} AND {may_see.text}"  # noqa: S608
        " ORDER BY id",
        (asset["uid"], *wanted.values, *may_see.values),
    ).fetchall()
    if all_there and len(found) < len(set(map(str, payload.get("submission_ids") or ()))):
        raise refusal(400, _INVALID)
    return found


def _meant(payload: dict[str, Any]) -> Sql:
    if numbers := payload.get("submission_ids"):
        text = json.dumps([int(each) for each in numbers if str(each).isdigit()])
        return Sql("id IN (SELECT value FROM json_each(?))", (text,))
    if query := payload.get("query"):
        try:
            return condition(query)
        except QueryRefused as error:
            raise refusal(400, {"detail": str(error)}) from error
    if payload.get("confirm"):
        return ALL
    raise refusal(400, {"payload": ["Confirmation is required"]})


def _deployment(connection: Connection, call: Call) -> Record:
    deployed = deployment(connection, call.path["asset"])
    if deployed is None:
        raise CrashError
    return deployed
