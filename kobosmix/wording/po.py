"""PO files: read, written and brought up to the bank. The only door to polib."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kobosmix.bank.model import Bank
from kobosmix.files import write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One translated sentence: its key, the English it was made from, the translation, its line."""

    key: str
    source: str
    text: str
    line: int = 0
    note: str = ""


class BrokenPo(Exception):
    """A file that is not PO in UTF-8; `line` where that is known, else 0."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"not a PO file in UTF-8 (line {line})")


def read_po(path: Path) -> list[Entry]:
    """The entries in the file's order, without obsolete ones. Raises BrokenPo."""
    import polib

    try:
        entries = polib.pofile(str(path), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        raise BrokenPo(int(line[1]) if line else 0) from error
    return [
        Entry(
            key=e.msgctxt or "",
            # A refreshed catalogue names the English of now, and beside it that of the text.
            source=e.previous_msgid or e.msgid,
            text=e.msgstr,
            line=e.linenum or 0,
        )
        for e in entries
        if not e.obsolete
    ]


def write_po(path: Path, tag: str, entries: Iterable[Entry], header: str = "") -> None:
    """Write entries into a catalogue; what the file holds under other keys stays as it is.

    An entry that is there keeps its place and its comments. Every sentence is marked fuzzy, which
    is how PO editors show a draft: whether it was signed is kept by the study, not here.
    """
    import polib

    catalogue = _open(path, tag, header)
    there = {entry.msgctxt: entry for entry in catalogue}
    for entry in entries:
        found = there.get(entry.key)
        if found is None:
            found = polib.POEntry(msgctxt=entry.key)
            catalogue.append(found)
            there[entry.key] = found
        found.obsolete = False
        found.msgid, found.msgstr = entry.source, entry.text
        found.previous_msgid, found.previous_msgctxt = None, None
        found.comment = entry.note or found.comment
        found.flags = ["fuzzy"] if entry.text else []
    write_bytes(path, str(catalogue).encode("utf-8"))


def refresh_po(path: Path, tag: str, bank: Bank, keys: Iterable[str] | None = None) -> None:
    """Bring a catalogue up to the bank: its keys, its order, its notes for translators.

    By key, never by likeness. A translation whose English changed is kept, with the English it was
    made from beside it; one whose key is gone is kept as obsolete. `keys` are those that belong in
    the catalogue where it holds differences only.
    """
    import polib

    catalogue = _open(path, tag, "")
    there = {entry.msgctxt: entry for entry in catalogue}
    wanted = list(bank.sentences) if keys is None else list(keys)
    for entry in catalogue:
        entry.obsolete = entry.msgctxt not in wanted
    fresh = polib.POFile(wrapwidth=0)
    fresh.metadata, fresh.header = catalogue.metadata, catalogue.header
    for key in wanted:
        entry = there.get(key) or polib.POEntry(msgctxt=key, msgid=bank.sentences[key])
        if entry.msgid != bank.sentences[key]:
            if entry.msgstr:
                entry.previous_msgid = entry.previous_msgid or entry.msgid
            entry.msgid = bank.sentences[key]
        entry.comment = bank.notes.get(key, "")
        entry.flags = ["fuzzy"] if entry.msgstr else []
        fresh.append(entry)
    fresh.extend(entry for entry in catalogue if entry.obsolete)
    write_bytes(path, str(fresh).encode("utf-8"))


def _open(path: Path, tag: str, header: str):  # type: ignore[no-untyped-def]
    import polib

    if path.is_file():
        return polib.pofile(str(path), encoding="utf-8", wrapwidth=0)
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.header = header
    catalogue.metadata = {
        "Project-Id-Version": "kobosmix",
        "Language": tag.replace("-", "_"),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": _plural_forms(tag),
    }
    return catalogue


def _plural_forms(tag: str) -> str:
    """How the language counts. No sentence here is counted, but editors of PO want to be told."""
    from babel import UnknownLocaleError
    from babel.messages.plurals import get_plural

    try:
        return str(get_plural(tag.partition("-")[0]).plural_forms)
    except UnknownLocaleError:
        return "nplurals=1; plural=0;"
