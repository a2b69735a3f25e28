"""The end: what the enumerator saw, why somebody refused, and the last screen."""

from __future__ import annotations

from kobosmix.codebook import Role
from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.questionnaire.consent import AGREED, said_no
from kobosmix.questionnaire.model import Block, Note, Part, Question
from kobosmix.questionnaire.staff import INTERVIEW, NOT_ON_PAPER, REFUSED
from kobosmix.questionnaire.texts import ENDED, FormTexts


def closing(texts: FormTexts) -> tuple[Part, ...]:
    """The thanks, the observations of an interview, the reason of a refusal."""
    thanks = Note(name="thanks", label=texts.text("thanks"), shown_if=AGREED)
    if not texts.is_interview:
        return (thanks,)
    refused = AnyOf((Equals("attempt", REFUSED), said_no(texts)))
    reason = texts.choice(
        "refusal_reason",
        Role.CLOSING,
        "refusal_reason",
        texts.text("refusal_reason"),
        hint=texts.text("refusal_reason_hint"),
        asked_if=refused,
        # A paper form ends where somebody says no.
        required_if=NOT_ON_PAPER,
    )
    # Not before it is said what happened: web forms show the whole form at once.
    done = All((Not(Blank("attempt")), Not(Equals("attempt", INTERVIEW))))
    attempt_done = Note(name="attempt_done", label=texts.text("attempt_done"), shown_if=done)
    return (thanks, _observations(texts), reason, attempt_done)


def _observations(texts: FormTexts) -> Block:
    """What the enumerator notes, out of sight of the respondent."""
    names = ["others_present", "interruptions", "understanding", "language_kept"]
    if not texts.is_first_wave:
        names.append("same_enumerator")
    return Block(
        name="closing",
        label=texts.text("block_closing"),
        parts=(
            # Reached from anywhere: it is what lets an interview be kept that somebody stopped.
            _observed(texts, ENDED, None),
            *(_observed(texts, name, NOT_ON_PAPER) for name in names),
        ),
        asked_if=AGREED,
    )


def _observed(texts: FormTexts, name: str, required_if: Condition | None) -> Question:
    return texts.choice(name, Role.OBSERVATION, name, texts.text(name), required_if=required_if)
