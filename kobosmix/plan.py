"""Bank and context together: which form asks which items of whom, and why the rest is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kobosmix.bank.model import LONGEST_NAME, Bank, Concept, Item
from kobosmix.context.model import Context, Group, Wave
from kobosmix.files import sha256
from kobosmix.slots import slots_of

CORE = "core"
ONE_LANGUAGE = "both groups share one language"
# Asked at every wave on purpose: they verify that a number was not mixed up.
VERIFICATION_KEYS = ("birth_year", "age", "gender")
# Staff block, introduction and consent, keys, thanks and observations of one interview.
_FRAME_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """An item as one form asks it: under this variable name, about this other group (or none).

    `unless_known`: asked of those only whose answer from an earlier wave is not there.
    """

    item: Item
    name: str
    about: str
    unless_known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlock:
    """A concept as one form asks it, about one other group or about none."""

    concept: Concept
    about: str
    suffix: str
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A chosen concept or item that a form does not ask, with the reason."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPlan:
    """One form: one respondent group at one wave."""

    wave: Wave
    group: Group
    languages: tuple[str, ...]
    blocks: tuple[PlannedBlock, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def key(self) -> str:
        """What the form is called in file names: `pre_turks`."""
        return f"{self.wave.id}_{self.group.id}"

    @property
    def items(self) -> tuple[PlannedItem, ...]:
        """Every item of the form in order."""
        return tuple(item for block in self.blocks for item in block.items)

    @property
    def minutes(self) -> float:
        """How long an interview takes, by the bank's estimate per item."""
        asked = sum(
            block.concept.seconds_per_item
            for block in self.blocks
            for planned in block.items
            if not planned.unless_known
        )
        return (_FRAME_SECONDS + asked) / 60


@dataclass(frozen=True, slots=True)
class Plan:
    """The family of forms of a study."""

    forms: tuple[FormPlan, ...]


def plan_study(bank: Bank, context: Context) -> Plan:
    """One form for each wave and respondent group, in the order of context.yaml."""
    return Plan(
        tuple(
            _plan_form(bank, context, wave, group)
            for wave in context.waves.values()
            for group in context.groups.values()
        )
    )


def chosen_concepts(bank: Bank, context: Context) -> list[Concept]:
    """The concepts the team named, in the bank's order, sensitive ones last."""
    named = set(context.concepts)
    items_named = {i.id for _, i in bank.items() if i.id in named}
    chosen = [
        concept
        for concept in bank.concepts.values()
        if concept.id in named
        or (concept.core and CORE in named)
        or any(item.id in items_named for item in concept.items)
    ]
    return sorted(chosen, key=lambda concept: concept.sensitive)


def kind_of_wave(wave_id: str) -> str:
    """`pre`, `post` or `fu`: what the bank calls the wave, however many follow-ups there are."""
    return wave_id.rstrip("0123456789")


def _plan_form(bank: Bank, context: Context, wave: Wave, group: Group) -> FormPlan:
    blocks, left_out = list[PlannedBlock](), list[LeftOut]()
    for concept in chosen_concepts(bank, context):
        reason = _whole_concept_reason(concept, context, group)
        if reason:
            left_out.append(LeftOut(what=concept.id, reason=reason))
            continue
        items, skipped = _items(concept, context, wave, group)
        left_out += skipped
        if items:
            items = _shuffled(concept, items, context.item_seed)
            blocks += _blocks(concept, items, group, kind_of_wave(wave.id))
    return FormPlan(
        wave=wave,
        group=group,
        languages=tuple(tag for tag in group.languages if tag in context.languages),
        blocks=tuple(blocks),
        left_out=tuple(left_out),
    )


def _whole_concept_reason(concept: Concept, context: Context, group: Group) -> str:
    if concept.needs == "two_languages":
        others = [context.groups[id_] for id_ in group.asked_about if id_ in context.groups]
        if all(other.speaks == group.speaks for other in others):
            return ONE_LANGUAGE
        if not {"host", "newcomer"} <= {each.role for each in context.groups.values()}:
            return "the study has no host group or no newcomer group"
    return ""


def _items(
    concept: Concept, context: Context, wave: Wave, group: Group
) -> tuple[list[Item], list[LeftOut]]:
    asked, skipped = list[Item](), list[LeftOut]()
    for item in concept.items:
        if item.id in VERIFICATION_KEYS:
            continue
        reason = _item_reason(concept, item, context, wave, group)
        if reason:
            skipped.append(LeftOut(what=item.id, reason=reason))
        else:
            asked.append(item)
    if not asked and skipped:
        skipped = [LeftOut(what=concept.id, reason=skipped[0].reason)]
    return asked, skipped


def _item_reason(
    concept: Concept, item: Item, context: Context, wave: Wave, group: Group
) -> str:
    if kind_of_wave(wave.id) not in item.waves and not concept.background:
        return f"not asked at this wave, only at: {', '.join(item.waves)}"
    if item.audience not in ("all", group.role) and group.role not in context.ask.get(
        concept.id, ()
    ):
        return f"asked of the {item.audience} side only"
    chosen = concept.id in context.concepts or (concept.core and CORE in context.concepts)
    if not (chosen and item.default) and item.id not in context.concepts:
        return "off unless named under 'concepts'"
    return ""


def _shuffled(concept: Concept, items: list[Item], seed: int | None) -> list[Item]:
    """The items in an order of their own that the seed decides, the same in every form.

    Where the answer to one item decides on another, the bank's order stays.
    """
    if seed is None or any(item.asked_if or item.specify for item in concept.items):
        return items
    return sorted(items, key=lambda item: sha256(f"{seed} {item.id}".encode()))


def _blocks(
    concept: Concept, items: list[Item], group: Group, wave: str
) -> Iterator[PlannedBlock]:
    """The concept once for each other group; what names no group is asked the first time only."""
    abouts = group.asked_about if concept.per_group else ("",)
    for number, about in enumerate(abouts):
        suffix = f"__{about}" if len(abouts) > 1 else ""
        planned = tuple(
            PlannedItem(
                item=item,
                name=item.id + suffix if _names_a_group(item) else item.id,
                about=about if _names_a_group(item) else "",
                unless_known=wave not in item.waves,
            )
            for item in items
            if number == 0 or _names_a_group(item)
        )
        if planned:
            yield PlannedBlock(concept=concept, about=about, suffix=suffix, items=planned)


def _names_a_group(item: Item) -> bool:
    return any(slot.name == "group" for slot in slots_of(item.text))


def too_long(plan: Plan) -> list[str]:
    """Variable names that would not fit a statistics program with a wave before them."""
    names = {item.name for form in plan.forms for item in form.items}
    return sorted(name for name in names if len(name) > LONGEST_NAME)
