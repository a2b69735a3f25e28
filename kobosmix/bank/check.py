"""Rules that hold between the entries of the bank. Shapes are checked before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kobosmix.bank.adaptation import whole_language
from kobosmix.bank.model import LONGEST_NAME
from kobosmix.bank.slot_check import slot_problem
from kobosmix.codebook import DONT_KNOW, REFUSED
from kobosmix.findings import Finding
from kobosmix.yamlfile import Path_, YamlFile

# What forms say besides the items, and what stands on paper only.
TEXT_FILES = ("texts.yaml", "printed.yaml")

# A team's own files, under names that cannot be those of the bank.
OWN = "own "
OWN_CONCEPTS, OWN_SCALES = f"{OWN}concepts/", f"{OWN}scales.yaml"
_OWN_ID = "own_"

# How a form is derived from another: the rule, the form it starts from, the suffix.
_RULES: Mapping[str, str] = {"same": "same FORM", "tr_suffix": "tr_suffix FORM SUFFIX"}

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "B100": ("A file of the item bank is missing.", "Restore it or install kobosmix again."),
    "B101": ("An entry of the bank does not have the shape it must have.", "See the message."),
    "B102": (
        "Two entries of the bank have one id. Ids become variable names, so data would mix.",
        "Give each its own id. Answers already collected keep the old one.",
    ),
    "B103": ("An entry points to another that is not there.", "Correct the name it points to."),
    "B104": (
        "A sentence has a slot the languages do not know, or a stray bracket.",
        "Slots look like [group.pl]; a literal bracket is doubled: [[.",
    ),
    "B105": ("A name is too long for the statistics programs.", "Use at most 26 characters."),
    "B106": ("The direction of a score contradicts its facets.", "See the message."),
    "B108": (
        "A concept, item or scale of a team's own looks like one of the bank's.",
        "Let its id begin with own_ and its section be 'own'.",
    ),
    "B109": (
        "A scale of a team's own has a code that stands for 'does not know' or 'prefers not to say'.",
        "Use other codes; interviews offer these two by themselves.",
    ),
    "B107": (
        "A language file contradicts the Unicode locale data about its direction.",
        "Correct 'direction'; a wrong one turns every form of that language round.",
    ),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something in a file with an id, and the way to it."""

    file: YamlFile
    way: Path_
    content: Mapping[str, Any]

    def finding(self, code: str, problem: str, remedy: str, *below: str) -> Finding:
        place = self.file.place((*self.way, *below))
        return Finding(code=code, place=place, problem=problem, remedy=remedy)


def check_bank(files: Mapping[str, YamlFile]) -> Iterator[Finding]:
    """Everything that is wrong between the entries."""
    faults = list(check_parents(files))
    if faults:
        yield from faults
        return
    entries = _Entries(files)
    rules: tuple[Callable[[_Entries], Iterator[Finding]], ...] = (
        check_ids_are_unique,
        check_names_fit,
        check_references,
        check_facets,
        check_slots,
        check_direction_of_writing,
        check_codes,
        check_own_ids,
        check_own_codes,
        check_derivations,
        check_phrase_forms,
    )
    for rule in rules:
        yield from rule(entries)


class _Entries:
    """The entries of all files, by kind."""

    def __init__(self, files: Mapping[str, YamlFile]) -> None:
        concept_files = [
            file for name, file in files.items() if name.startswith(("concepts/", OWN_CONCEPTS))
        ]
        own = [file for name, file in files.items() if name.startswith(OWN_CONCEPTS)]
        self.own = [e for file in own for e in _listed(file, "concepts")]
        self.own_scales = list(_own_scales(files))
        self.concepts = [e for file in concept_files for e in _listed(file, "concepts")]
        self.items = [item for concept in self.concepts for item in _below(concept, "items")]
        self.scales = [*_listed(files["scales.yaml"], "scales"), *self.own_scales]
        self.texts = [e for name in TEXT_FILES for e in _listed(files[name], "texts")]
        self.lists = [e for name in TEXT_FILES for e in _listed(files[name], "lists")]
        self.languages = list(_languages(files))

    def specified(self) -> list[_Entry]:
        return [
            _Entry(item.file, (*item.way, "specify"), item.content["specify"])
            for item in self.items
            if "specify" in item.content
        ]


def check_parents(files: Mapping[str, YamlFile]) -> Iterator[Finding]:
    """An adaptation names a language that is no adaptation of it in turn."""
    entries = [_Entry(f, (), f.content) for n, f in files.items() if n.startswith("languages/")]
    parents = {e.content["tag"]: e.content.get("parent", "") for e in entries}
    for entry in entries:
        line = [entry.content["tag"]]
        while parents.get(line[-1]) and len(line) <= len(parents):
            line.append(parents[line[-1]])
        if line[-1] not in parents or len(line) > len(parents):
            problem = f"it has no language to adapt: {' < '.join(line)}"
            yield entry.finding("B103", problem, "Name a language of the bank.", "parent")


def check_ids_are_unique(entries: _Entries) -> Iterator[Finding]:
    """An id names one concept, one variable, one scale or one text."""
    kinds = {
        "concept": entries.concepts,
        "item": [*entries.items, *entries.specified()],
        "scale": [*entries.scales, *entries.lists],
        "text": entries.texts,
        "language": entries.languages,
    }
    for kind, several in kinds.items():
        first = dict[str, _Entry]()
        key = "tag" if kind == "language" else "id"
        for entry in several:
            name = entry.content[key]
            before = first.setdefault(name, entry)
            if before is not entry:
                where = before.file.place((*before.way, key))
                yield entry.finding(
                    "B102",
                    f"the {kind} {key} '{name}' is used already, in {where.file}:{where.line}",
                    "Give each its own id; answers already collected keep the old one.",
                    key,
                )


def check_names_fit(entries: _Entries) -> Iterator[Finding]:
    """With a wave before it and a group behind it a name still fits 32 characters."""
    for entry in [*entries.items, *entries.specified()]:
        if len(entry.content["id"]) > LONGEST_NAME:
            yield entry.finding(
                "B105",
                f"'{entry.content['id']}' is longer than {LONGEST_NAME} characters",
                "Shorten it.",
                "id",
            )


def check_references(entries: _Entries) -> Iterator[Finding]:
    """Scales, facets, items and answers that are named are there."""
    scales = {
        entry.content["id"]: {option["value"] for option in entry.content["options"]}
        for entry in entries.scales
    }
    for concept in entries.concepts:
        facets = {facet["id"] for facet in concept.content.get("facets", ())}
        scale_of = {i["id"]: i.get("scale") for i in concept.content["items"]}
        for item in _below(concept, "items"):
            yield from _check_item_references(item, scales, facets, scale_of)


def _check_item_references(
    item: _Entry,
    scales: Mapping[str, set[str]],
    facets: set[str],
    scale_of: Mapping[str, str | None],
) -> Iterator[Finding]:
    content = item.content
    scale = content.get("scale")
    if scale and scale not in scales:
        yield item.finding("B103", f"there is no scale '{scale}'", "Correct the name.", "scale")
    if content.get("facet") and content["facet"] not in facets:
        yield item.finding(
            "B103", f"no facet '{content['facet']}'", "Correct the name.", "facet"
        )
    specify = content.get("specify")
    if specify and specify["when"] not in scales.get(scale or "", ()):
        yield item.finding(
            "B103",
            f"the item has no answer '{specify['when']}'",
            "Name one of its codes.",
            "specify",
            "when",
        )
    route = content.get("asked_if")
    if route and route["equals"] not in scales.get(scale_of.get(route["item"]) or "", ()):
        yield item.finding(
            "B103",
            f"'{route['item']} = {route['equals']}' can never be true",
            "Name an item of the same concept and one of its codes.",
            "asked_if",
        )


def check_facets(entries: _Entries) -> Iterator[Finding]:
    """A concept is 'mixed' exactly where it has facets of different direction."""
    for concept in entries.concepts:
        directions = {facet["direction"] for facet in concept.content.get("facets", ())}
        if (concept.content["direction"] == "mixed") != (len(directions) > 1):
            yield concept.finding(
                "B106",
                f"direction is '{concept.content['direction']}', the facets' directions are "
                f"{', '.join(sorted(directions)) or 'none'}",
                "Use 'mixed' where facets differ, and only there.",
                "direction",
            )


def check_slots(entries: _Entries) -> Iterator[Finding]:
    """Every slot of an English sentence has a form that English knows."""
    forms = next(
        (set(e.content["forms"]) for e in entries.languages if e.content["tag"] == "en"),
        set[str](),
    )
    worded = [
        (entry, "text") for entry in (*entries.items, *entries.texts, *entries.specified())
    ]
    worded += [(entry, "named") for entry in entries.items if entry.content.get("named")]
    worded += [(e, "instruction") for e in entries.concepts if e.content.get("instruction")]
    for entry, key in worded:
        problem = slot_problem(entry.content[key], forms)
        if problem:
            yield entry.finding(
                "B104",
                problem,
                "Slots look like [group.pl]; the forms are those in the language's own file.",
                key,
            )


def check_direction_of_writing(entries: _Entries) -> Iterator[Finding]:
    """The direction agrees with the Unicode locale data, where that knows the language."""
    from babel import Locale, UnknownLocaleError

    for language in entries.languages:
        if language.content.get("parent") and not {"direction", "cldr"} & set(
            language.file.content
        ):
            continue
        try:
            order = Locale.parse(language.content["cldr"]).character_order
        except (UnknownLocaleError, ValueError):
            problem = f"the Unicode locale data have no locale '{language.content['cldr']}'"
            yield language.finding("B107", problem, "Name a related one they have.", "cldr")
            continue
        if (order == "right-to-left") != (language.content["direction"] == "rtl"):
            yield language.finding(
                "B107",
                f"'{language.content['tag']}' is written {order}",
                "Correct it.",
                "direction",
            )


def check_codes(entries: _Entries) -> Iterator[Finding]:
    """The answers of a scale have different codes."""
    for scale in (*entries.scales, *entries.lists):
        codes = [option["value"] for option in scale.content["options"]]
        for number, code in enumerate(codes):
            if code in codes[:number]:
                yield _Entry(scale.file, (*scale.way, "options", number), {}).finding(
                    "B102",
                    f"the code '{code}' is used twice in this scale",
                    "Change one of them.",
                )


def check_own_codes(entries: _Entries) -> Iterator[Finding]:
    """98 and 99 are not answers of a scale: every list gets them for what is not answered."""
    for scale in entries.own_scales:
        for number, option in enumerate(scale.content["options"]):
            if option["value"] in (DONT_KNOW, REFUSED):
                yield _Entry(scale.file, (*scale.way, "options", number), {}).finding(
                    "B109",
                    f"the code {option['value']} stands for a missing answer in every list",
                    "Give the answer another code, or leave it out if it is 'does not know'.",
                )


def check_own_ids(entries: _Entries) -> Iterator[Finding]:
    """Ids of a team's own begin with own_, so that no later bank can have the same."""
    own = [*entries.own, *entries.own_scales]
    own += [item for concept in entries.own for item in _below(concept, "items")]
    for entry in own:
        if not entry.content["id"].startswith(_OWN_ID):
            yield entry.finding(
                "B108",
                f"'{entry.content['id']}' is an id of your own",
                f"Let it begin with {_OWN_ID}: '{_OWN_ID}{entry.content['id']}'.",
                "id",
            )
    for concept in entries.own:
        if concept.content["section"] != "own":
            yield concept.finding(
                "B108",
                "a concept of your own is in no section of the toolkit",
                "Write 'section: own'.",
                "section",
            )


def check_derivations(entries: _Entries) -> Iterator[Finding]:
    """A form is derived by a known rule from a form that is given."""
    for language in entries.languages:
        forms = language.content["forms"]
        for name, form in forms.items():
            rule = form.get("derive")
            if rule and not _is_derivation(rule, forms):
                yield language.finding(
                    "B103",
                    f"'{name}' cannot be derived by {rule}",
                    f"Use one of: {', '.join(_RULES.values())}; FORM is one that is not derived.",
                    *("forms", name, "derive"),
                )


def _is_derivation(rule: list[str], forms: Mapping[str, Any]) -> bool:
    return (
        rule[0] in _RULES
        and len(rule) == len(_RULES[rule[0]].split())
        and rule[1] in forms
        and not forms[rule[1]].get("derive")
    )


def check_phrase_forms(entries: _Entries) -> Iterator[Finding]:
    """A ready phrase, and the name of a language, is given in forms the language has."""
    for language in entries.languages:
        for key in ("phrases", "languages", "groups"):
            for way, form in _forms_given(language.content.get(key, {}), (key,)):
                if form not in language.content["forms"]:
                    yield language.finding(
                        "B104", f"the language has no form '{form}'", "Correct it.", *way
                    )


def _forms_given(
    content: Mapping[str, Any], way: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, below in content.items():
        if isinstance(below, Mapping):
            yield from _forms_given(below, (*way, key))
        else:
            yield (*way, key), key


def _languages(files: Mapping[str, YamlFile]) -> Iterator[_Entry]:
    """The language files, each whole: an adaptation with all it takes from its parent."""
    named = [file for name, file in files.items() if name.startswith("languages/")]
    contents = {file.content["tag"]: file.content for file in named}
    for file in named:
        yield _Entry(file, (), whole_language(file.content["tag"], contents))


def _listed(file: YamlFile, key: str) -> Iterator[_Entry]:
    for number, content in enumerate(file.content[key]):
        yield _Entry(file, (key, number), content)


def _own_scales(files: Mapping[str, YamlFile]) -> Iterator[_Entry]:
    if OWN_SCALES in files:
        yield from _listed(files[OWN_SCALES], "scales")


def _below(entry: _Entry, key: str) -> Iterator[_Entry]:
    for number, content in enumerate(entry.content[key]):
        yield _Entry(entry.file, (*entry.way, key, number), content)
