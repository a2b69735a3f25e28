"""The `query` and `sort` of the data API, as SQL over the stored answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_ORDERED = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_UNKNOWN_HERE = ("$elemMatch", "$expr", "$nor")
# Answers that are columns as well: these are asked, because indexes hold them.
_COLUMNS = {"_id": "id", "_uuid": "uuid", "_submission_time": "submitted_at"}


class QueryRefused(Exception):
    """The query asks for something the local server does not know; the message names it."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values for its question marks."""

    text: str
    values: tuple[Any, ...] = ()


# What every submission meets, and what none does.
ALL, NONE = Sql("1"), Sql("0")


def condition(query: Mapping[str, Any]) -> Sql:
    """What a submission must meet: `{"_id": {"$gt": 7}, "kx_wave": "pre"}`.

    Answers are text: `{"size": 3}` finds nothing, `{"size": "3"}` does.
    """
    return _joined((_clause(key, wanted) for key, wanted in query.items()), "AND")


def order(sort: Mapping[str, Any]) -> Sql:
    """The order of `{"_id": 1, "hh/size": -1}`; equal ones by number, so pages never overlap."""
    pieces = [
        Sql(f"{place.text} {'DESC' if direction == -1 else 'ASC'}", place.values)
        for place, direction in ((_place(key), way) for key, way in sort.items())
    ]
    if "_id" not in sort:
        pieces.append(Sql("id"))
    return Sql(", ".join(each.text for each in pieces), _values(pieces))


def _clause(key: str, wanted: Any) -> Sql:
    if key in ("$and", "$or"):
        word = key.removeprefix("$").upper()
        return _joined((condition(_mapping(each)) for each in wanted), word)
    if key.startswith("$"):
        return _unknown(key)
    if isinstance(wanted, dict):
        if "$regex" in wanted and "$options" in wanted:
            flags, wanted = wanted["$options"], {**wanted, "$options": None}
            wanted["$regex"] = f"(?{flags}){wanted['$regex']}" if flags else wanted["$regex"]
        return _joined((_test(key, name, value) for name, value in wanted.items()), "AND")
    return _test(key, "$eq", wanted)


def _unknown(operator: str) -> Sql:
    if operator in _UNKNOWN_HERE:
        raise QueryRefused(f"the local server does not know {operator}")
    # The real server makes operators it does not allow harmless, and then finds nothing.
    return NONE


def _test(key: str, operator: str, value: Any) -> Sql:
    if key == "_id" and operator in (*_ORDERED, "$eq", "$in"):
        return _numbered(operator, value)
    if operator in _ORDERED:
        return _ordered(_place(key), _ORDERED[operator], value)
    test = _TESTS.get(operator)
    return test(key, value) if test else _unknown(operator)


def _not(key: str, value: Any) -> Sql:
    inner = _clause(key, _mapping(value))
    return Sql(f"NOT coalesce({inner.text}, 0)", inner.values)


def _exists(key: str, value: Any) -> Sql:
    place = _place(key)
    return Sql(f"{place.text} IS {'NOT ' if value else ''}NULL", place.values)


def _same(key: str, value: Any, word: str = "IS") -> Sql:
    place = _place(key)
    return Sql(f"{place.text} {word} ?", (*place.values, _plain(value)))


def _numbered(operator: str, value: Any) -> Sql:
    """A test of the number, so plain that SQLite answers it from an index."""
    numbers = [
        each
        for each in (_list(value) if operator == "$in" else [value])
        if isinstance(each, int | float) and not isinstance(each, bool)
    ]
    if not numbers:
        return NONE
    if operator in _ORDERED:
        return Sql(f"id {_ORDERED[operator]} ?", (value,))
    return Sql(f"id IN ({', '.join('?' * len(numbers))})", tuple(numbers))


def _ordered(place: Sql, sign: str, value: Any) -> Sql:
    # SQLite holds every text to be greater than every number; the API compares like with like.
    kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
    return Sql(
        f"(typeof({place.text}) IN ({kinds}) AND {place.text} {sign} ?)",
        (*place.values, *place.values, _plain(value)),
    )


def _among(place: Sql, values: Any, *, wanted: bool) -> Sql:
    marks = ", ".join("?" * len(_list(values)))
    found = f"coalesce({place.text} IN ({marks}), 0)"
    plain = tuple(_plain(each) for each in values)
    return Sql(found if wanted else f"NOT {found}", (*place.values, *plain))


def _matching(place: Sql, pattern: Any) -> Sql:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise QueryRefused(f"{pattern!r} is not a regular expression") from error
    return Sql(f"{place.text} REGEXP ?", (*place.values, pattern))


_TESTS: Mapping[str, Callable[[str, Any], Sql]] = {
    "$eq": _same,
    "$ne": lambda key, value: _same(key, value, "IS NOT"),
    "$in": lambda key, value: _among(_place(key), value, wanted=True),
    "$nin": lambda key, value: _among(_place(key), value, wanted=False),
    "$exists": _exists,
    "$regex": lambda key, value: _matching(_place(key), value),
    "$options": lambda _key, _value: ALL,
    "$not": _not,
    "$all": lambda key, value: _joined((_same(key, each) for each in _list(value)), "AND"),
}


def _place(key: str) -> Sql:
    if key in _COLUMNS:
        return Sql(_COLUMNS[key])
    if key == "meta/rootUuid":
        return Sql("('uuid:' || root_uuid)")
    column = "answers"
    if key.startswith("_validation_status."):
        column, key = "validation", key.removeprefix("_validation_status.")
    return Sql(f"json_extract({column}, ?)", (path_of(key),))


def path_of(key: str) -> str:
    """SQLite's path of an answer: `$."hh/head"`."""
    # A quotation mark cannot be written in such a path; no XML name has one either.
    return '$."' + key.replace('"', "") + '"'


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise QueryRefused(f"{value!r} is not an object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise QueryRefused(f"{value!r} is not a list")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise QueryRefused(f"cannot compare with {value!r}")
    return value


def _joined(pieces: Iterable[Sql], word: str) -> Sql:
    found = list(pieces)
    if not found:
        return ALL
    return Sql("(" + f" {word} ".join(each.text for each in found) + ")", _values(found))


def _values(pieces: Iterable[Sql]) -> tuple[Any, ...]:
    return tuple(value for piece in pieces for value in piece.values)
