from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kobosmix.codebook import write_codebook
from kobosmix.errors import StudyError, UsageError
from kobosmix.study import Study, open_study, synced_by, writing
from tests.english_study import built, write_study

# A second kobosmix in the same folder: it tells whether it got in, and may die holding the lock.
SECOND = """
import os, sys
from pathlib import Path
from kobosmix.errors import StudyError
from kobosmix.study import Study, writing
try:
    with writing(Study(Path(sys.argv[1])), "pull"):
        os._exit(0 if sys.argv[2] == "die" else 1)
except StudyError as error:
    print(error, error.exit_code)
"""


def second(study: Study, what: str = "try") -> str:
    command = [sys.executable, "-c", SECOND, str(study.root), what]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def test_a_folder_without_context_is_no_study_and_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a study: .* 'kobosmix init") as refused:
        open_study(tmp_path)

    assert refused.value.exit_code == 2


def test_opening_a_study_touches_nothing(tmp_path: Path) -> None:
    write_study(tmp_path)
    before = set(tmp_path.rglob("*"))

    study = open_study(tmp_path)

    assert study.state() == {"format": 1}
    assert study.codebooks() == {}
    assert set(tmp_path.rglob("*")) == before


def test_a_second_command_is_told_who_is_at_work_and_stops(tmp_path: Path) -> None:
    study = write_study(tmp_path)

    with writing(study, "build"):
        told = second(study)

    assert told.startswith("'kobosmix build' (process ")
    assert told.endswith("is at work in this study; wait until it ends 4\n")


def test_the_study_is_free_again_when_a_command_ends_or_is_killed(tmp_path: Path) -> None:
    study = write_study(tmp_path)

    second(study, "die")

    with writing(study, "build"):
        pass
    with pytest.raises(ValueError, match="stopped"), writing(study, "build"):
        raise ValueError("stopped")
    with writing(study, "build"):
        pass


def test_what_is_remembered_is_added_to_what_was_there(tmp_path: Path) -> None:
    study = write_study(tmp_path)

    study.remember(server="https://one.example")
    study.remember(pulled="yes")

    assert study.state() == {"format": 1, "server": "https://one.example", "pulled": "yes"}


def test_a_damaged_or_newer_state_stops_with_what_to_do(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    study.remember(server="x")

    study.state_file.write_text("{", encoding="utf-8")
    with pytest.raises(StudyError, match=r"is damaged\. Restore it from a backup"):
        study.state()

    study.state_file.write_text(json.dumps({"format": 2}), encoding="utf-8")
    with pytest.raises(StudyError, match="newer kobosmix"):
        study.remember(server="y")


def test_every_codebook_ever_built_is_found_by_its_build_id(tmp_path: Path) -> None:
    codebook = built(tmp_path).codebook
    study = Study(tmp_path)
    write_codebook(study.codebook_file(codebook.build_id), codebook)

    assert study.codebooks() == {codebook.build_id: codebook}


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("OneDrive - IOM/study", "OneDrive - IOM"),
        ("Dropbox/study", "Dropbox"),
        ("Google Drive/study", "Google Drive"),
        ("Documents/study", None),
        ("my onedrive notes/study", None),
    ],
)
def test_a_folder_that_is_synced_is_recognised(folder: str, service: str | None) -> None:
    assert synced_by(Study(Path("/home/ann", folder))) == service
