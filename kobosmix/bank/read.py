"""From the files in item_templates/ to a `Bank`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobosmix.bank.adaptation import whole_language
from kobosmix.bank.check import OWN, OWN_CONCEPTS, OWN_SCALES, TEXT_FILES, check_bank
from kobosmix.bank.model import (
    ALL_WAVES,
    Bank,
    Concept,
    Facet,
    Item,
    Language,
    NameForm,
    OpenAnswer,
    ResponseOption,
    ResponseScale,
    Specify,
    Text,
)
from kobosmix.errors import InputError
from kobosmix.findings import Finding, Place, in_order
from kobosmix.yamlfile import YamlFile, check_shape, read_yaml

if TYPE_CHECKING:
    from pydantic import BaseModel


# A whole number without a limit of its own still fits every table.
_HIGHEST = 999_999_999


def read_bank(folder: Path, own: Path | None = None) -> Bank:
    """The bank in this folder, with the concepts and scales a team added in a folder of its own.

    Everything wrong with them is raised at once as an InputError. Files that have not changed since
    are not read again in one run.
    """
    return _read_once(folder, own, _state_of(folder), _state_of(own))


def _state_of(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Each file with its time and size: what tells whether anything has changed."""
    files = sorted(folder.rglob("*.yaml")) if folder else []
    states = ((str(file), file.stat()) for file in files)
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)


@lru_cache(maxsize=4)
def _read_once(folder: Path, own: Path | None, *_states: object) -> Bank:
    from kobosmix.bank import shape

    findings, files = list[Finding](), dict[str, YamlFile]()
    concept_names = sorted(f"concepts/{p.name}" for p in (folder / "concepts").glob("*.yaml"))
    language_names = sorted(
        f"languages/{p.name}" for p in (folder / "languages").glob("*.yaml")
    )
    shapes: dict[str, type[BaseModel]] = {
        "bank.yaml": shape.BankFile,
        "scales.yaml": shape.ScalesFile,
        **dict.fromkeys(TEXT_FILES, shape.TextsFile),
        **dict.fromkeys(concept_names, shape.ConceptsFile),
        **dict.fromkeys(language_names, shape.LanguageFile),
    }
    for name, model in shapes.items():
        findings += _read(folder, name, model, files)
    if own is not None:
        findings += _read_own(own, files)
    if not findings:
        findings += check_bank(files)
    if findings:
        raise InputError(in_order(findings))
    concept_names += [name for name in files if name.startswith(OWN_CONCEPTS)]
    return _bank(files, concept_names, language_names)


def _read_own(folder: Path, files: dict[str, YamlFile]) -> list[Finding]:
    """A team's own concepts and scales, under names that say where they lie."""
    from kobosmix.bank import shape

    findings = list[Finding]()
    for path in sorted((folder / "concepts").glob("*.yaml")):
        findings += _read(
            folder, f"concepts/{path.name}", shape.ConceptsFile, files, prefix=OWN
        )
    if (folder / "scales.yaml").is_file():
        findings += _read(folder, "scales.yaml", shape.ScalesFile, files, prefix=OWN)
    return findings


def _read(
    folder: Path,
    name: str,
    model: type[BaseModel],
    files: dict[str, YamlFile],
    prefix: str = "",
) -> list[Finding]:
    if not (folder / name).is_file():
        return [_absent(name)]
    file = read_yaml(folder / name)
    if isinstance(file, Finding):
        return [file]
    files[prefix + name] = file
    return check_shape(file, model, "B101")


def _absent(name: str) -> Finding:
    return Finding(
        code="B100",
        place=Place(name),
        problem="the item bank has no such file",
        remedy="Put it back, or install kobosmix again.",
    )


def _bank(
    files: Mapping[str, YamlFile], concept_names: list[str], language_names: list[str]
) -> Bank:
    scales = {
        each["id"]: _scale(each)
        for name in ("scales.yaml", OWN_SCALES)
        if name in files
        for each in files[name].content["scales"]
    }
    concepts = [
        _concept(each, scales)
        for name in concept_names
        for each in files[name].content["concepts"]
    ]
    texts, lists = (
        [each for name in TEXT_FILES for each in files[name].content[key]]
        for key in ("texts", "lists")
    )
    return Bank(
        version=files["bank.yaml"].content["version"],
        concepts={concept.id: concept for concept in concepts},
        scales=scales,
        lists={each["id"]: _scale(each) for each in lists},
        texts={
            each["id"]: Text(
                id=each["id"],
                audience=each["for"],
                text=each["text"],
                consent=each.get("consent", False),
            )
            for each in texts
        },
        languages=_languages(files, language_names),
    )


def _scale(content: Mapping[str, Any]) -> ResponseScale:
    return ResponseScale(
        id=content["id"],
        title=content.get("title", ""),
        kind=content.get("kind", "nominal"),
        rated=content.get("rated", False),
        endpoints_only=content.get("endpoints_only", False),
        options=tuple(
            ResponseOption(value=each["value"], label=each["label"])
            for each in content["options"]
        ),
    )


def _concept(content: Mapping[str, Any], scales: Mapping[str, ResponseScale]) -> Concept:
    return Concept(
        id=content["id"],
        section=content["section"],
        title=content["title"],
        score_name=content["score_name"],
        measures=content["measures"],
        direction=content["direction"],
        audience=content.get("audience", "all"),
        waves=tuple(content.get("waves", ALL_WAVES)),
        core=content.get("core", False),
        default=content.get("default", True),
        sensitive=content.get("sensitive", False),
        optional=content.get("optional", False),
        background=content.get("background", False),
        per_group=content.get("about", "none") == "group",
        seconds_per_item=content.get("seconds_per_item", 12),
        items=tuple(_item(each, content, scales) for each in content["items"]),
        facets=tuple(Facet(**each) for each in content.get("facets", ())),
        instruction=content.get("instruction", ""),
        screen=content.get("screen", ""),
        needs=content.get("needs", ""),
    )


def _item(
    content: Mapping[str, Any],
    concept: Mapping[str, Any],
    scales: Mapping[str, ResponseScale],
) -> Item:
    scale, route = content.get("scale", ""), content.get("asked_if")
    return Item(
        id=content["id"],
        text=content["text"],
        intent=content.get("intent", ""),
        position=content.get("position", ""),
        audience=content.get("audience", concept.get("audience", "all")),
        waves=tuple(content.get("waves", concept.get("waves", ALL_WAVES))),
        default=content.get("default", True),
        rated=bool(scale) and scales[scale].rated,
        scale=scale,
        answer=_answer(content["answer"]) if "answer" in content else None,
        named=content.get("named", ""),
        reversed=content.get("reversed", False),
        facet=content.get("facet", ""),
        asked_if=(route["item"], route["equals"]) if route else None,
        specify=Specify(**content["specify"]) if "specify" in content else None,
    )


def _answer(content: Mapping[str, Any]) -> OpenAnswer:
    high = content.get("max", _HIGHEST)
    return OpenAnswer(
        kind=content["kind"],
        low=content.get("min", 0),
        high=None if high == "this_year" else high,
    )


def _languages(files: Mapping[str, YamlFile], names: list[str]) -> dict[str, Language]:
    contents = {files[name].content["tag"]: files[name].content for name in names}
    return {tag: _language(whole_language(tag, contents)) for tag in contents}


def _language(content: Mapping[str, Any]) -> Language:
    return Language(
        tag=content["tag"],
        autonym=content["autonym"],
        english=content["english"],
        right_to_left=content["direction"] == "rtl",
        question_mark=content["question_mark"],
        register=content["register"],
        forms={
            name: NameForm(name=name, ask=each["ask"], derive=tuple(each.get("derive", ())))
            for name, each in content["forms"].items()
        },
        phrases=content.get("phrases", {}),
        languages=content.get("languages", {}),
        groups=content.get("groups", {}),
        parent=content.get("parent", ""),
        script=content.get("script", ""),
        cldr=content["cldr"],
        alphabet=tuple(content.get("alphabet", "").split()),
    )
