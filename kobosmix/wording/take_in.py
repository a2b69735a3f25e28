"""What a workbook that came back changes: shown first, then written.

A corrected sentence becomes the catalogue's template again wherever every name in it is found as
often as it was put in; otherwise it is kept whole, for the one form it was written for.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kobosmix.findings import Finding, Place, Severity
from kobosmix.slots import capitalised, slots_of
from kobosmix.wording.overrides import Override, add_overrides
from kobosmix.wording.po import Entry, write_po
from kobosmix.wording.render import Rendering, Wording
from kobosmix.wording.reread import Given, GivenRow, plain
from kobosmix.wording.review import (
    Review,
    ReviewText,
    Signature,
    State,
    add_signatures,
)

TEMPLATE, OVERRIDE = "template", "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One sentence that will read otherwise. `also` counts other sentences it changes as well.

    `becomes` is what is stored: a template with slots, or the whole sentence of one form.
    """

    kind: str
    row: int
    key: str
    form: tuple[str, str]
    before: str
    after: str
    becomes: str
    also: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What taking a workbook in would do. With errors among the findings nothing is written."""

    given: Given
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]


def take_in(given: Given, wording: Wording, review: Review) -> TakenIn:
    """Compare what came back with the study as it is now. Writes nothing."""
    findings = [*given.findings, *_wrong_study(given, wording)]
    changed = list[tuple[GivenRow, ReviewText]]()
    for row in given.rows:
        text = _text_of(row, review)
        conflict = _conflict(given, row, text) or _lost_count(given, row, text, wording)
        if conflict is not None:
            findings.append(conflict)
        elif text is not None and row.is_changed and row.text != plain(text.text):
            changed.append((row, text))
    return TakenIn(
        given=given,
        changes=tuple(_changes(changed, wording, review)),
        findings=tuple(findings),
    )


def write_taken_in(
    taken: TakenIn, wording: Wording, folder: Path, today: datetime.date
) -> None:
    """Write the changes into the study's catalogue and overrides."""
    tag = taken.given.language
    entries = [
        Entry(key=change.key, source=wording.made_from(change.key, tag), text=change.becomes)
        for change in taken.changes
        if change.kind == TEMPLATE
    ]
    if entries:
        write_po(folder / f"{tag}.po", tag, entries)
    overrides = [
        _override(taken.given, change, wording, today)
        for change in taken.changes
        if change.kind == OVERRIDE
    ]
    if overrides:
        add_overrides(folder, overrides)


def _override(given: Given, change: Change, wording: Wording, today: datetime.date) -> Override:
    """The sentence of one form; who asked for other words before, and why, stays."""
    group, about = change.form
    before = wording.overrides.get((given.language, change.key, group, about))
    return Override(
        key=change.key,
        language=given.language,
        group=group,
        about=about,
        text=change.becomes,
        reason=before.reason if before else "the corrected sentence fits this form only",
        by=before.by if before else given.name,
        on=today,
    )


def sign(given: Given, review: Review, folder: Path) -> list[tuple[Signature, int]]:
    """Record the signatures of a proof; with each, how many sentences it leaves unsigned.

    A signature covers the sentences that read now as they stand in the proof, from the same
    English; what was changed since the proof was written stays open.
    """
    by_form = {
        (row.key, form): (row.text, row.source_digest)
        for row in given.rows
        for form in row.forms
    }
    signed = list[tuple[Signature, int]]()
    for each in given.signatures:
        texts = [t for t in review.texts if t.part is each.part and t.state != State.MISSING]
        covered = {t.digest: t.key for t in texts if _is_as_read(t, by_form)}
        signature = Signature(
            language=given.language,
            part=each.part,
            by=each.by,
            role=each.role,
            on=each.on,
            texts=covered,
        )
        signed.append((signature, len(texts) - len(covered)))
    if signed:
        add_signatures(folder, [signature for signature, _ in signed])
    return signed


def _is_as_read(
    text: ReviewText, by_form: Mapping[tuple[str, tuple[str, str]], tuple[str, str]]
) -> bool:
    found = [by_form[text.key, form] for form in text.forms if (text.key, form) in by_form]
    return any(
        said == plain(text.text) and digest == text.source_digest for said, digest in found
    )


def _wrong_study(given: Given, wording: Wording) -> Iterator[Finding]:
    about = {
        "study": (given.study, wording.context.study),
        "item bank": (given.bank_version, wording.bank.version),
    }
    for what, (there, here) in about.items():
        if there != here:
            yield Finding(
                code="W402",
                place=Place(given.name, 0, what),
                problem=f"the sheet was written for the {what} '{there}', not '{here}'",
                remedy="Write the sheet anew from this study and copy the texts into it.",
            )


def _text_of(row: GivenRow, review: Review) -> ReviewText | None:
    """The sentence of now that a row was about."""
    for text in review.texts:
        if text.key == row.key and set(text.forms) & set(row.forms):
            return text
    return None


def _conflict(given: Given, row: GivenRow, text: ReviewText | None) -> Finding | None:
    if not row.is_changed:
        return None
    if text is None:
        problem = f"no form of the study asks '{row.key}' any more"
    elif row.source_digest != text.source_digest:
        problem = f"the English of '{row.key}' has changed since the sheet was written: {text.english}"
    elif plain(text.text) not in (plain(row.was), row.text):
        problem = (
            f"'{row.key}' was changed in the study since the sheet was written: {text.text}"
        )
    else:
        return None
    return Finding(
        code="W404",
        place=Place(given.name, row.row),
        problem=f"{problem}. The row was not taken",
        remedy="Write the sheet anew and decide between the two.",
        severity=Severity.WARNING,
    )


def _lost_count(
    given: Given, row: GivenRow, text: ReviewText | None, wording: Wording
) -> Finding | None:
    """A number that each place in the form puts in cannot be kept in a sentence as it stands."""
    if text is None or not row.is_changed:
        return None
    rendering = wording.renderings[(text.language, text.key, *text.forms[0])]
    if not rendering.counts or template_of(row.text, rendering, text.language):
        return None
    numbers = ", ".join(number for _, number in rendering.counts)
    return Finding(
        code="W404",
        place=Place(given.name, row.row),
        problem=f"'{row.key}' no longer has the numbers that the form puts in ({numbers}). The row "
        "was not taken",
        remedy="Keep each of these numbers in the sentence, once.",
        severity=Severity.WARNING,
    )


def _changes(
    changed: list[tuple[GivenRow, ReviewText]], wording: Wording, review: Review
) -> Iterator[Change]:
    found = defaultdict[str, list[tuple[GivenRow, ReviewText, str]]](list)
    for row, text in changed:
        rendering = wording.renderings[(text.language, text.key, *text.forms[0])]
        found[row.key].append((row, text, template_of(row.text, rendering, text.language)))
    for key, several in found.items():
        templates = {template for _, _, template in several}
        # Two forms that now want different templates each keep their own words.
        shared = templates.pop() if len(templates) == 1 else ""
        for number, (row, text, _) in enumerate(several):
            if shared and number == 0:
                touched = _sharing(wording, review.language, key) - len(several)
                yield _change(TEMPLATE, row, text, text.forms[0], shared, touched)
            elif not shared:
                for form in text.forms:
                    yield _change(OVERRIDE, row, text, form, row.text, 0)


def _sharing(wording: Wording, tag: str, key: str) -> int:
    """How many different sentences are made of this template, adaptations of the language too."""
    catalogue = wording.catalogues[tag].messages.get(key)
    file = catalogue.file if catalogue else ""
    return len(
        {
            (each.way[0], each.text)
            for each in wording.renderings.values()
            if each.way[1] == key
            and not each.is_override
            and tag in {language.tag for language in wording.bank.lineage(each.way[0])}
            and (
                each.way[0] == tag or wording.catalogues[each.way[0]].messages[key].file == file
            )
        }
    )


def _change(
    kind: str, row: GivenRow, text: ReviewText, form: tuple[str, str], becomes: str, also: int
) -> Change:
    return Change(
        kind=kind,
        row=row.row,
        key=row.key,
        form=form,
        before=text.text,
        after=row.text,
        becomes=becomes,
        also=max(also, 0),
    )


def template_of(sentence: str, rendering: Rendering, tag: str) -> str:
    """The corrected sentence with its slots again; empty where a name is not found surely.

    Each name has to stand there exactly as often as the template put it in, and no two names may
    be the same word.
    """
    inserted = [*rendering.names, *rendering.counts]
    texts = {text for _, text in inserted}
    wanted = {slot for slot, _ in inserted}
    if rendering.is_override or len(texts) != len(wanted):
        return ""
    template, marks = sentence.replace("[", "[[").replace("]", "]]"), list[str]()
    for slot, name in sorted(set(inserted), key=lambda each: -len(each[1])):
        places = _spelled_in(rendering.template, slot)
        plain_name, capital = plain(name), plain(capitalised(name, tag))
        pattern = re.compile(
            "|".join(rf"(?<!\w){re.escape(way)}(?!\w)" for way in {plain_name, capital})
        )
        found = pattern.findall(template)
        if len(found) != len(places):
            return ""
        if plain_name != capital:
            places = [f"[{_opening(slot)}]" if way == capital else f"[{slot}]" for way in found]
        # A name with a capital of its own does not tell where a sentence begins: the slots keep
        # the order in which the template had them.
        waiting = iter(places)
        template = pattern.sub(lambda _, waiting=waiting: _mark(next(waiting), marks), template)  # type: ignore[misc]
    for number, slot in enumerate(marks):
        template = template.replace(f"\x00{number}\x00", slot)
    english = {slot.name for slot in slots_of(rendering.source)}
    return template if {slot.name for slot in slots_of(template)} == english else ""


def _spelled_in(template: str, slot: str) -> list[str]:
    """The places of one slot in a template, as they are spelled there, in order."""
    return [
        f"[{_opening(slot) if each.capital else slot}]"
        for each in slots_of(template)
        if f"{each.name}.{each.form}" == slot
    ]


def _opening(slot: str) -> str:
    return slot[:1].upper() + slot[1:]


def _mark(slot: str, marks: list[str]) -> str:
    """A place holder that no name is found in."""
    marks.append(slot)
    return f"\x00{len(marks) - 1}\x00"
