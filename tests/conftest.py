"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A test is right or wrong; how long it takes is for bench/, on a machine with nothing else to do.
settings.register_profile("kobosmix", deadline=None)
settings.load_profile("kobosmix")
