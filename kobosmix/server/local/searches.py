"""The search language of `q`: `action:x AND (date_created__gte:"2026-11-24" OR NOT uid:y)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_SHORTEST_SEARCH = 3
_TOKEN = re.compile(r'\(|\)|(?:\w+:)?"[^"]*"|[^\s()]+')
_TERM = re.compile(r'(?:(\w+):)?(?:"([^"]*)"|(.*))')
T = TypeVar("T")


class SearchTooShort(Exception):
    """The search has fewer than three characters, which the real server refuses."""


@dataclass(frozen=True, slots=True)
class Meaning(Generic[T]):
    """What the parts of a search stand for. A term without a field has the field ""."""

    term: Callable[[str, str], T]
    both: Callable[[T, T], T]
    either: Callable[[T, T], T]
    opposite: Callable[[T], T]


def understood(search: str, meaning: Meaning[T]) -> T | None:
    """What the search means; None for an empty one. Terms side by side must all hold.

    Raises SearchTooShort.
    """
    tokens = _TOKEN.findall(search)
    if not tokens:
        return None
    if len(search.strip()) < _SHORTEST_SEARCH:
        raise SearchTooShort
    return _either(tokens, meaning)


def _either(tokens: list[str], meaning: Meaning[T]) -> T:
    found = _both(tokens, meaning)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        found = meaning.either(found, _both(tokens, meaning))
    return found


def _both(tokens: list[str], meaning: Meaning[T]) -> T:
    found = _one(tokens, meaning)
    while tokens and tokens[0] not in ("OR", ")"):
        if tokens[0] == "AND":
            tokens.pop(0)
        found = meaning.both(found, _one(tokens, meaning))
    return found


def _one(tokens: list[str], meaning: Meaning[T]) -> T:
    first = tokens.pop(0) if tokens else ""
    if first == "NOT":
        return meaning.opposite(_one(tokens, meaning))
    if first == "(":
        inner = _either(tokens, meaning)
        if tokens:
            tokens.pop(0)
        return inner
    found = _TERM.fullmatch(first)
    if found is None:
        return meaning.term("", first)
    return meaning.term(found[1] or "", found[2] if found[2] is not None else found[3])
