"""The only door to rich: findings, tables and progress on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from kobosmix.errors import UsageError
from kobosmix.findings import Finding, Severity, in_order
from kobosmix.study import Study, open_study

Progress = Callable[[str, int, int], None]
F = TypeVar("F", bound=Callable[..., Any])

# The columns that name a row are never wrapped.
_NAMING_COLUMNS = 2
_WIDTH_IN_FILES = 110
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "blue"}


class StudyFolder(click.ParamType[Study]):
    """A folder that is a study."""

    name = "folder"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Study:
        """The study in the folder. Raises UsageError where it is none."""
        del param, ctx
        return value if isinstance(value, Study) else open_study(Path(value))


class StudyOrForm(StudyFolder):
    """A folder that is a study, or the file of an XLSForm."""

    name = "folder or file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """The study, or the path of the file. Raises UsageError where it can be neither."""
        path = Path(str(value))
        if path.suffix.lower() == ".xlsx" and not path.exists():
            raise UsageError(f"there is no file {path}")
        if not path.is_file():
            return super().convert(value, param, ctx)
        if path.suffix.lower() in (".yaml", ".yml"):
            raise UsageError(
                f"{path.name} is a part of a study: check the folder {path.parent} instead"
            )
        return path


def study_argument(command: F) -> F:
    """The STUDY argument of a command: a study folder, the current one if none is named."""
    return click.argument("study", type=StudyFolder(), default=".")(command)


def say(text: str = "") -> None:
    """Talk: goes to standard error, so that standard output stays data."""
    click.echo(text, err=True)


def show_json(content: Any) -> None:
    """Data for a program, on standard output."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def show_findings(findings: Iterable[Finding]) -> None:
    """Every finding with its place and remedy, errors first, and a line that counts them."""
    shown = in_order(findings)
    for finding in shown:
        head, _, rest = str(finding).partition("\n")
        say(click.style(head, bold=True))
        coloured = click.style(str(finding.severity), fg=_COLOURS[finding.severity])
        say(rest.replace(str(finding.severity), coloured, 1))
    if shown:
        say(counted(shown))


def counted(findings: Sequence[Finding]) -> str:
    """'2 errors, 1 warning, 3 notices', leaving out what there is none of."""
    parts = list[str]()
    for severity in Severity:
        number = sum(finding.severity is severity for finding in findings)
        if number:
            parts.append(f"{number} {severity}{'s' * (number != 1)}")
    return ", ".join(parts) or "nothing to report"


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings for a program."""
    return [
        {
            "code": finding.code,
            "severity": str(finding.severity),
            "file": finding.place.file,
            "line": finding.place.line or None,
            "spot": finding.place.spot,
            "problem": finding.problem,
            "remedy": finding.remedy,
        }
        for finding in in_order(findings)
    ]


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output, as wide as the terminal allows."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number < _NAMING_COLUMNS)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=_WIDTH_IN_FILES)
    with console.capture() as captured:
        console.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    click.echo("\n".join(line for line in lines if line))


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar with rate and time left, on a terminal; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    console = Console(stderr=True)
    bars = dict[str, Any]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as shown:

        def report(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = shown.add_task(what, total=total or None)
            shown.update(bars[what], completed=done, total=total or None)

        yield report


def one_of(value: str, known: Iterable[str], what: str) -> str:
    """The value, if it is known. Raises UsageError naming what there is."""
    known = list(known)
    if value not in known:
        raise UsageError(
            f"there is no {what} '{value}'; there is: {', '.join(known) or 'none'}"
        )
    return value


def shown_path(study: Study) -> str:
    """The study's folder as it can be typed from here."""
    try:
        typed = str(study.root.relative_to(Path.cwd()))
    except ValueError:
        typed = str(study.root)
    return f'"{typed}"' if " " in typed else typed


def today() -> date:
    """The day where the office is: it decides what is overdue."""
    return date.today()  # noqa: DTZ011 - not the day at Greenwich
