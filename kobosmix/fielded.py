"""What was really asked: each version of a form that the server knew, held against what was built.

The build id alone proves nothing, for a form can be edited on the server's own page and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kobosmix.store import Store
from kobosmix.study import Study
from kobosmix.xlsform.diff import Change, Level, changes, counted
from kobosmix.xlsform.model import XlsSheets, sheets_of_rows
from kobosmix.xlsform.read import read_form


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldedForm:
    """A version of a form as it was in the field.

    `changes` are what differs from the build, `note` why the two could not be compared, if so.
    """

    asset_uid: str
    form_version: str
    build_id: str = ""
    changes: tuple[Change, ...] = ()
    note: str = ""

    @property
    def is_edited(self) -> bool:
        """Whether people were asked, or could answer, something else than was built."""
        return any(change.level is not Level.COSMETIC for change in self.changes)

    def __str__(self) -> str:
        """The version and how it differs, in one line."""
        return (
            f"version {self.form_version}: {self.note or counted(self.changes) or 'as built'}"
        )


def fielded_forms(study: Study, store: Store) -> tuple[FieldedForm, ...]:
    """Every version that answers came from, held against the build whose id it carries."""
    builds = dict[str, XlsSheets | None]()
    return tuple(
        _fielded(study, builds, uid, version, sheets)
        for uid, version, sheets in store.definitions()
    )


def edited(forms: Iterable[FieldedForm]) -> dict[tuple[str, str], FieldedForm]:
    """Those that were edited on the server, by form and version."""
    return {(each.asset_uid, each.form_version): each for each in forms if each.is_edited}


def _fielded(
    study: Study,
    builds: dict[str, XlsSheets | None],
    uid: str,
    version: str,
    sheets: Mapping[str, Any] | None,
) -> FieldedForm:
    if sheets is None:
        note = "the server does not know it, so what was asked cannot be proved"
        return FieldedForm(asset_uid=uid, form_version=version, note=note)
    now = sheets_of_rows(f"{uid} {version}", sheets)
    build_id = _build_id(sheets)
    if build_id not in builds:
        builds[build_id] = _built(study, build_id)
    built = builds[build_id]
    if built is None:
        note = f"build {build_id or 'without an id'} is not kept in this study"
        return FieldedForm(asset_uid=uid, form_version=version, build_id=build_id, note=note)
    found = tuple(changes(built, now, on_server=True))
    return FieldedForm(asset_uid=uid, form_version=version, build_id=build_id, changes=found)


def _build_id(sheets: Mapping[str, Any]) -> str:
    for row in sheets.get("survey", ()):
        if row.get("name") == "kx_build":
            return str(row.get("calculation", "")).strip().strip("'\"")
    return ""


def _built(study: Study, build_id: str) -> XlsSheets | None:
    path = study.form_file(build_id)
    # The id comes from the server: it must not lead out of the build folder.
    if not build_id.isalnum() or not path.is_file():
        return None
    return read_form(path).sheets
