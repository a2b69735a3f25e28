"""The only door to ruamel.yaml: YAML 1.2 read with the line of every value, comments kept.

Only what people write by hand comes here: the bank, the context, overrides of wording.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kobosmix.findings import Finding, Place

if TYPE_CHECKING:
    from pydantic import BaseModel
    from ruamel.yaml.nodes import Node

Path_ = tuple[str | int, ...]

# Hundreds of times what a large study writes.
_MOST_VALUES = 200_000

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "Y101": (
        "A file is not YAML, so it could not be read any further.",
        "Indent with spaces, not tabs; put text with a colon or a bracket in quotes.",
    ),
    "Y102": (
        "A key stands in one place twice. Which of the two counts cannot be known.",
        "Keep one of them.",
    ),
    "Y103": ("A file is not UTF-8 text.", "Save it as UTF-8."),
}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's content as plain Python values, and where each of them stands.

    `lines` maps the way to a value, as in `("groups", "turks", "role")`, to its line;
    `spelled` maps the way to what was typed, for values YAML does not take as text.
    """

    name: str
    content: Any
    lines: Mapping[Path_, int]
    spelled: Mapping[Path_, str]

    def place(self, way: Path_) -> Place:
        """Where to look for a value; the nearest one above it where it is missing."""
        at = way
        while at and at not in self.lines:
            at = at[:-1]
        return Place(self.name, self.lines.get(at, 1), ".".join(str(step) for step in way))


def read_yaml(path: Path) -> YamlFile | Finding:
    """Read a file; a fault that hides the rest of it comes back alone, as the one finding."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Finding(
            code="Y103",
            place=Place(path.name),
            problem="the file is not UTF-8 text, so nothing in it could be checked",
            remedy="Save it as UTF-8: in Notepad, 'Save as' and choose 'UTF-8' under Encoding.",
        )
    try:
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        return _syntax_fault(path.name, error)
    except YAMLError as error:
        # A character that no YAML may hold: it is known by its position, not by its line.
        before = text[: getattr(error, "position", 0)]
        return _unreadable(path.name, before.count("\n") + 1, "it holds an invisible character")
    except RecursionError:
        return _unreadable(path.name, 1, "its brackets are nested without end")
    lines, spelled = dict[Path_, int](), dict[Path_, str]()
    reader = _Reader(path.name, lines, spelled)
    try:
        content = reader.value(root, ()) if root is not None else {}
    except RecursionError:
        return _unreadable(path.name, 1, "its lists are nested without end")
    return reader.fault or YamlFile(path.name, content, lines, spelled)


def check_shape(
    file: YamlFile,
    model: type[BaseModel],
    code: str,
    patterns: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> list[Finding]:
    """Every place where the content is not what the model asks for, with a remedy for each.

    `patterns` says in words what a text is that fits a pattern, and how to make it fit.
    """
    from pydantic import ValidationError

    try:
        model.model_validate(file.content)
    except ValidationError as error:
        return [_shape_fault(file, fault, code, patterns) for fault in error.errors()]
    return []


class _Reader:
    """Turns YAML nodes into values, noting lines; keeps the first fault that hides the rest."""

    def __init__(self, name: str, lines: dict[Path_, int], spelled: dict[Path_, str]) -> None:
        self.name, self.lines, self.spelled = name, lines, spelled
        self.fault: Finding | None = None
        self._open = set[int]()
        self._values = 0

    def value(self, node: Node, way: Path_) -> Any:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        line = node.start_mark.line + 1
        self.lines.setdefault(way, line)
        self._values += 1
        if self._values > _MOST_VALUES:
            # A few aliases of aliases stand for more values than any machine holds.
            self.fault = self.fault or _unreadable(self.name, line, "its aliases never end")
            return None
        if id(node) in self._open:
            # An alias inside what it stands for: there is no end to it.
            self.fault = self.fault or _unreadable(self.name, line, "it contains itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, way)
            if isinstance(node, SequenceNode):
                return [self.value(child, (*way, n)) for n, child in enumerate(node.value)]
            return self._scalar(node, way)
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: Node, way: Path_) -> dict[str, Any]:
        content = dict[str, Any]()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node.value, str):
                what = "a list or a mapping cannot be a key"
                self.fault = self.fault or _unreadable(self.name, line, what)
                continue
            key = key_node.value
            if key in content and self.fault is None:
                self.fault = _duplicate_key(self.name, line, key, self.lines[(*way, key)])
            self.lines[(*way, key)] = line
            content[key] = self.value(value_node, (*way, key))
        return content

    def _scalar(self, node: Node, way: Path_) -> Any:
        tag = str(node.tag).rpartition(":")[2]
        text = str(node.value)
        if tag == "str":
            return text
        self.spelled[way] = text
        return _SCALARS.get(tag, str)(text)


def _integer(text: str) -> int | str:
    try:
        return int(text.replace("_", ""), 0) if text[:1] != "0" else int(text)
    except ValueError:
        return text


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _date(text: str) -> datetime.date | str:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return text


_SCALARS: Mapping[str, Any] = {
    "int": _integer,
    "float": _float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda _: None,
    "timestamp": _date,
}


def _duplicate_key(name: str, line: int, key: str, first: int) -> Finding:
    return Finding(
        code="Y102",
        place=Place(name, line, key),
        problem=f"the key '{key}' stands here a second time (first in line {first}); the rest of "
        "the file was not checked",
        remedy="Keep one of the two, then run the check again.",
    )


def _syntax_fault(name: str, error: Any) -> Finding:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = " ".join(str(getattr(error, "problem", None) or "it cannot be read").split())
    return _unreadable(name, mark.line + 1 if mark else 1, what)


def _unreadable(name: str, line: int, what: str) -> Finding:
    return Finding(
        code="Y101",
        place=Place(name, line),
        problem=f"this is not YAML ({what}); the rest of the file was not checked",
        remedy="Look at this line and the one above: indent with spaces, put text with a colon or "
        'a "[" at its start in quotes, close every quote and bracket.',
    )


def _shape_fault(
    file: YamlFile,
    fault: Mapping[str, Any],
    code: str,
    patterns: Mapping[str, tuple[str, str]],
) -> Finding:
    steps = [step for step in fault["loc"] if not str(step).startswith("function-")]
    # Pydantic's way of saying that the key is at fault, not what stands behind it.
    is_key = steps[-1:] == ["[key]"]
    way: Path_ = tuple(steps[:-1] if is_key else steps)
    while way and not _stands(file.content, way[:-1]):
        way = way[:-1]
    typed = None if is_key else file.spelled.get(way)
    problem, remedy = _in_words(fault, typed, _named(way), patterns)
    return Finding(code=code, place=file.place(way), problem=problem, remedy=remedy)


def _stands(content: Any, way: Sequence[str | int]) -> bool:
    for step in way:
        if isinstance(content, Mapping) and step in content:
            content = content[str(step)]
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return False
    return True


def _named(way: Path_) -> str:
    """What stands there, as a person would call it: 'minutes', or entry 2 of 'languages'."""
    if not way:
        return "the file"
    last = way[-1]
    if isinstance(last, int):
        return f"entry {last + 1} of '{way[-2]}'" if way[1:] else f"entry {last + 1}"
    return f"'{last}'"


# What a value has to be, by pydantic's name for the fault, and how to write it.
_WANTED: Mapping[str, tuple[str, str]] = {
    "string_type": (
        "text",
        "Write text behind it; with a colon or a bracket in it, in quotes.",
    ),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "int_type": ("a whole number", "Write digits only, without quotes."),
    "float_type": ("a number", "Write a number, without quotes."),
    "date_type": ("a date", "Write year, month and day, without quotes: 2026-05-31."),
    "dict_type": ("a list of named lines", "Write 'name: ...' lines below, indented further."),
    "model_type": ("a list of named lines", "Write 'name: ...' lines below, indented further."),
    "list_type": ("a list", "Write it in brackets, with commas: [one, two]."),
}


def _in_words(
    fault: Mapping[str, Any],
    typed: str | None,
    named: str,
    patterns: Mapping[str, tuple[str, str]],
) -> tuple[str, str]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        return f"{named} is missing", f"Add a line '{named[1:-1]}:' here."
    if kind == "extra_forbidden":
        return f"the key {named} is not known here", "Check its spelling and its indentation."
    if kind == "string_type" and typed:
        before = f"{named[1:-1]}: " if named.startswith("'") else ""
        return (
            f"{typed} is read as a number, a date or yes/no, but {named} is text",
            f'Put it in quotes: {before}"{typed}".',
        )
    if kind in _WANTED:
        wanted, remedy = _WANTED[kind]
        return f"{named} has to be {wanted}", remedy
    if kind in ("literal_error", "enum"):
        return f"'{fault['input']}' is not possible for {named}", f"Use {context['expected']}."
    if kind == "string_pattern_mismatch" and context["pattern"] in patterns:
        wanted, remedy = patterns[context["pattern"]]
        return f"'{fault['input']}' cannot stand here: {wanted}", remedy
    said = str(fault["msg"]).removeprefix("Value error, ")
    problem, _, remedy = said.partition(" | ")
    return f"{named}: {problem[:1].lower()}{problem[1:]}", remedy or f"Correct {named}."
