"""The demo: a whole evaluation on this machine, with invented people and known faults."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from kobosmix import content
from kobosmix.build import write_build
from kobosmix.context import Context
from kobosmix.errors import UsageError
from kobosmix.files import write_bytes, write_text
from kobosmix.people import ids
from kobosmix.people.model import SPARE, Register
from kobosmix.people.read import remember_respondents
from kobosmix.people.register import add_respondents, write_register
from kobosmix.prepare import Prepared, prepare
from kobosmix.rehearse.compare import Line, compare, compare_sent, compare_table
from kobosmix.rehearse.script import Script
from kobosmix.rehearse.send import OnProgress, Sent
from kobosmix.rehearse.summary import summary_text
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.match.model import Matched
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
_WINDOW_DAY = re.compile(
    r"(?P<which>opens|closes|withdrawal_until): *(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
)


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


@dataclass(frozen=True, kw_only=True)
class _Played:
    """What was sent, with what must come of it, and what the server said."""

    script: Script
    sent: Sent


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
        played = _play(study, prepared, say, progress)
        matched = _match(study, today, say)
        report = _report(study, prepared, played, matched)
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
        with writing(study, "demo"):
            pass  # Nobody is at work in it, or this has raised.
        # The marker's folder goes last: what could not be removed whole can be removed again.
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
    days = [
        date.fromisoformat(found["day"])
        for found in _WINDOW_DAY.finditer(context)
        if found["which"] == "closes"
    ]
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
    """IDs for every group, site and cohort, half of each on either arm by lot, and spare ones."""
    places = list(product(context.sites, context.cohorts or [""]))
    partner = next(iter(context.partners), "")
    each_group = _IN_EACH_CELL * max(1, len(context.arms))
    number = (each_group + _SPARES_IN_EACH_GROUP) * len(context.groups)
    fresh = ids.issue_ids(number, (), issued=ids.issued_digests(study))
    register = Register()
    for group in context.groups:
        for place, (site, cohort) in enumerate(places):
            here = [fresh.pop() for _ in range(place, each_group, len(places))]
            register = add_respondents(
                register, here, group=group, site=site, cohort=cohort, partner=partner
            )
        spares = [fresh.pop() for _ in range(_SPARES_IN_EACH_GROUP)]
        register = add_respondents(register, spares, group=group, status=SPARE)
    register = _assigned(register, tuple(context.arms))
    remember_respondents(study, register.respondents)
    write_register(study.register_file, register)


def _assigned(register: Register, arms: Sequence[str]) -> Register:
    """Arms by lot, in turn within each group, site and cohort, so that they stay balanced."""
    if not arms:
        return register
    persons = list(register.respondents)
    SystemRandom().shuffle(persons)
    persons.sort(key=lambda person: (person.status, person.group, person.site, person.cohort))
    assigned = [
        person if person.status == SPARE else replace(person, arm=arm)
        for person, arm in zip(persons, cycle(arms), strict=False)
    ]
    return Register(tuple(sorted(assigned, key=lambda person: person.id)))


def _play(study: Study, prepared: Prepared, say: Say, progress: OnProgress) -> _Played:
    """Deploy to a local server, then send and pull wave after wave, all over HTTP."""
    from kobosmix.pulling import pull_study
    from kobosmix.rehearse.rehearsal import plan_rehearsal
    from kobosmix.steps import deploy_study, plan_study_deploy

    with _local_server(study) as server:
        plan = plan_study_deploy(study, prepared, server)
        deploy_study(study, plan)
        say(f"Deployed {len(plan.forms)} forms to a local server at {server.url}.")
        rehearsal = plan_rehearsal(study, server, seed=_SEED)
        sent = Sent()
        for wave in rehearsal.script.waves:
            now = rehearsal.send_wave(wave, progress)
            pulled = pull_study(study, server).require_whole()
            say(
                f"{wave}: {now.taken} submissions sent, {pulled.report.total.new} new ones pulled."
            )
            sent += now
    return _Played(script=rehearsal.script, sent=sent)


@contextmanager
def _local_server(study: Study) -> Iterator[KoboServer]:
    from kobosmix.server.http import Connection
    from kobosmix.server.kobo import KoboServer
    from kobosmix.server.local.accounts import create_account
    from kobosmix.server.local.run import LocalServer

    database = _database(study)
    with (
        LocalServer(database) as local,
        Connection(local.url, create_account(database, _ACCOUNT)) as connection,
    ):
        yield KoboServer(connection)


def _database(study: Study) -> Path:
    return study.state_file.parent / "server.sqlite"


def _match(study: Study, today: date, say: Say) -> Matched:
    from kobosmix.match import write_match
    from kobosmix.steps import export_study

    matched, written = export_study(study, today)
    write_match(study.match_folder, matched)
    say(f"Matched {len(matched.interviews)} interviews; {len(written)} tables are in data/.")
    return matched


def _report(study: Study, prepared: Prepared, played: _Played, matched: Matched) -> DemoReport:
    script, sent = played.script, played.sent
    lines = (
        *compare_sent(script, sent),
        *compare(script, matched),
        compare_table(script, matched, study.tables_folder / "wide.csv"),
    )
    title = f"Demo: {prepared.sound().study}"
    summary = summary_text(title, _opening(study, prepared, sent), script, lines, matched)
    return DemoReport(folder=study.root, lines=lines, submissions=sent.taken, summary=summary)


def _opening(study: Study, prepared: Prepared, sent: Sent) -> list[str]:
    context = prepared.sound()
    persons = len(prepared.register.respondents)
    return [
        f"{len(prepared.forms)} forms ({', '.join(context.languages)}) were built, checked and "
        f"deployed to a local server. {persons} IDs were issued. {sent.taken} submissions were "
        "sent as phones send them, pulled, matched and written as tables. Place and forms are "
        "the sample's; the people, their answers and what goes wrong are invented.",
        "The windows of context.yaml were moved to before today, as if phones had been without a "
        "network until now: so every submission is late, and who is missing is overdue.",
        f"Look at build/ (forms, codebooks), match/ (both ledgers), data/ (tables) in "
        f"{study.root.name}/. 'kobosmix serve --database {_shown(study)}' shows the server again.",
    ]


def _shown(study: Study) -> str:
    return str(_database(study).relative_to(study.root.parent))
