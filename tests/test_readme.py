"""What README.md shows is what happens: its console blocks are run, in order, and compared.

Run with KOBOSMIX_UPDATE_README=1 to write what the commands print now into the file; a person
reads the difference.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kobosmix.cli.main import COMMANDS, main
from kobosmix.server.credentials import save_token
from kobosmix.server.local.accounts import create_account
from kobosmix.server.local.run import LocalServer

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"```console\n(?P<shown>.*?)```", re.DOTALL)
SHOWN_SERVER = "http://127.0.0.1:8085"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty folder on a laptop without Java, and a local server; its address."""
    monkeypatch.setenv("KOBOSMIX_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.delenv("KOBOSMIX_TOKEN", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.chdir(tmp_path)
    with LocalServer(tmp_path / "server.sqlite") as local:
        save_token(local.url, create_account(tmp_path / "server.sqlite", "office"))
        yield local.url


def played(block: str, server: str) -> str:
    """The block as its commands print it now."""
    printed = ""
    for line in block.splitlines():
        if not line.startswith("$ kobosmix "):
            continue
        arguments = shlex.split(line.removeprefix("$ kobosmix ").replace(SHOWN_SERVER, server))
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, (line, result.output)
        output = result.output.replace(server, SHOWN_SERVER)
        printed += f"{line}\n" + "".join(f"{told.rstrip()}\n" for told in output.splitlines())
    return printed


def test_each_console_block_prints_what_it_shows(office: str) -> None:
    text = README.read_text(encoding="utf-8")
    blocks = [found["shown"] for found in BLOCK.finditer(text)]

    now = [played(block, office) for block in blocks]

    if os.environ.get("KOBOSMIX_UPDATE_README"):
        fresh = iter(now)
        text = BLOCK.sub(lambda _: f"```console\n{next(fresh)}```", text)
        README.write_text(text, encoding="utf-8", newline="\n")
        return
    assert len(blocks) > 5
    assert now == blocks


def test_every_command_is_in_the_readme_or_in_the_first_screen() -> None:
    text = README.read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"kobosmix {name}" not in text] == []
