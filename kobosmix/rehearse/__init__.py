"""Invented respondents with known answers and known faults, through the real forms."""

from kobosmix.rehearse.compare import Line, compare, compare_sent, compare_table
from kobosmix.rehearse.rehearsal import Rehearsal, plan_rehearsal
from kobosmix.rehearse.script import Script
from kobosmix.rehearse.send import Sent

__all__ = [
    "Line",
    "Rehearsal",
    "Script",
    "Sent",
    "compare",
    "compare_sent",
    "compare_table",
    "plan_rehearsal",
]
