"""enumerators.xlsx: who asks the questions, and whether each group has somebody of its own.

Also how any list kept in a spreadsheet is read: the register is one as well.

Findings:
    E101  there is no list of enumerators   E201  a column that is not read
    E102  a column is missing
    E103  a column is there twice
    E104  a code that is none
    E105  a code in several rows
    E106  a formula
    E107  an enumerator without a name
    E108  an unknown group
    E109  an unknown language, or none
    E110  independent is neither yes nor no
    E112  an account that is none

Who is missing among them (coverage.py):
    E202  a group without an enumerator of its own
    E203  nobody independent of the programme
    E204  all of one gender
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from kobosmix.files import write_bytes
from kobosmix.findings import Finding, Place, Severity, in_order
from kobosmix.xlsx import Cell, Sheet, read_rows, workbook_bytes

COLUMNS = ("code", "name", "group", "gender", "languages", "independent")
# A study that lets everybody send with one account, or with none, needs no such column.
ACCOUNT = "account"

Explanations = Mapping[str, tuple[str, str]]

EXPLANATIONS: Explanations = {
    "E101": (
        "The study has no enumerators.xlsx.",
        "Copy it back from a backup, or fill in the template that 'kobosmix init' writes.",
    ),
    "E102": (
        "A column of the list is missing or its header was changed.",
        "Put the header back in row 1.",
    ),
    "E103": (
        "Two columns have the same header, so nobody can tell which one counts.",
        "Delete or rename one of them.",
    ),
    "E104": (
        "A code is missing, or has other characters than a to z, 0 to 9, '_' and '-'.",
        "Give a short code such as en01. It is stored with every interview, so no name in it.",
    ),
    "E105": (
        "One code stands in several rows, so interviews could belong to several enumerators.",
        "Give each enumerator a code of one's own; keep the codes already used in the field.",
    ),
    "E106": (
        "A cell holds a formula; what it shows can change without anyone typing.",
        "Copy the cells and paste them back as values (Paste Special, Values).",
    ),
    "E107": (
        "An enumerator has no name, so nobody finds the right line on the phone.",
        "Fill in the name; it appears on the phones of the team and in no table.",
    ),
    "E108": (
        "A group is not one of those that context.yaml declares.",
        "Write one of the groups exactly as listed; leave the cell empty for somebody who "
        "belongs to none of them.",
    ),
    "E109": (
        "A language is not one the study interviews in, or none is given.",
        "Write language codes with commas between them, for example: ar, tr.",
    ),
    "E110": (
        "It is not said whether the enumerator is independent of the programme.",
        "Write yes or no; respondents speak more freely to somebody who does not run it.",
    ),
    "E112": (
        "An account is none that KoboToolbox has: a user name is made of letters, digits and _.",
        "Write the user name with which the phone is signed in, not an e-mail address; leave the "
        "cell empty for somebody who sends with the account of somebody else.",
    ),
    "E201": (
        "The list has columns that kobosmix does not read.",
        "Nothing, if they hold nothing private; phone numbers are better kept elsewhere.",
    ),
    "E203": (
        "Every enumerator belongs to the programme.",
        "Train somebody who does not run it, if you can: people praise a programme to those who "
        "do. If that cannot be, say so in the report.",
    ),
    "E204": (
        "All enumerators are of one gender.",
        "Some people speak only to somebody of their own gender, or about some things only so. "
        "Train others too, if you can.",
    ),
    "E202": (
        "No enumerator of a group's own speaks a language it is interviewed in.",
        "Train one if you can: people answer questions about another group more openly to "
        "somebody of their own. If that cannot be, say so in the report.",
    ),
}

_CODE = re.compile(r"[a-z0-9_-]{1,16}")
# None, a formula (a finding of its own), or a user name; but rights given to AnonymousUser are
# given to everybody in the world.
_ACCOUNT = re.compile(r"|=.*|(?!anonymoususer$)[a-z0-9_.+-]{1,150}", re.IGNORECASE)
_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
_MOST_SAID = 20
_SHORTEST_RANGE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumerator:
    """One who interviews. The name goes to the phones of the team and nowhere else.

    `account` is the user name on the server with which the phone sends; it goes to no phone.
    """

    code: str
    name: str
    group: str = ""
    gender: str = ""
    languages: tuple[str, ...] = ()
    independent: bool = False
    account: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One filled row: its number in the spreadsheet, and the text under each header."""

    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """What stands under a header; empty where nothing does."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet as text: headers in lower case, each column with its header, the filled rows."""

    file: str
    explanations: Explanations
    header: tuple[str, ...] = ()
    columns: tuple[tuple[str, ...], ...] = ()
    rows: tuple[Row, ...] = ()

    def lines_where(self, claim: Callable[[Row], bool]) -> list[int]:
        """The numbers of the rows of which the claim is true."""
        return [row.line for row in self.rows if claim(row)]

    def finding(self, code: str, spot: str, lines: Sequence[int], problem: str) -> Finding:
        """A finding with the remedy its code is explained with; R2xx and E2xx are warnings."""
        return Finding(
            code=code,
            place=Place(self.file, lines[0] if lines else 0, spot),
            problem=f"{rows_named(lines)}: {problem}" if lines else problem,
            remedy=self.explanations[code][1],
            severity=Severity.WARNING if code[1] == "2" else Severity.ERROR,
        )


def read_enumerators(
    path: Path,
    *,
    groups: Collection[str],
    languages: Collection[str],
    required: bool = True,
) -> tuple[tuple[Enumerator, ...], list[Finding]]:
    """The enumerators with a code of their own, sorted by code, and all that is wrong.

    A file that is not there is an empty list, and a finding if it is `required`.
    """
    table = read_table(path, EXPLANATIONS)
    if not path.exists():
        missing = table.finding("E101", "", (), "the file is missing")
        return (), [missing] if required else []
    columns = (*COLUMNS, ACCOUNT) if ACCOUNT in table.header else COLUMNS
    found = [*check_columns(table, columns, missing="E102", repeated="E103")]
    # Without its header, every row would be called wrong.
    if "code" in table.header:
        found += [*_check_extra(table), *check_formulas(table, columns, "E106")]
        found += [*_check_codes(table), *_check_rows(table)]
        found += [*_check_known(table, groups, languages), *_check_accounts(table)]
    return _unmistakable(table), in_order(found)


def write_enumerators_template(path: Path, *, right_to_left: bool = False) -> None:
    """Write an enumerators.xlsx with its header and no rows, for the team to fill in."""
    sheet = Sheet(
        title="enumerators",
        rows=[(*COLUMNS, ACCOUNT)],
        for_people=True,
        right_to_left=right_to_left,
        text_columns=(0,),
    )
    write_bytes(path, workbook_bytes([sheet]))


def enumerators_csv(enumerators: Iterable[Enumerator]) -> bytes:
    """What forms carry as enumerators.csv: the code, and code and name to choose it by."""
    listed = sorted(enumerators, key=lambda enumerator: enumerator.code)
    rows = [(one.code, f"{one.code} {one.name}".strip()) for one in listed]
    return csv_bytes([("name", "label"), *rows])


def read_table(path: Path, explanations: Explanations) -> Table:
    """The first sheet of a workbook; an empty table if there is no such file.

    Of two columns with one header, the left one is read.
    """
    texts = [[_text(cell) for cell in row] for row in read_rows(path)] if path.exists() else []
    width = max(map(len, texts), default=0)
    texts = [row + [""] * (width - len(row)) for row in texts]
    header = tuple(text.lower() for text in texts[0]) if texts else ()
    rows = tuple(
        Row(line, dict(zip(reversed(header), reversed(row), strict=True)))
        for line, row in enumerate(texts[1:], start=2)
        if any(row)
    )
    return Table(path.name, explanations, header, tuple(zip(*texts, strict=True)), rows)


def check_columns(
    table: Table, columns: Sequence[str], *, missing: str, repeated: str
) -> Iterator[Finding]:
    """Each column is there, once."""
    absent = [column for column in columns if column not in table.header]
    if absent:
        problem = f"there is no column headed {', '.join(absent)}"
        yield table.finding(missing, "header", [1], problem)
    for column in columns:
        if table.header.count(column) > 1:
            yield table.finding(repeated, "header", [1], f"several columns are headed {column}")


def check_formulas(table: Table, columns: Sequence[str], code: str) -> Iterator[Finding]:
    """A list holds what somebody typed, not what a spreadsheet worked out."""
    for column in columns:
        lines = [row.line for row in table.rows if row.text(column).startswith("=")]
        if lines:
            yield table.finding(code, f"column {column}", lines, "a formula instead of a value")


def rows_named(lines: Sequence[int]) -> str:
    """Row numbers, in rising order, as people say them.

    >>> rows_named([3, 5, 6, 7, 12])
    'rows 3, 5 to 7 and 12'
    """
    said = list[str]()
    for stretch in _stretches(lines):
        # Two neighbours are said one by one: "4 and 5", not "4 to 5".
        short = len(stretch) < _SHORTEST_RANGE
        said += map(str, stretch) if short else [f"{stretch[0]} to {stretch[-1]}"]
    if len(said) > _MOST_SAID:
        said = [*said[:_MOST_SAID], "more"]
    listed = " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
    return f"row{'s' * (len(lines) > 1)} {listed}"


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV as a form carries it: UTF-8, line feeds, equal bytes for equal rows."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def unknown_values(
    table: Table, column: str, allowed: Collection[str]
) -> Iterable[Sequence[int]]:
    """The rows of each value that is not allowed. Rows alone: the value may be anyone's name."""
    lines = defaultdict[str, list[int]](list)
    for row in table.rows:
        value = row.text(column)
        if value and value not in allowed and not value.startswith("="):
            lines[value].append(row.line)
    return lines.values()


def _check_extra(table: Table) -> Iterator[Finding]:
    """Columns nobody reads are no fault, but whoever filled them in should know."""
    known = {*COLUMNS, ACCOUNT}
    extra = sum(any(column) and column[0].lower() not in known for column in table.columns)
    if extra:
        problem = f"{extra} further column{'s' * (extra > 1)} not read"
        yield table.finding("E201", "header", [1], problem)


def _check_codes(table: Table) -> Iterator[Finding]:
    """A code tells one enumerator from all others, in every interview they bring home."""
    wrong = [line for line, code in _codes(table) if not _CODE.fullmatch(code)]
    if wrong:
        yield table.finding("E104", "column code", wrong, "not a code of a-z, 0-9, _ and -")
    for lines in _lines_by_code(table).values():
        if len(lines) > 1:
            yield table.finding("E105", "column code", lines, "the same code")


def _check_rows(table: Table) -> Iterator[Finding]:
    """Each row has a name to be chosen by, a language, and a word on independence."""
    unsaid = table.lines_where(lambda row: row.text("independent").lower() not in _YES_OR_NO)
    for code, column, lines, problem in (
        ("E107", "name", table.lines_where(lambda row: not row.text("name")), "no name"),
        (
            "E109",
            "languages",
            table.lines_where(lambda row: not _languages(row)),
            "no language",
        ),
        ("E110", "independent", unsaid, "neither yes nor no"),
    ):
        if lines and column in table.header:
            yield table.finding(code, f"column {column}", lines, problem)


def _check_known(
    table: Table, groups: Collection[str], languages: Collection[str]
) -> Iterator[Finding]:
    """Groups and languages are those context.yaml declares."""
    for lines in unknown_values(table, "group", groups):
        problem = f"unknown group; valid: {', '.join(sorted(groups))}"
        yield table.finding("E108", "column group", lines, problem)
    lines = table.lines_where(lambda row: not set(_languages(row)) <= set(languages))
    if lines:
        problem = f"unknown language; valid: {', '.join(sorted(languages))}"
        yield table.finding("E109", "column languages", lines, problem)


def _check_accounts(table: Table) -> Iterator[Finding]:
    """An account can be one of KoboToolbox, and is never everybody's."""
    wrong = table.lines_where(lambda row: not _ACCOUNT.fullmatch(row.text(ACCOUNT)))
    if wrong:
        yield table.finding("E112", f"column {ACCOUNT}", wrong, "not a KoboToolbox user name")


def _unmistakable(table: Table) -> tuple[Enumerator, ...]:
    lines = _lines_by_code(table)
    rows = [row for row in table.rows if len(lines.get(row.text("code"), ())) == 1]
    return tuple(map(_enumerator, sorted(rows, key=lambda row: row.text("code"))))


def _enumerator(row: Row) -> Enumerator:
    return Enumerator(
        code=row.text("code"),
        name=" ".join(row.text("name").split()),
        group=row.text("group"),
        gender=row.text("gender"),
        languages=tuple(_languages(row)),
        independent=_YES_OR_NO.get(row.text("independent").lower(), False),
        account=row.text(ACCOUNT),
    )


def _languages(row: Row) -> list[str]:
    # An Arabic keyboard gives an Arabic comma.
    said = row.text("languages").replace("،", ",").replace(";", ",").split(",")
    return [language.strip() for language in said if language.strip()]


def _lines_by_code(table: Table) -> dict[str, list[int]]:
    lines = defaultdict[str, list[int]](list)
    for line, code in _codes(table):
        if _CODE.fullmatch(code):
            lines[code].append(line)
    return lines


def _codes(table: Table) -> list[tuple[int, str]]:
    """The code in each row, but for formulas, which are a finding of their own."""
    codes = [(row.line, row.text("code")) for row in table.rows]
    return [(line, code) for line, code in codes if not code.startswith("=")]


def _stretches(lines: Sequence[int]) -> list[list[int]]:
    stretches = list[list[int]]()
    for line in lines:
        if stretches and line == stretches[-1][-1] + 1:
            stretches[-1].append(line)
        else:
            stretches.append([line])
    return stretches


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()
