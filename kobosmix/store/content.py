"""What of a submission is kept, and how two versions of it are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kobosmix.errors import KobosmixError
from kobosmix.files import canonical_json, sha256

# Who held the phone, which phone, on what network and where: never needed to evaluate a
# programme, and enough to find a person. Dropped before anything is written, at every depth.
DROPPED_FIELDS = frozenset(
    {
        "_geolocation",
        "_submitted_by",
        "by_whom",
        "deviceid",
        "device_id",
        "phonenumber",
        "phone_number",
        "username",
        "simserial",
        "sim_serial",
        "subscriberid",
        "subscriber_id",
        "imei",
        "ip",
        "_ip",
        "ip_address",
        "ipaddress",
        "client_ip",
        "remote_addr",
    }
)


class RowRefused(KobosmixError):
    """A row lacks what every submission on a server has, so it cannot be told from others."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row as it goes into the store."""

    server_id: int
    root_uuid: str
    received: str
    validation: str
    content: str
    digest: str


def keep(row: Mapping[str, Any]) -> Kept:
    """A row of the server as the store keeps it. A row without identity is RowRefused."""
    spelled = canonical_json(without_dropped(row))
    review = row.get("_validation_status")
    return Kept(
        server_id=_server_id(row),
        root_uuid=_root_uuid(row),
        received=_received(row),
        validation=str(review.get("uid") or "") if isinstance(review, Mapping) else "",
        content=spelled.decode("utf-8"),
        digest=sha256(spelled),
    )


def without_dropped(content: Any) -> Any:
    """The same content without the fields that are never kept, whatever group they stand in.

    >>> without_dropped({"meta/deviceid": "x", "member": [{"member/age": "20", "imei": "1"}]})
    {'member': [{'member/age': '20'}]}
    """
    match content:
        case Mapping():
            return {
                name: without_dropped(value)
                for name, value in content.items()
                if name.rpartition("/")[2].lower() not in DROPPED_FIELDS
            }
        case list():
            return [without_dropped(value) for value in content]
        case _:
            return content


def _server_id(row: Mapping[str, Any]) -> int:
    number = row.get("_id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RowRefused("the server sent a submission without a number in _id")
    return number


def _root_uuid(row: Mapping[str, Any]) -> str:
    # The uuid of the first version names the submission: `_uuid` changes with every edit.
    for name in ("meta/rootUuid", "_uuid", "meta/instanceID"):
        value = row.get(name)
        if isinstance(value, str) and value:
            return value.removeprefix("uuid:")
    raise RowRefused(f"the server sent submission {row['_id']} without a uuid")


def _received(row: Mapping[str, Any]) -> str:
    try:
        when = datetime.fromisoformat(str(row["_submission_time"]))
    except (KeyError, ValueError) as error:
        raise RowRefused(
            f"the server sent submission {row['_id']} without the time it came"
        ) from error
    # The server leaves the zone out, and means UTC.
    in_utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return in_utc.isoformat().replace("+00:00", "Z")
