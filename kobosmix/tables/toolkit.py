"""The wide table under the headings of the toolkit's sample spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kobosmix.people.model import Respondent
from kobosmix.tables.tabulate import Column, Tabulation, group_name, merged_order
from kobosmix.tables.wide import answers_in, groups_of, people_shown, roles_of
from kobosmix.xlsx import Cell, Sheet

if TYPE_CHECKING:
    import pandas as pd

ID_HEADING = "Respondent identification number"
GROUP_HEADING = "Respondent identity group"
ARM_HEADING = "Programme or comparison group"

_SURVEYS = {"pre": "Pre-survey", "post": "Post-survey", "fu": "Follow-up survey"}
_GROUPS = {"host": "Host society", "newcomer": "Migrant"}
_ARMS = {"programme": "Programme", "comparison": "Comparison"}


@dataclass(frozen=True, slots=True)
class Headed:
    """A column of rated answers with the sample sheet's heading over it."""

    heading: str
    column: Column


def toolkit_headings(tabulation: Tabulation) -> list[Headed]:
    """The rated items, wave by wave, each under its heading.

    A question has the same number in every wave, so that post-survey question 7 may be held
    against pre-survey question 7; a wave that does not ask it leaves the number out.
    """
    waves = tabulation.matched.design.waves
    rated = {wave: [c for c in tabulation.columns_of(wave) if c.is_rated] for wave in waves}
    order = merged_order([column.name for column in rated[wave]] for wave in waves)
    numbers = {name: number for number, name in enumerate(order, start=1)}
    return [
        Headed(f"{survey_name(wave)} question {numbers[column.name]}", column)
        for wave in waves
        for column in sorted(rated[wave], key=lambda column: numbers[column.name])
    ]


def toolkit_table(tabulation: Tabulation, *, everyone: bool = False) -> pd.DataFrame:
    """The sample sheet filled in: ID, identity group, arm, then the rated items of each wave."""
    import pandas as pd

    persons = people_shown(tabulation, everyone=everyone)
    columns: dict[str, pd.Series] = {
        ID_HEADING: pd.Series([person.id for person in persons], dtype="string"),
        GROUP_HEADING: pd.Series(_identity_groups(tabulation, persons), dtype="string"),
        ARM_HEADING: pd.Series(
            [_arm(tabulation, person.arm) for person in persons], dtype="string"
        ),
    }
    for each in toolkit_headings(tabulation):
        answers = answers_in(tabulation, persons, each.column.wave, each.column.name)
        dtype = "Int64" if each.column.is_integer else "string"
        columns[each.heading] = pd.Series(answers, dtype=dtype)
    return pd.DataFrame(columns)


def headings_sheet(tabulation: Tabulation) -> Sheet:
    """What stands under each heading: the variable, the words of the question, the scale."""
    rows: list[Sequence[Cell]] = [
        ("heading", "variable", "wave", "wording", "scale", "codes"),
        (ID_HEADING, "rid", "", "", "", ""),
        (GROUP_HEADING, "group", "", "", "", ""),
        (ARM_HEADING, "arm", "", "", "", ""),
    ]
    for each in toolkit_headings(tabulation):
        column = each.column
        codes = "; ".join(f"{code} = {label}" for code, label in column.labels().items())
        scale = column.definitions[0].variable.scale
        rows.append((each.heading, column.heading, column.wave, column.wording(), scale, codes))
    return Sheet(title="Headings", rows=rows, for_people=True)


def survey_name(wave: str) -> str:
    """What the sample sheet calls the survey of a wave: `fu` and `fu2` are follow-ups.

    >>> survey_name("fu2")
    'Follow-up 2 survey'
    """
    number = wave.removeprefix("fu")
    if wave.startswith("fu") and number.isdecimal():
        return f"Follow-up {number} survey"
    return _SURVEYS.get(wave, f"{wave} survey")


def _identity_groups(tabulation: Tabulation, persons: Sequence[Respondent]) -> list[str | None]:
    books = [book for _, book in sorted(tabulation.matched.codebooks.items())]
    groups, roles = groups_of(tabulation), roles_of(tabulation)
    found = [groups.get(person.id, person.group) for person in persons]
    return [
        _GROUPS.get(roles.get(group, ""), group_name(books, group)) or None for group in found
    ]


def _arm(tabulation: Tabulation, arm: str) -> str | None:
    arm = arm or tabulation.matched.design.sole_arm
    return _ARMS.get(arm.casefold(), arm) or None
