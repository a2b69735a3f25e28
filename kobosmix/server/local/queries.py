"""The `query` and `sort` of the data API, as SQL over the stored answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_ORDERED = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class QueryRefused(Exception):
    """The query asks for something the local server does not know; the message names it."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values for its question marks."""

    text: str
    values: tuple[Any, ...] = ()


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
    pieces.append(Sql("id"))
    return Sql(", ".join(each.text for each in pieces), _values(pieces))


def _clause(key: str, wanted: Any) -> Sql:
    if key in ("$and", "$or"):
        word = key.removeprefix("$").upper()
        return _joined((condition(_mapping(each)) for each in wanted), word)
    if key.startswith("$"):
        raise QueryRefused(f"unsupported operator {key}")
    if isinstance(wanted, dict):
        return _joined((_test(key, name, value) for name, value in wanted.items()), "AND")
    return _test(key, "$eq", wanted)


def _test(key: str, operator: str, value: Any) -> Sql:
    place = _place(key)
    if operator in _ORDERED:
        return _ordered(place, _ORDERED[operator], value)
    if operator in ("$eq", "$ne"):
        word = "IS" if operator == "$eq" else "IS NOT"
        return Sql(f"{place.text} {word} ?", (*place.values, _plain(value)))
    if operator in ("$in", "$nin"):
        return _among(place, value, wanted=operator == "$in")
    if operator == "$exists":
        return Sql(f"{place.text} IS {'NOT ' if value else ''}NULL", place.values)
    if operator == "$regex":
        return _matching(place, value)
    if operator == "$not":
        inner = _clause(key, _mapping(value))
        return Sql(f"NOT coalesce({inner.text}, 0)", inner.values)
    raise QueryRefused(f"unsupported operator {operator}")


def _ordered(place: Sql, sign: str, value: Any) -> Sql:
    # SQLite holds every text to be greater than every number; the API compares like with like.
    kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
    return Sql(
        f"(typeof({place.text}) IN ({kinds}) AND {place.text} {sign} ?)",
        (*place.values, *place.values, _plain(value)),
    )


def _among(place: Sql, values: Any, *, wanted: bool) -> Sql:
    marks = ", ".join("?" * len(values))
    found = f"coalesce({place.text} IN ({marks}), 0)"
    plain = tuple(_plain(each) for each in values)
    return Sql(found if wanted else f"NOT {found}", (*place.values, *plain))


def _matching(place: Sql, pattern: Any) -> Sql:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise QueryRefused(f"{pattern!r} is not a regular expression") from error
    return Sql(f"{place.text} REGEXP ?", (*place.values, pattern))


def _place(key: str) -> Sql:
    if key == "_id":
        return Sql("id")
    column = "answers"
    if key.startswith("_validation_status."):
        column, key = "validation", key.removeprefix("_validation_status.")
    # A quotation mark cannot be written in a path of SQLite; no XML name has one either.
    return Sql(f"json_extract({column}, ?)", ('$."' + key.replace('"', "") + '"',))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise QueryRefused(f"{value!r} is not an object")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise QueryRefused(f"cannot compare with {value!r}")
    return value


def _joined(pieces: Iterable[Sql], word: str) -> Sql:
    found = list(pieces)
    if not found:
        return Sql("1")
    return Sql("(" + f" {word} ".join(each.text for each in found) + ")", _values(found))


def _values(pieces: Iterable[Sql]) -> tuple[Any, ...]:
    return tuple(value for piece in pieces for value in piece.values)
