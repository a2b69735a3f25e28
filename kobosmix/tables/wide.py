"""One row a person, all waves side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kobosmix.match.model import Interview, PersonWave
from kobosmix.people.model import Respondent
from kobosmix.tables.tabulate import Given, Tabulation

if TYPE_CHECKING:
    import pandas as pd

PERSON_COLUMNS = ("rid", "group", "group_role", "site", "cohort", "partner", "arm")
WAVE_COLUMNS = ("date", "enumerator", "outcome")

_BLANK = Given(None)


def wide(tabulation: Tabulation, *, everyone: bool = False) -> pd.DataFrame:
    """The persons with a linked interview (`everyone`: all of the register), one row each.

    Codes are whole numbers (`Int64`), everything else is text; what is missing is missing, and
    the table `missing` says why. `<wave>_outcome` is the person's state in that wave.
    """
    import pandas as pd

    persons = people_shown(tabulation, everyone=everyone)
    columns: dict[str, pd.Series] = {
        heading: pd.Series(values, dtype="string")
        for heading, values in _about_persons(tabulation, persons).items()
    }
    for wave in tabulation.matched.design.waves:
        for heading, values in _about_wave(tabulation, persons, wave).items():
            columns[heading] = pd.Series(values, dtype="string")
        for column in tabulation.columns_of(wave):
            answers = answers_in(tabulation, persons, wave, column.name)
            dtype = "Int64" if column.is_integer else "string"
            columns[column.heading] = pd.Series(answers, dtype=dtype)
    return pd.DataFrame(columns)


def people_shown(tabulation: Tabulation, *, everyone: bool) -> list[Respondent]:
    """Whose rows a wide table has, in the order of their IDs."""
    linked = {rid for rid, _ in tabulation.given}
    everybody = sorted(tabulation.matched.register.respondents, key=lambda person: person.id)
    return [person for person in everybody if everyone or person.id in linked]


def answers_in(
    tabulation: Tabulation, persons: Sequence[Respondent], wave: str, name: str
) -> list[int | str | None]:
    """One column: what each of the persons answered, None where there is no valid answer."""
    rows: list[Mapping[str, Given]] = [
        tabulation.given.get((person.id, wave), {}) for person in persons
    ]
    return [row.get(name, _BLANK).value for row in rows]


def groups_of(tabulation: Tabulation) -> dict[str, str]:
    """Each person's group, by the register or else by the form used."""
    return {each.respondent.id: each.group for each in tabulation.matched.persons}


def roles_of(tabulation: Tabulation) -> dict[str, str]:
    """Each group's role in the study, by the codebooks."""
    return {book.group: book.group_role for book in tabulation.matched.codebooks.values()}


def _about_persons(
    tabulation: Tabulation, persons: Sequence[Respondent]
) -> dict[str, list[str | None]]:
    groups, roles = groups_of(tabulation), roles_of(tabulation)
    rows = [
        (
            person.id,
            groups.get(person.id, person.group),
            roles.get(groups.get(person.id, person.group), ""),
            person.site,
            person.cohort,
            person.partner,
            person.arm,
        )
        for person in persons
    ]
    return {
        heading: [row[number] or None for row in rows]
        for number, heading in enumerate(PERSON_COLUMNS)
    }


def _about_wave(
    tabulation: Tabulation, persons: Sequence[Respondent], wave: str
) -> dict[str, list[str | None]]:
    matched = tabulation.matched
    interviews = {each.rid: each for each in matched.interviews if each.wave == wave}
    states = {each.respondent.id: each for each in matched.persons if each.wave == wave}
    rows = [_wave_cells(interviews.get(p.id), states.get(p.id)) for p in persons]
    return {
        f"{wave}_{name}": [row[number] for row in rows]
        for number, name in enumerate(WAVE_COLUMNS)
    }


def _wave_cells(
    interview: Interview | None, person: PersonWave | None
) -> tuple[str | None, str | None, str | None]:
    day = interview.day.isoformat() if interview else None
    enumerator = (interview.enumerator or None) if interview else None
    return day, enumerator, person.state.value if person else None
