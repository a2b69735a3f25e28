"""Names of questions and groups, and how groups open and close."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.excel import DATE
from kobosmix.xlsform.kinds import SETTING_TYPES
from kobosmix.xlsform.outline import Node, Outline
from kobosmix.xlsform.tell import quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L111": (
        "A name cannot be the name of an XML element, which each question becomes.",
        "Use letters, digits and _, beginning with a letter.",
    ),
    "L112": (
        "A question or group has no name. pyxform refuses the form; KoboToolbox makes a name out "
        "of the label, which changes when the label does.",
        "Give it a name.",
    ),
    "L113": (
        "A name is used twice in the form. KoboToolbox refuses that everywhere, also across "
        "groups and between a group and a question.",
        "Give each its own name.",
    ),
    "L114": (
        "Two names differ only in capitals. KoboToolbox refuses them, and most statistics "
        "programs take them for one.",
        "Give each its own name.",
    ),
    "L115": (
        "A name is one the servers use for themselves.",
        "Choose another name.",
    ),
    "L116": (
        "Groups and repeats do not open and close in pairs.",
        "Each begin_group needs an end_group, each begin_repeat an end_repeat, the inner first.",
    ),
    "L117": (
        "A group has nothing in it. KoboToolbox breaks off the deployment with an error of its "
        "own, and the phones cannot open the form.",
        "Delete it, or put a question into it.",
    ),
    "L118": (
        "A name has letters outside a to z. The phones cannot open the form.",
        "Write the name in plain Latin letters.",
    ),
    "L119": (
        "A row has a name or a label but no type. pyxform refuses the form.",
        "Give it a type, or empty the row.",
    ),
    "L211": (
        "A note has no name. It gets the number of its row, so that a row inserted above it "
        "changes the form.",
        "Give it a name.",
    ),
    "L213": (
        "A repeat does not say how often: the enumerator has to add each round and to stop.",
        "If the number is known or asked before, put it into 'repeat_count'.",
    ),
}

_NAME = re.compile(r"[^\W\d][\w.\-]*")
# `meta` holds the ID of the submission; KoboToolbox adds the others.
_RESERVED = frozenset(
    {
        *("meta", "formhub", "_id", "_uuid", "_submission_time", "_submitted_by", "_status"),
        *("_validation_status", "_notes", "_tags", "_index", "_parent_index", "_attachments"),
        *("_parent_table_name", "_geolocation", "_xform_id_string", "_bamboo_dataset_id"),
    }
)


def check_names(form: Outline) -> Iterator[Finding]:
    """A name is a plain word of ASCII letters, and not one of the servers' own."""
    for node in form.nodes:
        at = ("survey", node.row.number, "name")
        name = node.name
        if not name:
            yield from _unnamed(form, node)
        elif not _NAME.fullmatch(name) and not DATE.fullmatch(name):
            remedy = "Use letters, digits and _, beginning with a letter."
            yield tell(form, "L111", at, f"'{name}' cannot be a name", remedy)
        elif not name.isascii():
            said = f"'{name}' has letters outside a to z: the phones cannot open the form"
            yield tell(form, "L118", at, said, "Write the name in plain Latin letters.")
        elif name in _RESERVED:
            said = f"'{name}' is a name the servers use themselves"
            yield tell(form, "L115", at, said, "Choose another name.")


def _unnamed(form: Outline, node: Node) -> Iterator[Finding]:
    at = ("survey", node.row.number, "name")
    if node.type == "note":
        said = "the note has no name, so it is called after its row"
        yield tell(form, "L211", at, said, "Give it a name.", severity=Severity.NOTICE)
    elif node.type != "audit" and node.cell("type") not in SETTING_TYPES:
        said = f"the {node.type or node.cell('type')} has no name"
        yield tell(form, "L112", at, said, "Give it one: answers are stored under it.")


def check_repeated_names(form: Outline) -> Iterator[Finding]:
    """A name is used once in the whole form, whatever its capitals."""
    first, small = dict[str, Node](), dict[str, Node]()
    for node in form.nodes:
        if not node.name:
            continue
        at = ("survey", node.row.number, "name")
        earlier = first.setdefault(node.name, node)
        alike = small.setdefault(node.name.lower(), node)
        if earlier is not node:
            said = f"the name '{node.name}' is used already (row {earlier.row.number})"
            yield tell(form, "L113", at, said, "Give each its own name.")
        elif alike is not node:
            said = f"'{node.name}' and '{alike.name}' (row {alike.row.number}) differ only in capitals"
            yield tell(form, "L114", at, said, "Give each its own name.")


def check_nesting(form: Outline) -> Iterator[Finding]:
    """Groups and repeats open and close in pairs, the inner ones first."""
    for row, fault in form.nesting_faults:
        remedy = "Each begin_group needs an end_group, each begin_repeat an end_repeat."
        yield tell(form, "L116", ("survey", row, "type"), fault, remedy)


def check_empty_groups(form: Outline) -> Iterator[Finding]:
    """A group has something in it."""
    filled = {id(group) for node in form.nodes for group in node.groups}
    for node in form.nodes:
        if node.opens and id(node) not in filled:
            said = f"'{node.name}' has nothing in it"
            remedy = "Delete it, or put a question into it."
            yield tell(form, "L117", ("survey", node.row.number, "type"), said, remedy)


def check_rows_without_type(form: Outline) -> Iterator[Finding]:
    """A row that asks something says what."""
    for row in form.rows["survey"]:
        if not row.cells.get("type") and (row.cells.get("name") or row.texts.get("label")):
            said = "the row has a name or a label, but no type"
            remedy = "Give it a type, or empty the row."
            yield tell(form, "L119", ("survey", row.number, "type"), said, remedy)


def check_counted_repeats(form: Outline) -> Iterator[Finding]:
    """How often a repeat is filled in is best asked before it."""
    loose = [n for n in form.nodes if n.type == "begin repeat" and not n.cell("repeat_count")]
    if loose:
        named = quoted(node.name for node in loose)
        said = f"it is up to the enumerator how often {named} is filled in"
        where = rows_of([node.row.number for node in loose])
        remedy = f"If the number is known, put it into 'repeat_count' ({where})."
        at = ("survey", loose[0].row.number, "repeat_count")
        yield tell(form, "L213", at, said, remedy, severity=Severity.NOTICE)


RULES = (
    check_names,
    check_repeated_names,
    check_nesting,
    check_empty_groups,
    check_rows_without_type,
    check_counted_repeats,
)
