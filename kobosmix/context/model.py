"""The context of one study, in the words of the field."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

# What a name is called in each language: tag -> form -> words.
Names = Mapping[str, Mapping[str, str]]
# One text for each language tag.
Texts = Mapping[str, str]

EVERY_COHORT = "all"
COMMUNITY, OWN_NAME = "community", "name"
INTERVIEW, TELEPHONE, SELF_ADMINISTERED = "interview", "telephone", "self_administered"
REGISTER, SELF_GENERATED = "register", "self_generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """How something is called: one of the ready choices of the languages, or names given here."""

    use: str = ""
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A respondent group: its role, the languages of its forms, whom it is asked about.

    `use` names a usual group whose ready names are taken where `names` gives none.
    """

    id: str
    role: str
    languages: tuple[str, ...]
    speaks: str
    asked_about: tuple[str, ...]
    names: Names
    use: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The first and the last day of a wave's fieldwork."""

    opens: datetime.date
    closes: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One round of interviews; windows by cohort, or one under `all`."""

    id: str
    windows: Mapping[str, Window]

    def window(self, cohort: str) -> Window | None:
        """When people of this cohort are interviewed, if that was said."""
        return self.windows.get(cohort) or self.windows.get(EVERY_COHORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A line of the results matrix: the share of a group that gives certain answers."""

    id: str
    title: str
    item: str
    answers: tuple[str, ...]
    group: str
    baseline: float | None
    target: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """Who decided to go to the field with wording that is not signed, and why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything the team decided. `languages` holds the tags in use, in the order given.

    `withdrawal_until` is the last day on which answers can be removed. `compensation` is empty where
    there is none; `help` names places respondents can be sent to, for the enumerators' manual.
    `id_method` is `register` (issued numbers) or `self_generated`; `item_seed` the whole number by
    which the items of each concept were put in another order than the bank's.
    `language_names`: tag of a spoken language -> what it is called, for those that the language
    files do not name. `entities`: whether the register goes to ODK Central as a list of entities.
    """

    study: str
    title: Texts
    organisation: Texts
    programme: Texts
    community: Texts
    country: Phrase
    newcomers: Phrase | None
    languages: tuple[str, ...]
    language_names: Mapping[str, Names]
    preparing: tuple[str, ...]
    groups: Mapping[str, Group]
    own_group: str
    waves: Mapping[str, Wave]
    cohorts: Texts
    sites: Mapping[str, Texts]
    partners: Texts
    design: str
    random: bool
    arms: Texts
    concepts: tuple[str, ...]
    ask: Mapping[str, tuple[str, ...]]
    mode: str
    minutes: int
    withdrawal: Texts
    withdrawal_until: datetime.date
    complaints: Texts
    help: Texts
    compensation: Texts
    age_of_consent: int
    minors: bool
    indicators: tuple[Indicator, ...]
    unsigned_wording: Unsigned | None = None
    id_method: str = REGISTER
    item_seed: int | None = None
    server: str = ""
    entities: bool = False

    @property
    def is_interview(self) -> bool:
        """Whether an enumerator asks; otherwise the respondent fills the form in alone."""
        return self.mode != SELF_ADMINISTERED

    @property
    def has_issued_ids(self) -> bool:
        """Whether respondents have a number of the register; otherwise they make a code."""
        return self.id_method == REGISTER

    @property
    def carries_register(self) -> bool:
        """Whether forms carry the list of numbers: only where the team alone has the forms.

        Who fills in a form alone has it by its link, and could read the whole list with it.
        """
        return self.has_issued_ids and self.is_interview
