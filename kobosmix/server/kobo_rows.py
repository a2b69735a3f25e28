"""A submission as KoboToolbox's API hands it out, as the store wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from kobosmix.errors import KobosmixError
from kobosmix.files import canonical_json
from kobosmix.store import Head, Row

# All of them by name: without being asked for it the server sends `_validation_status` too, but
# always empty, so that no review would ever be seen.
HEAD_FIELDS = '["_id","_uuid","_attachments","_validation_status"]'
_MARK_BYTES = 12


class RowRefused(KobosmixError):
    """A row lacks what every submission on a server has, so it cannot be told from others."""

    exit_code = 3


def row_of(raw: Mapping[str, Any]) -> Row:
    """A whole submission. One without identity is RowRefused."""
    head = head_of(raw)
    review = raw.get("_validation_status")
    return Row(
        server_id=head.server_id,
        mark=head.mark,
        root_uuid=_root_uuid(raw),
        received=_received(raw),
        validation=str(review.get("uid") or "") if isinstance(review, Mapping) else "",
        form_version=_text(raw.get("__version__")),
        content=raw,
    )


def head_of(raw: Mapping[str, Any]) -> Head:
    """What tells whether a submission has changed: the same from the whole and from its head.

    An edit changes `_uuid`; a review and a file that comes late do not, so they are looked at too.
    Addresses of files are not: they begin with the server's own name, which may change.
    """
    files = raw.get("_attachments")
    told = (
        raw.get("_uuid"),
        raw.get("_validation_status") or {},
        [_file(each) for each in files] if isinstance(files, list) else [],
    )
    digest = blake2b(canonical_json(told), digest_size=_MARK_BYTES).hexdigest()
    return Head(server_id=_server_id(raw), mark=digest)


def is_number(value: object) -> bool:
    """Whether it is what the server numbers submissions with."""
    return isinstance(value, int) and not isinstance(value, bool)


def _file(attachment: object) -> object:
    if not isinstance(attachment, Mapping):
        return str(attachment)
    return [attachment.get(name) for name in ("uid", "media_file_basename", "is_deleted")]


def _server_id(raw: Mapping[str, Any]) -> str:
    number = raw.get("_id")
    if not is_number(number):
        raise RowRefused("the server sent a submission without a number in _id")
    return str(number)


def _root_uuid(raw: Mapping[str, Any]) -> str:
    # The uuid of the first version names the submission: `_uuid` changes with every edit.
    for name in ("meta/rootUuid", "_uuid", "meta/instanceID"):
        value = raw.get(name)
        if isinstance(value, str) and value:
            return value.removeprefix("uuid:")
    raise RowRefused(f"the server sent submission {raw['_id']} without a uuid")


def _received(raw: Mapping[str, Any]) -> str:
    try:
        when = datetime.fromisoformat(str(raw["_submission_time"]))
    except (KeyError, ValueError) as error:
        raise RowRefused(
            f"the server sent submission {raw['_id']} without the time it came"
        ) from error
    # The server leaves the zone out, and means UTC.
    in_utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return in_utc.isoformat().replace("+00:00", "Z")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
