from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kobosmix.demo import DemoReport, run_demo
from kobosmix.errors import StudyError, UsageError
from kobosmix.people.model import SPARE
from kobosmix.prepare import prepare
from kobosmix.store import open_store
from kobosmix.study import Study, writing

NEVER_CALLED = "a demo that was refused must not begin"


def silent(_: str) -> None:
    """Say nothing."""


def begins(_: str) -> None:
    raise AssertionError(NEVER_CALLED)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    return run_demo(tmp_path_factory.mktemp("demo"), silent)


@pytest.mark.slow
def test_the_demo_finds_exactly_what_it_planted(demo: DemoReport) -> None:
    assert [line for line in demo.lines if not line.is_equal] == []
    assert demo.exact
    assert "Every count is exact" in demo.summary
    assert (demo.folder / "summary.md").read_text(encoding="utf-8") == demo.summary


@pytest.mark.slow
def test_what_the_demo_sent_is_what_store_and_ledger_hold(demo: DemoReport) -> None:
    study = Study(demo.folder)
    with open_store(study.store_file, read_only=True) as store:
        stored = sum(1 for _ in store.current())
    ledger = json.loads((study.match_folder / "summary.json").read_text(encoding="utf-8"))

    buckets = {name: n for name, n in ledger["submissions"].items() if name != "total"}

    assert demo.submissions == stored == ledger["submissions"]["total"] == sum(buckets.values())
    assert demo.submissions > 300


@pytest.mark.slow
def test_the_demo_has_thirty_persons_in_each_cell_of_group_and_arm(demo: DemoReport) -> None:
    register = prepare(Study(demo.folder), engines=False).register

    cells = Counter((p.group, p.arm) for p in register.respondents if p.status != SPARE)
    places = Counter((p.group, p.site, p.cohort) for p in register.respondents)

    assert sorted(cells) == [
        (group, arm) for group in ("syrians", "turks") for arm in ("comparison", "programme")
    ]
    assert set(cells.values()) == {30}
    assert {n for (_, site, _), n in places.items() if site} == {15}


@pytest.mark.slow
def test_the_windows_of_the_demo_are_over_so_that_no_wave_is_mistaken(demo: DemoReport) -> None:
    context = prepare(Study(demo.folder), engines=False).sound()

    closed = [w.closes for wave in context.waves.values() for w in wave.windows.values()]

    assert len(closed) == 6
    assert 6 <= (datetime.now(UTC).date() - max(closed)).days <= 8
    assert all(wave.windows for wave in context.waves.values())


@pytest.mark.slow
def test_the_tables_of_the_demo_date_each_wave_after_the_one_before(demo: DemoReport) -> None:
    with (demo.folder / "data" / "wide.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    dates = [
        [date.fromisoformat(row[f"{wave}_date"]) for wave in ("pre", "post", "fu")]
        for row in rows
        if row["pre_date"] and row["post_date"] and row["fu_date"]
    ]

    assert len(dates) > 70
    assert all(each == sorted(each) for each in dates)


@pytest.mark.slow
def test_a_demo_may_be_made_anew_where_one_was_made(demo: DemoReport) -> None:
    left_over = demo.folder / "match" / "left_over.txt"
    left_over.write_text("from the first demo", encoding="utf-8")

    again = run_demo(demo.folder, silent)

    assert again.exact
    assert not left_over.exists()


def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "register.xlsx"
    precious.write_bytes(b"precious")

    with pytest.raises(UsageError, match="is not empty, and no demo made it"):
        run_demo(tmp_path, begins)

    assert precious.read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["register.xlsx"]


def test_a_file_is_no_folder_for_a_demo(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    path.write_bytes(b"precious")

    with pytest.raises(UsageError, match="is a file"):
        run_demo(path, begins)


def test_a_demo_somebody_is_at_work_in_is_not_replaced(tmp_path: Path) -> None:
    marker = tmp_path / ".kobosmix" / "demo"
    marker.parent.mkdir()
    marker.write_text("", encoding="utf-8")

    with writing(Study(tmp_path), "pull"), pytest.raises(StudyError, match="at work"):
        run_demo(tmp_path, begins)

    assert marker.exists()
