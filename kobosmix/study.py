"""The study folder: where each file lies, and that one command at a time writes in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobosmix.codebook import Codebook, read_codebook
from kobosmix.errors import StudyError, UsageError
from kobosmix.files import write_json

FORMAT = 1
_SYNC_MARKS = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "nextcloud")


@dataclass(frozen=True, slots=True)
class Study:
    """The paths of one study. Making one touches nothing; `open_study` checks that it is one."""

    root: Path

    @property
    def context_file(self) -> Path:
        """What the team wrote about the place."""
        return self.root / "context.yaml"

    @property
    def register_file(self) -> Path:
        """The nameless register of respondents."""
        return self.root / "register.xlsx"

    @property
    def items_folder(self) -> Path:
        """Concepts, items and scales of the team's own."""
        return self.root / "item_templates"

    @property
    def translations_folder(self) -> Path:
        """The study's own wording: catalogues, overrides, what was signed, what was adopted."""
        return self.root / "translations"

    @property
    def wording_folder(self) -> Path:
        """Sheets and proofs for translators and readers."""
        return self.root / "wording"

    @property
    def enumerators_file(self) -> Path:
        """The list of enumerators."""
        return self.root / "enumerators.xlsx"

    @property
    def build_folder(self) -> Path:
        """Forms and codebooks."""
        return self.root / "build"

    @property
    def print_folder(self) -> Path:
        """Paper forms, show cards, manuals and reviews."""
        return self.build_folder / "print"

    @property
    def handover_folder(self) -> Path:
        """What the team is handed once the forms are on the server; personal links too."""
        return self.root / "handover"

    @property
    def store_file(self) -> Path:
        """Every submission pulled, as it came."""
        return self.root / "store.sqlite"

    @property
    def attachments_folder(self) -> Path:
        """Photos and other files that came with submissions, where they were asked for."""
        return self.root / "attachments"

    @property
    def match_folder(self) -> Path:
        """Ledgers and links."""
        return self.root / "match"

    @property
    def tables_folder(self) -> Path:
        """Tables for analysis."""
        return self.root / "data"

    @property
    def state_file(self) -> Path:
        """What kobosmix remembers between runs: the server, and the forms deployed there."""
        return self.root / ".kobosmix" / "state.json"

    def codebook_file(self, build_id: str) -> Path:
        """Where the codebook of a build lies for good."""
        return self.build_folder / build_id / "codebook.json"

    def form_file(self, build_id: str) -> Path:
        """Where the form of a build lies, the same for every server."""
        return self.build_folder / build_id / "form.xlsx"

    def codebooks(self) -> dict[str, Codebook]:
        """Every codebook ever built in this study, by build id."""
        found = sorted(self.build_folder.glob("*/codebook.json"))
        return {path.parent.name: read_codebook(path) for path in found}

    def state(self) -> dict[str, Any]:
        """What the last run left to remember; empty before the first."""
        if not self.state_file.exists():
            return {"format": FORMAT}
        try:
            state = dict(json.loads(self.state_file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise StudyError(
                f"{self.state_file} is damaged. Restore it from a backup; if there is none, delete "
                "it, and the next deploy finds this study's forms on the server by their build id."
            ) from error
        if state.get("format", FORMAT) > FORMAT:
            raise StudyError(
                f"{self.state_file} was written by a newer kobosmix; update kobosmix"
            )
        return state

    def remember(self, **facts: Any) -> None:
        """Add to the state, in one step."""
        write_json(self.state_file, {**self.state(), **facts, "format": FORMAT})


def open_study(folder: Path) -> Study:
    """The study in this folder. A folder without context.yaml is a UsageError with the remedy."""
    study = Study(folder.resolve())
    if not study.context_file.is_file():
        raise UsageError(
            f"{folder} is not a study: it has no context.yaml. "
            f"'kobosmix init {folder}' makes a study folder."
        )
    return study


@contextmanager
def writing(study: Study, command: str) -> Iterator[None]:
    """Hold the study for one command; a second one is told who is at work, and stops.

    The lock is the system's own, so it is gone when the process is, however it ended.
    """
    from filelock import FileLock, Timeout

    folder = study.state_file.parent
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / "at_work.json"
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise StudyError(
            f"{_who(holder)} is at work in this study; wait until it ends"
        ) from error
    try:
        write_json(holder, {"command": command, "process": os.getpid()})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def synced_by(study: Study) -> str | None:
    """The name of the sync service whose folder the study lies in, or None."""
    for part in study.root.parts:
        lowered = part.lower()
        if any(lowered.startswith(mark) for mark in _SYNC_MARKS):
            return part
    return None


def _who(holder: Path) -> str:
    try:
        at_work = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another kobosmix command"
    return f"'kobosmix {at_work['command']}' (process {at_work['process']})"
