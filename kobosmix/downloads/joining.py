"""Rows of a form made by hand, as submissions of this study's forms, by a mapping sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from kobosmix.codebook import Codebook, Variable
from kobosmix.downloads.cells import holds_days, read_cell
from kobosmix.downloads.columns import BY_NAME
from kobosmix.downloads.dates import as_time, as_utc, order_of
from kobosmix.downloads.explained import EXPLANATIONS
from kobosmix.downloads.mapping import (
    GROUP,
    NO_ANSWER,
    RECEIVED,
    ROLES,
    SUBMISSION,
    WAVE,
    FilledMapping,
)
from kobosmix.downloads.table import Line, Table
from kobosmix.findings import Finding
from kobosmix.people.enumerators import rows_named
from kobosmix.store import Row
from kobosmix.store.content import JOINED, SOURCE

# What says in the store that a row was joined, by which sheet, and what it said before.
BY_MAPPING, BEFORE = "kx_mapping", "kx_before"
_NAMES = UUID("6b627378-0000-4000-8000-6d617070696e")
_AGREED, _INTERVIEW = "1", "interview"


def joined_rows(
    table: Table, mapping: FilledMapping, codebooks: Sequence[Codebook]
) -> tuple[dict[str, list[Row]], list[Finding]]:
    """The rows by form, and the lines that cannot be taken. The mapping must have no error."""
    joining = _Joining(table, mapping, codebooks)
    rows = dict[str, list[Row]]()
    for line in table.lines:
        found = joining.row(line)
        if found is not None:
            rows.setdefault(found[0], []).append(found[1])
    return rows, list(joining.findings())


def project_of_joined(form: str) -> str:
    """What stands in the store for the project of a form that was made by hand."""
    return f"by_mapping_{form}"


class _Joining:
    """Joins one table."""

    def __init__(
        self, table: Table, mapping: FilledMapping, codebooks: Sequence[Codebook]
    ) -> None:
        self._table, self._mapping = table, mapping
        self._books = {(book.wave, book.group): book for book in codebooks}
        self._study = codebooks[0].study
        self._faults = dict[tuple[str, str, str], list[int]]()
        self._seen = dict[str, int]()
        self._orders = {
            old: order_of(line.cells[self._at(old)].strip() for line in table.lines)
            for old in mapping.items
        }

    def row(self, line: Line) -> tuple[str, Row] | None:
        """The form and the row; None where the line cannot be taken."""
        name = self._text(line, SUBMISSION)
        received = self._received(line)
        book = self._books.get((self._place(line, WAVE), self._place(line, GROUP)))
        if not name or name in self._seen:
            problem = "another row has the same name" if name else "it has no name"
            self._fault("D202", problem, self._mapping.column(SUBMISSION), line)
            return None
        self._seen[name] = line.number
        if not received or book is None:
            problem = "the day cannot be read" if book else "the study has no such form"
            self._fault("D202", problem, self._mapping.column(RECEIVED), line)
            return None
        form = f"{book.wave}_{book.group}"
        root = str(uuid5(_NAMES, f"{self._study}/{form}/{name}"))
        content = self._content(line, book, received) | {"meta/rootUuid": f"uuid:{root}"}
        row = Row(server_id=name, root_uuid=root, received=received, content=content)
        return form, row

    def findings(self) -> Iterator[Finding]:
        """The lines that could not be taken, and cells that could not be read."""
        for (code, problem, old), lines in self._faults.items():
            yield self._table.finding(
                code,
                f"{rows_named(lines)}: {problem}",
                remedy=EXPLANATIONS[code][1],
                line=lines[0],
                spot=f"column '{old}'",
            )

    def _content(self, line: Line, book: Codebook, received: str) -> dict[str, Any]:
        answers, before = dict[str, str](), dict[str, str]()
        for old, item in self._mapping.items.items():
            text = line.cells[self._at(old)].strip()
            variable = next((v for v in book.variables if v.name == item), None)
            if not text or item in ROLES or variable is None:
                continue
            before[old] = text
            answer = self._answer(line, old, text, variable, received)
            if answer:
                answers[item] = answer
        answers = {**answers, **self._implied(answers, book, received)}
        paths = {variable.name: variable.path for variable in book.variables}
        content: dict[str, Any] = {
            paths[name]: answer for name, answer in answers.items() if name in paths
        }
        return content | {SOURCE: JOINED, BY_MAPPING: self._mapping.digest, BEFORE: before}

    def _answer(
        self, line: Line, old: str, text: str, variable: Variable, received: str
    ) -> str:
        if variable.options:
            code = self._mapping.codes.get((old, text), "")
            return "" if code == NO_ANSWER else code
        order = self._orders[old] if holds_days(variable) else ""
        cell = read_cell(variable, text, BY_NAME, order, received)
        if cell.fault:
            self._fault(cell.fault, "it cannot be read", old, line)
        return cell.answer

    def _implied(
        self, answers: Mapping[str, str], book: Codebook, received: str
    ) -> dict[str, str]:
        """What the forms of this study work out by themselves."""
        agreed = self._mapping.all_agreed or answers.get("consent") == _AGREED
        implied = {
            "kx_study": book.study,
            "kx_wave": book.wave,
            "kx_group": book.group,
            "kx_build": book.build_id,
            "today": answers.get("today", received[:10]),
            "rid_typed": answers.get("rid", ""),
        }
        if "attempt" not in answers:
            implied["attempt"] = _INTERVIEW
        if agreed:
            implied |= {"consent": _AGREED, "consent_ok": _AGREED}
        return {name: value for name, value in implied.items() if value}

    def _received(self, line: Line) -> str:
        old = self._mapping.column(RECEIVED)
        stamp = as_time(self._text(line, RECEIVED), self._orders[old])
        if stamp is None and len(self._text(line, RECEIVED)) == len("2026-02-10"):
            stamp = as_time(f"{self._text(line, RECEIVED)} 00:00", self._orders[old])
        return (as_utc(stamp) if stamp else None) or ""

    def _place(self, line: Line, role: str) -> str:
        old = self._mapping.column(role)
        if not old:
            return self._mapping.wave if role == WAVE else self._mapping.group
        text = self._text(line, role)
        return self._mapping.codes.get((old, text), "") or text

    def _text(self, line: Line, role: str) -> str:
        return line.cells[self._at(self._mapping.column(role))].strip()

    def _at(self, old: str) -> int:
        return self._table.header.index(old)

    def _fault(self, code: str, problem: str, old: str, line: Line) -> None:
        self._faults.setdefault((code, problem, old), []).append(line.number)
