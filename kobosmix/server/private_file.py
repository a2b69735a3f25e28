"""The private file of a person: which servers they are signed in to, and what no keyring keeps."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobosmix.errors import UsageError

FOLDER_VARIABLE = "KOBOSMIX_CONFIG_DIR"
_FORMAT = 2

Entry = Mapping[str, str]


def credentials_file() -> Path:
    """Where the file is; KOBOSMIX_CONFIG_DIR names another folder than the system's."""
    from platformdirs import user_config_dir

    folder = os.environ.get(FOLDER_VARIABLE) or user_config_dir("kobosmix")
    return Path(folder) / "credentials.json"


def read_entries() -> dict[str, Entry]:
    """What the file says of each server; nothing where there is no file.

    A UsageError where others can read it, or where it cannot be read at all.
    """
    path = credentials_file()
    try:
        _refuse_shared(path)
        return _entries(json.loads(path.read_text(encoding="utf-8")), path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is damaged; delete it and sign in again") from error


def write_entries(entries: Mapping[str, Entry]) -> Path:
    """Write the file anew, in one step, readable for its owner only; its path."""
    path = credentials_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {"format": _FORMAT, "servers": entries}
    _write_private(path, json.dumps(content, indent=2) + "\n")
    return path


def _entries(content: Any, path: Path) -> dict[str, Entry]:
    written = content.get("format", 1)
    if written > _FORMAT:
        raise UsageError(f"{path} was written by a newer kobosmix; update this one")
    if written == 1:
        tokens = content["tokens"].items()
        return {str(server): {"kind": "kobo", "token": str(token)} for server, token in tokens}
    return {
        str(server): {str(name): str(text) for name, text in entry.items()}
        for server, entry in content["servers"].items()
    }


def _refuse_shared(path: Path) -> None:
    # Windows keeps a person's settings from other accounts itself, and has no such bits.
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise UsageError(
            f"other people on this machine can read {path}. Run 'chmod 600 {path}'; if others "
            "may have read it, make a new token on the server too."
        )


def _write_private(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".credentials.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
