"""Days and times as spreadsheets respell them, brought back where only one reading is possible."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?"
)
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ ,T]+(.+))?")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})(?:,? (.+))?")
_DAY_FIRST = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4})(?:,? (.+))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Where Excel counts from; two days before 1900, for it holds 1900 to be a leap year.
_EXCEL_BEGINS = datetime(1899, 12, 30)  # noqa: DTZ001 - a day without a place
_LAST_MONTH = 12
_NOON = 12

DAY_FIRST, MONTH_FIRST = "day first", "month first"


def order_of(cells: Iterable[str]) -> str:
    """Whether the days of one column are written day or month first; "" where none proves it.

    >>> order_of(["03/04/2026", "25/04/2026"])
    'day first'
    """
    proven = set[str]()
    for found in filter(None, map(_NUMERIC.fullmatch, cells)):
        if found[2] == "." or int(found[1]) > _LAST_MONTH:
            proven.add(DAY_FIRST)
        elif int(found[3]) > _LAST_MONTH:
            proven.add(MONTH_FIRST)
    return proven.pop() if len(proven) == 1 else ""


def as_day(cell: str, order: str) -> str | None:
    """The day as forms spell it, `2026-02-10`; None where it cannot be known.

    >>> as_day("46063", ""), as_day("Feb 10, 2026", ""), as_day("03/04/2026", "")
    ('2026-02-10', '2026-02-10', None)
    """
    if _ISO_DAY.fullmatch(cell):
        return cell
    moment = _moment(cell, order)
    return moment.date().isoformat() if moment else None


def as_time(cell: str, order: str) -> str | None:
    """The time in ISO 8601, as it stands where it is that already; None where it cannot be known.

    >>> as_time("2026-02-10T09:00:00.000+03:00", ""), as_time("10.02.2026 09:00", DAY_FIRST)
    ('2026-02-10T09:00:00.000+03:00', '2026-02-10T09:00:00')
    """
    found = _ISO_TIME.fullmatch(cell)
    if found:
        return f"{found[1]}T{found[2]}{found[3] or ':00'}{found[4] or ''}"
    moment = _moment(cell, order)
    return moment.isoformat(timespec="seconds") if moment else None


def as_utc(stamp: str) -> str | None:
    """An ISO time in UTC with a Z, one without a zone taken to be in UTC; None for no time.

    >>> as_utc("2026-02-10T09:00:00+03:00"), as_utc("2026-02-10T09:00:00")
    ('2026-02-10T06:00:00Z', '2026-02-10T09:00:00Z')
    """
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    in_utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return in_utc.isoformat().replace("+00:00", "Z")


def has_zone(stamp: str) -> bool:
    """Whether an ISO time says in which zone it is."""
    found = _ISO_TIME.fullmatch(stamp)
    return found is not None and found[4] is not None


def days_apart(day: str, received: str) -> int:
    """How many days lie between two ISO stamps."""
    return abs((date.fromisoformat(day[:10]) - date.fromisoformat(received[:10])).days)


def is_serial(cell: str) -> bool:
    """Whether a cell holds the number Excel keeps for a day, instead of the day.

    >>> is_serial("46063"), is_serial("2026-02-10")
    (True, False)
    """
    return _SERIAL.fullmatch(cell) is not None


def _moment(cell: str, order: str) -> datetime | None:
    # Java writes a narrow space before AM and PM.
    text = " ".join(cell.replace("\u202f", " ").split())
    try:
        if is_serial(text):
            return _EXCEL_BEGINS + timedelta(seconds=round(float(text) * 86_400))
        return _iso(text) or _written_out(text) or _by_numbers(text, order)
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    found = _ISO_TIME.fullmatch(text)
    return datetime.fromisoformat(f"{found[1]}T{found[2]}") if found else None


def _written_out(text: str) -> datetime | None:
    if found := _MONTH_FIRST.fullmatch(text):
        month, day, year, clock = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year, clock = found.groups()
    else:
        return None
    name = month.lower()[:3]
    if name not in _MONTHS:
        return None
    return _at(int(year), _MONTHS.index(name) + 1, int(day), clock)


def _by_numbers(text: str, order: str) -> datetime | None:
    found = _NUMERIC.fullmatch(text)
    if not found:
        return None
    first, _, second, year, clock = found.groups()
    if first == second or order == DAY_FIRST:
        return _at(int(year), int(second), int(first), clock)
    if order == MONTH_FIRST:
        return _at(int(year), int(first), int(second), clock)
    return None


def _at(year: int, month: int, day: int, clock: str | None) -> datetime | None:
    hour = minute = second = 0
    if clock:
        found = _CLOCK.fullmatch(clock)
        if not found:
            return None
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        if found[4]:
            hour = hour % _NOON + (_NOON if found[4].lower() == "p" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - as the file says it
