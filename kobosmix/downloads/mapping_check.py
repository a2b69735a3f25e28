"""Whether a filled-in mapping sheet says of every old answer what it is, and in the right direction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from kobosmix.codebook import Codebook, Option, Variable
from kobosmix.downloads.mapping import (
    ALL_AGREED,
    CODES,
    COLUMNS,
    GROUP,
    NO_ANSWER,
    RECEIVED,
    ROLES,
    SUBMISSION,
    WAVE,
    FilledMapping,
    as_number,
    mappable,
    old_codes,
)
from kobosmix.downloads.table import Table
from kobosmix.findings import Finding, Place, Severity

EXPLANATIONS = {
    "M101": (
        "A column of the mapping sheet is not in the old file, so the two do not belong together.",
        "Make a mapping sheet of this very file.",
    ),
    "M102": (
        "An item of the mapping sheet is none of this study's forms.",
        "Choose one from the list of the cell; leave it empty for a column that is not needed.",
    ),
    "M103": (
        "Two old columns were given the same item.",
        "Keep the one that asked what the item asks.",
    ),
    "M104": (
        "Something is missing without which nobody knows whose answers these are: the column of "
        "the respondent's number, of the submission, of its day, or of consent.",
        "Choose (submission), (received) and rid on the sheet Columns. If no column holds the "
        "consent and all agreed, say yes on the sheet About.",
    ),
    "M105": (
        "The wave or the group is not said, or is none of this study's.",
        "Write it on the sheet About, or choose (wave) or (group) for a column and give its codes.",
    ),
    "M106": (
        "Codes of the old file have no code in the mapping sheet.",
        "Give each its code, or - where it stands for no answer.",
    ),
    "M107": (
        "A code of the mapping sheet is not one of its item's answers.",
        "Choose one of those on the sheet Answers.",
    ),
    "M108": (
        "Several old codes were given the same code, so the old scale had more points than the "
        "new one. Answers on scales of different length cannot be pooled.",
        "Leave the item of this column empty, or correct the codes.",
    ),
    "M109": (
        "The codes of a scale do not rise or fall with the old ones: two points changed places.",
        "Correct the codes; the words of each are on the sheet Answers.",
    ),
    "M201": (
        "Not every point of the scale was used. Either nobody chose some, or the old scale had "
        "fewer points, and then its answers cannot be pooled.",
        "Look at the old questionnaire: count the points of its scale.",
    ),
    "M202": (
        "The codes run the other way than in the old file. That is right only where the old form "
        "gave its low codes to what is high here.",
        "Hold the words of the old questionnaire against the sheet Answers.",
    ),
    "M203": (
        "An old answer has the words of another answer than the one it was given.",
        "Correct the code, or make sure that the old form meant it so.",
    ),
}
_FEWEST_POINTS = 3


def check_mapping(
    mapping: FilledMapping, table: Table, codebooks: Sequence[Codebook]
) -> Iterator[Finding]:
    """Everything that is wrong with a mapping sheet, for this file and these forms."""
    variables = mappable(codebooks)
    gone = [old for old in mapping.items if old not in table.header]
    for old in gone:
        yield _at_column(mapping, old, "M101", "it is not in the old file")
    if gone:
        return
    yield from _check_items(mapping, variables)
    yield from _check_complete(mapping, variables)
    yield from _check_place(mapping, table, codebooks)
    for old, item in mapping.items.items():
        variable = variables.get(item)
        if variable is not None and variable.options:
            yield from _check_codes(mapping, table, old, variable)


def _check_items(
    mapping: FilledMapping, variables: Mapping[str, Variable]
) -> Iterator[Finding]:
    """Each item is known, and stands for one column."""
    times = Counter(mapping.items.values())
    for old, item in mapping.items.items():
        if item not in variables and item not in ROLES:
            yield _at_column(mapping, old, "M102", f"there is no item '{item}'")
        elif times[item] > 1:
            yield _at_column(mapping, old, "M103", f"{times[item]} columns are {item}")


def _check_complete(
    mapping: FilledMapping, variables: Mapping[str, Variable]
) -> Iterator[Finding]:
    """It is known whose answers these are, from when, and that they were given freely."""
    for role in (SUBMISSION, RECEIVED, *(["rid"] if "rid" in variables else [])):
        if not mapping.column(role):
            yield _of_file(mapping, "M104", f"no column is {role}")
    if not mapping.all_agreed and not mapping.column("consent"):
        yield _of_file(
            mapping, "M104", f"no column is consent, nor is it said that {ALL_AGREED}"
        )


def _check_place(
    mapping: FilledMapping, table: Table, codebooks: Sequence[Codebook]
) -> Iterator[Finding]:
    """Wave and group are those of a form of the study, for all rows or for each."""
    for role, said, name in ((WAVE, mapping.wave, "wave"), (GROUP, mapping.group, "group")):
        known = sorted({getattr(book, name) for book in codebooks})
        column = mapping.column(role)
        if not column and said not in known:
            yield _of_file(
                mapping, "M105", f"the {name} is '{said}'; there is: {', '.join(known)}"
            )
        for code in old_codes(table, column) if column else ():
            if mapping.codes.get((column, code), code) not in known:
                problem = f"'{code}' is none of: {', '.join(known)}"
                yield _at_code(mapping, column, code, "M105", problem)


def _check_codes(
    mapping: FilledMapping, table: Table, old: str, variable: Variable
) -> Iterator[Finding]:
    """Every code of a column has one of its own, in the order of the scale."""
    found = dict[str, str]()
    for code in old_codes(table, old):
        chosen = mapping.codes.get((old, code), "")
        if not chosen:
            yield _at_code(mapping, old, code, "M106", f"'{code}' has no code")
        elif chosen != NO_ANSWER and variable.option(chosen) is None:
            problem = f"'{chosen}' is no answer of {variable.name}"
            yield _at_code(mapping, old, code, "M107", problem)
        elif chosen != NO_ANSWER:
            found[code] = chosen
            yield from _check_words(mapping, old, code, chosen, variable)
    points = {c: n for c, n in found.items() if not _is_missing(variable, n)}
    yield from _check_one_to_one(mapping, old, points, variable)
    if variable.rated:
        yield from _check_scale(mapping, old, points, variable)


def _check_words(
    mapping: FilledMapping, old: str, code: str, chosen: str, variable: Variable
) -> Iterator[Finding]:
    others = [o.value for o in variable.options if code.casefold() in _words(o)]
    if others and chosen not in others:
        problem = (
            f"'{code}' is what {others[0]} means in {variable.name}, and was given {chosen}"
        )
        yield _at_code(mapping, old, code, "M203", problem)


def _check_one_to_one(
    mapping: FilledMapping, old: str, points: Mapping[str, str], variable: Variable
) -> Iterator[Finding]:
    by_code = defaultdict[str, list[str]](list)
    for code, chosen in points.items():
        by_code[chosen].append(code)
    for chosen, codes in by_code.items():
        if len(codes) > 1:
            problem = f"{', '.join(sorted(codes))} are all {chosen} of {variable.name}"
            yield _at_code(mapping, old, sorted(codes)[1], "M108", problem)


def _check_scale(
    mapping: FilledMapping, old: str, points: Mapping[str, str], variable: Variable
) -> Iterator[Finding]:
    whole = [o.value for o in variable.options if o.missing is None]
    unused = [value for value in whole if value not in points.values()]
    if points and unused:
        problem = f"no old code is {', '.join(unused)} of {variable.name}"
        yield _at_column(mapping, old, "M201", problem)
    numbers = sorted(
        (number, whole.index(chosen))
        for code, chosen in points.items()
        if (number := as_number(code)) is not None
    )
    steps = [later[1] - earlier[1] for earlier, later in pairwise(numbers)]
    if len(numbers) < _FEWEST_POINTS or len(numbers) < len(points):
        return
    if all(step < 0 for step in steps):
        yield _at_column(mapping, old, "M202", f"{variable.name} falls as the old codes rise")
    elif any(step < 0 for step in steps):
        problem = f"the codes of {variable.name} neither rise nor fall with the old ones"
        yield _at_column(mapping, old, "M109", problem)


def _words(option: Option) -> set[str]:
    return {label.casefold() for label in (*option.labels.values(), option.english) if label}


def _is_missing(variable: Variable, value: str) -> bool:
    option = variable.option(value)
    return option is not None and option.missing is not None


def _at_column(mapping: FilledMapping, old: str, code: str, problem: str) -> Finding:
    place = Place(mapping.file, mapping.item_lines.get(old, 0), f"{COLUMNS}, column '{old}'")
    return _finding(code, place, problem)


def _at_code(mapping: FilledMapping, old: str, value: str, code: str, problem: str) -> Finding:
    line = mapping.code_lines.get((old, value), 0)
    return _finding(code, Place(mapping.file, line, f"{CODES}, column '{old}'"), problem)


def _of_file(mapping: FilledMapping, code: str, problem: str) -> Finding:
    return _finding(code, Place(mapping.file), problem)


def _finding(code: str, place: Place, problem: str) -> Finding:
    severity = Severity.WARNING if code[1] == "2" else Severity.ERROR
    remedy = EXPLANATIONS[code][1]
    return Finding(code=code, place=place, problem=problem, remedy=remedy, severity=severity)
