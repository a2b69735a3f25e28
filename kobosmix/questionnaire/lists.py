"""The lists of answers a form needs, with their words in each language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kobosmix.bank.model import Bank, Item
from kobosmix.codebook import DONT_KNOW, REFUSED, Option
from kobosmix.context.model import TELEPHONE, Context
from kobosmix.plan import FormPlan
from kobosmix.questionnaire.consent import LANGUAGE
from kobosmix.questionnaire.keys import (
    ALPHABET,
    DAYS,
    LETTERS,
    SIBLINGS,
    alphabets,
)
from kobosmix.questionnaire.model import ListOfOptions
from kobosmix.questionnaire.texts import FormTexts, as_fielded

YES_NO_ITEM = "yes_no_item"
# Read aloud, points without words mean nothing: the same codes get words for every number.
SPOKEN = {"count_5": "count_5_spoken"}

_OBSERVED = ("ended", "others_present", "interruptions", "understanding", "language_kept")
_DAYS_OF_A_MONTH = 31


def list_of(texts: FormTexts, item: Item) -> str:
    """The list that holds the answers of an item in this form; empty for an open answer."""
    if item.scale == "yes_no":
        return YES_NO_ITEM
    return SPOKEN.get(item.scale, item.scale) if texts.is_interview else item.scale


def lists_of(
    texts: FormTexts, bank: Bank, context: Context, plan: FormPlan
) -> dict[str, ListOfOptions]:
    """Every list of the form by its name, in the order in which they are first used."""
    lists = {each.id: each for each in _of_items(texts, bank, plan)}
    answered = texts.options(bank.scales["yes_no"], can_be_missing=True)
    if YES_NO_ITEM in lists or any(block.concept.screen for block in plan.blocks):
        lists[YES_NO_ITEM] = replace(answered, id=YES_NO_ITEM)
    lists["yes_no"] = texts.options(bank.scales["yes_no"])
    lists |= {each.id: each for each in _of_the_form(texts, bank, context)}
    if not texts.has_issued_ids:
        lists |= {each.id: each for each in _of_the_code(texts, bank)}
    return lists


def _of_items(texts: FormTexts, bank: Bank, plan: FormPlan) -> Iterator[ListOfOptions]:
    known = {**bank.scales, **bank.lists}
    names = ["gender", "birth_known"]
    names += [list_of(texts, planned.item) for planned in plan.items if planned.item.scale]
    for name in dict.fromkeys(names):
        if name == YES_NO_ITEM:
            answered = texts.options(bank.scales["yes_no"], can_be_missing=True)
            yield replace(answered, id=YES_NO_ITEM)
        else:
            yield texts.options(known[name], can_be_missing=True)


def _of_the_form(texts: FormTexts, bank: Bank, context: Context) -> Iterator[ListOfOptions]:
    yield _sites(texts, context)
    if not texts.is_interview:
        yield texts.options(bank.lists["mode_self"])
        if len(texts.plan.languages) > 1:
            yield ListOfOptions(id=LANGUAGE, options=_languages(texts, bank))
        return
    yield _modes(texts, bank, context)
    others = texts.options(bank.lists[LANGUAGE])
    yield replace(others, options=(*_languages(texts, bank), *others.options))
    names = ["attempt", "refusal_reason", *_OBSERVED]
    if texts.has_issued_ids:
        names.insert(0, "rid_reason")
    if not texts.is_first_wave:
        names.append("same_enumerator")
    yield from (texts.options(bank.lists[name]) for name in names)


def _modes(texts: FormTexts, bank: Bank, context: Context) -> ListOfOptions:
    """The usual mode of the study stands first."""
    modes = texts.options(bank.lists["mode"])
    first = TELEPHONE if context.mode == TELEPHONE else "face_to_face"
    ordered = sorted(modes.options, key=lambda option: option.value != first)
    return replace(modes, options=tuple(ordered))


def _sites(texts: FormTexts, context: Context) -> ListOfOptions:
    options = tuple(
        Option(
            value=site,
            labels={
                tag: as_fielded(texts.wording.given(labels, tag))
                for tag in texts.plan.languages
            },
        )
        for site, labels in context.sites.items()
    )
    return ListOfOptions(id="site", options=options)


def _languages(texts: FormTexts, bank: Bank) -> tuple[Option, ...]:
    """Each language of the form under its own name, which its speakers know in any script."""
    tags = texts.plan.languages
    return tuple(
        Option(
            value=tag,
            labels=dict.fromkeys(tags, bank.languages[tag].autonym),
            english=bank.languages[tag].english,
        )
        for tag in tags
    )


def _of_the_code(texts: FormTexts, bank: Bank) -> Iterator[ListOfOptions]:
    missing = tuple(
        option
        for option in texts.options(bank.lists[SIBLINGS], can_be_missing=True).options
        if option.value in (DONT_KNOW, REFUSED)
    )
    yield texts.options(bank.lists[SIBLINGS], can_be_missing=True)
    days = tuple(
        Option(value=str(day), labels=dict.fromkeys(texts.plan.languages, str(day)))
        for day in range(1, _DAYS_OF_A_MONTH + 1)
    )
    yield ListOfOptions(id=DAYS, options=(*days, *missing))
    known = alphabets(texts)
    letters = {
        f"{tag.replace('-', '').lower()}{place:02d}": (tag, letter)
        for tag in known
        for place, letter in enumerate(texts.alphabet(tag), start=1)
    }
    options = tuple(
        Option(value=value, labels=dict.fromkeys(texts.plan.languages, letter))
        for value, (_, letter) in letters.items()
    )
    yield ListOfOptions(
        id=LETTERS,
        options=(*options, *missing),
        alphabets={value: tag for value, (tag, _) in letters.items()},
        shown_by=ALPHABET if len(known) > 1 else "",
    )
