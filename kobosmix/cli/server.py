"""`serve`, `deploy`, `rehearse` and `pull`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import progress, say, show_json, show_table, study_argument, today
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
_PORT = 8085
_ACCOUNT = "kobosmix"


@click.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True)
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the server keeps what it is given [default: with your private settings].",
)
def serve_command(port: int, database: Path | None) -> None:
    """Run a local server that speaks the language of KoboToolbox.

    For rehearsals, training and fieldwork on one laptop: it answers on this machine only, keeps
    its own database, and makes a token that the other commands find by themselves. Stop it with
    Ctrl-C; what it holds is there again next time.

    \b
    kobosmix serve
    """
    from kobosmix.server.credentials import save_token
    from kobosmix.server.local.accounts import create_account
    from kobosmix.server.local.run import serve_forever
    from kobosmix.server.private_file import credentials_file

    database = database or credentials_file().parent / "local_server.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)

    def ready(url: str) -> None:
        save_token(url, create_account(database, _ACCOUNT))
        say(f"Serving on {url}; Ctrl-C stops it. Next:  kobosmix deploy STUDY --server {url}")

    serve_forever(database, port, ready)


@click.command("deploy")
@study_argument
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--replace-answered", is_flag=True, help="Replace forms that already have submissions."
)
def deploy_command(
    study: Study, server_url: str, *, dry_run: bool, replace_answered: bool
) -> None:
    """Put the forms on the server; twice changes nothing.

    Builds, checks, uploads the forms with their lists, deploys them, and reads back what phones
    will get. The server is remembered for the next commands. Wording that is not signed goes to
    a local server only.

    \b
    kobosmix deploy soup --server http://127.0.0.1:8085
    """
    from kobosmix.build import write_build
    from kobosmix.prepare import prepare
    from kobosmix.server.address import is_loopback
    from kobosmix.steps import (
        deploy_study,
        plan_study_deploy,
        server_of,
        signed_in,
        with_background_known,
    )
    from kobosmix.wording.review import Purpose

    with writing(study, "deploy"):
        prepared = with_background_known(study, prepare(study), today())
        url = server_of(study, server_url, prepared.sound())
        prepared.require_signed(Purpose.LOCAL if is_loopback(url) else Purpose.FIELD)
        with signed_in(url, say) as server:
            plan = plan_study_deploy(study, prepared, server, replace_answered=replace_answered)
            if dry_run:
                for step in plan.steps:
                    click.echo(str(step))
                return
            write_build(prepared)
            deploy_study(study, plan, click.echo)
    if plan.changes_nothing:
        click.echo(f"{len(plan.forms)} forms are on the server as built; nothing to do.")
    else:
        click.echo(f"{len(plan.forms)} forms are on the server, and phones get them as built.")


@click.command("rehearse")
@study_argument
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other people.")
def rehearse_command(study: Study, server_url: str, seed: int) -> None:
    """Send invented interviews to the local server, with known faults.

    Simulated people from the register answer the forms that are deployed, through every wave,
    and things go wrong as they do in the field. Only ever on a local server.

    \b
    kobosmix rehearse soup
    """
    from kobosmix.rehearse import rehearse
    from kobosmix.steps import note_rehearsal, server_of, signed_in

    url = server_of(study, server_url)
    with writing(study, "rehearse"), signed_in(url, say) as server, progress() as report:
        # Before anything is sent: a rehearsal that is cut short has sent invented people too.
        note_rehearsal(study)
        sent = rehearse(study, server, seed=seed, on_progress=report)
    show_table(("planted", "expected in the ledger", "number"), sent.as_rows())
    say(
        "These people are invented. What this study pulls from here counts only until it is "
        "deployed to another server; from then on it stands in the ledger as 'test'."
    )


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
