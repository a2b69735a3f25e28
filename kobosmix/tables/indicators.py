"""The results matrix: for each indicator of the context, the share that gives its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kobosmix.context.model import Indicator
from kobosmix.match.model import Interview
from kobosmix.tables.tabulate import Tabulation
from kobosmix.tables.wide import groups_of
from kobosmix.xlsx import Cell, Sheet

_EVERYONE = ""


def indicators_sheet(tabulation: Tabulation, indicators: Sequence[Indicator]) -> Sheet:
    """One row for each indicator and variable: baseline and target as planned, then what is.

    Per wave, for everyone and for each arm: how many gave a valid answer, and which per cent of
    them gave one of the indicator's answers. Empty where nobody was asked.
    """
    matched = tabulation.matched
    arms = sorted({person.arm for person in matched.register.respondents if person.arm})
    levels = [(wave, arm) for wave in matched.design.waves for arm in (_EVERYONE, *arms)]
    header: list[Cell] = ["indicator", "what", "group", "variable", "answers counted"]
    header += ["baseline planned: %", "target: %"]
    for wave, arm in levels:
        name = f"{wave}, {arm}" if arm else wave
        header += [f"{name}: n", f"{name}: %"]
    rows: list[Sequence[Cell]] = [header]
    for indicator in indicators:
        rows += _rows(tabulation, indicator, levels)
    return Sheet(title="Indicators", rows=rows, for_people=True)


def _rows(
    tabulation: Tabulation, indicator: Indicator, levels: Sequence[tuple[str, str]]
) -> Iterator[list[Cell]]:
    for variable in _variables(tabulation, indicator):
        cells: list[Cell] = [indicator.id, indicator.title, indicator.group, variable]
        cells += [", ".join(indicator.answers), indicator.baseline, indicator.target]
        for wave, arm in levels:
            cells += _share(tabulation, indicator, variable, (wave, arm))
        yield cells


def _variables(tabulation: Tabulation, indicator: Indicator) -> list[str]:
    """The item, once for each other group it is asked about."""
    return list(
        dict.fromkeys(
            column.name
            for column in tabulation.columns
            for definition in column.definitions
            if definition.variable.item == indicator.item
            and definition.codebook.group == indicator.group
        )
    )


def _share(
    tabulation: Tabulation, indicator: Indicator, variable: str, level: tuple[str, str]
) -> list[Cell]:
    answers = [
        str(given.value)
        for each in _interviews(tabulation, indicator, level)
        if (given := tabulation.given[each.rid, each.wave].get(variable)) is not None
        and given.missing is None
    ]
    if not answers:
        return [None, None]
    counted = sum(answer in indicator.answers for answer in answers)
    return [len(answers), round(100 * counted / len(answers), 1)]


def _interviews(
    tabulation: Tabulation, indicator: Indicator, level: tuple[str, str]
) -> Iterator[Interview]:
    wave, arm = level
    groups, persons = groups_of(tabulation), tabulation.matched.register.by_id
    for each in tabulation.matched.interviews:
        in_arm = not arm or persons[each.rid].arm == arm
        if each.wave == wave and in_arm and groups[each.rid] == indicator.group:
            yield each
