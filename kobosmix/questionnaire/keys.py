"""What tells one person from another without a name: verification keys, self-generated code."""

from __future__ import annotations

from kobosmix.bank.model import Bank, Item
from kobosmix.codebook import Kind, Role
from kobosmix.conditions import Condition, Equals
from kobosmix.questionnaire.consent import LANGUAGE
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Limits,
    Note,
    OneOf,
    Part,
    Question,
)
from kobosmix.questionnaire.texts import SPOKEN_UNTIL_STOPPED, FormTexts

KNOWS_YEAR, KNOWS_AGE = "1", "2"
ALPHABET = "code_alphabet"
LETTERS, DAYS, SIBLINGS = "letters", "days", "code_siblings"

# The seven closed elements of the code, in the order in which everybody is asked.
CODE_ELEMENTS = {
    "code_mother": LETTERS,
    "code_day": DAYS,
    "code_birthplace": LETTERS,
    "code_brothers": SIBLINGS,
    "code_sisters": SIBLINGS,
    "code_family": LETTERS,
    "code_father": LETTERS,
}


def keys_block(texts: FormTexts, bank: Bank, parts: int) -> Block:
    """Birth year, or age where it is unknown, and gender: they verify the number at every wave.

    Where no numbers are issued, the elements of the self-generated code come before them.
    """
    items = {item.id: item for _, item in bank.items()}
    return Block(
        name="keys",
        label=texts.part(1, parts),
        parts=(
            *([] if texts.has_issued_ids else _code(texts)),
            _choice(texts, "birth_known", "birth_known", "text.birth_known"),
            _number(texts, items["birth_year"], "year_message", KNOWS_YEAR),
            _number(texts, items["age"], "number_message", KNOWS_AGE),
            _choice(texts, "gender", "gender", "item.gender"),
        ),
    )


def alphabets(texts: FormTexts) -> tuple[str, ...]:
    """The languages of the form that have an alphabet of their own to choose letters from."""
    return tuple(tag for tag in texts.plan.languages if texts.alphabet(tag))


def _code(texts: FormTexts) -> list[Part]:
    """Seven closed questions, none sensitive, each a column of its own."""
    known = alphabets(texts)
    parts: list[Part] = [Note(name="code_intro", label=texts.text("code_intro"))]
    if len(known) > 1:
        shown = OneOf(LANGUAGE, known)
        parts.append(Calculated(name=ALPHABET, role=Role.STAFF, rule=shown))
    parts += [
        _choice(texts, name, list_, f"text.{name}") for name, list_ in CODE_ELEMENTS.items()
    ]
    return parts


def _choice(texts: FormTexts, name: str, list_: str, key: str) -> Question:
    return Question(
        name=name,
        role=Role.KEY,
        kind=Kind.SELECT_ONE,
        label=texts.sentence(key),
        english=texts.english(key),
        hint={} if list_ in (LETTERS, DAYS) else texts.for_enumerator("options_hint"),
        list=list_,
        required=texts.is_interview,
        required_if=_spoken(texts),
        required_message=texts.for_enumerator("required_message"),
    )


def _number(texts: FormTexts, item: Item, message: str, known: str) -> Question:
    answer = item.answer
    low, high = (answer.low or 0, answer.high) if answer else (0, None)
    return Question(
        name=item.id,
        role=Role.KEY,
        kind=Kind.INTEGER,
        label=texts.sentence(f"item.{item.id}"),
        english=texts.english(f"item.{item.id}"),
        limits=Limits(low=low, high=high),
        message=texts.text(message),
        asked_if=Equals("birth_known", known),
        required=texts.is_interview,
        required_if=_spoken(texts),
        required_message=texts.for_enumerator("required_message"),
    )


def _spoken(texts: FormTexts) -> Condition | None:
    return SPOKEN_UNTIL_STOPPED if texts.is_interview else None
