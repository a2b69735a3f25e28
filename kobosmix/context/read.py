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
    Context,
    Group,
    Indicator,
    Phrase,
    Wave,
    Window,
)
from kobosmix.findings import Finding, in_order
from kobosmix.yamlfile import YamlFile, check_shape, read_yaml

_ROUNDS = 12


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
    from kobosmix.context.shape import ContextFile

    file = read_yaml(path)
    if isinstance(file, Finding):
        return ContextReading((file,))
    findings = check_shape(file, ContextFile, "C101")
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
    from pydantic import ValidationError

    from kobosmix.context.shape import ContextFile

    if not isinstance(content, Mapping):
        return None
    mended: dict[str, Any] = copy.deepcopy(dict(content))
    for _ in range(_ROUNDS):
        try:
            ContextFile.model_validate(mended)
        except ValidationError as error:
            for fault in error.errors():
                if not _mend(mended, fault["loc"], missing=fault["type"] == "missing"):
                    return None
        else:
            return mended
    return None


def _mend(content: dict[str, Any], way: tuple[str | int, ...], *, missing: bool) -> bool:
    from kobosmix.context.shape import STAND_INS

    holder: Any = content
    for step in way[:-1]:
        below = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(below, dict):
            # A fault inside a list, or under something that is itself wrong: drop that whole.
            return _drop(holder, step)
        holder = below
    key = way[-1]
    if not isinstance(holder, dict):
        return False
    if key in STAND_INS and (missing or key in holder):
        holder[key] = copy.deepcopy(STAND_INS[str(key)])
        return True
    return (not missing and _drop(holder, key)) or (len(way) > 1 and _drop_above(content, way))


def _drop(holder: Any, step: str | int) -> bool:
    from kobosmix.context.shape import STAND_INS

    if not isinstance(holder, dict) or step not in holder:
        return False
    if step in STAND_INS:
        holder[step] = copy.deepcopy(STAND_INS[str(step)])
    else:
        del holder[step]
    return True


def _drop_above(content: dict[str, Any], way: tuple[str | int, ...]) -> bool:
    holder: Any = content
    for step in way[:-2]:
        holder = holder[step]
    return _drop(holder, way[-2])


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
        complaints=content["contacts"]["complaints"],
        age_of_consent=content["age_of_consent"],
        minors=content["minors"] == "include",
        indicators=tuple(_indicator(each) for each in content.get("indicators", ())),
        server=content.get("server", ""),
    )


def _phrase(content: Mapping[str, Any]) -> Phrase:
    return Phrase(use=content.get("use", ""), names=content.get("names", {}))


def _group(id_: str, content: Mapping[str, Any]) -> Group:
    return Group(
        id=id_,
        role=content["role"],
        languages=tuple(content["languages"]),
        speaks=content["speaks"],
        asked_about=tuple(content["asked_about"]),
        names=content["names"],
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
