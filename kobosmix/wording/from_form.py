"""Translations a team already has in an XLSForm, laid beside the study's own for a decision.

Nothing is taken by itself: what is found goes into a sheet with an empty column 'take'.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.bank.model import Language
from kobosmix.errors import StudyError
from kobosmix.wording.review import Review, ReviewText
from kobosmix.xlsx import Cell, read_rows, records, sheet_names

_LABEL = re.compile(r"label\s*(?:::?\s*(?P<language>.+))?", re.IGNORECASE)
_SHEETS = ("survey", "choices")


@dataclass(frozen=True, slots=True)
class OldTexts:
    """The labels of a form in one language, by question name and by English text."""

    by_name: Mapping[str, str]
    by_english: Mapping[str, str]

    def of(self, text: ReviewText) -> str:
        """What the form says for a sentence; empty where it has none."""
        kind, _, rest = text.key.partition(".")
        named = self.by_name.get(rest.partition("@")[0], "") if kind == "item" else ""
        return named or self.by_english.get(_folded(text.english), "")


def read_old_form(path: Path, language: Language) -> OldTexts:
    """The labels of an XLSForm in this language. One without such a column is a StudyError."""
    names, english = dict[str, str](), dict[str, str]()
    seen, titles = set[str](), sheet_names(path)
    if "survey" not in titles:
        raise StudyError(f"{path.name} is no XLSForm: it has no sheet 'survey'")
    for title in (each for each in _SHEETS if each in titles):
        rows = read_rows(path, title)
        header = [str(cell or "").strip() for cell in rows[0]] if rows else []
        seen |= {each for each in header if _LABEL.fullmatch(each)}
        wanted = next((each for each in header if _is_of(each, language)), "")
        source = next((each for each in header if _is_english(each)), "")
        for told in records(rows) if wanted else ():
            text = _said(told.get(wanted))
            if text and title == "survey":
                names.setdefault(_said(told.get("name")), text)
            if text and _said(told.get(source)):
                english.setdefault(_folded(_said(told.get(source))), text)
    if not names and not english:
        raise StudyError(
            f"{path.name} has no labels in {language.english} ({language.tag}); its label columns "
            f"are: {', '.join(sorted(seen)) or 'none'}"
        )
    return OldTexts(names, english)


def found_in(old: OldTexts, review: Review) -> dict[tuple[str, tuple[str, str]], str]:
    """What the old form says for each sentence of the study, by key and first form."""
    return {
        (text.key, text.forms[0]): said
        for text in review.texts
        if (said := old.of(text)) and said != text.text
    }


def _is_of(header: str, language: Language) -> bool:
    found = _LABEL.fullmatch(header)
    name = (found["language"] or "").strip().casefold() if found else ""
    primary = language.tag.partition("-")[0]
    codes = {f"({language.tag})".casefold(), f"({primary})"}
    plain_names = {language.autonym.casefold(), language.english.casefold(), primary}
    return bool(name) and (name in plain_names or any(name.endswith(code) for code in codes))


def _is_english(header: str) -> bool:
    found = _LABEL.fullmatch(header)
    name = (found["language"] or "english").strip().casefold() if found else ""
    return name in ("english", "en") or name.endswith("(en)")


def _folded(text: str) -> str:
    return re.sub(r"\W+", " ", unicodedata.normalize("NFKC", text)).casefold().strip()


def _said(cell: Cell) -> str:
    return "" if cell is None else unicodedata.normalize("NFC", str(cell)).strip()
