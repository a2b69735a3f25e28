"""What is wrong with a plan: forms that ask nothing, take too long, or name too much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kobosmix.bank.model import LONGEST_NAME, Bank
from kobosmix.context.model import Context
from kobosmix.findings import Finding, Severity
from kobosmix.plan import ONE_LANGUAGE, VERIFICATION_KEYS, FormPlan, Plan, too_long
from kobosmix.yamlfile import YamlFile

EXPLANATIONS = {
    "P101": (
        "A form would ask nothing of its respondents.",
        "Choose more concepts, or take the wave or the group out.",
    ),
    "P102": (
        "A variable name is too long for statistics programs once a wave stands before it.",
        "Give the group that is asked about a shorter code.",
    ),
    "P103": (
        "By the estimate an interview takes longer than 'minutes' says.",
        "Ask fewer concepts, or tell respondents the truth: raise 'minutes'.",
    ),
    "P104": (
        "A concept was cut to one item, so it has no reliability.",
        "Ask at least two items of a concept.",
    ),
    "P106": (
        "A concept was chosen, but no form of the study asks it.",
        "Take it out of 'concepts', or change what keeps it out: the finding says what that is.",
    ),
    "P105": (
        "The study lies in a folder that a sync service copies while kobosmix writes.",
        "Move it to a folder that is not synced, and copy the finished tables instead.",
    ),
}


def check_plan(plan: Plan, bank: Bank, context: Context, file: YamlFile) -> Iterator[Finding]:
    """Every form asks something, in time, by names that fit."""
    for form in plan.forms:
        # A group about whom nothing usable was said has a finding of its own.
        if not _is_asked_anything(form) and form.group.asked_about:
            known = " but background that is known" if form.items else ""
            problem = f"the form {form.key} would ask nothing{known}"
            remedy = "Choose more concepts, or take out the wave or the group."
            yield _planned("P101", file, "concepts", problem, remedy, Severity.ERROR)
        if form.minutes > context.minutes:
            problem = (
                f"{form.key} takes about {form.minutes:.0f} minutes, not {context.minutes}"
            )
            remedy = "Ask fewer concepts, or raise 'minutes', which respondents are told."
            yield _planned("P103", file, "minutes", problem, remedy, Severity.WARNING)
    names = too_long(plan)
    if names:
        yield _planned(
            "P102",
            file,
            "groups",
            f"variable names are longer than {LONGEST_NAME} characters: "
            + ", ".join(f"'{name}'" for name in names),
            "Give the groups that are asked about shorter codes, by at least "
            f"{max(map(len, names)) - LONGEST_NAME} characters.",
            Severity.ERROR,
        )
    yield from _dropped_for_one_language(plan, file)
    yield from _never_asked(plan, bank, file)
    yield from _unasked_indicators(plan, bank, context, file)
    yield from _single_items(plan, file)


def _is_asked_anything(form: FormPlan) -> bool:
    """Whether a form has a question for people whose background is known."""
    return any(not planned.unless_known for planned in form.items)


def _single_items(plan: Plan, file: YamlFile) -> Iterator[Finding]:
    single = {
        (block.concept.id, form.group.id)
        for form in plan.forms
        for block in form.blocks
        if len(block.items) == 1 < len(block.concept.items) and block.items[0].item.rated
    }
    for concept, group in sorted(single):
        problem = f"'{concept}' comes down to one item for '{group}', so it has no reliability"
        remedy = "Read it as a single-item measure for this group."
        yield _planned("P104", file, "concepts", problem, remedy, Severity.WARNING)


def _never_asked(plan: Plan, bank: Bank, file: YamlFile) -> Iterator[Finding]:
    asked = {block.concept.id for form in plan.forms for block in form.blocks}
    reasons = defaultdict[str, dict[str, None]](dict)
    for form in plan.forms:
        for left in form.left_out:
            reasons[left.what][left.reason] = None
    for what in sorted(reasons.keys() & bank.concepts.keys() - asked):
        if ONE_LANGUAGE not in reasons[what]:
            problem = f"no form asks '{what}': {'; '.join(reasons[what])}"
            remedy = "Take it out of 'concepts', or change what keeps it out."
            yield _planned("P106", file, "concepts", problem, remedy, Severity.WARNING)


def _unasked_indicators(
    plan: Plan, bank: Bank, context: Context, file: YamlFile
) -> Iterator[Finding]:
    asked = {(form.group.id, item.item.id) for form in plan.forms for item in form.items}
    known = {item.id for _, item in bank.items() if item.scale} - {*VERIFICATION_KEYS}
    for number, indicator in enumerate(context.indicators):
        # An item or a group that is not there at all has a finding of its own.
        is_there = indicator.item in known and indicator.group in context.groups
        if is_there and (indicator.group, indicator.item) not in asked:
            yield Finding(
                code="C111",
                place=file.place(("indicators", number, "item")),
                problem=f"'{indicator.item}' is not asked of '{indicator.group}'",
                remedy="Add its concept to 'concepts', or name an item or a group that is asked.",
            )


def _dropped_for_one_language(plan: Plan, file: YamlFile) -> Iterator[Finding]:
    dropped = {
        left.what
        for form in plan.forms
        for left in form.left_out
        if left.reason == ONE_LANGUAGE
    }
    for what in sorted(dropped):
        problem = f"'{what}' was dropped for groups that share one language"
        remedy = "Nothing to do if that is so; otherwise correct 'speaks' of the groups."
        yield _planned("C109", file, "concepts", problem, remedy, Severity.NOTICE)


def _planned(
    code: str, file: YamlFile, key: str, problem: str, remedy: str, severity: Severity
) -> Finding:
    place = file.place((key,))
    return Finding(code=code, place=place, problem=problem, remedy=remedy, severity=severity)
