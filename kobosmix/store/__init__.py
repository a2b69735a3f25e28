"""The study's SQLite file: every version of every submission, as it came from the server."""

from kobosmix.store.model import (
    AssetCounts,
    Fate,
    StoredSubmission,
    StoredVersion,
    Sweep,
    Tally,
)
from kobosmix.store.opening import open_store
from kobosmix.store.store import Store

__all__ = [
    "AssetCounts",
    "Fate",
    "Store",
    "StoredSubmission",
    "StoredVersion",
    "Sweep",
    "Tally",
    "open_store",
]
