"""Pulling over a bad line from a server where people are at work: nothing lost, nothing doubled.

KOBOSMIX_SOAK=20 runs as many seeds for each one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kobosmix.errors import KobosmixError
from kobosmix.server.http import Connection, Patience
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.server.pull import pull, verify
from kobosmix.store import Store, Tally, open_store
from tests.fault_injector import Fault, FaultInjector, at_random, listed
from tests.fieldwork import Fieldwork, Version
from tests.local_forms import Client

# Two lies that agree cannot be told from the truth: a row left out, and a count without it.
_QUICK = tuple(fault for fault in Fault if fault is not Fault.LATE)
EVEN_SKIPS = (Fault.LATE, *4 * [f for f in _QUICK if f is not Fault.STALE_COUNT])
EVEN_STALE_COUNTS = (Fault.LATE, *4 * [f for f in _QUICK if f is not Fault.SKIP])
MANY = int(os.environ.get("KOBOSMIX_SOAK", "1"))
# A pull as a person does it, who runs it again when it says that it did not end.
_MOST_RUNS = 25
_LATE_S, _PATIENCE_S = 0.25, 0.2


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Someone who works on the server directly."""
    database = tmp_path_factory.mktemp("server") / "server.sqlite"
    with LocalServer(database) as server:
        yield Client(server.url, create_account(database, "alice"))


@pytest.fixture
def injector(client: Client) -> Iterator[FaultInjector]:
    """What stands between the server and who pulls."""
    with FaultInjector(client.url, late_s=_LATE_S).running() as injector:
        yield injector


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.sqlite") as opened:
        yield opened


@contextmanager
def connected(
    injector: FaultInjector, work: Fieldwork, broken_tries: int
) -> Iterator[KoboServer]:
    """The product's own client, on the other side of the injector."""
    patience = Patience(
        total_s=90,
        first_wait_s=0.1,
        longest_wait_s=0.5,
        answer_timeout_s=_PATIENCE_S,
        broken_tries=broken_tries,
    )
    token = work.client.token
    with Connection(injector.url, token, patience=patience, sleep=lambda _: None) as connection:
        yield KoboServer(connection)


def pulled(
    injector: FaultInjector, store: Store, work: Fieldwork, page_size: int, *, broken_tries: int
) -> Tally:
    """Pull once; what stood in the way is raised."""
    with connected(injector, work, broken_tries) as server:
        report = pull(server, store, [work.uid], page_size=page_size)
    for error in report.failures.values():
        raise error
    return report.total


def pulled_in_the_end(
    injector: FaultInjector,
    store: Store,
    work: Fieldwork,
    page_size: int,
    broken_tries: int = 2,
) -> Tally:
    """Pull until it says that it is done."""
    said = ""
    for _ in range(_MOST_RUNS):
        try:
            return pulled(injector, store, work, page_size, broken_tries=broken_tries)
        except KobosmixError as error:
            said = str(error)
    raise AssertionError(f"not done after {_MOST_RUNS} runs: {said}")


def at_work(work: Fieldwork, times: int) -> Callable[[str], None]:
    """Something is done on the server at each of so many requests."""
    left = iter(range(times))

    def before(_: str) -> None:
        if next(left, None) is not None:
            work.anything()

    return before


def assert_equal(store: Store, work: Fieldwork, client: Client) -> None:
    """The store holds what the server holds, row by row; another pull would find nothing."""
    held = {s.server_id: dict(s.content) for s in store.current() if s.asset_uid == work.uid}
    roots = [s.root_uuid for s in store.current() if s.asset_uid == work.uid]
    now = work.now()
    assert held == now
    assert sorted(roots) == sorted(
        str(row["meta/rootUuid"]).removeprefix("uuid:") for row in now.values()
    )
    versions = store.counts()[work.uid].versions
    with Connection(client.url, client.token) as connection:
        server = KoboServer(connection)
        again = pull(server, store, [work.uid], page_size=50)
        assert again.total == Tally(unchanged=len(now))
        assert verify(server, store, work.uid).is_equal
    assert store.counts()[work.uid].versions == versions


def assert_all_was_there_once(store: Store, work: Fieldwork) -> None:
    """Nothing is in the history that the server never had, and all of it in the right order."""
    for root, versions in work.seen.items():
        history = [version.content for version in store.history(f"{work.uid}/{root}")]
        assert comes_in_order(history, versions), (root, history, versions)


def comes_in_order(some: list[Version], among: list[Version]) -> bool:
    """Whether these can be found in the other list one after the other."""
    rest = iter(among)
    return all(any(each == other for other in rest) for each in some)


@pytest.fixture(scope="module")
def small(client: Client) -> Fieldwork:
    """A form with a few submissions, where nobody works now."""
    work = Fieldwork(client, 1)
    work.fill(8)
    return work


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_alone_only_takes_longer_wherever_it_strikes(
    injector: FaultInjector, tmp_path: Path, small: Fieldwork, fault: Fault
) -> None:
    for place in range(6 if fault is not Fault.LATE else 1):
        injector.plan = listed([None] * place + [fault])
        with open_store(tmp_path / f"{place}.sqlite") as store:
            tally = pulled(injector, store, small, page_size=3, broken_tries=1)
            assert tally.new + tally.unchanged == 8
            assert {s.server_id: s.content for s in store.current()} == small.now()

    struck = {Fault.STALE_COUNT: 0, Fault.LATE: 1}.get(fault, 3)
    assert injector.injected[fault] >= struck


@pytest.mark.parametrize("seed", range(MANY))
def test_two_hundred_faults_in_one_pull_lose_nothing_and_double_nothing(
    client: Client, injector: FaultInjector, store: Store, seed: int
) -> None:
    work = Fieldwork(client, seed)
    work.fill(300)
    at_first = work.roots_never_deleted()
    injector.before = at_work(work, 50)
    faults = EVEN_SKIPS if seed % 2 else EVEN_STALE_COUNTS
    injector.plan = at_random(seed, faults, share=0.75)

    pulled_in_the_end(injector, store, work, page_size=2, broken_tries=20)

    assert injector.injected.total() >= 200
    held = {s.root_uuid: s.content for s in store.current()}
    assert all(held[root] in work.seen[root] for root in held)
    assert held.keys() >= at_first & work.roots_never_deleted()
    assert_all_was_there_once(store, work)
    pulled_in_the_end(injector, store, work, page_size=3)
    assert_equal(store, work, client)


@pytest.mark.parametrize("seed", range(200, 200 + 2 * MANY))
def test_verifying_over_a_bad_line_never_takes_what_differs_for_equal(
    client: Client, injector: FaultInjector, store: Store, seed: int
) -> None:
    work = Fieldwork(client, seed)
    work.fill(12)
    pulled(injector, store, work, page_size=5, broken_tries=2)
    for change in (work.add, work.edit, work.delete, work.send_file):
        change()
        injector.pages.clear()
        injector.plan = at_random(
            seed, EVEN_SKIPS if seed % 2 else EVEN_STALE_COUNTS, share=0.5
        )
        with connected(injector, work, broken_tries=9) as server:
            for _ in range(3):
                with suppress(KobosmixError):
                    assert not verify(server, store, work.uid, page_size=5).is_equal
        injector.plan = lambda _: None
        pulled(injector, store, work, page_size=5, broken_tries=2)


@pytest.mark.parametrize("seed", range(100, 100 + 2 * MANY))
def test_pulls_over_a_bad_line_while_people_work_end_with_what_the_server_has(
    client: Client, injector: FaultInjector, store: Store, seed: int
) -> None:
    work = Fieldwork(client, seed)
    work.fill(40)
    faults = EVEN_SKIPS if seed % 2 else EVEN_STALE_COUNTS
    for round_ in range(3):
        injector.before = at_work(work, 12)
        injector.plan = at_random(seed * 10 + round_, faults, share=0.3)
        pulled_in_the_end(injector, store, work, page_size=3)
        assert_all_was_there_once(store, work)
        injector.before = lambda _: None
        injector.pages.clear()

        # Nobody works now, but the line is as bad as before.
        pulled_in_the_end(injector, store, work, page_size=4)

        assert_all_was_there_once(store, work)
        assert_equal(store, work, client)
