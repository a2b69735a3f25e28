"""What the wording of a study still lacks, with the place to write it in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from kobosmix.bank.adaptation import inherited_forms
from kobosmix.bank.model import Bank
from kobosmix.bank.slot_check import STUDY_SLOTS, slot_problem
from kobosmix.findings import Finding, Severity
from kobosmix.slots import slots_of
from kobosmix.wording.catalogue import SOURCE, Catalogue
from kobosmix.wording.lint import check_sentences
from kobosmix.wording.names import SUGGESTED
from kobosmix.wording.render import Derived, MissingForm, Wording
from kobosmix.wording.review import Review, State
from kobosmix.yamlfile import Path_, YamlFile

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "W101": (
        "The catalogue of a language cannot be read.",
        "Open it in Poedit and save it again.",
    ),
    "W110": (
        "There are no translations into a language yet.",
        "Mark it 'preparing', and have it translated with 'kobosmix wording sheet'.",
    ),
    "W102": ("A catalogue has two entries under one key.", "Keep one of the two."),
    "W103": (
        "A translation was made from another English sentence than the one asked now. It stays in "
        "the forms as a starting text and counts as unsigned.",
        "Translate the new sentence, or have the old translation signed for it.",
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
    "W107": (
        "An override in translations/overrides.yaml cannot be used.",
        "See the finding: it names the line and what is wrong with it.",
    ),
    "W108": (
        "The record of which sentences are the published ones cannot be read.",
        "Adopt the published wording again.",
    ),
    "W109": (
        "The record of signatures cannot be read, so no sentence counts as signed.",
        "Restore it from a backup.",
    ),
    "W301": (
        "Some sentences of a language are not signed by a reader. Forms say DRAFT, and deploy "
        "refuses to bring them to the field.",
        "Write a proof with 'kobosmix wording proof', have it read and signed, and import it.",
    ),
    "W401": (
        "A row of a sheet that came back cannot be taken: a formula, a date Excel made of it, a "
        "character with a meaning of its own, or hidden columns that were changed.",
        "Correct the row. Nothing is imported as long as one row is wrong.",
    ),
    "W402": (
        "A sheet was written for another study or another version of the item bank.",
        "Write it anew from this study.",
    ),
    "W403": ("A signature lacks a name or a day.", "Fill in both."),
    "W404": (
        "A corrected sentence was changed in the study, or its English was, after the sheet was "
        "written. It is not taken.",
        "Write the sheet anew and decide between the two.",
    ),
    "W201": (
        "A sentence needs a name in a grammatical form that was not given. There is no fallback: "
        "a wrong case is worse than a stop.",
        "Ask a speaker with the fill-the-gap sentence and write the answer where the finding says.",
    ),
    "W202": (
        "A name form was derived by a rule of the language, or suggested by kobosmix, and no speaker "
        "has confirmed it.",
        "Write it into context.yaml under that form, or have every sentence signed.",
    ),
}


def check_wording(wording: Wording, file: YamlFile) -> Iterator[Finding]:
    """Everything lacking or doubtful, once all sentences of the study have been rendered."""
    yield from wording.findings
    for catalogue in wording.catalogues.values():
        # What is published is taken as it was printed.
        published = wording.published if catalogue.tag == SOURCE else frozenset[str]()
        yield from check_slots_kept(catalogue, wording.bank, published)
        yield from check_question_marks(catalogue, wording.bank, published)
        yield from _sentences_checked(catalogue, wording, published)
    for missing in wording.missing_texts:
        if missing.tag in wording.bank.languages and wording.catalogues[missing.tag].messages:
            yield Finding(
                code="W104",
                place=wording.catalogues[missing.tag].place(missing.key),
                problem=f"'{missing.key}' is not translated",
                remedy=f"Translate: {wording.source(missing.key)}",
            )
    yield from _missing_forms(wording, file)


def _sentences_checked(
    catalogue: Catalogue, wording: Wording, published: frozenset[str]
) -> Iterator[Finding]:
    lineage = wording.bank.lineage(catalogue.tag)
    names = set[str]()
    for group in wording.context.groups.values():
        ready = lineage[-1].groups.get(group.use, {})
        names |= {*ready.values(), *inherited_forms(group.names, lineage).values()}
    own = {k: m for k, m in catalogue.messages.items() if k not in published}
    yield from check_sentences(Catalogue(catalogue.tag, own), wording.bank, names)


def check_review(
    wording: Wording, reviews: Mapping[str, Review], file: YamlFile
) -> Iterator[Finding]:
    """What no reader has confirmed yet: sentences, and the names in them."""
    for tag, review in reviews.items():
        unsigned = review.unsigned()
        if not unsigned:
            continue
        yield Finding(
            code="W301",
            place=file.place(("languages", tag)),
            problem=f"{tag}: {how_far(review)}",
            remedy=f"Have it read: kobosmix wording proof {tag}",
            severity=Severity.NOTICE,
        )
    # Who signs the sentences has read the names in them.
    yield from _unconfirmed_names(
        [each for each in wording.derived if reviews[each.tag].unsigned()], file
    )


def how_far(review: Review) -> str:
    """'3 of 212 sentences changed since A. Yilmaz signed on 2026-11-20', or how many are drafts."""
    total, unsigned = len(review.texts), review.unsigned()
    last = review.last_signature
    if not unsigned:
        return f"all {total} sentences are signed"
    if last is None:
        return f"{unsigned} of {total} sentences are not signed yet"
    stale = review.count(State.STALE)
    others = unsigned - stale
    if not stale:
        return f"{others} of {total} sentences are not signed yet"
    changed = f"{stale} of {total} sentences changed since {last.by} signed on {last.on}"
    return changed + (f"; {others} more are not signed yet" if others else "")


def check_slots_kept(
    catalogue: Catalogue, bank: Bank, published: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """A translation has the slots of the English, each in a form its language knows."""
    language = bank.languages[catalogue.tag]
    for key, message in catalogue.messages.items():
        if key not in bank.sentences:
            continue
        # The old translation of a changed sentence is told of as such.
        english = message.source if catalogue.tag != SOURCE else bank.sentences[key]
        problem = slot_problem(message.text, set(language.forms))
        wanted = {slot.name for slot in slots_of(english)}
        found = {slot.name for slot in slots_of(message.text)}
        if not problem and found != wanted and key not in published:
            problem = f"the English has the slots: {', '.join(sorted(wanted)) or 'none'}"
        if problem:
            yield Finding(
                code="W105",
                place=catalogue.place(key),
                problem=problem,
                remedy="Use the slots of the English, each with a form of this language.",
            )


def check_question_marks(
    catalogue: Catalogue, bank: Bank, published: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """A question ends as questions end in its language."""
    mark = bank.languages[catalogue.tag].question_mark
    for key, message in catalogue.messages.items():
        is_question = bank.sentences.get(key, "").endswith("?") and key not in published
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


def _unconfirmed_names(names: Iterable[Derived], file: YamlFile) -> Iterator[Finding]:
    gathered = defaultdict[tuple[Path_, str, str], dict[str, str]](dict)
    for derived in names:
        # A group's name is one and the same, whoever is asked about it or asked.
        way = _way(derived.slot, derived.bearer, derived.tag)
        made = "suggested by kobosmix" if derived.rule == SUGGESTED else "derived by rule"
        gathered[way, derived.bearer or derived.slot, made][derived.form] = derived.text
    for (way, whose, how), forms in gathered.items():
        made = ", ".join(f"{form}: {text}" for form, text in sorted(forms.items()))
        yield Finding(
            code="W202",
            place=file.place(way),
            problem=f"{how} for '{whose}', not confirmed yet: {made}",
            remedy="When a speaker has confirmed them, write them here.",
            severity=Severity.NOTICE,
        )


def _way(slot: str, bearer: str, tag: str) -> Path_:
    if slot.startswith("language_"):
        return ("language_names", bearer, tag)
    if bearer:
        return ("groups", bearer, "names", tag)
    return (slot, "names", tag)
