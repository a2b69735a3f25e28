"""Writing files so that a power cut, a virus scanner or an open Excel window loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from kobosmix.errors import StudyError


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` in one step; a reader sees the old file or the new one, never half.

    If another program holds the file (Excel on Windows does), the old one stays, the new one is
    kept beside it as `NAME.new.EXT`, and the error names both.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _write_beside(path, content)
    try:
        written.replace(path)
    except PermissionError as error:
        kept = path.with_name(f"{path.stem}.new{path.suffix}")
        try:
            written.replace(kept)
        except PermissionError:
            written.unlink(missing_ok=True)
            raise StudyError(
                f"{path.name} and {kept.name} are both open in another program; close them and "
                "run the command again. Nothing was changed."
            ) from error
        raise StudyError(
            f"{path} is open in another program, so it was left as it is. The new one is beside "
            f"it as {kept.name}. Close the file and run the command again."
        ) from error
    except OSError:
        written.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line feeds on every system, in one step."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON people can read and compare: two spaces, real letters, a last line feed."""
    text = json.dumps(content, ensure_ascii=False, indent=2, default=as_json)
    write_text(path, text + "\n")


def canonical_json(content: Any) -> bytes:
    """One spelling for equal content: keys sorted, no spaces, UTF-8. What digests are taken of."""
    return json.dumps(
        content,
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
        default=as_json,
    ).encode("utf-8")


def as_json(value: Any) -> Any:
    """A dataclass by its fields, or by its own `as_json` where it has one; else a TypeError."""
    spelled = getattr(value, "as_json", None)
    if spelled is not None:
        return spelled()
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _write_beside(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        # mkstemp makes files for their owner alone; a table is shared like any other file.
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
