"""Which waves are in the field: opened and closed by a person, each on one server.

On a server of this machine every wave is open until it is closed: there one rehearses, all waves
in an afternoon. On any other server a wave is open once somebody opens it, so that nobody is asked
the questions of the last wave in the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kobosmix.context.model import Context, Wave
from kobosmix.errors import KobosmixError, UsageError
from kobosmix.match.answers import answers_of
from kobosmix.match.model import Matched, PersonWave, State
from kobosmix.server.address import is_loopback
from kobosmix.steps import match_study, remembered_forms
from kobosmix.store import open_store
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.server.deploy import Project
    from kobosmix.server.model import Server

_WAITING = frozenset({State.DUE, State.OVERDUE, State.NOT_DUE})
_INTERVIEWED = frozenset({State.COMPLETED, State.PARTIAL})
# Who is not to be visited any more is expected by nobody.
_NOT_ASKED = frozenset({State.SPARE, State.WITHDRAWN})


class Stand(StrEnum):
    """How a wave stands on a server. CLOSING was begun and not finished."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    NOT_OPENED = "not opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStand:
    """How one wave stands, since which day, and of a closing one the forms closed so far."""

    stand: Stand
    since: str = ""
    closed: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether its forms are brought to phones."""
        return self.stand is Stand.OPEN

    def __str__(self) -> str:
        """As `open since 2027-03-01`."""
        return f"{self.stand} since {self.since}" if self.since else str(self.stand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The waves a deploy brings; `opens` is the one that it opens, and `why`."""

    waves: tuple[str, ...]
    opens: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBy:
    """What came in from one enumerator in one wave, and when the last of it did."""

    enumerator: str
    submissions: int
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StillExpected:
    """The people of one group and site in one wave: how many, and how many are still missing."""

    group: str
    site: str
    persons: int
    interviewed: int
    waiting: int
    not_met: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What to know before a wave is closed. `trouble` says why the register tells nothing."""

    sent: tuple[SentBy, ...]
    expected: tuple[StillExpected, ...]
    trouble: str = ""

    @property
    def waiting(self) -> int:
        """How many people the register still expects."""
        return sum(each.waiting for each in self.expected)


def wave_stands(study: Study, context: Context, server: str) -> dict[str, WaveStand]:
    """How each wave of the study stands on this server."""
    told = study.state().get("waves", {}).get(server, {})
    return {wave: _stand(told.get(wave), server) for wave in context.waves}


def choose_waves(
    study: Study, context: Context, server: str, today: date, shown: str
) -> Chosen:
    """The waves whose forms a deploy brings: those that are open.

    With none open it opens the only wave there is, or the only one inside its window today, unless
    somebody closed it. Otherwise a UsageError says what to type; `shown` is the study as typed.
    """
    stands = wave_stands(study, context, server)
    open_now = tuple(wave for wave, stand in stands.items() if stand.is_open)
    if open_now:
        return Chosen(waves=open_now)
    fresh = [wave for wave, stand in stands.items() if stand.stand is Stand.NOT_OPENED]
    inside = [wave for wave in fresh if is_inside(context.waves[wave], today)]
    if len(context.waves) == 1 and fresh:
        return Chosen(waves=(fresh[0],), opens=fresh[0], why="the only wave there is")
    if len(inside) == 1:
        why = f"today is in its window, {window_of(context.waves[inside[0]])}"
        return Chosen(waves=(inside[0],), opens=inside[0], why=why)
    raise UsageError(
        _which_to_open(context, stands, inside, _typed(study, server, shown), today)
    )


def practice_waves(study: Study, context: Context, server: str) -> tuple[str, ...]:
    """The waves to train for: those that are open, else the next that was not closed."""
    stands = wave_stands(study, context, server)
    open_now = tuple(wave for wave, stand in stands.items() if stand.is_open)
    to_come = [wave for wave, stand in stands.items() if stand.stand is Stand.NOT_OPENED]
    return open_now or tuple(to_come[:1]) or tuple(context.waves)


def open_wave(
    study: Study,
    server: Server,
    context: Context,
    wave: str,
    today: date,
    on_form: Callable[[str], None],
) -> int:
    """Open a wave: forms that are closed on the server take answers again; their number.

    They are opened as phones had them. Forms that were never there, or were built anew since, are
    for the next deploy.
    """
    from kobosmix.server.deploy import switch

    note_wave(study, server.url, wave, Stand.OPEN, today)
    projects = _projects(study, server, context, wave)
    switch(server, projects, lambda project: on_form(project.key), is_open=True)
    return len(projects)


def close_wave(
    study: Study,
    server: Server,
    wave: str,
    projects: Sequence[Project],
    today: date,
    on_form: Callable[[str], None],
) -> None:
    """Close a wave form by form, remembering each. Deploys leave it alone from the first on."""
    from kobosmix.server.deploy import switch

    closed = list[str]()
    note_wave(study, server.url, wave, Stand.CLOSING, today)

    def remember(project: Project) -> None:
        closed.append(project.key)
        note_wave(study, server.url, wave, Stand.CLOSING, today, closed)
        on_form(project.key)

    switch(server, projects, remember, is_open=False)
    note_wave(study, server.url, wave, Stand.CLOSED, today)


def note_wave(
    study: Study,
    server: str,
    wave: str,
    stand: Stand,
    today: date,
    closed: Iterable[str] = (),
) -> None:
    """Remember how a wave stands on this server, which is the study's server from then on."""
    waves = study.state().get("waves", {})
    told: dict[str, Any] = {"stand": str(stand), "since": today.isoformat()}
    if stand is Stand.CLOSING:
        told["closed"] = list(closed)
    study.remember(
        server=server, waves={**waves, server: {**waves.get(server, {}), wave: told}}
    )


def remove_practice(
    study: Study,
    server: Server,
    context: Context,
    practice: str,
    on_form: Callable[[str], None],
) -> int:
    """Close every project for training, or for a pretest, of this study; their number."""
    from kobosmix.server.deploy import switch

    projects = practice_projects(study, server, context, practice)
    switch(server, projects, lambda project: on_form(project.key), is_open=False)
    return len(projects)


def practice_projects(
    study: Study, server: Server, context: Context, practice: str
) -> tuple[Project, ...]:
    """The study's projects for training, or for a pretest, of every wave."""
    return tuple(
        project
        for wave in context.waves
        for project in _projects(study, server, context, wave, practice)
    )


def wave_projects(
    study: Study, server: Server, context: Context, wave: str
) -> tuple[Project, ...]:
    """The forms of a wave that were deployed to this server."""
    return _projects(study, server, context, wave)


def what_closing_means(study: Study, wave: str, today: date) -> Closing:
    """What came in by enumerator, and whom the register still expects, by what was pulled."""
    try:
        matched, trouble = match_study(study, today), ""
    except KobosmixError as error:
        matched, trouble = None, str(error)
    return Closing(
        sent=tuple(_sent_by(study, wave)),
        expected=tuple(_expected(matched, wave)) if matched else (),
        trouble=trouble,
    )


def last_pull(study: Study) -> datetime | None:
    """When the store was last written; None before the first pull."""
    if not study.store_file.exists():
        return None
    return datetime.fromtimestamp(study.store_file.stat().st_mtime, UTC)


def is_inside(wave: Wave, today: date) -> bool:
    """Whether some cohort's window of the wave holds this day."""
    return any(window.opens <= today <= window.closes for window in wave.windows.values())


def window_of(wave: Wave) -> str:
    """From the first day of any cohort to the last of any: `2027-03-01 to 2027-04-11`."""
    if not wave.windows:
        return "no window given"
    opens = min(window.opens for window in wave.windows.values())
    closes = max(window.closes for window in wave.windows.values())
    return f"{opens} to {closes}"


def _stand(told: Mapping[str, Any] | None, server: str) -> WaveStand:
    if told is None:
        return WaveStand(stand=Stand.OPEN if is_loopback(server) else Stand.NOT_OPENED)
    return WaveStand(
        stand=Stand(told["stand"]), since=told["since"], closed=tuple(told.get("closed", ()))
    )


def _which_to_open(
    context: Context,
    stands: Mapping[str, WaveStand],
    inside: Sequence[str],
    typed: str,
    today: date,
) -> str:
    shown = [
        f"{each.id} ({window_of(each)}; {stands[each.id]})" for each in context.waves.values()
    ]
    where = (
        f"today, {today}, is in the windows of {' and '.join(inside)}"
        if inside
        else f"today, {today}, is in the window of no wave that is not closed"
    )
    wave = inside[0] if inside else "WAVE"
    return (
        f"no wave is open on the server, and {where}: {', '.join(shown)}. No form goes to phones "
        f"before you open its wave:  kobosmix wave open {wave} {typed}"
    )


def _typed(study: Study, server: str, shown: str) -> str:
    known = study.state().get("server") == server
    return shown if known else f"{shown} --server {server}"


def _projects(
    study: Study, server: Server, context: Context, wave: str, practice: str = ""
) -> tuple[Project, ...]:
    from kobosmix.server.deploy import find_projects

    known = remembered_forms(study, practice)
    of_wave = {key: told for key, told in known.items() if key.partition("_")[0] == wave}
    return find_projects(server, context.study, wave, of_wave, practice)


def _sent_by(study: Study, wave: str) -> Iterator[SentBy]:
    if not study.store_file.exists():
        return
    codebooks, numbers, last = study.codebooks(), Counter[str](), dict[str, str]()
    with open_store(study.store_file, read_only=True) as store:
        for each in store.current():
            codebook = codebooks.get(str(each.content.get("kx_build", "")))
            if codebook is None or codebook.wave != wave or each.content.get("kx_purpose"):
                continue
            code = answers_of(each.content, codebook).get("enumerator", "")
            numbers[code] += 1
            last[code] = max(last.get(code, ""), each.received)
    for code, number in sorted(numbers.items()):
        yield SentBy(enumerator=code, submissions=number, last=last[code])


def _expected(matched: Matched, wave: str) -> Iterator[StillExpected]:
    cells = dict[tuple[str, str], list[PersonWave]]()
    for person in matched.persons:
        if person.wave == wave and person.state not in _NOT_ASKED:
            cells.setdefault((person.group, person.respondent.site), []).append(person)
    for (group, site), persons in sorted(cells.items()):
        yield StillExpected(
            group=group,
            site=site,
            persons=len(persons),
            interviewed=sum(each.state in _INTERVIEWED for each in persons),
            waiting=sum(each.state in _WAITING for each in persons),
            not_met=sum(each.state is State.NOT_CONTACTED for each in persons),
        )
