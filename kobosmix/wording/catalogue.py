"""The translated sentences of a language: the shipped catalogue, and the study's own over it.

An adaptation (`sr-BA`, `de-AT`) holds differences only; the rest is its parent's, in its script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kobosmix.bank.adaptation import latin
from kobosmix.bank.model import Bank
from kobosmix.findings import Finding, Place, Severity
from kobosmix.wording.po import BrokenPo, read_po

# English needs no catalogue: the bank is written in it.
SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Message:
    """One translated sentence: the English it was made from, the translation, where it stands."""

    source: str
    text: str
    line: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All translated sentences of one language, by key."""

    tag: str
    messages: Mapping[str, Message]

    def place(self, key: str) -> Place:
        """Where the sentence stands, or where it would."""
        message = self.messages.get(key)
        if message is None:
            return Place(f"{self.tag}.po", 0, key)
        return Place(message.file or f"{self.tag}.po", message.line, key)


def read_catalogue(
    folders: Sequence[Path], bank: Bank, tag: str
) -> tuple[Catalogue, list[Finding]]:
    """The catalogue of a language, and what is wrong with its files.

    Each folder's catalogue lies over those of the folders before it.
    """
    messages, findings = dict[str, Message](), list[Finding]()
    for language in bank.lineage(tag):
        if language.script == "Latn":
            messages = {k: replace(m, text=latin(m.text)) for k, m in messages.items()}
        for folder in folders:
            own, faults = _read(folder, language.tag)
            messages |= own
            findings += faults
    if not messages and not findings and tag != SOURCE:
        findings.append(_absent(tag))
    return Catalogue(tag, messages), findings


def check_catalogue(catalogue: Catalogue, english: Mapping[str, str]) -> Iterator[Finding]:
    """A translation belongs to the English that is asked now."""
    for key, message in catalogue.messages.items():
        wanted = english.get(key)
        if wanted is not None and message.text and message.source != wanted:
            yield Finding(
                code="W103",
                place=catalogue.place(key),
                problem="the English is another than this was translated from: the old translation "
                "goes into the forms until a reader signs it or it is changed",
                remedy=f"Translate anew, or sign it, for: {wanted}",
                severity=Severity.WARNING,
            )


def _read(folder: Path, tag: str) -> tuple[dict[str, Message], list[Finding]]:
    path = folder / f"{tag}.po"
    if not path.is_file():
        return {}, []
    try:
        entries = read_po(path)
    except BrokenPo as broken:
        return {}, [_broken(path, broken.line)]
    messages, findings = dict[str, Message](), list[Finding]()
    for entry in entries:
        before = messages.get(entry.key)
        if before is not None:
            findings.append(_twice(path, entry.key, entry.line, before.line))
        if entry.text:
            messages[entry.key] = Message(entry.source, entry.text, entry.line, path.name)
    return messages, findings


def _absent(tag: str) -> Finding:
    return Finding(
        code="W110",
        place=Place(f"{tag}.po"),
        problem="there are no translations into this language yet",
        remedy="Mark the language 'preparing' in context.yaml until there is one.",
    )


def _broken(path: Path, line: int) -> Finding:
    return Finding(
        code="W101",
        place=Place(path.name, line),
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
