"""Every package that is installed with kobosmix has a licence that lets it travel with it.

Run by `make lint`. Development tools are not looked at; they do not travel.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense|0BSD|Zlib|HPND", re.IGNORECASE
)
FORBIDDEN = re.compile(r"GPL|AGPL|LGPL|GNU|Proprietary|Non-?Commercial", re.IGNORECASE)
BY_NAME = {
    # Mozilla's licence covers its own files only; these are used as they come.
    "certifi": "MPL-2.0",
    "orjson": "MPL-2.0 AND (Apache-2.0 OR MIT)",
    # States no licence in its metadata; its LICENSE file is BSD-2-Clause.
    "pyxform": "BSD-2-Clause",
}


def main() -> int:
    """0 when every package passes; each that does not is named."""
    refused = [
        f"{name}: {licence or 'no licence stated'}"
        for name, licence in sorted(_licences().items())
        if not _is_allowed(name, licence)
    ]
    for line in refused:
        sys.stderr.write(f"licence not allowed: {line}\n")
    return 1 if refused else 0


def _is_allowed(name: str, licence: str) -> bool:
    if name in BY_NAME:
        return True
    return bool(ALLOWED.search(licence)) and not FORBIDDEN.search(licence)


def _licences() -> dict[str, str]:
    found, waiting = dict[str, str](), ["kobosmix"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            # A package for another system only.
            continue
        found[name] = _licence(package)
        for text in package.requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(re.sub(r"[-_.]+", "-", needed.name).lower())
    return found


def _licence(package: Distribution) -> str:
    told = package.metadata
    classifiers = [c for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
    expression = told.get("License-Expression") or ""
    # Some put the whole licence where its name belongs; its first line is enough.
    stated = (told.get("License") or "").strip().splitlines()[:1]
    return " ".join([expression, *classifiers] if expression or classifiers else stated)


if __name__ == "__main__":
    sys.exit(main())
