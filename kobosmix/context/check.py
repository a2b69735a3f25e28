"""Rules that hold between the entries of context.yaml, and between it and the bank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kobosmix.bank.model import Bank
from kobosmix.context.check_words import (
    check_alphabets,
    check_lengths,
    check_name_forms,
    check_names_differ,
    check_phrases,
    check_texts,
    check_usual_groups,
)
from kobosmix.context.model import EVERY_COHORT, Context
from kobosmix.context.rule import At
from kobosmix.findings import Finding, Severity
from kobosmix.yamlfile import Path_, YamlFile

CORE = "core"
_WAVES = ("pre", "post", "fu", *(f"fu{number}" for number in range(2, 10)))

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "C101": (
        "A line of context.yaml does not have the shape it must have.",
        "The finding says what was expected. Text that looks like a number, a date or a yes "
        'needs quotes: site: "007".',
    ),
    "C102": (
        "A language is used that kobosmix has no table for, or that the study does not list.",
        "List it under 'languages'; see item_templates/languages for those there are.",
    ),
    "C103": (
        "A group is asked about itself or about a group that is not there.",
        "Name another.",
    ),
    "C104": ("A concept or an item is named that the bank does not have.", "kobosmix concepts"),
    "C105": (
        "A text that goes into a form is missing in one of the languages.",
        "Add it under that language's tag.",
    ),
    "C106": (
        "A window of a wave contradicts itself, its cohort or the wave before.",
        "Correct it.",
    ),
    "C107": ("Arms and design contradict each other.", "See the finding."),
    "C108": (
        "A ready phrase is named that a language does not have.",
        "Use one that is listed.",
    ),
    "C109": (
        "A concept that compares speakers of two languages was dropped, as both groups share one.",
        "Nothing to do, if that is so; otherwise correct 'speaks'.",
    ),
    "C110": ("Two groups have the same name in one language.", "Give each a name of its own."),
    "C111": ("An indicator names something the study does not ask.", "See the finding."),
    "C112": (
        "A language is being prepared and is left out of the forms for now.",
        "When its wording is ready, change 'preparing' to 'use'.",
    ),
    "C114": (
        "A name is given in a form that the language does not have, so it would never be used.",
        "Correct the name of the form; the finding lists those there are.",
    ),
    "C115": (
        "A group is to be called by ready names that kobosmix does not have.",
        "Use one that is listed, or give 'names'.",
    ),
    "C116": (
        "A name or a title is so long that it does not fit on a phone with its sentence.",
        "Shorten it.",
    ),
    "C117": (
        "A self-generated code asks for letters of a language that kobosmix has no alphabet for.",
        "Leave the language out, or use issued numbers.",
    ),
    "C119": (
        "Codes that respondents make themselves are collected, but kobosmix does not match by them "
        "yet, and a code made in another language does not match at all.",
        "Use issued numbers wherever one person of the team can keep a list.",
    ),
    "C118": (
        "Respondents are told that answers can be removed until a day before the last wave ends.",
        "Name a later day under 'withdrawal_until'.",
    ),
    "C113": (
        "What newcomers are called was not said, but an item needs it.",
        "Add 'newcomers'.",
    ),
}


def check_context(context: Context, file: YamlFile, bank: Bank) -> Iterator[Finding]:
    """Everything that contradicts something else."""
    at = At(context, file, bank)
    rules: tuple[Callable[[At], Iterator[Finding]], ...] = (
        check_languages,
        check_groups,
        check_usual_groups,
        check_names_differ,
        check_lengths,
        check_alphabets,
        check_withdrawal,
        check_name_forms,
        check_concepts,
        check_texts,
        check_windows,
        check_arms,
        check_phrases,
        check_indicators,
        check_preparing,
    )
    for rule in rules:
        yield from rule(at)


def check_languages(at: At) -> Iterator[Finding]:
    """A language in use is one kobosmix knows, and a group uses only the study's languages."""
    known = ", ".join(sorted(at.bank.languages))
    for tag in at.context.languages:
        if tag not in at.bank.languages:
            yield at.finding(
                "C102",
                ("languages", tag),
                f"kobosmix has no table for the language '{tag}'",
                f"Use one of: {known}; or mark it 'preparing' to leave it out for now.",
            )
    for group in at.context.groups.values():
        for number, tag in enumerate(group.languages):
            if tag not in (*at.context.languages, *at.context.preparing):
                yield at.finding(
                    "C102",
                    ("groups", group.id, "languages", number),
                    f"'{tag}' is not among the study's languages",
                    "Add it to 'languages' at the top, or correct it.",
                )
            if tag in group.languages[:number]:
                yield at.finding(
                    "C102",
                    ("groups", group.id, "languages", number),
                    f"'{tag}' is listed twice",
                    "Keep one.",
                )
        if not set(group.languages) & set(at.context.languages):
            yield at.finding(
                "C102",
                ("groups", group.id, "languages"),
                f"group '{group.id}' has no language that is in use, so it would get no form",
                "Give it at least one language that is not 'preparing'.",
            )


def check_groups(at: At) -> Iterator[Finding]:
    """A group is asked about other groups of the study, each once."""
    for group in at.context.groups.values():
        for number, other in enumerate(group.asked_about):
            way: Path_ = ("groups", group.id, "asked_about", number)
            if other == group.id:
                yield at.finding(
                    "C103", way, f"'{other}' is asked about itself", "Name another."
                )
            elif other not in at.context.groups:
                known = ", ".join(at.context.groups)
                yield at.finding(
                    "C103", way, f"there is no group '{other}'", f"Name one of: {known}."
                )
            elif other in group.asked_about[:number]:
                yield at.finding("C103", way, f"'{other}' is listed twice", "Keep one.")


def check_withdrawal(at: At) -> Iterator[Finding]:
    """Until when answers can be removed is told at every wave, so it lies behind the last one."""
    closing = [w.closes for wave in at.context.waves.values() for w in wave.windows.values()]
    if closing and at.context.withdrawal_until < max(closing):
        yield at.finding(
            "C118",
            ("contacts", "withdrawal_until"),
            f"{at.context.withdrawal_until} lies before the end of the last wave, {max(closing)}",
            "Give people time to change their minds after their last interview.",
        )


def check_concepts(at: At) -> Iterator[Finding]:
    """Concepts are the bank's, and a concept given to another role is asked at all."""
    known = at.bank.concepts
    switchable = {item.id for _, item in at.bank.items() if not item.default}
    for number, id_ in enumerate(at.context.concepts):
        if id_ != CORE and id_ not in known and id_ not in switchable:
            yield at.finding(
                "C104",
                ("concepts", number),
                f"the bank has no concept '{id_}'",
                "Run 'kobosmix concepts' to see what there is.",
            )
    for id_ in at.context.ask:
        if id_ not in known:
            yield at.finding(
                "C104", ("ask", id_), f"the bank has no concept '{id_}'", "Correct the name."
            )
        elif id_ not in at.context.concepts and not (
            known[id_].core and CORE in at.context.concepts
        ):
            yield at.finding(
                "C104",
                ("ask", id_),
                f"'{id_}' is given to a role, but is not among 'concepts'",
                "Add it to 'concepts', or take it out here.",
            )


def check_windows(at: At) -> Iterator[Finding]:
    """A window closes after it opens, belongs to a cohort, and follows the wave before."""
    waves = list(at.context.waves.values())
    order = [id_ for id_ in _WAVES if id_ in at.context.waves]
    if order != list(at.context.waves):
        yield at.finding(
            "C106",
            ("waves",),
            "the waves do not stand in the order in which they are done",
            f"Write them in this order: {', '.join(order)}.",
        )
    for position, wave in enumerate(waves):
        for cohort, window in wave.windows.items():
            way: Path_ = ("waves", wave.id, "windows", cohort)
            if cohort != EVERY_COHORT and cohort not in at.context.cohorts:
                yield at.finding(
                    "C106", way, f"there is no cohort '{cohort}'", "Add it to 'cohorts'."
                )
            if window.closes < window.opens:
                yield at.finding(
                    "C106", way, "the window closes before it opens", "Correct it."
                )
            before = waves[position - 1].window(cohort) if position else None
            if before and window.opens <= before.opens:
                yield at.finding(
                    "C106",
                    way,
                    f"'{wave.id}' opens no later than '{waves[position - 1].id}'",
                    "Waves stand in the order in which they are done.",
                )


def check_arms(at: At) -> Iterator[Finding]:
    """A design with a comparison has two arms, one without has none to compare."""
    alone = at.context.design == "no_comparison"
    if alone and ("comparison" in at.context.arms or at.context.random):
        yield at.finding(
            "C107",
            ("design",),
            "a design without comparison has no comparison arm and nothing random",
            "Set 'random: false' and leave out the comparison arm, or name another design.",
        )
    if not alone and set(at.context.arms) != {"programme", "comparison"}:
        yield at.finding(
            "C107",
            ("arms",) if at.context.arms else ("design",),
            f"the design '{at.context.design}' compares two arms, but not both are described",
            "Describe 'programme' and 'comparison' under 'arms'.",
        )


def check_indicators(at: At) -> Iterator[Finding]:
    """An indicator counts answers that an item of the study has."""
    items = {item.id: item for _, item in at.bank.items()}
    seen = set[str]()
    for number, indicator in enumerate(at.context.indicators):
        way: Path_ = ("indicators", number)
        if indicator.id in seen:
            problem = f"the id '{indicator.id}' is used already"
            yield at.finding("C111", (*way, "id"), problem, "Give each its own id.")
        seen.add(indicator.id)
        item = items.get(indicator.item)
        if item is None or not item.scale:
            yield at.finding(
                "C111",
                (*way, "item"),
                f"the bank has no item '{indicator.item}' with answers to choose from",
                "Run 'kobosmix concepts --json' to see the items.",
            )
            continue
        codes = [option.value for option in at.bank.scales[item.scale].options]
        if not set(indicator.answers) <= set(codes):
            yield at.finding(
                "C111",
                (*way, "answers"),
                f"'{indicator.item}' has no such answer",
                f"Its codes are: {', '.join(codes)}.",
            )
        if indicator.group not in at.context.groups:
            yield at.finding(
                "C111",
                (*way, "group"),
                f"there is no group '{indicator.group}'",
                f"Name one of: {', '.join(at.context.groups)}.",
            )


def check_preparing(at: At) -> Iterator[Finding]:
    """A language being prepared is left out, and that is said."""
    for tag in at.context.preparing:
        yield at.finding(
            "C112",
            ("languages", tag),
            f"'{tag}' is being prepared, so it is not in any form yet",
            "When its wording is ready, write 'use' in place of 'preparing'.",
            Severity.NOTICE,
        )
