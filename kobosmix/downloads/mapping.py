"""The mapping sheet: what the columns and codes of a form made by hand are in this study's words.

It is written with all that the old file holds, filled in by a person, and read back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kobosmix.codebook import Codebook, Kind, Option, Variable
from kobosmix.downloads.columns import find_column
from kobosmix.downloads.table import Table
from kobosmix.errors import StudyError
from kobosmix.files import canonical_json, sha256
from kobosmix.xlsx import Cell, Sheet, read_rows, sheet_names, workbook_bytes

COLUMNS, CODES, ABOUT, ITEMS, ANSWERS, LISTS = (
    *("Columns", "Codes", "About", "Items", "Answers", "Lists"),
)
# What a column can be, beside a question of the form.
SUBMISSION, RECEIVED, WAVE, GROUP = "(submission)", "(received)", "(wave)", "(group)"
ROLES: Mapping[str, str] = {
    SUBMISSION: "what no two rows share: _uuid, KEY, _id, or a number of your own",
    RECEIVED: "when the row came in, or the day of the interview",
    WAVE: "the wave, if the file holds several",
    GROUP: "the group, if the file holds several",
}
NO_ANSWER = "-"
ALL_AGREED = "everybody in the file agreed to take part"
# A column of more different values than this holds numbers, days or words, and no codes.
_MOST_CODES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledMapping:
    """A mapping as it was filled in. Lines are those of the sheet, to point at.

    `items` says by old column what it is, `codes` by old column and old code which code of ours.
    """

    file: str
    digest: str
    items: Mapping[str, str]
    codes: Mapping[tuple[str, str], str]
    item_lines: Mapping[str, int] = field(default_factory=dict)
    code_lines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    wave: str = ""
    group: str = ""
    all_agreed: bool = False

    def column(self, item: str) -> str:
        """The old column that is this item, or this role; empty where there is none."""
        return next((old for old, chosen in self.items.items() if chosen == item), "")


def make_mapping(table: Table, codebooks: Sequence[Codebook]) -> bytes:
    """The sheet to fill in: old columns with their codes and counts, and what to choose from."""
    variables = mappable(codebooks)
    waves = sorted({book.wave for book in codebooks})
    groups = sorted({book.group for book in codebooks})
    chosen = [*ROLES, *variables]
    codes = [*_codes_of(variables.values()), *waves, *groups, NO_ANSWER]
    distinct = list(dict.fromkeys(codes))
    return workbook_bytes(
        [
            Sheet(
                title=COLUMNS,
                rows=[("old column", "filled rows", "item"), *_columns(table, chosen)],
                for_people=True,
                lists={2: f"={LISTS}!$A$2:$A${len(chosen) + 1}"},
            ),
            Sheet(
                title=CODES,
                rows=[("old column", "old code", "rows", "code"), *_codes(table)],
                for_people=True,
                text_columns=(1, 3),
                lists={3: f"={LISTS}!$B$2:$B${len(distinct) + 1}"},
            ),
            Sheet(title=ABOUT, rows=_about(waves, groups), for_people=True),
            Sheet(title=ITEMS, rows=_items(variables), for_people=True),
            Sheet(title=ANSWERS, rows=_answers(variables), for_people=True, text_columns=(1,)),
            Sheet(title=LISTS, rows=_side_by_side(chosen, distinct), text_columns=(0, 1)),
        ]
    )


def read_mapping(path: Path) -> FilledMapping:
    """What a person filled in. A workbook that is no mapping sheet is a StudyError."""
    content = path.read_bytes()
    if not {COLUMNS, CODES, ABOUT} <= set(sheet_names(content)):
        raise StudyError(
            f"{path.name} is no mapping sheet: it lacks one of the sheets {COLUMNS}, {CODES} and "
            f"{ABOUT}. Make one with 'kobosmix import FILE --make-mapping {path.name}'."
        )
    items, item_lines = dict[str, str](), dict[str, int]()
    for line, (old, _, item) in _filled(content, COLUMNS, 3):
        items[old], item_lines[old] = item, line
    codes, code_lines = dict[tuple[str, str], str](), dict[tuple[str, str], int]()
    for line, (old, old_code, _, code) in _filled(content, CODES, 4):
        codes[old, old_code], code_lines[old, old_code] = code, line
    said = {name.lower(): value for _, (name, value) in _filled(content, ABOUT, 2)}
    # What was said, not how Excel saved it: the same mapping joins to the same rows.
    meaning = [sorted(items.items()), sorted((*key, code) for key, code in codes.items())]
    return FilledMapping(
        file=path.name,
        digest=sha256(canonical_json([*meaning, sorted(said.items())])),
        items={old: item for old, item in items.items() if item},
        codes=codes,
        item_lines=item_lines,
        code_lines=code_lines,
        wave=said.get("wave", ""),
        group=said.get("group", ""),
        all_agreed=said.get(ALL_AGREED, "").lower() in ("yes", "true"),
    )


def mappable(codebooks: Sequence[Codebook]) -> dict[str, Variable]:
    """Everything an old column can be in these forms, by name: questions, and the number."""
    return {
        variable.name: variable
        for book in codebooks
        for variable in book.variables
        if variable.labels or variable.name == "rid"
    }


def old_codes(table: Table, column: str) -> Counter[str]:
    """How often each value stands in a column of the old file."""
    at = table.header.index(column)
    return Counter(line.cells[at].strip() for line in table.lines if line.cells[at].strip())


def _columns(table: Table, chosen: Sequence[str]) -> list[list[Cell]]:
    rows = list[list[Cell]]()
    for column in filter(None, table.header):
        # A name that is the same in both is most likely the same question.
        guess = column if column in chosen else ""
        if find_column([column], "_uuid") is not None:
            guess = SUBMISSION
        elif find_column([column], "_submission_time") is not None:
            guess = RECEIVED
        rows.append([column, old_codes(table, column).total(), guess])
    return rows


def _codes(table: Table) -> list[list[Cell]]:
    return [
        [column, code, number, ""]
        for column in filter(None, table.header)
        for code, number in sorted(old_codes(table, column).items(), key=_in_order)
        if _holds_codes(old_codes(table, column))
    ]


def _in_order(counted: tuple[str, int]) -> tuple[float, str]:
    number = as_number(counted[0])
    return (float("inf") if number is None else number, counted[0])


def as_number(code: str) -> float | None:
    """An old code as the number it is; None for a word.

    >>> as_number("-1"), as_number("agree")
    (-1.0, None)
    """
    try:
        return float(code)
    except ValueError:
        return None


def _holds_codes(values: Counter[str]) -> bool:
    # Where nearly every row has a value of its own, they are no codes, and could be names.
    return len(values) <= _MOST_CODES and (
        values.total() >= 2 * len(values)
        or all(as_number(value) is not None for value in values)
    )


def _about(waves: Sequence[str], groups: Sequence[str]) -> list[list[Cell]]:
    return [
        ["what", "value", "how"],
        ["wave", waves[0] if len(waves) == 1 else "", f"one of: {', '.join(waves)}"],
        ["group", groups[0] if len(groups) == 1 else "", f"one of: {', '.join(groups)}"],
        [ALL_AGREED, "", "yes, if no column says so for each"],
    ]


def _items(variables: Mapping[str, Variable]) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["item", "words", "answers"]]
    rows += [[role, said, ""] for role, said in ROLES.items()]
    for name, variable in variables.items():
        answers = "; ".join(f"{o.value} = {_label(o)}" for o in variable.options)
        rows.append([name, _words(variable), answers])
    return rows


def _answers(variables: Mapping[str, Variable]) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["item", "code", "words"]]
    for name, variable in variables.items():
        rows += [[name, option.value, _label(option)] for option in variable.options]
    return rows


def _words(variable: Variable) -> str:
    return variable.english or next(iter(variable.labels.values()), "the respondent's number")


def _label(option: Option) -> str:
    return option.english or next(iter(option.labels.values()), "")


def _codes_of(variables: Iterable[Variable]) -> list[str]:
    found = [o.value for v in variables if v.kind is Kind.SELECT_ONE for o in v.options]
    return list(dict.fromkeys(found))


def _side_by_side(items: Sequence[str], codes: Sequence[str]) -> list[list[Cell]]:
    longest = max(len(items), len(codes))
    padded = [[*each, *[""] * (longest - len(each))] for each in (items, codes)]
    return [["item", "code"], *([item, code] for item, code in zip(*padded, strict=True))]


def _filled(content: bytes, sheet: str, width: int) -> list[tuple[int, list[str]]]:
    rows = read_rows(content, sheet)
    return [
        (line, [_text(cell) for cell in (*row, *[None] * width)[:width]])
        for line, row in enumerate(rows[1:], start=2)
        if row and row[0] not in (None, "")
    ]


def _text(cell: Cell) -> str:
    # Text that a spreadsheet would run as a formula was written with an apostrophe before it.
    text = "" if cell is None else str(cell).strip()
    return text[1:] if text.startswith(("'=", "'+", "'-", "'@")) else text
