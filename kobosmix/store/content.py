"""What of a submission is kept, and how two versions of it are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from kobosmix.files import canonical_json, sha256
from kobosmix.store.model import Fate, Row
from kobosmix.store.odata import SYSTEM, flat_answers

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
        "submitterid",
        "submittername",
        "imei",
        "ip",
        "_ip",
        "ip_address",
        "ipaddress",
        "client_ip",
        "remote_addr",
    }
)
# What the server says of a submission beside its answers: the review, and files that came late.
_REVIEW, _MEDIA = "_validation_status", "_attachments"
_MEDIA_COUNTS = frozenset({"attachmentsPresent", "attachmentsExpected"})
# What a server hands out of a submission that was encrypted on the phone: no answers.
_SEALED = ("base64EncryptedKey", "encryptedXmlFile")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}[0-9:.]*(Z|[+-]\d{2}:?\d{2})?")
# How a row says where it comes from, if not from a server.
SOURCE, DOWNLOAD, JOINED = "kx_source", "download", "mapping"


@dataclass(frozen=True, slots=True)
class Kept:
    """A row with its content as it goes into the store."""

    row: Row
    content: str
    digest: str


def keep(row: Row) -> Kept:
    """A row of the server as the store keeps it."""
    spelled = _spelled(without_dropped(row.content))
    return Kept(row, spelled.decode("utf-8"), sha256(spelled))


def _spelled(content: Any) -> bytes:
    """The one spelling of a content: keys sorted, no spaces, UTF-8. Three times as fast as json."""
    try:
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Whole numbers of more than 64 bits, which a server could send.
        return canonical_json(content)


def without_dropped(content: Any) -> Any:
    """The same content without the fields that are never kept, whatever group they stand in.

    >>> without_dropped({"meta/deviceid": "x", "member": [{"member/age": "20", "imei": "1"}]})
    {'member': [{'member/age': '20'}]}
    """
    if isinstance(content, Mapping):
        # Nearly every value is a string, and the names are the same in every row.
        return {
            name: value if value.__class__ is str else without_dropped(value)
            for name, value in content.items()
            if _KEPT[name]
        }
    if isinstance(content, list):
        return [without_dropped(value) for value in content]
    return content


def what_became(
    before: Mapping[str, Any], after: Mapping[str, Any], *, reviewed: bool
) -> tuple[Fate, tuple[str, ...]]:
    """What kind of change lies between two contents, and the answers that differ.

    `reviewed` says whether the two have another review state.
    """
    answers = tuple(
        name
        for name in _differing(flat_answers(before), flat_answers(after))
        if name not in (_REVIEW, _MEDIA, SYSTEM)
    )
    if answers or before == after:
        return Fate.EDITED, answers
    return (Fate.MEDIA if not reviewed and _has_new_media(before, after) else Fate.REVIEWED), ()


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield name


def _has_new_media(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool({_MEDIA, *_MEDIA_COUNTS} & {*_differing(_told(before), _told(after))})


def _told(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the server says beside the answers, whichever of the two kinds it is."""
    return {**content, **content.get(SYSTEM, {})}


def is_from_file(content: Mapping[str, Any]) -> bool:
    """Whether a downloaded file said this, and not the server itself."""
    return content.get(SOURCE) == DOWNLOAD


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether the answers were encrypted on the phone, so that the server cannot hand them out."""
    told = content.get("__system")
    is_locked = isinstance(told, Mapping) and told.get("status") == "notDecrypted"
    return is_locked or any(name in content for name in _SEALED)


def agree(file: Mapping[str, Any], server: Mapping[str, Any]) -> bool:
    """Whether the server's copy of a submission has all that a file said of the same version.

    A file leaves out much that the server tells; times without a zone prove nothing.
    """
    same_version = version_of(file) == version_of(server)
    return same_version and not contradictions(file, server, file)


def version_of(content: Mapping[str, Any]) -> str:
    """The bare uuid of this version of a submission, which every edit changes; "" for none."""
    told = content.get("_uuid") or content.get("meta/instanceID") or ""
    return str(told).removeprefix("uuid:")


def contradictions(
    file: Mapping[str, Any], other: Mapping[str, Any], paths: Iterable[str]
) -> list[str]:
    """The answers among these that a file fills in otherwise than the other copy."""
    return [
        path
        for path in paths
        if not path.startswith(("_", "meta/", SOURCE))
        and file.get(path)
        and not _is_same(str(file[path]), str(other.get(path) or ""))
    ]


def _is_same(one: str, other: str) -> bool:
    if " ".join(one.split()) == " ".join(other.split()):
        return True
    times = _TIME.fullmatch(one), _TIME.fullmatch(other)
    # A workbook keeps no zone, so its clock may be another's.
    return all(times) and not all(found[1] for found in times if found)


class _KeptNames(dict[str, bool]):
    """Whether a name is kept, worked out once for each: a form has few, its rows many."""

    def __missing__(self, name: str) -> bool:
        self[name] = name.rpartition("/")[2].lower() not in DROPPED_FIELDS
        return self[name]


_KEPT = _KeptNames()
