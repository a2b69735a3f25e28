"""Pulling: each submission once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kobosmix.errors import KobosmixError, ServerError
from kobosmix.server.http import Connection, Request
from kobosmix.server.kobo import KoboServer
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer
from kobosmix.server.pull import Progress, PullReport, PullUnfinished, pull, verify
from kobosmix.store import Fate, Store, Tally, open_store
from kobosmix.store.content import without_dropped
from tests.kobo_double import TOKEN, KoboDouble, Project, kobo_double, row
from tests.local_forms import HOUSEHOLD, instance, workbook

DATA = "/data/?query"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[KoboDouble, KoboServer]]:
    with kobo_double() as both:
        yield both


@pytest.fixture
def double(both: tuple[KoboDouble, KoboServer]) -> KoboDouble:
    double = both[0]
    double.projects.clear()
    double.faults.clear()
    double.asked.clear()
    double.before = lambda _: None
    return double


@pytest.fixture
def server(both: tuple[KoboDouble, KoboServer]) -> KoboServer:
    return both[1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.sqlite") as opened:
        yield opened


def equals(store: Store, project: Project) -> bool:
    """Whether the store has exactly the server's submissions, as they are there."""
    held = [dict(s.content) for s in store.current() if s.asset_uid == project.uid]
    return held == [without_dropped(r) for r in sorted(project.rows, key=lambda r: r["_id"])]


def whole(report: PullReport) -> None:
    """Raise what stood in the way of a form."""
    for error in report.failures.values():
        raise error


ids = st.lists(st.integers(1, 10_000), max_size=40, unique=True)


@given(numbers=ids, page_size=st.integers(1, 12))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_comes_exactly_once_whatever_the_page_size(
    both: tuple[KoboDouble, KoboServer], numbers: list[int], page_size: int
) -> None:
    double, server = both
    project = double.project(rows=[row(number) for number in numbers])
    with TemporaryDirectory() as folder, open_store(Path(folder) / "s.sqlite") as store:
        report = pull(server, store, ["aForm"], page_size=page_size)

        assert report.total == Tally(new=len(numbers))
        assert equals(store, project)


def test_pulling_twice_stores_nothing_new(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project(rows=[row(number) for number in range(1, 25)])

    pull(server, store, ["aForm"], page_size=10)
    before = store.counts()
    again = pull(server, store, ["aForm"], page_size=10)

    assert again.total == Tally(unchanged=24)
    assert store.counts() == before


def test_edits_deletions_and_returns_are_seen_form_by_form(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    pre = double.project("aPre", rows=[row(1), row(2), row(3)])
    double.project("aPost", rows=[row(8)])
    pull(server, store, ["aPre", "aPost"])

    pre.rows = [row(1, **{"interview/trust_1": "1"}), row(3), row(4)]
    report = pull(server, store, ["aPre", "aPost"])
    assert report.assets["aPre"] == Tally(new=1, edited=1, deleted=1, unchanged=1)
    assert report.assets["aPost"] == Tally(unchanged=1)

    pre.rows.append(row(2))
    assert pull(server, store, ["aPre"]).total == Tally(restored=1, unchanged=3)
    assert equals(store, pre)


def test_a_form_without_submissions_is_no_fault(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project()

    assert pull(server, store, ["aForm"]).total == Tally()


def test_rows_that_come_while_paging_are_stored_too(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(1, 7)])

    def one_more(_: str) -> None:
        if len(project.rows) < 12:
            project.rows.append(row(100 + len(project.rows)))

    double.before = one_more

    assert pull(server, store, ["aForm"], page_size=2).total == Tally(new=12)
    assert equals(store, project)


def test_a_row_deleted_while_paging_is_neither_lost_nor_kept(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(1, 7)])

    def delete_the_first_after_it_was_read(asked: str) -> None:
        if DATA in asked and "%3A+4%7D" in asked:
            project.rows = [each for each in project.rows if each["_id"] != 1]

    double.before = delete_the_first_after_it_was_read

    pull(server, store, ["aForm"], page_size=2)

    assert equals(store, project)
    assert len(project.rows) == 5


def test_a_row_that_shows_late_under_a_lower_number_is_found(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(2, 7)])

    def show_the_first_late(asked: str) -> None:
        if DATA in asked and "%3A+4%7D" in asked and len(project.rows) == 5:
            project.rows.append(row(1))

    double.before = show_the_first_late

    pull(server, store, ["aForm"], page_size=2)

    assert equals(store, project)


def test_a_server_that_counts_more_than_it_gives_is_told_with_both_numbers(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(1, 4)])
    pull(server, store, ["aForm"])
    double.fail(
        "limit=1&", body=b'{"count": 5, "results": []}', kind="application/json", times=99
    )

    with pytest.raises(PullUnfinished, match=r"counts 5 .* handed out 3.* nothing was lost"):
        whole(pull(server, store, ["aForm"]))

    assert equals(store, project)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"count": 3, "results": []}', "no rows, though 3 remain"),
        (b'{"count": 3, "results": [{"a": 1}]}', "without a number in _id"),
        (b'{"count": 3, "results": [7]}', "without a number in _id"),
        (b'{"results": []}', "without count"),
        (b'{"count": 3, "next": null}', "without results"),
        (b'{"detail": "x"}', "without results"),
        (b'{"count": 3, "results": [{"_id": ', "no JSON, or only a part"),
    ],
)
def test_a_page_that_is_no_page_is_never_a_short_result(
    double: KoboDouble, server: KoboServer, store: Store, body: bytes, said: str
) -> None:
    double.project(rows=[row(1), row(2), row(3)])
    pull(server, store, ["aForm"])
    double.fail(DATA, body=body, kind="application/json", times=99)

    with pytest.raises(ServerError, match=said):
        whole(pull(server, store, ["aForm"]))

    assert len(list(store.current())) == 3


def test_a_server_that_sends_the_same_page_for_ever_is_stopped(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project(rows=[row(1), row(2)])
    same = b'{"count": 9, "results": [%s]}' % _json(row(1))
    double.fail(DATA, body=same, kind="application/json", times=99)

    with pytest.raises(ServerError, match="the same rows again"):
        whole(pull(server, store, ["aForm"]))


def test_what_was_not_handed_out_is_not_verified(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(1), row(2)])
    pull(server, store, ["aForm"])
    project.rows.append(row(3))
    hidden = b'{"count": 2, "results": [%s, %s]}' % (_json(row(1)), _json(row(2)))
    double.fail(DATA, body=hidden, kind="application/json")

    assert not verify(server, store, "aForm").is_equal


def test_rows_handed_out_twice_are_stored_once(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(1), row(2), row(3)])
    twice = b'{"count": 4, "results": [%s, %s]}' % (_json(row(1)), _json(row(1)))
    double.fail(DATA, body=twice, kind="application/json")

    assert pull(server, store, ["aForm"], page_size=2).total == Tally(new=3)
    assert equals(store, project)


def test_a_form_that_is_gone_from_the_server_buries_nothing(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project(rows=[row(1)])
    pull(server, store, ["aForm"])
    double.projects.clear()

    with pytest.raises(ServerError, match="404"):
        whole(pull(server, store, ["aForm"]))

    assert len(list(store.current())) == 1


def test_a_pull_cut_off_goes_on_where_it_stopped_and_sees_what_changed_behind_it(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(1, 11)])
    double.fail("%3A+4%7D", status=403, times=1)
    with pytest.raises(ServerError):
        whole(pull(server, store, ["aForm"], page_size=2))
    edited = row(2, **{"interview/trust_1": "1"})
    project.rows = [edited if each["_id"] == 2 else each for each in project.rows[1:]]
    double.asked.clear()

    report = pull(server, store, ["aForm"], page_size=2)

    pages = [asked for asked in double.asked if DATA in asked]
    whole_pages = [asked for asked in pages if "fields" not in asked and "24in" not in asked]
    assert "%3A+4%7D" in pages[0]
    behind = [f"%22%24gt%22%3A+{number}%7D" for number in (4, 6, 8, 10)]
    assert len(whole_pages) == len(behind)
    assert all(place in asked for place, asked in zip(behind, whole_pages, strict=True))
    # The first came and went between two pulls; the second is new, though edited since.
    assert report.total == Tally(new=9)
    assert [change.fate for change in store.changes("aForm")] == [Fate.EDITED, Fate.DELETED]
    assert equals(store, project)
    assert pull(server, store, ["aForm"], page_size=2).total == Tally(unchanged=9)


def test_a_poor_line_only_takes_longer(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    project = double.project(rows=[row(number) for number in range(1, 11)])
    for how in ({"cut": True}, {"hang_up": True}, {"status": 502}, {"status": 429}):
        double.fail(DATA, kind="application/json", **how)

    assert pull(server, store, ["aForm"], page_size=3).total == Tally(new=10)
    assert equals(store, project)


def test_progress_is_told_after_every_page(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project(rows=[row(number) for number in range(1, 6)])
    told = list[Progress]()

    pull(server, store, ["aForm"], page_size=2, on_progress=told.append)

    assert [(each.seen, each.expected) for each in told] == [(2, 5), (4, 5), (5, 5)]


def test_memory_does_not_grow_with_the_number_of_submissions(
    double: KoboDouble, server: KoboServer, tmp_path: Path
) -> None:
    def peak(number: int) -> int:
        double.project(rows=[row(n, note="x" * 300) for n in range(1, number + 1)])
        with open_store(tmp_path / f"{number}.sqlite") as store:
            tracemalloc.start()
            pull(server, store, ["aForm"], page_size=50)
            assert sum(1 for _ in store.current()) == number
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return highest

    # The double shares this process, and a page of it is all that may be held at once.
    small, large = peak(300), peak(3000)
    assert large < small * 2 + 500_000


_PULLING = """
import sys
from pathlib import Path
from kobosmix.server.http import Connection
from kobosmix.server.kobo import KoboServer
from kobosmix.server.pull import pull
from kobosmix.store import open_store

with Connection(sys.argv[1], sys.argv[2]) as connection:
    with open_store(Path(sys.argv[3])) as store:
        pull(KoboServer(connection), store, ["aForm"], page_size=5)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_after_kill_9_at_any_moment_the_next_pull_completes(
    double: KoboDouble, server: KoboServer, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite"
    project = double.project(rows=[row(number) for number in range(1, 401)])
    pages_before_kill = random.Random(9).sample(range(1, 75), 8)  # noqa: S311 - not a secret
    for pages in sorted(pages_before_kill):
        double.asked.clear()
        running = subprocess.Popen(
            [sys.executable, "-c", _PULLING, double.url, TOKEN, str(path)],
            cwd=Path(__file__).parent.parent,
        )
        while running.poll() is None and sum(DATA in a for a in list(double.asked)) < pages:
            time.sleep(0.001)
        running.send_signal(signal.SIGKILL)
        running.wait()
        with open_store(path) as store:
            held = [s.server_id for s in store.current()]
            assert held == [str(number) for number in range(1, len(held) + 1)]

    with open_store(path) as store:
        pull(server, store, ["aForm"])
        assert equals(store, project)
        assert store.counts()["aForm"].versions == 400


def test_a_pull_that_fails_leaves_an_error_a_person_can_read(
    double: KoboDouble, server: KoboServer, store: Store
) -> None:
    double.project(rows=[row(1)])
    double.fail(
        "/data/", status=400, body=b'{"detail":"not deployed"}', kind="application/json"
    )

    with pytest.raises(KobosmixError, match="could not count the submissions of aForm"):
        whole(pull(server, store, ["aForm"]))


def test_what_a_phone_sends_and_corrects_comes_through_the_local_server(
    tmp_path: Path, store: Store
) -> None:
    database = tmp_path / "server.sqlite"
    token = create_account(database, "alice")
    with LocalServer(database) as running, Connection(running.url, token) as connection:
        local = KoboServer(connection)
        uid = local.import_workbook("Household", workbook(HOUSEHOLD))
        local.deploy(uid)
        for number in range(25):
            sent = instance(uid, f"<hh><head>H{number}</head></hh>", uuid=f"u{number}")
            assert local.phones.submit(sent.encode()).is_new
            assert not local.phones.submit(sent.encode()).is_new

        assert pull(local, store, [uid], page_size=7).total == Tally(new=25)
        assert pull(local, store, [uid], page_size=1000).total == Tally(unchanged=25)

        correction = instance(
            uid,
            "<hh><head>Corrected</head></hh>",
            uuid="u3b",
            meta="<deprecatedID>uuid:u3</deprecatedID>",
        )
        local.phones.submit(correction.encode())
        first = next(store.current()).server_id
        path = f"/api/v2/assets/{uid}/data/{first}/"
        connection.send(Request(action="delete a submission", method="DELETE", path=path))

        assert pull(local, store, [uid], page_size=7).total == Tally(
            edited=1, deleted=1, unchanged=23
        )
        [first_version, second] = store.history(f"{uid}/u3")
        assert first_version.content is not None
        assert second.content is not None
        assert first_version.content["hh/head"] == "H3"
        assert second.content["hh/head"] == "Corrected"


def _json(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode()
