"""Reading a workbook that a translator or a reader has given back, with everything wrong in it."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.findings import Finding, Place
from kobosmix.wording import sheet
from kobosmix.wording.review import Part
from kobosmix.xlsx import Cell, read_rows, records, sheet_names

# What Excel makes of text that looks like a date to it, as it is read back.
_MADE_BY_EXCEL = re.compile(
    r"(\d{4}-\d\d-\d\d |-?\d+ days?, )?\d\d?:\d\d:\d\d(\.\d+)?|TRUE|FALSE|#[A-Z/0!?]+"
)
# A character that XML cannot hold, as Excel spells it.
_ESCAPED = re.compile("_x[0-9A-Fa-f]{4}_|\ufffd")
_MEANS_SOMETHING = re.compile(r"[\[\]{}$<>\x00-\x08\x0b-\x1f]")
_YES = ("yes", "y", "x", "1")
_BRACKETS = dict.fromkeys(map(ord, "[]"))
_BIDI_MARKS = dict.fromkeys(
    map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRow:
    """One sentence as it came back. `was` is what the workbook said when it was written."""

    row: int
    key: str
    forms: tuple[tuple[str, str], ...]
    was: str
    text: str
    source_digest: str
    comment: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether anybody has written something else."""
        return bool(self.text) and self.text != plain(self.was)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSignature:
    """A line of the page to sign that was filled in."""

    part: Part
    by: str
    role: str
    on: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A workbook that came back."""

    name: str
    kind: str
    study: str
    language: str
    bank_version: str
    rows: tuple[GivenRow, ...]
    signatures: tuple[GivenSignature, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a workbook says of itself."""

    kind: str
    study: str
    language: str
    bank_version: str


def about_of(path: Path) -> About:
    """Which sheet this is, and of what. One that is no sheet of kobosmix is a StudyError."""
    titles = sheet_names(path)
    if sheet.ABOUT not in titles or not {sheet.SENTENCES, sheet.TEMPLATES_PAGE} & set(titles):
        raise StudyError(
            f"{path.name} is not a sheet that kobosmix wrote: it has no page '{sheet.ABOUT}' or no "
            f"page '{sheet.SENTENCES}'. Write one with 'kobosmix wording sheet'."
        )
    told = {str(row[0]): str(row[1] or "") for row in read_rows(path, sheet.ABOUT) if row[1:]}
    if told.get("format") != str(sheet.FORMAT):
        raise StudyError(
            f"{path.name} was written by another version of kobosmix; write the sheet anew"
        )
    return About(
        kind=told.get("kind", ""),
        study=told.get("study", ""),
        language=told.get("language", ""),
        bank_version=told.get("item bank", ""),
    )


def plain(text: str) -> str:
    """A sentence without what editors add unseen: direction marks, loose spaces, other forms."""
    composed = unicodedata.normalize("NFC", text.translate(_BIDI_MARKS))
    return re.sub(" {2,}", " ", composed).strip()


def unusable(cell: Cell, *, slots: bool = False) -> str:
    """Why a cell cannot be taken as a sentence, in words; empty where it can.

    With `slots` brackets are allowed.
    """
    text = _text(cell)
    if text.startswith("="):
        return "the cell is a formula, so nobody knows what it says"
    if isinstance(cell, float) or _MADE_BY_EXCEL.fullmatch(text) or _ESCAPED.search(text):
        return f"Excel has made '{text}' of what was typed"
    found = _MEANS_SOMETHING.search(text.translate(_BRACKETS) if slots else text)
    return f"the character {found[0]!r} cannot stand in a sentence" if found else ""


def read_given(path: Path, today: datetime.date) -> Given:
    """The workbook's rows and signatures. One that is no sheet of kobosmix is a StudyError."""
    about, titles = about_of(path), sheet_names(path)
    findings = list[Finding]()
    rows = list(_rows(path.name, read_rows(path, sheet.SENTENCES), findings))
    signed = read_rows(path, sheet.SIGN) if sheet.SIGN in titles else []
    return Given(
        name=path.name,
        kind=about.kind,
        study=about.study,
        language=about.language,
        bank_version=about.bank_version,
        rows=tuple(rows),
        signatures=tuple(_signatures(path.name, signed, today, findings)),
        findings=tuple(findings),
    )


def _rows(
    name: str, cells: Sequence[Sequence[Cell]], findings: list[Finding]
) -> Iterator[GivenRow]:
    header = [str(cell or "").strip() for cell in cells[0]] if cells else []
    lacking = {sheet.TEXT, sheet.KEY, sheet.FORMS, sheet.WAS, sheet.SOURCE_DIGEST} - set(header)
    if lacking:
        findings.append(
            _fault(name, 1, f"columns are missing: {', '.join(sorted(lacking))}", _WHOLE)
        )
        return
    seen = dict[tuple[str, str], int]()
    for number, row in enumerate(cells[1:], start=2):
        told = dict(zip(header, row, strict=False))
        key, forms = _text(told.get(sheet.KEY)), _text(told.get(sheet.FORMS))
        if not key or not forms:
            if any(cell not in (None, "") for cell in row):
                findings.append(
                    _fault(name, number, "the row no longer says which sentence it is", _WHOLE)
                )
            continue
        first = seen.setdefault((key, forms), number)
        if first != number:
            problem = f"the same sentence stands in row {first} as well"
            findings.append(_fault(name, number, problem, "Keep one of the two rows."))
            continue
        text = _taken(name, number, told, findings)
        if text is not None:
            yield GivenRow(
                row=number,
                key=key,
                forms=tuple(_pair(each) for each in forms.split()),
                was=_text(told.get(sheet.WAS)),
                text=text,
                source_digest=_text(told.get(sheet.SOURCE_DIGEST)),
                comment=_comment(told),
            )


def _taken(
    name: str, number: int, told: Mapping[str, Cell], findings: list[Finding]
) -> str | None:
    """The text that counts: what was adjudicated or taken from a form, else that under 'text'."""
    column = sheet.ADJUDICATED if _text(told.get(sheet.ADJUDICATED)) else sheet.TEXT
    if _text(told.get(sheet.TAKE)).casefold() in _YES:
        column = sheet.THEIRS
    cell = told.get(column)
    text, problem = _text(cell), unusable(cell)
    if isinstance(cell, int) and not _text(told.get(sheet.WAS)).isdecimal():
        problem = f"a number stands there, {cell}, where a sentence was"
    if problem:
        findings.append(
            _fault(
                name,
                number,
                f"{column}: {problem}",
                "Type it as text: format the cell as 'Text' first.",
            )
        )
        return None
    return plain(text)


def _signatures(
    name: str, cells: Sequence[Sequence[Cell]], today: datetime.date, findings: list[Finding]
) -> Iterator[GivenSignature]:
    for number, told in enumerate(records(cells), start=2):
        by, role, on = (_text(told.get(each)) for each in ("name", "role", "date"))
        part = _text(told.get("what"))
        if not (by or on):
            continue
        day = _day(on)
        if part not in set(Part) or not by or day is None or day > today:
            findings.append(
                Finding(
                    code="W403",
                    place=Place(name, number, sheet.SIGN),
                    problem="a signature needs a name and a day that is not in the future, "
                    f"not '{by}' and '{on}'",
                    remedy="Write the day as year-month-day: 2026-05-31.",
                )
            )
            continue
        yield GivenSignature(part=Part(part), by=by, role=role, on=day)


def _day(text: str) -> datetime.date | None:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.datetime.strptime(text, pattern).replace(tzinfo=datetime.UTC).date()
        except ValueError:
            continue
    return None


def _comment(told: Mapping[str, Cell]) -> str:
    """What a person has written beside the sentence."""
    said = _text(told.get(sheet.COMMENT))
    return "" if said == sheet.ENGLISH_CHANGED else said


def _text(cell: Cell) -> str:
    text = "" if cell is None else str(cell).strip()
    # The apostrophe that keeps a spreadsheet from running text as a formula is no part of it.
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _pair(spelled: str) -> tuple[str, str]:
    group, _, about = spelled.partition(">")
    return group, about


_WHOLE = "Do not change the hidden columns; write the sheet anew and copy your texts into it."


def _fault(name: str, row: int, problem: str, remedy: str) -> Finding:
    return Finding(code="W401", place=Place(name, row), problem=problem, remedy=remedy)
