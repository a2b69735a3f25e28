"""An XLSForm as its rows mean it: questions within groups, lists of choices, languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kobosmix.xlsform.columns import EXPRESSIONS, SHEETS, TRANSLATABLE, Column, column_of
from kobosmix.xlsform.expression import parse
from kobosmix.xlsform.kinds import ANSWERED, SELECTS, Kind, kind_of
from kobosmix.xlsform.model import SheetRow, XlsSheet, XlsSheets
from kobosmix.xlsform.xpath import Expression

_NO_SHEET = XlsSheet(title="", headers=(), rows=())
YES = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "true()"})
NO = frozenset({"no", "No", "NO", "false", "False", "FALSE", "false()"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet: its plain cells by column, and its texts by column and language.

    The language of a column without one is "". Cells have no blanks at their ends, as the servers
    take them off; texts stand as they are written.
    """

    number: int
    cells: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A row of the survey sheet that has a place in the form: a question, a note, a group.

    `groups` are the groups and repeats around it, the outermost first.
    """

    row: Row
    kind: Kind
    name: str
    groups: tuple[Node, ...]

    @property
    def type(self) -> str:
        """Its type, in today's spelling."""
        return self.kind.name

    @property
    def opens(self) -> bool:
        """Whether it is a group or a repeat."""
        return self.kind.name.startswith("begin")

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it as a question or a note."""
        return self.kind.name in ANSWERED or self.kind.name == "note"

    @property
    def repeats(self) -> tuple[Node, ...]:
        """The repeats around it, the outermost first."""
        return tuple(group for group in self.groups if group.type == "begin repeat")

    def cell(self, column: str) -> str:
        """What stands in a column, or ""."""
        return self.row.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of the choices sheet."""

    row: Row
    list: str
    value: str


class Said(NamedTuple):
    """A text in the languages it is given in, where it stands."""

    sheet: str
    row: int
    column: str
    texts: Mapping[str, str]

    def at(self, language: str) -> tuple[str, int, str]:
        """The place of the text in one language: sheet, row and header."""
        return self.sheet, self.row, f"{self.column}::{language}" if language else self.column


@dataclass(frozen=True, slots=True)
class Used:
    """An expression where it stands."""

    node: Node
    column: str
    expression: Expression


@dataclass(frozen=True, kw_only=True)
class Outline:
    """The form. `columns` and `rows` are there for each sheet that servers read.

    `nesting_faults` are rows where groups do not open and close as they should, and what is wrong.
    """

    sheets: XlsSheets
    columns: Mapping[str, tuple[Column, ...]]
    rows: Mapping[str, tuple[Row, ...]]
    nodes: tuple[Node, ...]
    nesting_faults: tuple[tuple[int, str], ...]

    def sheet(self, name: str) -> XlsSheet:
        """A sheet as it stands; one with nothing in it if there is none."""
        return self.sheets.sheets.get(name, _NO_SHEET)

    def languages(self, sheet: str) -> tuple[str, ...]:
        """The languages of a sheet's columns, as its headers write them."""
        named = (c.language for c in self.columns[sheet] if c.name in TRANSLATABLE[sheet])
        return tuple(dict.fromkeys(language for language in named if language))

    @cached_property
    def all_languages(self) -> tuple[str, ...]:
        """The languages of survey and choices together."""
        return tuple(dict.fromkeys((*self.languages("survey"), *self.languages("choices"))))

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The first row of the settings sheet, by column."""
        return self.rows["settings"][0].cells if self.rows["settings"] else {}

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes by name; of several with one name, the first."""
        found = dict[str, Node]()
        for node in self.nodes:
            if node.name:
                found.setdefault(node.name, node)
        return found

    @cached_property
    def texts(self) -> tuple[Said, ...]:
        """Everything people read, on both sheets."""
        return tuple(
            Said(sheet, row.number, column, texts)
            for sheet in TRANSLATABLE
            for row in self.rows[sheet]
            for column, texts in row.texts.items()
        )

    @cached_property
    def lists(self) -> Mapping[str, tuple[Choice, ...]]:
        """The lists of choices, in order."""
        found = dict[str, list[Choice]]()
        for row in self.rows["choices"]:
            name = row.cells.get("list_name", "")
            if name:
                choice = Choice(row, name, row.cells.get("name", ""))
                found.setdefault(name, []).append(choice)
        return {name: tuple(choices) for name, choices in found.items()}

    @cached_property
    def asked_with(self) -> Mapping[str, list[Node]]:
        """Which questions use a list of choices of this form, by the list."""
        found = dict[str, list[Node]]()
        for node in self.nodes:
            if node.type in SELECTS and not node.kind.from_file:
                found.setdefault(node.kind.list, []).append(node)
        return found

    @cached_property
    def expressions(self) -> tuple[Used, ...]:
        """Every expression of the survey sheet, with where it stands."""
        return tuple(
            Used(node, column, parse(text))
            for node in self.nodes
            for column in EXPRESSIONS
            if (text := node.row.cells.get(column)) and text not in YES | NO
        )

    def values_of(self, node: Node) -> frozenset[str] | None:
        """What can be answered to a question with a list of its own; None for all others."""
        if node.type not in SELECTS or node.kind.from_file:
            return None
        values = self._values.get(node.kind.list)
        return values | {"other"} if values and node.kind.or_other else values

    @cached_property
    def _values(self) -> Mapping[str, frozenset[str]]:
        return {
            name: frozenset(choice.value for choice in choices)
            for name, choices in self.lists.items()
        }


def outline(sheets: XlsSheets) -> Outline:
    """What the sheets mean. Nothing is refused: the rules tell what is wrong."""
    columns, rows = dict[str, tuple[Column, ...]](), dict[str, tuple[Row, ...]]()
    for name in SHEETS:
        sheet = sheets.sheets.get(name, _NO_SHEET)
        columns[name] = _columns(sheet, name)
        rows[name] = _rows(sheet, name, columns[name])
    nodes, faults = _nodes(rows["survey"])
    return Outline(
        sheets=sheets, columns=columns, rows=rows, nodes=nodes, nesting_faults=faults
    )


def _columns(sheet: XlsSheet, name: str) -> tuple[Column, ...]:
    by_double_colon = any("::" in header for header in sheet.headers)
    return tuple(
        column_of(header, name, by_double_colon=by_double_colon)
        for header in sheet.headers
        if header.strip()
    )


def _rows(sheet: XlsSheet, name: str, columns: tuple[Column, ...]) -> tuple[Row, ...]:
    translatable = TRANSLATABLE.get(name, ())
    # Of two headers that mean one column, the first counts.
    plain, texts = dict[str, str](), dict[str, tuple[str, str]]()
    for column in columns:
        if column.name in translatable:
            texts[column.header] = (column.name, column.language)
        else:
            plain.setdefault(column.header, column.name)
    return tuple(_row(row, plain, texts) for row in sheet.rows)


def _row(row: SheetRow, plain: Mapping[str, str], texts: Mapping[str, tuple[str, str]]) -> Row:
    cells, said = dict[str, str](), dict[str, dict[str, str]]()
    for header, text in row.cells.items():
        column = plain.get(header)
        if column is not None:
            stripped = text.strip()
            if stripped:
                cells.setdefault(column, stripped)
        elif header in texts and text and not text.isspace():
            name, language = texts[header]
            said.setdefault(name, {}).setdefault(language, text)
    return Row(row.number, cells, said)


def _nodes(rows: tuple[Row, ...]) -> tuple[tuple[Node, ...], tuple[tuple[int, str], ...]]:
    nodes, around = list[Node](), list[Node]()
    faults = list[tuple[int, str]]()
    for row in rows:
        type_cell = row.cells.get("type", "")
        if not type_cell or row.cells.get("disabled", "") in YES:
            continue
        kind = kind_of(type_cell)
        if kind.name.startswith("end "):
            fault = _close(kind.name.removeprefix("end "), around)
            if fault:
                faults.append((row.number, fault))
            continue
        node = Node(row, kind, row.cells.get("name", ""), tuple(around))
        nodes.append(node)
        if node.opens:
            around.append(node)
    faults += [(node.row.number, f"'{node.name}' is never closed") for node in around]
    return tuple(nodes), tuple(faults)


def _close(what: str, around: list[Node]) -> str:
    """Close the innermost group; what is wrong with that, or ""."""
    if not around:
        return f"this row closes a {what}, but none is open"
    group = around[-1]
    opened = group.type.removeprefix("begin ")
    if opened == what:
        around.pop()
        return ""
    if any(other.type == f"begin {what}" for other in around):
        # The inner one was forgotten: told here, and closed with the outer one.
        while around.pop().type != f"begin {what}":
            pass
    return f"this row closes a {what}, but '{group.name}' (row {group.row.number}), a {opened}, is open"
