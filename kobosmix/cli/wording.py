"""`wording sheet`, `import`, `proof`, `status` and `adopt`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from kobosmix.cli.console import (
    StudyFolder,
    say,
    show_findings,
    show_json,
    show_table,
    shown_path,
)
from kobosmix.findings import has_errors
from kobosmix.study import Study, writing

study_option = click.option(
    "--study",
    type=StudyFolder(),
    default=".",
    metavar="DIR",
    help="The study folder [default: here].",
)


@click.group("wording")
def wording_command() -> None:
    """Translate, proof-read and sign every sentence of a study.

    \b
    kobosmix wording sheet tr        a workbook for the translator
    kobosmix wording proof tr        a workbook to read, correct and sign
    kobosmix wording import FILE     takes either back
    kobosmix wording status          what is missing, draft, signed, or changed since
    kobosmix wording adopt FILE      the published English, from your copy of the toolkit
    """


@wording_command.command("sheet")
@click.argument("language")
@study_option
@click.option(
    "--more-columns",
    is_flag=True,
    help="Room for a second translation, a back-translation and the adjudicated text.",
)
@click.option(
    "--templates",
    is_flag=True,
    help="The sentences with their slots, and the name forms, instead.",
)
@click.option("--recording", is_flag=True, help="A script for recording the sentences instead.")
def sheet_command(
    language: str, study: Study, *, more_columns: bool, templates: bool, recording: bool
) -> None:
    """Write the sentences of LANGUAGE into a workbook for a translator.

    Each row is a final sentence, with the names of this study in it, as a respondent will hear
    it. The translator changes the column 'text'; 'kobosmix wording import' takes it back.

    \b
    kobosmix wording sheet tr --study soup
    """
    from kobosmix.translate import write_recording_script, write_sheet, write_templates_sheet

    with writing(study, "wording sheet"):
        if recording:
            path = write_recording_script(study, language)
        elif templates:
            path = write_templates_sheet(study, language)
        else:
            path = write_sheet(study, language, more_columns=more_columns)
    _show_path(study, path)


@wording_command.command("proof")
@click.argument("language")
@study_option
def proof_command(language: str, study: Study) -> None:
    """Write the proof of LANGUAGE: every final sentence, to be read, corrected and signed.

    A native speaker corrects it and signs once, on the page 'Sign'; the person who answers for
    consent signs the consent. A sheet for a pretest with six to eight people is written beside it.

    \b
    kobosmix wording proof tr --study soup
    """
    from kobosmix.translate import write_proof

    with writing(study, "wording proof"):
        for path in write_proof(study, language):
            _show_path(study, path)


@wording_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@study_option
@click.option("--yes", is_flag=True, help="Write the changes without asking.")
@click.option(
    "--from-form", is_flag=True, help="FILE is an XLSForm with translations you already have."
)
def import_command(file: Path, study: Study, *, yes: bool, from_form: bool) -> None:
    """Take back a sheet or a proof: shows what changes, asks, then writes.

    With a row that cannot be read nothing is written at all. A signed proof is recorded, sentence
    by sentence; what changes later is open again. An old form is laid beside the study's wording
    in a sheet; what is marked 'yes' there is taken when that sheet is imported.

    \b
    kobosmix wording import wording/proof_tr.xlsx --study soup
    kobosmix wording import --from-form old_form.xlsx --study soup
    """
    from kobosmix.wording.reread import about_of
    from kobosmix.wording.sheet import TEMPLATES

    with writing(study, "wording import"):
        if from_form:
            _compare(study, file)
        elif about_of(file).kind == TEMPLATES:
            _import_templates(study, file, yes=yes)
        else:
            _import_sheet(study, file, yes=yes)


@wording_command.command("status")
@study_option
@click.option("--json", "as_json", is_flag=True, help="For a program.")
def status_command(study: Study, *, as_json: bool) -> None:
    """How far each language is translated and signed."""
    from dataclasses import asdict

    from kobosmix.translate import wording_status

    languages = [asdict(each) for each in wording_status(study)]
    if as_json:
        show_json({"languages": languages})
        return
    counts = ("texts", "missing", "draft", "stale", "signed")
    show_table(
        ("tag", "language", *counts),
        [
            (each["tag"], each["english"], *(str(each[count]) for count in counts))
            for each in languages
        ],
    )


@wording_command.command("adopt")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@study_option
@click.option("--json", "as_json", is_flag=True, help="What was found and what is missing.")
def adopt_command(file: Path, study: Study, *, as_json: bool) -> None:
    """Take the published English wording out of your own copy of the toolkit.

    FILE is the toolkit by Tropp and Morhayim (2022) as text or PDF. Each published sentence is
    found by its fingerprint and written into this study, word by word; kobosmix holds none of
    them. Translations stay as starting texts and have to be signed for the new English.

    \b
    kobosmix wording adopt toolkit.pdf --study soup
    """
    from kobosmix.translate import adopt_published

    with writing(study, "wording adopt"):
        adoption = adopt_published(study, file)
    if as_json:
        show_json({"found": list(adoption.found), "missing": list(adoption.missing)})
        return
    for key in adoption.missing:
        click.echo(f"missing: {key}")
    click.echo(
        f"{len(adoption.found)} published sentences found, {len(adoption.missing)} missing."
    )
    if "text.intro_interview_1" in adoption.found:
        say(
            "The published introduction names the organisation of its authors. If that is not "
            "yours, change text.intro_interview_1 in translations/en.po."
        )
    say(f"Next:  kobosmix check {shown_path(study)}")


def _compare(study: Study, old: Path) -> None:
    from kobosmix.translate import compare_with_form

    for path, number in compare_with_form(study, old):
        say(
            f"{number} sentence{_s(number)} of the form differ. Write 'yes' under 'take', then import:"
        )
        _show_path(study, path)


def _import_sheet(study: Study, file: Path, *, yes: bool) -> None:
    from kobosmix.translate import read_sheet, take_sheet_in

    today = date.today()  # noqa: DTZ011 - the day where the reader signs
    taken = read_sheet(study, file, today)
    show_findings(taken.findings)
    if has_errors(taken.findings):
        _stop("Nothing was imported.")
    _show_taken(file, taken)
    signing = taken.given.signatures
    if not taken.changes and not signing:
        say("Nothing has changed.")
    elif yes or click.confirm(_question(len(taken.changes), len(signing)), err=True):
        signed = take_sheet_in(study, taken, today)
        if taken.changes:
            click.echo(f"{len(taken.changes)} sentence{_s(len(taken.changes))} changed.")
        for signature, left in signed:
            still = (
                f"; {left} do not stand in the proof as they are and stay open" if left else ""
            )
            said = f"{len(signature.texts)} sentences of the {signature.part} signed{still}."
            click.echo(said)
    else:
        say("Nothing was imported.")


def _show_taken(file: Path, taken: Any) -> None:
    for change in taken.changes:
        click.echo(f"{file.name}:{change.row}: {change.key}{_kind(change)}")
        click.echo(f"  - {change.before}\n  + {change.after}")
    for row in taken.given.rows:
        if row.comment:
            click.echo(f"{file.name}:{row.row}: {row.key}: comment: {row.comment}")


def _import_templates(study: Study, file: Path, *, yes: bool) -> None:
    from kobosmix.translate import read_templates_sheet, take_templates_in

    taken = read_templates_sheet(study, file)
    show_findings(taken.findings)
    if taken.findings:
        _stop("Nothing was imported.")
    for change in taken.changes:
        click.echo(f"{file.name}:{change.row}: {change.what}")
        click.echo(f"  - {change.before}\n  + {change.after}")
    if not taken.changes:
        say("Nothing has changed.")
    elif yes or click.confirm(_question(len(taken.changes), 0), err=True):
        take_templates_in(study, taken)
        click.echo(f"{len(taken.changes)} changed.")
    else:
        say("Nothing was imported.")


def _stop(sentence: str) -> None:
    say(sentence)
    click.get_current_context().exit(1)


def _show_path(study: Study, path: Path) -> None:
    click.echo(f"{shown_path(study)}/{path.relative_to(study.root).as_posix()}")


def _kind(change: Any) -> str:
    if change.kind == "override":
        return f" (kept whole, for the form of '{change.form[0]}' only)"
    others = change.also
    return f" (changes {others} other sentence{_s(others)} too)" if others else ""


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _question(changes: int, signatures: int) -> str:
    what = [f"{changes} changes"] * bool(changes) + [f"{signatures} signatures"] * bool(
        signatures
    )
    return f"Write {' and '.join(what)}?"
