"""What stands around the items of every form: staff block, introduction, consent, keys, end."""

from __future__ import annotations

from kobosmix.bank.model import Bank, Item
from kobosmix.codebook import Kind, Role
from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Constant,
    Device,
    FirstAnswered,
    FromRegister,
    Holds,
    Limits,
    Note,
    Part,
    Question,
)
from kobosmix.questionnaire.texts import FormTexts

YES, NO = "1", "0"
INTERVIEW, REFUSED = "interview", "refused"
KNOWS_YEAR, KNOWS_AGE = "1", "2"

AGREED: Condition = Equals("consent_ok", YES)


def device_values() -> tuple[Part, ...]:
    """Start, end and date: all that is noted about the device."""
    return tuple(
        Calculated(name=what, role=Role.META, rule=Device(what))
        for what in ("start", "end", "today")
    )


def hidden_constants(study: str, group: str, wave: str, build_id: str) -> tuple[Part, ...]:
    """Which study, group, wave and build a submission belongs to: nobody can mistype them."""
    constants = {"kx_study": study, "kx_group": group, "kx_wave": wave, "kx_build": build_id}
    return tuple(
        Calculated(name=name, role=Role.HIDDEN, rule=Constant(value))
        for name, value in constants.items()
    )


def staff_block(texts: FormTexts) -> Block:
    """Who, where, which number, what happened: asks the respondent nothing."""
    parts = [*_enumerator(texts), _site(texts), *_respondent_id(texts), *_attempt(texts)]
    return Block(name="staff", label=texts.by_mode("block_staff"), parts=tuple(parts))


def introduction(texts: FormTexts) -> Block:
    """Introduction and consent, by mode, up to the one value that lets the interview begin."""
    notes = [
        Note(name=name, label=texts.text(name), hint=_first_hint(texts, name))
        for name in _screens(texts)
    ]
    return Block(
        name="introduction",
        label=texts.text("block_introduction"),
        parts=(*notes, *_consent(texts), *_ends_without_interview(texts)),
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


def keys_block(texts: FormTexts, bank: Bank, parts: int) -> Block:
    """Birth year, or age where it is unknown, and gender: they verify the number at every wave."""
    items = {item.id: item for _, item in bank.items()}
    return Block(
        name="keys",
        label=texts.part(1, parts),
        parts=(
            Question(
                name="birth_known",
                role=Role.KEY,
                kind=Kind.SELECT_ONE,
                label=texts.text("birth_known"),
                english=texts.english("text.birth_known"),
                hint=texts.for_enumerator("options_hint"),
                list="birth_known",
                required=texts.is_interview,
                required_message=texts.for_enumerator("required_message"),
            ),
            _number(texts, items["birth_year"], "year_message", KNOWS_YEAR),
            _number(texts, items["age"], "number_message", KNOWS_AGE),
            Question(
                name="gender",
                role=Role.KEY,
                kind=Kind.SELECT_ONE,
                label=texts.sentence("item.gender"),
                english=texts.english("item.gender"),
                hint=texts.for_enumerator("options_hint"),
                list="gender",
                required=texts.is_interview,
                required_message=texts.for_enumerator("required_message"),
            ),
        ),
    )


def closing_block(texts: FormTexts) -> tuple[Part, ...]:
    """The reason of a refusal, and the last screen."""
    parts = list[Part]()
    if texts.is_interview:
        parts.append(
            Question(
                name="refusal_reason",
                role=Role.CLOSING,
                kind=Kind.SELECT_ONE,
                label=texts.text("refusal_reason"),
                hint=texts.text("refusal_reason_hint"),
                list="refusal_reason",
                required=True,
                required_message=texts.text("required_message"),
                asked_if=AnyOf((Equals("attempt", REFUSED), _said_no(texts))),
            )
        )
        # Not before it is said what happened: web forms show the whole form at once.
        done = All((Not(Blank("attempt")), Not(Equals("attempt", INTERVIEW))))
        parts.append(Note(name="attempt_done", label=texts.text("attempt_done"), shown_if=done))
    parts.append(Note(name="thanks", label=texts.text("thanks"), shown_if=AGREED))
    return tuple(parts)


def _enumerator(texts: FormTexts) -> list[Part]:
    if not texts.is_interview:
        return []
    return [
        Question(
            name="enumerator",
            role=Role.STAFF,
            kind=Kind.SELECT_ONE,
            label=texts.text("enumerator"),
            hint=texts.text("enumerator_hint"),
            from_file="enumerators.csv",
            required=True,
            required_message=texts.text("required_message"),
        )
    ]


def _site(texts: FormTexts) -> Question:
    return Question(
        name="site",
        role=Role.STAFF,
        kind=Kind.SELECT_ONE,
        label=texts.text("site"),
        list="site",
        required=True,
        required_message=texts.text("required_message"),
    )


def _respondent_id(texts: FormTexts) -> list[Part]:
    scan = Question(
        name="rid_scan",
        role=Role.STAFF,
        kind=Kind.BARCODE,
        label=texts.text("rid_scan"),
        hint=texts.text("rid_scan_hint"),
        is_respondent_id=True,
        message=texts.text("rid_message"),
    )
    typed = Question(
        name="rid_typed",
        role=Role.STAFF,
        kind=Kind.TEXT,
        label=texts.by_mode("rid_typed"),
        hint=texts.text("rid_typed_hint" if texts.is_interview else "rid_typed_self_hint"),
        required=True,
        required_message=texts.text("rid_message"),
        is_respondent_id=True,
        message=texts.text("rid_message"),
        asked_if=Blank("rid_scan") if texts.is_interview else None,
    )
    ways = ("rid_scan", "rid_typed") if texts.is_interview else ("rid_typed",)
    return [
        *([scan] if texts.is_interview else []),
        typed,
        Calculated(name="rid", role=Role.STAFF, rule=FirstAnswered(ways)),
        Calculated(name="rid_group", role=Role.STAFF, rule=FromRegister("group", "rid")),
        *_id_warnings(texts),
    ]


def _id_warnings(texts: FormTexts) -> list[Part]:
    own = Equals("rid_group", texts.plan.group.id)
    return [
        Note(
            name="rid_not_listed",
            label=texts.by_mode("rid_not_listed"),
            shown_if=All((Not(Blank("rid")), Blank("rid_group"))),
        ),
        Note(
            name="rid_other_group",
            label=texts.by_mode("rid_other_group"),
            shown_if=All((Not(Blank("rid_group")), Not(own))),
        ),
    ]


def _attempt(texts: FormTexts) -> list[Part]:
    if not texts.is_interview:
        return []
    return [
        Question(
            name="attempt",
            role=Role.STAFF,
            kind=Kind.SELECT_ONE,
            label=texts.text("attempt"),
            list="attempt",
            required=True,
            required_message=texts.text("required_message"),
        )
    ]


def _screens(texts: FormTexts) -> tuple[str, ...]:
    mode = "interview" if texts.is_interview else "self"
    return (
        f"intro_{mode}_1",
        f"intro_{mode}_2",
        "consent_voluntary",
        "consent_honest",
        "consent_confidential",
        "consent_number",
        "consent_contacts",
    )


def _first_hint(texts: FormTexts, screen: str) -> dict[str, str]:
    return dict(texts.text("intro_interview_1_hint")) if screen == "intro_interview_1" else {}


def _consent(texts: FormTexts) -> list[Part]:
    of_age, minor = Equals("of_age", YES), Equals("of_age", NO)
    asked: list[Part] = [
        _yes_no(texts, "of_age", "of_age" if texts.is_interview else "of_age_self", None),
        _yes_no(texts, "consent", "consent", of_age),
    ]
    if not texts.wording.context.minors:
        return asked
    guardian_said_yes = All((minor, Equals("guardian_consent", YES)))
    guardian = _yes_no(
        texts, "guardian_consent", "guardian_consent", minor, _guardian_hint(texts)
    )
    return [*asked, guardian, _yes_no(texts, "assent", "assent", guardian_said_yes)]


def _guardian_hint(texts: FormTexts) -> dict[str, str]:
    hint = "guardian_consent_hint" if texts.is_interview else "guardian_consent_self_hint"
    return dict(texts.text(hint))


def _yes_no(
    texts: FormTexts,
    name: str,
    text: str,
    asked_if: Condition | None,
    hint: dict[str, str] | None = None,
) -> Question:
    return Question(
        name=name,
        role=Role.CONSENT,
        kind=Kind.SELECT_ONE,
        label=texts.text(text),
        hint=hint or {},
        list="yes_no",
        required=True,
        required_message=texts.text("required_message"),
        asked_if=asked_if,
    )


def _ends_without_interview(texts: FormTexts) -> list[Part]:
    ends: list[Part] = [Note(name="bye", label=texts.text("bye"), shown_if=_said_no(texts))]
    if not texts.wording.context.minors:
        too_young = Equals("of_age", NO)
        ends.append(
            Note(name="adults_only", label=texts.text("adults_only"), shown_if=too_young)
        )
    return ends


def _said_no(texts: FormTexts) -> Condition:
    refused: Condition = Equals("consent", NO)
    if not texts.wording.context.minors:
        return refused
    return AnyOf((refused, Equals("guardian_consent", NO), Equals("assent", NO)))


def _number(texts: FormTexts, item: Item, message: str, known: str) -> Question:
    answer = item.answer
    low, high = (answer.low or 0, answer.high) if answer else (0, None)
    return Question(
        name=item.id,
        role=Role.KEY,
        kind=Kind.INTEGER,
        label=texts.sentence(f"item.{item.id}"),
        english=texts.english(f"item.{item.id}"),
        limits=Limits(low=low, high=high),
        message=texts.text(message),
        asked_if=Equals("birth_known", known),
        required=texts.is_interview,
        required_message=texts.for_enumerator("required_message"),
    )
