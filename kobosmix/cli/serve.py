"""`serve` and `rehearse`."""

from __future__ import annotations

from pathlib import Path

import click

from kobosmix.cli.console import (
    progress,
    say,
    show_table,
    study_argument,
)
from kobosmix.study import Study, writing

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
    from kobosmix.rehearse import plan_rehearsal
    from kobosmix.steps import note_rehearsal, server_of, signed_in

    url = server_of(study, server_url)
    with writing(study, "rehearse"), signed_in(url, say) as server, progress() as report:
        rehearsal = plan_rehearsal(study, server, seed=seed)
        # Noted before anything is sent, for one that is cut short has sent invented people too; but
        # not where it is refused: real answers must never count as invented.
        note_rehearsal(study)
        rehearsal.send(report)
    show_table(("planted", "expected in the ledger", "number"), rehearsal.script.as_rows())
    say(
        "These people are invented. What this study pulls from here counts only until it is "
        "deployed to another server; from then on it stands in the ledger as 'test'."
    )
