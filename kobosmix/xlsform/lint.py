"""Everything that is wrong with an XLSForm and that pyxform and ODK Validate do not say."""

from __future__ import annotations

from collections.abc import Mapping

from kobosmix.findings import Finding, in_order
from kobosmix.xlsform import read
from kobosmix.xlsform.model import XlsSheets
from kobosmix.xlsform.outline import outline
from kobosmix.xlsform.rules import (
    choices,
    expressions,
    languages,
    layout,
    logic,
    names,
    servers,
    sheets,
    statistics,
    wording,
)

THEMES = (
    sheets,
    names,
    choices,
    languages,
    expressions,
    logic,
    layout,
    wording,
    servers,
    statistics,
)
# L1..: data would be lost or wrong, or the form would not open. L2..: look at it.
EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    code: said for module in (read, *THEMES) for code, said in module.EXPLANATIONS.items()
}


def lint(form: XlsSheets) -> list[Finding]:
    """Every finding about the form, errors first. It is not converted, and no engine is run."""
    outlined = outline(form)
    return in_order(
        finding for theme in THEMES for rule in theme.RULES for finding in rule(outlined)
    )
