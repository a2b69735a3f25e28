"""The dialect of KoboToolbox: the neutral form plus stable `$kuid`s."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from kobosmix.form.rows import Row, XlsForm, workbook

KUID = "$kuid"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 12


def kobo_workbook(form: XlsForm) -> bytes:
    """The workbook that is uploaded to KoboToolbox, and to nowhere else.

    Without `$kuid`s of our own the server makes new ones at each import, so that an unchanged
    form looks changed and every phone downloads it again. pyxform cannot take the column, so it
    is not in the neutral form.
    """
    counts = dict[str, int]()
    survey = tuple(
        _with_kuid(row, "survey", row.get("name", ""), counts) for row in form.survey
    )
    choices = tuple(
        _with_kuid(row, row["list_name"], row["name"], counts) for row in form.choices
    )
    return workbook(XlsForm(survey=survey, choices=choices, settings=form.settings))


def _with_kuid(row: Mapping[str, str], where: str, name: str, counts: dict[str, int]) -> Row:
    # An end_group has no name; the how-manieth it is tells it from the others.
    key = f"{where} {row.get('type', '')} {name}"
    counts[key] = counts.get(key, 0) + 1
    return {**row, KUID: _kuid(f"{key} {counts[key]}")}


def _kuid(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    letters = ""
    while len(letters) < _LENGTH:
        number, place = divmod(number, len(_LETTERS))
        letters += _LETTERS[place]
    return letters
