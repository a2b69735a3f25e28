"""What the bank holds, in the words of psychometrics: concepts, items, response scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

ALL_WAVES = ("pre", "post", "fu")
# With a wave before it ("post_") a name still fits the 32 characters of Stata.
LONGEST_NAME = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOption:
    """One point of a scale: its code and its label in English."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseScale:
    """Answers that belong together, in the order of their codes.

    `rated` marks the thirteen five-point scales of the toolkit.
    """

    id: str
    title: str
    kind: str
    rated: bool
    endpoints_only: bool
    options: tuple[ResponseOption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAnswer:
    """An answer that is not chosen from a list: a whole number between two limits, or text.

    `high` is None where the limit is the current year.
    """

    kind: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specify:
    """A short text asked for when one answer is chosen: 'another country: which?'."""

    id: str
    text: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question. Either `scale` names its response scale or `answer` says what is written.

    `named` is the variant used where the team calls the respondent's own group by its name.
    `reversed` means keyed against its concept. `position` is where the toolkit prints it.
    """

    id: str
    text: str
    intent: str
    position: str
    audience: str
    waves: tuple[str, ...]
    default: bool
    rated: bool
    scale: str = ""
    answer: OpenAnswer | None = None
    named: str = ""
    reversed: bool = False
    facet: str = ""
    asked_if: tuple[str, str] | None = None
    specify: Specify | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A part of a concept with a score and a desired direction of its own."""

    id: str
    title: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A construct and the items that measure it.

    `direction` is the desired direction of change of the score as it is stored (up, down, none;
    mixed where its facets differ). `per_group` means asked anew about each other group. What is
    `background` and asked before the programme only is asked later of those it is not known of.
    """

    id: str
    section: str
    title: str
    score_name: str
    measures: str
    direction: str
    audience: str
    waves: tuple[str, ...]
    core: bool
    default: bool
    sensitive: bool
    optional: bool
    background: bool
    per_group: bool
    seconds_per_item: int
    items: tuple[Item, ...]
    facets: tuple[Facet, ...] = ()
    instruction: str = ""
    screen: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A sentence of the form itself: who reads or hears it, and the English.

    `consent` marks what a person is told and asked before agreeing to take part.
    """

    id: str
    audience: str
    text: str
    consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NameForm:
    """One grammatical form a language asks for, and how to ask a speaker for it.

    `derive` names a rule and the form it starts from; empty where it must be given.
    """

    name: str
    ask: str
    derive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How a language is written and which name forms its sentences use.

    `register` says in English how people are addressed.

    `cldr` is its locale in the Unicode data; `alphabet` its letters in order, as names begin with
    them. `parent` is the language this one adapts, `script` the one its sentences are transliterated
    to. `phrases`: slot -> choice -> form -> phrase. `languages`: tag -> form -> name of a
    language. `groups`: usual group -> form -> name, for a speaker to confirm.
    """

    tag: str
    autonym: str
    english: str
    right_to_left: bool
    question_mark: str
    register: str
    forms: Mapping[str, NameForm]
    phrases: Mapping[str, Mapping[str, Mapping[str, str]]]
    languages: Mapping[str, Mapping[str, str]]
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parent: str = ""
    script: str = ""
    cldr: str = ""
    alphabet: tuple[str, ...] = ()

    def column_suffix(self, beside: Sequence[str] = ()) -> str:
        """What stands behind `label::` in a form: `Türkçe (tr)`.

        `beside` are the tags of the form. Form engines know bare language codes only, so the
        region or script is named only where the form has another variety of the language.
        """
        return f"{self.autonym} ({self.form_tag(beside)})"

    def form_tag(self, beside: Sequence[str] = ()) -> str:
        """By what a form engine knows the language in a form of the languages `beside`: `tr`."""
        primary = self.tag.partition("-")[0]
        alone = sum(tag.partition("-")[0] == primary for tag in beside) < 2  # noqa: PLR2004
        return primary if alone else self.tag


@dataclass(frozen=True)
class Bank:
    """Everything a questionnaire can be made of."""

    version: str
    concepts: Mapping[str, Concept]
    scales: Mapping[str, ResponseScale]
    lists: Mapping[str, ResponseScale]
    texts: Mapping[str, Text]
    languages: Mapping[str, Language]

    def items(self) -> Iterator[tuple[Concept, Item]]:
        """Every item with its concept, in the bank's order."""
        for concept in self.concepts.values():
            for item in concept.items:
                yield concept, item

    def lineage(self, tag: str) -> tuple[Language, ...]:
        """The language, after the ones it is an adaptation of; empty for an unknown one."""
        language = self.languages.get(tag)
        if language is None:
            return ()
        return (*self.lineage(language.parent), language)

    @cached_property
    def card_numbers(self) -> dict[str, int]:
        """The number of the show card of each rated scale, the same in every study and form."""
        rated = (scale.id for scale in self.scales.values() if scale.rated)
        return {id_: number for number, id_ in enumerate(rated, start=1)}

    @cached_property
    def sentences(self) -> dict[str, str]:
        """Every sentence that is translated: key (msgctxt of the catalogues) to English."""
        found = {f"text.{text.id}": text.text for text in self.texts.values()}
        for scale in (*self.scales.values(), *self.lists.values()):
            found |= {f"scale.{scale.id}.{o.value}": o.label for o in scale.options}
        for concept, item in self.items():
            if concept.instruction:
                found[f"concept.{concept.id}.instruction"] = concept.instruction
            found[f"item.{item.id}"] = item.text
            if item.named:
                found[f"item.{item.id}@named"] = item.named
            if item.specify:
                found[f"item.{item.specify.id}"] = item.specify.text
        return found

    @cached_property
    def notes(self) -> dict[str, str]:
        """What a translator should know about a sentence, by key: who hears it, what is meant."""
        found = {f"text.{text.id}": f"for: {text.audience}" for text in self.texts.values()}
        for concept, item in self.items():
            found[f"item.{item.id}"] = item.intent
            if item.named:
                found[f"item.{item.id}@named"] = item.intent
            if concept.instruction:
                found[f"concept.{concept.id}.instruction"] = concept.measures
            if item.specify:
                found[f"item.{item.specify.id}"] = f"asked when '{item.id}' was answered so"
        return found
