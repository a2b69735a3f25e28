"""KoboToolbox, and the local server that speaks like it."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from kobosmix.errors import ServerError, ServerUnreachable
from kobosmix.server.address import phones_origin
from kobosmix.server.answers import one_line
from kobosmix.server.content import sheets_of
from kobosmix.server.http import Request
from kobosmix.server.kobo_rights import KoboRights, may_manage, rights_of
from kobosmix.server.kobo_rows import HEAD_FIELDS, head_of, is_number, row_of
from kobosmix.server.model import LARGEST_PAGE, Asset, Attached, MediaFile, Page, Sheets
from kobosmix.server.openrosa import OpenRosaServer
from kobosmix.store import Head, Row, StoredSubmission

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ASSETS = "/api/v2/assets/"
_LIST_PAGE = 100
# Numbers that stand in one address; addresses over 8 kB are refused on the way.
_MOST_IN_ADDRESS = 400
_IMPORT_POLLS_S = (0.2, 0.5, 1, 1, 2, 2, 3, 5, 5, 5, 10, 10, 15, 20, 20, 20)
T = TypeVar("T")
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*""")


class KoboServer(KoboRights):
    """An account on a KoboToolbox server."""

    @property
    def url(self) -> str:
        """Its address, which is also its name."""
        return self.connection.server

    @cached_property
    def phones(self) -> OpenRosaServer:
        """The side that phones see, which on KoboToolbox is another host."""
        said = self._me().get("projects_url")
        host = phones_origin(self.url, said if isinstance(said, str) else "")
        return OpenRosaServer(self.connection if host == self.url else self.connection.at(host))

    def username(self) -> str:
        """Who the server takes us for. The one sure check of a token: lists are open to anyone."""
        return str(_held(self._me(), "username", str, "check the token"))

    def assets(self) -> Iterator[Asset]:
        """Every form project the account can see. Lists have no content, so each is asked for."""
        for uid in [str(each["uid"]) for each in self._listed(_ASSETS, q="asset_type:survey")]:
            found = self.find_asset(uid)
            if found is not None:
                yield found

    def find_asset(self, uid: str) -> Asset | None:
        """One form project, or None where there is none of that uid for us."""
        action = f"read the project {uid}"
        request = Request(action=action, path=_asset(uid), allowed=frozenset({404}))
        answer = self.connection.send(request)
        if answer.status == 404:  # noqa: PLR2004 - also what a lack of rights looks like
            return None
        return _as_asset(answer.content, action)

    def asset(self, uid: str) -> Asset:
        """One form project that must be there."""
        action = f"read the project {uid}"
        return _as_asset(self.connection.ask_json(action, _asset(uid)), action)

    def import_workbook(self, title: str, workbook: bytes, *, replace: str = "") -> str:
        """Make a project of a workbook, or put it in place of one; the project's uid.

        What the server finds wrong with the workbook is a ServerError in its words.
        """
        action = f"import the form '{title}'"
        form = {"library": "false", "name": title}
        if replace:
            form["destination"] = self.url + _asset(replace)
        request = Request(
            action=action,
            method="POST",
            path="/api/v2/imports/",
            form=form,
            files={"file": ("form.xlsx", workbook, _XLSX)},
        )
        task = str(_held(self.connection.send(request).content, "uid", str, action))
        messages = self._messages_of_import(task, action)
        return replace or _created(messages, action)

    def deploy(self, uid: str) -> Asset:
        """Hand the project as it is now to the phones, files included."""
        asset = self.asset(uid)
        body: dict[str, Any] = {"active": True}
        if asset.has_deployment:
            # Without the newest version_id this only re-opens the form, and publishes nothing.
            body["version_id"] = asset.version_id
        request = Request(
            action=f"deploy the form '{asset.name}'",
            method="PATCH" if asset.has_deployment else "POST",
            path=f"{_asset(uid)}deployment/",
            json=body,
        )
        self.connection.send(request)
        return self.asset(uid)

    def set_open(self, uid: str, *, is_open: bool) -> None:
        """Let phones send with a deployed form, or archive it; it is published no other way.

        To a phone that sends with an archived form the server says 405. It keeps its answers.
        """
        action = f"{'open' if is_open else 'close'} the form {uid}"
        request = Request(
            action=action,
            method="PATCH",
            path=f"{_asset(uid)}deployment/",
            json={"active": is_open},
            # The same state set twice is the same state.
            repeatable=True,
        )
        answer = self.connection.send(request)
        if _held(answer.content, "active", bool, action) is not is_open:
            raise ServerError(action, answer.status, "but the form is as it was")

    def media(self, uid: str) -> Sequence[MediaFile]:
        """The files uploaded to travel with a form."""
        listed = self._listed(f"{_asset(uid)}files/")
        return [_as_media(each) for each in listed if each.get("file_type") == "form_media"]

    def put_media(self, uid: str, name: str, content: bytes) -> None:
        """Upload a file, in place of one of the same name. Phones get it at the next deploy."""
        for present in self.media(uid):
            if present.name == name:
                self.delete_media(uid, present)
        request = Request(
            action=f"upload {name}",
            method="POST",
            path=f"{_asset(uid)}files/",
            # Without metadata, which the documentation calls optional, the server breaks.
            form={
                "file_type": "form_media",
                "description": name,
                "metadata": json.dumps({"filename": name}),
            },
            files={"content": (name, content, _kind_of(name))},
        )
        self.connection.send(request)

    def fielded_form(self, uid: str) -> str:
        """The XForm that phones get now."""
        return self.phones.form_xml(uid)

    def fielded_media(self, uid: str) -> Mapping[str, str]:
        """The files that phones get now: name to md5."""
        return self.phones.manifest(uid)

    def wait(self, seconds: float) -> None:
        """Let the server work."""
        self.connection.sleep(seconds)

    def submission_count(self, uid: str) -> int:
        """How many submissions we can read. Counted where they are read: other counters lag."""
        action = f"count the submissions of {uid}"
        query = {"limit": "1", "fields": '["_id"]', "sort": '{"_id":1}'}
        content = self.connection.ask_json(action, f"{_asset(uid)}data/", **query)
        return int(_held(content, "count", int, action))

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
        content = self.connection.ask_json(action, f"{_asset(uid)}data/", **asked)
        rows = _held(content, "results", list, action)
        if not all(isinstance(row, dict) and is_number(row.get("_id")) for row in rows):
            raise ServerError(action, 200, "a row without a number in _id")
        return rows, int(_held(content, "count", int, action))

    def version_sheets(self, uid: str, version_id: str) -> Sheets | None:
        """The rows of the form in one version, or None where the server knows no such version."""
        action = f"read version {version_id} of {uid}"
        path = f"{_asset(uid)}versions/{quote(version_id, safe='')}/"
        answer = self.connection.send(
            Request(action=action, path=path, allowed=frozenset({404}))
        )
        if answer.status == 404:  # noqa: PLR2004
            return None
        return sheets_of(_held(answer.content, "content", dict, action))

    def version_content(self, uid: str, version_id: str) -> Mapping[str, Any]:
        """The form as it was in one version: its survey, choices and settings rows."""
        action = f"read version {version_id} of {uid}"
        content = self.connection.ask_json(action, f"{_asset(uid)}versions/{version_id}/")
        return dict(_held(content, "content", dict, action))

    def version_constants(self, uid: str, version_id: str) -> Mapping[str, str]:
        """The constants of one version that was deployed."""
        return _constants(self.version_content(uid, version_id))

    def attached(self, submission: StoredSubmission) -> Sequence[Attached]:
        """The files that the server has with a submission; those deleted since are left out."""
        files = submission.content.get("_attachments") or ()
        data = f"{_asset(submission.asset_uid)}data/{submission.server_id}/attachments/"
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

    def _me(self) -> Mapping[str, Any]:
        action = "check the token"
        me = self.connection.ask_json(action, "/me/")
        if not isinstance(me, dict):
            raise ServerError(action, 200, "an answer that KoboToolbox does not give")
        return me

    def _messages_of_import(self, task: str, action: str) -> Mapping[str, Any]:
        for wait_s in _IMPORT_POLLS_S:
            content = self.connection.ask_json(action, f"/api/v2/imports/{task}/")
            status = _held(content, "status", str, action)
            messages = _held(content, "messages", dict, action)
            if status == "complete":
                return dict(messages)
            if status == "error":
                raise ServerError(action, 200, one_line(str(messages.get("error", ""))))
            self.wait(wait_s)
        limit_s = sum(_IMPORT_POLLS_S)
        reason = f"it took the form in, but was not done with it after {limit_s:.0f} s"
        raise ServerUnreachable(action, self.url, reason)

    def delete_media(self, uid: str, file: MediaFile) -> None:
        """Take a file off a project. Phones keep it until the next deploy."""
        request = Request(
            action=f"remove the old {file.name}",
            method="DELETE",
            path=f"{_asset(uid)}files/{file.uid}/",
            repeatable=True,
            allowed=frozenset({404}),
        )
        self.connection.send(request)

    def _listed(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        start = 0
        while True:
            page = {**query, "start": str(start), "limit": str(_LIST_PAGE)}
            content = self.connection.ask_json("read a list", path, **page)
            results = _held(content, "results", list, "read a list")
            yield from results
            start += len(results)
            if not results or start >= _held(content, "count", int, "read a list"):
                return


def _last(entries: Sequence[Head] | Sequence[Row], after: str) -> str:
    return str(max((int(each.server_id) for each in entries), default=int(after or 0)))


def _asset(uid: str) -> str:
    # Only with its last slash: without, the server redirects and drops what was sent.
    return f"{_ASSETS}{quote(uid, safe='')}/"


def _held(content: Any, name: str, kind: type[T], action: str) -> T:
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, kind):
        raise ServerError(action, 200, f"an answer without {name}, which KoboToolbox has")
    return value


def _created(messages: Mapping[str, Any], action: str) -> str:
    for each in messages.get("created") or ():
        if isinstance(each, dict) and each.get("kind") == "asset":
            return str(each["uid"])
    raise ServerError(action, 200, "the import is complete, but made no project")


def _as_asset(content: Any, action: str) -> Asset:
    return Asset(
        uid=_held(content, "uid", str, action),
        name=_held(content, "name", str, action),
        version_id=content.get("version_id") or "",
        deployed_version_id=content.get("deployed_version_id") or "",
        has_deployment=bool(content.get("has_deployment")),
        active=bool(content.get("deployment__active")),
        submission_count=content.get("deployment__submission_count") or 0,
        constants=_constants(content.get("content")),
        content=held if isinstance(held := content.get("content"), dict) else {},
        owner=str(content.get("owner__username") or ""),
        may_manage=may_manage(content.get("effective_permissions")),
        rights=tuple(rights_of(content.get("permissions") or ())),
    )


def _constants(content: Any) -> dict[str, str]:
    survey = content.get("survey") if isinstance(content, dict) else None
    found = dict[str, str]()
    for row in survey or ():
        quoted = _QUOTED.fullmatch(str(row.get("calculation", "")))
        name = row.get("name") or row.get("$autoname")
        if row.get("type") == "calculate" and quoted and name:
            found[str(name)] = quoted[1] if quoted[1] is not None else quoted[2]
    return found


def _as_media(content: Mapping[str, Any]) -> MediaFile:
    metadata = content.get("metadata") or {}
    md5 = str(metadata.get("hash") or "").removeprefix("md5:")
    name = str(metadata.get("filename") or "")
    return MediaFile(uid=str(content["uid"]), name=name, md5=md5)


def _kind_of(name: str) -> str:
    # Windows takes the type of .csv from the registry, where Excel has put its own.
    if name.endswith(".csv"):
        return "text/csv"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
