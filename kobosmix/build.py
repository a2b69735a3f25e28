"""What a build leaves in build/: forms, codebooks, pages, preview, proof, and what it wrote."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from kobosmix.codebook import write_codebook
from kobosmix.engines.xform import convert_rows
from kobosmix.files import sha256, write_bytes, write_json
from kobosmix.form import codebook_workbook, kobo_workbook, workbook
from kobosmix.invariance import invariance_workbook
from kobosmix.prepare import BuiltForm, Prepared
from kobosmix.preview import PreviewForm, preview_page
from kobosmix.printed import upload_page
from kobosmix.study import Study


def write_build(prepared: Prepared) -> dict[str, list[str]]:
    """Write forms, codebooks, preview, pages and manifest into build/; form key -> files written.

    The forms of a wave or a group that is no longer in the study are taken away, so that nobody
    uploads one by hand, and pages with them; their codebooks stay, for what was collected under
    them.
    """
    prepared.sound()
    study, written, manifest = prepared.study, dict[str, list[str]](), list[dict[str, str]]()
    before = _manifest(study)
    for built in prepared.forms:
        files = _form_files(built)
        for name, data in files.items():
            write_bytes(study.build_folder / name, data)
        _keep(study, built)
        written[built.key] = list(files)
        manifest.append(_manifest_entry(built, files))
    for name, data in prepared.media().items():
        write_bytes(study.build_folder / "media" / name, data)
    write_bytes(study.build_folder / "invariance.xlsx", invariance_workbook(prepared.proof))
    write_preview(prepared)
    write_bytes(study.build_folder / "UPLOAD.html", _upload_page(prepared))
    pages = write_pages(study, prepared.pages())
    printed = _digests({f"print/{path.name}": path.read_bytes() for path in pages})
    write_json(_manifest_file(study), {"format": 1, "forms": manifest, "printed": printed})
    still_here = {*printed, *(told for entry in manifest for told in entry)}
    for entry in before:
        _take_away(study, entry, still_here)
    return written


def write_pages(study: Study, pages: Mapping[str, bytes]) -> list[Path]:
    """Write pages into build/print/; a PDF drawn of what a page was before is taken away."""
    paths = [study.print_folder / name for name in pages]
    for path, data in zip(paths, pages.values(), strict=True):
        if not path.is_file() or path.read_bytes() != data:
            path.with_suffix(".pdf").unlink(missing_ok=True)
            write_bytes(path, data)
    return paths


def write_preview(prepared: Prepared) -> Path:
    """Write build/preview.html, in which every form can be read and tried; returns its path."""
    context, languages = prepared.sound(), prepared.bank.languages
    forms = [
        PreviewForm(
            key=built.key,
            codebook=built.codebook,
            xml=convert_rows(built.form.sheets()).xml,
            languages=tuple(languages[tag] for tag in built.codebook.languages),
        )
        for built in prepared.forms
    ]
    path = prepared.study.build_folder / "preview.html"
    write_bytes(path, preview_page(context.study, forms))
    return path


def _upload_page(prepared: Prepared) -> bytes:
    context = prepared.sound()
    codebooks = {built.key: built.codebook for built in prepared.forms}
    names = sorted(prepared.media())
    return upload_page(context.study, codebooks, names, is_interview=context.is_interview)


def _keep(study: Study, built: BuiltForm) -> None:
    """The codebook of a build is never changed: what was collected under it is decoded by it.

    The form is kept beside it, to be compared with what is built later.
    """
    codebook = study.codebook_file(built.codebook.build_id)
    if not codebook.exists():
        write_codebook(codebook, built.codebook)
    form = study.form_file(built.codebook.build_id)
    if not form.exists():
        write_bytes(form, workbook(built.form))


def _take_away(study: Study, entry: Mapping[str, str], kept: Collection[str]) -> None:
    """Remove what an entry tells of and is not kept, as far as it is still what the build wrote."""
    for told, digest in entry.items():
        name = told.removeprefix("sha256 ")
        path = study.build_folder / name
        is_gone = name != told and told not in kept
        if is_gone and path.is_file() and sha256(path.read_bytes()) == digest:
            path.unlink()
            if path.suffix == ".html":
                path.with_suffix(".pdf").unlink(missing_ok=True)


def builds_by_form(study: Study) -> dict[str, str]:
    """The build id of each form as it was built last, by form key; empty before the first."""
    entries = _manifest(study)
    return {each["key"]: each["build_id"] for each in entries if "key" in each}


def _manifest_file(study: Study) -> Path:
    return study.build_folder / "manifest.json"


def _manifest(study: Study) -> list[dict[str, str]]:
    """What the last build wrote, by form, then its pages; nothing where that cannot be known."""
    try:
        content = json.loads(_manifest_file(study).read_text(encoding="utf-8"))
        return [*content["forms"], content.get("printed", {})]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _form_files(built: BuiltForm) -> dict[str, bytes]:
    return {
        f"{built.key}.xlsx": workbook(built.form),
        f"{built.key}_codebook.xlsx": codebook_workbook(built.codebook),
        f"kobo_upload/{built.key}.xlsx": kobo_workbook(built.form),
    }


def _manifest_entry(built: BuiltForm, files: dict[str, bytes]) -> dict[str, str]:
    return {
        "key": built.key,
        "wave": built.codebook.wave,
        "group": built.codebook.group,
        "title": built.codebook.title,
        "build_id": built.codebook.build_id,
        **_digests(files),
    }


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {f"sha256 {name}": sha256(data) for name, data in sorted(files.items())}
