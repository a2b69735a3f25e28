"""From the plan of a form to the questionnaire in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kobosmix.bank.model import Bank, Concept, Item, ResponseScale
from kobosmix.codebook import ConceptEntry, FacetEntry, Kind, Role, ToolkitPlace
from kobosmix.conditions import AnyOf, Condition, Equals, Not, both
from kobosmix.context.model import INTERVIEW, OWN_NAME, Context
from kobosmix.files import as_json, canonical_json, sha256
from kobosmix.plan import FormPlan, PlannedBlock, PlannedItem
from kobosmix.questionnaire.closing import closing
from kobosmix.questionnaire.consent import AGREED, consent_value, introduction
from kobosmix.questionnaire.keys import keys_block
from kobosmix.questionnaire.lists import YES_NO_ITEM, list_of, lists_of
from kobosmix.questionnaire.model import (
    Block,
    Calculated,
    Constant,
    Limits,
    Measures,
    Note,
    Part,
    Question,
    Questionnaire,
)
from kobosmix.questionnaire.notices import adaptations_of, wording_of
from kobosmix.questionnaire.staff import (
    ON_PAPER,
    device_values,
    hidden_constants,
    staff_block,
)
from kobosmix.questionnaire.texts import SPOKEN_UNTIL_STOPPED, YES, FormTexts, as_fielded
from kobosmix.wording import Wording
from kobosmix.wording.catalogue import SOURCE

# The hint of a rated item says how many answers are read aloud; so many has a scale of the toolkit.
_POINTS = 5
# The form by which a group is called in titles and tables.
_TITLE_FORMS = ("pl", "nom_pl", "def_pl", "def_pl_nom", "adj_f_pl")


def compile_questionnaire(bank: Bank, wording: Wording, plan: FormPlan) -> Questionnaire:
    """The questionnaire of one form, not stamped yet with its build id.

    What the wording lacks is noted in the wording; a questionnaire made while something was
    lacking has ⟦marks⟧ in it and must not be fielded.
    """
    texts, context = FormTexts(wording, plan), wording.context
    parts = 1 + len(plan.blocks)
    # Made in the order in which they are heard: in this order a proof shows the sentences.
    body: tuple[Part, ...] = (
        staff_block(texts),
        introduction(texts),
        consent_value(texts),
        Block(
            name="interview",
            label=texts.by_mode("block_interview"),
            parts=(keys_block(texts, bank, parts), *_item_blocks(texts, bank, plan)),
            asked_if=AGREED,
        ),
        *closing(texts),
    )
    return Questionnaire(
        study=context.study,
        wave=plan.wave.id,
        group=plan.group.id,
        group_role=plan.group.role,
        mode=context.mode,
        languages=plan.languages,
        title=_title(texts, plan),
        bank_version=bank.version,
        names=_names(texts.wording),
        parts=body,
        lists=lists_of(texts, bank, context, plan),
        concepts=tuple(_concept_entries(plan)),
        needs_register=context.carries_register,
        wording=wording_of(texts),
        adaptations=adaptations_of(texts),
    )


def stamped(draft: Questionnaire) -> Questionnaire:
    """The questionnaire with device values, hidden constants and its own digest as build id."""
    identity = "kx" + sha256(canonical_json(_plain(draft)))[:12]
    hidden = hidden_constants(draft.study, draft.group, draft.wave, identity)
    return replace(draft, parts=(*device_values(), *hidden, *draft.parts))


def build_id(questionnaire: Questionnaire) -> str:
    """The build id of a stamped questionnaire: what travels in every submission."""
    for part in questionnaire.parts:
        match part:
            case Calculated(name="kx_build", rule=Constant(value)):
                return value
            case _:
                continue
    raise ValueError("the questionnaire was not stamped")


def _plain(questionnaire: Questionnaire) -> object:
    """All that makes the questionnaire what it is, for its digest."""
    return [type(questionnaire).__name__, as_json(questionnaire), _kinds(questionnaire)]


def _kinds(questionnaire: Questionnaire) -> list[str]:
    """What each part is: its fields alone would not tell a note from a question."""
    return [
        f"{type(part).__name__} {type(part.rule).__name__}"
        if isinstance(part, Calculated)
        else type(part).__name__
        for _, part, _ in questionnaire.walk()
    ]


def _title(texts: FormTexts, plan: FormPlan) -> str:
    tag, wording = plan.languages[0], texts.wording
    wave = texts.text(f"wave_{plan.wave.id.rstrip('0123456789')}")[tag]
    number = plan.wave.id.removeprefix("fu").strip() if plan.wave.id.startswith("fu") else ""
    group = wording.called(plan.group.id, tag, _TITLE_FORMS)
    title = wording.given(wording.context.title, tag)
    return as_fielded(f"{wave}{' ' + number if number else ''} – {group} – {title}")


def _names(wording: Wording) -> dict[str, dict[str, str]]:
    """What each group is called in English, for tables, and in the languages of the study."""
    tags = sorted({SOURCE, *wording.context.languages} & wording.bank.languages.keys())
    return {
        group: {tag: wording.called(group, tag, _TITLE_FORMS) for tag in tags}
        for group in wording.context.groups
    }


def _item_blocks(texts: FormTexts, bank: Bank, plan: FormPlan) -> Iterator[Part]:
    screens = set[str]()
    for number, block in enumerate(plan.blocks, start=2):
        screen = block.concept.screen
        if screen and screen not in screens:
            yield _screen(texts, screen)
            screens.add(screen)
        yield Block(
            name=f"block_{block.concept.id}{block.suffix}",
            label=texts.part(number, 1 + len(plan.blocks)),
            parts=tuple(_parts(texts, bank, block)),
            asked_if=Equals(screen, YES) if screen else _unless_known(texts, block),
        )


def _screen(texts: FormTexts, name: str) -> Question:
    """'Did you take part?': nobody is asked about what they cannot have seen."""
    return Question(
        name=name,
        role=Role.ITEM,
        kind=Kind.SELECT_ONE,
        label=texts.text(name),
        english=texts.english(f"text.{name}"),
        hint=texts.for_enumerator("options_hint"),
        list=YES_NO_ITEM,
        required=texts.is_interview,
        required_if=_spoken(texts),
        required_message=texts.for_enumerator("required_message"),
    )


def _parts(texts: FormTexts, bank: Bank, block: PlannedBlock) -> Iterator[Part]:
    concept = block.concept
    if concept.instruction:
        key = f"concept.{concept.id}.instruction"
        yield Note(
            name=f"{concept.id}_intro{block.suffix}", label=texts.sentence(key, block.about)
        )
    for planned in block.items:
        question = _question(texts, bank, block, planned)
        yield question
        if planned.item.specify:
            yield _specify(texts, question, planned)


def _question(
    texts: FormTexts, bank: Bank, block: PlannedBlock, planned: PlannedItem
) -> Question:
    item = planned.item
    scale = bank.scales.get(item.scale)
    key = _item_key(item, texts.wording.context)
    return Question(
        name=planned.name,
        role=Role.ITEM,
        kind=_kind(item),
        label=texts.sentence(key, planned.about),
        english=texts.english(key),
        hint=_hint(texts, bank, item, scale),
        list=list_of(texts, item),
        required=texts.is_interview and scale is not None,
        required_if=_spoken(texts) if scale is not None else None,
        required_message=texts.for_enumerator("required_message") if scale else {},
        limits=_limits(item),
        message=texts.text(_number_message(item)) if _limits(item) else {},
        asked_if=both(_route(block, item), _unless_known(texts, block, planned)),
        measures=_measures(block.concept, planned),
    )


def _item_key(item: Item, context: Context) -> str:
    named = item.named and context.own_group == OWN_NAME
    return f"item.{item.id}@named" if named else f"item.{item.id}"


def _kind(item: Item) -> Kind:
    if item.answer is None:
        return Kind.SELECT_ONE
    return Kind.INTEGER if item.answer.kind == "integer" else Kind.TEXT


def _limits(item: Item) -> Limits | None:
    if item.answer is None or item.answer.kind != "integer":
        return None
    return Limits(low=item.answer.low or 0, high=item.answer.high)


def _number_message(item: Item) -> str:
    return "year_message" if item.answer and item.answer.high is None else "number_message"


def _hint(
    texts: FormTexts, bank: Bank, item: Item, scale: ResponseScale | None
) -> Mapping[str, str]:
    if scale is None:
        if item.answer and item.answer.kind == "text":
            return texts.text("text_hint" if texts.is_interview else "text_self_hint")
        return {}
    if not scale.rated or len(scale.options) != _POINTS:
        return texts.for_enumerator("options_hint")
    if texts.wording.context.mode != INTERVIEW:
        return texts.for_enumerator("rated_hint")
    # Face to face there is a card to show; on the telephone there is none.
    number = str(bank.card_numbers[scale.id])
    return texts.sentence("text.rated_card_hint", number=number)


def _unless_known(
    texts: FormTexts, block: PlannedBlock, planned: PlannedItem | None = None
) -> Condition | None:
    """Background is asked again only of those it is not known of, by the list on the phone.

    A list that is out of date leads to asking. Without issued numbers, and where respondents have
    the form themselves, there is no list.
    """
    if not texts.wording.context.carries_register:
        return None
    whole_block = all(each.unless_known for each in block.items)
    applies = whole_block if planned is None else planned.unless_known and not whole_block
    # A paper form asks everybody; what it brings can be typed in.
    return AnyOf((Not(Equals("rid_known", YES)), ON_PAPER)) if applies else None


def _spoken(texts: FormTexts) -> Condition | None:
    return SPOKEN_UNTIL_STOPPED if texts.is_interview else None


def _route(block: PlannedBlock, item: Item) -> Condition | None:
    if item.asked_if is None:
        return None
    earlier, code = item.asked_if
    # What names no group is asked once, without the ending of a group.
    names = {planned.item.id: planned.name for planned in block.items}
    return Equals(names.get(earlier, earlier), code)


def _specify(texts: FormTexts, question: Question, planned: PlannedItem) -> Question:
    specify = planned.item.specify
    if specify is None or question.measures is None:
        raise ValueError("only an item with 'specify' has a text beside it")
    return Question(
        name=specify.id + planned.name.removeprefix(planned.item.id),
        role=Role.ITEM,
        kind=Kind.TEXT,
        label=texts.sentence(f"item.{specify.id}", planned.about),
        english=texts.english(f"item.{specify.id}"),
        hint=texts.text("text_hint" if texts.is_interview else "text_self_hint"),
        asked_if=both(question.asked_if, Equals(question.name, specify.when)),
        measures=replace(question.measures, rated=False),
    )


def _measures(concept: Concept, planned: PlannedItem) -> Measures:
    item = planned.item
    return Measures(
        concept=concept.id,
        item=item.id,
        facet=item.facet,
        about=planned.about,
        rated=item.rated,
        reversed=item.reversed,
        toolkit=ToolkitPlace(
            section=concept.section, concept=concept.title, position=item.position
        ),
    )


def _concept_entries(plan: FormPlan) -> Iterator[ConceptEntry]:
    seen = set[str]()
    for block in plan.blocks:
        concept = block.concept
        if concept.id in seen:
            continue
        seen.add(concept.id)
        yield ConceptEntry(
            id=concept.id,
            section=concept.section,
            title=concept.title,
            score_name=concept.score_name,
            direction=concept.direction,
            facets=tuple(
                FacetEntry(id=f.id, title=f.title, direction=f.direction)
                for f in concept.facets
            ),
        )
