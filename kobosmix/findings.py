"""What a check has to say about the files a person wrote, or about the answers collected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error stops the build, a warning does not."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where to look: a file, the line or row in it (0: the whole file), and what stands there."""

    file: str
    line: int = 0
    spot: str = ""

    def __str__(self) -> str:
        where = self.file + (f":{self.line}" if self.line else "")
        return where + (f": {self.spot}" if self.spot else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong, where it is, and what would put it right."""

    code: str
    place: Place
    problem: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}\n  {self.severity} {self.code}: {self.problem}\n  {self.remedy}"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, errors before warnings before notices, then by file, line and code."""
    rank = {severity: number for number, severity in enumerate(Severity)}
    return sorted(set(findings), key=lambda f: (rank[f.severity], f.place, f.code, f.problem))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether anything found must be put right before the work can go on."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def around_difference(one: str, other: str, longest: int = 80) -> tuple[str, str]:
    """Both texts on one line, long ones cut to the words where they begin to differ.

    >>> around_difference("Does it take about 25 minutes?", "Does it take about 30 minutes?", 12)
    ('…about 25 min…', '…about 30 min…')
    """
    one, other = " ".join(one.split()), " ".join(other.split())
    start = 0
    if max(len(one), len(other)) > longest:
        pairs = enumerate(zip(one, other, strict=False))
        same = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
        # A few words before it tell where one is.
        start = one.rfind(" ", 0, max(0, same - longest // 4)) + 1
    return _cut(one, start, longest), _cut(other, start, longest)


def _cut(text: str, start: int, longest: int) -> str:
    end = start + longest
    return "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
