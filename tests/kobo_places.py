"""The servers that the contract of KoboToolbox is tested on: the local one, and a running one.

The running one is asked only if KOBOSMIX_LIVE_KPI (its address) and KOBOSMIX_LIVE_TOKEN are set;
tests with a second person need KOBOSMIX_LIVE_TOKEN_2, that of another account. Whatever a test
makes there is deleted afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.local_forms import Client

_KPI = os.environ.get("KOBOSMIX_LIVE_KPI", "")
_TOKENS = [os.environ.get(f"KOBOSMIX_LIVE_TOKEN{number}", "") for number in ("", "_2")]
PLACES = [
    "local",
    *([pytest.param("live", marks=pytest.mark.live)] if _KPI and _TOKENS[0] else []),
]


@dataclass(frozen=True)
class Place:
    """A server, and two people with accounts on it; the second may be missing."""

    is_live: bool
    alice: Client
    bob: Client | None
    nobody: Client


@contextmanager
def local_place(folder: Path) -> Iterator[Place]:
    """The local server, over a database of its own in this folder."""
    from kobosmix.server.local.accounts import create_account
    from kobosmix.server.local.run import LocalServer

    database = folder / "local.sqlite"
    with LocalServer(database) as server:
        people = [
            Client(server.url, create_account(database, name), name=name)
            for name in ("alice", "bob")
        ]
        yield from _let_in(people, Client(server.url), is_live=False)


@contextmanager
def live_place() -> Iterator[Place]:
    """The running server of the environment."""
    people = [Client(_KPI.rstrip("/"), token) for token in _TOKENS if token]
    for each in people:
        me = each.read("/me/")
        home = urlsplit(me["projects_url"])
        each.name, each.phones = me["username"], f"{home.scheme}://{home.netloc}"
    nobody = Client(people[0].url, phones=people[0].phones)
    yield from _let_in(people, nobody, is_live=True)


def _let_in(people: list[Client], nobody: Client, *, is_live: bool) -> Iterator[Place]:
    try:
        yield Place(is_live, people[0], people[1] if len(people) > 1 else None, nobody)
    finally:
        for each in (*people, nobody):
            for uid in each.made:
                each.ask("DELETE", f"/api/v2/assets/{uid}/")
            each.session.close()
