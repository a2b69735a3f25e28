"""The demo: a whole evaluation on this machine, with invented people and known faults."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from kobosmix import content
from kobosmix.context import Context
from kobosmix.errors import UsageError
from kobosmix.files import write_bytes, write_text
from kobosmix.people import ids
from kobosmix.people.model import SPARE, Register
from kobosmix.people.register import add_respondents, write_register
from kobosmix.prepare import Prepared, prepare, write_build
from kobosmix.rehearse.compare import Line, compare, compare_sent, compare_table
from kobosmix.rehearse.send import OnProgress, Sent
from kobosmix.rehearse.summary import summary_text
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.match.model import Matched
    from kobosmix.rehearse.rehearsal import Rehearsal
    from kobosmix.server.kobo import KoboServer

Say = Callable[[str], None]

SAMPLE = "gaziantep"
# The toolkit's rule of thumb: at least so many persons in each cell of group and arm.
_IN_EACH_CELL = 30
_SPARES_IN_EACH_GROUP = 3
_SEED = 1
# The account 'kobosmix serve' uses, so that it shows the demo's forms over the same database.
_ACCOUNT = "kobosmix"
_LAST_WINDOW_CLOSED = timedelta(days=7)
_WINDOW_DAY = re.compile(r"(?P<which>opens|closes): *(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """What the demo planted and found. `exact`: every line is; `summary` is that of summary.md."""

    folder: Path
    lines: tuple[Line, ...]
    submissions: int
    summary: str

    @property
    def exact(self) -> bool:
        """Whether all that was planted was found, and nothing else."""
        return all(line.is_equal for line in self.lines)


def run_demo(
    folder: Path,
    say: Say,
    progress: OnProgress = lambda _what, _done, _total: None,
    *,
    sample: Path | None = None,
) -> DemoReport:
    """Play a whole evaluation through a local server, and leave everything in `folder`.

    A folder that an earlier demo made is replaced; another one that holds anything is refused.
    """
    today = datetime.now(UTC).date()
    study = Study(folder.resolve())
    _make_room(study)
    _copy_sample(study, sample or content.sample_study(SAMPLE), today)
    with writing(study, "demo"):
        prepared = _build(study, say)
        rehearsal, sent = _field(study, prepared, today, say, progress)
        matched = _match(study, today, say)
    lines = _compared(study, rehearsal, sent, matched)
    report = _report(study, prepared, rehearsal, lines, matched)
    write_text(study.root / "summary.md", report.summary)
    return report


def _make_room(study: Study) -> None:
    marker = _marker(study)
    if study.root.exists() and not study.root.is_dir():
        raise UsageError(f"{study.root} is a file; name a folder for the demo")
    if study.root.is_dir() and any(study.root.iterdir()):
        if not marker.is_file():
            raise UsageError(
                f"{study.root} is not empty, and no demo made it; nothing was changed. Name a "
                "folder that is not there yet."
            )
        # The marker goes last: a demo that could not be removed whole can be removed again.
        for each in sorted(study.root.iterdir(), key=lambda path: path == marker.parent):
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    write_text(marker, "Made by 'kobosmix demo', which may replace this folder.\n")


def _marker(study: Study) -> Path:
    return study.state_file.parent / "demo"


def _copy_sample(study: Study, sample: Path, today: date) -> None:
    """The sample as it is, but with its windows moved to the time before today.

    Phones that had no network till today: they are dated within the windows, and the server gets
    everything now and stamps it now. The ledger then rightly flags every submission as late, and
    who is missing as overdue. Windows around today would put all waves on one day, and would have
    the test for mixed-up waves say either nothing or nonsense.
    """
    told = (sample / "context.yaml").read_text(encoding="utf-8")
    write_text(study.context_file, _windows_moved(told, today))
    write_bytes(study.enumerators_file, (sample / "enumerators.xlsx").read_bytes())


def _windows_moved(context: str, today: date) -> str:
    """All windows moved by as many days, so that the last one closed a week ago."""
    days = [date.fromisoformat(found["day"]) for found in _WINDOW_DAY.finditer(context)]
    if not days:
        return context
    by = today - _LAST_WINDOW_CLOSED - max(days)

    def moved(found: re.Match[str]) -> str:
        return f"{found['which']}: {date.fromisoformat(found['day']) + by}"

    return _WINDOW_DAY.sub(moved, context)


def _build(study: Study, say: Say) -> Prepared:
    context = prepare(study, engines=False).sound()
    _issue_ids(study, context)
    prepared = prepare(study)
    written = write_build(prepared)
    say(f"Built and checked {len(written)} forms for {len(context.groups)} groups.")
    return prepared


def _issue_ids(study: Study, context: Context) -> None:
    """IDs for every group, site and cohort, half of each on either arm, by lot."""
    places = list(product(context.sites, context.cohorts or [""]))
    each_group = _IN_EACH_CELL * max(1, len(context.arms))
    number = (each_group + _SPARES_IN_EACH_GROUP) * len(context.groups)
    fresh = iter(ids.issue_ids(number, ()))
    register = Register()
    for group in context.groups:
        for site, cohort in _share(places, each_group):
            register = add_respondents(
                register, [next(fresh)], group=group, site=site, cohort=cohort
            )
        spares = [next(fresh) for _ in range(_SPARES_IN_EACH_GROUP)]
        register = add_respondents(register, spares, group=group, status=SPARE)
    register = _assigned(register, tuple(context.arms))
    ids.remember_issued(study, register.by_id)
    write_register(study.register_file, register)
