"""Sentences as a respondent meets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kobosmix.bank.model import Bank
from kobosmix.context.model import Context
from kobosmix.findings import Finding
from kobosmix.slots import Slot, fill
from kobosmix.wording.catalogue import SOURCE, Catalogue, check_catalogue, read_catalogue
from kobosmix.wording.names import Bearer, Found, Lacking, find_name


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
    """A name form that a rule made and a speaker has not confirmed."""

    tag: str
    slot: str
    form: str
    bearer: str
    text: str
    rule: str


@dataclass
class Wording:
    """Renders sentences and keeps what it lacked on the way.

    A missing piece is shown as ⟦form?⟧ in what is returned; nothing may be fielded while
    `missing_texts` or `missing_forms` hold anything.
    """

    bank: Bank
    context: Context
    catalogues: Mapping[str, Catalogue]
    findings: tuple[Finding, ...] = ()
    missing_texts: set[MissingText] = field(default_factory=set)
    missing_forms: set[MissingForm] = field(default_factory=set)
    derived: set[Derived] = field(default_factory=set)

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

    def _sentence(self, key: str, tag: str, bearer: Bearer) -> str:
        template = self.template(key, tag)
        language = self.bank.languages.get(tag)
        if not template or language is None:
            self.missing_texts.add(MissingText(tag, key))
            return "⟦?⟧"
        lacking = list[Slot]()

        def look_up(slot: Slot) -> str:
            found = find_name(slot, language, bearer)
            if isinstance(found, Lacking):
                lacking.append(replace(slot, form=found.form))
                return f"⟦{slot.form}?⟧"
            if found.rule:
                self._note_derived(slot, found, tag, bearer)
            return found.text

        sentence = fill(template, look_up, tag, right_to_left=language.right_to_left)
        for slot in lacking:
            whose = _whose(slot, bearer)
            self.missing_forms.add(MissingForm(tag, slot.name, slot.form, whose, key, sentence))
        return sentence

    def template(self, key: str, tag: str) -> str:
        """The sentence with its slots, empty where it is not translated."""
        if tag == SOURCE:
            return self.bank.sentences[key]
        catalogue = self.catalogues.get(tag)
        message = catalogue.messages.get(key) if catalogue else None
        return message.text if message else ""

    def _note_derived(self, slot: Slot, found: Found, tag: str, bearer: Bearer) -> None:
        whose = _whose(slot, bearer)
        self.derived.add(Derived(tag, slot.name, slot.form, whose, found.text, found.rule))


def open_wording(bank: Bank, context: Context, folder: Path) -> Wording:
    """The wording of a study; what is wrong with the catalogues is in its `findings`."""
    catalogues, findings = dict[str, Catalogue](), list[Finding]()
    for tag in context.languages:
        if tag == SOURCE or tag not in bank.languages:
            continue
        catalogue, faults = read_catalogue(folder, tag)
        catalogues[tag] = catalogue
        findings += [*faults, *check_catalogue(catalogue, bank)]
    return Wording(bank, context, catalogues, tuple(findings))


def _whose(slot: Slot, bearer: Bearer) -> str:
    if slot.name.startswith("language_"):
        return bearer.spoken(slot.name)
    if slot.name == "group":
        return bearer.about
    return bearer.group if slot.name in ("ingroup", "ingroup_you") else ""
