"""What goes wrong in the field, one function for each, and what the ledgers must say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kobosmix.match.model import Bucket, Flag, State
from kobosmix.people.ids import check_character, is_valid_id
from kobosmix.rehearse.answers import broken_off
from kobosmix.rehearse.field import Field, Visit
from kobosmix.rehearse.people import Person
from kobosmix.rehearse.script import Planted

_ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_YEARS_OF_A_NEIGHBOUR, YEARS_MISHEARD = 12, 4
_UNKNOWN_BUILD = "kx000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault: what must come of it, and how many of a wave's persons it meets.

    `needs` is a question without which it cannot happen. After the last visit a person is left
    alone. Some faults show only against an earlier wave, one only at the last.
    """

    name: str
    expected: str
    act: Callable[[Field, Person], Visit]
    share: float = 0.008
    needs: str = ""
    needs_another_group: bool = False
    is_last_visit: bool = False
    is_never_first: bool = False
    is_only_at_the_end: bool = False

    def is_possible_in(self, field: Field) -> bool:
        """Whether it can happen in this wave."""
        if self.is_never_first and field.position == 0:
            return False
        if self.is_only_at_the_end and field.wave != field.design.waves[-1]:
            return False
        return not self.needs or field.has(self.needs)

    def is_possible_for(self, field: Field, person: Person) -> bool:
        """Whether it can happen to this person in this wave."""
        return not self.needs_another_group or bool(_others(field, person))


def ordinary_interview(field: Field, person: Person) -> Visit:
    """Nothing goes wrong."""
    return _completed(field.sent(person, field.answers(person)))


def _wrong_digit(field: Field, person: Person) -> Visit:
    place = field.rng.randrange(len(person.rid))
    others = [digit for digit in "0123456789" if digit != person.rid[place]]
    typed = person.rid[:place] + field.rng.choice(others) + person.rid[place + 1 :]
    return _misspelt(field, person, typed)


def _digits_swapped(field: Field, person: Person) -> Visit:
    rid = person.rid
    places = [place for place in range(len(rid) - 1) if rid[place] != rid[place + 1]]
    place = field.rng.choice(places)
    return _misspelt(
        field, person, rid[:place] + rid[place + 1] + rid[place] + rid[place + 2 :]
    )


def _misspelt(field: Field, person: Person, typed: str) -> Visit:
    """An ID no form would take: typed in from paper, or sent by a broken client."""
    answers = field.with_id(person, typed)
    return Visit((field.nobodys(person, answers, Bucket.CHECK_FAILED, person.rid),))


def _id_of_nobody(field: Field, person: Person) -> Visit:
    while True:
        body = str(field.rng.randint(1_000_000, 9_999_999))
        typed = body + check_character(body)
        if is_valid_id(typed) and typed not in field.register.by_id:
            answers = field.with_id(person, typed)
            return Visit((field.nobodys(person, answers, Bucket.UNKNOWN_ID),))


def _no_id(field: Field, person: Person) -> Visit:
    return Visit((field.nobodys(person, field.with_id(person, ""), Bucket.NO_ID),))


def _id_in_arabic_digits(field: Field, person: Person) -> Visit:
    answers = field.with_id(person, person.rid.translate(_ARABIC_DIGITS))
    return _completed(field.sent(person, answers))


def _card_of_another_group(field: Field, person: Person) -> Visit:
    holder = field.rng.choice(_others(field, person))
    answers = field.with_id(person, holder.rid, holder.group)
    return Visit((field.sent(person, answers, Bucket.GROUP_CONFLICT, holder=holder),))


def _others(field: Field, person: Person) -> list[Person]:
    return [each for each in field.ordinary if each.group != person.group]


def _card_of_a_neighbour(field: Field, person: Person) -> Visit:
    gender = field.answers(person).get("gender")
    options = field.codebooks[person.group].variable("gender").options
    other = next(each.value for each in options if each.value != gender)
    born = str(person.born - _YEARS_OF_A_NEIGHBOUR)
    answers = field.answers(person, birth_known="1", birth_year=born, gender=other)
    planted = field.sent(person, answers, Bucket.CONFLICT_KEYS)
    return Visit((planted,), State.CONFLICT)


def _birth_year_misheard(field: Field, person: Person) -> Visit:
    born = str(person.born + YEARS_MISHEARD)
    answers = field.answers(person, birth_known="1", birth_year=born)
    return _completed(
        field.sent(person, answers, Bucket.LINKED, Flag.BIRTH_YEAR_DIFFERS),
    )


def _same_answers_twice(field: Field, person: Person) -> Visit:
    answers = field.answers(person)
    # Of two that came in the same second, the smaller uuid counts as the first.
    first, second = sorted((field.new_uuid(), field.new_uuid()))
    kept = replace(field.sent(person, answers), uuid=first)
    copy = replace(kept, uuid=second, bucket=Bucket.DUPLICATE_IDENTICAL)
    return _completed(kept, copy)


def _same_bytes_twice(field: Field, person: Person) -> Visit:
    return _completed(replace(field.sent(person, field.answers(person)), sent_again=True))


def _two_interviews(field: Field, person: Person) -> Visit:
    both = [
        field.sent(person, field.answers(person), Bucket.DUPLICATE_CONFLICT) for _ in range(2)
    ]
    return Visit(tuple(both), State.CONFLICT)


def _broken_off(field: Field, person: Person) -> Visit:
    begun = broken_off(field.codebooks[person.group], field.answers(person))
    return Visit((field.sent(person, begun),), State.PARTIAL)


def _completed_later(field: Field, person: Person) -> Visit:
    begun = broken_off(field.codebooks[person.group], field.answers(person))
    first = field.sent(person, begun, Bucket.DUPLICATE_SUPERSEDED)
    return _completed(first, field.sent(person, field.answers(person)))


def _unknown_form(field: Field, person: Person) -> Visit:
    planted = field.nobodys(person, field.answers(person), Bucket.UNKNOWN_FORM)
    return Visit((replace(planted, constants={"kx_build": _UNKNOWN_BUILD}),))


def _refuses_consent(field: Field, person: Person) -> Visit:
    planted = field.sent(person, field.answers(person, consent="0"), Bucket.REFUSED)
    return Visit((planted,), State.REFUSED)


def _under_age(field: Field, person: Person) -> Visit:
    answers = field.answers(person, of_age="0", guardian_consent="0")
    return Visit((field.sent(person, answers, Bucket.REFUSED_MINOR),), State.REFUSED)


def _refuses_at_the_door(field: Field, person: Person) -> Visit:
    answers = field.answers(person, attempt="refused")
    return Visit((field.sent(person, answers, Bucket.REFUSED),), State.REFUSED)


def _not_reached(field: Field, person: Person) -> Visit:
    answers = field.answers(person, attempt="not_reached")
    planted = field.sent(person, answers, Bucket.NOT_CONTACTED)
    return Visit((planted,), State.NOT_CONTACTED)


def _moved(field: Field, person: Person) -> Visit:
    answers = field.answers(person, attempt="moved")
    planted = field.sent(person, answers, Bucket.NOT_CONTACTED)
    return Visit((planted,), State.NOT_CONTACTED)


def _reached_later(field: Field, person: Person) -> Visit:
    first = _not_reached(field, person).planted
    return _completed(*first, field.sent(person, field.answers(person)))


def _dropped_out(_field: Field, _person: Person) -> Visit:
    return Visit()


def _completed(*planted: Planted) -> Visit:
    return Visit(planted, State.COMPLETED)


# In the order in which they are given out: a small rehearsal has only the first of them.
FAULTS: Sequence[Fault] = (
    Fault(name="wrong digit in the ID", expected="check_failed", act=_wrong_digit),
    Fault(
        name="card of another group",
        expected="group_conflict",
        act=_card_of_another_group,
        needs_another_group=True,
    ),
    Fault(name="ID of nobody", expected="unknown_id", act=_id_of_nobody),
    Fault(name="no ID", expected="no_id", act=_no_id),
    Fault(
        name="same answers sent twice",
        expected="linked, duplicate_identical",
        act=_same_answers_twice,
        share=0.016,
    ),
    Fault(
        name="same bytes sent twice",
        expected="linked, once",
        act=_same_bytes_twice,
        share=0.025,
    ),
    Fault(
        name="two different interviews",
        expected="duplicate_conflict, twice",
        act=_two_interviews,
    ),
    Fault(
        name="broken off, completed later",
        expected="duplicate_superseded, linked",
        act=_completed_later,
    ),
    Fault(name="consent refused", expected="refused", act=_refuses_consent, is_last_visit=True),
    Fault(
        name="not reached",
        expected="not_contacted",
        act=_not_reached,
        share=0.016,
        needs="attempt",
    ),
    Fault(
        name="not reached, interviewed later",
        expected="not_contacted, linked",
        act=_reached_later,
        share=0.016,
        needs="attempt",
    ),
    Fault(
        name="dropped out",
        expected="nothing sent",
        act=_dropped_out,
        share=0.03,
        is_last_visit=True,
        is_never_first=True,
    ),
    Fault(name="form of an unknown build", expected="unknown_form", act=_unknown_form),
    Fault(
        name="card of a neighbour",
        expected="conflict_keys",
        act=_card_of_a_neighbour,
        is_never_first=True,
    ),
    Fault(
        name="ID in Arabic-Indic digits",
        expected="linked",
        act=_id_in_arabic_digits,
        share=0.016,
    ),
    Fault(name="broken off for good", expected="linked, partial", act=_broken_off),
    Fault(
        name="refused at the door",
        expected="refused",
        act=_refuses_at_the_door,
        needs="attempt",
        is_last_visit=True,
    ),
    Fault(
        name="moved away",
        expected="not_contacted",
        act=_moved,
        needs="attempt",
        is_last_visit=True,
    ),
    Fault(name="two digits swapped", expected="check_failed", act=_digits_swapped),
    Fault(
        name="not of age",
        expected="refused_minor",
        act=_under_age,
        needs="of_age",
        is_last_visit=True,
    ),
    Fault(
        name="birth year misheard",
        expected="linked, flagged",
        act=_birth_year_misheard,
        is_never_first=True,
        is_only_at_the_end=True,
    ),
)
