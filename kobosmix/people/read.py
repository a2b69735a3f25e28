"""Both lists of people of a study, held against its context and the IDs it issued."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.context.model import Context
from kobosmix.findings import Finding, Place, Severity
from kobosmix.people.enumerators import Enumerator, check_coverage, read_enumerators
from kobosmix.people.ids import digest, issued_digests
from kobosmix.people.model import Register
from kobosmix.people.register import read_register
from kobosmix.study import Study

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
}


def read_people(
    study: Study, context: Context
) -> tuple[tuple[Enumerator, ...], Register, list[Finding]]:
    """The enumerators, the register, and all that is wrong with either."""
    enumerators, findings = _enumerators(study, context)
    issued = issued_digests(study)
    register, said = read_register(
        study.register_file,
        groups=context.groups,
        sites=context.sites,
        cohorts=context.cohorts,
        partners=context.partners,
        arms=context.arms,
        issued=issued,
        # Before the first ID there is no register; after it, one that is gone is a loss.
        required=bool(issued),
    )
    lost = list(check_no_row_is_lost(study, register, issued)) if register.respondents else []
    return enumerators, register, [*findings, *said, *lost]


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
    return enumerators, [*said, *check_coverage(enumerators, spoken)]


def _nobody(file: str) -> Finding:
    return Finding(
        code="E111",
        place=Place(file),
        problem="there is no enumerator in the list, so no interview gets past its first screen",
        remedy="Give each enumerator a row with a code and a name.",
    )
