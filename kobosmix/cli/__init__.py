"""The command line: each command reads, calls one function, writes, and says what happened."""

from kobosmix.cli.main import main

__all__ = ["main"]
