"""Sentences as a respondent meets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kobosmix.bank.adaptation import inherited
from kobosmix.bank.model import Bank, Language
from kobosmix.context.model import Context
from kobosmix.findings import Finding
from kobosmix.slots import Slot, fill
from kobosmix.wording.adopted import read_adopted
from kobosmix.wording.catalogue import SOURCE, Catalogue, check_catalogue, read_catalogue
from kobosmix.wording.names import Bearer, Found, Lacking, find_name
from kobosmix.wording.overrides import Override, read_overrides

# Where a sentence stands: language, key, respondent group, group asked about.
Way = tuple[str, str, str, str]
# What went into the slots of a sentence: `group.acc_pl` and the name.
Inserted = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MissingText:
    """A sentence without translation."""

    tag: str
    key: str


@dataclass(frozen=True, slots=True)
class MissingForm:
    """A name form that a sentence asks for and nobody gave.

    `bearer` is the group or the language that is meant, if any.
    """

    tag: str
    slot: str
    form: str
    bearer: str
    key: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A name form that no speaker has confirmed: `rule` says where it comes from."""

    tag: str
    slot: str
    form: str
    bearer: str
    text: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One sentence as the forms of one group say it, with everything that went into it.

    `source` and `template` are the English and the translation with their slots; `names` holds
    what was put into each slot of the translation, `counts` what the place in the form put there;
    `translated_from` is the English the translation was made from. `text` is empty where there is
    no translation.
    """

    way: Way
    source: str
    template: str
    translated_from: str
    names: Inserted
    counts: Inserted
    text: str
    is_override: bool = False
    lacks_names: bool = False


@dataclass
class Wording:
    """Renders sentences and keeps what went into them and what they lacked.

    A missing piece is shown as ⟦form?⟧ in what is returned; nothing may be fielded while
    `missing_texts` or `missing_forms` hold anything. `published` are the keys whose English is
    the published one.
    """

    bank: Bank
    context: Context
    catalogues: Mapping[str, Catalogue]
    findings: tuple[Finding, ...] = ()
    overrides: Mapping[Way, Override] = field(default_factory=dict)
    published: frozenset[str] = frozenset()
    missing_texts: set[MissingText] = field(default_factory=set)
    missing_forms: set[MissingForm] = field(default_factory=set)
    derived: set[Derived] = field(default_factory=set)
    renderings: dict[Way, Rendering] = field(default_factory=dict)

    def render(
        self,
        key: str,
        languages: tuple[str, ...],
        group: str,
        about: str = "",
        **counts: str,
    ) -> dict[str, str]:
        """The sentence in each of these languages, for this group, about that other one.

        `counts` are values of [study.*] slots that the place in the form decides.
        """
        bearer = Bearer(self.bank, self.context, group, about, counts)
        return {tag: self._sentence(key, tag, bearer) for tag in languages}

    def source(self, key: str) -> str:
        """The English that is asked in this study, with its slots."""
        own = self.catalogues.get(SOURCE)
        message = own.messages.get(key) if own else None
        return message.text if message else self.bank.sentences[key]

    def made_from(self, key: str, tag: str) -> str:
        """The English that a sentence in this language is made from: for English, the bank's."""
        return self.bank.sentences[key] if tag == SOURCE else self.source(key)

    def template(self, key: str, tag: str) -> str:
        """The sentence with its slots, empty where it is not translated."""
        if tag == SOURCE:
            return self.source(key)
        catalogue = self.catalogues.get(tag)
        message = catalogue.messages.get(key) if catalogue else None
        return message.text if message else ""

    def given(self, texts: Mapping[str, str], tag: str) -> str:
        """A text of the study in this language, or in the one it adapts; empty without either."""
        return inherited(texts, self.bank.lineage(tag)) or ""

    def called(self, group: str, tag: str, forms: Sequence[str]) -> str:
        """The group's name in the first of these forms that there is; its code without one."""
        language = self.bank.languages.get(tag)
        bearer = Bearer(self.bank, self.context, group, group)
        for form in forms:
            if language is not None and form in language.forms:
                found = find_name(Slot("group", form), language, bearer)
                if isinstance(found, Found):
                    return found.text
        return group

    def in_english(self, rendering: Rendering) -> str:
        """The English of a sentence, with names as far as they are known in English."""
        _, _, group, about = rendering.way
        bearer, language = (
            Bearer(self.bank, self.context, group, about),
            self.bank.languages[SOURCE],
        )

        def look_up(slot: Slot) -> str:
            found = find_name(slot, language, bearer)
            if isinstance(found, Found):
                return found.text
            return self._stand_in(slot, bearer)

        return fill(rendering.source, look_up, SOURCE, right_to_left=False)

    def _stand_in(self, slot: Slot, bearer: Bearer) -> str:
        if (slot.name, slot.form) in _PLAIN:
            texts = _PLAIN[slot.name, slot.form](self.context)
            return next(iter(texts.values()), f"({slot.name})")
        return f"({bearer.called(slot.name) or slot.name})"

    def _sentence(self, key: str, tag: str, bearer: Bearer) -> str:
        language = self.bank.languages.get(tag)
        way: Way = (tag, key, bearer.group, bearer.about)
        override = self.overrides.get(way)
        template = override.text if override else self.template(key, tag)
        if not template or language is None:
            self.missing_texts.add(MissingText(tag, key))
            self._keep(way, "", "")
            return "⟦?⟧"
        if override:
            self._keep(way, template, template)
            return template
        return self._filled(way, template, language, bearer)

    def _filled(self, way: Way, template: str, language: Language, bearer: Bearer) -> str:
        tag, key, _, _ = way
        lacking = list[Slot]()
        names, counts = list[tuple[str, str]](), list[tuple[str, str]]()

        def look_up(slot: Slot) -> str:
            found = find_name(slot, language, bearer)
            if isinstance(found, Lacking):
                lacking.append(replace(slot, form=found.form))
                return f"⟦{slot.form}?⟧"
            if found.rule:
                self._note_derived(slot, found, tag, bearer)
            into = counts if slot.form in bearer.counts else names
            into.append((f"{slot.name}.{slot.form}", found.text))
            return found.text

        sentence = fill(template, look_up, tag, right_to_left=language.right_to_left)
        for slot in lacking:
            whose = _whose(slot, bearer)
            self.missing_forms.add(MissingForm(tag, slot.name, slot.form, whose, key, sentence))
        inserted = tuple(names), tuple(counts)
        self._keep(way, template, sentence, *inserted, lacks_names=bool(lacking))
        return sentence

    def _keep(
        self,
        way: Way,
        template: str,
        text: str,
        names: Inserted = (),
        counts: Inserted = (),
        *,
        lacks_names: bool = False,
    ) -> None:
        if way in self.renderings:
            return
        tag, key, _, _ = way
        source = self.made_from(key, tag)
        catalogue = self.catalogues.get(tag)
        message = catalogue.messages.get(key) if catalogue and tag != SOURCE else None
        self.renderings[way] = Rendering(
            way=way,
            source=source,
            template=template,
            translated_from=message.source if message else source,
            names=names,
            counts=counts,
            text=text,
            is_override=way in self.overrides,
            lacks_names=lacks_names,
        )

    def _note_derived(self, slot: Slot, found: Found, tag: str, bearer: Bearer) -> None:
        whose = _whose(slot, bearer)
        self.derived.add(Derived(tag, slot.name, slot.form, whose, found.text, found.rule))


# Slots that hold a text of the study, by the text they hold.
_PLAIN = {
    ("organisation", "np"): lambda context: context.organisation,
    ("programme", "np"): lambda context: context.programme,
    ("community", "np"): lambda context: context.community,
    ("contact", "withdrawal"): lambda context: context.withdrawal,
    ("contact", "complaints"): lambda context: context.complaints,
    ("consent", "compensation"): lambda context: context.compensation,
}


def open_wording(bank: Bank, context: Context, shipped: Path, own: Path) -> Wording:
    """The wording of a study, its own catalogues in `own` over the shipped ones.

    What is wrong with the files is in its `findings`.
    """
    catalogues, findings = dict[str, Catalogue](), list[Finding]()
    for tag in dict.fromkeys((SOURCE, *context.languages)):
        if tag in bank.languages:
            catalogues[tag], faults = read_catalogue((shipped, own), bank, tag)
            findings += faults
    overrides, faults = read_overrides(own, bank, context)
    adopted, more = read_adopted(own, catalogues[SOURCE])
    wording = Wording(
        bank,
        context,
        catalogues,
        overrides=overrides,
        published=adopted,
    )
    english = {key: wording.source(key) for key in bank.sentences}
    findings += [*faults, *more]
    for tag, catalogue in catalogues.items():
        findings += check_catalogue(catalogue, bank.sentences if tag == SOURCE else english)
    wording.findings = tuple(findings)
    return wording


def _whose(slot: Slot, bearer: Bearer) -> str:
    if slot.name.startswith("language_"):
        return bearer.spoken(slot.name)
    if slot.name == "group":
        return bearer.about
    return bearer.group if slot.name in ("ingroup", "ingroup_you") else ""


def sentences(wording: Wording, tag: str) -> Iterator[Rendering]:
    """Every sentence of the study's forms in this language, in the order of the forms."""
    return (each for each in wording.renderings.values() if each.way[0] == tag)
