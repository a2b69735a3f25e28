"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.form_pages import chromium, find_chromium

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
