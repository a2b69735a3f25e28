"""`ids`."""

from __future__ import annotations

import math

import click

from kobosmix.cli.console import one_of, say, show_table, study_argument
from kobosmix.context import Context
from kobosmix.errors import StudyError
from kobosmix.study import Study, writing

_SPARE_SHARE = 0.1


@click.command("ids")
@study_argument
@click.option("--group", required=True, help="The respondent group, as context.yaml names it.")
@click.option("--count", "-n", required=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--site", default="", help="The site they belong to.")
@click.option("--cohort", default="", help="The cohort they belong to.")
@click.option("--partner", default="", help="The partner they belong to.")
@click.option("--spare", type=click.IntRange(0), help="IDs for walk-ins [default: 10 %]")
def ids_command(study: Study, group: str, count: int, spare: int | None, **place: str) -> None:
    """Issue respondent IDs into register.xlsx.

    IDs are random, eight digits with a check digit, and never used twice. The register holds no
    names; who has which number is kept by the designated member, elsewhere.

    \b
    kobosmix ids soup --group turks --site sahinbey --count 60
    """
    from kobosmix.people import ids
    from kobosmix.people.model import SPARE
    from kobosmix.people.read import refuse_to_drop, remember_respondents
    from kobosmix.people.register import add_respondents, write_register
    from kobosmix.prepare import prepare

    with writing(study, "ids"):
        prepared = prepare(study, engines=False)
        # What else is wrong with the study does not matter for issuing IDs.
        context = prepared.trusted("Y", "C101", "R")
        if not context.has_issued_ids:
            raise StudyError(
                "this study has self-generated codes, so nobody is issued a number. With "
                "'id_method: register' in context.yaml it would be."
            )
        refuse_to_drop(prepared.findings, "issuing IDs")
        _check_place(context, group, place)
        spares = math.ceil(count * _SPARE_SHARE) if spare is None else spare
        known = prepared.register
        fresh = ids.issue_ids(
            count + spares, set(known.by_id), issued=ids.issued_digests(study)
        )
        register = add_respondents(known, fresh[:count], group=group, **place)
        register = add_respondents(register, fresh[count:], group=group, status=SPARE, **place)
        remember_respondents(study, [register.by_id[each] for each in fresh])
        write_register(study.register_file, register)
    show_table(
        ("group", "issued", "spare", "in the register now"),
        [(group, str(count), str(spares), str(len(register.respondents)))],
    )
    say("register.xlsx holds the numbers. Names never go into it.")


def _check_place(context: Context, group: str, place: dict[str, str]) -> None:
    one_of(group, context.groups, "group")
    known = {"site": context.sites, "cohort": context.cohorts, "partner": context.partners}
    for what, code in place.items():
        if code:
            one_of(code, known[what], what)
