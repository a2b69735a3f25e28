"""A small valid study in English: two groups by a lake, so that no test needs a catalogue."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kobosmix import content
from kobosmix.bank import Bank, read_bank
from kobosmix.prepare import BuiltForm, Prepared, prepare
from kobosmix.study import Study
from kobosmix.xlsx import Sheet, workbook_bytes

CONTEXT = """\
format: 1
study: lake_2026
title:
  en: Lakeside
organisation:
  en: the Lake Association
programme:
  en: Cooking Together
community:
  en: Laketown
country: {use: this_country}
newcomers: {use: migrants}
languages:
  en: use
groups:
  locals:
    role: host
    languages: [en]
    speaks: en
    asked_about: [syrians]
    names:
      en: {pl: locals, adj: local}
  syrians:
    role: newcomer
    languages: [en]
    speaks: ar
    asked_about: [locals]
    names:
      en: {pl: Syrians, adj: Syrian}
own_group: community
waves:
  pre:
    windows:
      all: {opens: 2026-02-02, closes: 2026-02-20}
  post:
    windows:
      all: {opens: 2026-04-20, closes: 2026-05-08}
  fu: {}
sites:
  north: {en: North shore}
  south: {en: South shore}
design: {type: waiting_list, random: true}
arms:
  programme: Cooks along
  comparison: Waits
concepts: [core, characteristics, prior_contact, programme_contact]
mode: interview
minutes: 90
contacts:
  withdrawal:
    en: 0123 456
  withdrawal_until: 2099-12-31
  complaints:
    en: help@lake.example
compensation: {type: none}
age_of_consent: 18
minors: exclude
"""

ENUMERATORS = [
    ("code", "name", "group", "gender", "languages", "independent"),
    ("en01", "Ann", "", "f", "en", "yes"),
    ("en02", "Samir", "", "m", "en", "yes"),
]


def changed(*changes: tuple[str, str]) -> str:
    """The context with each `(old, new)` replaced; an `old` that is not there is a mistake."""
    text = CONTEXT
    for old, new in changes:
        assert old in text, f"not in the context: {old!r}"
        text = text.replace(old, new, 1)
    return text


def write_study(folder: Path, context: str | Mapping[str, Any] = CONTEXT) -> Study:
    """A study folder with this context (text, or plain values) and two enumerators."""
    folder.mkdir(parents=True, exist_ok=True)
    text = context if isinstance(context, str) else as_yaml(context)
    (folder / "context.yaml").write_text(text, encoding="utf-8")
    (folder / "enumerators.xlsx").write_bytes(enumerators())
    return Study(folder)


def prepare_text(folder: Path, context: str | Mapping[str, Any] = CONTEXT) -> Prepared:
    """What is made of this context, with the bank read once for all tests and no engine."""
    study = write_study(folder, context)
    with patch("kobosmix.prepare.read_bank", lambda *_: bank()):
        return prepare(study, engines=False)


def said(prepared: Prepared, *codes: str) -> list[tuple[str, int, str]]:
    """Code, line and problem of each finding (of these codes, if any are given).

    That neither enumerator is of a group of the study, and that no reader has signed its wording,
    is left out.
    """
    return [
        (finding.code, finding.place.line, finding.problem)
        for finding in prepared.findings
        if (finding.code in codes if codes else finding.code not in ("E202", "W301"))
    ]


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds this part."""
    numbered = enumerate(text.splitlines(), start=1)
    return next(number for number, line in numbered if part in line)


def built(
    folder: Path, context: str | Mapping[str, Any] = CONTEXT, *, key: str = "pre_locals"
) -> BuiltForm:
    """One form of the study, which must have no error."""
    prepared = prepare_text(folder, context)
    prepared.sound()
    return next(form for form in prepared.forms if form.key == key)


def as_yaml(value: Any) -> str:
    """Plain values as YAML in one line; JSON but for dates, which YAML has and JSON has not."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(k))}: {as_yaml(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(as_yaml(each) for each in value) + "]"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


@cache
def enumerators() -> bytes:
    """A list of two enumerators of neither group."""
    return workbook_bytes([Sheet(title="enumerators", rows=ENUMERATORS)])


@cache
def bank() -> Bank:
    """The item bank of the package, read once for all tests."""
    return read_bank(content.item_templates())
