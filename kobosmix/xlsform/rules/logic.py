"""Expressions within the form: answers that cannot be given, circles, and what comes too early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from kobosmix.findings import Finding
from kobosmix.xlsform.expression import REFERENCE
from kobosmix.xlsform.kinds import ANSWERED
from kobosmix.xlsform.outline import Node as Question
from kobosmix.xlsform.outline import Outline, Used
from kobosmix.xlsform.tell import listed, meant, quoted, tell
from kobosmix.xlsform.xpath import Call, Expression, Node, Number, Path, Ref, Text

EXPLANATIONS: Mapping[str, tuple[str, str]] = {
    "L140": (
        "A question inside a repeat is named from outside it, where it has many answers. The app "
        "breaks off at the second round.",
        "Say which is meant: sum(), count(), join(), or indexed-repeat().",
    ),
    "L142": (
        "A condition compares a question with a value that is not in its list, so it is never met. "
        "Neither pyxform nor ODK Validate looks.",
        "Correct the value; the value counts, not the label.",
    ),
    "L143": (
        "A value stands without quotes. The engines take it for the name of a question, and the "
        "condition is never met.",
        "Put the value into quotes: ${consent} = 'yes'.",
    ),
    "L147": (
        "A question depends on itself, directly or over others. The phones cannot open the form.",
        "Take one of the conditions out.",
    ),
    "L148": (
        "A constraint goes by a calculation on its own answer. On the phones the calculation still "
        "has the old value, so no answer is ever accepted.",
        "Write the whole condition with . into the constraint.",
    ),
    "L242": (
        "A constraint does not look at the answer it belongs to.",
        "Write . for the answer itself; a condition on another question belongs into 'relevant'.",
    ),
    "L245": (
        "A condition goes by a question that is asked later. The enumerator is past it by then.",
        "Move the question up.",
    ),
    "L248": (
        "A whole number is checked digit by digit. 0712 becomes 712 when it is typed, in browsers "
        "at once, and a number that begins with zero never passes.",
        "Use the type text with the appearance numbers for codes and phone numbers.",
    ),
    "L246": (
        "A question with several answers is compared with =, which is met only if nothing else was "
        "chosen.",
        "Write selected(${question}, 'value').",
    ),
}

# These decide when the engine works a question out again.
_TRIGGERS = ("relevant", "calculation", "required", "read_only")
_BY_DIGITS = frozenset({"regex", "string-length", "substr"})
_OF_LIST = frozenset({"selected", "is-selected"})


def check_literals(form: Outline) -> Iterator[Finding]:
    """A question is compared with what can be answered to it."""
    for used in form.expressions:
        for operation in used.expression.comparisons:
            sides = (operation.left, operation.right)
            for asked, said in (sides, sides[::-1]):
                yield from _compared(form, used, asked, said)
        for call in used.expression.calls:
            if call.name in _OF_LIST and len(call.arguments) > 1:
                yield from _compared(form, used, call.arguments[0], call.arguments[1])
            elif call.name == "jr:choice-name" and len(call.arguments) > 1:
                yield from _named_choice(form, used, call)


def _compared(form: Outline, used: Used, asked: Node, said: Node) -> Iterator[Finding]:
    question = _question(form, used, asked)
    if question is None:
        return
    at = ("survey", used.node.row.number, used.column)
    values = form.values_of(question)
    if isinstance(said, Path) and said.text in used.expression.words:
        if used.column != "choice_filter":
            problem = f"'{said.text}' has no quotes, so it is taken for a question"
            yield tell(form, "L143", at, problem, f"Write '{said.text}' in quotes.")
    elif values and isinstance(said, (Text, Number)) and not _can_be(said, question, values):
        name = f"'{said.value}' is no answer to '{question.name}'.{meant(said.value, values)}"
        yield tell(form, "L142", at, name, f"Its list has {listed(sorted(values))}.")


def _question(form: Outline, used: Used, asked: Node) -> Question | None:
    if isinstance(asked, Ref):
        return form.by_name.get(asked.name)
    if isinstance(asked, Path) and asked.text == "." and used.column != "choice_filter":
        return used.node
    return None


def _can_be(said: Text | Number, question: Question, values: frozenset[str]) -> bool:
    # NaN is how some ask whether a number is there; an unseen mark has a finding of its own.
    if said.value in {*values, "", "NaN"} or "${" in said.value or not said.value.isprintable():
        return True
    if question.type != "select_one":
        return all(word in values for word in said.value.split())
    number = _number(said.value)
    return number is not None and any(number == _number(value) for value in values)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _named_choice(form: Outline, used: Used, call: Call) -> Iterator[Finding]:
    """jr:choice-name('value', '${question}') has the question as a text."""
    value, named = call.arguments[:2]
    if isinstance(value, Text) and isinstance(named, Text):
        name = named.value.strip().removeprefix("${").removesuffix("}").strip()
        yield from _compared(form, used, Ref(name), value)


def check_several_answers(form: Outline) -> Iterator[Finding]:
    """A question with several answers is not compared with =."""
    for used in form.expressions:
        for operation in used.expression.comparisons:
            for asked, said in (operation[1:], operation[:0:-1]):
                question = _question(form, used, asked)
                if question is None or question.type != "select_multiple":
                    continue
                if isinstance(said, (Text, Number)) and said.value:
                    problem = f"'{question.name}' can have several answers, so = is not enough"
                    remedy = f"Write selected(${{{question.name}}}, '{said.value}')."
                    at = ("survey", used.node.row.number, used.column)
                    yield tell(form, "L246", at, problem, remedy)


def check_circles(form: Outline) -> Iterator[Finding]:
    """Nothing depends on itself, directly or over others."""
    needs = _needs(form)
    while circle := _circle(needs):
        at = ("survey", form.by_name[circle[0]].row.number, "")
        said = f"'{circle[0]}' depends on itself: {' → '.join(circle)}"
        yield tell(form, "L147", at, said, "Take one of the conditions out.")
        for name in circle[1:]:
            del needs[name]


def _circle(needs: Mapping[str, Mapping[str, None]]) -> list[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        # It runs from what is needed to what needs it.
        circle: list[str] = error.args[1][::-1]
        return circle
    return []


def _needs(form: Outline) -> dict[str, dict[str, None]]:
    """What must be known before each question, by name; groups pass on what they need."""
    own = dict[str, dict[str, None]]()
    for used in form.expressions:
        if used.column in _TRIGGERS and used.node.name:
            named = own.setdefault(used.node.name, {})
            for use in used.expression.uses:
                if not use.elsewhere and use.name in form.by_name:
                    named[use.name] = None
    needs = dict[str, dict[str, None]]()
    for node in form.nodes:
        if node.name in needs or not node.name:
            continue
        needs[node.name] = dict(own.get(node.name, {}))
        for group in node.groups:
            needs[node.name].update(own.get(group.name, {}))
    return needs


def check_constraints(form: Outline) -> Iterator[Finding]:
    """A constraint looks at the answer itself, and not by way of a calculation."""
    calculated = {
        used.node.name: used.expression
        for used in form.expressions
        if used.column == "calculation"
    }
    for used in form.expressions:
        if used.column != "constraint" or used.expression.fault:
            continue
        names, own = [use.name for use in used.expression.uses], used.node.name
        at = ("survey", used.node.row.number, "constraint")
        stale = [
            name for name in names if name != own and _goes_by(name, own, calculated, set())
        ]
        if stale:
            said = f"it goes by '{stale[0]}', which is worked out from this very answer"
            remedy = "Write the whole condition with . into the constraint."
            yield tell(form, "L148", at, said, remedy)
        elif names and own not in names and not used.expression.names_itself:
            said = f"it names {quoted(names)}, but not the answer itself"
            yield tell(form, "L242", at, said, "Write . for the answer.")


def _goes_by(name: str, own: str, calculated: Mapping[str, Expression], seen: set[str]) -> bool:
    if name in seen or name not in calculated:
        return False
    seen.add(name)
    return any(
        use.name == own or _goes_by(use.name, own, calculated, seen)
        for use in calculated[name].uses
    )


def check_digits(form: Outline) -> Iterator[Finding]:
    """What is checked digit by digit is a text: a number has no zeros in front."""
    for used in form.expressions:
        if used.column == "constraint" and used.node.type == "integer":
            patterns = [call.name for call in used.expression.calls if call.name in _BY_DIGITS]
            if patterns:
                said = f"{patterns[0]}() looks at digits, but an integer has no zeros in front"
                remedy = "Use the type text with the appearance numbers."
                at = ("survey", used.node.row.number, "constraint")
                yield tell(form, "L248", at, said, remedy)


def check_order(form: Outline) -> Iterator[Finding]:
    """A condition goes by what was asked before it."""
    for used in form.expressions:
        if used.column not in ("relevant", "choice_filter") or not _is_met(used.node):
            continue
        for use in used.expression.uses:
            asked = form.by_name.get(use.name)
            if asked is None or asked.type not in ANSWERED or asked is used.node:
                continue
            # What is inside a group it decides about is a circle, and told as one.
            beside = used.node in asked.groups or _on_one_screen(used.node, asked)
            if asked.row.number > used.node.row.number and not beside:
                said = f"'{asked.name}' is asked later (row {asked.row.number})"
                at = ("survey", used.node.row.number, used.column)
                yield tell(form, "L245", at, said, "Move it up.")
                break


def _is_met(node: Question) -> bool:
    return node.is_shown or node.opens


def _on_one_screen(one: Question, other: Question) -> bool:
    return any(
        "field-list" in group.cell("appearance") and group in other.groups
        for group in one.groups
    )


def check_repeats(form: Outline) -> Iterator[Finding]:
    """From outside a repeat, one of its questions has many answers."""
    for used in form.expressions:
        single = [use.name for use in used.expression.uses if not use.over_many]
        at = ("survey", used.node.row.number, used.column)
        yield from _beyond(form, used.node, single, at)
    by_row = {node.row.number: node for node in form.nodes}
    for said in form.texts:
        for language, text in said.texts.items():
            if "${" in text and said.sheet == "survey" and said.row in by_row:
                names = REFERENCE.findall(text)
                yield from _beyond(form, by_row[said.row], names, said.at(language))


def _beyond(
    form: Outline, node: Question, names: Sequence[str], at: tuple[str, int, str]
) -> Iterator[Finding]:
    around = (*node.repeats, node)
    for name in dict.fromkeys(names):
        asked = form.by_name.get(name)
        inside = [repeat for repeat in asked.repeats if repeat not in around] if asked else []
        if inside:
            said = f"'{name}' has an answer for each round of '{inside[-1].name}'"
            remedy = "Say which is meant: sum(), count(), join(), or indexed-repeat()."
            yield tell(form, "L140", at, said, remedy)


RULES = (
    check_literals,
    check_several_answers,
    check_circles,
    check_constraints,
    check_digits,
    check_order,
    check_repeats,
)
