"""Reading the submissions of KoboToolbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from kobosmix.errors import ServerError
from kobosmix.server.http import Connection, Request
from kobosmix.server.kobo_rows import HEAD_FIELDS, head_of, is_number, row_of
from kobosmix.server.model import LARGEST_PAGE, Attached, Page
from kobosmix.store import Head, Row, StoredSubmission

# Numbers that stand in one address; addresses over 8 kB are refused on the way.
_MOST_IN_ADDRESS = 400
_ASSETS = "/api/v2/assets/"
T = TypeVar("T")


class KoboReading:
    """The submissions of an account's projects, and the files that came with them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def submission_count(self, uid: str) -> int:
        """How many submissions we can read. Counted where they are read: other counters lag."""
        action = f"count the submissions of {uid}"
        query = {"limit": "1", "fields": '["_id"]', "sort": '{"_id":1}'}
        content = self.connection.ask_json(action, f"{asset_at(uid)}data/", **query)
        return int(held(content, "count", int, action))

    def heads(self, uid: str, after: str, page_size: int) -> Page[Head]:
        """What tells which submissions have changed: a fiftieth of what they weigh."""
        raw, is_last = self._page(uid, after, page_size, fields=HEAD_FIELDS)
        heads = [head_of(row) for row in raw]
        return Page(entries=heads, cursor=_last(heads, after), is_last=is_last)

    def rows(self, uid: str, after: str, page_size: int) -> Page[Row]:
        """The next submissions after an `_id`, in the order of `_id`.

        Pages hang on the last `_id` and not on a position, so none is lost when rows come or go.
        """
        raw, is_last = self._page(uid, after, page_size)
        rows = [row_of(row) for row in raw]
        return Page(entries=rows, cursor=_last(rows, after), is_last=is_last)

    def rows_of(self, uid: str, server_ids: Sequence[str]) -> Sequence[Row]:
        """The submissions with these numbers that are there now."""
        found = list[Row]()
        for start in range(0, len(server_ids), _MOST_IN_ADDRESS):
            part = sorted(int(each) for each in server_ids[start : start + _MOST_IN_ADDRESS])
            query = json.dumps({"_id": {"$in": part}}, separators=(",", ":"))
            raw, _ = self._data(uid, query=query, limit=str(LARGEST_PAGE))
            found += [row_of(row) for row in raw]
        wanted = {row.server_id: row for row in found if row.server_id in frozenset(server_ids)}
        return sorted(wanted.values(), key=lambda row: int(row.server_id))

    def _page(
        self, uid: str, after: str, page_size: int, **query: str
    ) -> tuple[Sequence[Mapping[str, Any]], bool]:
        last, limit = int(after or 0), max(1, min(page_size, LARGEST_PAGE))
        past = json.dumps({"_id": {"$gt": last}})
        raw, count = self._data(uid, query=past, limit=str(limit), **query)
        if not raw and count:
            action = f"read the submissions of {uid}"
            raise ServerError(action, 200, f"no rows, though {count} remain")
        # Servers have repeated a row, and a whole page: neither brings anything further.
        further = {row["_id"]: row for row in raw if row["_id"] > last}
        # Counts lag behind the rows, so a page that is full is never taken for the last.
        is_last = count <= len(further) < limit
        return [further[number] for number in sorted(further)], is_last

    def _data(self, uid: str, **query: str) -> tuple[Sequence[Mapping[str, Any]], int]:
        action = f"read the submissions of {uid}"
        asked = {**query, "sort": '{"_id":1}'}
        content = self.connection.ask_json(action, f"{asset_at(uid)}data/", **asked)
        rows = held(content, "results", list, action)
        if not all(isinstance(row, dict) and is_number(row.get("_id")) for row in rows):
            raise ServerError(action, 200, "a row without a number in _id")
        return rows, int(held(content, "count", int, action))

    def attached(self, submission: StoredSubmission) -> Sequence[Attached]:
        """The files that the server has with a submission; those deleted since are left out."""
        files = submission.content.get("_attachments") or ()
        data = f"{asset_at(submission.asset_uid)}data/{submission.server_id}/attachments/"
        return [
            Attached(
                id=str(file["uid"]),
                name=str(file.get("media_file_basename") or file["uid"]),
                path=f"{data}{quote(str(file['uid']), safe='')}/",
            )
            for file in files
            if not file.get("is_deleted") and file.get("uid")
        ]

    def attachment(self, uid: str, file: Attached) -> bytes:
        """One of those files, whole."""
        request = Request(action=f"fetch a file of {uid}", path=file.path, accept="*/*")
        return self.connection.send(request).body


def _last(entries: Sequence[Head] | Sequence[Row], after: str) -> str:
    return str(max((int(each.server_id) for each in entries), default=int(after or 0)))


def asset_at(uid: str) -> str:
    """The address of a project in the API."""
    # Only with its last slash: without, the server redirects and drops what was sent.
    return f"{_ASSETS}{quote(uid, safe='')}/"


def held(content: Any, name: str, kind: type[T], action: str) -> T:
    """A part of an answer that must be there and of this kind; else a ServerError."""
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, kind):
        raise ServerError(action, 200, f"an answer without {name}, which KoboToolbox has")
    return value
