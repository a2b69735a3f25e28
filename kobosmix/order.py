"""What has moved in a list: as few as will do, so that one thing that moved is one thing told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def moved(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What stands elsewhere after than before, leaving out the longest part that kept its order.

    Both lists hold the same, each once.

    >>> moved(["a", "b", "c", "d"], ["b", "c", "d", "a"])
    ['a']
    """
    place = {name: number for number, name in enumerate(after)}
    # For each length the chain of that length that ends earliest, and what stood before each.
    ends, last_of, behind = list[int](), list[str](), dict[str, str | None]()
    for name in before:
        length = bisect_left(ends, place[name])
        ends[length : length + 1] = [place[name]]
        last_of[length : length + 1] = [name]
        behind[name] = last_of[length - 1] if length else None
    kept, last = set[str](), last_of[-1] if last_of else None
    while last is not None:
        kept.add(last)
        last = behind[last]
    return [name for name in before if name not in kept]
