"""Types, appearances and parameters: what a screen shows, and what it does not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.appearances import APPEARANCE_PATTERNS, APPEARANCES
from kobosmix.xlsform.expression import REFERENCE
from kobosmix.xlsform.kinds import ANSWERED, SELECTS, SETTING_TYPES, USUAL_TYPES
from kobosmix.xlsform.outline import NO, YES, Node, Outline
from kobosmix.xlsform.tell import meant, nearest, quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L151": ("No server knows a type.", "Correct it; capitals count: text, not Text."),
    "L152": (
        "A seed is no whole number. Web forms break off ('Invalid seed argument').",
        "Use once(int(random() * 1000000)), or a number the respondent has.",
    ),
    "L153": ("A calculate has no calculation.", "Write one, or delete the row."),
    "L154": (
        "A question takes its choices from a file, but the name of the file has no ending.",
        "Write the whole name: select_one_from_file villages.csv.",
    ),
    "L155": (
        "A note is required. Nobody can answer a note, so the form can never be finished.",
        "Take 'required' out. To stop an interview on a condition, give the note a 'relevant'.",
    ),
    "L251": (
        "No app knows an appearance, so it does nothing. None says so.",
        "Correct it, or take it out.",
    ),
    "L252": (
        "An appearance does nothing for this type of question.",
        "Take it out, or change the type.",
    ),
    "L253": (
        "table-list adds fields of its own to every submission, named after row numbers, and is "
        "squeezed on phones.",
        "Write a field-list group with one question of the appearance label and the others "
        "list-nolabel.",
    ),
    "L254": (
        "likert puts the labels side by side and does not wrap them: long ones overlap on phones.",
        "Shorten the labels, show at most five, or leave the appearance out.",
    ),
    "L255": (
        "or_other adds a choice and a question in English that cannot be translated.",
        "Write a choice 'other' and a text question of your own.",
    ),
    "L256": (
        "read_only goes by a condition. Web forms older than August 2026 do not heed it.",
        "Use 'relevant', or two questions.",
    ),
    "L257": (
        "Choices are put in random order without a seed, so they jump whenever the screen is "
        "opened again, and nobody can tell later what was seen.",
        "Keep once(int(random() * 1000000)) in a calculate and write seed=${it}.",
    ),
    "L258": (
        "A required question is answered already when it opens, so it can be passed unread.",
        "Take the default out.",
    ),
}

_LONGEST_LIKERT, _MOST_LIKERT = 10, 5
_FILES = (".csv", ".xml", ".geojson")
_WHOLE = re.compile(r"-?\d+")
_MADE_WHOLE = ("int(", "round(")


def check_types(form: Outline) -> Iterator[Finding]:
    """A type is one the servers know."""
    for node in form.nodes:
        type_cell = node.cell("type")
        at = ("survey", node.row.number, "type")
        if not node.type and type_cell not in SETTING_TYPES and not type_cell.startswith("#"):
            said = f"no server knows the type '{type_cell}'.{_meant_type(type_cell, form)}"
            yield tell(form, "L151", at, said, "Correct it; capitals count.")
        elif node.kind.from_file and not node.kind.list.endswith(_FILES):
            if not type_cell.startswith("select_one_external"):
                said = f"'{node.kind.list}' is no file name"
                yield tell(form, "L154", at, said, "Write it with its ending: villages.csv")
        elif node.type == "calculate" and not (
            node.cell("calculation") or node.cell("default")
        ):
            said = f"'{node.name}' has no calculation"
            yield tell(form, "L153", at, said, "Write one, or delete the row.")


def _meant_type(type_cell: str, form: Outline) -> str:
    words = type_cell.split()
    if len(words) > 1 and words[-1] in form.lists:
        near = nearest("_".join(words[:-1]), ("select_one", "select_multiple", "rank"))
        return f" Did you mean '{near} {words[-1]}'?" if near else ""
    if words == [type_cell] and type_cell.lower() in ("select_one", "select_multiple", "rank"):
        return " The name of its list is missing."
    return meant("_".join(words), USUAL_TYPES)


def check_required_notes(form: Outline) -> Iterator[Finding]:
    """A note asks nothing, so nothing can be required of it."""
    for node in form.nodes:
        # With a condition it is a way to stop an interview, and may be meant.
        always = not any(around.cell("relevant") for around in (node, *node.groups))
        if node.type == "note" and node.cell("required") not in ("", *NO) and always:
            at = ("survey", node.row.number, "required")
            said = f"'{node.name}' is a note and required: the form can never be finished"
            yield tell(form, "L155", at, said, "Take 'required' out.")


def check_appearances(form: Outline) -> Iterator[Finding]:
    """An appearance is one the apps know, and does something for this type."""
    idle = defaultdict[tuple[str, str], list[int]](list)
    for node, word in _appearances(form):
        types = _types_of(word)
        at = ("survey", node.row.number, "appearance")
        if types is None:
            said = f"no app knows the appearance '{word}'.{meant(word, APPEARANCES)}"
            yield tell(form, "L251", at, said, "Correct it, or take it out.")
        elif node.type and node.type not in types:
            idle[word, node.type].append(node.row.number)
        elif word == "table-list":
            said = "table-list adds fields of its own to every submission"
            remedy = "Use a field-list group with label and list-nolabel."
            yield tell(form, "L253", at, said, remedy)
    for (word, type_), rows in idle.items():
        said = f"'{word}' does nothing for the type '{type_}' ({rows_of(rows)})"
        remedy = "Take it out, or change the type."
        yield tell(form, "L252", ("survey", rows[0], "appearance"), said, remedy)


def _appearances(form: Outline) -> Iterator[tuple[Node, str]]:
    for node in form.nodes:
        appearance = node.cell("appearance")
        # What goes by an expression, or calls another app, is not looked into.
        if "(" not in appearance and "${" not in appearance:
            for word in appearance.split():
                yield node, word


def _types_of(word: str) -> frozenset[str] | None:
    if word in APPEARANCES:
        return APPEARANCES[word]
    return next((types for form, types in APPEARANCE_PATTERNS if form.fullmatch(word)), None)


def check_likert(form: Outline) -> Iterator[Finding]:
    """A likert scale has few and short labels, or they overlap on phones."""
    for name, nodes in form.asked_with.items():
        rows = [n.row.number for n in nodes if "likert" in n.cell("appearance").split()]
        choices = form.lists.get(name, ())
        if not rows or not choices:
            continue
        labels = [text for c in choices for text in c.row.texts.get("label", {}).values()]
        longest = max(labels, key=len, default="")
        faults = [
            *([f"{len(choices)} points"] if len(choices) > _MOST_LIKERT else []),
            *([f"a label like '{longest}'"] if len(longest) > _LONGEST_LIKERT else []),
        ]
        if faults:
            said = f"likert with {' and '.join(faults)} overlaps on phones ({rows_of(rows)})"
            remedy = "Shorten the labels, or leave the appearance out."
            yield tell(form, "L254", ("survey", rows[0], "appearance"), said, remedy)


def check_or_other(form: Outline) -> Iterator[Finding]:
    """'Other' is a choice of one's own, in every language."""
    for node in form.nodes:
        if node.kind.or_other:
            said = "or_other adds a choice and a question in English only"
            remedy = "Write a choice 'other' and a text question of your own."
            yield tell(form, "L255", ("survey", node.row.number, "type"), said, remedy)


def check_read_only(form: Outline) -> Iterator[Finding]:
    """Whether a question can be answered is fixed, or a matter of 'relevant'."""
    rows = [
        node.row.number
        for node in form.nodes
        if (said := node.cell("read_only")) and said not in YES | NO
    ]
    if rows:
        said = (
            f"read_only goes by a condition in {rows_of(rows)}; older web forms do not heed it"
        )
        remedy = "Use 'relevant', or two questions."
        yield tell(form, "L256", ("survey", rows[0], "read_only"), said, remedy)


def check_random_order(form: Outline) -> Iterator[Finding]:
    """A random order has a seed, and the seed is a whole number."""
    for node in form.nodes:
        parameters = _parameters(node)
        if node.type not in SELECTS or parameters.get("randomize", "").lower() != "true":
            continue
        at, seed = ("survey", node.row.number, "parameters"), parameters.get("seed", "")
        if not seed:
            said = "the random order has no seed: it changes whenever the screen is opened"
            remedy = "Add seed=${name}, a calculate with once(int(random() * 1000000))."
            yield tell(form, "L257", at, said, remedy)
        elif fault := _no_whole_number(form, seed):
            remedy = "Use once(int(random() * 1000000))."
            yield tell(form, "L152", at, fault, remedy)


def _parameters(node: Node) -> dict[str, str]:
    text = re.sub(r"\s*=\s*", "=", node.cell("parameters"))
    pairs = (part.partition("=") for part in re.split(r"[,;\s]+", text))
    return {key.lower(): value for key, _, value in pairs}


def _no_whole_number(form: Outline, seed: str) -> str:
    named = REFERENCE.fullmatch(seed)
    if named is None:
        return "" if _WHOLE.fullmatch(seed) else f"the seed '{seed}' is no whole number"
    question = form.by_name.get(named[1])
    worked_out = question.cell("calculation") if question else ""
    if "random()" in worked_out and not any(whole in worked_out for whole in _MADE_WHOLE):
        return f"the seed '{named[1]}' is {worked_out}, which is no whole number"
    return ""


def check_preset_answers(form: Outline) -> Iterator[Finding]:
    """An answer that has to be given is not there before it is given."""
    preset = [
        node
        for node in form.nodes
        if node.type in ANSWERED and node.cell("default") and node.cell("required") in YES
    ]
    if preset:
        said = f"{quoted(node.name for node in preset)} can be passed unread: a default is set"
        at = ("survey", preset[0].row.number, "default")
        yield tell(form, "L258", at, said, "Take the default out.", severity=Severity.NOTICE)


RULES = (
    check_types,
    check_required_notes,
    check_appearances,
    check_likert,
    check_or_other,
    check_read_only,
    check_random_order,
    check_preset_answers,
)
