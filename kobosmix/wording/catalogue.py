"""PO catalogues: one for each language, keyed by msgctxt. The only door to polib."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.bank.model import Bank
from kobosmix.findings import Finding, Place

# English needs no catalogue: the bank is written in it.
SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Message:
    """One translated sentence: the English it was made from, the translation, its line."""

    source: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All translated sentences of one language, by key."""

    tag: str
    messages: Mapping[str, Message]

    def place(self, key: str) -> Place:
        """Where the sentence stands in the catalogue."""
        message = self.messages.get(key)
        return Place(f"{self.tag}.po", message.line if message else 0, key)


def read_catalogue(folder: Path, tag: str) -> tuple[Catalogue, list[Finding]]:
    """The catalogue of a language, and what is wrong with the file; empty where there is none."""
    import polib

    path = folder / f"{tag}.po"
    if not path.is_file():
        return Catalogue(tag, {}), [_absent(path)]
    try:
        entries = [e for e in polib.pofile(str(path), encoding="utf-8") if not e.obsolete]
    except (OSError, UnicodeDecodeError) as error:
        return Catalogue(tag, {}), [_broken(path, str(error))]
    messages, findings = dict[str, Message](), list[Finding]()
    for entry in entries:
        key, line = entry.msgctxt or "", entry.linenum or 0
        if key in messages:
            findings.append(_twice(path, key, line, messages[key].line))
        messages[key] = Message(entry.msgid, entry.msgstr, line)
    return Catalogue(tag, messages), findings


def check_catalogue(catalogue: Catalogue, bank: Bank) -> Iterator[Finding]:
    """A translation belongs to the English that stands in the bank now."""
    for key, message in catalogue.messages.items():
        english = bank.sentences.get(key)
        if english is not None and message.text and message.source != english:
            yield Finding(
                code="W103",
                place=catalogue.place(key),
                problem="the English was changed after this was translated",
                remedy=f"Translate anew from: {english}",
            )


def _absent(path: Path) -> Finding:
    return Finding(
        code="W101",
        place=Place(path.name),
        problem="there is no catalogue of translations for this language",
        remedy="Mark the language 'preparing' in context.yaml until there is one.",
    )


def _broken(path: Path, error: str) -> Finding:
    line = re.search(r"line (\d+)", error)
    return Finding(
        code="W101",
        place=Place(path.name, int(line[1]) if line else 0),
        problem="the catalogue cannot be read: it is not a PO file in UTF-8",
        remedy="Open it in Poedit, which shows the faulty line, and save it again.",
    )


def _twice(path: Path, key: str, line: int, first: int) -> Finding:
    return Finding(
        code="W102",
        place=Place(path.name, line, key),
        problem=f"the key stands here a second time (first in line {first})",
        remedy="Keep one of the two.",
    )
