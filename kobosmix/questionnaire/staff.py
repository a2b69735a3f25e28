"""What the team fills in before anybody is asked anything: how, who, where, which number."""

from __future__ import annotations

from kobosmix.codebook import PERSONAL_LINK, Kind, Role
from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Constant,
    Device,
    FirstAnswered,
    FromLink,
    FromRegister,
    NotAfterToday,
    Note,
    Part,
    Question,
    SameAs,
)
from kobosmix.questionnaire.texts import FormTexts

INTERVIEW, REFUSED = "interview", "refused"
FACE_TO_FACE, TELEPHONE, PAPER = "face_to_face", "telephone", "paper"

ON_PAPER: Condition = Equals("mode", PAPER)
NOT_ON_PAPER: Condition = Not(ON_PAPER)


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
    """How, who, where, which number, what happened: asks the respondent nothing."""
    parts: list[Part] = [_mode(texts), *_from_paper(texts), *_enumerator(texts), _site(texts)]
    if texts.has_issued_ids:
        parts += _respondent_id(texts)
    return Block(
        name="staff",
        label=texts.by_mode("block_staff"),
        parts=(*parts, *_attempt(texts)),
    )


def _mode(texts: FormTexts) -> Question:
    list_ = "mode" if texts.is_interview else "mode_self"
    return texts.choice("mode", Role.OBSERVATION, list_, texts.by_mode("mode"))


def _from_paper(texts: FormTexts) -> list[Part]:
    """What only a paper form that is typed in has: its date, and who types."""
    typed_by = _of_the_team(texts, "typed_by", asked_if=ON_PAPER)
    day = Question(
        name="paper_day",
        role=Role.OBSERVATION,
        kind=Kind.DATE,
        label=texts.text("paper_day"),
        accepts=NotAfterToday(),
        message=texts.text("paper_day_message"),
        required=True,
        required_message=texts.text("required_message"),
        asked_if=ON_PAPER,
    )
    note = Note(name="paper_entry", label=texts.text("paper_entry"), shown_if=ON_PAPER)
    return [note, *([typed_by] if texts.is_interview else []), day]


def _enumerator(texts: FormTexts) -> list[Part]:
    if not texts.is_interview:
        return []
    return [_of_the_team(texts, "enumerator", hint="enumerator_hint")]


def _of_the_team(
    texts: FormTexts,
    name: str,
    *,
    hint: str = "",
    asked_if: Condition | None = None,
) -> Question:
    """Who of the team: chosen from the list of enumerators that travels with the form."""
    return Question(
        name=name,
        role=Role.STAFF,
        kind=Kind.SELECT_ONE,
        label=texts.text(name),
        hint=texts.text(hint) if hint else {},
        from_file="enumerators.csv",
        required=True,
        required_message=texts.text("required_message"),
        asked_if=asked_if,
    )


def _site(texts: FormTexts) -> Question:
    return texts.choice("site", Role.STAFF, "site", texts.text("site"))


def _respondent_id(texts: FormTexts) -> list[Part]:
    """The number: scanned, or typed twice; then looked up in the register on the phone."""
    if not texts.is_interview:
        return _own_id(texts)
    return [
        _scanned(texts),
        _typed(texts),
        _typed_again(texts),
        Calculated(name="rid", role=Role.STAFF, rule=FirstAnswered(("rid_scan", "rid_typed"))),
        *(
            Calculated(name=name, role=Role.STAFF, rule=FromRegister(column, "rid"))
            for name, column in (
                ("rid_listed", "name"),
                ("rid_group", "group"),
                ("rid_known", "background"),
            )
        ),
        *_doubts(texts),
    ]


def _own_id(texts: FormTexts) -> list[Part]:
    """The personal link says who it is; who came without one types the number twice.

    It is looked up nowhere: whoever has the link of a form can read the lists that travel with it.
    """
    return [
        Calculated(name=PERSONAL_LINK, role=Role.STAFF, rule=FromLink()),
        _typed(texts),
        _typed_again(texts),
        Calculated(name="rid", role=Role.STAFF, rule=FirstAnswered(("rid_typed",))),
    ]


def _scanned(texts: FormTexts) -> Question:
    return Question(
        name="rid_scan",
        role=Role.STAFF,
        kind=Kind.BARCODE,
        label=texts.text("rid_scan"),
        hint=texts.text("rid_scan_hint"),
        is_respondent_id=True,
        message=texts.text("rid_message"),
    )


def _typed(texts: FormTexts) -> Question:
    return Question(
        name="rid_typed",
        role=Role.STAFF,
        kind=Kind.TEXT,
        label=texts.by_mode("rid_typed"),
        hint=texts.text("rid_typed_hint" if texts.is_interview else "rid_typed_self_hint"),
        required=True,
        required_message=texts.text("rid_message"),
        is_respondent_id=True,
        message=texts.text("rid_message"),
        asked_if=Blank("rid_scan" if texts.is_interview else PERSONAL_LINK),
    )


def _typed_again(texts: FormTexts) -> Question:
    return Question(
        name="rid_again",
        role=Role.STAFF,
        kind=Kind.TEXT,
        label=texts.by_mode("rid_again"),
        required=True,
        required_message=texts.text("rid_again_message"),
        accepts=SameAs("rid_typed"),
        message=texts.text("rid_again_message"),
        asked_if=Not(Blank("rid_typed")),
    )


def _doubts(texts: FormTexts) -> list[Part]:
    """A number of nobody, or of another group, is used only with a reason."""
    own = Equals("rid_group", texts.plan.group.id)
    of_nobody: Condition = All((Not(Blank("rid")), Blank("rid_listed")))
    of_others: Condition = All((Not(Blank("rid_group")), Not(own)))
    doubtful = AnyOf((of_nobody, of_others))
    return [
        Note(name="rid_not_listed", label=texts.text("rid_not_listed"), shown_if=of_nobody),
        Note(name="rid_other_group", label=texts.text("rid_other_group"), shown_if=of_others),
        texts.choice(
            "rid_reason", Role.STAFF, "rid_reason", texts.text("rid_reason"), asked_if=doubtful
        ),
        _other_reason(texts, All((doubtful, Equals("rid_reason", "other")))),
    ]


def _other_reason(texts: FormTexts, asked_if: Condition) -> Question:
    return Question(
        name="rid_reason_other",
        role=Role.STAFF,
        kind=Kind.TEXT,
        label=texts.text("rid_reason_other"),
        hint=texts.text("text_self_hint"),
        required=True,
        required_message=texts.text("required_message"),
        asked_if=asked_if,
    )


def _attempt(texts: FormTexts) -> list[Part]:
    if not texts.is_interview:
        return []
    return [texts.choice("attempt", Role.STAFF, "attempt", texts.text("attempt"))]
