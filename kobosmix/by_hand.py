"""Without API rights: projects that were made by hand, and answers that were downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from kobosmix.build import builds_by_form
from kobosmix.codebook import Codebook
from kobosmix.downloads.entering import Entry, newest_of_each, plan_entry
from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.downloads.joining import joined_rows, project_of_joined
from kobosmix.downloads.mapping import make_mapping, read_mapping
from kobosmix.downloads.mapping_check import check_mapping
from kobosmix.downloads.read import Submission, read_submissions
from kobosmix.downloads.table import Table, read_download
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.files import write_bytes
from kobosmix.findings import Finding, Place, has_errors
from kobosmix.pulling import note_stored, refuse_emptied_store
from kobosmix.steps import deployments, signed_in
from kobosmix.store import AssetCounts, Row, Tally, open_store
from kobosmix.study import Study

if TYPE_CHECKING:
    from kobosmix.server.model import Asset

# As it stands in the address of a project's page, and in that of the API.
_KOBO_UID = re.compile(r"/(?:forms|assets)/(?P<uid>[A-Za-z0-9]{10,40})(?:/|$)")
# On ODK Central a form is named by the number of its project and by its form id.
_CENTRAL_FORM = re.compile(
    r"/projects/(?P<project>[0-9]+)/forms/(?P<form>[A-Za-z0-9_.-]+)(?:/|$)"
)
_BARE_UID = re.compile(r"[A-Za-z0-9]{10,40}|[0-9]+\.[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Which project a form is. `checked` says whether the server was asked, and agreed."""

    form: str
    server: str
    uid: str
    build_id: str
    checked: bool


def link_project(
    study: Study, form: str, address: str, server_url: str = "", *, ask: bool = True
) -> Linked:
    """Remember which project on which server holds a form, as a deploy would.

    `address` is that of the project's page in the browser, or its uid beside a `server_url`. With
    a token at hand the server is asked, and a project that is another form is a StudyError.
    """
    builds = builds_by_form(study)
    if form not in builds:
        raise UsageError(
            f"there is no form '{form}'; built are: {', '.join(builds) or 'none yet'}"
        )
    server, uid = project_of(address, server_url)
    for other, told in deployments(study).items():
        if other != form and (told.server, told.uid) == (server, uid):
            raise StudyError(f"{uid} on {server} is the form {other} already")
    asset = _asked(server, uid) if ask and _has_token(server) else None
    if asset is not None:
        _require_form(study, form, asset)
    build_id = asset.constants.get("kx_build", "") if asset else builds[form]
    known = study.state().get("deployments", {})
    remembered = {
        "server": server,
        "uid": uid,
        "build_id": build_id,
        "workbook_sha256": "",
        "version_id": "",
        "media": {},
        "by_hand": asset is None,
    }
    study.remember(server=server, deployments={**known, form: remembered})
    return Linked(
        form=form, server=server, uid=uid, build_id=build_id, checked=asset is not None
    )


def project_of(address: str, server_url: str = "") -> tuple[str, str]:
    """Server and uid of a project.

    >>> project_of("https://kf.kobotoolbox.org/#/forms/aBcDeFgHiJkLmNoPqRsTuV/summary")
    ('https://kf.kobotoolbox.org', 'aBcDeFgHiJkLmNoPqRsTuV')
    """
    from kobosmix.server.address import origin, server_origin

    if _BARE_UID.fullmatch(address) and server_url:
        return server_origin(server_url), address
    parts = urlsplit(address)
    page = unquote(parts.fragment or parts.path)
    central, kobo = _CENTRAL_FORM.search(page), _KOBO_UID.search(page)
    if not origin(address) or not (central or kobo):
        raise UsageError(
            f"'{address}' is no project. Open the project in the browser and copy the address, as "
            "in https://kf.kobotoolbox.org/#/forms/aBcDeFgHiJkLmNoPqRsTuV/summary; or give the "
            "part behind /forms/ together with --server."
        )
    uid = f"{central['project']}.{central['form']}" if central else kobo["uid"] if kobo else ""
    return server_origin(origin(address)), uid


def _has_token(server: str) -> bool:
    from kobosmix.server.credentials import Kind, credential_for

    try:
        credential_for(server, lambda: Kind.KOBO)
    except UsageError:
        return False
    return True


def _asked(server: str, uid: str) -> Asset:
    with signed_in(server) as signed:
        asset = signed.find_asset(uid)
    if asset is None:
        raise StudyError(
            f"{server} has no project {uid} that your account can see. Nothing was recorded. If "
            "it is somebody else's: link it with --unchecked."
        )
    return asset


def _require_form(study: Study, form: str, asset: Asset) -> None:
    constants = asset.constants
    build = constants.get("kx_build", "")
    if not build:
        raise StudyError(
            f"the project '{asset.name}' holds no form of kobosmix: it has no kx_build. Nothing "
            "was recorded."
        )
    codebook = study.codebooks().get(build)
    told = (
        constants.get("kx_study"),
        f"{constants.get('kx_wave')}_{constants.get('kx_group')}",
    )
    if codebook is None or told[1] != form:
        whose = f"of the study '{told[0]}'" if codebook is None else "of this study"
        raise StudyError(
            f"the project '{asset.name}' is the form {told[1]} {whose} (build {build}), and not "
            f"{form}. Nothing was recorded."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of the files: one entry for each form in them, and what there is to say."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


def import_files(
    study: Study,
    files: Sequence[Path],
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> ImportReport:
    """Store what these downloaded files have of this study's submissions; all, or nothing.

    Any error in them is an InputError with all findings, and nothing is stored.
    """
    codebooks = study.codebooks()
    if not codebooks:
        raise StudyError("no form was built yet; 'kobosmix build' comes first")
    submissions, findings = list[Submission](), list[Finding]()
    for number, file in enumerate(files):
        on_progress("reading", number, len(files))
        found, said = _read_file(file, codebooks)
        submissions += found
        findings += said
    on_progress("reading", len(files), len(files))
    return _enter(study, submissions, findings)


def _read_file(
    file: Path, codebooks: Mapping[str, Codebook]
) -> tuple[list[Submission], list[Finding]]:
    reading = read_download(file)
    submissions, findings = list[Submission](), list(reading.findings)
    for table in _of_forms(reading.tables):
        found, said = read_submissions(table, codebooks)
        submissions += found
        findings += said
    return submissions, findings


def _of_forms(tables: Sequence[Table]) -> list[Table]:
    """The tables that say which form they are; all of them where none does, to be told so."""
    ours = [table for table in tables if any("kx_build" in name for name in table.header)]
    return ours or list(tables)


def _enter(
    study: Study, submissions: Sequence[Submission], findings: list[Finding]
) -> ImportReport:
    refuse_emptied_store(study)
    known = deployments(study)
    by_form = dict[str, list[Submission]]()
    for each in newest_of_each(submissions):
        if isinstance(each, Finding):
            findings.append(each)
        else:
            by_form.setdefault(each.form, []).append(each)
    unknown = sorted(by_form.keys() - known.keys())
    findings += [_unlinked(by_form[form][0].file, form) for form in unknown]
    if has_errors(findings):
        raise InputError(findings)
    with open_store(study.store_file) as store:
        entries = [
            plan_entry(store, form, known[form].uid, found)
            for form, found in sorted(by_form.items())
        ]
        findings += [finding for entry in entries for finding in entry.findings]
        if has_errors(findings):
            raise InputError(findings)
        store.add_rows({entry.asset_uid: entry.rows for entry in entries if entry.rows})
        note_stored(study, store)
    return ImportReport(entries=tuple(entries), findings=tuple(findings))


def _unlinked(file: str, form: str) -> Finding:
    return Finding(
        code="D114",
        place=Place(file),
        problem=f"it is not known which project holds {form}",
        remedy=f"{EXPLANATIONS['D114'][1].rstrip('.')}: kobosmix link {form} ADDRESS",
    )


def make_mapping_sheet(study: Study, file: Path, sheet: Path) -> int:
    """Write a sheet that joins a file of a form made by hand; how many columns there are to map.

    A sheet that is there already is not overwritten: somebody may have filled it in.
    """
    if sheet.exists():
        raise UsageError(f"{sheet} is there already; name another file, or delete it")
    table = _only_table(file)
    write_bytes(sheet, make_mapping(table, _codebooks_of_today(study)))
    return len(table.header)


def import_mapped(study: Study, file: Path, sheet: Path) -> ImportReport:
    """Store the rows of a form made by hand, by a sheet that was filled in; all, or nothing.

    Any error in sheet or file is an InputError with all findings, and nothing is stored.
    """
    table, mapping = _only_table(file), read_mapping(sheet)
    codebooks = _codebooks_of_today(study)
    findings = list(check_mapping(mapping, table, codebooks))
    if has_errors(findings):
        raise InputError(findings)
    rows, said = joined_rows(table, mapping, codebooks)
    findings += said
    if has_errors(findings):
        raise InputError(findings)
    refuse_emptied_store(study)
    with open_store(study.store_file) as store:
        known = store.counts()
        by_project = {project_of_joined(form): found for form, found in sorted(rows.items())}
        tallies = store.add_rows(by_project)
        note_stored(study, store)
    entries = [
        _joined(form, rows[form], known.get(project), tallies[project])
        for form, project in ((form, project_of_joined(form)) for form in sorted(rows))
    ]
    return ImportReport(entries=tuple(entries), findings=tuple(findings))


def _joined(form: str, rows: Sequence[Row], known: AssetCounts | None, tally: Tally) -> Entry:
    return Entry(
        form=form,
        asset_uid=project_of_joined(form),
        rows=tuple(rows),
        new=tally.new,
        changed=tally.edited + tally.restored,
        unchanged=tally.unchanged,
        kept=0,
        absent=max(0, known.current + tally.new - len(rows)) if known else 0,
        findings=(),
    )


def _only_table(file: Path) -> Table:
    reading = read_download(file)
    if has_errors(reading.findings):
        raise InputError(reading.findings)
    return reading.tables[0]


def _codebooks_of_today(study: Study) -> list[Codebook]:
    kept = study.codebooks()
    found = [kept[build] for build in builds_by_form(study).values() if build in kept]
    if not found:
        raise StudyError("no form was built yet; 'kobosmix build' comes first")
    return found
