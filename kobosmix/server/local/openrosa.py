"""The API of devices: which forms there are, their media, and submissions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import JSONResponse, Response

from kobosmix.server.local import assets
from kobosmix.server.local.accounts import REALM
from kobosmix.server.local.calls import AnswerError, Call, CrashError
from kobosmix.server.local.database import Connection, Record
from kobosmix.server.local.instances import (
    Instance,
    InstanceRefused,
    from_json,
    read_instance,
)
from kobosmix.server.local.records import md5
from kobosmix.server.local.rights import rights
from kobosmix.server.local.submissions import (
    Attachment,
    SubmissionRefused,
    form_of,
    take_in,
)

_LARGEST_BODY = "10000000"
_XML_FILE = "xml_submission_file"


def form_list(call: Call) -> Response:
    """The open forms this user may send submissions to."""
    _require_login(call)
    if call.accepts.startswith("application/json"):
        refused = Element("xforms", xmlns="http://openrosa.org/xforms/xformsList")
        SubElement(refused, "detail").text = "Could not satisfy the request Accept header."
        raise AnswerError(_xml(refused, 406))
    forms = Element("xforms", xmlns="http://openrosa.org/xforms/xformsList")
    with call.site.database.reading() as connection:
        for row in connection.execute("SELECT * FROM deployments WHERE active ORDER BY number"):
            if _is_listed(connection, call, row):
                forms.append(_listed(call, row))
    return _xml(forms)


def _is_listed(connection: Connection, call: Call, deployed: Record) -> bool:
    asset = assets.asset(connection, deployed["asset"])
    if asset is None or call.query.get("formID", asset["uid"]) != asset["uid"]:
        return False
    if call.path.get("owner", asset["owner"]) != asset["owner"]:
        return False
    return "add_submissions" in rights(connection, asset, call.username)


def _listed(call: Call, deployed: Record) -> Element:
    number = deployed["number"]
    form = Element("xform")
    for tag, text in {
        "formID": deployed["asset"],
        "name": deployed["title"],
        "version": deployed["label"],
        "hash": f"md5:{md5(deployed['form'])}",
        "downloadUrl": f"{call.host}/forms/{number}/form.xml",
        "manifestUrl": f"{call.host}/xformsManifest/{number}",
    }.items():
        SubElement(form, tag).text = text
    return form


def form(call: Call) -> Response:
    """The XForm itself."""
    with call.site.database.reading() as connection:
        return _answer(_form(connection, call)["form"], "text/xml; charset=utf-8")


def manifest(call: Call) -> Response:
    """The media files that go with the form."""
    listed = Element("manifest", xmlns="http://openrosa.org/xforms/xformsManifest")
    with call.site.database.reading() as connection:
        number = _form(connection, call)["number"]
        rows = connection.execute(
            "SELECT * FROM device_files WHERE deployment = ? ORDER BY id", (number,)
        ).fetchall()
    for row in rows:
        ending = row["filename"].rpartition(".")[2]
        file = SubElement(listed, "mediaFile")
        SubElement(file, "filename").text = row["filename"]
        SubElement(file, "hash").text = f"md5:{row['md5']}"
        url = f"{call.host}/xformsMedia/{number}/{row['id']}.{ending}"
        SubElement(file, "downloadUrl").text = url
    return _xml(listed)


def media(call: Call) -> Response:
    """The bytes of a media file."""
    with call.site.database.reading() as connection:
        number = _form(connection, call)["number"]
        file = connection.execute(
            "SELECT * FROM device_files WHERE deployment = ? AND id = ?",
            (number, call.path["file"].partition(".")[0]),
        ).fetchone()
    if file is None:
        raise _not_found(call)
    return _answer(file["content"], file["mimetype"])


def _form(connection: Connection, call: Call) -> Record:
    found: Record | None = connection.execute(
        "SELECT * FROM deployments WHERE number = ?", (call.path["number"],)
    ).fetchone()
    asset = assets.asset(connection, found["asset"]) if found else None
    if found is None or asset is None:
        raise _not_found(call)
    if not rights(connection, asset, call.username) & {"add_submissions", "view_asset"}:
        _require_login(call)
        raise _not_found(call)
    return found


def announce(call: Call) -> Response:
    """Where submissions go and how large they may be: 204."""
    _require_login(call)
    return Response(status_code=204, headers={**_headers(), "Location": call.address})


def submit(call: Call) -> Response:
    """Take a submission in, sent as a file of XML or as JSON: 201 once it is on disk."""
    _require_login(call)
    try:
        instance = read_instance(_sent_xml(call))
        deployed = _open_form(call, instance)
        with call.site.in_progress.claim(deployed["asset"], instance.uuid):
            sender = None if call.is_anonymous else call.username
            take_in(call.site.database, deployed, instance, _attachments(call), sender)
    except InstanceRefused as error:
        return _message(call, 400, str(error))
    except SubmissionRefused as error:
        return _message(call, error.status, error.message)
    return _receipt(call, instance, deployed)


def _sent_xml(call: Call) -> bytes:
    if isinstance(call.sent, dict):
        if not call.sent.get("id"):
            raise _not_found(call)
        if not isinstance(call.sent.get("submission"), dict):
            raise InstanceRefused("No submission key provided.")
        try:
            return from_json(str(call.sent["id"]), call.sent["submission"])
        except (TypeError, ValueError) as error:
            raise CrashError from error
    if _XML_FILE not in call.parts:
        raise CrashError
    return call.parts[_XML_FILE].content


def _open_form(call: Call, instance: Instance) -> Record:
    with call.site.database.reading() as connection:
        deployed = form_of(connection, instance)
        asset = assets.asset(connection, deployed["asset"]) if deployed else None
        if deployed is None or asset is None:
            raise _not_found(call)
        may = rights(connection, asset, call.username)
    if ("change_submissions" if instance.replaces else "add_submissions") not in may:
        if call.is_anonymous:
            raise _unauthorized(call)
        raise SubmissionRefused(403, "Access denied")
    if not deployed["active"]:
        raise SubmissionRefused(405, "Form is not active")
    return deployed


def _attachments(call: Call) -> list[Attachment]:
    return [
        Attachment(part.filename, part.mimetype, part.content)
        for name, part in call.parts.items()
        if name != _XML_FILE
    ]


def _receipt(call: Call, instance: Instance, deployed: Record) -> Response:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    instance_id, text = f"uuid:{instance.uuid}", "Successful submission."
    if "application/json" in call.accepts or call.sent:
        receipt = {
            "message": text,
            "formid": deployed["asset"],
            "encrypted": False,
            "instanceID": instance_id,
            "submissionDate": moment,
            "markedAsCompleteDate": moment,
        }
        return JSONResponse(receipt, 201, headers=_headers())
    answer = _response(text)
    SubElement(
        answer,
        "submissionMetadata",
        {
            "xmlns": "http://www.opendatakit.org/xforms",
            "id": deployed["asset"],
            "instanceID": instance_id,
            "submissionDate": moment,
            "isComplete": "true",
            "markedAsCompleteDate": moment,
        },
    )
    return _xml(answer, 201)


def challenge(detail: str, nonce: str) -> Response:
    """401, as a device is told, with what it needs to log in by Digest."""
    answer = _detail(401, detail)
    answer.headers["WWW-Authenticate"] = (
        f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", algorithm="MD5", stale="false"'
    )
    return answer


def _require_login(call: Call) -> None:
    # Under an owner's name, anyone may come who was given the right to.
    if call.is_anonymous and "owner" not in call.path:
        raise _unauthorized(call)


def _unauthorized(call: Call) -> AnswerError:
    return AnswerError(challenge("Authentication credentials were not provided.", call.nonce))


def _not_found(call: Call) -> AnswerError:
    if call.sent:
        return AnswerError(JSONResponse({"detail": "Not found."}, 404, headers=_headers()))
    return AnswerError(_detail(404, "Not found."))


def _detail(status: int, text: str) -> Response:
    root = Element("root")
    SubElement(root, "detail").text = text
    return _xml(root, status)


def _message(call: Call, status: int, text: str) -> Response:
    if call.sent:
        return JSONResponse({"error": text}, status, headers=_headers())
    return _xml(_response(text), status)


def _response(text: str) -> Element:
    answer = Element("OpenRosaResponse", xmlns="http://openrosa.org/http/response")
    SubElement(answer, "message").text = text
    return answer


def _xml(root: Element, status: int = 200) -> Response:
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return _answer(body, "text/xml; charset=utf-8", status)


def _answer(body: bytes, kind: str, status: int = 200) -> Response:
    return Response(body, status, media_type=kind, headers=_headers())


def _headers() -> Mapping[str, str]:
    return {
        "X-OpenRosa-Version": "1.0",
        "X-OpenRosa-Accept-Content-Length": _LARGEST_BODY,
        "Date": format_datetime(datetime.now(UTC), usegmt=True),
    }
