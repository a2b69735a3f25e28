"""Both lists of people of a study, held against its context and the IDs it issued."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kobosmix.context.model import Context
from kobosmix.errors import StudyError
from kobosmix.files import write_json
from kobosmix.findings import Finding, Place, Severity
from kobosmix.people.coverage import check_coverage, check_variety
from kobosmix.people.enumerators import Enumerator, read_enumerators
from kobosmix.people.ids import digest, issued_digests, remember_issued
from kobosmix.people.links import check_links_stay
from kobosmix.people.model import SPARE, Register, Respondent
from kobosmix.people.register import read_register
from kobosmix.study import Study

_FORMAT = 1
# So many people may change their site or cohort without a word.
_A_FEW = 2
# Columns and sheets that people added; the register is written without them.
_NOT_KEPT = ("R201", "R203")

EXPLANATIONS = {
    "E111": (
        "Nobody is on the list of enumerators, and no interview gets past its first screen "
        "without one.",
        "Give each enumerator a row with a code and a name.",
    ),
    "R204": (
        "IDs were issued that have no row in the register any more. Interviews under them cannot "
        "be matched.",
        "Copy the rows back from a backup. A person who withdrew keeps the row, with status "
        "'withdrawn'.",
    ),
    "R205": (
        "IDs stand in rows of another group than they were issued for, as happens when a "
        "spreadsheet sorts one column alone. Answers would be matched to the wrong people.",
        "Copy the register back from a backup; sort whole rows, never one column.",
    ),
    "R206": (
        "IDs stand at another site or in another cohort than they were issued for.",
        "Nothing to do if these were changed on purpose; else copy the register from a backup.",
    ),
}


def read_people(
    study: Study, context: Context
) -> tuple[tuple[Enumerator, ...], Register, list[Finding]]:
    """The enumerators, the register, and all that is wrong with either."""
    enumerators, findings = _enumerators(study, context)
    if not context.has_issued_ids:
        return enumerators, Register(), findings
    issued = issued_digests(study)
    register, said = read_register(
        study.register_file,
        groups=context.groups,
        sites=context.sites,
        cohorts=context.cohorts,
        partners=context.partners,
        arms=context.arms,
        languages=context.languages,
        issued=issued,
        # Before the first ID there is no register; after it, one that is gone is a loss.
        required=bool(issued),
    )
    if register.respondents:
        said += check_no_row_is_lost(study, register, issued)
        said += check_rows_belong_together(study, register)
        said += check_links_stay(study, register)
    return enumerators, register, [*findings, *said]


def remember_respondents(study: Study, respondents: Sequence[Respondent]) -> None:
    """Note that these IDs are used up, and for which group, site and cohort each was issued.

    Call it before the register is written: an ID that is lost is better than one used twice.
    """
    remember_issued(study, [each.id for each in respondents])
    rows = {digest(each.id): [each.group, each.site, each.cohort] for each in respondents}
    write_json(_rows_file(study), {"format": _FORMAT, "rows": {**_rows(study), **rows}})


def refuse_to_drop(findings: Iterable[Finding], doing: str) -> None:
    """Raise a StudyError where people added something that `doing` this would not keep."""
    own = [finding.problem for finding in findings if finding.code in _NOT_KEPT]
    if own:
        raise StudyError(
            f"register.xlsx holds something of your own ({'; '.join(own)}), and {doing} writes "
            "the file anew without it. Move it to another file first. Nothing was changed in it."
        )


def check_no_row_is_lost(
    study: Study, register: Register, issued: frozenset[str]
) -> Iterator[Finding]:
    """Every ID that was issued has its row."""
    lost = len(issued - {digest(respondent_id) for respondent_id in register.by_id})
    if lost:
        yield Finding(
            code="R204",
            place=Place(study.register_file.name),
            problem=f"{lost} issued ID{'s have' if lost > 1 else ' has'} no row any more, so "
            "interviews under them cannot be matched",
            remedy="Copy the rows back from a backup; withdrawn people keep theirs.",
            severity=Severity.WARNING,
        )


def check_rows_belong_together(study: Study, register: Register) -> Iterator[Finding]:
    """An ID is still in the row of the group, and mostly of the place, it was issued for."""
    issued = _rows(study)
    known = [
        (each, issued[digest(each.id)])
        for each in register.respondents
        if digest(each.id) in issued
    ]
    # A spare ID may be issued for one group and used by a walk-in of another.
    group = sum(each.group != row[0] for each, row in known if each.status != SPARE)
    place = sum([each.site, each.cohort] != row[1:] for each, row in known)
    if group:
        yield _moved(
            study,
            "R205",
            f"{group} IDs stand in rows of another group than they were "
            "issued for; was one column sorted alone?",
            Severity.ERROR,
        )
    elif place > _A_FEW:
        yield _moved(
            study,
            "R206",
            f"{place} IDs stand at another site or in another cohort than they were issued for",
            Severity.WARNING,
        )


def _moved(study: Study, code: str, problem: str, severity: Severity) -> Finding:
    return Finding(
        code=code,
        place=Place(study.register_file.name),
        problem=problem,
        remedy=EXPLANATIONS[code][1],
        severity=severity,
    )


def _rows(study: Study) -> dict[str, list[str]]:
    try:
        return dict(json.loads(_rows_file(study).read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        # Only a safeguard: without it, nothing is known of where an ID was issued.
        return {}


def _rows_file(study: Study) -> Path:
    return study.state_file.parent / "issued_rows.json"


def _enumerators(
    study: Study, context: Context
) -> tuple[tuple[Enumerator, ...], list[Finding]]:
    if not context.is_interview:
        return (), []
    path = study.enumerators_file
    enumerators, said = read_enumerators(
        path, groups=context.groups, languages=context.languages
    )
    if not enumerators:
        return (), said or [_nobody(path.name)]
    spoken = {
        group.id: tuple(tag for tag in group.languages if tag in context.languages)
        for group in context.groups.values()
    }
    said += [*check_coverage(enumerators, spoken), *check_variety(enumerators)]
    return enumerators, said


def _nobody(file: str) -> Finding:
    return Finding(
        code="E111",
        place=Place(file),
        problem="there is no enumerator in the list, so no interview gets past its first screen",
        remedy="Give each enumerator a row with a code and a name.",
    )
