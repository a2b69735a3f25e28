"""`status`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from kobosmix.cli.console import say, show_json, show_table, shown_path, study_argument
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.status import Status

_STATES = {
    "completed": "completed",
    "partial": "partial",
    "refused": "refused",
    "not_contacted": "not met",
    "conflict": "to decide",
    "withdrawn": "withdrawn",
    "due": "due",
    "overdue": "overdue",
    "not_due": "not yet due",
}


@click.command("status")
@study_argument
@click.option("--json", "as_json", is_flag=True, help="The same, for a program.")
def status_command(study: Study, *, as_json: bool) -> None:
    """Where the study stands and what to type next.

    \b
    kobosmix status soup
    """
    from kobosmix.status import study_status

    status = study_status(study, shown_path(study), date.today())  # noqa: DTZ011 - local day
    if as_json:
        show_json(_for_programs(status))
        return
    click.echo(f"Study {status.study}")
    show_table(("what", "how it stands"), status.facts)
    met = [state for state in _STATES if any(wave.states.get(state) for wave in status.waves)]
    show_table(
        ("wave", "window", "sent", *(_STATES[state] for state in met)),
        [
            (
                wave.wave,
                wave.window,
                str(wave.submissions),
                *(str(wave.states.get(state, 0)) for state in met),
            )
            for wave in status.waves
        ],
    )
    say(f"Next:  {status.next_command}    ({status.why})")


def _for_programs(status: Status) -> dict[str, Any]:
    return {
        "study": status.study,
        **dict(status.facts),
        "waves": {
            wave.wave: {"forms": wave.stand, "submissions": wave.submissions, **wave.states}
            for wave in status.waves
        },
        "next": status.next_command,
    }
