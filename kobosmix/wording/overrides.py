"""Sentences that one form says in words of its own: translations/overrides.yaml of the study."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.bank.model import Bank
from kobosmix.context.model import Context
from kobosmix.findings import Finding
from kobosmix.yamledit import put_entries
from kobosmix.yamlfile import YamlFile, check_shape, read_yaml

FILE = "overrides.yaml"
HEADER = """\
# Sentences that the form of one group says in other words than the catalogue. 'text' is the whole
# sentence, with names and without slots. 'reason' goes into the codebook of the form.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The words of one sentence in the forms of one respondent group, about one other group."""

    key: str
    language: str
    group: str
    about: str
    text: str
    reason: str
    by: str
    on: datetime.date

    @property
    def way(self) -> tuple[str, str, str, str]:
        """Which sentence of which form it is."""
        return self.language, self.key, self.group, self.about


def read_overrides(
    folder: Path, bank: Bank, context: Context
) -> tuple[dict[tuple[str, str, str, str], Override], list[Finding]]:
    """The overrides of a study by language, key, group and group asked about; and findings."""
    from kobosmix.wording.shape import OverridesFile

    path = folder / FILE
    if not path.is_file():
        return {}, []
    file = read_yaml(path)
    if isinstance(file, Finding):
        return {}, [file]
    faults = check_shape(file, OverridesFile, "W107")
    if faults:
        return {}, faults
    overrides = [
        Override(**{"about": "", **each}) for each in file.content.get("overrides", [])
    ]
    findings = list(_check(overrides, file, bank, context))
    return {override.way: override for override in overrides}, findings


def add_overrides(folder: Path, overrides: list[Override]) -> None:
    """Write overrides into the study's file; one for the same sentence is replaced."""
    fresh = [
        {
            "key": each.key,
            "language": each.language,
            "group": each.group,
            **({"about": each.about} if each.about else {}),
            "text": each.text,
            "reason": each.reason,
            "by": each.by,
            "on": each.on,
        }
        for each in overrides
    ]

    def is_same(there: Mapping[str, object], entry: Mapping[str, object]) -> bool:
        return all(
            there.get(part, "") == entry.get(part, "")
            for part in ("key", "language", "group", "about")
        )

    put_entries(folder / FILE, "overrides", fresh, is_same, HEADER)


def _check(
    overrides: list[Override], file: YamlFile, bank: Bank, context: Context
) -> Iterator[Finding]:
    seen = set[tuple[str, str, str, str]]()
    for number, override in enumerate(overrides):
        known = (
            ("key", override.key in bank.sentences, "the bank has no such sentence"),
            ("language", override.language in bank.languages, "there is no such language"),
            ("group", override.group in context.groups, "the study has no such group"),
            (
                "about",
                override.about in ("", *context.groups),
                "the study has no such group",
            ),
            ("key", override.way not in seen, "this sentence is overridden twice"),
        )
        seen.add(override.way)
        for what, is_right, problem in known:
            if not is_right:
                yield Finding(
                    code="W107",
                    place=file.place(("overrides", number, what)),
                    problem=f"{problem}: {getattr(override, what)}",
                    remedy="Correct it, or take the override out.",
                )
