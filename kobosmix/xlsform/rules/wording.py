"""Texts that people read: what was left in them, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.columns import MEDIA
from kobosmix.xlsform.expression import REFERENCE
from kobosmix.xlsform.outline import Outline
from kobosmix.xlsform.tell import listed, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L161": (
        "A question has no label, no hint and no picture. pyxform refuses the form.",
        "Give it a label.",
    ),
    "L162": (
        "A mark that cannot be seen stands in a name, a value or an expression (a direction mark, "
        "a space of no width). What looks equal is not.",
        "Type it again, without pasting.",
    ),
    "L261": (
        "A text still has a placeholder in it: [group], {name}, ____, XXX, TODO.",
        "Fill it in. For the answer to a question write ${name}.",
    ),
    "L262": (
        "A placeholder or ${name} stands in one language of a text, but not in the other.",
        "Compare the two.",
    ),
    "L263": (
        "A number differs between the languages of a text: the last 7 days here, the last 14 there.",
        "Compare the two.",
    ),
    "L264": (
        "A text is so long (over 3,000 characters) that apps and exports cut it.",
        "Split it into several notes.",
    ),
    "L265": (
        "A text does not fit on the screen of a phone.",
        "Say it more briefly, or split it.",
    ),
    "L266": (
        "A mark that turns the direction of writing is opened and not closed, so what follows is "
        "turned as well.",
        "Delete the mark, or close it.",
    ),
    "L268": (
        "A question has a hint and no label. Exports and codebooks have no words for it.",
        "Write what is asked into the label.",
    ),
    "L267": (
        "One language of a text has a number that another has not. It may be written as a word, or "
        "be lost.",
        "Compare the two.",
    ),
}

_TOO_LONG, _LONG = 3000, 300
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_TURNS, _TURN_ENDS = re.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]"), "\u202c\u2069"
# One look tells most texts apart from those that need a closer one. Single marks are looked for
# faster than words.
_NOTABLE = re.compile(r"[\d\[{_$?X\u202a-\u202e\u2066-\u2069]")
_UNFINISHED = ("TODO", "TBD", "FIXME", "orem ipsum")
_TAG = re.compile(r"<[^<>]*>|\$\{[^{}]*\}")
_NO_DIGIT = re.compile(r"\D+")
_NUMBER = re.compile(r"\d+(?:[.,'\u00a0\u202f ]\d+)*")
# Square brackets hold slots ([group], [GROUP NAME]) and instructions ([OBSERVE], [Read aloud]).
# A slot is inside a sentence: after a word, or before one in small letters. [group.acc_pl] and
# {name} can be nothing else; [this](link) and [1] are none.
_SLOT = re.compile(
    r"(?:(?<=[\w,'’\"«(] )|(?<=[\w'’\"«(]))\[[^\W\d][\w./' -]{3,40}\](?![(\w])"
    r"|^\[[^\W\d][\w./' -]{0,40}\](?= ?[a-zß-öø-ÿ])"
    r"|\[[^\W\d]\w*[._]\w+\]"
    r"|(?<!\$)\{\s*[^\W\d][\w. -]{0,40}\}",
    re.MULTILINE,
)
_BLANK = re.compile(r"_{4,}|\bX{3,}\b|\bTODO\b|\bTBD\b|\bFIXME\b|\?{3,}|[Ll]orem ipsum")
_LABELS = ("label", "hint", "constraint_message", "required_message", "guidance_hint")


class Marks(NamedTuple):
    """What is notable in a text: its placeholders, the names and numbers in it.

    `stays_turned` is set where a mark that turns the direction of writing is not closed.
    """

    slots: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    stays_turned: bool = False


_NONE = Marks()


@lru_cache(maxsize=32768)
def marks_of(text: str) -> Marks:
    """What is notable in the text; numbers by their digits alone, whatever the script."""
    is_unfinished = any(word in text for word in _UNFINISHED)
    if not is_unfinished and not _NOTABLE.search(text):
        return _NONE
    bare = _TAG.sub(" ", text) if "<" in text or "${" in text else text
    slots = _SLOT.findall(bare) if "[" in bare or "{" in bare else []
    may_have_blanks = is_unfinished or "___" in bare or "XXX" in bare or "???" in bare
    return Marks(
        slots=(*slots, *(_BLANK.findall(bare) if may_have_blanks else ())),
        names=tuple(sorted(set(REFERENCE.findall(text)))) if "${" in text else (),
        numbers=tuple(sorted(_numbers(bare))),
        stays_turned=len(_TURNS.findall(text)) != sum(map(text.count, _TURN_ENDS)),
    )


def _numbers(text: str) -> Iterator[str]:
    for number in _NUMBER.findall(text):
        digits = number if number.isdecimal() else _NO_DIGIT.sub("", number)
        if not _shows_digits(digits):
            yield str(int(digits))


def _shows_digits(number: str) -> bool:
    """Whether it is there to show how digits look: 123 in one script, ١٢٣ in the other."""
    return len(number) > 2 and all(  # noqa: PLR2004
        int(after) - int(before) == 1 for before, after in pairwise(number)
    )


def check_labels_are_there(form: Outline) -> Iterator[Finding]:
    """A question that is shown says something."""
    for node in form.nodes:
        if not node.is_shown or node.row.texts.keys() & {"label", *MEDIA}:
            continue
        at = ("survey", node.row.number, "label")
        if node.row.texts:
            said = f"'{node.name}' has a hint or a message, but no label"
            yield tell(form, "L268", at, said, "Write what is asked into the label.")
        else:
            yield tell(form, "L161", at, f"'{node.name}' has no label", "Give it one.")


def check_unseen_marks(form: Outline) -> Iterator[Finding]:
    """Names, values and expressions have only marks that can be seen."""
    for sheet in ("survey", "choices"):
        for row in form.rows[sheet]:
            for column, text in row.cells.items():
                if not text.isascii() and (found := _UNSEEN.search(text)):
                    said = f"an unseen mark (U+{ord(found[0]):04X}) stands in '{text}'"
                    remedy = "Type it again, without pasting."
                    yield tell(form, "L162", (sheet, row.number, column), said, remedy)


def check_placeholders(form: Outline) -> Iterator[Finding]:
    """No placeholder is left in a text."""
    left = dict[tuple[str, str], list[tuple[str, int, str]]]()
    for said in form.texts:
        for language, text in said.texts.items():
            for slot in marks_of(text).slots if said.column in _LABELS else ():
                left.setdefault((said.sheet, slot), []).append(said.at(language))
    for (_, slot), places in left.items():
        problem = f"'{slot}' is left in a text ({rows_of([row for _, row, _ in places])})"
        remedy = "Fill it in; for an answer write ${name}."
        yield tell(form, "L261", places[0], problem, remedy)


def check_languages_agree(form: Outline) -> Iterator[Finding]:
    """The languages of a text have the same names and numbers in them."""
    fewer = dict[str, list[int]]()
    for said in form.texts:
        if len(said.texts) == 1 or said.column not in _LABELS:
            continue
        (first, ours), *others = ((lang, marks_of(text)) for lang, text in said.texts.items())
        for language, theirs in others:
            if ours == theirs:
                continue
            if len(ours.numbers) != len(theirs.numbers):
                fewer.setdefault(said.sheet, []).append(said.row)
            if apart := _apart((first, ours), (language, theirs)):
                code, problem = apart
                remedy = f"Compare it with '{said.at(first)[2]}'."
                yield tell(form, code, said.at(language), problem, remedy)
    for sheet, rows in fewer.items():
        problem = f"one language has more numbers than another in {rows_of(rows)}"
        remedy = "Nothing to do where they are written as words."
        at = (sheet, rows[0], "label")
        yield tell(form, "L267", at, problem, remedy, severity=Severity.NOTICE)


def _apart(one: tuple[str, Marks], other: tuple[str, Marks]) -> tuple[str, str] | None:
    """What two languages of one text do not have in common: a code and the problem."""
    (first, ours), (second, theirs) = one, other
    if ours.names != theirs.names or len(ours.slots) != len(theirs.slots):
        named, code = (ours.names + ours.slots, theirs.names + theirs.slots), "L262"
    elif ours.numbers != theirs.numbers and len(ours.numbers) == len(theirs.numbers):
        named, code = (ours.numbers, theirs.numbers), "L263"
    else:
        return None
    what = " / ".join(listed(words) or "none" for words in named)
    return code, f"'{first}' and '{second}' do not say the same: {what}"


def check_lengths(form: Outline) -> Iterator[Finding]:
    """A text fits on the screen of a phone."""
    long = list[int]()
    for said in form.texts:
        longest = max(map(len, said.texts.values()))
        if longest > _TOO_LONG:
            problem = f"a text of {longest} characters is cut by apps and exports"
            yield tell(form, "L264", (said.sheet, said.row, said.column), problem, "Split it.")
        elif longest > _LONG and said.sheet == "survey":
            long.append(said.row)
    if long:
        problem = (
            f"more than {_LONG} characters do not fit on a phone's screen ({rows_of(long)})"
        )
        remedy = "Say it more briefly, or split it."
        at = ("survey", long[0], "label")
        yield tell(form, "L265", at, problem, remedy, severity=Severity.NOTICE)


def check_direction_marks(form: Outline) -> Iterator[Finding]:
    """Marks that turn the direction of writing are closed again."""
    for said in form.texts:
        for language, text in said.texts.items():
            if marks_of(text).stays_turned:
                problem = "a mark that turns the direction of writing is not closed"
                yield tell(form, "L266", said.at(language), problem, "Delete the mark.")


RULES = (
    check_labels_are_there,
    check_unseen_marks,
    check_placeholders,
    check_languages_agree,
    check_lengths,
    check_direction_marks,
)
