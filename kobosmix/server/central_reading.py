"""Reading submissions from ODK Central: in one fixed order, none twice, none left out.

Pages hang on the time of receipt and on the names of those received in that moment. The server's
own links between pages go from the newest to the oldest and cannot be turned round, so that a
submission that comes while they are followed is on none of them. Nothing here trusts a clock: each
submission is looked at each time, by what the server says of it beside its answers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kobosmix.errors import ServerError
from kobosmix.server.central_api import CentralApi, held, listed, path_of
from kobosmix.server.model import LARGEST_PAGE, Attached, Page
from kobosmix.store import Head, Row, StoredSubmission
from kobosmix.store.odata import SYSTEM, kept_of

# What changes when a submission is edited, reviewed, or gets a file later. Not the ETag of a page:
# a file that comes late leaves it as it was. Nor the time of the last change alone, for the same
# reason.
_MARKED = ("updatedAt", "edits", "reviewState", "attachmentsPresent", "attachmentsExpected")
_HEAD = ",".join(["__id", *(f"{SYSTEM}/{name}" for name in ("submissionDate", *_MARKED))])
_OLDEST_FIRST = f"{SYSTEM}/submissionDate asc"
# An address with more names than that is too long for servers that allow 8 KB.
_NAMES_IN_ONE = 50
_CASTS = {"int": int, "decimal": float}
_UNREADABLE = frozenset({"structure", "repeat", "geopoint", "geotrace", "geoshape"})
_NO_VERSION = "___"


class CentralReading:
    """The side of ODK Central that hands out submissions."""

    def __init__(self, api: CentralApi) -> None:
        self.api = api
        self._fields_known = dict[tuple[str, str], Mapping[str, str]]()

    def submission_count(self, uid: str) -> int:
        """How many submissions a form has now, those deleted not counted."""
        action = f"count the submissions of {uid}"
        query = {"$top": "0", "$count": "true"}
        content = self.api.find(action, _table(uid), **query)
        # A form that was never published has no table, and nothing in it.
        return 0 if content is None else held(content, "@odata.count", int, action)

    def heads(self, uid: str, after: str, page_size: int) -> Page[Head]:
        """What tells of the next submissions whether they changed: a twentieth of their size."""
        action = f"read what changed in {uid}"
        found, cursor, is_last = self._page(uid, after, page_size, action, {"$select": _HEAD})
        heads = [
            Head(server_id=_name(each, action), mark=_mark(each, action)) for each in found
        ]
        return Page(entries=heads, cursor=cursor, is_last=is_last)

    def rows(self, uid: str, after: str, page_size: int) -> Page[Row]:
        """The next submissions, whole, in the order in which they came."""
        action = f"read the submissions of {uid}"
        found, cursor, is_last = self._page(uid, after, page_size, action, {"$expand": "*"})
        return Page(entries=self._as_rows(uid, found, action), cursor=cursor, is_last=is_last)

    def rows_of(self, uid: str, server_ids: Sequence[str]) -> Sequence[Row]:
        """These submissions, whole; one that is not there any more is not among them."""
        action = f"read submissions of {uid}"
        rows = list[Row]()
        for names in _by(_NAMES_IN_ONE, list(dict.fromkeys(server_ids))):
            query = {"$expand": "*", "$filter": _any_of(names)}
            content = self.api.read(action, _table(uid), **query)
            rows += self._as_rows(uid, _values(content, action), action)
        return rows

    def deleted(self, uid: str) -> Mapping[str, str]:
        """The submissions in the trash, with the time each was deleted; gone after 30 days."""
        action = f"read what was deleted of {uid}"
        query = {"$select": f"__id,{SYSTEM}", "$filter": f"{SYSTEM}/deletedAt ne null"}
        content = self.api.read(action, _table(uid), **query)
        return {
            _name(each, action): str(_system(each, action).get("deletedAt"))
            for each in _values(content, action)
        }

    def attached(self, submission: StoredSubmission) -> Sequence[Attached]:
        """The files that the server has with a submission; those still to come are not among them."""
        uid = submission.asset_uid
        action = f"read the files of the submission {submission.server_id}"
        path = path_of(uid, "submissions", submission.server_id, "attachments")
        found = listed(self.api.find(action, path) or [], action)
        names = [str(each.get("name")) for each in found if each.get("exists")]
        return [
            Attached(id=name, name=name, path=f"{path}/{quote(name, safe='')}")
            for name in names
        ]

    def attachment(self, uid: str, file: Attached) -> bytes:
        """One of those files, whole."""
        return self.api.raw(f"read the file {file.name} of {uid}", file.path)

    def _page(
        self, uid: str, after: str, page_size: int, action: str, query: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], str, bool]:
        since, given = _where(after)
        asked = max(1, min(page_size, LARGEST_PAGE)) + len(given)
        query = {**query, "$top": str(asked), "$orderby": _OLDEST_FIRST, "$count": "true"}
        if since:
            query["$filter"] = f"{SYSTEM}/submissionDate ge {since}"
        content = self.api.read(action, _table(uid), **query)
        found = _values(content, action)
        matching = held(content, "@odata.count", int, action)
        fresh = [each for each in found if _name(each, action) not in given]
        is_last = matching <= len(found)
        if not fresh and not is_last:
            raise ServerError(action, 200, f"no submissions, though {matching} remain")
        return fresh, _after(fresh, since, given, action) if fresh else after, is_last

    def _as_rows(self, uid: str, found: Sequence[dict[str, Any]], action: str) -> list[Row]:
        self._add_dropped_fields(uid, found, action)
        return [_row(each, action) for each in found]

    def _add_dropped_fields(
        self, uid: str, found: Sequence[dict[str, Any]], action: str
    ) -> None:
        """Put back the answers to questions that the newest version of the form has not.

        OData knows the fields of that version only. The CSV can have those of all, as raw text.
        """
        newest, dropped = self._dropped(uid) if found else ("", {})
        older = [each for each in found if dropped and _may_be_older(each, newest, action)]
        told = self._csv(uid, _among(older, action), action) if older else {}
        for each in older:
            _put_back(each, told.get(_name(each, action), {}), dropped)

    def _csv(self, uid: str, among: str, action: str) -> Mapping[str, Mapping[str, str]]:
        query = {"deletedFields": "true", "$filter": among}
        body = self.api.raw(action, path_of(uid, "submissions.csv"), **query)
        # The whole answer of a person can be one cell.
        csv.field_size_limit(max(csv.field_size_limit(), len(body) + 1))
        table = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        return {row.get("KEY") or "": row for row in table}

    def _dropped(self, uid: str) -> tuple[str, Mapping[str, str]]:
        """The newest version, and the fields of earlier ones that it has not: path to type."""
        action = f"read the versions of {uid}"
        versions = listed(self.api.read(action, path_of(uid, "versions")), action)
        newest, *earlier = [str(each.get("version") or _NO_VERSION) for each in versions]
        now = self._fields(uid, newest)
        then = dict[str, str]()
        for version in reversed(earlier):
            then |= self._fields(uid, version)
        gone = {path: kind for path, kind in then.items() if path not in now}
        return newest, {p: kind for p, kind in gone.items() if kind not in _UNREADABLE}

    def _fields(self, uid: str, version: str) -> Mapping[str, str]:
        known = self._fields_known.get((uid, version))
        if known is None:
            action = f"read the fields of version {version} of {uid}"
            path = path_of(uid, "versions", version, "fields")
            fields = listed(self.api.read(action, path, odata="true"), action)
            # A version is never changed once it is published.
            known = {str(each.get("path")): str(each.get("type")) for each in fields}
            self._fields_known[uid, version] = known
        return known


def _row(row: Mapping[str, Any], action: str) -> Row:
    system = _system(row, action)
    name = _name(row, action)
    return Row(
        server_id=name,
        root_uuid=name.removeprefix("uuid:"),
        received=str(system.get("submissionDate") or ""),
        validation=str(system.get("reviewState") or ""),
        mark=_mark(row, action),
        form_version=str(system.get("formVersion") or ""),
        content=kept_of(row),
    )


def _put_back(
    row: dict[str, Any], cells: Mapping[str, str], dropped: Mapping[str, str]
) -> None:
    """An empty cell is no answer, as a question that was never asked is none."""
    for path, kind in dropped.items():
        *groups, name = path.strip("/").split("/")
        raw = cells.get("-".join([*groups, name]), "")
        if raw:
            place = row
            for group in groups:
                place = _group(place, group)
            place[name] = _cast(raw, kind)


def _group(place: dict[str, Any], name: str) -> dict[str, Any]:
    inner = place.get(name)
    if not isinstance(inner, dict):
        inner = place[name] = {}
    return inner


def _cast(raw: str, kind: str) -> Any:
    """The value as OData had it while the field was in the newest version."""
    try:
        return _CASTS[kind](raw) if kind in _CASTS else raw
    except ValueError:
        return raw


def _may_be_older(row: Mapping[str, Any], newest: str, action: str) -> bool:
    """Whether an answer may come from another version; the server names only that of the first."""
    system = _system(row, action)
    return bool(system.get("edits")) or str(system.get("formVersion") or _NO_VERSION) != newest


def _where(cursor: str) -> tuple[str, frozenset[str]]:
    since, *given = cursor.split(" ") if cursor else [""]
    return since, frozenset(given)


def _after(
    fresh: Sequence[Mapping[str, Any]], since: str, given: Iterable[str], action: str
) -> str:
    """The last moment on the page, and everyone received in it: more of them may follow."""
    moments = [str(_system(each, action).get("submissionDate")) for each in fresh]
    last = moments[-1]
    together = {
        _name(row, action) for row, at in zip(fresh, moments, strict=True) if at == last
    }
    return " ".join([last, *sorted(together | set(given if since == last else ()))])


def _mark(row: Mapping[str, Any], action: str) -> str:
    system = _system(row, action)
    return " ".join(str(system.get(name)) for name in _MARKED)


def _name(row: Mapping[str, Any], action: str) -> str:
    name = row.get("__id")
    if not isinstance(name, str) or not name or " " in name:
        raise ServerError(action, 200, "a submission without a name in __id")
    return name


def _system(row: Mapping[str, Any], action: str) -> Mapping[str, Any]:
    system = row.get(SYSTEM)
    if not isinstance(system, dict):
        raise ServerError(action, 200, f"a submission without {SYSTEM}")
    return system


def _values(content: Any, action: str) -> list[dict[str, Any]]:
    return listed(held(content, "value", list, action), action)


def _among(rows: Sequence[Mapping[str, Any]], action: str) -> str:
    """The filter that leaves these: by name, or where they are many by when they were received."""
    if len(rows) <= _NAMES_IN_ONE:
        return _any_of([_name(each, action) for each in rows])
    moments = sorted(str(_system(each, action).get("submissionDate")) for each in rows)
    received = f"{SYSTEM}/submissionDate"
    return f"{received} ge {moments[0]} and {received} le {moments[-1]}"


def _any_of(names: Sequence[str]) -> str:
    quoted = (name.replace("'", "''") for name in names)
    return " or ".join(f"__id eq '{name}'" for name in quoted)


def _by(size: int, entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _table(uid: str) -> str:
    return f"{path_of(uid)}.svc/Submissions"
