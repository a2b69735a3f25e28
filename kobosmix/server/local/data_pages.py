"""Submissions as the API hands them out: stored answers are passed on as they are, unread."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kobosmix.server.local.calls import Call
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.queries import Sql, path_of

ALWAYS_SHOWN = ("_id", "_uuid", "meta/rootUuid")
_HEAD = "id, asset, uuid, root_uuid, validation, submitted_at"
_NO_FILES = b"[]"


def rows_whole(connection: Connection, call: Call, chosen: Sql) -> list[bytes]:
    """Each submission of the choice as JSON: all of it.

    The choice is what follows FROM.
    """
    rows = connection.execute(
        f"SELECT id, CAST(answers AS BLOB), CAST(validation AS BLOB) FROM {chosen.text}",  # noqa: S608
        chosen.values,
    ).fetchall()
    files = _files(connection, call, [row[0] for row in rows])
    # Joined as bytes: to read and write again what is stored as JSON takes five times as long.
    return [
        b'{"_id":%d,%s,"_attachments":%s,"_validation_status":%s}'
        % (number, answers[1:-1], files.get(number, _NO_FILES), validation)
        for number, answers, validation in rows
    ]


def rows_of_fields(
    connection: Connection, call: Call, chosen: Sql, fields: Sequence[str]
) -> list[bytes]:
    """Each submission of the choice as JSON: these fields of it, and four that always come.

    The review is one of the four, but empty unless it was asked for by name. The fields that tell whether a submission has changed come from an index, without a look at
    the answers.
    """
    wanted = list(dict.fromkeys((*ALWAYS_SHOWN, *fields)))
    asked = [each for each in wanted if each not in _FROM_HEAD and each != "_attachments"]
    columns = ", ".join((_HEAD, *(_COLUMN for _ in asked)))
    paths = tuple(path_of(each) for each in asked for _ in range(2))
    rows = connection.execute(
        f"SELECT {columns} FROM {chosen.text}",  # noqa: S608 - fixed names and question marks
        (*paths, *chosen.values),
    ).fetchall()
    files = dict[int, bytes]()
    if "_attachments" in wanted:
        files = _files(connection, call, [row["id"] for row in rows])
    of_head = [(json.dumps(each), _FROM_HEAD[each]) for each in wanted if each in _FROM_HEAD]
    if "_validation_status" not in wanted:
        of_head.append(('"_validation_status"', lambda _: "{}"))
    return [
        _row(row, of_head, asked, files if "_attachments" in wanted else None) for row in rows
    ]


# By the type, absent and null are told apart.
_COLUMN = (
    "CASE WHEN json_type(answers, ?) IS NOT NULL THEN json_quote(json_extract(answers, ?)) END"
)
_FROM_HEAD: Mapping[str, Callable[[Record], str]] = {
    "_id": lambda row: str(row["id"]),
    "_uuid": lambda row: json.dumps(row["uuid"]),
    "meta/rootUuid": lambda row: json.dumps(f"uuid:{row['root_uuid']}"),
    "_validation_status": lambda row: str(row["validation"]),
    "_submission_time": lambda row: f'"{row["submitted_at"]}"',
    "_xform_id_string": lambda row: f'"{row["asset"]}"',
}


def _row(
    row: Record,
    of_head: Sequence[tuple[str, Callable[[Record], str]]],
    asked: Sequence[str],
    files: Mapping[int, bytes] | None,
) -> bytes:
    shown = [f"{key}:{show(row)}" for key, show in of_head]
    first = len(row) - len(asked)
    for place, key in enumerate(asked, first):
        if row[place] is not None:
            shown.append(f"{json.dumps(key)}:{row[place]}")
    if files is not None:
        shown.append(f'"_attachments":{files.get(row["id"], _NO_FILES).decode()}')
    return ("{" + ",".join(shown) + "}").encode()


def _files(connection: Connection, call: Call, numbers: Sequence[int]) -> dict[int, bytes]:
    """The files of these submissions that an answer names, as JSON; none where there are none."""
    rows = connection.execute(
        "SELECT submission, a.uid, filename, mimetype, xpath, s.asset, s.root_uuid, assets.owner,"
        " deployments.uuid AS form FROM attachments AS a"
        " JOIN submissions AS s ON s.id = submission"
        " JOIN assets ON assets.uid = s.asset JOIN deployments ON deployments.asset = s.asset"
        " WHERE submission IN (SELECT value FROM json_each(?)) AND xpath IS NOT NULL"
        " ORDER BY a.rowid",
        (json.dumps(numbers),),
    )
    found = defaultdict[int, list[Any]](list)
    for row in rows:
        found[row["submission"]].append(_file(call, row))
    return {number: json.dumps(files).encode() for number, files in found.items()}


def _file(call: Call, row: Record) -> dict[str, Any]:
    data = call.link(
        "assets", row["asset"], "data", row["submission"], "attachments", row["uid"]
    )
    stored = row["filename"].replace(" ", "_")
    sizes = ("large", "medium", "small") if row["mimetype"].startswith("image/") else ()
    return {
        "download_url": data,
        "mimetype": row["mimetype"],
        "filename": f"{row['owner']}/attachments/{row['form']}/{row['root_uuid']}/{stored}",
        "media_file_basename": row["filename"],
        "uid": row["uid"],
        "is_deleted": False,
        **{f"download_{size}_url": f"{data}{size}/" for size in sizes},
        "question_xpath": row["xpath"],
    }
