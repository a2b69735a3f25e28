"""Bring every submission from the server into the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add

from kobosmix.errors import KobosmixError, ServerError
from kobosmix.server.model import LARGEST_PAGE, Server
from kobosmix.store import Store, Sweep, Tally

_TRIES = 2
_MOST_LAPS = 50


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
    """What a pull found, by form and in all."""

    assets: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def total(self) -> Tally:
        """All forms together."""
        return reduce(add, self.assets.values(), Tally())


def pull(
    server: Server,
    store: Store,
    assets: Sequence[str],
    *,
    page_size: int = LARGEST_PAGE,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> PullReport:
    """Make the store hold what the server holds of these forms, and tell what has changed.

    Every submission is read every time: the server tells of edits and deletions in no other
    way. A pull that was cut short goes on where it stopped; twice the same stores nothing new.
    """
    tallies = dict[str, Tally]()
    for uid in dict.fromkeys(assets):
        tallies[uid] = _Pull(server, store, uid, page_size, on_progress).run()
    return PullReport(assets=tallies)


@dataclass(frozen=True, slots=True)
class _Pull:
    """The pull of one form."""

    server: Server
    store: Store
    uid: str
    page_size: int
    on_progress: Callable[[Progress], None]

    def run(self) -> Tally:
        counted = self.server.submission_count(self.uid)
        seen = 0
        for attempt in range(_TRIES):
            sweep = self.store.begin_sweep(self.uid, counted, anew=attempt > 0)
            seen, counted = self._sweep(sweep)
            if seen == counted:
                return self.store.finish_sweep(sweep, counted)
        raise PullUnfinished(self.uid, counted, seen)

    def _sweep(self, sweep: Sweep) -> tuple[int, int]:
        """How many rows were seen, and how many the server counts after the last of them."""
        seen, cursor, counted = sweep.seen, sweep.cursor, sweep.expected
        for _ in range(_MOST_LAPS):
            seen_before = seen
            seen, cursor = self._to_the_end(sweep, seen, cursor)
            counted = self.server.submission_count(self.uid)
            # Rows that came meanwhile stand after the cursor; one more lap fetches them.
            if counted <= seen or seen == seen_before:
                break
        return seen, counted

    def _to_the_end(self, sweep: Sweep, seen: int, cursor: int) -> tuple[int, int]:
        while True:
            page = self.server.rows(self.uid, cursor, self.page_size)
            if not page.rows and page.remaining:
                raise self._stuck(f"no rows, though {page.remaining} remain")
            if not page.rows:
                return seen, cursor
            if page.last_id <= cursor:
                raise self._stuck("the same rows again")
            cursor = page.last_id
            seen = self.store.write_page(sweep, page.rows, cursor)
            self.on_progress(Progress(asset_uid=self.uid, seen=seen, expected=sweep.expected))
            if page.remaining <= len(page.rows):
                return seen, cursor

    def _stuck(self, what: str) -> ServerError:
        return ServerError(f"read the submissions of {self.uid}", 200, what)
