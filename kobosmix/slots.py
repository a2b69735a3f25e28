"""Slots: `[group.acc_pl]` stands for a name in one grammatical form. All of the grammar is here.

    slot = "[" Name "." form "]"     a capital N capitalises the first letter of what goes in
    [[   = a literal "["

Nothing is computed inside a slot, so catalogues may come from many hands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_SLOT = re.compile(r"\[\[|\[([A-Za-z_]+)\.([a-z0-9_]+)\]")
_BRACKET = re.compile(r"[\[\]]")

# What has a direction of its own, by the Unicode data: letters, and the digits of some scripts.
_LEFTWARD, _RIGHTWARD = frozenset({"R", "AL"}), frozenset({"L"})

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
RIGHT_TO_LEFT_MARK, LEFT_TO_RIGHT_MARK = "\u200f", "\u200e"
# A telephone number: groups of digits that a right-to-left line would put in reverse order.
_NUMBER = re.compile(r"\+?[0-9]+(?:[ ./-][0-9]+)+|\+[0-9]+")
# In these languages the capital of i has a dot.
_DOTTED_I = frozenset({"tr", "az", "tt", "kk", "crh"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a name: whose, in which form, and whether it opens a sentence."""

    name: str
    form: str
    capital: bool = False


def slots_of(template: str) -> list[Slot]:
    """The slots of a sentence, in order."""
    return [
        Slot(found[1].lower(), found[2], found[1][0].isupper())
        for found in _SLOT.finditer(template)
        if found[1]
    ]


def is_well_formed(template: str) -> bool:
    """Whether every bracket belongs to a slot or is doubled."""
    return not _BRACKET.search(_SLOT.sub("", template))


def fill(
    template: str, look_up: Callable[[Slot], str], tag: str, *, right_to_left: bool
) -> str:
    """The sentence with every slot filled by `look_up`, as it goes on the screen.

    A form written in the other direction is isolated, and such a sentence begins with its own
    direction mark: phones go by the first strong letter, web forms by the first text.
    """

    def inserted(found: re.Match[str]) -> str:
        if not found[1]:
            return "["
        slot = Slot(found[1].lower(), found[2], found[1][0].isupper())
        form = unicodedata.normalize("NFC", look_up(slot))
        form = capitalised(form, tag) if slot.capital else form
        if right_to_left:
            form = _NUMBER.sub(rf"{FIRST_STRONG_ISOLATE}\g<0>{POP_ISOLATE}", form)
        return f"{FIRST_STRONG_ISOLATE}{form}{POP_ISOLATE}" if foreign(form) else form

    def foreign(text: str) -> bool:
        # Most text is plain, and nothing in it runs to the left.
        if text.isascii() and not right_to_left:
            return False
        other = _RIGHTWARD if right_to_left else _LEFTWARD
        return any(unicodedata.bidirectional(character) in other for character in text)

    filled = _SLOT.sub(inserted, template)
    if foreign(filled):
        return (RIGHT_TO_LEFT_MARK if right_to_left else LEFT_TO_RIGHT_MARK) + filled
    return filled


def capitalised(text: str, tag: str) -> str:
    """The text with its first letter in title case, as the language writes it."""
    for position, letter in enumerate(text):
        if letter.isalpha():
            dotted = letter == "i" and tag.split("-", maxsplit=1)[0] in _DOTTED_I
            return text[:position] + ("İ" if dotted else letter.title()) + text[position + 1 :]
    return text
