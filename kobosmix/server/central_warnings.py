"""Uploading a workbook to ODK Central, and what it warns of: what may pass and what may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kobosmix.errors import ServerError
from kobosmix.server.answers import one_line
from kobosmix.server.central_api import WARNED, CentralApi, CentralRefusal

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Fields that are gone: whether that may be is decided before, with the answers that are there in
# view. A form of the same id in the trash: it stays there.
_EXPECTED = frozenset({"structureChanged", "deletedFormExists"})
# pyxform doubts languages with a region or a script in their tag (`sr-Latn`), and those only.
_LANGUAGE_TAG = "language declarations do not contain valid machine-readable codes"


def upload_workbook(api: CentralApi, action: str, path: str, workbook: bytes) -> None:
    """Upload a workbook as a form or a draft. A warning that was not to be expected stops it.

    The same bytes uploaded again give the same draft, so this may be repeated.
    """
    try:
        api.send_file(action, path, workbook, XLSX, ignoreWarnings="false")
    except CentralRefusal as error:
        if error.code != WARNED:
            raise
        worrying = list(unexpected(error.details))
        if worrying:
            said = one_line("; ".join(worrying))
            raise ServerError(action, error.status, f"it warns: {said}") from error
        api.send_file(action, path, workbook, XLSX, ignoreWarnings="true")


def unexpected(details: Any) -> Iterator[str]:
    """The warnings that a form of this program does not give, in the server's words."""
    warnings = details.get("warnings") if isinstance(details, dict) else None
    if not isinstance(warnings, dict):
        yield "it does not say of what"
        return
    for said in warnings.get("xlsFormWarnings") or ():
        if _LANGUAGE_TAG not in str(said):
            yield str(said)
    for told in warnings.get("workflowWarnings") or ():
        kind = told.get("type") if isinstance(told, Mapping) else told
        if kind not in _EXPECTED:
            yield str(kind)
