"""Pages as PDF. The only door to WeasyPrint, which comes with the extra kobosmix[pdf]."""

from __future__ import annotations

import logging
from typing import Any

from kobosmix.errors import UsageError

MISSING = (
    "printing PDF needs WeasyPrint, which is not installed. Install kobosmix with it: "
    "uv tool install 'kobosmix[pdf]', or pip install 'kobosmix[pdf]'. The pages in HTML print from "
    "any browser without it."
)
NO_PANGO = (
    "WeasyPrint is installed, but not the library Pango it draws letters with. On Debian and Ubuntu: "
    "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core; on macOS: "
    "brew install pango; on Windows see the WeasyPrint manual. The pages in HTML print from any "
    "browser without it."
)


def as_pdf(page: bytes) -> bytes:
    """The page as PDF, its fonts inside. Raises UsageError where that cannot be done here."""
    try:
        from weasyprint import HTML
    except ImportError as error:
        raise UsageError(MISSING) from error
    except OSError as error:
        raise UsageError(NO_PANGO) from error

    # It tells of every line of CSS that only browsers know.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    drawn: Any = HTML(string=page.decode("utf-8")).write_pdf()
    return bytes(drawn)
