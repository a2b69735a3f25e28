"""`print`."""

from __future__ import annotations

import click

from kobosmix.cli.console import progress, say, study_argument
from kobosmix.study import Study, writing

# As `kobosmix.printed.WHAT`, which is not loaded before it is needed; a test holds them equal.
PAGES = ("paper", "cards", "manual")
WHAT = (*PAGES, "review")


@click.command("print")
@study_argument
@click.option(
    "--what",
    multiple=True,
    type=click.Choice(WHAT),
    help="Only this; can be given more than once [default: paper, cards and manual].",
)
@click.option("--pdf", is_flag=True, help="Also as PDF; needs kobosmix[pdf].")
@click.option("--docx", is_flag=True, help="Also the review, in Word; needs kobosmix[docx].")
def print_command(study: Study, what: tuple[str, ...], *, pdf: bool, docx: bool) -> None:
    """Print paper forms, show cards, the manual, and a review to comment on.

    Everything goes to build/print/. 'kobosmix build' has written the pages already, in HTML that
    prints from any browser; --pdf makes PDF of them. The review, for authorities and partners, has
    every language of a form side by side and a column for comments.

    \b
    kobosmix print soup --pdf
    kobosmix print soup --what review
    """
    from kobosmix.steps import print_study

    with writing(study, "print"), progress() as report:
        written = print_study(study, what or PAGES, pdf=pdf, docx=docx, report=report)
    for path in written:
        click.echo(path.relative_to(study.root).as_posix())
    if not written:
        say(
            "Nothing to print. Show cards are for interviews face to face, a manual for interviews; "
            "and a language whose sentences for print are not whole is left out ('kobosmix check')."
        )
