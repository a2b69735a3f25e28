"""KoboToolbox, and the local server that speaks like it."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from kobosmix.errors import ServerError, ServerUnreachable, UsageError
from kobosmix.form import XlsForm, kobo_workbook
from kobosmix.server.address import phones_origin
from kobosmix.server.answers import one_line
from kobosmix.server.content import sheets_of
from kobosmix.server.http import Request
from kobosmix.server.kobo_reading import KoboReading, asset_at, held
from kobosmix.server.kobo_rights import KoboRights, may_manage, rights_of
from kobosmix.server.model import (
    Asset,
    MediaFile,
    PhoneLogin,
    Sheets,
    WebForms,
)
from kobosmix.server.openrosa import OpenRosaServer
from kobosmix.server.web_forms import web_forms

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ASSETS = "/api/v2/assets/"
_LIST_PAGE = 100
_IMPORT_POLLS_S = (0.2, 0.5, 1, 1, 2, 2, 3, 5, 5, 5, 10, 10, 15, 20, 20, 20)
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*""")


class KoboServer(KoboReading, KoboRights):
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

    @property
    def when_late(self) -> str:
        """What becomes of a phone that sends to a form after it was closed, in words."""
        return (
            "A phone that sends late is told 405, the form is closed. Nothing on it is lost: it "
            "keeps what was filled in, and can send once the form is open again."
        )

    def workbook(self, form: XlsForm) -> bytes:
        """The form with the server's own stable names for its rows."""
        return kobo_workbook(form)

    def keep_register_as_list(self) -> None:
        """There are no lists of entities here: a UsageError says what to do."""
        raise UsageError(
            f"'entities: true' in context.yaml is for ODK Central, and {self.url} is none. Take "
            "the line out: the register then goes up as a file."
        )

    def sender(self, account: str, code: str) -> str:  # noqa: ARG002 - the code is no account
        """An enumerator's account on the server."""
        return account

    def username(self) -> str:
        """Who the server takes us for. The one sure check of a token: lists are open to anyone."""
        return str(held(self._me(), "username", str, "check the token"))

    def assets(self) -> Iterator[Asset]:
        """Every form project the account can see. Lists have no content, so each is asked for."""
        for uid in [str(each["uid"]) for each in self._listed(_ASSETS, q="asset_type:survey")]:
            found = self.find_asset(uid)
            if found is not None:
                yield found

    def find_asset(self, uid: str) -> Asset | None:
        """One form project, or None where there is none of that uid for us."""
        action = f"read the project {uid}"
        request = Request(action=action, path=asset_at(uid), allowed=frozenset({404}))
        answer = self.connection.send(request)
        if answer.status == 404:  # noqa: PLR2004 - also what a lack of rights looks like
            return None
        return _as_asset(answer.content, action)

    def asset(self, uid: str) -> Asset:
        """One form project that must be there."""
        action = f"read the project {uid}"
        return _as_asset(self.connection.ask_json(action, asset_at(uid)), action)

    def import_workbook(self, title: str, workbook: bytes, *, replace: str = "") -> str:
        """Make a project of a workbook, or put it in place of one; the project's uid.

        What the server finds wrong with the workbook is a ServerError in its words.
        """
        action = f"import the form '{title}'"
        form = {"library": "false", "name": title}
        if replace:
            form["destination"] = self.url + asset_at(replace)
        request = Request(
            action=action,
            method="POST",
            path="/api/v2/imports/",
            form=form,
            files={"file": ("form.xlsx", workbook, _XLSX)},
        )
        task = str(held(self.connection.send(request).content, "uid", str, action))
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
            path=f"{asset_at(uid)}deployment/",
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
            path=f"{asset_at(uid)}deployment/",
            json={"active": is_open},
            # The same state set twice is the same state.
            repeatable=True,
        )
        answer = self.connection.send(request)
        if held(answer.content, "active", bool, action) is not is_open:
            raise ServerError(action, answer.status, "but the form is as it was")

    def media(self, uid: str) -> Sequence[MediaFile]:
        """The files uploaded to travel with a form."""
        listed = self._listed(f"{asset_at(uid)}files/")
        return [_as_media(each) for each in listed if each.get("file_type") == "form_media"]

    def put_media(self, uid: str, name: str, content: bytes) -> None:
        """Upload a file, in place of one of the same name. Phones get it at the next deploy."""
        for present in self.media(uid):
            if present.name == name:
                self.delete_media(uid, present)
        request = Request(
            action=f"upload {name}",
            method="POST",
            path=f"{asset_at(uid)}files/",
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

    def version_sheets(self, uid: str, version_id: str) -> Sheets | None:
        """The rows of the form in one version, or None where the server knows no such version."""
        action = f"read version {version_id} of {uid}"
        path = f"{asset_at(uid)}versions/{quote(version_id, safe='')}/"
        answer = self.connection.send(
            Request(action=action, path=path, allowed=frozenset({404}))
        )
        if answer.status == 404:  # noqa: PLR2004
            return None
        return sheets_of(held(answer.content, "content", dict, action))

    def version_content(self, uid: str, version_id: str) -> Mapping[str, Any]:
        """The form as it was in one version: its survey, choices and settings rows."""
        action = f"read version {version_id} of {uid}"
        content = self.connection.ask_json(action, f"{asset_at(uid)}versions/{version_id}/")
        return dict(held(content, "content", dict, action))

    def version_constants(self, uid: str, version_id: str) -> Mapping[str, str]:
        """The constants of one version that was deployed."""
        return _constants(self.version_content(uid, version_id))

    def web_forms(self, uid: str) -> WebForms:
        """Where a form that is deployed can be filled in in a browser."""
        return web_forms(self.connection, uid)

    def phone_logins(self, uid: str, senders: Mapping[str, str]) -> Sequence[PhoneLogin]:  # noqa: ARG002
        """One for each account; without any, all phones are set up alike and ask who it is."""
        return [
            PhoneLogin(code=code, address=self.phones.url, account=account)
            for code, account in sorted(senders.items())
        ] or [PhoneLogin(code="", address=self.phones.url)]

    def _me(self) -> Mapping[str, Any]:
        action = "check the token"
        me = self.connection.ask_json(action, "/me/")
        if not isinstance(me, dict):
            raise ServerError(action, 200, "an answer that KoboToolbox does not give")
        return me

    def _messages_of_import(self, task: str, action: str) -> Mapping[str, Any]:
        for wait_s in _IMPORT_POLLS_S:
            content = self.connection.ask_json(action, f"/api/v2/imports/{task}/")
            status = held(content, "status", str, action)
            messages = held(content, "messages", dict, action)
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
            path=f"{asset_at(uid)}files/{file.uid}/",
            repeatable=True,
            allowed=frozenset({404}),
        )
        self.connection.send(request)

    def _listed(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        start = 0
        while True:
            page = {**query, "start": str(start), "limit": str(_LIST_PAGE)}
            content = self.connection.ask_json("read a list", path, **page)
            results = held(content, "results", list, "read a list")
            yield from results
            start += len(results)
            if not results or start >= held(content, "count", int, "read a list"):
                return


def _created(messages: Mapping[str, Any], action: str) -> str:
    for each in messages.get("created") or ():
        if isinstance(each, dict) and each.get("kind") == "asset":
            return str(each["uid"])
    raise ServerError(action, 200, "the import is complete, but made no project")


def _as_asset(content: Any, action: str) -> Asset:
    return Asset(
        uid=held(content, "uid", str, action),
        name=held(content, "name", str, action),
        version_id=content.get("version_id") or "",
        deployed_version_id=content.get("deployed_version_id") or "",
        has_deployment=bool(content.get("has_deployment")),
        active=bool(content.get("deployment__active")),
        submission_count=content.get("deployment__submission_count") or 0,
        constants=_constants(content.get("content")),
        content=form if isinstance(form := content.get("content"), dict) else {},
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
