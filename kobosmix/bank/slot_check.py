"""Which slots a sentence may have, and what is wrong with those it has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kobosmix.slots import is_well_formed, slots_of

# Slots that the study fills with plain text of its own; they have no forms to ask for.
STUDY_SLOTS: Mapping[str, frozenset[str]] = {
    "study": frozenset({"minutes", "age", "part", "parts", "number", "question", "answer"}),
    "consent": frozenset({"compensation", "until"}),
    "contact": frozenset({"withdrawal", "complaints"}),
    "exception": frozenset({"by", "reason"}),
    "organisation": frozenset({"np"}),
    "community": frozenset({"np"}),
    "programme": frozenset({"np"}),
}
NAME_SLOTS = frozenset(
    {"group", "ingroup", "ingroup_you", "country", "newcomers", "language_host"}
    | {"language_newcomer"}
)

_MEANS_SOMETHING = re.compile(r"[{}$<>]")


def slot_problem(template: str, forms: set[str] | frozenset[str]) -> str:
    """What is wrong with a sentence's slots, in words; empty where nothing is."""
    if not is_well_formed(template):
        return "a bracket is not part of a slot"
    if _MEANS_SOMETHING.search(template):
        return "{, }, $, < and > have a meaning of their own in forms"
    for slot in slots_of(template):
        if slot.name in STUDY_SLOTS:
            if slot.form not in STUDY_SLOTS[slot.name]:
                return f"there is no [{slot.name}.{slot.form}]"
        elif slot.name not in NAME_SLOTS:
            return f"there is no slot '{slot.name}'"
        elif slot.form not in forms:
            return f"the language has no form '{slot.form}'"
    return ""
