"""What the store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What a sweep found had become of a submission since the one before."""

    NEW = "new"
    EDITED = "edited"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubmission:
    """A submission as the server has it now, less device and network fields.

    `key` is the same in every store that is pulled from the server. `received` is when the
    server first got it, `validation` what a supervisor set there, or empty.
    """

    key: str
    asset_uid: str
    root_uuid: str
    server_id: int
    received: str
    content: Mapping[str, Any]
    digest: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One entry in a submission's history. A deletion has no content and an empty digest."""

    fate: Fate
    stored: str
    server_id: int
    received: str
    content: Mapping[str, Any] | None
    digest: str
    validation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One reading of all submissions of a form, from the first `_id` to the last.

    `cursor` is the last `_id` stored when it was begun or taken up again.
    """

    id: int
    asset_uid: str
    cursor: int
    seen: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a sweep found. All but `deleted` together are the submissions on the server."""

    new: int = 0
    edited: int = 0
    deleted: int = 0
    restored: int = 0
    unchanged: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            new=self.new + other.new,
            edited=self.edited + other.edited,
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
