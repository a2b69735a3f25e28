"""`link` and `import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobosmix.cli.console import (
    progress,
    say,
    show_findings,
    show_table,
    shown_path,
    study_argument,
)
from kobosmix.errors import UsageError
from kobosmix.study import Study, open_study, writing

if TYPE_CHECKING:
    from kobosmix.by_hand import ImportReport

_COUNTS = ("read", "new", "changed", "unchanged", "kept", "absent")


@click.command("link")
@click.argument("form")
@click.argument("address")
@study_argument
@click.option(
    "--server", "server_url", default="", metavar="URL", help="The server, if ADDRESS is a uid."
)
@click.option("--unchecked", is_flag=True, help="Believe ADDRESS; do not ask the server.")
def link_command(
    form: str, address: str, study: Study, server_url: str, *, unchecked: bool
) -> None:
    """Say which project on a server holds a form that was uploaded by hand.

    ADDRESS is that of the project's page, as the browser shows it. Where a token for the server
    is at hand, the server is asked whether it is this form.

    \b
    kobosmix link pre_turks "https://kf.kobotoolbox.org/#/forms/aBcDeFgHiJkLmNoPqRsTuV/summary"
    """
    from kobosmix.by_hand import link_project

    with writing(study, "link"):
        linked = link_project(study, form, address, server_url, ask=not unchecked)
    how = "the server agrees" if linked.checked else "told by hand; the server was not asked"
    click.echo(f"{form} is the project {linked.uid} on {linked.server} ({how}).")


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE... [STUDY]")
@click.option(
    "--make-mapping",
    "sheet_to_make",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="XLSX",
    help="Write a sheet to fill in, for FILE of a form made by hand.",
)
@click.option(
    "--mapping",
    "sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="XLSX",
    help="Join FILE of a form made by hand, by the sheet that was filled in.",
)
def import_command(
    files: Sequence[str], sheet_to_make: Path | None, sheet: Path | None
) -> None:
    """Store what was downloaded by hand: .xlsx, .csv or .zip.

    Files of KoboToolbox, ODK Central and ODK Briefcase are told by their content. Every
    submission is known again when it comes a second time, in a file or from the server. What a
    file lacks is never taken for deleted. All that is in the files is stored, or nothing.

    \b
    kobosmix import ~/Downloads/Lakeside_pre.xlsx ~/Downloads/Lakeside_post.csv soup
    kobosmix import old.xlsx soup --make-mapping mapping.xlsx
    kobosmix import old.xlsx soup --mapping mapping.xlsx
    """
    from kobosmix.by_hand import import_files, import_mapped, make_mapping_sheet

    paths, study = _files_and_study(files)
    if (sheet or sheet_to_make) and len(paths) > 1:
        raise UsageError("one file at a time has a mapping sheet")
    if sheet_to_make is not None:
        number = make_mapping_sheet(study, paths[0], sheet_to_make)
        say(
            f"{sheet_to_make} has {number} columns. Say what each is, then import with --mapping."
        )
        return
    with writing(study, "import"), progress() as report:
        imported = (
            import_mapped(study, paths[0], sheet)
            if sheet is not None
            else import_files(study, paths, report)
        )
    _show_imported(imported, study)


def _show_imported(imported: ImportReport, study: Study) -> None:
    show_findings(imported.findings)
    show_table(
        ("form", "read", "new", "changed", "unchanged", "kept as stored", "not in the file"),
        [
            (each.form, *(str(getattr(each, count)) for count in _COUNTS))
            for each in imported.entries
        ],
    )
    if not any(each.read for each in imported.entries):
        say("Nothing was stored: no row could be taken in.")
        click.get_current_context().exit(1)
    say(f"Next:  kobosmix match {shown_path(study)}")


def _files_and_study(arguments: Sequence[str]) -> tuple[list[Path], Study]:
    """The files, and the study: the last argument if it is a folder, else this folder."""
    paths = [Path(argument) for argument in arguments]
    folder = paths.pop() if paths[-1].is_dir() else Path()
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise UsageError(f"there is no file {', '.join(missing)}")
    if not paths:
        raise UsageError("name the files that were downloaded")
    return paths, open_study(folder)
