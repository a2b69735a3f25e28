"""Which English sentences of a study are the published ones: translations/adopted.json.

The file holds digests, not sentences. A sentence that was edited after it was adopted is no longer
the published one, and no longer said to be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from kobosmix.files import sha256, write_json
from kobosmix.findings import Finding, Place
from kobosmix.wording.catalogue import Catalogue

FILE = "adopted.json"
FORMAT = 1


def read_adopted(folder: Path, english: Catalogue) -> tuple[frozenset[str], list[Finding]]:
    """The keys whose English in this study is the published one; and what is wrong with the file."""
    path = folder / FILE
    if not path.is_file():
        return frozenset(), []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # A newer format is not guessed at.
        texts: dict[str, str] = content["texts" if content["format"] == FORMAT else "newer"]
        adopted = {str(key): str(digest) for key, digest in texts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return frozenset(), [
            Finding(
                code="W108",
                place=Place(path.name),
                problem="the record of adopted wording is damaged, or of a newer kobosmix",
                remedy="Run 'kobosmix wording adopt' again with your copy of the toolkit.",
            )
        ]
    return frozenset(
        key
        for key, digest in adopted.items()
        if key in english.messages and sha256(english.messages[key].text.encode()) == digest
    ), []


def write_adopted(folder: Path, texts: Mapping[str, str], source: str) -> None:
    """Record these published sentences (with slots, by key) and where they come from."""
    digests = {key: sha256(text.encode()) for key, text in sorted(texts.items())}
    write_json(folder / FILE, {"format": FORMAT, "source": source, "texts": digests})
