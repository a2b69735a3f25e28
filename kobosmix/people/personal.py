"""What looks like a person's name, number or address in a spreadsheet that must hold none."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words that head a column of names, phone numbers or addresses, in languages of the field.
_PERSONAL_WORDS = re.compile(
    "names?|surname|firstname|lastname|fullname|forename|nickname|phone|telephone|tel|mobile|gsm|"
    "cellphone|whatsapp|telegram|viber|email|mail|address|nom|prenom|prénom|téléphone|courriel|"
    "nombre|apellidos?|tel[eé]fono|correo|adi?|soyadi?|isim|telefon|cep|eposta|ime|prezime|"
    "mobitel|jina|simu|nome|cognome|имя|фамилия|телефон|почта|име|презиме|ім'я|прізвище|"
    "اسم|الاسم|الإسم|الكنية|هاتف|الهاتف|جوال|موبايل|البريد|نام|شماره|تلفن"
)
_THING_WORDS = frozenset({"group", "site", "cohort", "partner", "arm", "school", "village"})
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+\d{7,15}|\d{9,15}")
_PHONE_MARKS = str.maketrans("", "", " \N{NO-BREAK SPACE}-()./")
_DECIMAL = re.compile(r"[0-9.,]+[eE][+-]?[0-9]+|[0-9]+[.,][0-9]+")
_LONGEST_NAME = 4


def personal_line(column: Sequence[str]) -> int:
    """The first row of a column that looks like personal data, its header included; 0 if none does."""
    header, *cells = column
    # Turkish: lower-casing a dotted capital I leaves the dot behind, as a character of its own.
    words = set(_WORD.findall(header.lower().replace("\u0307", "").replace("ı", "i")))
    if any(map(_PERSONAL_WORDS.fullmatch, words)) and not words & _THING_WORDS:
        return 1
    filled = [(line, cell) for line, cell in enumerate(cells, start=2) if cell]
    reached = [line for line, cell in filled if _reaches_a_person(cell)]
    named = [line for line, cell in filled if is_like_a_name(cell)]
    if reached or len(named) * 2 > len(filled):
        return min(reached + named)
    return 0


def _reaches_a_person(cell: str) -> bool:
    if _DECIMAL.fullmatch(cell):
        return False
    return bool(_EMAIL.search(cell) or _PHONE.fullmatch(cell.translate(_PHONE_MARKS)))


def is_like_a_name(cell: str) -> bool:
    """Two to four words of letters, none of which begins with a small letter."""
    words = cell.replace(".", " ").split()
    return 2 <= len(words) <= _LONGEST_NAME and all(  # noqa: PLR2004
        _WORD.fullmatch(word.replace("-", "")) and not word[0].islower() for word in words
    )
