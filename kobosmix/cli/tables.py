"""`match` and `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import say, show_table, study_argument, today
from kobosmix.study import Study, writing

if TYPE_CHECKING:
    from kobosmix.match import Matched


@click.command("match")
@study_argument
def match_command(study: Study) -> None:
    """Match the waves of each respondent; list what needs a person.

    Every submission ends in exactly one bucket of match/submissions.xlsx, every person in one
    state per wave of match/persons.xlsx. Nothing is corrected or dropped silently.

    \b
    kobosmix match soup
    """
    from kobosmix.match import write_match
    from kobosmix.match.model import Bucket
    from kobosmix.steps import match_study

    with writing(study, "match"):
        matched = match_study(study, today())
        write_match(study.match_folder, matched)
    waves = matched.design.waves
    rows = []
    for bucket in Bucket:
        numbers = [
            sum(entry.bucket is bucket and entry.wave == wave for entry in matched.entries)
            for wave in waves
        ]
        total = sum(entry.bucket is bucket for entry in matched.entries)
        if total:
            rows.append((str(bucket), *map(str, numbers), str(total)))
    rows.append(
        (
            "all submissions",
            *(str(sum(entry.wave == wave for entry in matched.entries)) for wave in waves),
            str(len(matched.entries)),
        )
    )
    show_table(("bucket", *waves, "all"), rows)
    _say_what_needs_a_person(matched)
    _say_if_invented(study)


def _say_what_needs_a_person(matched: Matched) -> None:
    from kobosmix.match.model import UNRESOLVED, Flag

    undecided = sum(entry.bucket in UNRESOLVED for entry in matched.entries)
    if undecided:
        say(f"{undecided} submissions need a person: match/submissions.xlsx says why.")
    edited = sum(Flag.FORM_EDITED in entry.flags for entry in matched.entries)
    if edited:
        say(
            f"{edited} submissions were made with a form that was edited on the server: the sheet "
            "'Edited forms' of match/submissions.xlsx says what people were asked instead."
        )


@click.command("export")
@study_argument
@click.option(
    "--headings",
    type=click.Choice(["variables", "toolkit"]),
    default="variables",
    show_default=True,
    help="Variable names, or the headings of the toolkit's sample spreadsheet.",
)
@click.option("--everyone", is_flag=True, help="Also the people without any interview.")
def export_command(study: Study, headings: str, *, everyone: bool) -> None:
    """Write the tables for analysis, the codebook and the topline.

    One row a respondent, the answers of each wave side by side, in data/wide.csv for programs and
    data/wide.xlsx for people; why answers are missing in data/missing.csv; what each column means
    in data/codebook.xlsx; counts by answer, wave, group, sex and arm in data/topline.xlsx.

    \b
    kobosmix export soup
    kobosmix export soup --headings toolkit
    """
    from kobosmix.steps import export_study

    with writing(study, "export"):
        matched, written = export_study(
            study,
            today(),
            headings="toolkit" if headings == "toolkit" else "variables",
            everyone=everyone,
        )
    persons = {interview.rid for interview in matched.interviews}
    say(f"{len(persons)} respondents with {len(matched.interviews)} interviews, in data/:")
    for path in written:
        click.echo(path.name)
    _say_if_invented(study)


def _say_if_invented(study: Study) -> None:
    from kobosmix.steps import is_rehearsing

    if is_rehearsing(study):
        say("This study rehearsed on its server: the people are invented.")
