"""What becomes of names, labels and values in Stata and SPSS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.kinds import ANSWERED, METADATA
from kobosmix.xlsform.outline import Node, Outline
from kobosmix.xlsform.tell import listed, quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L281": (
        "A name is longer than Stata takes (32 characters; SPSS takes 64). It is cut, and names "
        "that begin alike become one.",
        "Shorten it to 26 characters, so that pre_ or post_ still fits before it.",
    ),
    "L282": (
        "A name is a word of Stata or SPSS itself, so it is changed on the way there.",
        "Choose another name.",
    ),
    "L283": (
        "A name has a mark that Stata does not take in names.",
        "Use letters, digits and _ only.",
    ),
    "L284": (
        "A label is longer than Stata keeps (80 characters).",
        "Nothing to do if the codebook is at hand; else put the essential words first.",
    ),
    "L285": (
        "Values are words or fractions. Stata and SPSS put labels on whole numbers only, so the "
        "answers come as text.",
        "Use whole numbers for scales; words will do for lists that are only counted.",
    ),
    "L286": (
        "A question with several answers becomes one variable for each, named after both. Some of "
        "these names are longer than Stata takes.",
        "Shorten the name of the question or its values.",
    ),
    "L287": (
        "A label of a choice is longer than SPSS keeps (120 bytes).",
        "Say it more briefly.",
    ),
    "L288": (
        "A name fits Stata, but not with the name of a wave before it (post_).",
        "Shorten it to 26 characters if there is a second round.",
    ),
}

_STATA, _WITH_WAVE, _SPSS = 32, 26, 64
_STATA_LABEL, _SPSS_VALUE_LABEL = 80, 120
_RESERVED = frozenset(
    {
        *("_all", "_b", "_coef", "_cons", "_n", "_pi", "_pred", "_rc", "_skip", "byte"),
        *("double", "float", "if", "in", "int", "long", "strl", "using", "with"),
        *("all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to"),
    }
)
_STRINGS = re.compile(r"str\d+")
_WHOLE = re.compile(r"-?\d{1,9}")
_RECORDED = ANSWERED | METADATA | {"calculate", "hidden"}


def check_names(form: Outline) -> Iterator[Finding]:
    """A name fits Stata, in length, letters and meaning."""
    named = [node for node in form.nodes if node.name and node.type in _RECORDED]
    long = [node for node in named if len(node.name) > _STATA]
    longish = [node for node in named if _WITH_WAVE < len(node.name) <= _STATA]
    taken = [
        node
        for node in named
        if node.name.lower() in _RESERVED or _STRINGS.fullmatch(node.name.lower())
    ]
    marked = [node for node in named if "-" in node.name or "." in node.name]
    if long:
        said = f"Stata cuts {_names(long)} at {_STATA} characters{_colliding(long)}"
        yield _told(form, "L281", long, said, f"Shorten them to {_WITH_WAVE}.")
    if longish:
        said = f"too long for Stata with a wave before it (post_): {_names(longish)}"
        remedy = f"Shorten them to {_WITH_WAVE} if there is a second round."
        yield _told(form, "L288", longish, said, remedy, Severity.NOTICE)
    if taken:
        said = f"words of Stata or SPSS are used as names: {_names(taken)}"
        yield _told(form, "L282", taken, said, "Choose other names.")
    if marked:
        said = f"Stata takes no - or . in names: {_names(marked)}"
        yield _told(form, "L283", marked, said, "Write _ instead.", Severity.NOTICE)


def _colliding(nodes: list[Node]) -> str:
    cut = [node.name[:_STATA].lower() for node in nodes]
    twice = {name for name in cut if cut.count(name) > 1}
    also = f", SPSS at {_SPSS}" if any(len(node.name) > _SPSS for node in nodes) else ""
    return f"{also}; then {listed(sorted(twice))} is there twice" if twice else also


def _names(nodes: list[Node]) -> str:
    return quoted(node.name for node in nodes)


def _told(
    form: Outline,
    code: str,
    nodes: list[Node],
    said: str,
    remedy: str,
    severity: Severity | None = None,
) -> Finding:
    at = ("survey", nodes[0].row.number, "name")
    return tell(form, code, at, said, remedy, severity=severity)


def check_labels(form: Outline) -> Iterator[Finding]:
    """A label is kept whole by Stata and SPSS."""
    long = [
        node
        for node in form.nodes
        if node.type in ANSWERED
        and any(len(text) > _STATA_LABEL for text in node.row.texts.get("label", {}).values())
    ]
    if long:
        rows = rows_of([node.row.number for node in long])
        said = f"Stata cuts labels at {_STATA_LABEL} characters ({rows})"
        at = ("survey", long[0].row.number, "label")
        remedy = "Put the essential words first."
        yield tell(form, "L284", at, said, remedy, severity=Severity.NOTICE)
    wide = [
        row.number
        for row in form.rows["choices"]
        for text in row.texts.get("label", {}).values()
        if len(text) > _SPSS_VALUE_LABEL // 4 and len(text.encode()) > _SPSS_VALUE_LABEL
    ]
    if wide:
        said = f"SPSS cuts labels of choices at {_SPSS_VALUE_LABEL} bytes ({rows_of(wide)})"
        at = ("choices", wide[0], "label")
        yield tell(form, "L287", at, said, "Say it more briefly.", severity=Severity.NOTICE)


def check_values(form: Outline) -> Iterator[Finding]:
    """Scales have whole numbers; only these get labels in Stata and SPSS."""
    worded = [
        name
        for name, choices in form.lists.items()
        if name in form.asked_with
        and not all(_WHOLE.fullmatch(c.value or "0") for c in choices)
    ]
    if worded:
        said = f"answers from {quoted(worded)} come to Stata as text"
        at = ("choices", form.lists[worded[0]][0].row.number, "name")
        remedy = "Use whole numbers for scales; words will do where answers are only counted."
        yield tell(form, "L285", at, said, remedy, severity=Severity.NOTICE)


def check_several_answers(form: Outline) -> Iterator[Finding]:
    """Each answer of a question with several becomes a variable with a name that fits."""
    long = [
        (node.row.number, f"{node.name}_{choice.value}")
        for node in form.nodes
        if node.type == "select_multiple" and not node.kind.from_file
        for choice in form.lists.get(node.kind.list, ())
        if len(node.name) + 1 + len(choice.value) > _STATA >= len(node.name)
    ]
    if long:
        said = f"Stata cuts {quoted(name for _, name in long)} at {_STATA} characters"
        at = ("survey", long[0][0], "name")
        yield tell(form, "L286", at, said, "Shorten name or values.", severity=Severity.NOTICE)


RULES = (check_names, check_labels, check_values, check_several_answers)
