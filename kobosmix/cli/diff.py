"""`diff`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobosmix.cli.console import StudyFolder, say, show_json, show_table
from kobosmix.errors import UsageError
from kobosmix.study import Study, open_study

if TYPE_CHECKING:
    from kobosmix.changes import Compared
    from kobosmix.xlsform.diff import Change

_COLOURS = {"breaking": "red", "addition": "yellow", "wording": "yellow", "cosmetic": "blue"}
_LAST = "the last one"


@click.command("diff")
@click.argument("old", default="")
@click.argument("new", default="")
@click.option(
    "--study",
    type=StudyFolder(),
    metavar="DIR",
    help="The study whose builds are named [default: this folder].",
)
@click.option(
    "--server",
    "server_url",
    is_flag=False,
    flag_value=_LAST,
    default="",
    metavar="[URL]",
    help="Compare the forms of study OLD as they were built with those on the server now.",
)
@click.option("--json", "as_json", is_flag=True, help="The changes, for a program.")
def diff_command(
    old: str, new: str, study: Study | None, server_url: str, *, as_json: bool
) -> None:
    """Say what changed between two forms, and what that means for answers collected.

    OLD and NEW are two XLSForm workbooks, two build ids or form names of one study, or two
    studies. With --server, OLD is a study. Exit code 1 if a change is breaking: answers from
    before and after must not be pooled.

    \b
    kobosmix diff old.xlsx new.xlsx
    kobosmix diff kx0a1b2c3d4e5f pre_turks --study soup
    kobosmix diff soup --server
    """
    compared = (
        _with_server(old, new, study, server_url)
        if server_url
        else _with_each_other(old, new, study)
    )
    every = [change for each in compared for change in each.changes]
    if as_json:
        show_json(_as_json(compared, every))
    else:
        _show(compared, every)
    if any(change.level == "breaking" for change in every):
        click.get_current_context().exit(1)


def _with_each_other(old: str, new: str, study: Study | None) -> list[Compared]:
    from kobosmix.changes import compare

    if not (old and new):
        raise UsageError(
            "name two forms: two workbooks, two builds of a study or two studies; or one study "
            "and --server"
        )
    return compare(old, new, study or _study_here())


def _with_server(old: str, new: str, study: Study | None, url: str) -> list[Compared]:
    from kobosmix.changes import compare_with_server
    from kobosmix.steps import server_of, signed_in

    if new or (old and study):
        raise UsageError("with --server, name one study and nothing else")
    study = study or open_study(Path(old or "."))
    with signed_in(server_of(study, "" if url == _LAST else url), say) as server:
        return compare_with_server(study, server)


def _study_here() -> Study | None:
    here = Study(Path.cwd())
    return here if here.context_file.is_file() else None


def _show(compared: Sequence[Compared], every: Sequence[Change]) -> None:
    from kobosmix.xlsform.diff import Level, verdict

    for each in compared:
        if len(compared) > 1 and (each.changes or each.note):
            click.echo(click.style(f"{each.form}: {each.old}, {each.new}", bold=True))
        for change in each.changes:
            click.echo(_coloured(change))
        if each.note:
            click.echo(f"{each.form}: {each.note}")
    if len(compared) > 1:
        counts = {
            each.form: Counter(change.level for change in each.changes) for each in compared
        }
        show_table(
            ("form", *(str(level) for level in Level)),
            [(form, *(str(count[level]) for level in Level)) for form, count in counts.items()],
        )
    click.echo(verdict(every))


def _coloured(change: Change) -> str:
    # Of what is cosmetic, one line says all.
    told = str(change).splitlines()[0] if change.level == "cosmetic" else str(change)
    level, _, rest = told.partition(" ")
    return f"{click.style(level, fg=_COLOURS[level])} {rest}"


def _as_json(compared: Sequence[Compared], every: Sequence[Change]) -> dict[str, Any]:
    from kobosmix.files import as_json
    from kobosmix.xlsform.diff import verdict

    return {
        "verdict": verdict(every),
        "is_breaking": any(change.level == "breaking" for change in every),
        "forms": [
            {**as_json(each), "changes": [as_json(change) for change in each.changes]}
            for each in compared
        ],
    }
