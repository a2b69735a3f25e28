"""`pull`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import (
    progress,
    say,
    show_json,
    show_table,
    study_argument,
)
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.pulling import Pulled

_CHANGES_SHOWN = 20
_ALWAYS_TOLD = ("new", "edited", "deleted", "unchanged")
_BECAME = {
    "edited": "edited",
    "reviewed": "reviewed by a supervisor",
    "media": "got a file late, or lost one",
    "deleted": "deleted on the server",
    "restored": "back on the server",
}


@click.command("pull")
@study_argument
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
@click.option(
    "--verify", is_flag=True, help="Then read all of it again, and prove that nothing differs."
)
@click.option("--attachments", is_flag=True, help="Fetch photos and other files too.")
@click.option("--json", "as_json", is_flag=True, help="What was found, for a program.")
def pull_command(
    study: Study, server_url: str, *, verify: bool, attachments: bool, as_json: bool
) -> None:
    """Fetch every submission into the study's store.

    New ones are added; edits, reviews, late files, deletions and returns are seen and listed, and
    every earlier version is kept. A pull that was cut short goes on where it stopped.

    \b
    kobosmix pull soup
    """
    from kobosmix.pulling import pull_study
    from kobosmix.server.pull import Progress
    from kobosmix.steps import deployments, server_of, signed_in

    keys = {each.uid: each.key for each in deployments(study).values()}
    url = server_of(study, server_url)
    with writing(study, "pull"), signed_in(url, say) as server, progress() as report:

        def on_progress(now: Progress) -> None:
            report(keys.get(now.asset_uid, now.asset_uid), now.seen, now.expected)

        pulled = pull_study(
            study, server, on_progress, verified=verify, with_attachments=attachments
        )
    if as_json:
        show_json(pulled.as_json())
    else:
        _show_pulled(pulled)
    pulled.require_whole()
    if any(not each.is_equal for each in pulled.verified):
        click.get_current_context().exit(1)


def _show_pulled(pulled: Pulled) -> None:
    tallies = [(pulled.keys[uid], tally) for uid, tally in pulled.report.assets.items()]
    rows = [(key, asdict(tally)) for key, tally in (*tallies, ("all", pulled.report.total))]
    # A column that is empty everywhere tells nothing; these three are always asked for.
    shown = [
        name
        for name in rows[-1][1]
        if name in _ALWAYS_TOLD or any(told[name] for _, told in rows)
    ]
    show_table(
        ("form", *shown), [(key, *(str(told[name]) for name in shown)) for key, told in rows]
    )
    for change in pulled.changes[:_CHANGES_SHOWN]:
        # What the server writes beside the answers, it writes with every edit.
        fields = [name for name in change.fields if not name.startswith(("_", "meta/"))]
        what = (
            f"{_BECAME[change.fate]}: {', '.join(fields)}" if fields else _BECAME[change.fate]
        )
        click.echo(f"{pulled.keys[change.asset_uid]} {change.server_id} {what}")
    if len(pulled.changes) > _CHANGES_SHOWN:
        say(
            f"and {len(pulled.changes) - _CHANGES_SHOWN} more changes; --json lists all of them"
        )
    for form in pulled.forms:
        if form.is_edited or form.note:
            say(f"{pulled.keys.get(form.asset_uid, form.asset_uid)}, {form}")
    for each in pulled.verified:
        click.echo(f"{pulled.keys[each.asset_uid]}: {each}")
    if pulled.attachments:
        click.echo(pulled.attachments)
