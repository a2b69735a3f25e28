"""ODK Central: one project for a study, and forms that are published by way of a draft."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kobosmix.errors import ServerError, ServerUnreachable, StudyError
from kobosmix.form import XlsForm, workbook
from kobosmix.form.central import is_safe, next_version, with_list
from kobosmix.server.central_api import (
    IS_THERE,
    NEVER_PUBLISHED,
    VERSION_TAKEN,
    CentralApi,
    CentralRefusal,
    at,
    form_at,
    held,
    listed,
    path_of,
)
from kobosmix.server.central_entities import LIST_FILE, RegisterList
from kobosmix.server.central_people import CentralPeople
from kobosmix.server.central_project import CentralProjects, Home
from kobosmix.server.central_reading import CentralReading
from kobosmix.server.central_warnings import upload_workbook
from kobosmix.server.http import Connection
from kobosmix.server.model import Asset, MediaFile, Sheets
from kobosmix.server.xform import (
    as_content,
    constants_in,
    constants_of,
    content_of_workbook,
    sheets_of_workbook,
)

OPEN, CLOSING, CLOSED = "open", "closing", "closed"
_VERSION_TRIES = 20
_IDENTITY = ("kx_study", "kx_group", "kx_wave")


class CentralServer(CentralReading, CentralPeople):
    """An account on ODK Central.

    A form's uid is the number of its project and its form id: `5.gaziantep_pre_turks`. What a
    project on KoboToolbox is, is a form here; its draft is what is edited, and phones get what was
    published last.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(CentralApi(connection))
        self.connection = connection
        self.projects = CentralProjects(self.api)
        self.lists_register = False

    @property
    def url(self) -> str:
        """Its address, which is also its name."""
        return self.connection.server

    def username(self) -> str:
        """Who the server takes us for."""
        action = "check who is signed in"
        return held(self.api.read(action, at("users", "current")), "email", str, action)

    @property
    def when_late(self) -> str:
        """What becomes of a phone that sends to a form after it was closed, in words."""
        return "A phone that sends late can still do so; nobody can begin a new interview."

    def workbook(self, form: XlsForm) -> bytes:
        """The neutral form: ODK Central needs no other, unless the register is a list."""
        return workbook(with_list(form) if self.lists_register else form)

    def keep_register_as_list(self) -> None:
        """From now on the register goes up as a list of entities, and never as a file."""
        self.lists_register = True

    def sender(self, account: str, code: str) -> str:  # noqa: ARG002 - an account names a person
        """An enumerator's app user is called by the code."""
        return code

    def assets(self) -> Iterator[Asset]:
        """Every form of a study that the account can see, in whatever project."""
        for project in self.projects.visible():
            for form_id in project.form_ids:
                asset = self._of_a_study(project.id, form_id)
                if asset is not None:
                    yield dataclasses.replace(asset, may_manage=project.may_manage)

    def find_asset(self, uid: str) -> Asset | None:
        """One form, or None where there is none of that name for us."""
        action = f"read the form {uid}"
        form = self.api.find(action, path_of(uid))
        # The forms of a project that was deleted are handed out all the same; to phones none is.
        if form is None or not self.projects.has(form_at(uid)[0]):
            return None
        draft = self._draft(uid)
        held_at = path_of(uid) if draft is None else path_of(uid, "draft")
        held_workbook = self.api.find_raw(action, f"{held_at}.xlsx")
        is_published = bool(form.get("publishedAt"))
        published = str(form.get("version") or "") if is_published else ""
        return Asset(
            uid=uid,
            name=str(form.get("name") or form_at(uid)[1]),
            version_id=published if draft is None else f"draft {draft.get('hash')}",
            deployed_version_id=published,
            has_deployment=is_published,
            active=form.get("state") == OPEN,
            submission_count=self.submission_count(uid) if is_published else 0,
            constants=constants_of(self.api.raw(action, f"{held_at}.xml"), action),
            content=content_of_workbook(held_workbook, action) if held_workbook else {},
            rights=tuple(self.rights(uid)),
        )

    def asset(self, uid: str) -> Asset:
        """One form that must be there."""
        found = self.find_asset(uid)
        if found is None:
            raise ServerError(f"read the form {uid}", 404, "there is no such form for you")
        return found

    def import_workbook(self, title: str, workbook: bytes, *, replace: str = "") -> str:
        """Make the workbook the draft of its form; the form's uid.

        Nothing is done where phones or the draft have these very bytes already; another draft
        beside them is deleted, so that it cannot be published in their place.
        """
        action = f"import the form '{title}'"
        content = content_of_workbook(workbook, action)
        form_id = str(content["settings"].get("form_id", ""))
        if not is_safe(form_id):
            raise StudyError(f"'{form_id}' is no form id that ODK Central takes everywhere")
        if not replace:
            said = constants_in(content)
            home = Home(study=said.get("kx_study", ""), purpose=said.get("kx_purpose", ""))
            return self._create(action, self.projects.of(home), form_id, workbook)
        if form_at(replace)[1] != form_id:
            raise StudyError(f"could not {action}: the form {replace} cannot become {form_id}")
        self._make_draft(action, replace, workbook)
        return replace

    def deploy(self, uid: str) -> Asset:
        """Publish the draft under a version that no form had, and open the form.

        Without a draft nothing is published. A draft that the server will not publish, or that
        lacks a file, is deleted again: it was ours.
        """
        form = self.api.read(f"read the form {uid}", path_of(uid))
        if self._draft(uid) is not None:
            try:
                self._publish(uid)
            except (CentralRefusal, StudyError):
                self._drop_draft(uid)
                raise
        if form.get("state") != OPEN:
            self.set_state(uid, OPEN)
        return self.asset(uid)

    def set_open(self, uid: str, *, is_open: bool) -> None:
        """Offer the form to phones, or no more: answers that phones still hold are taken then."""
        self.set_state(uid, OPEN if is_open else CLOSING)

    def set_state(self, uid: str, state: str) -> None:
        """`open`, `closing` (no new interviews, late answers still come), `closed` (refused)."""
        self.api.change(f"make the form {uid} {state}", path_of(uid), {"state": state})

    def media(self, uid: str) -> Sequence[MediaFile]:
        """The files of the draft, or of what is published where there is none."""
        place = () if self._draft(uid) is None else ("draft",)
        present = self._present(uid, self._attachments(uid, *place))
        return [MediaFile(uid=name, name=name, md5=md5) for name, md5 in present.items()]

    def put_media(self, uid: str, name: str, content: bytes) -> None:
        """Upload a file to the draft, which is made of what is published where there is none.

        A register that is a list is brought up to date there, and phones get it without a draft.
        """
        action = f"upload {name}"
        is_list = self.lists_register and name == LIST_FILE
        if is_list:
            RegisterList(self.api, form_at(uid)[0]).hold(content)
            if self._is_linked(uid):
                return
        if self._draft(uid) is None:
            self.api.write(action, path_of(uid, "draft"), repeatable=True)
        path = path_of(uid, "draft", "attachments", name)
        if is_list:
            self.api.change(action, path, {"dataset": True})
            return
        kind = "text/csv" if name.endswith(".csv") else "application/octet-stream"
        self.api.send_file(action, path, content, kind)

    def delete_media(self, uid: str, file: MediaFile) -> None:
        """Take a file off the draft, which is made of what is published where there is none."""
        action = f"take {file.name} off the form {uid}"
        if self._draft(uid) is None:
            self.api.write(action, path_of(uid, "draft"), repeatable=True)
        self.api.remove(action, path_of(uid, "draft", "attachments", file.name))

    def fielded_form(self, uid: str) -> str:
        """The XForm that phones get now."""
        return self.api.raw(f"read the form {uid}", f"{path_of(uid)}.xml").decode("utf-8")

    def fielded_media(self, uid: str) -> Mapping[str, str]:
        """The files that phones get now: name to md5. A list has that of the file it stands for."""
        return self._present(uid, self._attachments(uid))

    def wait(self, seconds: float) -> None:
        """Let the server work."""
        self.connection.sleep(seconds)

    def version_content(self, uid: str, version_id: str) -> Mapping[str, Any]:
        """The form as it was in one version: its survey, choices and settings rows."""
        found = self.version_sheets(uid, version_id)
        if found is None:
            action = f"read version {version_id} of {uid}"
            raise ServerError(action, 404, "there is none, or none that came as a workbook")
        return as_content(found)

    def version_sheets(self, uid: str, version_id: str) -> Sheets | None:
        """The same by sheet, or None where no such version was published from a workbook."""
        action = f"read version {version_id} of {uid}"
        workbook = self.api.find_raw(action, _version(uid, version_id, "xlsx"))
        return None if workbook is None else sheets_of_workbook(workbook, action)

    def version_constants(self, uid: str, version_id: str) -> Mapping[str, str]:
        """The constants of one version that was published."""
        action = f"read version {version_id} of {uid}"
        return constants_of(self.api.raw(action, _version(uid, version_id, "xml")), action)

    def _of_a_study(self, project: int, form_id: str) -> Asset | None:
        # Others say nothing by which they could be anybody's; one may be gone since it was listed.
        if "kx_study" not in self.projects.constants(project, form_id):
            return None
        return self.find_asset(f"{project}.{form_id}")

    def _create(self, action: str, project: int, form_id: str, workbook: bytes) -> str:
        uid = f"{project}.{form_id}"
        try:
            upload_workbook(self.api, action, at("projects", project, "forms"), workbook)
        except CentralRefusal as error:
            # There already: by an upload whose answer was lost, or by somebody else.
            if error.code != IS_THERE:
                raise
            self._refuse_another(action, uid, workbook)
            self._make_draft(action, uid, workbook)
        return uid

    def _refuse_another(self, action: str, uid: str, workbook: bytes) -> None:
        there = self.asset(uid).constants
        ours = constants_in(content_of_workbook(workbook, action))
        if any(there.get(name) != ours.get(name) for name in _IDENTITY):
            raise StudyError(
                f"could not {action}: the form {uid} is there already, and is not of this study's "
                "making. Delete it on the server, or give the study another id."
            )

    def _make_draft(self, action: str, uid: str, workbook: bytes) -> None:
        draft = self._draft(uid)
        if draft is not None and self._workbook(action, uid, "draft") == workbook:
            return
        if self._workbook(action, uid) != workbook:
            upload_workbook(self.api, action, path_of(uid, "draft"), workbook)
        elif draft is not None:
            self._drop_draft(uid)

    def _workbook(self, action: str, uid: str, *place: str) -> bytes | None:
        return self.api.find_raw(action, f"{path_of(uid, *place)}.xlsx")

    def _publish(self, uid: str) -> None:
        action = f"publish the form {uid}"
        promised = self._attachments(uid, "draft")
        missing = [str(each.get("name")) for each in promised if not each.get("exists")]
        if missing:
            raise StudyError(f"could not {action}: it has no file {', '.join(missing)}")
        draft = self.api.raw(action, f"{path_of(uid, 'draft')}.xml")
        build_id = constants_of(draft, action).get("kx_build") or form_at(uid)[1]
        taken = self._versions_taken(uid)
        for _ in range(_VERSION_TRIES):
            version = next_version(build_id, taken)
            if self._publish_as(action, uid, version):
                files = self._present(uid, promised)
                self._see_published(action, uid, version, draft, files)
                return
            taken.append(version)
        raise ServerError(action, 409, f"{_VERSION_TRIES} versions are taken, {taken[-1]} too")

    def _publish_as(self, action: str, uid: str, version: str) -> bool:
        """Whether it is published now; False where the version is another form's in the trash."""
        path = f"{path_of(uid, 'draft', 'publish')}?version={version}"
        try:
            self.api.write(action, path)
        except CentralRefusal as error:
            if error.code != VERSION_TAKEN:
                raise
            return False
        except (ServerUnreachable, ServerError):
            # The answer was lost, and perhaps only that: what the server has decides.
            if self._draft(uid) is not None or self._published(uid) != version:
                raise
        return True

    def _see_published(
        self,
        action: str,
        uid: str,
        version: str,
        draft: bytes,
        files: Mapping[str, str],
    ) -> None:
        """What phones get now is what the draft was; a ServerError says what is not."""
        if self._published(uid) != version:
            raise ServerError(action, 200, f"the version published is not {version}")
        fielded = self.api.raw(action, f"{path_of(uid)}.xml")
        if _without_version(fielded) != _without_version(draft):
            raise ServerError(action, 200, "the form published is not the draft")
        if self.fielded_media(uid) != files:
            raise ServerError(action, 200, "the files published are not those of the draft")

    def _published(self, uid: str) -> str:
        form = self.api.read(f"read the form {uid}", path_of(uid))
        return str(form.get("version") or "") if form.get("publishedAt") else ""

    def _versions_taken(self, uid: str) -> list[str]:
        """Those that were published, and those that lie in the trash under the same form id."""
        project, form_id = form_at(uid)
        action = f"read the versions of {uid}"
        versions = listed(self.api.read(action, path_of(uid, "versions")), action)
        trash = self.api.read(action, at("projects", project, "forms"), deleted="true")
        old = [each for each in listed(trash, action) if each.get("xmlFormId") == form_id]
        return [str(each.get("version") or "") for each in (*versions, *old)]

    def _draft(self, uid: str) -> Mapping[str, Any] | None:
        found = self.api.find(f"read the draft of {uid}", path_of(uid, "draft"))
        return found if isinstance(found, dict) else None

    def _drop_draft(self, uid: str) -> None:
        try:
            self.api.remove(f"delete the draft of {uid}", path_of(uid, "draft"))
        except CentralRefusal as error:
            # A form that never was published is nothing but its draft: the next run goes on there.
            if error.code != NEVER_PUBLISHED:
                raise

    def _is_linked(self, uid: str) -> bool:
        place = () if self._draft(uid) is None else ("draft",)
        files = self._attachments(uid, *place)
        return any(f.get("name") == LIST_FILE and f.get("datasetExists") for f in files)

    def _present(self, uid: str, attachments: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        found = dict[str, str]()
        for each in attachments:
            name = str(each.get("name"))
            if self.lists_register and name == LIST_FILE:
                # A file that is there instead of the list is not what is wanted.
                if each.get("datasetExists"):
                    found[name] = _md5(RegisterList(self.api, form_at(uid)[0]).as_file())
            elif each.get("exists") and each.get("hash"):
                found[name] = str(each["hash"])
        return found

    def _attachments(self, uid: str, *place: str) -> list[dict[str, Any]]:
        action = f"read the files of {uid}"
        return listed(self.api.read(action, path_of(uid, *place, "attachments")), action)


def _md5(content: bytes) -> str:
    # MD5 because it is what the server publishes; it tells files apart and protects nothing.
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _without_version(xform: bytes) -> bytes:
    # Publishing writes the version into the form, and changes nothing else.
    return re.sub(rb' version="[^"]*"', b"", xform, count=2)


def _version(uid: str, version_id: str, suffix: str) -> str:
    # A version that was left blank is asked for by three underscores.
    return f"{path_of(uid, 'versions', version_id or '___')}.{suffix}"
