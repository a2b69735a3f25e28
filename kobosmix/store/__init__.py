"""The study's SQLite file: every version of every submission, as it came from the server."""

from kobosmix.store.model import (
    AssetCounts,
    Change,
    Fate,
    Head,
    Row,
    StoredSubmission,
    StoredVersion,
    Sweep,
    Tally,
)
from kobosmix.store.opening import open_store
from kobosmix.store.store import Store

__all__ = [
    "AssetCounts",
    "Change",
    "Fate",
    "Head",
    "Row",
    "Store",
    "StoredSubmission",
    "StoredVersion",
    "Sweep",
    "Tally",
    "open_store",
]
