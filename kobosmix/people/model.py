"""The register: everything that forms, matching and tables know about a person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

COLUMNS = ("id", "group", "site", "cohort", "partner", "arm", "status")

ACTIVE = "active"
SPARE = "spare"
WITHDRAWN = "withdrawn"
STATUSES = (ACTIVE, SPARE, WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """One row of register.xlsx. There is no place for a name.

    `status` is `active`, `spare` (an ID kept for a walk-in) or `withdrawn`; `arm` is empty until
    people are assigned.
    """

    id: str
    group: str
    site: str = ""
    cohort: str = ""
    partner: str = ""
    arm: str = ""
    status: str = ACTIVE


@dataclass(frozen=True)
class Register:
    """All respondents of a study, in the order of their IDs."""

    respondents: tuple[Respondent, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Respondent]:
        """Each respondent under the ID."""
        return {respondent.id: respondent for respondent in self.respondents}
