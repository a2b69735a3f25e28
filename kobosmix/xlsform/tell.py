"""Findings about a form: where in its sheets, and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from kobosmix.findings import Finding, Place, Severity
from kobosmix.xlsform.outline import Outline

_LISTED = 8
_NEAR = 0.75


def tell(
    form: Outline,
    code: str,
    at: tuple[str, int, str],
    problem: str,
    remedy: str,
    *,
    severity: Severity | None = None,
) -> Finding:
    """A finding at a sheet, a row (0: the whole sheet) and a column.

    A code L1.. is an error; L2.. is a warning, unless something else is said.
    """
    sheet, row, column = at
    usual = Severity.ERROR if code.startswith("L1") else Severity.WARNING
    return Finding(
        code=code,
        place=Place(form.sheets.file, row, ", ".join(part for part in (sheet, column) if part)),
        problem=problem,
        remedy=remedy,
        severity=severity or usual,
    )


def meant(word: str, known: Iterable[str]) -> str:
    """' Did you mean 'select_one'?', or nothing where nothing is near."""
    near = nearest(word, known)
    return f" Did you mean '{near}'?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that looks most like this one, or ""."""
    by_small = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_small, 1, _NEAR)
    return by_small[near[0]] if near else ""


def rows_of(numbers: Sequence[int]) -> str:
    """'row 4', 'rows 4, 7 and 12', or the first rows and how many more there are."""
    return ("row " if len(set(numbers)) == 1 else "rows ") + listed([str(n) for n in numbers])


def listed(words: Iterable[str]) -> str:
    """Words with commas between them; from a long list the first, and how many more."""
    each = list(dict.fromkeys(words))
    if len(each) > _LISTED:
        return f"{', '.join(each[:_LISTED])} and {len(each) - _LISTED} more"
    return " and ".join(part for part in (", ".join(each[:-1]), *each[-1:]) if part)


def quoted(words: Iterable[str]) -> str:
    """The words, each in quotes; see `listed`."""
    return listed(f"'{word}'" for word in words)
