"""What changed between two builds or studies, or since a form went to a server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.steps import Deployment, deployments
from kobosmix.study import Study, open_study
from kobosmix.xlsform.diff import Change, Level, changes
from kobosmix.xlsform.model import XlsSheets, sheets_of_rows
from kobosmix.xlsform.read import read_form

if TYPE_CHECKING:
    from kobosmix.server.model import Server

_BUILD_ID = re.compile(r"kx[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One form in two states: what each is called, and what changed. `note` says what else."""

    form: str
    old: str
    new: str
    changes: tuple[Change, ...]
    note: str = ""


def compare(old: str, new: str, study: Study | None) -> list[Compared]:
    """Compare what is named: two workbooks, two build ids or forms of `study`, or two studies.

    Of two studies each form that is built is compared, and a form that only one has is a change.
    """
    folders = [Path(name) for name in (old, new)]
    if all(folder.is_dir() for folder in folders):
        return list(_compare_studies(*(open_study(folder) for folder in folders)))
    before, now = (_named_form(name, study) for name in (old, new))
    found = changes(before, now)
    return [Compared(form=now.file, old=old, new=new, changes=tuple(found))]


def compare_with_server(study: Study, server: Server) -> list[Compared]:
    """Each deployed form as it was built, and as the server has it now."""
    known = [each for each in deployments(study).values() if each.server == server.url]
    if not known:
        raise StudyError(
            f"no form of this study was deployed to {server.url}; 'kobosmix deploy' comes first"
        )
    return [_on_server(study, server, each) for each in known]


def _named_form(name: str, study: Study | None) -> XlsSheets:
    """The form by its file, its build id, or its key in the study (`pre_turks`)."""
    path = Path(name)
    if path.is_file():
        return _read(path)
    if path.suffix or path.is_dir():
        raise UsageError(f"{name} is no file; name two workbooks, two builds or two studies")
    if study is None:
        raise UsageError(f"{name} is no file. If it is a build, name its study: --study DIR")
    if _BUILD_ID.fullmatch(name):
        return _kept(study, name)
    built = study.build_folder / f"{name}.xlsx"
    if not built.is_file():
        raise UsageError(f"there is no form or build '{name}' in {study.build_folder}")
    return _read(built)


def _kept(study: Study, build_id: str) -> XlsSheets:
    path = study.form_file(build_id)
    if not path.is_file():
        raise UsageError(
            f"build {build_id} is not kept in {study.build_folder}, or not its form"
        )
    return _read(path)


def _read(path: Path) -> XlsSheets:
    reading = read_form(path)
    if reading.sheets is None:
        raise InputError(reading.findings)
    return reading.sheets


def _compare_studies(old: Study, new: Study) -> Iterator[Compared]:
    before, now = _built(old), _built(new)
    for key in dict.fromkeys((*before, *now)):
        found: tuple[Change, ...]
        if key not in now:
            means = "Answers collected before have no counterpart from now on."
            found = (_whole_form(Level.BREAKING, key, "form removed", means),)
        elif key not in before:
            means = "Nobody was asked with it before."
            found = (_whole_form(Level.ADDITION, key, "new form", means),)
        else:
            found = tuple(changes(_read(before[key]), _read(now[key])))
        yield Compared(form=key, old=old.root.name, new=new.root.name, changes=found)


def _built(study: Study) -> Mapping[str, Path]:
    """The forms as they were built last, by key."""
    manifest = study.build_folder / "manifest.json"
    try:
        keys = [each["key"] for each in json.loads(manifest.read_text("utf-8"))["forms"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            f"no form of {study.root} was built yet; 'kobosmix build' comes first"
        ) from error
    return {key: study.build_folder / f"{key}.xlsx" for key in keys}


def _on_server(study: Study, server: Server, deployed: Deployment) -> Compared:
    from kobosmix.server.content import sheets_of

    asset = server.find_asset(deployed.uid)
    if asset is None:
        means = (
            "Answers collected with it are not there either; look into the server's own log."
        )
        gone = _whole_form(Level.BREAKING, deployed.key, "not on the server any more", means)
        return Compared(form=deployed.key, old=deployed.build_id, new="", changes=(gone,))
    build_id = asset.constants.get("kx_build") or deployed.build_id
    built = study.form_file(build_id)
    if not built.is_file():
        build_id, built = deployed.build_id, study.form_file(deployed.build_id)
    if not built.is_file():
        raise StudyError(
            f"build {build_id} of {deployed.key} is not kept in {study.build_folder}, so there is "
            "nothing to compare the server's form with"
        )
    now = sheets_of_rows(deployed.key, sheets_of(asset.content))
    is_draft = asset.version_id != asset.deployed_version_id
    return Compared(
        form=deployed.key,
        old=f"as built ({build_id})",
        new="on the server now",
        changes=tuple(changes(_read(built), now, on_server=True)),
        note="phones get it as it is on the server once it is deployed there"
        if is_draft
        else "",
    )


def _whole_form(level: Level, key: str, what: str, means: str) -> Change:
    return Change(level=level, where=key, what=what, means=means)
