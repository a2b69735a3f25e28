"""From context.yaml to a `Context`, with everything that is wrong with the file."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobosmix.bank.model import Bank
from kobosmix.context.check import check_context
from kobosmix.context.model import (
    REGISTER,
    Context,
    Group,
    Indicator,
    Phrase,
    Unsigned,
    Wave,
    Window,
)
from kobosmix.findings import Finding, in_order
from kobosmix.yamlfile import Path_, YamlFile, check_shape, read_yaml

_ROUNDS = 12
# Pydantic's way of saying that a key is at fault, not what stands behind it.
_KEY = "[key]"


@dataclass(frozen=True, slots=True)
class ContextReading:
    """What came of reading: the file with its lines, the findings, and the context.

    With errors among the findings the context is a best guess, good for checking the rest and
    for nothing else; it is None where not even that was possible.
    """

    findings: tuple[Finding, ...]
    context: Context | None = None
    file: YamlFile | None = None


def read_context(path: Path, bank: Bank) -> ContextReading:
    """Read and check context.yaml against the bank: every finding at once."""
    from kobosmix.context.shape import PATTERNS, ContextFile

    file = read_yaml(path)
    if isinstance(file, Finding):
        return ContextReading((file,))
    findings = check_shape(file, ContextFile, "C101", PATTERNS)
    content = _whole(file.content) if findings else file.content
    if content is None:
        return ContextReading(tuple(in_order(findings)), None, file)
    context = _context(content)
    findings += check_context(context, file, bank)
    return ContextReading(tuple(in_order(_once(findings))), context, file)


def _once(findings: list[Finding]) -> list[Finding]:
    """Leave out what only follows from a fault of the shape in the same line."""
    shape = {f.place.line for f in findings if f.code == "C101"}
    return [f for f in findings if f.code == "C101" or f.place.line not in shape]


def _whole(content: Any) -> dict[str, Any] | None:
    """The content without what is wrong, and with stand-ins for what is missing."""
    if not isinstance(content, Mapping):
        return None
    mended: dict[str, Any] = copy.deepcopy(dict(content))
    stood_in = set[Path_]()
    for _ in range(_ROUNDS):
        faults = [
            (way, missing)
            for way, missing in _faults(mended)
            if not any(way[:length] in stood_in for length in range(1, len(way) + 1))
        ]
        if not faults:
            return mended
        for way, missing in faults:
            if way[-1] == _KEY:
                _below_all(mended, way[:-2]).pop(way[-2], None)
            else:
                _mend(mended, way, stood_in, missing=missing)
    return None


def _faults(content: Mapping[str, Any]) -> list[tuple[Path_, bool]]:
    """The way to each thing wrong with the shape, and whether it is that something is missing."""
    from pydantic import ValidationError

    from kobosmix.context.shape import ContextFile

    try:
        ContextFile.model_validate(content)
    except ValidationError as error:
        return [(fault["loc"], fault["type"] == "missing") for fault in error.errors()]
    return []


def _mend(content: dict[str, Any], way: Path_, stood_in: set[Path_], *, missing: bool) -> None:
    """Put a stand-in where the way leads, or take out what stands there, or what holds it."""
    holder: Any = content
    for depth, step in enumerate(way, start=1):
        below = _below(holder, step)
        if depth == len(way) or not isinstance(below, (dict, list)):
            if not _replace(holder, way[:depth], stood_in, missing=missing) and depth > 1:
                _mend(content, way[: depth - 1], stood_in, missing=False)
            return
        holder = below


def _below_all(holder: Any, way: Path_) -> Any:
    for step in way:
        holder = _below(holder, step)
    return holder


def _below(holder: Any, step: str | int) -> Any:
    if isinstance(holder, list):
        return holder[step] if isinstance(step, int) and step < len(holder) else None
    return holder.get(step)


def _replace(holder: Any, way: Path_, stood_in: set[Path_], *, missing: bool) -> bool:
    from kobosmix.context.shape import STAND_INS

    for pattern, stand_in in STAND_INS.items():
        if len(pattern) == len(way) and all(
            wanted in ("*", step) for wanted, step in zip(pattern, way, strict=True)
        ):
            holder[way[-1]] = copy.deepcopy(stand_in)
            stood_in.add(way)
            return True
    return not missing and isinstance(holder, dict) and holder.pop(way[-1], None) is not None


def _context(content: Mapping[str, Any]) -> Context:
    languages = content["languages"]
    newcomers = content.get("newcomers")
    return Context(
        study=content["study"],
        title=content["title"],
        organisation=content["organisation"],
        programme=content["programme"],
        community=content["community"],
        country=_phrase(content["country"]),
        newcomers=_phrase(newcomers) if newcomers else None,
        languages=tuple(tag for tag, state in languages.items() if state == "use"),
        language_names=content.get("language_names", {}),
        preparing=tuple(tag for tag, state in languages.items() if state == "preparing"),
        groups={id_: _group(id_, each) for id_, each in content["groups"].items()},
        own_group=content["own_group"],
        waves={id_: _wave(id_, each or {}) for id_, each in content["waves"].items()},
        cohorts=content.get("cohorts", {}),
        sites=content["sites"],
        partners=content.get("partners", {}),
        design=content["design"]["type"],
        random=content["design"]["random"],
        arms=content.get("arms", {}),
        concepts=tuple(content["concepts"]),
        ask={id_: tuple(roles) for id_, roles in content.get("ask", {}).items()},
        mode=content["mode"],
        minutes=content["minutes"],
        withdrawal=content["contacts"]["withdrawal"],
        withdrawal_until=content["contacts"]["withdrawal_until"],
        complaints=content["contacts"]["complaints"],
        help=content["contacts"].get("help", {}),
        compensation=content["compensation"].get("text", {}),
        age_of_consent=content["age_of_consent"],
        minors=content["minors"] == "include",
        indicators=tuple(_indicator(each) for each in content.get("indicators", ())),
        unsigned_wording=_unsigned(content.get("unsigned_wording")),
        id_method=content.get("id_method", REGISTER),
        item_seed=(content.get("item_order") or {}).get("seed"),
        **{name: content[name] for name in ("server", "entities") if name in content},
    )


def _unsigned(content: Mapping[str, Any] | None) -> Unsigned | None:
    return Unsigned(by=content["by"], reason=content["reason"]) if content else None


def _phrase(content: Mapping[str, Any]) -> Phrase:
    return Phrase(use=content.get("use", ""), names=content.get("names", {}))


def _group(id_: str, content: Mapping[str, Any]) -> Group:
    return Group(
        id=id_,
        role=content["role"],
        languages=tuple(content["languages"]),
        speaks=content["speaks"],
        asked_about=tuple(content["asked_about"]),
        names=content.get("names", {}),
        use=content.get("use", ""),
    )


def _wave(id_: str, content: Mapping[str, Any]) -> Wave:
    windows = content.get("windows", {})
    return Wave(id=id_, windows={cohort: Window(**each) for cohort, each in windows.items()})


def _indicator(content: Mapping[str, Any]) -> Indicator:
    return Indicator(
        id=content["id"],
        title=content["title"],
        item=content["item"],
        answers=tuple(content["answers"]),
        group=content["group"],
        baseline=content.get("baseline"),
        target=content.get("target"),
    )
