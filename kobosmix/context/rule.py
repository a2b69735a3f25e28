"""What each rule of context.yaml is given, and how it says where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from kobosmix.bank.model import Bank
from kobosmix.context.model import Context
from kobosmix.findings import Finding, Severity
from kobosmix.yamlfile import Path_, YamlFile


@dataclass(frozen=True, slots=True)
class At:
    """The context with its file, so that a finding has a place."""

    context: Context
    file: YamlFile
    bank: Bank

    def finding(
        self,
        code: str,
        way: Path_,
        problem: str,
        remedy: str,
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """A finding at this place of the file."""
        place = self.file.place(way)
        return Finding(
            code=code, place=place, problem=problem, remedy=remedy, severity=severity
        )
