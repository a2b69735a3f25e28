"""Where the item bank and the catalogues lie.

Beside the package in a checkout, inside it when installed.
"""

from __future__ import annotations

from pathlib import Path

from kobosmix.errors import StudyError

_PACKAGE = Path(__file__).resolve().parent


def item_templates() -> Path:
    """The folder of the item bank."""
    return _folder("item_templates")


def translations() -> Path:
    """The folder of the PO catalogues."""
    return _folder("translations")


def sample_study(name: str) -> Path:
    """The folder of a sample study's context and enumerators."""
    return _folder(f"sample_forms/{name}")


def _folder(name: str) -> Path:
    for root in (_PACKAGE / "_content", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise StudyError(
        f"this copy of kobosmix has no folder {name!r}: it was not installed whole. Install it again."
    )
