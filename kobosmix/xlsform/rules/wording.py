"""Texts that people read: what was left in them, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.expression import REFERENCE
from kobosmix.xlsform.outline import Outline, Row
from kobosmix.xlsform.tell import listed, quoted, rows_of, tell

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
    "L267": (
        "One language of a text has a number that another has not. It may be written as a word, or "
        "be lost.",
        "Compare the two.",
    ),
}

_TOO_LONG, _LONG = 3000, 300
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_TURNS, _TURN_ENDS = re.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]"), "\u202c\u2069"
# One look tells most texts apart from those that need a closer one.
_NOTABLE = re.compile(r"[\d\[{_$?\u202a-\u202e\u2066-\u2069]|XXX|TODO|TBD|FIXME|[Ll]orem ipsum")
_TAG = re.compile(r"<[^<>]*>|\$\{[^{}]*\}")
_NUMBER = re.compile(r"\d(?:[\d.,\u00a0\u202f' ]*\d)?")
# [group], [GROUP NAME], [group.acc_pl], {name}; but not [Read aloud: ...], [1] or [a](link).
_SLOT = re.compile(
    r"\[(?:[^\W\d][\w.]*(?:[ /-][^\W\d][\w.]*){0,2})\](?!\()|(?<!\$)\{\s*[^\W\d][\w. -]{0,40}\}"
)
_BLANK = re.compile(r"_{4,}|\bX{3,}\b|\bTODO\b|\bTBD\b|\bFIXME\b|\?{3,}|[Ll]orem ipsum")
_LABELS = ("label", "hint", "constraint_message", "required_message", "guidance_hint")


class Marks(NamedTuple):
    """What is notable in a text: its placeholders, the names and numbers in it."""

    slots: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[str, ...]


_NONE = Marks((), (), ())


@lru_cache(maxsize=32768)
def marks_of(text: str) -> Marks:
    """What is notable in the text; numbers by their digits alone, whatever the script."""
    if not _NOTABLE.search(text):
        return _NONE
    bare = _TAG.sub(" ", text)
    digits = (re.sub(r"\D", "", number) for number in _NUMBER.findall(bare))
    return Marks(
        slots=(*_SLOT.findall(bare), *_BLANK.findall(bare)),
        names=tuple(sorted(set(REFERENCE.findall(text)))),
        numbers=tuple(
            sorted(str(int(number)) for number in digits if not _shows_digits(number))
        ),
    )


def _shows_digits(number: str) -> bool:
    """Whether it is there to show how digits look: 123 in one script, ١٢٣ in the other."""
    return len(number) > 2 and all(  # noqa: PLR2004
        int(after) - int(before) == 1 for before, after in pairwise(number)
    )


def check_labels_are_there(form: Outline) -> Iterator[Finding]:
    """A question that is shown says something."""
    for node in form.nodes:
        if node.is_shown and not node.row.texts:
            said = f"'{node.name}' has no label"
            yield tell(form, "L161", ("survey", node.row.number, "label"), said, "Give it one.")


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
    for sheet, row, column, texts in _all_texts(form):
        for language, text in texts.items():
            if slots := marks_of(text).slots:
                header = f"{column}::{language}" if language else column
                said = f"{quoted(slots)} is left in the text"
                remedy = "Fill it in; for an answer write ${name}."
                yield tell(form, "L261", (sheet, row.number, header), said, remedy)


def check_languages_agree(form: Outline) -> Iterator[Finding]:
    """The languages of a text have the same names and numbers in them."""
    for sheet in ("survey", "choices"):
        fewer = list[int]()
        for row, column, texts in _texts(form, sheet):
            marks = [(language, marks_of(text)) for language, text in texts.items()]
            if len(marks) == 1 or all(each == _NONE for _, each in marks):
                continue
            for language, theirs in marks[1:]:
                if len(marks[0][1].numbers) != len(theirs.numbers):
                    fewer.append(row.number)
                if apart := _apart(marks[0], (language, theirs)):
                    at = (sheet, row.number, f"{column}::{language}")
                    remedy = f"Compare it with '{column}::{marks[0][0]}'."
                    yield tell(form, apart[0], at, apart[1], remedy)
        if fewer:
            said = f"one language has more numbers than another in {rows_of(fewer)}"
            remedy = "Nothing to do where they are written as words."
            at = (sheet, fewer[0], "label")
            yield tell(form, "L267", at, said, remedy, severity=Severity.NOTICE)


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
    for sheet, row, column, texts in _all_texts(form):
        longest = max(map(len, texts.values()))
        if longest > _TOO_LONG:
            said = f"a text of {longest} characters is cut by apps and exports"
            yield tell(form, "L264", (sheet, row.number, column), said, "Split it.")
        elif longest > _LONG and sheet == "survey":
            long.append(row.number)
    if long:
        said = f"more than {_LONG} characters do not fit on a phone's screen ({rows_of(long)})"
        remedy = "Say it more briefly, or split it."
        at = ("survey", long[0], "label")
        yield tell(form, "L265", at, said, remedy, severity=Severity.NOTICE)


def check_direction_marks(form: Outline) -> Iterator[Finding]:
    """Marks that turn the direction of writing are closed again."""
    for sheet, row, column, texts in _all_texts(form):
        for language, text in texts.items():
            opened = 0 if text.isascii() else len(_TURNS.findall(text))
            if opened and opened != sum(map(text.count, _TURN_ENDS)):
                header = f"{column}::{language}" if language else column
                said = "a mark that turns the direction of writing is not closed"
                yield tell(form, "L266", (sheet, row.number, header), said, "Delete the mark.")


def _all_texts(form: Outline) -> Iterator[tuple[str, Row, str, Mapping[str, str]]]:
    for sheet in ("survey", "choices"):
        for row, column, texts in _texts(form, sheet):
            yield sheet, row, column, texts


def _texts(form: Outline, sheet: str) -> Iterator[tuple[Row, str, Mapping[str, str]]]:
    for row in form.rows[sheet]:
        for column, texts in row.texts.items():
            if column in _LABELS:
                yield row, column, texts


RULES = (
    check_labels_are_there,
    check_unseen_marks,
    check_placeholders,
    check_languages_agree,
    check_lengths,
    check_direction_marks,
)
