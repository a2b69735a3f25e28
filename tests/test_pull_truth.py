"""Whatever becomes of the submissions on a server, the store tells it after each pull."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobosmix.server.kobo import KoboServer
from kobosmix.server.pull import pull, verify
from kobosmix.store import Fate, Store, Tally, open_store
from kobosmix.store.content import without_dropped
from tests.fault_injector import FaultInjector, at_random
from tests.kobo_double import TOKEN, KoboDouble, Project, kobo_double, row
from tests.test_soak import EVEN_SKIPS, MANY, comes_in_order

_DOINGS = ("add", "edit", "review", "file", "delete", "send again", "restore", "pull")
# What is done, and to which of the submissions that it can be done to.
doings = st.lists(st.tuples(st.sampled_from(_DOINGS), st.integers(0, 30)), max_size=40)


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[KoboDouble, KoboServer]]:
    with kobo_double() as both:
        yield both


@dataclass
class Truth:
    """What a server has and had. `pulled` is what the store was told at each pull, by root uuid."""

    project: Project
    last: int = 0
    versions: int = 0
    gone: list[dict[str, Any]] = field(default_factory=list)
    pulled: dict[str, list[Mapping[str, Any] | None]] = field(default_factory=dict)
    had: dict[str, list[Mapping[str, Any] | None]] = field(default_factory=dict)

    def do(self, doing: str, which: int) -> None:
        """Do it, if there is anything to do it to."""
        if doing == "add":
            self.last += 1
            self.project.rows.append(row(self.last, deviceid="phone:1"))
        elif doing in ("send again", "restore"):
            self._bring_back(doing, which)
        elif self.project.rows:
            self._change(doing, self.project.rows, which % len(self.project.rows))
        self._remember()

    def _bring_back(self, doing: str, which: int) -> None:
        if self.gone:
            back = self.gone.pop(which % len(self.gone))
            if doing == "send again":
                self.last += 1
                back = {**back, "_id": self.last, "_submission_time": "2026-11-25T08:00:00"}
                back |= {"_validation_status": {}, "_attachments": []}
            self.project.rows.append(back)

    def _change(self, doing: str, rows: list[dict[str, Any]], place: int) -> None:
        self.versions += 1
        one = rows[place]
        match doing:
            case "edit":
                new = {"interview/trust_1": str(self.versions), "_uuid": f"e{self.versions}"}
                rows[place] = {**one, **new}
            case "review":
                verdict = {"uid": f"validation_status_{self.versions}", "by_whom": "bob"}
                rows[place] = {**one, "_validation_status": verdict}
            case "file":
                file = {"uid": f"att{self.versions}", "media_file_basename": "p.jpg"}
                rows[place] = {**one, "_attachments": [*one["_attachments"], file]}
            case _:
                self.gone.append(rows.pop(place))

    def now(self) -> dict[str, Mapping[str, Any]]:
        """What there is, by root uuid, less what is never kept."""
        return {
            each["meta/rootUuid"].removeprefix("uuid:"): without_dropped(each)
            for each in sorted(self.project.rows, key=lambda each: each["_id"])
        }

    def _remember(self) -> None:
        now = self.now()
        for root in {**self.had, **now}:
            versions = self.had.setdefault(root, [])
            if not versions or versions[-1] != now.get(root):
                versions.append(now.get(root))

    def pull(self) -> Tally:
        """What a pull has to tell that is made now."""
        fates, now = Counter[str](), self.now()
        for root in {**self.pulled, **now}:
            history = self.pulled.setdefault(root, [])
            is_known = bool(history)
            before, after = (history[-1] if history else None), now.get(root)
            fates[_fate(before, after, is_known=is_known)] += 1
            if before != after:
                history.append(after)
        fates.pop("gone", None)
        return Tally(**fates)


def _fate(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, is_known: bool
) -> str:
    if before == after:
        return "unchanged" if after else "gone"
    if after is None:
        return Fate.DELETED
    if before is None:
        return Fate.RESTORED if is_known else Fate.NEW
    differ = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    if not differ <= {"_validation_status", "_attachments"}:
        return Fate.EDITED
    return Fate.REVIEWED if "_validation_status" in differ else Fate.MEDIA


def assert_told(server: KoboServer, store: Store, truth: Truth, page_size: int) -> None:
    """A pull now tells what became of every submission, and one after it nothing."""
    told, expected = pull(server, store, ["aForm"], page_size=page_size).total, truth.pull()
    now = truth.now()
    held = list(store.current())

    assert told == expected
    assert len(now) == sum(getattr(told, fate) for fate in Tally.__slots__) - told.deleted
    assert [s.server_id for s in held] == [str(each["_id"]) for each in in_order(now)]
    assert {s.root_uuid: s.content for s in held} == now
    for root, versions in truth.pulled.items():
        assert [v.content for v in store.history(f"aForm/{root}")] == versions
    assert verify(server, store, "aForm", page_size=page_size).is_equal
    before = store.counts()
    again = pull(server, store, ["aForm"], page_size=page_size).total
    assert again == Tally(unchanged=len(now))
    assert store.counts() == before


def in_order(now: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By the time of receipt, and then by number, as the store hands them out."""
    return sorted(now.values(), key=lambda each: (each["_submission_time"], each["_id"]))


@given(doings=doings, page_size=st.integers(1, 9))
@settings(max_examples=60 * MANY, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_store_tells_what_became_of_every_submission(
    both: tuple[KoboDouble, KoboServer], doings: list[tuple[str, int]], page_size: int
) -> None:
    double, server = both
    truth = Truth(double.project())
    with TemporaryDirectory() as folder, open_store(Path(folder) / "s.sqlite") as store:
        for doing, which in doings:
            if doing == "pull":
                assert_told(server, store, truth, page_size)
            else:
                truth.do(doing, which)
        assert_told(server, store, truth, page_size)


_PULLING = """
import sys
from pathlib import Path
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.pull import pull
from kobosmix.store import open_store

with Connection(sys.argv[1], sys.argv[2], sleep=lambda _: None) as connection:
    with open_store(Path(sys.argv[3])) as store:
        pull(KoboServer(connection), store, ["aForm"], page_size=4)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
@pytest.mark.parametrize("seed", range(MANY))
def test_killed_again_and_again_while_people_work_a_pull_loses_nothing(
    both: tuple[KoboDouble, KoboServer], tmp_path: Path, seed: int
) -> None:
    double, server = both
    chance = random.Random(seed)  # noqa: S311 - not a secret
    truth = Truth(double.project())
    path = tmp_path / "store.sqlite"
    for _ in range(200):
        truth.do("add", 0)
    with FaultInjector(double.url, late_s=0.1).running() as injector:
        injector.plan = at_random(seed, EVEN_SKIPS[1:], share=0.15)
        for _ in range(5):
            _kill_after(chance.randrange(1, 60), injector, path)
            with open_store(path) as store:
                for root, versions in truth.had.items():
                    history = [v.content for v in store.history(f"aForm/{root}")]
                    assert comes_in_order(history, versions)
            for _ in range(chance.randrange(15)):
                truth.do(chance.choice(_DOINGS[:-1]), chance.randrange(200))

    with open_store(path) as store:
        # The first goes on where the killed one was; what was edited behind it shows in the next.
        pull(server, store, ["aForm"], page_size=4)
        assert {s.root_uuid for s in store.current()} == truth.now().keys()
        pull(server, store, ["aForm"], page_size=4)
        assert {s.root_uuid: s.content for s in store.current()} == truth.now()
        assert verify(server, store, "aForm").is_equal
        for root, versions in truth.had.items():
            history = [v.content for v in store.history(f"aForm/{root}")]
            assert comes_in_order(history, versions)


def _kill_after(requests: int, injector: FaultInjector, path: Path) -> None:
    injector.asked.clear()
    running = subprocess.Popen(
        [sys.executable, "-c", _PULLING, injector.url, TOKEN, str(path)],
        cwd=Path(__file__).parent.parent,
        stderr=subprocess.DEVNULL,
    )
    while running.poll() is None and len(injector.asked) < requests:
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.wait()
