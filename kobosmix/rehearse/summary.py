"""What was planted and found, as a short text that reads as Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kobosmix.match.model import Linkage, Matched, Retention
from kobosmix.rehearse.compare import Line
from kobosmix.rehearse.script import Script


def summary_text(
    title: str, opening: Sequence[str], script: Script, lines: Sequence[Line], matched: Matched
) -> str:
    """The opening, what went wrong on purpose, planted beside found, and the match rates."""
    parts = [
        f"# {title}",
        *opening,
        "## What was planted",
        _table(("planted", "expected in the ledgers", "persons"), script.as_rows()),
        "## Planted and found",
        _verdict(lines),
        _table(("what", "planted", "found", ""), [*_counts(lines, script.waves)]),
        "## Match rates",
        _table(("wave", "figure", "of", "number", "rate"), [*_rates(matched)]),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(lines: Sequence[Line]) -> str:
    different = sum(not line.is_equal for line in lines)
    said = (
        f"{different} of {len(lines)} counts differ." if different else "Every count is exact."
    )
    return (
        f"{said} Exact means the same submissions, persons and cells, not only as many. Numbers "
        "in a row are those of the waves in their order."
    )


def _counts(lines: Sequence[Line], waves: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A row for each thing counted, the waves beside one another where it was counted by wave."""
    for what in dict.fromkeys(line.what for line in lines):
        found = {line.wave: line for line in lines if line.what == what}
        if set(found) != {""}:
            found = {wave: found.get(wave, _none(wave, what)) for wave in waves}
        yield (
            what,
            ", ".join(str(line.planted) for line in found.values()),
            ", ".join(str(line.found) for line in found.values()),
            ", ".join(dict.fromkeys(line.verdict for line in found.values())),
        )


def _none(wave: str, what: str) -> Line:
    return Line(wave=wave, what=what, planted=0, found=0, is_equal=True)


def _rates(matched: Matched) -> Iterator[tuple[str, ...]]:
    for linked in matched.linkage:
        yield _linked(linked)
    for retained in matched.retention:
        if not retained.group:
            yield _retained(retained)


def _linked(figure: Linkage) -> tuple[str, ...]:
    return (
        figure.wave,
        "interviews linked",
        f"{figure.consented} with consent",
        str(figure.linked),
        _percent(figure.rate),
    )


def _retained(figure: Retention) -> tuple[str, ...]:
    return (
        figure.wave,
        "persons matched",
        f"{figure.with_first} with a first wave",
        str(figure.retained),
        _percent(figure.rate),
    )


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.1%}"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned for those who read it as it is."""
    every = [list(heading), *map(list, rows)]
    widths = [max(3, *(len(row[number]) for row in every)) for number in range(len(heading))]
    every.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in every
    )
