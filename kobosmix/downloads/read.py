"""Downloaded tables as submissions: the same content the server would have given."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from kobosmix.codebook import Codebook, Kind, Role
from kobosmix.downloads.cells import holds_days, read_cell
from kobosmix.downloads.columns import Layout, Told, find_column, layout_of, told_columns
from kobosmix.downloads.dates import as_time, as_utc, has_zone, order_of
from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.downloads.table import Line, Table
from kobosmix.findings import Finding
from kobosmix.people.enumerators import rows_named
from kobosmix.store.content import DOWNLOAD, SOURCE

_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_REVIEWS: Mapping[str, tuple[str, str]] = {
    "approved": ("validation_status_approved", "Approved"),
    "not approved": ("validation_status_not_approved", "Not Approved"),
    "on hold": ("validation_status_on_hold", "On Hold"),
}
_ASKED = frozenset({Role.KEY, Role.ITEM, Role.CLOSING, Role.STAFF})
_NAMED = 8
_CENTRAL_REVIEWS = frozenset({"hasissues", "edited", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One submission of a file. `root_uuid` is that of its first version, `uuid` of this one.

    `paths` are the fields the file has a column for, whether this row fills it or not.
    """

    file: str
    line: int
    form: str
    server_id: str
    root_uuid: str
    uuid: str
    received: str
    validation: str
    content: Mapping[str, Any]
    paths: frozenset[str]


@dataclass
class _Lines:
    """Lines by what is wrong with them, so that each thing is said once."""

    table: Table
    found: dict[tuple[str, str, str], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, line: int, code: str, problem: str, spot: str = "") -> None:
        """Remember that this is so in a line; 0 is the table as a whole."""
        self.found[code, problem, spot].append(line)

    def findings(self) -> Iterator[Finding]:
        """Each thing once, with the rows it is true of."""
        for (code, problem, spot), lines in self.found.items():
            rows = sorted({line for line in lines if line})
            yield self.table.finding(
                code,
                f"{rows_named(rows)}: {problem}" if rows else problem,
                remedy=EXPLANATIONS[code][1],
                line=rows[0] if rows else 0,
                spot=spot,
            )


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of one table."""

    table: Table
    codebooks: Mapping[str, Codebook]
    said: _Lines
    told: Mapping[Told, int]
    constants: Mapping[str, int | None]
    layouts: dict[str, Layout] = field(default_factory=dict)
    orders: dict[int, str] = field(default_factory=dict)

    @cached_property
    def studies(self) -> frozenset[str]:
        """What this study is called, and was called before."""
        return frozenset(codebook.study for codebook in self.codebooks.values())

    def submissions(self) -> Iterator[Submission]:
        """Each row that is a submission of this study."""
        for line in self.table.lines:
            build = self._constant(line, "kx_build")
            study = self._constant(line, "kx_study")
            codebook = self.codebooks.get(build)
            if study and study not in self.studies:
                self.said.note(line.number, "D111", f"of the study '{study}'")
            elif codebook is None:
                what = f"of the build {build}" if build else "no build id"
                self.said.note(line.number, "D203", f"{what}, which is not in build/; left out")
            elif self._belongs(line, codebook):
                found = self._submission(line, codebook)
                if found is not None:
                    yield found

    def _constant(self, line: Line, name: str) -> str:
        at = self.constants[name]
        return "" if at is None else line.cells[at].strip()

    def _belongs(self, line: Line, codebook: Codebook) -> bool:
        """Whether the row says the group and wave of its build, as far as it says any."""
        for name, right in (("kx_group", codebook.group), ("kx_wave", codebook.wave)):
            told = self._constant(line, name)
            if told and told != right:
                problem = f"{name} is '{told}', but the build is of '{right}'"
                self.said.note(line.number, "D204", problem)
                return False
        return True

    def _submission(self, line: Line, codebook: Codebook) -> Submission | None:
        identity = self._identity(line)
        received = self._received(line)
        if identity is None or not received:
            return None
        root, uuid = identity
        layout = self._layout(codebook)
        number = self._told(line, Told.SERVER_ID)
        is_number = _NUMBER.fullmatch(number) is not None
        uid, label = review_of(self._told(line, Told.REVIEW))
        beside = {
            "_id": int(number) if is_number else None,
            "_uuid": uuid,
            "meta/instanceID": f"uuid:{uuid}",
            "meta/rootUuid": f"uuid:{root}",
            "meta/instanceName": self._told(line, Told.TITLE),
            "__version__": self._told(line, Told.VERSION),
            "_submission_time": received.removesuffix("Z"),
            "_validation_status": {"uid": uid, "label": label} if uid else None,
            SOURCE: DOWNLOAD,
        }
        answers = self._answers(line, layout, received)
        told = {name: value for name, value in beside.items() if value not in ("", None)}
        return Submission(
            file=self.table.file,
            line=line.number,
            form=f"{codebook.wave}_{codebook.group}",
            server_id=number if is_number else f"uuid:{root}",
            root_uuid=root,
            uuid=uuid,
            received=received,
            validation=uid,
            content={**answers, **told},
            paths=frozenset(variable.path for variable in layout.answers.values()),
        )

    def _told(self, line: Line, what: Told) -> str:
        at = self.told.get(what)
        return "" if at is None else line.cells[at].strip()

    def _identity(self, line: Line) -> tuple[str, str] | None:
        names = {what: self._told(line, what).removeprefix("uuid:") for what in Told}
        uuid = names[Told.UUID] or names[Told.INSTANCE] or names[Told.KEY]
        root = names[Told.ROOT] or names[Told.KEY] or uuid
        if not _IDENTITY.fullmatch(root) or not _IDENTITY.fullmatch(uuid):
            problem = "neither _uuid, meta/instanceID nor KEY says which submission it is"
            self.said.note(line.number, "D202", problem)
            return None
        if not names[Told.ROOT] and not names[Told.KEY]:
            self.said.note(0, "D303", "there is no column meta/rootUuid")
        return root, uuid

    def _received(self, line: Line) -> str:
        at = self.told.get(Told.RECEIVED)
        text = "" if at is None else line.cells[at].strip()
        stamp = as_time(text, self._order(at)) if at is not None and text else None
        received = as_utc(stamp) if stamp else None
        if received is None:
            problem = "when it was received is missing, or can be read in two ways"
            self.said.note(line.number, "D202", problem)
            return ""
        if not has_zone(text) and Told.SERVER_ID not in self.told:
            self.said.note(0, "D304", "the times do not say in which zone they are")
        return received

    def _order(self, at: int) -> str:
        if at not in self.orders:
            self.orders[at] = order_of(line.cells[at].strip() for line in self.table.lines)
        return self.orders[at]

    def _layout(self, codebook: Codebook) -> Layout:
        if codebook.build_id not in self.layouts:
            layout = layout_of(self.table.header, codebook)
            self.layouts[codebook.build_id] = layout
            self._check(layout)
            self._check_whole(layout, codebook)
        return self.layouts[codebook.build_id]

    def _check(self, layout: Layout) -> None:
        header = self.table.header
        for at, variables in layout.unclear.items():
            if self._is_filled(at):
                names = " and ".join(sorted(each.name for each in variables))
                self.said.note(0, "D105", f"it is the label of {names}", _shown(header[at]))
        for name, places in layout.twice.items():
            if sum(map(self._is_filled, places)) > 0:
                problem = f"{len(places)} columns are the question {name}"
                self.said.note(0, "D106", problem, _shown(header[places[0]]))
        for at in layout.unread:
            if self._is_filled(at):
                self.said.note(0, "D205", "no question is called so", _shown(header[at]))

    def _check_whole(self, layout: Layout, codebook: Codebook) -> None:
        """Questions of the form that the file has no column for: their answers are not there."""
        have = {variable.name for variable in layout.answers.values()}
        lacks = [v.name for v in codebook.variables if v.role in _ASKED and v.name not in have]
        if lacks:
            shown = ", ".join(lacks[:_NAMED]) + (", ..." if len(lacks) > _NAMED else "")
            self.said.note(0, "D206", f"{len(lacks)} questions have no column: {shown}")

    def _is_filled(self, at: int) -> bool:
        return any(line.cells[at].strip() for line in self.table.lines)

    def _answers(self, line: Line, layout: Layout, received: str) -> dict[str, str]:
        answers = dict[str, str]()
        for at, variable in layout.answers.items():
            text = line.cells[at]
            if not text.strip():
                continue
            if variable.kind is not Kind.TEXT:
                text = text.strip()
            order = self._order(at) if holds_days(variable) else ""
            cell = read_cell(variable, text, layout.language, order, received)
            if cell.fault:
                self.said.note(
                    line.number, cell.fault, _FAULTS[cell.fault], _shown(self.table.header[at])
                )
            if cell.repaired:
                self.said.note(0, "D301", f"{cell.repaired} were respelled")
            answers[variable.path] = cell.answer
        return answers


_FAULTS = {
    "D107": "not one answer of this question, by its labels",
    "D108": "a number cut short, as in 1.2E+07; its last digits are gone",
    "D109": "a date that can be read in two ways, or in none",
}


def read_submissions(
    table: Table, codebooks: Mapping[str, Codebook]
) -> tuple[list[Submission], list[Finding]]:
    """The submissions of a table, and all that is wrong with it.

    Rows that are none of this study's, or that nobody could tell from others, are not among them.
    """
    table, quoted = _without_apostrophes(table)
    said = _Lines(table)
    for at in quoted:
        said.note(
            0, "D301", "apostrophes before the values were taken off", _shown(table.header[at])
        )
    names = ("kx_study", "kx_group", "kx_wave", "kx_build")
    constants = {name: find_column(table.header, name) for name in names}
    if constants["kx_build"] is None:
        said.note(0, "D110", "there is no column kx_build")
        return [], list(said.findings())
    reader = _Reader(table, codebooks, said, told_columns(table.header), constants)
    found = list(reader.submissions())
    unique = list(_each_once(found, said))
    return unique, list(said.findings())


def _without_apostrophes(table: Table) -> tuple[Table, list[int]]:
    """The table without what a spreadsheet puts before text; and the columns that had it.

    Only where every value of a column begins so: `'1` is no code, but a sentence may begin so.
    """
    quoted = [
        at
        for at in range(len(table.header))
        if (filled := [line.cells[at] for line in table.lines if line.cells[at].strip()])
        and all(cell.startswith("'") for cell in filled)
    ]
    if not quoted:
        return table, []
    lines = [
        replace(
            line,
            cells=tuple(
                cell[1:] if at in quoted and cell else cell
                for at, cell in enumerate(line.cells)
            ),
        )
        for line in table.lines
    ]
    return replace(table, lines=tuple(lines)), quoted


def _each_once(found: Sequence[Submission], said: _Lines) -> Iterator[Submission]:
    """Each submission once; two rows of one that differ are a fault of the file."""
    first = dict[str, Submission]()
    for each in found:
        known = first.setdefault(each.root_uuid, each)
        if known is each:
            yield each
        elif known.content != each.content:
            said.note(known.line, "D112", "two different rows of one submission")
            said.note(each.line, "D112", "two different rows of one submission")


def review_of(text: str) -> tuple[str, str]:
    """The review of a submission as its server names it, and in words; both empty for none.

    >>> review_of("Not Approved"), review_of("hasIssues"), review_of("")
    (('validation_status_not_approved', 'Not Approved'), ('hasIssues', 'hasIssues'), ('', ''))
    """
    if text.lower() in _CENTRAL_REVIEWS:
        return text, text
    if text.startswith("validation_status_"):
        return text, text.removeprefix("validation_status_").replace("_", " ").title()
    return _REVIEWS.get(text.lower(), ("", ""))


def counted_by_form(submissions: Sequence[Submission]) -> Mapping[str, int]:
    """How many submissions there are of each form."""
    return Counter(each.form for each in submissions)


def _shown(heading: str) -> str:
    longest = 60
    text = " ".join(heading.split())
    return f"column '{text if len(text) <= longest else text[: longest - 1] + '…'}'"
