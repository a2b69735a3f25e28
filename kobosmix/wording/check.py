"""What the wording of a study still lacks, with the place to write it in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kobosmix.bank.check import STUDY_SLOTS, slot_problem
from kobosmix.bank.model import Bank
from kobosmix.findings import Finding, Severity
from kobosmix.slots import slots_of
from kobosmix.wording.catalogue import Catalogue
from kobosmix.wording.render import MissingForm, Wording
from kobosmix.yamlfile import Path_, YamlFile

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "W101": ("A language has no readable catalogue.", "See the finding."),
    "W102": ("A catalogue has two entries under one key.", "Keep one of the two."),
    "W103": (
        "A translation was made from an English sentence that has changed since.",
        "Translate the new sentence; the old translation is no longer used.",
    ),
    "W104": ("A sentence a form needs is not translated.", "Translate it in the catalogue."),
    "W105": (
        "A translation has lost, added or misspelt a slot, so a name would be missing.",
        "Use the same slots as the English; only the form behind the dot may differ.",
    ),
    "W106": (
        "A question is translated without the question mark of its language.",
        "End it with that mark: ؟ in Arabic, ? in most others.",
    ),
    "W201": (
        "A sentence needs a name in a grammatical form that was not given. There is no fallback: "
        "a wrong case is worse than a stop.",
        "Ask a speaker with the fill-the-gap sentence and write the answer where the finding says.",
    ),
    "W202": (
        "A name form was derived by a rule of the language and no speaker has confirmed it.",
        "Write it into context.yaml under that form once a speaker has read it.",
    ),
}


def check_wording(wording: Wording, file: YamlFile) -> Iterator[Finding]:
    """Everything lacking or doubtful, once all sentences of the study have been rendered."""
    yield from wording.findings
    for catalogue in wording.catalogues.values():
        yield from check_slots_kept(catalogue, wording.bank)
        yield from check_question_marks(catalogue, wording.bank)
    for missing in wording.missing_texts:
        if missing.tag in wording.bank.languages and wording.catalogues[missing.tag].messages:
            yield Finding(
                code="W104",
                place=wording.catalogues[missing.tag].place(missing.key),
                problem=f"'{missing.key}' is not translated",
                remedy=f"Translate: {wording.bank.sentences[missing.key]}",
            )
    yield from _missing_forms(wording, file)
    yield from _derived_forms(wording, file)


def check_slots_kept(catalogue: Catalogue, bank: Bank) -> Iterator[Finding]:
    """A translation has the slots of the English, each in a form its language knows."""
    language = bank.languages[catalogue.tag]
    for key, message in catalogue.messages.items():
        english = bank.sentences.get(key)
        if english is None or not message.text:
            continue
        problem = slot_problem(message.text, set(language.forms))
        wanted = {slot.name for slot in slots_of(english)}
        if not problem and {slot.name for slot in slots_of(message.text)} != wanted:
            problem = f"the English has the slots: {', '.join(sorted(wanted)) or 'none'}"
        if problem:
            yield Finding(
                code="W105",
                place=catalogue.place(key),
                problem=problem,
                remedy="Use the slots of the English, each with a form of this language.",
            )


def check_question_marks(catalogue: Catalogue, bank: Bank) -> Iterator[Finding]:
    """A question ends as questions end in its language."""
    mark = bank.languages[catalogue.tag].question_mark
    for key, message in catalogue.messages.items():
        is_question = bank.sentences.get(key, "").endswith("?")
        if is_question and message.text and not message.text.endswith(mark):
            yield Finding(
                code="W106",
                place=catalogue.place(key),
                problem=f"the question does not end with '{mark}'",
                remedy="End it as questions end in this language.",
                severity=Severity.WARNING,
            )


def _missing_forms(wording: Wording, file: YamlFile) -> Iterator[Finding]:
    gathered = defaultdict[tuple[str, str, str, str], list[MissingForm]](list)
    for missing in wording.missing_forms:
        if missing.slot in STUDY_SLOTS:
            # A text of the study that is not there is a finding of context.yaml (C105).
            continue
        gathered[(missing.bearer, missing.tag, missing.slot, missing.form)].append(missing)
    for (bearer, tag, slot, form), several in gathered.items():
        language = wording.bank.languages[tag]
        ask = language.forms[form].ask if form in language.forms else "?"
        sentences = sorted({missing.sentence for missing in several})
        if slot == "newcomers" and wording.context.newcomers is None:
            yield _newcomers_unnamed(file, sentences)
            continue
        yield Finding(
            code="W201",
            place=file.place(_way(slot, bearer, tag)),
            problem=f"{_who(slot, bearer)} has no form '{form}' in {language.english} ({tag}), needed in "
            + _listed(sentences),
            remedy=f"Ask a speaker to fill the gap: {ask}  Write it as '{form}: ...'.",
        )


def _newcomers_unnamed(file: YamlFile, sentences: list[str]) -> Finding:
    return Finding(
        code="C113",
        place=file.place(("newcomers",)),
        problem="what newcomers are called is not said, but needed in " + _listed(sentences),
        remedy="Add a line such as 'newcomers: {use: migrants}'.",
    )


def _listed(sentences: list[str]) -> str:
    lines = "".join(f"\n      {sentence}" for sentence in sentences)
    return f"{len(sentences)} sentence{'s' * (len(sentences) != 1)}:{lines}"


def _who(slot: str, bearer: str) -> str:
    if slot.startswith("language_"):
        return f"the language '{bearer}'"
    return f"group '{bearer}'" if bearer else f"'{slot}'"


def _derived_forms(wording: Wording, file: YamlFile) -> Iterator[Finding]:
    gathered = defaultdict[tuple[Path_, str], dict[str, str]](dict)
    for derived in wording.derived:
        # A group's name is one and the same, whoever is asked about it or asked.
        way = _way(derived.slot, derived.bearer, derived.tag)
        gathered[way, derived.bearer or derived.slot][derived.form] = derived.text
    for (way, whose), forms in gathered.items():
        made = ", ".join(f"{form}: {text}" for form, text in sorted(forms.items()))
        yield Finding(
            code="W202",
            place=file.place(way),
            problem=f"derived by rule for '{whose}', not confirmed yet: {made}",
            remedy="When a speaker has confirmed them, write them here.",
            severity=Severity.NOTICE,
        )


def _way(slot: str, bearer: str, tag: str) -> Path_:
    if slot.startswith("language_"):
        return ("language_names", bearer, tag)
    if bearer:
        return ("groups", bearer, "names", tag)
    return (slot, "names", tag)
