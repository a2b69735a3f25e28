"""register.xlsx: read and doubted, written, and cut down to what a form may carry.

Findings:
    R101  there is no register            R201  a column that is not read
    R102  a column is missing             R202  a valid ID that was never issued here
    R103  a column is there twice         R203  a further sheet
    R104  a column of personal data
    R105  a formula
    R106  a row without an ID
    R107  an ID that became a decimal
    R108  an ID with a wrong digit
    R109  IDs filled down
    R110  an ID in several rows
    R111  an unknown code
    R112  a respondent without a group
    R113  a personal link in several rows
    R114  a personal link with wrong characters
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.files import write_bytes
from kobosmix.findings import Finding, in_order
from kobosmix.people.enumerators import (
    Explanations,
    Row,
    Table,
    check_columns,
    check_formulas,
    csv_bytes,
    read_table,
    unknown_values,
)
from kobosmix.people.ids import (
    digest,
    filled_down,
    grouped,
    is_valid_id,
    normalise_id,
    one_edit_candidates,
)
from kobosmix.people.links import check_link_tokens
from kobosmix.people.model import (
    ACTIVE,
    COLUMNS,
    FURTHER_COLUMNS,
    STATUSES,
    WITHDRAWN,
    Register,
    Respondent,
)
from kobosmix.people.personal import is_like_a_name, personal_line
from kobosmix.xlsx import Cell, Sheet, sheet_names, workbook_bytes

EXPLANATIONS: Explanations = {
    "R101": (
        "The study has no register.xlsx.",
        "Copy the register back from a backup. Where no ID was ever issued, 'kobosmix ids' makes it.",
    ),
    "R102": (
        "A column of the register is missing or its header was changed.",
        "Put the header back in row 1; a column the study does not use stays empty.",
    ),
    "R103": (
        "Two columns have the same header, so nobody can tell which one counts.",
        "Delete or rename one of them.",
    ),
    "R104": (
        "A column looks like names, phone numbers or e-mail addresses.",
        "A name does not belong in the register. Move the column to the confidential list that "
        "the designated member keeps, delete it here, and destroy copies that still hold it.",
    ),
    "R105": (
        "A cell holds a formula; what it shows can change without anyone typing.",
        "Copy the cells and paste them back as values (Paste Special, Values).",
    ),
    "R106": (
        "A row is filled in but has no ID.",
        "Delete the row, or give it an unused spare ID; 'kobosmix ids' issues more.",
    ),
    "R107": (
        "The spreadsheet made a decimal number of an ID, and digits may be lost.",
        "Set the column to Text and type the ID again from the card or a backup.",
    ),
    "R108": (
        "The check digit does not fit: at least one digit is not as it was issued.",
        "Type the ID again from the card or a backup. IDs are issued by 'kobosmix ids'; one made "
        "up by hand is refused on the phone.",
    ),
    "R109": (
        "Dragging the corner of a cell made the spreadsheet count on from one ID.",
        "Undo, or restore the IDs from a backup. For more IDs run 'kobosmix ids'.",
    ),
    "R110": (
        "One ID stands in several rows, so answers could belong to several persons.",
        "Keep the row of the person who holds the card; give the others unused spare IDs.",
    ),
    "R111": (
        "A code is not one of those that context.yaml declares.",
        "Write one of the codes exactly as listed, or declare the new one in context.yaml.",
    ),
    "R112": (
        "An active respondent has no group, so no form fits.",
        "Fill in the group; an ID nobody holds yet has the status spare.",
    ),
    "R113": (
        "One link_token stands in several rows, so answers could belong to several persons.",
        "Copy the register back from a backup; sort whole rows, and never fill the column down.",
    ),
    "R114": (
        "A link_token has not the form in which it was issued.",
        "Copy the cell back from a backup. Tokens are issued by 'kobosmix links'; where none of "
        "the links was sent yet, the cell can be emptied instead, and a new one is issued.",
    ),
    "R201": (
        "The register has columns that kobosmix does not read.",
        "Nothing, if they hold no personal data; 'kobosmix ids' does not keep them.",
    ),
    "R202": (
        "An ID has the right check digit, but this study never issued it.",
        "Compare it with the card: a different ID may have been meant. If another office issued "
        "it, bring that office's .kobosmix/issued.json together with this one.",
    ),
    "R203": (
        "Only the first sheet of the register is read.",
        "Move the other sheets to a file of their own, above all if they hold names.",
    ),
}

_DECIMAL = re.compile(r"[0-9.,]+[eE][+-]?[0-9]+|[0-9]+[.,][0-9]+")
_LONGEST_HEADER = 30
_OURS = frozenset({*COLUMNS, *FURTHER_COLUMNS})


def read_register(  # noqa: PLR0913 -- one list of codes for each column
    path: Path,
    *,
    groups: Collection[str],
    sites: Collection[str],
    cohorts: Collection[str],
    partners: Collection[str],
    arms: Collection[str],
    languages: Collection[str] = (),
    issued: Collection[str] = frozenset(),
    required: bool = True,
) -> tuple[Register, list[Finding]]:
    """The respondents whose ID can be trusted, sorted by ID, and all that is wrong in the file.

    Rows with a wrong, repeated or missing ID are left out of the register. An empty status means
    active. `issued` holds the digests of `issued_digests`; without any, no ID is called foreign.
    A file that is not there is an empty register, and a finding if it is `required`.
    """
    table = read_table(path, EXPLANATIONS)
    if not path.exists():
        missing = table.finding("R101", "", (), "the file is missing")
        return Register(), [missing] if required else []
    # Of the further columns none need be there, but one that is must not be there twice.
    ours = (*COLUMNS, *(each for each in FURTHER_COLUMNS if each in table.header))
    found = [*check_columns(table, ours, missing="R102", repeated="R103")]
    found += [*_check_personal(table), *_check_sheets(table, path)]
    # Without its header, the first person would be taken for one, and every row for wrong.
    if "id" in table.header:
        codes = (groups, sites, cohorts, partners, arms, STATUSES)
        found += [*_check_extra(table), *check_formulas(table, ours, "R105")]
        found += [*_check_ids(table, issued), *check_link_tokens(table)]
        by_column = dict(zip(COLUMNS[1:], codes, strict=True))
        found += _check_codes(table, {**by_column, "language": languages})
    return _trusted(table), in_order(found)


def write_register(path: Path, register: Register) -> None:
    """Write register.xlsx in one step: sorted by ID, the IDs as text, no column beyond ours.

    Language and personal link are columns where somebody has one.
    """
    persons = sorted(register.respondents, key=lambda person: person.id)
    used = [name for name in FURTHER_COLUMNS if any(getattr(each, name) for each in persons)]
    columns = (*COLUMNS, *used)
    rows: list[Sequence[Cell]] = [columns]
    rows += [tuple(getattr(person, column) for column in columns) for person in persons]
    as_text = tuple(columns.index(name) for name in ("id", "link_token") if name in columns)
    sheet = Sheet(title="register", rows=rows, for_people=True, text_columns=as_text)
    write_bytes(path, workbook_bytes([sheet]))


def add_respondents(  # noqa: PLR0913 -- one for each column of the register
    register: Register,
    ids: Iterable[str],
    *,
    group: str,
    site: str = "",
    cohort: str = "",
    partner: str = "",
    status: str = ACTIVE,
) -> Register:
    """The register with these IDs as well, sorted by ID, so that rows do not tell who came when.

    An ID that is there already is a StudyError: IDs are never used twice.
    """
    new = Respondent(
        id="", group=group, site=site, cohort=cohort, partner=partner, status=status
    )
    persons = [*register.respondents, *(replace(new, id=issued) for issued in ids)]
    persons.sort(key=lambda person: person.id)
    for person, following in pairwise(persons):
        if person.id == following.id:
            raise StudyError(
                f"the ID {person.id} is in the register already; nothing was added"
            )
    return Register(tuple(persons))


def register_csv(register: Register, known: Collection[str] = ()) -> bytes:
    """What forms carry as register.csv: no arm, no partner, no status, nobody who withdrew.

    `known` are the IDs of those whose background was asked at an earlier wave.
    """
    persons = sorted(register.respondents, key=lambda person: person.id)
    rows = [
        (
            *(person.id, grouped(person.id), person.group, person.site, person.cohort),
            "1" if person.id in known else "",
        )
        for person in persons
        if person.status != WITHDRAWN
    ]
    return csv_bytes([("name", "label", "group", "site", "cohort", "background"), *rows])


def _check_personal(table: Table) -> Iterator[Finding]:
    """A name does not belong in the register, nor does anything else that finds a person."""
    for number, column in enumerate(table.columns):
        line = _personal_line(column)
        if line:
            problem = "this looks like names, phone numbers or e-mail addresses"
            yield table.finding("R104", f"column {_letter(number)}", [line], problem)


def _check_sheets(table: Table, path: Path) -> Iterator[Finding]:
    """One sheet: what lies on another goes wherever the file goes."""
    further = len(sheet_names(path)) - 1
    if further:
        problem = f"{further} further sheet{'s' * (further > 1)} not read"
        yield table.finding("R203", "", (), problem)


def _check_extra(table: Table) -> Iterator[Finding]:
    """Columns nobody reads are no fault, but whoever filled them in should know."""
    extra = [
        f"{_letter(number)} ({header})" if _may_be_shown(header) else _letter(number)
        for number, (header, *cells) in enumerate(table.columns)
        if header.lower() not in _OURS
        and (header or any(cells))
        and not _personal_line((header, *cells))
    ]
    if extra:
        problem = f"columns that are not read: {', '.join(extra)}"
        yield table.finding("R201", "header", [1], problem)


def _check_ids(table: Table, issued: Collection[str]) -> Iterator[Finding]:
    """Every row has an ID just as it was issued, and no other row has it."""
    by_line = [""] * (max((row.line for row in table.rows), default=0) + 1)
    for row in table.rows:
        by_line[row.line] = _id(row)
    runs = filled_down(by_line)
    for run in runs:
        yield table.finding("R109", "column id", run, "the IDs look filled down")
    for code, problem in (("R106", "no ID"), ("R107", "the ID has become a decimal number")):
        lines = [row.line for row in table.rows if _fault(row) == code]
        if lines:
            yield table.finding(code, "column id", lines, problem)
    listed = _lines_by_id(table)
    for lines in listed.values():
        if len(lines) > 1:
            yield table.finding("R110", "column id", lines, "the same ID")
    counted = {line for run in runs for line in run}
    rows = [row for row in table.rows if row.line not in counted]
    yield from _check_altered(table, rows, issued)
    yield from _check_foreign(table, rows, issued)


def _check_altered(
    table: Table, rows: Iterable[Row], issued: Collection[str]
) -> Iterator[Finding]:
    """The check digit fits. What was meant is said only if one ID issued here and free is near."""
    listed = _lines_by_id(table)
    for row in rows:
        if _fault(row) == "R108":
            near = one_edit_candidates(_id(row), _Issued(issued))
            problem = "not an ID as it was issued"
            if len(near) == 1 and near[0] not in listed:
                problem += f"; {near[0]} was issued, differs by one slip, and is in no row"
            yield table.finding("R108", "column id", [row.line], problem)


def _check_foreign(
    table: Table, rows: Iterable[Row], issued: Collection[str]
) -> Iterator[Finding]:
    """Once there is a ledger, an ID that is not in it came from somewhere else."""
    valid = [row for row in rows if not _fault(row)]
    foreign = [row.line for row in valid if issued and digest(_id(row)) not in issued]
    if foreign:
        yield table.finding("R202", "column id", foreign, "a valid ID, but not issued here")


def _check_codes(table: Table, codes: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    """Codes are those context.yaml declares; an active respondent has a group."""
    for column, allowed in codes.items():
        valid = ", ".join(sorted(allowed)) or "none, as the study declares none"
        for lines in unknown_values(table, column, allowed):
            problem = f"unknown {column}; valid: {valid}"
            yield table.finding("R111", f"column {column}", lines, problem)
    without = table.lines_where(_lacks_group)
    if without and "group" in table.header:
        yield table.finding("R112", "column group", without, "active, but without a group")


def _lacks_group(row: Row) -> bool:
    return not row.text("group") and row.text("status") in {"", ACTIVE}


def _trusted(table: Table) -> Register:
    listed = _lines_by_id(table)
    rows = [row for row in table.rows if len(listed.get(_id(row), ())) == 1]
    return Register(tuple(map(_respondent, sorted(rows, key=_id))))


def _respondent(row: Row) -> Respondent:
    said = {column: row.text(column) for column in (*COLUMNS, *FURTHER_COLUMNS)}
    return Respondent(**{**said, "id": _id(row), "status": said["status"] or ACTIVE})


def _lines_by_id(table: Table) -> dict[str, list[int]]:
    """The rows of each valid ID."""
    lines = defaultdict[str, list[int]](list)
    for row in table.rows:
        if not _fault(row):
            lines[_id(row)].append(row.line)
    return lines


def _fault(row: Row) -> str:
    """The code of what is wrong with a row's ID, seen by itself; empty if nothing is."""
    if row.text("id").startswith("="):
        return "R105"
    if not _id(row):
        return "R106"
    if _DECIMAL.fullmatch(row.text("id")):
        return "R107"
    return "" if is_valid_id(_id(row)) else "R108"


def _id(row: Row) -> str:
    return normalise_id(row.text("id"))


@dataclass(frozen=True, slots=True)
class _Issued:
    """The IDs behind the digests: it can be asked for one, not listed."""

    digests: Collection[str]

    def __contains__(self, respondent_id: object) -> bool:
        return isinstance(respondent_id, str) and digest(respondent_id) in self.digests


def _personal_line(column: Sequence[str]) -> int:
    """The first row that looks like personal data; 0 if none does, or the column is ours."""
    return 0 if column[0].lower() in _OURS else personal_line(column)


def _may_be_shown(header: str) -> bool:
    return bool(header) and len(header) <= _LONGEST_HEADER and not is_like_a_name(header)


def _letter(number: int) -> str:
    """What a spreadsheet calls the column: A, B, ... Z, AA."""
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters
