"""`init`, `check` and `build`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from kobosmix.cli.console import (
    StudyOrForm,
    counted,
    findings_json,
    one_of,
    say,
    show_findings,
    show_json,
    show_table,
    shown_path,
    study_argument,
    today,
)
from kobosmix.errors import UsageError
from kobosmix.findings import has_errors
from kobosmix.study import Study, writing

SAMPLES = ("gaziantep", "bosnia", "ecuador", "tunisia")


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--group", "groups", multiple=True, metavar="CODE:ROLE:LANGUAGES")
@click.option(
    "--like",
    metavar="SAMPLE",
    help=f"Start from a copy of a sample study: {', '.join(SAMPLES)}.",
)
def init_command(folder: Path, groups: tuple[str, ...], like: str) -> None:
    """Make a study folder with a commented context.yaml.

    Name each group with its role (host, newcomer, neither) and its languages; without --group
    you are asked.

    \b
    kobosmix init soup --group turks:host:tr --group syrians:newcomer:ar
    kobosmix init soup --like gaziantep
    """
    study = Study(folder)
    if study.context_file.exists():
        raise UsageError(f"{folder} is a study already; its context.yaml was left as it is")
    if like:
        _copy_sample(one_of(like, SAMPLES, "sample"), study)
    else:
        _write_new(study, groups or _asked_groups())
    shown = shown_path(Study(folder.resolve()))
    say(f"{study.context_file} is there. Fill it in, then:  kobosmix check {shown}")


@click.command("check")
@click.argument("what", type=StudyOrForm(), default=".", metavar="[STUDY|FILE]")
@click.option("--json", "as_json", is_flag=True, help="The findings, for a program.")
def check_command(what: Study | Path, *, as_json: bool) -> None:
    """Check everything written by hand; write nothing.

    Reads context.yaml, the register and the list of enumerators, compiles every form, lints it
    and puts it before pyxform and, where Java is found, ODK Validate. With the .xlsx of any
    XLSForm, does the same to that form. Exit code 1 if there are errors.

    \b
    kobosmix check soup
    kobosmix check somebodys_form.xlsx
    """
    from kobosmix.engines.check import check_workbook
    from kobosmix.prepare import prepare

    findings = check_workbook(what) if isinstance(what, Path) else prepare(what).findings
    if as_json:
        show_json(findings_json(findings))
    else:
        show_findings(findings)
    if has_errors(findings):
        click.get_current_context().exit(1)
    say("No errors." if isinstance(what, Path) else _next_step(what))


def _next_step(study: Study) -> str:
    return f"No errors. Next:  kobosmix build {shown_path(study)}"


@click.command("build")
@study_argument
def build_command(study: Study) -> None:
    """Build the forms and their codebooks into build/.

    For each group and wave: the form as .xlsx, its codebook as .xlsx and .json, and the workbook
    to upload to KoboToolbox by hand if you do not use 'kobosmix deploy'. build/preview.html shows
    all forms in a browser, without a network: send it to whoever is to read or try them.
    build/invariance.xlsx proves that waves and groups are asked the same, and lists what differs
    and why.

    \b
    kobosmix build soup
    """
    from kobosmix.build import write_build
    from kobosmix.prepare import prepare
    from kobosmix.steps import with_background_known

    with writing(study, "build"):
        prepared = with_background_known(study, prepare(study), today())
        written = write_build(prepared)
    show_table(
        ("form", "items", "minutes", "languages", "build", "file"),
        [
            (
                built.key,
                str(len(built.plan.items)),
                f"{built.plan.minutes:.0f}",
                " ".join(built.plan.languages),
                built.codebook.build_id,
                f"build/{written[built.key][0]}",
            )
            for built in prepared.forms
        ],
    )
    say(f"{prepared.proof} (build/invariance.xlsx).")
    say(f"Read and try them in a browser: {shown_path(study)}/build/preview.html")
    findings = [f for f in prepared.findings if f.code != "W202"]
    if findings:
        say(f"{counted(findings)}: see 'kobosmix check {shown_path(study)}'.")


def _copy_sample(sample: str, study: Study) -> None:
    from kobosmix import content

    source = Study(content.sample_study(sample))
    study.root.mkdir(parents=True, exist_ok=True)
    for path in (source.context_file, source.enumerators_file):
        # A self-administered study has no enumerators.
        if path.exists():
            shutil.copyfile(path, study.root / path.name)


def _write_new(study: Study, groups: tuple[str, ...]) -> None:
    from kobosmix.context.new import new_context, parse_group
    from kobosmix.files import write_text
    from kobosmix.people.enumerators import write_enumerators_template

    told = [parse_group(text) for text in groups]
    code = re.sub(r"[^a-z0-9]+", "_", study.root.resolve().name.lower()).strip("_")
    write_text(study.context_file, new_context(f"s_{code}"[2 * code[:1].isalpha() :], told))
    if not study.enumerators_file.exists():
        write_enumerators_template(study.enumerators_file)


def _asked_groups() -> tuple[str, ...]:
    say("Each group: code:role:languages, as in turks:host:tr. An empty line ends the list.")
    groups = list[str]()
    while answer := click.prompt("group", default="", show_default=False, err=True).strip():
        groups.append(answer)
    if len(groups) < 2:  # noqa: PLR2004
        raise UsageError("a study has at least two groups: those asked and those asked about")
    return tuple(groups)
