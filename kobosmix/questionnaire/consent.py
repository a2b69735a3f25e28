"""Introduction and consent, by mode, up to the one value that lets the interview begin."""

from __future__ import annotations

from collections.abc import Iterator

from kobosmix.codebook import Role
from kobosmix.conditions import All, AnyOf, Condition, Equals
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Constant,
    Holds,
    Note,
    Part,
    Question,
    Sentence,
)
from kobosmix.questionnaire.staff import (
    FACE_TO_FACE,
    INTERVIEW,
    NOT_ON_PAPER,
    TELEPHONE,
)
from kobosmix.questionnaire.texts import NO, YES, FormTexts

AGREED: Condition = Equals("consent_ok", YES)
LANGUAGE = "language"


def introduction(texts: FormTexts) -> Block:
    """The language, the introduction in short screens, and each consent that is needed."""
    return Block(
        name="introduction",
        label=texts.text("block_introduction"),
        parts=(
            _language(texts),
            *_screens(texts),
            *_consent(texts),
            *_ends_without_interview(texts),
        ),
        asked_if=Equals("attempt", INTERVIEW) if texts.is_interview else None,
    )


def consent_value(texts: FormTexts) -> Calculated:
    """`consent_ok`: 1 where everybody who has to agree did."""
    adult = All((Equals("of_age", YES), Equals("consent", YES)))
    agreed: Condition = adult
    if texts.wording.context.minors:
        minor = (Equals("of_age", NO), Equals("guardian_consent", YES), Equals("assent", YES))
        agreed = AnyOf((adult, All(minor)))
    if texts.is_interview:
        agreed = All((Equals("attempt", INTERVIEW), agreed))
    return Calculated(name="consent_ok", role=Role.CONSENT, rule=Holds(agreed))


def said_no(texts: FormTexts) -> Condition:
    """Somebody whose consent is needed refused it."""
    refused: Condition = Equals("consent", NO)
    if not texts.wording.context.minors:
        return refused
    return AnyOf((refused, Equals("guardian_consent", NO), Equals("assent", NO)))


def _language(texts: FormTexts) -> Part:
    """Which language it is: phones do not send along which one was on the screen."""
    languages = texts.plan.languages
    if not texts.is_interview and len(languages) == 1:
        return Calculated(name=LANGUAGE, role=Role.OBSERVATION, rule=Constant(languages[0]))
    return texts.choice(LANGUAGE, Role.OBSERVATION, LANGUAGE, texts.by_mode("language"))


def _screens(texts: FormTexts) -> Iterator[Note]:
    """Short screens, one idea each. Nobody reads them out to a sheet of paper."""
    if texts.is_interview:
        yield _note(texts, "intro_interview_1", Equals("mode", FACE_TO_FACE), greets=True)
        yield _note(texts, "intro_telephone_1", Equals("mode", TELEPHONE), greets=True)
        yield _note(texts, "intro_telephone_2", Equals("mode", TELEPHONE))
    for name in _screens_of_all_modes(texts):
        yield _note(texts, name, NOT_ON_PAPER)


def _screens_of_all_modes(texts: FormTexts) -> Iterator[str]:
    context = texts.wording.context
    if not texts.is_interview:
        yield "intro_self_1"
    yield "intro_interview_2" if texts.is_interview else "intro_self_2"
    if not texts.is_first_wave:
        yield "intro_again"
    yield from ("consent_voluntary", "consent_honest", "consent_confidential")
    if texts.has_issued_ids:
        yield "consent_number"
    yield "consent_compensation" if context.compensation else "consent_no_compensation"
    yield from ("consent_until", "consent_contacts")


def _note(texts: FormTexts, name: str, shown_if: Condition, *, greets: bool = False) -> Note:
    hint: Sentence = texts.text("intro_interview_1_hint") if greets else {}
    return Note(name=name, label=texts.text(name), hint=hint, shown_if=shown_if)


def _consent(texts: FormTexts) -> list[Part]:
    of_age, minor = Equals("of_age", YES), Equals("of_age", NO)
    stop = texts.for_enumerator("consent_stop_hint")
    asked: list[Part] = [
        _yes_no(texts, "of_age", "of_age" if texts.is_interview else "of_age_self", None),
        _yes_no(texts, "consent", "consent", of_age, stop),
    ]
    if not texts.wording.context.minors:
        return asked
    guardian_said_yes = All((minor, Equals("guardian_consent", YES)))
    guardian = _yes_no(
        texts, "guardian_consent", "guardian_consent", minor, _guardian_hint(texts)
    )
    return [*asked, guardian, _yes_no(texts, "assent", "assent", guardian_said_yes, stop)]


def _guardian_hint(texts: FormTexts) -> Sentence:
    hint = "guardian_consent_hint" if texts.is_interview else "guardian_consent_self_hint"
    return texts.text(hint)


def _yes_no(
    texts: FormTexts,
    name: str,
    text: str,
    asked_if: Condition | None,
    hint: Sentence | None = None,
) -> Question:
    return texts.choice(
        name, Role.CONSENT, "yes_no", texts.text(text), hint=hint, asked_if=asked_if
    )


def _ends_without_interview(texts: FormTexts) -> list[Part]:
    ends: list[Part] = [Note(name="bye", label=texts.text("bye"), shown_if=said_no(texts))]
    if not texts.wording.context.minors:
        too_young = Equals("of_age", NO)
        ends.append(
            Note(name="adults_only", label=texts.text("adults_only"), shown_if=too_young)
        )
    return ends
