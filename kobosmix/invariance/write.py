"""The proof as a workbook."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.invariance.model import Proof
from kobosmix.xlsx import Cell, Sheet, workbook_bytes

_PROOF = (
    *("form A", "form B", "why they are compared", "questions and instructions in both"),
    *("identical", "accepted differences", "unexpected differences"),
)
_DIFFERENCES = (
    *("form A", "form B", "variable", "what differs", "language", "in form A", "in form B"),
    "accepted, because",
)
_UNEXPECTED = "NOT EXPECTED"


def invariance_workbook(proof: Proof) -> bytes:
    """Two sheets: each pair of forms with its counts, each difference with its reason."""
    return workbook_bytes(
        (
            Sheet(title="proof", rows=list(_pairs(proof)), for_people=True),
            Sheet(title="differences", rows=list(_differences(proof)), for_people=True),
        )
    )


def _pairs(proof: Proof) -> Iterator[list[Cell]]:
    yield list(_PROOF)
    for pair in proof.pairs:
        counts = (len(pair.accepted), len(pair.unexpected))
        names = (str(pair.a), str(pair.b), str(pair.relation))
        yield [*names, pair.compared, pair.identical, *counts]


def _differences(proof: Proof) -> Iterator[list[Cell]]:
    """The unexpected ones first."""
    yield list(_DIFFERENCES)
    rows: list[list[Cell]] = [
        [
            *(str(pair.a), str(pair.b), found.variable, str(found.what), found.language),
            *(found.in_a, found.in_b, found.reason or _UNEXPECTED),
        ]
        for pair in proof.pairs
        for found in pair.differences
    ]
    yield from sorted(rows, key=lambda row: row[-1] != _UNEXPECTED)
