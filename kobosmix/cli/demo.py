"""`demo`."""

from __future__ import annotations

from pathlib import Path

import click

from kobosmix.cli.console import progress, say


@click.command("demo")
@click.argument(
    "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("demo")
)
def demo_command(folder: Path) -> None:
    """Run a whole evaluation on this machine, with invented people.

    The sample study of Gaziantep: 120 respondents in two groups and two arms, two waves and a
    follow-up, with the faults that happen in the field, through a local server over HTTP. Forms,
    ledger, tables and a short summary are left in FOLDER [default: demo].

    \b
    kobosmix demo
    """
    from kobosmix.demo import run_demo

    with progress() as report:
        told = run_demo(folder, say, report)
    click.echo(told.summary)
    if not told.exact:
        click.get_current_context().exit(4)
