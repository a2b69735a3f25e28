"""`kobosmix`: the list of commands. Each is imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import IO, Any

import click

from kobosmix import __version__
from kobosmix.errors import InputError, KobosmixError

# Name -> (module of kobosmix.cli, one line of help). A test holds the help to the command's own.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Run a whole evaluation on this machine, with invented people."),
    "init": ("study", "Make a study folder with a commented context.yaml."),
    "concepts": ("bank", "Browse the item bank: what it measures, of whom, when."),
    "wording": ("wording", "Translate, proof-read and sign every sentence of a study."),
    "check": ("study", "Check everything written by hand; write nothing."),
    "ids": ("people", "Issue respondent IDs into register.xlsx."),
    "build": ("study", "Build the forms and their codebooks into build/."),
    "print": (
        "print_",
        "Print paper forms, show cards, the manual, and a review to comment on.",
    ),
    "diff": (
        "diff",
        "Say what changed between two forms, and what that means for answers collected.",
    ),
    "serve": ("serve", "Run a local server that speaks the language of KoboToolbox."),
    "login": ("login", "Sign in to KoboToolbox or ODK Central, once for all studies."),
    "logout": (
        "login",
        "Sign out: forget what login kept, and end the session on ODK Central.",
    ),
    "deploy": (
        "deploy",
        "Put the forms of the open waves on the server; twice changes nothing.",
    ),
    "links": (
        "handover",
        "Write the page for phones and web forms, and personal links, again.",
    ),
    "wave": ("wave", "Open and close a wave: only the forms of open waves are deployed."),
    "rehearse": ("serve", "Send invented interviews to the local server, with known faults."),
    "pull": ("pull", "Fetch every submission into the study's store."),
    "link": (
        "by_hand",
        "Say which project on a server holds a form that was uploaded by hand.",
    ),
    "import": ("by_hand", "Store what was downloaded by hand: .xlsx, .csv or .zip."),
    "match": ("tables", "Match the waves of each respondent; list what needs a person."),
    "export": ("tables", "Write the tables for analysis, the codebook and the topline."),
    "status": ("status", "Where the study stands and what to type next."),
    "explain": ("bank", "Say more about a finding, by its code."),
}

EXIT_STUDY = 4


class Commands(click.Group):
    """Knows its commands by name and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"kobosmix.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what stops it is told in words, with an exit code that says why."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            from kobosmix.cli.console import show_findings

            show_findings(error.findings)
            _tell(str(error))
            ctx.exit(error.exit_code)
        except KobosmixError as error:
            _tell(str(error))
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # Whoever was reading has read enough (`kobosmix concepts | head`).
            ctx.exit(0)
        except OSError as error:
            _tell(f"the system would not let kobosmix work with a file: {_in_words(error)}")
            ctx.exit(EXIT_STUDY)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="kobosmix %(version)s")
def main() -> None:
    """Evaluate social mixing programmes with KoboToolbox.

    One item bank and one context file make the forms of every group and wave, in every language;
    the answers come back as matched tables. 'kobosmix demo' shows all of it.
    """
    _make_consoles_safe()


def _tell(sentence: str) -> None:
    click.echo(f"kobosmix: {sentence}", err=True)


def _in_words(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or type(error).__name__}{where}"


def _make_consoles_safe() -> None:
    """A console with an old code page shows ? for what it lacks, and loses no output to it."""
    for stream in (sys.stdout, sys.stderr):
        _make_safe(stream)


def _make_safe(stream: IO[str]) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    if stream.isatty():
        reconfigure(errors="replace")
    else:
        # Read by a program or kept in a file: UTF-8 on every system.
        reconfigure(encoding="utf-8")
