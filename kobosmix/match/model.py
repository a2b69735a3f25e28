"""What matching takes and gives: buckets, states, ledgers and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from kobosmix.codebook import Codebook
from kobosmix.people.model import Register, Respondent
from kobosmix.xlsform.diff import Change

# What the toolkit holds to be the least that should be matched: 80, better 85 in a hundred.
RETENTION_FLOOR, RETENTION_GOAL = 0.80, 0.85
# The toolkit's balance rule: so many persons in each cell of group and arm.
SMALLEST_CELL = 30


class Submission(Protocol):
    """What matching needs to know of a stored submission.

    `content` has Kobo's full-path keys; `received` is the server's time in UTC, ISO 8601.
    """

    @property
    def key(self) -> str:
        """Stays the same through every edit of the submission."""

    @property
    def received(self) -> str:
        """When the server took it."""

    @property
    def content(self) -> Mapping[str, Any]:
        """The answers as sent; empty after an erasure."""


class Bucket(StrEnum):
    """Where a submission ends. Exactly one each; the sum is the number of submissions."""

    LINKED = "linked"
    NOT_CONTACTED = "not_contacted"
    REFUSED = "refused"
    REFUSED_MINOR = "refused_minor"
    WITHDRAWN = "withdrawn"
    TEST = "test"
    NO_ID = "no_id"
    CHECK_FAILED = "check_failed"
    UNKNOWN_ID = "unknown_id"
    UNKNOWN_FORM = "unknown_form"
    LINK_CONFLICT = "link_conflict"
    GROUP_CONFLICT = "group_conflict"
    DUPLICATE_IDENTICAL = "duplicate_identical"
    DUPLICATE_SUPERSEDED = "duplicate_superseded"
    DUPLICATE_CONFLICT = "duplicate_conflict"
    WAVE_CONFLICT = "wave_conflict"
    CONFLICT_KEYS = "conflict_keys"


# A person decides the conflicts, and until then none of their answers is used.
CONFLICTS = frozenset(
    {
        Bucket.LINK_CONFLICT,
        Bucket.GROUP_CONFLICT,
        Bucket.DUPLICATE_CONFLICT,
        Bucket.WAVE_CONFLICT,
        Bucket.CONFLICT_KEYS,
    }
)


# And these wait for someone who knows more: whose number it was, where the form came from.
UNRESOLVED = CONFLICTS | {
    Bucket.NO_ID,
    Bucket.CHECK_FAILED,
    Bucket.UNKNOWN_ID,
    Bucket.UNKNOWN_FORM,
}


class Flag(StrEnum):
    """Worth a look, but no reason to set the submission aside."""

    EARLY = "early"
    LATE = "late"
    SITE_DIFFERS = "site_differs"
    GROUP_DIFFERS = "group_differs"
    SPARE_USED = "spare_used"
    GENDER_DIFFERS = "gender_differs"
    BIRTH_YEAR_DIFFERS = "birth_year_differs"
    AGE_CONTRADICTS_CONSENT = "age_contradicts_consent"
    LATER_WAVE_CONTRADICTS = "later_wave_contradicts"
    FORM_EDITED = "form_edited"
    HAND_MADE_FORM = "hand_made_form"


class State(StrEnum):
    """Where a person stands in a wave. Exactly one each; the sum is the size of the register."""

    COMPLETED = "completed"
    PARTIAL = "partial"
    REFUSED = "refused"
    NOT_CONTACTED = "not_contacted"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"
    SPARE = "spare"
    DUE = "due"
    NOT_DUE = "not_due"
    OVERDUE = "overdue"


Window = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchDesign:
    """The waves in their order, and when each opens and closes.

    Windows stand under wave and cohort; the cohort "" is for everyone without a window of their
    own. Both days belong to the window. No window: nothing is known, so nothing is late.
    `age_of_consent` is from when on a person agrees alone; 0 where that is not known.
    `tests` are server projects whose submissions were never meant: rehearsals. `sole_arm` is
    where everybody is in a design without comparison. `edited_forms` are versions of forms that
    were edited on the server after they were built, by project and version, with what differs.
    """

    study: str
    waves: tuple[str, ...]
    windows: Mapping[str, Mapping[str, Window]]
    tests: frozenset[str] = frozenset()
    sole_arm: str = ""
    age_of_consent: int = 0
    edited_forms: Mapping[tuple[str, str], Sequence[Change]] = field(default_factory=dict)

    def window(self, wave: str, cohort: str) -> Window | None:
        """When the wave runs for this cohort, or None where nobody said."""
        by_cohort = self.windows.get(wave, {})
        return by_cohort.get(cohort) or by_cohort.get("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One submission in the ledger, without its answers.

    `id_used` is the register's ID, empty where there is none; `suggestion` is the one ID that a
    single slip would turn into the one entered, and is never applied. `other_wave` is the wave
    in whose window a wave conflict came in.
    """

    key: str
    received: str
    form: str
    wave: str
    group: str
    bucket: Bucket
    reason: str = ""
    id_entered: str = ""
    id_used: str = ""
    enumerator: str = ""
    outcome: str = ""
    suggestion: str = ""
    other_wave: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """A linked submission with its answers: raw codes by variable name."""

    key: str
    rid: str
    wave: str
    codebook: Codebook
    answers: Mapping[str, str]
    day: date
    enumerator: str
    is_partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonWave:
    """One person in one wave. `group` is the form's where the register leaves it open.

    `to_resolve` counts the submissions in conflict, in the wave of the form used.
    """

    respondent: Respondent
    group: str
    wave: str
    state: State
    to_resolve: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OddValue:
    """An answer that is none of the form's codes. The value itself is not repeated here."""

    key: str
    variable: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """How many of a wave's consented submissions could be linked: the quality of the ID work."""

    wave: str
    linked: int
    consented: int

    @property
    def rate(self) -> float | None:
        """Linked among consented; None before there are any."""
        return _ratio(self.linked, self.consented)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many persons with a valid first wave have a valid later one.

    One for all (group and arm empty) and one for each cell. The `closed` pair counts only
    persons whose window for the wave is over, for they can no longer be late.
    """

    wave: str
    group: str
    arm: str
    with_first: int
    retained: int
    closed_with_first: int
    closed_retained: int

    @property
    def rate(self) -> float | None:
        """Retained so far among all persons with a valid first wave."""
        return _ratio(self.retained, self.with_first)

    @property
    def closed_rate(self) -> float | None:
        """The same, among persons whose window is over: the figure to hold against 80-85 %."""
        return _ratio(self.closed_retained, self.closed_with_first)

    @property
    def is_interim(self) -> bool:
        """Whether interviews may still come in."""
        return self.closed_with_first < self.with_first

    @property
    def is_small(self) -> bool:
        """Whether the retained persons are fewer than the 30 a cell should keep."""
        return self.retained < SMALLEST_CELL

    @property
    def verdict(self) -> str:
        """`below`, `within` or `above` 80-85 %; `open` while no window is over."""
        rate = self.closed_rate
        if rate is None:
            return "open"
        if rate < RETENTION_FLOOR:
            return "below"
        return "within" if rate < RETENTION_GOAL else "above"


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Both ledgers, the linked interviews and the figures, with what they were made from."""

    design: MatchDesign
    register: Register
    codebooks: Mapping[str, Codebook]
    today: date
    entries: tuple[Entry, ...]
    interviews: tuple[Interview, ...]
    persons: tuple[PersonWave, ...]
    odd_values: tuple[OddValue, ...]
    linkage: tuple[Linkage, ...]
    retention: tuple[Retention, ...]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
