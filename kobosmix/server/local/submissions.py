"""Submissions: taken in once, edited, found again. What is acknowledged is on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from kobosmix.server.local import history
from kobosmix.server.local.database import Connection, Database, Record
from kobosmix.server.local.deployments import repeats
from kobosmix.server.local.instances import (
    NOWHERE,
    Answers,
    Instance,
    answers,
    leaves,
    position,
)
from kobosmix.server.local.records import new_uid


class SubmissionRefused(Exception):
    """The submission was not taken; nothing was changed."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent along with a submission."""

    filename: str
    mimetype: str
    content: bytes


class InProgress:
    """The submissions being taken in at this moment."""

    def __init__(self) -> None:
        self._keys = set[tuple[str, str]]()
        self._lock = Lock()

    @contextmanager
    def claim(self, asset: str, uuid: str) -> Iterator[None]:
        """Hold one submission for the length of the block; refused while another holds it."""
        key = (asset, uuid)
        with self._lock:
            if key in self._keys:
                raise SubmissionRefused(423, "Submission is currently being processed.")
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def form_of(connection: Connection, instance: Instance) -> Record | None:
    """The deployment a submission is for: by `formhub/uuid` first, then by the root's id."""
    for column, value in (("uuid", instance.form_uuid), ("asset", instance.form_id)):
        found: Record | None = connection.execute(
            f"SELECT * FROM deployments WHERE {column} = ?",  # noqa: S608 - two fixed names
            (value,),
        ).fetchone()
        if found:
            return found
    return None


def take_in(
    database: Database,
    deployed: Record,
    instance: Instance,
    attachments: list[Attachment],
    username: str | None,
) -> None:
    """Store a submission or an edit of one. It is on disk when this returns.

    Refused with 202 if it is already there, 409 if other content has its id, 410 or 404 if it
    edits a version that was edited since or was never here.
    """
    given = answers(instance, repeats(deployed))
    asset = deployed["asset"]
    with database.writing() as connection:
        known = _with_uuid(connection, asset, instance.uuid)
        if known:
            _add_to_known(connection, known, given, instance, attachments)
            return
        if _was_replaced(connection, asset, instance.uuid):
            raise _conflict()
        if instance.replaces:
            number = replace(connection, asset, instance, given, username)
        else:
            number = _insert(connection, asset, instance, given, username)
        _attach(connection, number, given, attachments)


def _conflict() -> SubmissionRefused:
    return SubmissionRefused(409, "Submission with this instance ID already exists")


def _with_uuid(connection: Connection, asset: str, uuid: str) -> Record | None:
    found: Record | None = connection.execute(
        "SELECT * FROM submissions WHERE asset = ? AND uuid = ?", (asset, uuid)
    ).fetchone()
    return found


def _was_replaced(connection: Connection, asset: str, uuid: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM replaced_uuids WHERE asset = ? AND uuid = ?", (asset, uuid)
    )
    return found.fetchone() is not None


def _add_to_known(
    connection: Connection,
    known: Record,
    given: Answers,
    instance: Instance,
    attachments: list[Attachment],
) -> None:
    # A file that comes late is noted nowhere: not in the history, and `_uuid` stays as it was.
    if known["xml"] != instance.xml:
        raise _conflict()
    if not _attach(connection, known["id"], given, attachments):
        raise SubmissionRefused(202, "Duplicate Instance")


def _insert(
    connection: Connection,
    asset: str,
    instance: Instance,
    given: Answers,
    username: str | None,
) -> int:
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    kept = _kept(asset, instance, given, instance.uuid)
    kept |= {"_submission_time": moment, "_submitted_by": username}
    stored = connection.execute(
        "INSERT INTO submissions (asset, root_uuid, uuid, xml, answers, submitted_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (asset, instance.uuid, instance.uuid, instance.xml, _json(kept), moment),
    )
    connection.execute(
        "INSERT INTO daily_counts VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET submissions = submissions + 1",
        (asset, moment[:10]),
    )
    history.of_submission(connection, asset, "add-submission", username, instance.uuid)
    return stored.lastrowid or 0


def replace(
    connection: Connection,
    asset: str,
    instance: Instance,
    given: Answers,
    username: str | None,
) -> int:
    """Put an edited version in place of the one it was made from; the submission's number."""
    edited = _with_uuid(connection, asset, instance.replaces)
    if edited is None:
        if _was_replaced(connection, asset, instance.replaces):
            message = "Invalid submission - deprecatedID refers to an old version"
            raise SubmissionRefused(410, message)
        raise SubmissionRefused(404, "Invalid submission - deprecatedID not found")
    before = json.loads(edited["answers"])
    kept = _kept(asset, instance, given, edited["root_uuid"])
    kept |= {key: before[key] for key in ("_submission_time", "_submitted_by")}
    if kept["_geolocation"] == NOWHERE:
        kept["_geolocation"] = before["_geolocation"]
    connection.execute(
        "UPDATE submissions SET uuid = ?, xml = ?, answers = ? WHERE id = ?",
        (instance.uuid, instance.xml, _json(kept), edited["id"]),
    )
    connection.execute(
        "INSERT INTO replaced_uuids VALUES (?, ?, ?)", (asset, edited["uuid"], edited["id"])
    )
    history.of_submission(connection, asset, "modify-submission", username, edited["root_uuid"])
    number: int = edited["id"]
    _name_again(connection, number, given)
    return number


def copy(
    connection: Connection,
    row: Record,
    instance: Instance,
    given: Answers,
    username: str | None,
) -> int:
    """Store a submission made of another one, with that one's files; its number."""
    number = _insert(connection, row["asset"], instance, given, username)
    files = connection.execute(
        "SELECT filename, mimetype, content FROM attachments"
        " WHERE submission = ? AND xpath IS NOT NULL",
        (row["id"],),
    ).fetchall()
    _attach(connection, number, given, [Attachment(*each) for each in files])
    return number


def _kept(asset: str, instance: Instance, given: Answers, root_uuid: str) -> Answers:
    return {
        **given,
        "meta/rootUuid": f"uuid:{root_uuid}",
        "_uuid": instance.uuid,
        "_xform_id_string": asset,
        "_status": "submitted_via_web",
        "_geolocation": position(given),
    }


def _json(content: Answers) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _name_again(connection: Connection, number: int, given: Answers) -> None:
    """Tie the files that are there to the answers that name them now; the others stay unseen."""
    held = connection.execute(
        "SELECT uid, filename FROM attachments WHERE submission = ?", (number,)
    ).fetchall()
    if held:
        named = {text: path for path, text in leaves(given)}
        connection.executemany(
            "UPDATE attachments SET xpath = ? WHERE uid = ?",
            [(named.get(row["filename"]), row["uid"]) for row in held],
        )


def _attach(
    connection: Connection, number: int, given: Answers, attachments: list[Attachment]
) -> int:
    """Store the files that an answer names; drop the others, as the real server does."""
    if not attachments:
        return 0
    named = {text: path for path, text in leaves(given)}
    return sum(
        _attach_one(connection, number, each, named[each.filename])
        for each in attachments
        if each.filename in named
    )


def _attach_one(connection: Connection, number: int, file: Attachment, xpath: str) -> int:
    held = connection.execute(
        "SELECT content FROM attachments WHERE submission = ? AND filename = ?",
        (number, file.filename),
    ).fetchone()
    if held is None:
        connection.execute(
            "INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?)",
            (new_uid("att"), number, file.filename, file.mimetype, xpath, file.content),
        )
    elif held["content"] != file.content:
        raise _conflict()
    return held is None
