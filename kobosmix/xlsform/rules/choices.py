"""Lists of choices: values, labels, and which way a scale runs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from kobosmix.findings import Finding, Severity
from kobosmix.xlsform.excel import DATE
from kobosmix.xlsform.outline import YES, Choice, Outline
from kobosmix.xlsform.tell import listed, meant, quoted, rows_of, tell

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L121": (
        "A question uses a list that the choices sheet does not have.",
        "Add the list, or correct its name.",
    ),
    "L122": (
        "A value stands twice in one list, so the answers cannot be told apart.",
        "Give each choice its own value.",
    ),
    "L123": ("A choice has no value.", "Give it one; it is what is stored."),
    "L124": (
        "A choice has no label in any language. The phones cannot open the form.",
        "Give it a label.",
    ),
    "L125": (
        "A value of a question with several answers has a blank in it. Answers are stored with "
        "blanks between them, so it would be read as two.",
        "Write _ in its place.",
    ),
    "L126": (
        "A choice has no list. No server reads it, and none says so.",
        "Give it a list_name.",
    ),
    "L127": (
        "A choice_filter names a column that the choices sheet does not have. No choice is ever "
        "shown.",
        "Correct the name of the column, or put values of text into quotes.",
    ),
    "L128": (
        "Two values of a list are the same number (1 and 01). Conditions and statistics programs "
        "cannot tell them apart.",
        "Give each choice its own number.",
    ),
    "L221": (
        "A value has a blank in it. It cannot be used with several answers, and many programs "
        "cannot use it as a code.",
        "Write _ in its place.",
    ),
    "L222": (
        "Two choices of a list have the same label in one language: nobody can tell them apart.",
        "Correct one of them.",
    ),
    "L223": (
        "Two lists have the same labels, but their numbers run in opposite directions. A score "
        "over questions of both is wrong.",
        "Use one list for both, or reverse the answers of one before they are added up.",
    ),
    "L224": (
        "A value is a number with a zero in front. Spreadsheets and statistics programs drop it.",
        "Leave the zero out, or begin the value with a letter.",
    ),
    "L225": (
        "No question uses a list.",
        "Delete it, or correct the question that should use it.",
    ),
    "L226": (
        "Two values of a list differ only in capitals.",
        "Write all values in small letters.",
    ),
    "L227": (
        "A label has one value in one list and another in the next (yes is 1 here and 2 there).",
        "Give equal answers equal values; else recode with care.",
    ),
}

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LEADING_ZERO = re.compile(r"-?0\d+")
_FEWEST_SHARED = 3


def check_lists_exist(form: Outline) -> Iterator[Finding]:
    """A question's list is on the choices sheet."""
    for name, nodes in form.asked_with.items():
        # `select_one ${repeat}` offers what was answered before.
        if name in form.lists or name.startswith("${"):
            continue
        for node in nodes:
            said = f"there is no list '{name}' on the choices sheet.{meant(name, form.lists)}"
            at = ("survey", node.row.number, "type")
            yield tell(form, "L121", at, said, "Add the list, or correct its name.")
    outside = {row.cells.get("list_name") for row in form.rows["external_choices"]}
    for node in form.nodes:
        if (
            node.cell("type").startswith("select_one_external")
            and node.kind.list not in outside
        ):
            said = f"there is no list '{node.kind.list}' on the sheet external_choices"
            at = ("survey", node.row.number, "type")
            yield tell(form, "L121", at, said, "Add the list, or correct its name.")


def check_choices_are_whole(form: Outline) -> Iterator[Finding]:
    """A choice has a list, a value, and a label in some language."""
    for row in form.rows["choices"]:
        has_label = any(row.texts.values())
        name, value = row.cells.get("list_name"), row.cells.get("name")
        if not name and (value or has_label):
            said, remedy = "the choice has no list, so it is never read", "Give it a list_name."
            yield tell(form, "L126", ("choices", row.number, "list_name"), said, remedy)
        elif name and value is None:
            said, remedy = (
                f"a choice of '{name}' has no value",
                "Give it one; it is what is stored.",
            )
            yield tell(form, "L123", ("choices", row.number, "name"), said, remedy)
        elif name and not has_label:
            said, remedy = f"the choice '{value}' of '{name}' has no label", "Give it a label."
            yield tell(form, "L124", ("choices", row.number, "label"), said, remedy)


def check_values(form: Outline) -> Iterator[Finding]:
    """The values of a list differ, also as numbers and whatever their capitals."""
    may_repeat = form.settings.get("allow_choice_duplicates", "") in YES
    for name, choices in form.lists.items():
        seen = dict[str, Choice]()
        for choice in choices:
            if not choice.value:
                continue
            for code, key in _keys(choice.value):
                twin = seen.setdefault(key, choice)
                if twin is not choice and not (code == "L122" and may_repeat):
                    yield _twins(form, code, choice, twin)
                if twin is not choice:
                    break
        zeros = [c for c in choices if _LEADING_ZERO.fullmatch(c.value)]
        if zeros:
            said = f"values of '{name}' begin with a zero: {listed(c.value for c in zeros)}"
            remedy = "Leave the zeros out, or begin the values with a letter."
            yield tell(form, "L224", ("choices", zeros[0].row.number, "name"), said, remedy)


def _keys(value: str) -> Iterator[tuple[str, str]]:
    """What may not be equal to another value's, the worst first."""
    yield "L122", f"= {value}"
    if _NUMBER.fullmatch(value):
        yield "L128", f"number {float(value)}"
    yield "L226", f"small {value.lower()}"


def _twins(form: Outline, code: str, choice: Choice, twin: Choice) -> Finding:
    where = f"(row {twin.row.number})"
    said = {
        "L122": f"the value '{choice.value}' stands in '{choice.list}' already {where}",
        "L128": f"'{choice.value}' and '{twin.value}' {where} are the same number",
        "L226": f"'{choice.value}' and '{twin.value}' {where} differ only in capitals",
    }[code]
    at = ("choices", choice.row.number, "name")
    return tell(form, code, at, said, "Give each choice its own value.")


def check_blanks_in_values(form: Outline) -> Iterator[Finding]:
    """A value is one word."""
    several = {
        name
        for name, nodes in form.asked_with.items()
        if any(node.type in ("select_multiple", "rank") for node in nodes)
    }
    for name, choices in form.lists.items():
        # A date that Excel has made is told as one.
        split = [c for c in choices if " " in c.value and not DATE.fullmatch(c.value)]
        if split:
            said = f"values of '{name}' have blanks in them: {quoted(c.value for c in split)}"
            at = ("choices", split[0].row.number, "name")
            code = "L125" if name in several else "L221"
            yield tell(form, code, at, said, "Write _ in place of the blanks.")


def check_filters(form: Outline) -> Iterator[Finding]:
    """A choice_filter names columns of the choices sheet."""
    known = {column.name for column in form.columns["choices"]}
    known |= {column.header.strip() for column in form.columns["choices"]}
    for used in form.expressions:
        node = used.node
        if used.column != "choice_filter" or node.kind.from_file or "${" in node.kind.list:
            continue
        for word in dict.fromkeys((*used.expression.words, *used.expression.columns)):
            if word not in known:
                said = f"the choices sheet has no column '{word}': no choice would be shown."
                at = ("survey", node.row.number, "choice_filter")
                remedy = "Correct the column, or put a value into quotes."
                yield tell(form, "L127", at, said + meant(word, known), remedy)


def check_labels(form: Outline) -> Iterator[Finding]:
    """The labels of a list differ, in each language; filtered lists may repeat them."""
    for name, choices in form.lists.items():
        nodes = form.asked_with.get(name, [])
        if not nodes or all(node.cell("choice_filter") for node in nodes):
            continue
        meanings = defaultdict[tuple[str, str], dict[str, None]](dict)
        for choice in choices:
            for language, label in choice.row.texts.get("label", {}).items():
                meanings[language, label.strip()][choice.value] = None
        alike = {label: values for (_, label), values in meanings.items() if len(values) > 1}
        if alike:
            label, values = next(iter(alike.items()))
            more = f" ({len(alike)} labels are such)" if len(alike) > 1 else ""
            said = f"in '{name}' {quoted(values)} all have the label '{label}'{more}"
            at = ("choices", choices[0].row.number, "label")
            yield tell(form, "L222", at, said, "Correct it, or leave one of them out.")


def check_directions(form: Outline) -> Iterator[Finding]:
    """Equal labels have equal values in every list, and scales run one way."""
    scales = {name: scale for name in form.asked_with if (scale := _scale(form, name))}
    sharing = defaultdict[tuple[str, str], list[str]](list)
    by_label = defaultdict[str, list[str]](list)
    for name, scale in scales.items():
        for label in scale:
            by_label[label].append(name)
    for label, names in by_label.items():
        for pair in combinations(names, 2):
            sharing[pair].append(label)
    for (one, other), labels in sharing.items():
        first, second = scales[one], scales[other]
        enough = len(labels) >= _FEWEST_SHARED or set(first) == set(second) == set(labels)
        if enough and len(labels) > 1:
            yield from _opposed(form, (one, other), labels, (first, second))


def _opposed(
    form: Outline,
    names: tuple[str, str],
    labels: list[str],
    scales: tuple[Mapping[str, float], Mapping[str, float]],
) -> Iterator[Finding]:
    first, second = scales
    at = ("choices", form.lists[names[1]][0].row.number, "name")
    ranked = sorted(labels, key=lambda label: first[label])
    values = [second[label] for label in ranked]
    if values == sorted(values, reverse=True) and len(set(values)) == len(values):
        said = f"'{names[0]}' and '{names[1]}' have the same labels, but run in opposite directions"
        remedy = "Use one list, or reverse the answers of one before they are added up."
        yield tell(form, "L223", at, said, remedy)
    elif apart := [label for label in ranked if first[label] != second[label]]:
        said = f"in '{names[0]}' and '{names[1]}' other values stand for {listed(apart)}"
        remedy = "Give equal answers equal values, or recode with care."
        yield tell(form, "L227", at, said, remedy, severity=Severity.NOTICE)


def _scale(form: Outline, name: str) -> dict[str, float]:
    """Label to number, in the first language that has labels; empty where values are words."""
    scale = dict[str, float]()
    for choice in form.lists.get(name, ()):
        if not _NUMBER.fullmatch(choice.value):
            return {}
        for label in choice.row.texts.get("label", {}).values():
            scale.setdefault(label.strip().casefold(), float(choice.value))
            break
    return scale


def check_unused_lists(form: Outline) -> Iterator[Finding]:
    """A list nobody uses is often a question that uses the wrong one."""
    named = " ".join(
        text
        for row in form.rows["survey"]
        for column, text in row.cells.items()
        if column not in ("name", "default")
    )
    words = {*re.split(r"[^\w.\-]+", named), *form.asked_with}
    unused = {name: choices for name, choices in form.lists.items() if name not in words}
    if unused:
        said = f"no question uses {quoted(unused)}"
        rows = [choices[0].row.number for choices in unused.values()]
        remedy = f"Delete them ({rows_of(rows)}), or correct the question that should use them."
        at = ("choices", rows[0], "list_name")
        yield tell(form, "L225", at, said, remedy, severity=Severity.NOTICE)


RULES = (
    check_lists_exist,
    check_choices_are_whole,
    check_values,
    check_blanks_in_values,
    check_filters,
    check_labels,
    check_directions,
    check_unused_lists,
)
