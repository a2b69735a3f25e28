"""Names in the grammatical form a sentence asks for: given, derived by a safe rule, or missing.

There is no fallback, to another form or to English: a wrong case in a survey is worse than a
stop.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from kobosmix.bank.adaptation import inherited, inherited_forms
from kobosmix.bank.model import Bank, Language
from kobosmix.context.model import COMMUNITY, Context, Phrase, Texts
from kobosmix.slots import Slot

Forms = Mapping[str, str]

SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class Found:
    """A form of a name; `rule` says how it was derived or that kobosmix suggests it.

    It is empty where the study gives the form, or where it is a ready phrase.
    """

    text: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Lacking:
    """The form that has to be given: the one asked for, or the one it would be derived from."""

    form: str


def find_name(slot: Slot, language: Language, bearer: Bearer) -> Found | Lacking:
    """The form this slot asks for, or which one is lacking."""
    plain = bearer.plain(slot, language.tag)
    if plain is not None:
        return Found(plain)
    suggested = bearer.suggested(slot.name, language)
    given = bearer.forms(slot.name, language)
    # Ready names of one people and a name the team gives to another do not mix.
    if any(given[form] != name for form, name in suggested.items() if form in given):
        suggested = {}
    return _form(slot.form, given, suggested, language)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose names are meant: the study, the respondent's group, the group asked about.

    `counts` fills slots such as [study.part], which differ from place to place in one form.
    """

    bank: Bank
    context: Context
    group: str
    about: str
    counts: Mapping[str, str] = field(default_factory=dict)

    def plain(self, slot: Slot, tag: str) -> str | None:
        """Text the study gives as it stands, for slots that are not names; None for the others."""
        context = self.context
        match slot.name, slot.form:
            case "study", form if form in self.counts:
                return self.counts[form]
            case "consent", "until":
                return _day(context.withdrawal_until, self.bank.languages[tag].cldr)
            case "study", "minutes":
                return str(context.minutes)
            case "study", "age":
                return str(context.age_of_consent)
            case "exception", "by" | "reason" as what:
                unsigned = context.unsigned_wording
                return getattr(unsigned, what) if unsigned else None
            case _:
                texts: Mapping[tuple[str, str], Texts] = {
                    ("contact", "withdrawal"): context.withdrawal,
                    ("contact", "complaints"): context.complaints,
                    ("consent", "compensation"): context.compensation,
                    ("organisation", "np"): context.organisation,
                    ("community", "np"): context.community,
                    ("programme", "np"): context.programme,
                }
                said = texts.get((slot.name, slot.form))
                return None if said is None else inherited(said, self.bank.lineage(tag))

    def forms(self, name: str, language: Language) -> Forms:
        """The forms there are for a slot of this name, in this language."""
        context, tag = self.context, language.tag
        lineage = self.bank.lineage(tag)
        called = self.called(name)
        if called:
            return inherited_forms(context.groups[called].names, lineage)
        if name in ("ingroup", "ingroup_you"):
            return language.phrases.get(name, {}).get(COMMUNITY, {})
        if name in ("language_host", "language_newcomer"):
            spoken = self.spoken(name)
            own = inherited_forms(context.language_names.get(spoken, {}), lineage)
            # A variety is called like its language: who speaks de-AT speaks German.
            ready = language.languages.get(spoken.partition("-")[0], {})
            return {**ready, **language.languages.get(spoken, {}), **own}
        phrase = {"country": context.country, "newcomers": context.newcomers}.get(name)
        return _phrase(phrase, name, language, lineage)

    def called(self, name: str) -> str:
        """The group that a slot of this name calls by its name; empty for other slots."""
        if name == "group":
            return self.about
        named = name in ("ingroup", "ingroup_you") and self.context.own_group != COMMUNITY
        return self.group if named else ""

    def suggested(self, name: str, language: Language) -> Forms:
        """Ready names of the usual group that is meant; no speaker has confirmed them."""
        called = self.called(name)
        use = self.context.groups[called].use if called else ""
        return language.groups.get(use, {})

    def spoken(self, name: str) -> str:
        """The tag of the language meant by `language_host` or `language_newcomer`."""
        role = name.removeprefix("language_")
        # The group itself first, then those it is asked about: with several host groups the
        # language meant is that of the one concerned.
        near = [self.group, *self.context.groups[self.group].asked_about, *self.context.groups]
        for id_ in near:
            group = self.context.groups.get(id_)
            if group and group.role == role:
                return group.speaks
        return ""


def _day(day: datetime.date, locale: str) -> str:
    """The day as the language writes it: 30 Haziran 2026."""
    from babel.dates import format_date

    # Unicode data set narrow no-break spaces (30 червня 2026 р.), which old phones show as boxes.
    return format_date(day, "long", locale=locale).replace("\u202f", "\u00a0")


def _phrase(
    phrase: Phrase | None, name: str, language: Language, lineage: tuple[Language, ...]
) -> Forms:
    if phrase is None:
        return {}
    ready = language.phrases.get(name, {}).get(phrase.use, {})
    return {**ready, **inherited_forms(phrase.names, lineage)}


def _form(form: str, given: Forms, suggested: Forms, language: Language) -> Found | Lacking:
    if form in given:
        return Found(given[form])
    if form in suggested:
        return Found(suggested[form], SUGGESTED)
    spec = language.forms.get(form)
    if spec is None or not spec.derive:
        return Lacking(form)
    rule, base_form, *arguments = spec.derive
    base = _form(base_form, given, suggested, language)
    if isinstance(base, Lacking):
        return base
    text = base.text if rule == "same" else turkish_suffix(base.text, arguments[0])
    # The rule does not fit this name: its form has to be given after all.
    return Found(text, f"{rule} {base_form}") if text else Lacking(form)


def turkish_suffix(plural: str, suffix: str) -> str:
    """A Turkish plural with a case ending: A and I stand for the vowels that follow its harmony.

    Safe only behind -lar/-ler, where harmony is settled and names of peoples take no apostrophe;
    empty for anything else.
    """
    ending = plural.rstrip()[-3:].lower()
    if ending not in ("lar", "ler"):
        return ""
    back = ending == "lar"
    vowels = {"A": "a" if back else "e", "I": "ı" if back else "i"}
    return plural + "".join(vowels.get(letter, letter) for letter in suffix)
