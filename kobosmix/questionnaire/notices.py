"""What a form says of itself: whose words it uses, and whether a reader has signed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kobosmix.codebook import Adaptation
from kobosmix.questionnaire.lists import SPOKEN
from kobosmix.questionnaire.model import Block, Note, Part, Questionnaire
from kobosmix.questionnaire.texts import FormTexts
from kobosmix.wording.review import Part as ReviewPart
from kobosmix.wording.review import Review, State

DRAFT, EXCEPTION, SIGNED = "draft", "exception", "signed"


def with_notices(
    questionnaire: Questionnaire, texts: FormTexts, reviews: Mapping[str, Review]
) -> Questionnaire:
    """The questionnaire with its first screen and its title saying how far it has been read.

    A form with unsigned sentences is a draft, unless the study makes its one exception; consent
    that is not signed makes it a draft in any case.
    """
    state = _state(questionnaire, texts, reviews)
    notices = [Note(name="about_wording", label=texts.text(f"wording_{questionnaire.wording}"))]
    if state != SIGNED:
        notices.insert(0, Note(name="about_review", label=texts.text(f"{state}_notice")))
    unsigned = texts.wording.context.unsigned_wording
    return replace(
        questionnaire,
        title=_title(questionnaire, texts, state),
        parts=tuple(_begin_with(notices, questionnaire.parts)),
        review=state,
        exception=f"{unsigned.by}: {unsigned.reason}"
        if unsigned and state == EXCEPTION
        else "",
    )


def wording_of(texts: FormTexts) -> str:
    """Whose English the questions of this form have: `own`, `published`, or `mixed`."""
    wording, asked = texts.wording, {block.concept.id for block in texts.plan.blocks}
    keys = {f"item.{planned.item.id}" for planned in texts.plan.items}
    keys |= {f"concept.{c}.instruction" for c in asked if wording.bank.concepts[c].instruction}
    published = keys & wording.published
    if not published:
        return "own"
    return "published" if published == keys else "mixed"


def adaptations_of(texts: FormTexts) -> tuple[Adaptation, ...]:
    """What this form does otherwise than bank and catalogue, with the reasons.

    Sentences of the group in other words, the count scale as it is read aloud, another order.
    """
    return (*_overridden(texts), *_of_the_form(texts))


def _of_the_form(texts: FormTexts) -> Iterator[Adaptation]:
    asked = {planned.item.scale for planned in texts.plan.items}
    for scale in sorted(asked & SPOKEN.keys() if texts.is_interview else ()):
        words = texts.wording.bank.lists[SPOKEN[scale]].options
        yield _by_kobosmix(
            f"scale.{scale}",
            ", ".join(f"{option.value} = {option.label}" for option in words),
            "points without words cannot be read aloud; the codes are those of the scale, but "
            "the answers are not to be pooled with those of a form without these words",
        )
    seed = texts.wording.context.item_seed
    if seed is not None:
        yield _by_kobosmix(
            "order of items",
            f"shuffled within each concept by the seed {seed}",
            "the team asked for another order than the bank's; it is the same in every form",
        )


def _by_kobosmix(key: str, text: str, reason: str) -> Adaptation:
    return Adaptation(
        key=key, language="all", about="", text=text, reason=reason, by="kobosmix", on=""
    )


def _overridden(texts: FormTexts) -> tuple[Adaptation, ...]:
    return tuple(
        Adaptation(
            key=override.key,
            language=override.language,
            about=override.about,
            text=override.text,
            reason=override.reason,
            by=override.by,
            on=override.on.isoformat(),
        )
        for override in texts.wording.overrides.values()
        if override.group == texts.plan.group.id and override.language in texts.plan.languages
    )


def _title(questionnaire: Questionnaire, texts: FormTexts, state: str) -> str:
    """A form has one title for all its languages; it begins in the first, so it runs that way."""
    if state != DRAFT:
        return questionnaire.title
    mark = texts.text("draft_mark")[questionnaire.languages[0]]
    return f"{mark}: {questionnaire.title}"


def _state(
    questionnaire: Questionnaire, texts: FormTexts, reviews: Mapping[str, Review]
) -> str:
    group = questionnaire.group
    open_parts = {
        text.part
        for tag in questionnaire.languages
        for text in (reviews[tag].texts if tag in reviews else ())
        if text.state is not State.SIGNED and any(form[0] == group for form in text.forms)
    }
    if not open_parts:
        return SIGNED
    has_exception = texts.wording.context.unsigned_wording is not None
    return EXCEPTION if has_exception and ReviewPart.CONSENT not in open_parts else DRAFT


def _begin_with(notices: list[Note], parts: tuple[Part, ...]) -> list[Part]:
    """The notices stand on the first screen, before the first question."""
    first, *rest = parts
    if not isinstance(first, Block):
        raise TypeError("a questionnaire begins with a block")
    return [replace(first, parts=(*notices, *first.parts)), *rest]
