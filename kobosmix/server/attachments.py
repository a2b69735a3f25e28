"""Files that came with submissions: fetched only when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.files import write_bytes
from kobosmix.server.model import Attached, Server
from kobosmix.store import Store, StoredSubmission

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How many files are there now, and how many of them came this time."""

    present: int
    new: int

    def __str__(self) -> str:
        """The same in words."""
        return (
            f"{self.present} files came with submissions; {self.new} of them were fetched now"
        )


def fetch_attachments(
    server: Server,
    store: Store,
    folders: Mapping[str, Path],
    on_progress: Callable[[int], None] = lambda _: None,
) -> Fetched:
    """Bring the files of every submission of these forms into their folders.

    `folders` holds a folder for each form's uid. A file lies in it under the submission's uuid; one
    that is there already is not fetched again, and none is ever there in part.
    """
    present = new = 0
    for submission in store.current():
        folder = folders.get(submission.asset_uid)
        for file in server.attached(submission) if folder is not None else ():
            path = _path(folder or Path(), submission, file)
            if not path.is_file():
                write_bytes(path, server.attachment(submission.asset_uid, file))
                new += 1
            present += 1
            on_progress(present)
    return Fetched(present=present, new=new)


def _path(folder: Path, submission: StoredSubmission, file: Attached) -> Path:
    # What a phone calls a file is not to be trusted with where it lies; `id` tells two apart that
    # have one name, as after a photo was taken anew.
    name = f"{_safe(file.id)}_{_safe(file.name)}" if file.id != file.name else _safe(file.name)
    return folder / _safe(submission.root_uuid) / name[-_LONGEST_NAME:]


def _safe(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    return kept.lstrip(".") or "_"
