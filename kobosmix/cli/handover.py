"""`links`."""

from __future__ import annotations

import click

from kobosmix.cli.console import say, study_argument
from kobosmix.study import Study, writing


@click.command("links")
@study_argument
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
def links_command(study: Study, server_url: str) -> None:
    """Write the page for phones and web forms, and personal links, again.

    As 'kobosmix deploy' does at its end, into handover/: what is on the server stays as it is.
    Where people fill the forms in alone, everybody in the register has a personal link; who has
    one already keeps it.

    \b
    kobosmix links soup
    """
    from kobosmix.steps import links_of_study, server_of, signed_in

    url = server_of(study, server_url)
    with writing(study, "links"), signed_in(url, say) as server:
        written = links_of_study(study, server)
    for path in written:
        click.echo(path.relative_to(study.root).as_posix())
    if len(written) > 1:
        say("The links are personal: whoever opens one answers in that person's name.")
