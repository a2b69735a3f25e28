"""`wave open` and `wave close`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import one_of, progress, say, show_table, shown_path, today
from kobosmix.study import Study, open_study, writing

if TYPE_CHECKING:
    from kobosmix.context import Context
    from kobosmix.server.deploy import Project
    from kobosmix.server.model import Server
    from kobosmix.waves import Closing

_OLD = timedelta(days=1)

server_option = click.option(
    "--server", "server_url", default="", metavar="URL", help="The server's address."
)


@click.group("wave")
def wave_command() -> None:
    """Open and close a wave: only the forms of open waves are deployed.

    \b
    kobosmix wave open pre soup      phones can send with its forms
    kobosmix wave close pre soup     shows what is still missing, asks, then closes them
    """


@wave_command.command("open")
@click.argument("names", nargs=-1, required=True, metavar="WAVE... [STUDY]")
@server_option
def open_command(names: tuple[str, ...], server_url: str) -> None:
    """Open waves, or open them again after they were closed.

    Forms that are on the server are opened as phones had them, without being deployed anew.
    'kobosmix deploy' brings those that are not there yet, or were built anew.

    \b
    kobosmix wave open pre soup --server https://eu.kobotoolbox.org
    """
    from kobosmix.steps import server_of, signed_in
    from kobosmix.waves import open_wave

    waves, study = _waves_and_study(names)
    context = _context(study)
    for wave in waves:
        one_of(wave, context.waves, "wave")
    url = server_of(study, server_url, context)
    with writing(study, "wave open"), signed_in(url, say) as server:
        for wave in waves:
            number = open_wave(
                study, server, context, wave, today(), lambda key: click.echo(f"{key}: open")
            )
            click.echo(f"{wave} is open; {number} forms of it are on {url}.")
    say(f"Next:  kobosmix deploy {shown_path(study)}    (brings what is not there as built)")


@wave_command.command("close")
@click.argument("names", nargs=-1, required=True, metavar="WAVE [STUDY]")
@server_option
@click.option("--yes", is_flag=True, help="Close without asking.")
@click.option(
    "--no-pull", is_flag=True, help="Show what was pulled last, and pull nothing now."
)
def close_command(names: tuple[str, ...], server_url: str, *, yes: bool, no_pull: bool) -> None:
    """Close a wave: shows what is still missing, asks, then archives its forms.

    Pulls first, then shows by enumerator how many submissions came in and when the last one did,
    and by group and site whom the register still expects. A closed wave leaves 'kobosmix deploy'.
    'kobosmix wave open' undoes it.

    \b
    kobosmix wave close pre soup
    """
    from kobosmix.steps import server_of, signed_in
    from kobosmix.waves import close_wave, wave_projects, what_closing_means

    waves, study = _waves_and_study(names)
    context = _context(study)
    wave = one_of(waves[0], context.waves, "wave") if len(waves) == 1 else _one_at_a_time()
    url = server_of(study, server_url, context)
    with writing(study, "wave close"), signed_in(url, say) as server:
        projects = wave_projects(study, server, context, wave)
        _tell_of_pull(study, server, url, pulls=not no_pull)
        _show(what_closing_means(study, wave, today()))
        if projects:
            _warn(projects, wave, study, server.when_late)
            if not (yes or click.confirm(f"Close {wave} now?", err=True)):
                say("Nothing was closed.")
                click.get_current_context().exit(1)
        close_wave(study, server, wave, projects, today(), lambda k: click.echo(f"{k}: closed"))
    click.echo(f"{wave} is closed on {url}; {len(projects)} forms of it are there.")
    say(f"Undo:  kobosmix wave open {wave} {shown_path(study)}")


def _waves_and_study(names: Sequence[str]) -> tuple[tuple[str, ...], Study]:
    """The last word is the study where it is a folder; without one, it is the current folder."""
    *waves, last = names
    if waves and Path(last).is_dir():
        return tuple(waves), open_study(Path(last))
    return tuple(names), open_study(Path())


def _one_at_a_time() -> str:
    raise click.UsageError(
        "name one wave to close, and then the study: each is looked at alone"
    )


def _context(study: Study) -> Context:
    """What the study says of its waves, also where something else in it has to be put right."""
    from kobosmix.errors import InputError
    from kobosmix.prepare import prepare

    prepared = prepare(study, engines=False)
    if prepared.context is None:
        raise InputError(prepared.findings)
    return prepared.context


def _tell_of_pull(study: Study, server: Server, url: str, *, pulls: bool) -> None:
    from kobosmix.pulling import pull_study
    from kobosmix.steps import deployments
    from kobosmix.waves import last_pull

    if pulls and any(each.server == url for each in deployments(study).values()):
        with progress() as report:
            pulled = pull_study(
                study, server, lambda now: report("pulling", now.seen, now.expected)
            )
        say(f"Pulled just now: {pulled.report.total.new} submissions are new.")
        return
    pulled_at = last_pull(study)
    if pulled_at is None:
        say("Nothing was pulled from this server yet, so nothing is known of what came in.")
        return
    age = " - more than a day ago" if datetime.now(UTC) - pulled_at > _OLD else ""
    say(f"What follows was pulled on {pulled_at:%Y-%m-%d %H:%M} UTC{age}.")


def _show(closing: Closing) -> None:
    show_table(
        ("enumerator", "submissions", "last one received"),
        [
            (each.enumerator or "(none)", str(each.submissions), each.last)
            for each in closing.sent
        ],
    )
    if closing.trouble:
        say(f"Whom the register still expects is not known: {closing.trouble}")
        return
    show_table(
        ("group", "site", "persons", "interviewed", "not met", "still expected"),
        [
            (
                each.group or "(open)",
                each.site,
                *map(str, (each.persons, each.interviewed, each.not_met, each.waiting)),
            )
            for each in closing.expected
        ],
    )
    say(f"The register still expects {closing.waiting} persons in this wave.")


def _warn(projects: Sequence[Project], wave: str, study: Study, when_late: str) -> None:
    say(
        f"Closing takes {', '.join(each.key for each in projects)} from the phones' lists. "
        f"{when_late} 'kobosmix wave open {wave} {shown_path(study)}' undoes it. Let every phone "
        "send what it has before you close."
    )
