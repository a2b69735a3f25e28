"""The side of a server that phones see: the list of forms, the forms, and sending answers."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from kobosmix.errors import ServerError
from kobosmix.server.http import Connection, Request
from kobosmix.server.model import ListedForm, Submitted

# These paths refuse `Accept: application/json`, and a slash at their end.
_ANY = "*/*"
_BUSY = frozenset({423})
_REFUSALS: Mapping[int, str] = {
    404: "no form on this server takes it",
    405: "the form is closed for new submissions",
    409: "another submission with the same instanceID is there already",
    410: "it corrects an old version of a submission that was corrected since",
}


class OpenRosaServer:
    """Does what a phone does, with a token."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def url(self) -> str:
        """The address phones are given."""
        return self.connection.server

    def form_list(self, uid: str = "") -> tuple[ListedForm, ...]:
        """The forms a phone would be offered; with a uid, that one alone or nothing."""
        action = "read the list of forms"
        query = {"formID": uid} if uid else {}
        request = Request(action=action, path="/formList", query=query, accept=_ANY)
        forms = [_listed(each) for each in _elements(self._body(request), "xform", action)]
        return tuple(form for form in forms if uid in ("", form.uid))

    def form_xml(self, uid: str) -> str:
        """The XForm that phones get for this form."""
        form = self._form(uid)
        request = Request(action=f"read the form {uid}", path=form.download_url, accept=_ANY)
        return self._body(request).decode("utf-8")

    def manifest(self, uid: str) -> dict[str, str]:
        """The files that phones get with this form: name to md5, without the `md5:`."""
        return {name: md5 for name, md5, _ in self._files(uid)}

    def media(self, uid: str, name: str) -> bytes:
        """One of those files."""
        action = f"read {name} of the form {uid}"
        urls = {found: url for found, _, url in self._files(uid)}
        if name not in urls:
            raise ServerError(action, 404, "the form has no such file")
        return self._body(Request(action=action, path=urls[name], accept=_ANY))

    def submit(
        self, xml: bytes, attachments: Mapping[str, tuple[bytes, str]] | None = None
    ) -> Submitted:
        """Send one submission. Sending it again is safe: the server knows its instanceID.

        `attachments` maps the file name in the answers to the content and its type.
        """
        action = "send a submission"
        files = {"xml_submission_file": ("submission.xml", xml, "text/xml")}
        for name, (content, kind) in (attachments or {}).items():
            files[name] = (name, content, kind)
        request = Request(
            action=action,
            method="POST",
            path="/submission",
            files=files,
            accept=_ANY,
            repeatable=True,
            busy=_BUSY,
        )
        try:
            return Submitted(status=self.connection.send(request).status)
        except ServerError as error:
            said = _REFUSALS.get(error.status)
            if said is None:
                raise
            raise ServerError(action, error.status, said) from error

    def _form(self, uid: str) -> ListedForm:
        for form in self.form_list(uid):
            return form
        raise ServerError(f"find the form {uid}", 200, "phones are not offered it")

    def _files(self, uid: str) -> list[tuple[str, str, str]]:
        action = f"read the files of the form {uid}"
        url = self._form(uid).manifest_url
        if not url:
            return []
        body = self._body(Request(action=action, path=url, accept=_ANY))
        return [
            (
                _text(each, "filename"),
                _text(each, "hash")[len("md5:") :],
                _text(each, "downloadUrl"),
            )
            for each in _elements(body, "mediaFile", action)
        ]

    def _body(self, request: Request) -> bytes:
        return self.connection.send(request).body


def _elements(body: bytes, name: str, action: str) -> list[ElementTree.Element]:
    try:
        # An XML answer has no use for entities, which are how a small file grows to gigabytes.
        if b"<!ENTITY" in body:
            raise ServerError(action, 200, "its XML defines entities, which are not read")
        root = ElementTree.fromstring(body)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise ServerError(action, 200, "no XML, or only a part of it") from error
    return [each for each in root.iter() if _bare(each.tag) == name]


def _listed(form: ElementTree.Element) -> ListedForm:
    return ListedForm(
        uid=_text(form, "formID"),
        name=_text(form, "name"),
        version=_text(form, "version"),
        download_url=_text(form, "downloadUrl"),
        manifest_url=_text(form, "manifestUrl"),
    )


def _text(element: ElementTree.Element, name: str) -> str:
    found = (each.text for each in element if _bare(each.tag) == name)
    return (next(found, None) or "").strip()


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
