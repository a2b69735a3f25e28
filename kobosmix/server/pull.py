"""Bring every submission from the server into the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TypeVar

from kobosmix.errors import (
    KobosmixError,
    LoginRefused,
    ServerError,
    ServerUnreachable,
    StudyError,
)
from kobosmix.server.ahead import Ahead
from kobosmix.server.model import LARGEST_PAGE, Page, Server
from kobosmix.store import Head, Row, Store, Sweep, Tally

_TRIES = 3
_MOST_LAPS = 50
# A page that brings nothing further is asked for again: servers have repeated one.
_PAGE_TRIES = 3
_NAMED = 10


class PullUnfinished(KobosmixError):
    """What the server counts and what it hands out do not agree, even when asked again."""

    exit_code = 3

    def __init__(self, asset_uid: str, counted: int, handed_out: int) -> None:
        self.asset_uid, self.counted, self.handed_out = asset_uid, counted, handed_out
        super().__init__(
            f"could not pull {asset_uid} to the end: the server counts {counted} submissions and "
            f"handed out {handed_out}, asked {_TRIES} times. All {handed_out} are stored, nothing "
            "was lost, and nothing was recorded as deleted. Run the pull again later."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the pull of one form is."""

    asset_uid: str
    seen: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
    """What a pull found, by form and in all; and what it could not do, by form."""

    assets: Mapping[str, Tally] = field(default_factory=dict)
    failures: Mapping[str, KobosmixError] = field(default_factory=dict)

    @property
    def total(self) -> Tally:
        """All forms together."""
        return reduce(add, self.assets.values(), Tally())


T = TypeVar("T")
OnProgress = Callable[[Progress], None]
# No other form would fare better.
_END_OF_ALL = (ServerUnreachable, LoginRefused, StudyError)


def pull(
    server: Server,
    store: Store,
    assets: Sequence[str],
    *,
    page_size: int = LARGEST_PAGE,
    on_progress: OnProgress = lambda _: None,
) -> PullReport:
    """Make the store hold what the server holds of these forms, and tell what has changed.

    The server is asked for a few bytes of every submission, and for the whole of those that are
    new or changed: an edit, a review, a file that came late, a deletion and a return are all seen
    so, without trusting a clock. A pull that was cut short goes on where it stopped; twice the
    same stores nothing new. Then the form is fetched in each version that answers came from.

    What goes wrong with one form is in the report, and the others are pulled all the same; a
    server that does not answer, or not to us, ends it.
    """
    tallies, failures = dict[str, Tally](), dict[str, KobosmixError]()
    for uid in dict.fromkeys(assets):
        try:
            tallies[uid] = _Pull(server, store, uid, page_size, on_progress).run()
            for version in store.undefined_versions(uid):
                store.write_definition(uid, version, server.version_sheets(uid, version))
        except _END_OF_ALL:
            raise
        except KobosmixError as error:
            failures[uid] = error
    return PullReport(assets=tallies, failures=failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether the store holds exactly what the server holds of a form."""

    asset_uid: str
    on_server: int
    in_store: int
    differing: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every submission is in both, and the same in both."""
        return not self.differing and self.on_server == self.in_store

    def __str__(self) -> str:
        """What was proved, in one line."""
        if self.is_equal:
            return f"all {self.on_server} submissions are in the store exactly as on the server"
        numbers = ", ".join(self.differing[:_NAMED])
        more = ", ..." if len(self.differing) > _NAMED else ""
        return (
            f"the server has {self.on_server} submissions, the store {self.in_store}; "
            f"{len(self.differing)} are not there as on the server ({numbers}{more}). If people "
            "are sending right now, pull again."
        )


def verify(
    server: Server,
    store: Store,
    asset_uid: str,
    *,
    page_size: int = LARGEST_PAGE,
    on_progress: OnProgress = lambda _: None,
) -> Verification:
    """Read every submission of a form whole, and compare each with the store, by its digest.

    Nothing is written. `differing` are the server's names of those that are not there so.
    """
    pages = Ahead[Row](lambda after: server.rows(asset_uid, after, page_size))
    counts = store.counts().get(asset_uid)
    in_store = counts.current if counts else 0
    names, differing, cursor = 0, list[str](), ""
    while True:
        page = _further(pages, asset_uid, cursor)
        rows = {row.server_id: row for row in page.entries}
        names += len(rows)
        differing += store.differing(asset_uid, tuple(rows.values()))
        on_progress(Progress(asset_uid=asset_uid, seen=names, expected=in_store))
        if page.is_last:
            break
        cursor = page.cursor
    # What was not handed out cannot be compared, but it is counted.
    counted = server.submission_count(asset_uid)
    on_server = counted if names == in_store else names
    return Verification(
        asset_uid=asset_uid, on_server=on_server, in_store=in_store, differing=tuple(differing)
    )


def _further(pages: Ahead[T], uid: str, cursor: str) -> Page[T]:
    """The page behind the cursor, which must lead on unless it is the last."""
    for _ in range(_PAGE_TRIES):
        page = pages.page(cursor)
        if page.cursor != cursor or page.is_last:
            return page
    raise ServerError(f"read the submissions of {uid}", 200, "the same rows again")


class _Pull:
    """The pull of one form."""

    def __init__(
        self, server: Server, store: Store, uid: str, page_size: int, on_progress: OnProgress
    ) -> None:
        self.server, self.store, self.uid = server, store, uid
        self.page_size, self.on_progress = page_size, on_progress
        self.whole = Ahead[Row](lambda after: server.rows(uid, after, page_size))
        self.heads = Ahead[Head](lambda after: server.heads(uid, after, page_size))

    def run(self) -> Tally:
        """Sweep until as many were seen as the server counts."""
        counted = self.server.submission_count(self.uid)
        sweep = self.store.begin_sweep(self.uid)
        if sweep.cursor:
            # One that was cut short goes on where it stopped. What changed behind it meanwhile is
            # seen only from the start, where all but that is known by now.
            self._sweep(sweep, counted)
            sweep = self.store.begin_sweep(self.uid, anew=True)
        seen = 0
        for _ in range(_TRIES):
            sweep, counted = self._sweep(sweep, counted)
            sweep = self._ask_for_the_missing(sweep)
            seen = sweep.seen
            if seen == counted:
                return self.store.finish_sweep(sweep, counted)
            counted = self.server.submission_count(self.uid)
            sweep = self.store.begin_sweep(self.uid, anew=True)
        raise PullUnfinished(self.uid, counted, seen)

    def _sweep(self, sweep: Sweep, counted: int) -> tuple[Sweep, int]:
        """The sweep at its end, and how many the server counts after that."""
        for _ in range(_MOST_LAPS):
            seen_before = sweep.seen
            sweep = self._to_the_end(sweep, counted)
            counted = self.server.submission_count(self.uid)
            # Rows that came meanwhile stand after the cursor; one more lap fetches them.
            if counted <= sweep.seen or sweep.seen == seen_before:
                break
        return sweep, counted

    def _to_the_end(self, sweep: Sweep, expected: int) -> Sweep:
        is_last = False
        while not is_last:
            sweep, is_last = self._whole_page(sweep) if sweep.in_full else self._changes(sweep)
            now = Progress(asset_uid=self.uid, seen=sweep.seen, expected=expected)
            self.on_progress(now)
        return sweep

    def _whole_page(self, sweep: Sweep) -> tuple[Sweep, bool]:
        page = _further(self.whole, self.uid, sweep.cursor)
        sweep = self.store.write_page(sweep, page.entries, page.cursor, in_full=True)
        return sweep, page.is_last

    def _changes(self, sweep: Sweep) -> tuple[Sweep, bool]:
        """Read a page of heads, and those whole that are not as the store has them."""
        page = _further(self.heads, self.uid, sweep.cursor)
        changed = frozenset(self.store.changed(sweep, page.entries))
        if len(page.entries) == len(changed) == self.page_size:
            # Nothing here is known: from here on whole pages are less to ask for.
            self.heads.settle()
            return self.store.write_page(sweep, (), sweep.cursor, in_full=True), False
        rows = self._rows_of(sorted(changed))
        unchanged = [head for head in page.entries if head.server_id not in changed]
        sweep = self.store.write_page(sweep, rows, page.cursor, unchanged=unchanged)
        return sweep, page.is_last

    def _ask_for_the_missing(self, sweep: Sweep) -> Sweep:
        """Ask by name for what the sweep has not come across, before it is taken for deleted."""
        found = self._rows_of(self.store.unseen(sweep))
        if not found:
            return sweep
        return self.store.write_page(sweep, found, sweep.cursor, in_full=sweep.in_full)

    def _rows_of(self, server_ids: Sequence[str]) -> Sequence[Row]:
        self.heads.settle()
        return self.server.rows_of(self.uid, server_ids) if server_ids else ()
