"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.form_pages import chromium, find_chromium
from tests.kobo_places import PLACES, Place, live_place, local_place
from tests.local_forms import HOUSEHOLD, Client, workbook

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A test is right or wrong; how long it takes is for bench/, on a machine with nothing else to do.
settings.register_profile("kobosmix", deadline=None)
settings.load_profile("kobosmix")

# No test asks the keyring of whoever runs it, in this process or in one it starts.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"


# Not for the whole session: while it runs, no other event loop can.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; where there is none the test is skipped."""
    pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with chromium(path) as started:
        yield started


@pytest.fixture(scope="module", params=PLACES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A server that the contract of KoboToolbox is tested on."""
    folder = tmp_path_factory.mktemp("server")
    with live_place() if request.param == "live" else local_place(folder) as found:
        yield found


@pytest.fixture(scope="module")
def alice(place: Place) -> Client:
    return place.alice


@pytest.fixture(scope="module")
def bob(place: Place) -> Client:
    if place.bob is None:
        pytest.skip("needs a second account: KOBOSMIX_LIVE_TOKEN_2")
    return place.bob


@pytest.fixture(scope="module")
def nobody(place: Place) -> Client:
    return place.nobody


@pytest.fixture(scope="module")
def household(alice: Client) -> str:
    """A deployed form that tests share."""
    return alice.deployed(workbook(HOUSEHOLD))


@pytest.fixture
def fresh(alice: Client) -> str:
    """A deployed form with no submissions."""
    return alice.deployed(workbook(HOUSEHOLD))
