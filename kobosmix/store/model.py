"""What the store takes in, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What a sweep found had become of a submission since the one before.

    REVIEWED and MEDIA leave the answers as they were: a supervisor said something of it, or a
    file came after it. CONFIRMED is the server's own copy of what a downloaded file had said.
    """

    NEW = "new"
    EDITED = "edited"
    REVIEWED = "reviewed"
    MEDIA = "media"
    DELETED = "deleted"
    RESTORED = "restored"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A submission as it came from a server or out of a file.

    `server_id` is what the server itself calls it, `root_uuid` the bare uuid of its first
    version, which stays through every edit. `mark` differs whenever the server's copy may differ;
    without one, the row has to be read again each time. `form_version` is what the server calls
    the version of the form it was made with.
    """

    server_id: str
    root_uuid: str
    received: str
    content: Mapping[str, Any]
    validation: str = ""
    mark: str = ""
    form_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What tells, without its answers, whether a submission is another than before."""

    server_id: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubmission:
    """A submission as the server has it now, less device and network fields.

    `content` has the answers by full path, whatever the server sent them as.

    `key` is the same in every store that is pulled from the server. `received` is when the
    server first got it, `validation` what a supervisor set there, or empty.
    """

    key: str
    asset_uid: str
    root_uuid: str
    server_id: str
    received: str
    content: Mapping[str, Any]
    digest: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One entry in a submission's history. A deletion has no content and an empty digest."""

    fate: Fate
    stored: str
    server_id: str
    received: str
    content: Mapping[str, Any] | None
    digest: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that a pull found had changed. `fields` are the answers that differ now."""

    asset_uid: str
    key: str
    server_id: str
    fate: Fate
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One reading of all submissions of a form, from the first to the last.

    `cursor` is where it is, in the server's own words; `in_full` whether what follows is read
    whole, because the store knows none of it.
    """

    id: int
    asset_uid: str
    cursor: str
    seen: int
    in_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a sweep found. All but `deleted` together are the submissions on the server."""

    new: int = 0
    edited: int = 0
    reviewed: int = 0
    media: int = 0
    deleted: int = 0
    restored: int = 0
    unchanged: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            new=self.new + other.new,
            edited=self.edited + other.edited,
            reviewed=self.reviewed + other.reviewed,
            media=self.media + other.media,
            deleted=self.deleted + other.deleted,
            restored=self.restored + other.restored,
            unchanged=self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCounts:
    """How much the store holds of one form."""

    current: int
    deleted: int
    versions: int
