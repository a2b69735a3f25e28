"""One cell as the answer that was given, or why that cannot be known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kobosmix.codebook import Kind, Variable
from kobosmix.downloads.columns import BY_NAME, plain
from kobosmix.downloads.dates import as_day, as_time, days_apart, is_serial

_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)
_POINT_ZERO = re.compile(r"(-?[0-9]+)[.,]0+")
_DAYS, _TIMES = ("today",), ("start", "end")
# Answers are sent within weeks; Excel's other calendar is four years and a day off.
_FURTHEST_DAYS = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """An answer; or, in `fault`, the code of the finding that says why there is none.

    `repaired` says that a program had respelled it.
    """

    answer: str
    fault: str = ""
    repaired: str = ""


def read_cell(variable: Variable, text: str, language: str, order: str, received: str) -> Cell:
    """What the cell says, in the codes of the form.

    `language` is that of the labels in the file, `order` how its column writes days.
    """
    if _is_day(variable) or variable.name in _TIMES:
        return _read_date(variable, text, order, received)
    if _SHORTENED.fullmatch(text) and variable.kind is not Kind.SELECT_ONE:
        return Cell("", "D108")
    if variable.kind is Kind.SELECT_ONE and variable.options:
        return _read_choice(variable, text, language)
    whole = _POINT_ZERO.fullmatch(text)
    if whole and variable.kind in (Kind.INTEGER, Kind.CALCULATED, Kind.BARCODE):
        return Cell(whole[1], repaired="numbers with decimals")
    return Cell(text)


def holds_days(variable: Variable) -> bool:
    """Whether its column is written in days or times, which spreadsheets respell."""
    return _is_day(variable) or variable.name in _TIMES


def _is_day(variable: Variable) -> bool:
    return variable.kind is Kind.DATE or (variable.kind is Kind.META and variable.name in _DAYS)


def _read_date(variable: Variable, text: str, order: str, received: str) -> Cell:
    found = as_day(text, order) if _is_day(variable) else as_time(text, order)
    if found is None:
        return Cell("", "D109")
    if is_serial(text) and days_apart(found, received) > _FURTHEST_DAYS:
        return Cell("", "D109")
    # Kobo's own workbooks hold real dates, which come back with a space or an empty clock.
    if found == text or text.replace(" ", "T").startswith(found):
        return Cell(found)
    return Cell(found, repaired="dates")


def _read_choice(variable: Variable, text: str, language: str) -> Cell:
    if language == BY_NAME:
        whole = _POINT_ZERO.fullmatch(text)
        if whole and variable.option(whole[1]) is not None:
            return Cell(whole[1], repaired="numbers with decimals")
        # A code that is none of the form's is kept as it came, as it is from a server.
        return Cell(text, "D108" if _SHORTENED.fullmatch(text) else "")
    codes = _codes(variable, language).get(plain(text), [])
    if len(codes) == 1:
        return Cell(codes[0])
    option = variable.option(text)
    if not codes and option is not None and not option.labels.get(language):
        return Cell(text)
    return Cell("", "D107")


def _codes(variable: Variable, language: str) -> Mapping[str, list[str]]:
    codes = dict[str, list[str]]()
    for option in variable.options:
        label = plain(option.labels.get(language, ""))
        if label:
            codes.setdefault(label, []).append(option.value)
    return codes
