"""Which forms are compared, and the comparing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from kobosmix.invariance.accept import Grounds, reason_for
from kobosmix.invariance.align import View, common
from kobosmix.invariance.compare import differences
from kobosmix.invariance.model import (
    Difference,
    FormVersion,
    Pair,
    Proof,
    Relation,
    Standing,
    What,
)

_NOTES_NOT_KEPT = Difference(
    what=What.NOTES,
    reason="not compared: the earlier build was made before kobosmix kept what is only read",
)


def prove(versions: Sequence[FormVersion], grounds: Grounds) -> Proof:
    """Compare today's forms among each other, and with the earlier builds among `versions`.

    Forms of one group are compared whatever their wave; forms of two groups that are asked about
    each other within a wave, as they are today. Of two earlier builds only those that both have
    answers are compared: what was asked under the others does not matter any more.
    """
    return Proof(
        pairs=tuple(
            _compare(a, b, relation, grounds)
            for a, b in combinations(_in_order(versions), 2)
            if (relation := _relation(a, b))
        )
    )


def later_only(versions: Sequence[FormVersion], first_wave: str) -> frozenset[str]:
    """The names in today's forms that no form of the first wave has, but for the items."""
    first, later = set[str](), set[str]()
    for version in versions:
        if version.is_today:
            asked = View(version).asked.values()
            names = {each.name for each in asked if not each.measuring}
            (first if version.codebook.wave == first_wave else later).update(names)
    return frozenset(later - first)


def _in_order(versions: Sequence[FormVersion]) -> list[FormVersion]:
    """By wave and group as they were given; of one form what was built earlier comes first."""
    keys = list(dict.fromkeys(each.key for each in versions))
    return sorted(versions, key=lambda each: (keys.index(each.key), each.is_today))


def _relation(a: FormVersion, b: FormVersion) -> Relation | None:
    """Why these two are compared; None where they are not."""
    is_past = not (a.is_today or b.is_today)
    if is_past and {a.standing, b.standing} != {Standing.ANSWERED}:
        return None
    is_one_wave = a.codebook.wave == b.codebook.wave
    if a.codebook.group == b.codebook.group:
        return Relation.BUILDS if is_one_wave else Relation.WAVES
    if is_one_wave and a.is_today and b.is_today and _are_mirrored(a, b):
        return Relation.GROUPS
    return None


def _are_mirrored(a: FormVersion, b: FormVersion) -> bool:
    return b.codebook.group in View(a).others and a.codebook.group in View(b).others


def _compare(a: FormVersion, b: FormVersion, relation: Relation, grounds: Grounds) -> Pair:
    partners = (b.codebook.group, a.codebook.group) if relation is Relation.GROUPS else ("", "")
    known = (a, b) if a.codebook.notes and b.codebook.notes else (_no_notes(a), _no_notes(b))
    views = View(known[0], partners[0]), View(known[1], partners[1])
    found = list(_judged(*views, grounds))
    if known != (a, b):
        found.append(("", _NOTES_NOT_KEPT))
    in_both = {each.shared for each in common(*views)[0]}
    return Pair(
        a=a,
        b=b,
        relation=relation,
        compared=len(in_both),
        identical=len(in_both - {name for name, _ in found}),
        differences=tuple(each for _, each in found),
    )


def _no_notes(version: FormVersion) -> FormVersion:
    return replace(version, codebook=replace(version.codebook, notes=()))


def _judged(a: View, b: View, grounds: Grounds) -> Iterator[tuple[str, Difference]]:
    for shared, found in differences(a, b):
        yield shared, replace(found, reason=reason_for(shared, found, a, b, grounds))
