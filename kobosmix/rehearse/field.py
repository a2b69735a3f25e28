"""One wave in the field: who asks whom, when, and what is sent home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from uuid import UUID

from kobosmix.codebook import PERSONAL_LINK, Codebook
from kobosmix.match.model import Bucket, Flag, MatchDesign, State
from kobosmix.people.model import SPARE, Register
from kobosmix.rehearse.answers import Occasion, fill_in
from kobosmix.rehearse.people import Person
from kobosmix.rehearse.script import Planted

_SCANNED = 0.7
# Of those who have a personal link, how many come by it; the others type the number on their card.
_BY_LINK = 0.7
# Of how many the list on the phone says that their background was asked before.
_KNOWN = 0.8


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one person in one wave. `state` None: nothing came in under the ID."""

    planted: tuple[Planted, ...] = ()
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One wave. `ordinary` are the persons with whom nothing goes wrong in it.

    `rng` decides what is said, `casting` who meets what: what is drawn for a number depends on the
    number, and numbers are random, so one stream for both would never play the same twice.
    """

    wave: str
    position: int
    design: MatchDesign
    codebooks: Mapping[str, Codebook]
    enumerators: Mapping[str, Sequence[str]]
    sites: Sequence[str]
    register: Register
    today: date
    rng: Random
    casting: Random
    ordinary: Sequence[Person] = ()

    def has(self, variable: str) -> bool:
        """Whether every form of the wave asks this."""
        return all(
            any(each.name == variable for each in book.variables)
            for book in self.codebooks.values()
        )

    def answers(self, person: Person, **said: str) -> dict[str, str]:
        """A whole interview with the person by the form of the group; `said` goes before chance."""
        book = self.codebooks[person.group]
        scanned = self.has("rid_scan") and self.rng.random() < _SCANNED
        staff = {
            "enumerator": self.rng.choice(self.enumerators[person.group] or [""]),
            "site": person.respondent.site or self.rng.choice(self.sites),
            "rid_scan": person.rid if scanned else "",
            "rid_typed": "" if scanned else person.rid,
            # The register on the phone lists spare IDs too, with a group or without.
            "rid_group": person.respondent.group,
            "rid_listed": person.rid,
            PERSONAL_LINK: self._link(person),
            "rid_known": "1" if self.position and self.rng.random() < _KNOWN else "",
        }
        occasion = Occasion(
            codebook=book, wave=self.position, day=self._day(person), rng=self.rng
        )
        return fill_in(occasion, person, {**staff, **said})

    def with_id(self, person: Person, rid: str, group: str = "") -> dict[str, str]:
        """A whole interview in which this was typed for the ID; `group` as the phone looked it up."""
        listed = rid if group else ""
        return self.answers(
            person,
            rid_scan="",
            rid_typed=rid,
            rid=rid,
            rid_group=group,
            rid_listed=listed,
            **{PERSONAL_LINK: ""},
        )

    def sent(
        self,
        person: Person,
        answers: Mapping[str, str],
        bucket: Bucket = Bucket.LINKED,
        *flags: Flag,
        holder: Person | None = None,
    ) -> Planted:
        """The submission of these answers, counted under the ID of `holder` (the person's own)."""
        counted = holder or person
        return Planted(
            uuid=self.new_uuid(),
            wave=self.wave,
            group=person.group,
            answers=answers,
            bucket=bucket,
            rid=counted.rid,
            flags=frozenset({*flags, *self._flags(counted, answers)}),
        )

    def nobodys(
        self, person: Person, answers: Mapping[str, str], bucket: Bucket, suggestion: str = ""
    ) -> Planted:
        """The submission of these answers, which can be counted under nobody's ID."""
        return Planted(
            uuid=self.new_uuid(),
            wave=self.wave,
            group=person.group,
            answers=answers,
            bucket=bucket,
            suggestion=suggestion,
        )

    def new_uuid(self) -> str:
        """A uuid for a submission, from the simulation's own chance."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def _link(self, person: Person) -> str:
        """The token the person's link puts in; empty for who comes without one."""
        token = person.respondent.link_token
        comes = bool(token) and self.has(PERSONAL_LINK) and self.rng.random() < _BY_LINK
        return token if comes else ""

    def _day(self, person: Person) -> date:
        """A day of the wave's window by the phone's clock; today where there is no window."""
        window = self.design.window(self.wave, person.respondent.cohort)
        if window is None:
            return self.today
        return window[0] + timedelta(days=self.rng.randint(0, (window[1] - window[0]).days))

    def _flags(self, holder: Person, answers: Mapping[str, str]) -> list[Flag]:
        found = list[Flag]()
        window = self.design.window(self.wave, holder.respondent.cohort)
        # The server stamps the day of the rehearsal, whatever the phones say.
        if window and self.today < window[0]:
            found.append(Flag.EARLY)
        if window and self.today > window[1]:
            found.append(Flag.LATE)
        if holder.respondent.site not in ("", answers.get("site")):
            found.append(Flag.SITE_DIFFERS)
        if holder.respondent.status == SPARE:
            found.append(Flag.SPARE_USED)
        return found
