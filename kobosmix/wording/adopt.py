"""The published English wording, taken from the user's own copy of the toolkit.

The repository holds fingerprints of the published sentences, never the sentences. A sentence is
known by its words alone, so line breaks, page heads, markup and quotes are no hindrance; a copy in
which a word is damaged leaves that sentence missing. Nothing is guessed.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix import content
from kobosmix.bank.model import Bank
from kobosmix.errors import StudyError
from kobosmix.files import sha256
from kobosmix.slots import is_well_formed
from kobosmix.wording.adopted import read_adopted, write_adopted
from kobosmix.wording.catalogue import SOURCE, read_catalogue
from kobosmix.wording.po import Entry, write_po
from kobosmix.yamlfile import YamlFile, read_yaml

FILE = "published.yaml"
NOTE = (
    "published wording: Tropp and Morhayim (2022), IOM, CC BY-NC-ND 3.0 IGO; "
    "names stand in place of its placeholders"
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is known of a run of published words: how many they are, and their SHA-256.

    `slots` are what its placeholders become, in order: a slot (`group.pl`); `words` for the words
    of the placeholder as they stand; `aloud` for those words in round brackets, to be said.
    """

    words: int
    sha256: str
    slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The fingerprints of all published sentences, by key, each in one or more parts.

    `labels` are the names of answer boxes, which a copy may have in the middle of a sentence.
    """

    source: str
    texts: Mapping[str, tuple[Fingerprint, ...]]
    labels: tuple[Fingerprint, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The published sentences of a copy with our slots in them, by key; and the keys without."""

    texts: Mapping[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adoption:
    """The keys whose published sentence is now in the study, and those the copy did not show."""

    found: tuple[str, ...]
    missing: tuple[str, ...]


def adopt(
    copy_text: str, bank: Bank, folder: Path, file_name: str, published: Published | None = None
) -> Adoption:
    """Write every published sentence that the copy shows into `folder/en.po`, and record it.

    What was adopted before and is not in this copy stays. Without any sentence nothing is written.
    """
    published = published or read_published(content.item_templates() / FILE)
    found = find_published(copy_text, published)
    if found.texts:
        adopted = {**_adopted_before(folder, bank), **found.texts}
        entries = [
            Entry(key=key, source=bank.sentences[key], text=text, note=NOTE)
            for key, text in found.texts.items()
        ]
        write_po(folder / f"{SOURCE}.po", SOURCE, entries)
        write_adopted(folder, adopted, f"{published.source} Taken from the copy {file_name}.")
    return Adoption(tuple(found.texts), found.missing)


def _adopted_before(folder: Path, bank: Bank) -> dict[str, str]:
    own, faults = read_catalogue((folder,), bank, SOURCE)
    if faults:
        raise StudyError(
            f"{faults[0].place}: {faults[0].problem}. {faults[0].remedy} Nothing was changed."
        )
    keys, _ = read_adopted(folder, own)
    return {key: own.messages[key].text for key in keys}


def read_published(path: Path) -> Published:
    """The fingerprints as `published.yaml` holds them."""
    file = read_yaml(path)
    if not isinstance(file, YamlFile):
        raise StudyError(f"{file.place}: {file.problem}. Install kobosmix again.")
    return Published(
        source=file.content["source"],
        texts={
            text["key"]: tuple(_fingerprint(part) for part in text.get("parts", [text]))
            for text in file.content["texts"]
        },
        labels=tuple(_fingerprint(label) for label in file.content.get("labels", [])),
    )


def _fingerprint(part: Mapping[str, object]) -> Fingerprint:
    slots = part.get("slots", [])
    return Fingerprint(
        int(str(part["words"])),
        str(part["sha256"]),
        tuple(map(str, slots if isinstance(slots, list) else [])),
    )


def fingerprint(sentence: str, slots: Sequence[str] = ()) -> Fingerprint:
    """The fingerprint of a sentence with its placeholders as published."""
    words = [word.plain for word in _words(_clean(sentence))]
    return Fingerprint(len(words), _digest(words), tuple(slots))


def read_copy(path: Path) -> str:
    """The text of a copy: .pdf by its text layer, with a form feed between pages; else UTF-8."""
    try:
        is_pdf = path.suffix.lower() == ".pdf"
        text = _read_pdf(path) if is_pdf else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path} is not UTF-8 text; save it as UTF-8, or give the PDF"
        ) from error
    except OSError as error:
        raise StudyError(f"could not read {path}: {error.strerror or error}") from error
    if not text.strip():
        raise StudyError(
            f"{path} holds no text; a scan shows pictures of words only. Use IOM's own PDF."
        )
    return text


def _read_pdf(path: Path) -> str:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    # What pypdf repairs on the way is of no use to a reader of the terminal.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise StudyError(f"{path} is locked with a password; save a copy without one")
        return "\n\f\n".join(page.extract_text() for page in reader.pages)
    except DependencyError as error:
        raise StudyError(f"{path} is encrypted; print it to a new PDF and use that") from error
    except OSError:
        raise
    # pypdf meets a damaged file with whatever its parser stumbles over.
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise StudyError(f"{path} is not a PDF that can be read ({error})") from error


def find_published(text: str, fingerprints: Published) -> Found:
    """The published sentences in a text, verbatim but for the placeholders.

    The text is read as it stands, then without page heads, page numbers and labels of answer
    boxes for what is still missing.
    """
    parts = {part for text_parts in fingerprints.texts.values() for part in text_parts}
    found = dict[Fingerprint, str]()
    for reading in _readings(text, fingerprints.labels):
        found |= _find(reading, parts - found.keys())
    texts = {
        key: " ".join(found[part] for part in text_parts)
        for key, text_parts in fingerprints.texts.items()
        if all(part in found for part in text_parts)
    }
    return Found(texts, tuple(key for key in fingerprints.texts if key not in texts))


def _readings(text: str, labels: Sequence[Fingerprint]) -> Iterator[str]:
    yield _clean(text)
    without = _clean(_without_furniture(text))
    for start, end in sorted(_windows(without, labels), reverse=True):
        without = f"{without[:start]} {without[end:].removeprefix(':')}"
    yield without


_MARKUP = re.compile(
    r"</?\w[^<>]*>|[*_`\\\u00ad\u200b-\u200f\u2060\ufeff]|^[ \t]*[>|]+", re.MULTILINE
)
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]\s*\n\s*(?=[^\W\d_])")


def _clean(text: str) -> str:
    """The text without markup, ligatures and hyphens at line ends."""
    text = unicodedata.normalize("NFKC", re.sub(r"<br\s*/?>", "\n", text))
    return _MARKUP.sub("", _BROKEN_WORD.sub("", text))


_EDGE = 3  # lines at the top and bottom of a page among which its head and number are


def _without_furniture(text: str) -> str:
    """The text without bare numbers, and without lines that come again but for their numbers."""
    pages = [page.splitlines() for page in text.split("\f")]
    at_edges = {
        (p, n)
        for p, lines in enumerate(pages)
        for filled in [[n for n, line in enumerate(lines) if line.strip()]]
        for n in (filled if len(pages) == 1 else (*filled[:_EDGE], *filled[-_EDGE:]))
    }
    times = Counter(_repeating(pages[p][n]) for p, n in at_edges)
    return "\n".join(
        line
        for p, lines in enumerate(pages)
        for n, line in enumerate(lines)
        if (p, n) not in at_edges or (_repeating(line) and times[_repeating(line)] == 1)
    )


def _repeating(line: str) -> str:
    """What a page head says on every page; empty for a page number, also a Roman one."""
    said = re.sub(r"[\W\d_]+", " ", line).strip().casefold()
    return re.sub(r"^[ivxl]+$", "", said)


@dataclass(frozen=True, slots=True)
class _Word:
    plain: str
    start: int
    end: int


_QUOTES = "'\u2018\u2019\u02bc\u00b4"
_WORD = re.compile(rf"[^\W_]+(?:[{_QUOTES}\u2010\u2011-][^\W_]+)*")


def _words(clean: str) -> list[_Word]:
    """The words as a fingerprint counts them: no case, no apostrophes, no hyphens."""
    return [
        _Word(re.sub(r"\W", "", found[0]).casefold(), found.start(), found.end())
        for found in _WORD.finditer(clean)
    ]


def _digest(words: Iterable[str]) -> str:
    return sha256(" ".join(words).encode())


def _find(clean: str, parts: Iterable[Fingerprint]) -> dict[Fingerprint, str]:
    """The first place of each fingerprint whose placeholders can all be told."""
    found = dict[Fingerprint, str]()
    for (start, end), matched in _windows(clean, parts).items():
        for part in matched:
            sentence = _sentence(clean, start, end, part.slots)
            if sentence and part not in found:
                found[part] = sentence
    return found


def _windows(
    clean: str, parts: Iterable[Fingerprint]
) -> dict[tuple[int, int], list[Fingerprint]]:
    """Where in the text the words of fingerprints stand, in order of length, then of place."""
    wanted = defaultdict[int, dict[str, list[Fingerprint]]](dict)
    for part in parts:
        wanted[part.words].setdefault(part.sha256, []).append(part)
    words = _words(clean)
    plain = [word.plain for word in words]
    places = dict[tuple[int, int], list[Fingerprint]]()
    for length, by_digest in wanted.items():
        for first in range(len(words) - length + 1):
            matched = by_digest.get(_digest(plain[first : first + length]))
            if matched:
                places[words[first].start, words[first + length - 1].end] = matched
    return places


_PLACEHOLDER = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_CLOSING = re.compile(r"(?:\s*\])?(?:\s*[.?!]+)?")
_STRANGE = re.compile(r"[^\w\s.,;:?!'\"\u2018\u2019\u201c\u201d()/\[\]\u2010-\u2014&%-]")


def _sentence(clean: str, start: int, end: int, slots: Sequence[str]) -> str:
    """The sentence between two places with its slots; empty if a placeholder cannot be told."""
    opening = re.search(r"\[\s*$", clean[max(0, start - 9) : start])
    start -= len(opening[0]) if opening else 0
    closing = _CLOSING.match(clean, end)
    raw = _STRANGE.sub("", clean[start : closing.end() if closing else end])
    raw = re.sub(r"\s+(?=[.,;:?!])", "", " ".join(raw.split()))
    placeholders = list(_PLACEHOLDER.finditer(raw))
    if len(placeholders) != len(slots):
        return ""
    filled, at = "", 0
    for placeholder, slot in zip(placeholders, slots, strict=True):
        before = filled + raw[at : placeholder.start()]
        filled, at = _with_slot(before, placeholder[1], slot), placeholder.end()
    filled += raw[at:]
    return filled if is_well_formed(filled) else ""


def _with_slot(before: str, placeholder: str, slot: str) -> str:
    """The sentence up to and with one slot, which is capitalised where it opens the sentence.

    A form that begins with `a_` brings its own article: "a" or "an" before it goes.
    """
    if slot == "words":
        return before + placeholder
    if slot == "aloud":
        return f"{before}({placeholder})"
    name, _, form = slot.partition(".")
    if form.startswith("a_"):
        before = re.sub(r"(?<!\w)an? $", "", before, flags=re.IGNORECASE)
    if not before or re.search(r"[.?!] $", before):
        name = name.capitalize()
    return f"{before}[{name}.{form}]"
