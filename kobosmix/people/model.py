"""The register: everything that forms, matching and tables know about a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

COLUMNS = ("id", "group", "site", "cohort", "partner", "arm", "status")

ACTIVE = "active"
SPARE = "spare"
WITHDRAWN = "withdrawn"
STATUSES = (ACTIVE, SPARE, WITHDRAWN)

# Columns that only some studies have: in which language a person is written to, and what stands
# for the ID in the person's own link to a form.
FURTHER_COLUMNS = ("language", "link_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """One row of register.xlsx. There is no place for a name.

    `status` is `active`, `spare` (an ID kept for a walk-in) or `withdrawn`; `arm` is empty until
    people are assigned, `link_token` until links are written. Whoever has the token can answer in
    the person's name.
    """

    id: str
    group: str
    site: str = ""
    cohort: str = ""
    partner: str = ""
    arm: str = ""
    status: str = ACTIVE
    language: str = ""
    link_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Register:
    """All respondents of a study, in the order of their IDs."""

    respondents: tuple[Respondent, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Respondent]:
        """Each respondent under the ID."""
        return {respondent.id: respondent for respondent in self.respondents}

    @cached_property
    def by_link_token(self) -> dict[str, Respondent]:
        """Each respondent who has a personal link, under its token."""
        return {each.link_token: each for each in self.respondents if each.link_token}
