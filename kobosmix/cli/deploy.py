"""`deploy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kobosmix.cli.console import (
    one_of,
    say,
    shown_path,
    study_argument,
    today,
)
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.context import Context
    from kobosmix.prepare import Prepared
    from kobosmix.server.deploy import Plan
    from kobosmix.server.model import Server
    from kobosmix.waves import Chosen
    from kobosmix.wording.review import Purpose


@click.command("deploy")
@study_argument
@click.option("--server", "server_url", default="", metavar="URL", help="The server's address.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--replace-answered", is_flag=True, help="Replace forms that already have submissions."
)
@click.option(
    "--training", is_flag=True, help="Projects titled EXERCISE instead, to train with."
)
@click.option("--pretest", is_flag=True, help="Projects titled PRETEST instead, to try with.")
@click.option(
    "--wave",
    "waves",
    multiple=True,
    metavar="WAVE",
    help="With --training or --pretest: these waves, open or not.",
)
@click.option(
    "--remove", is_flag=True, help="With --training or --pretest: close its projects."
)
def deploy_command(study: Study, server_url: str, **how: Any) -> None:
    """Put the forms of the open waves on the server; twice changes nothing.

    Builds, checks, uploads the forms with their lists, deploys them, lets the accounts in
    enumerators.xlsx send, and reads back what phones will get. The server is remembered for the
    next commands. Wording that is not signed goes to a local server only.

    What is sent with EXERCISE and PRETEST forms is never pulled and never counted.

    \b
    kobosmix deploy soup --server http://127.0.0.1:8085
    kobosmix deploy soup --training
    kobosmix deploy soup --training --remove
    """
    from kobosmix.prepare import prepare
    from kobosmix.steps import server_of, signed_in, with_background_known

    practice = _practice(**how)
    with writing(study, "deploy"):
        prepared = with_background_known(study, prepare(study), today())
        url = server_of(study, server_url, prepared.sound())
        prepared.require_signed(_purpose(url, practice))
        chosen = _chosen(study, prepared.sound(), url, practice, how["waves"])
        with signed_in(url, say) as server:
            if how["remove"]:
                _remove(study, server, prepared.sound(), practice, dry_run=how["dry_run"])
            else:
                _deploy(study, prepared, server, chosen, practice, how)


def _practice(*, training: bool, pretest: bool, **how: Any) -> str:
    """What the projects are for: `training`, `pretest`, or "" for the field."""
    if training and pretest:
        raise click.UsageError("--training and --pretest are two runs: name one of them")
    if (how["waves"] or how["remove"]) and not (training or pretest):
        raise click.UsageError(
            "--wave and --remove are for --training and --pretest; the field gets the open waves "
            "('kobosmix wave open', 'kobosmix wave close')"
        )
    return "training" if training else "pretest" if pretest else ""


def _purpose(url: str, practice: str) -> Purpose:
    from kobosmix.server.address import is_loopback
    from kobosmix.wording.review import Purpose

    if is_loopback(url):
        return Purpose.LOCAL
    return Purpose(practice) if practice else Purpose.FIELD


def _chosen(
    study: Study, context: Context, url: str, practice: str, waves: Sequence[str]
) -> Chosen:
    """Which waves are brought. Practice also takes a wave that nobody has opened yet."""
    from kobosmix.waves import Chosen, choose_waves, practice_waves

    if not practice:
        return choose_waves(study, context, url, today(), shown_path(study))
    for wave in waves:
        one_of(wave, context.waves, "wave")
    return Chosen(waves=tuple(waves) or practice_waves(study, context, url))


def _deploy(
    study: Study,
    prepared: Prepared,
    server: Server,
    chosen: Chosen,
    practice: str,
    how: Mapping[str, Any],
) -> None:
    from kobosmix.build import write_build
    from kobosmix.steps import deploy_study, hand_over, plan_study_deploy
    from kobosmix.waves import Stand, note_wave

    plan = plan_study_deploy(
        study,
        prepared,
        server,
        waves=chosen.waves,
        practice=practice,
        replace_answered=how["replace_answered"],
    )
    _tell_first(plan, chosen)
    if how["dry_run"]:
        for step in plan.steps:
            click.echo(str(step))
        require_known(plan.unknown, server.url)
        return
    write_build(prepared)
    if chosen.opens:
        note_wave(study, server.url, chosen.opens, Stand.OPEN, today())
    unknown = deploy_study(study, plan, click.echo)
    if plan.changes_nothing:
        click.echo(f"{len(plan.forms)} forms are on the server as built; nothing to do.")
    else:
        click.echo(f"{len(plan.forms)} forms are on the server, and phones get them as built.")
    page, *_ = hand_over(study, prepared, server, practice)
    click.echo(
        f"{page.relative_to(study.root).as_posix()} is for the team: how phones get them."
    )
    require_known(unknown, server.url)


def _tell_first(plan: Plan, chosen: Chosen) -> None:
    """What a person should read before anything is done."""
    if chosen.opens:
        say(f"The wave {chosen.opens} is opened: {chosen.why}.")
    for each in plan.forms:
        if each.edited:
            say(f"{each.form.key} was edited on the server. This goes when it is replaced:")
            say("\n".join(map(str, each.edited)))
    if plan.public:
        say(
            f"Anyone can read the answers to {', '.join(plan.public)}, without an account: on the "
            "server, under Settings and Sharing, take the right to view submissions from everyone."
        )


def require_known(unknown: Sequence[str], url: str) -> None:
    """Raise a StudyError where an enumerator's account is not on the server."""
    from kobosmix.errors import StudyError
    from kobosmix.server.address import is_loopback

    if not unknown:
        return
    told = (
        f"{url} knows no account as it is written for {', '.join(unknown)} in enumerators.xlsx, "
        "so they cannot send"
    )
    if is_loopback(url):
        say(f"{told}. On a server of this machine that matters to nobody else.")
        return
    raise StudyError(
        f"{told}. Everyone else can. Correct the column 'account', or have the account made; then "
        "deploy again."
    )


def _remove(
    study: Study, server: Server, context: Context, practice: str, *, dry_run: bool
) -> None:
    from kobosmix.waves import practice_projects, remove_practice

    if dry_run:
        for project in practice_projects(study, server, context, practice):
            click.echo(f"{project.key}: {'close it' if project.is_open else 'closed already'}")
        return
    number = remove_practice(
        study, server, context, practice, lambda key: click.echo(f"{key}: closed")
    )
    click.echo(
        f"{number} {practice} projects are off the phones' lists; what was sent stays on the server."
    )
