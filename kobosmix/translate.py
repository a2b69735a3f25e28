"""Wording of a study by hand: sheets written, what came back taken in, readers' signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kobosmix import content
from kobosmix.bank import read_bank
from kobosmix.errors import InputError, StudyError, UsageError
from kobosmix.files import write_bytes
from kobosmix.findings import Severity, has_errors
from kobosmix.prepare import Prepared, prepare
from kobosmix.study import Study
from kobosmix.wording import Review, Wording
from kobosmix.wording.adopt import Adoption, adopt, read_copy
from kobosmix.wording.from_form import found_in, read_old_form
from kobosmix.wording.reread import Given, about_of, read_given
from kobosmix.wording.review import Signature, State
from kobosmix.wording.sheet import (
    SheetOf,
    compared_sheet,
    pretest_sheet,
    proof,
    recording_script,
    translators_sheet,
)
from kobosmix.wording.take_in import TakenIn, sign, take_in, write_taken_in
from kobosmix.wording.templates import (
    TemplatesTaken,
    read_templates,
    templates_sheet,
    write_templates,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageStatus:
    """How many sentences of one language there are, and in which state."""

    tag: str
    english: str
    texts: int
    missing: int
    draft: int
    signed: int
    stale: int


def write_sheet(study: Study, tag: str, *, more_columns: bool = False) -> Path:
    """Write the translator's sheet of one language; the path it was written to."""
    of = _sheet_of(study, tag)
    path = study.wording_folder / f"sheet_{tag}.xlsx"
    write_bytes(path, translators_sheet(of, more_columns=more_columns))
    return path


def write_templates_sheet(study: Study, tag: str) -> Path:
    """Write the sentences with their slots, and the name forms; the path it was written to."""
    path = study.wording_folder / f"templates_{tag}.xlsx"
    write_bytes(path, templates_sheet(_sheet_of(study, tag)))
    return path


def read_templates_sheet(study: Study, path: Path) -> TemplatesTaken:
    """What taking such a sheet in would change. Writes nothing."""
    about = about_of(path)
    wording, _ = _worded(study, about.language)
    if about.study != wording.context.study or about.language not in wording.bank.languages:
        raise UsageError(
            f"{path.name} was written for the study '{about.study}', not for this one"
        )
    return read_templates(path, wording, about.language)


def take_templates_in(study: Study, taken: TemplatesTaken) -> None:
    """Write templates into the study's catalogue, names into context.yaml; or raise the findings."""
    if taken.findings:
        raise InputError(taken.findings)
    wording, _ = _worded(study, taken.tag)
    write_templates(taken, wording, study.translations_folder, study.context_file)


def compare_with_form(study: Study, old: Path) -> list[tuple[Path, int]]:
    """Lay an old form's translations beside the study's, a sheet for each language it has.

    Returns each sheet with the number of sentences found; nothing is taken into the study.
    """
    wording, reviews = _worded(study, "")
    written, why_not = list[tuple[Path, int]](), list[str]()
    for tag, review in reviews.items():
        of = SheetOf(wording, review)
        try:
            found = found_in(read_old_form(old, wording.bank.languages[tag]), of.review)
        except StudyError as error:
            why_not.append(str(error))
            continue
        path = study.wording_folder / f"from_form_{tag}.xlsx"
        write_bytes(path, compared_sheet(of, found))
        written.append((path, len(found)))
    if not written:
        raise StudyError("\n".join(why_not))
    return written


def write_recording_script(study: Study, tag: str) -> Path:
    """Write what is to be recorded in a language; the path it was written to."""
    path = study.wording_folder / f"recording_{tag}.xlsx"
    write_bytes(path, recording_script(_sheet_of(study, tag)))
    return path


def write_proof(study: Study, tag: str) -> tuple[Path, Path]:
    """Write the proof of one language and the pretest sheet beside it; both paths."""
    of = _sheet_of(study, tag)
    paths = (
        study.wording_folder / f"proof_{tag}.xlsx",
        study.wording_folder / f"pretest_{tag}.xlsx",
    )
    for path, written in zip(paths, (proof(of), pretest_sheet(of)), strict=True):
        write_bytes(path, written)
    return paths


def read_sheet(study: Study, path: Path, today: date) -> TakenIn:
    """What taking a sheet or a proof in would change. Writes nothing."""
    given = read_given(path, today)
    wording, reviews = _worded(study, given.language)
    return take_in(given, wording, _review(reviews, given.language))


def take_sheet_in(study: Study, taken: TakenIn, today: date) -> list[tuple[Signature, int]]:
    """Write the changes, then the signatures; with each of these, how many sentences stay open.

    With errors in the sheet nothing is written, and they are raised.
    """
    if has_errors(taken.findings):
        raise InputError([f for f in taken.findings if f.severity is Severity.ERROR])
    wording, _ = _worded(study, taken.given.language)
    write_taken_in(taken, wording, study.translations_folder, today)
    return _sign(study, taken.given)


def adopt_published(study: Study, copy: Path) -> Adoption:
    """Take the published English wording from the user's own copy of the toolkit into the study."""
    bank = read_bank(content.item_templates(), study.items_folder)
    return adopt(read_copy(copy), bank, study.translations_folder, copy.name)


def wording_status(study: Study) -> tuple[LanguageStatus, ...]:
    """Where each language of the study stands, in the order of context.yaml."""
    prepared = _prepared(study, "")
    counts = list[LanguageStatus]()
    for tag, review in prepared.reviews.items():
        counts.append(
            LanguageStatus(
                tag=tag,
                english=prepared.bank.languages[tag].english,
                texts=len(review.texts),
                **{str(state): review.count(state) for state in State},
            )
        )
    return tuple(counts)


def _sign(study: Study, given: Given) -> list[tuple[Signature, int]]:
    if not given.signatures:
        return []
    _, reviews = _worded(study, given.language)
    return sign(given, _review(reviews, given.language), study.translations_folder)


def _sheet_of(study: Study, tag: str) -> SheetOf:
    wording, reviews = _worded(study, tag)
    return SheetOf(wording, _review(reviews, tag))


def _worded(study: Study, tag: str) -> tuple[Wording, Mapping[str, Review]]:
    prepared = _prepared(study, tag)
    if prepared.wording is None:
        raise InputError(prepared.findings)
    return prepared.wording, prepared.reviews


def _prepared(study: Study, tag: str) -> Prepared:
    prepared = prepare(study, engines=False, also=tag)
    # Sheets are for what sentences lack; the rest of the study has to be right.
    prepared.trusted("Y", "C101", "C102", "C103", "W101", "W107", "W109")
    return prepared


def _require_known(tag: str) -> None:
    known = read_bank(content.item_templates()).languages
    if tag not in known:
        raise UsageError(
            f"kobosmix has no table for the language '{tag}'; there is: {', '.join(sorted(known))}"
        )


def _review(reviews: Mapping[str, Review], tag: str) -> Review:
    if tag not in reviews:
        _require_known(tag)
        raise UsageError(
            f"no group of this study is asked in '{tag}'; its languages are: {', '.join(reviews)}. "
            "List it under 'languages' and under a group's 'languages' in context.yaml first."
        )
    return reviews[tag]
