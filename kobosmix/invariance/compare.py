"""In what two forms differ, before anybody asks whether that is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from kobosmix.codebook import Codebook, Option, Variable
from kobosmix.conditions import Condition
from kobosmix.form.codebook_workbook import in_words
from kobosmix.invariance.align import Asked, Entry, View, common
from kobosmix.invariance.model import Difference, What
from kobosmix.order import moved

# In what, in which language, in one form, in the other.
_Found = tuple[What, str, str, str]
_A_SCALE = 3


def differences(a: View, b: View) -> Iterator[tuple[str, Difference]]:
    """Everything that differs, each with the shared name of what it concerns ("": the form)."""
    for each in _whole_forms(a.version.codebook, b.version.codebook):
        yield "", each
    for name in dict.fromkeys((*a.asked, *b.asked)):
        one, other = a.asked.get(name), b.asked.get(name)
        if one and other:
            yield from ((name, each) for each in _both_have(a, b, one, other))
        elif there := one or other:
            yield name, _only_in_one(there, is_in_a=one is not None)
    yield from _order(a, b)


def _whole_forms(a: Codebook, b: Codebook) -> Iterator[Difference]:
    if set(a.languages) != set(b.languages):
        spoken = ", ".join(a.languages), ", ".join(b.languages)
        yield Difference(what=What.LANGUAGES, in_a=spoken[0], in_b=spoken[1])
    if a.mode != b.mode:
        yield Difference(what=What.MODE, in_a=a.mode, in_b=b.mode)


def _only_in_one(there: Asked, *, is_in_a: bool) -> Difference:
    label = next(iter(there.entry.labels.values()), "") or "asked"
    return Difference(
        what=What.NOT_ASKED,
        variable=there.name,
        in_a=label if is_in_a else "",
        in_b="" if is_in_a else label,
        measuring=there.measuring,
    )


def _both_have(a: View, b: View, one: Asked, other: Asked) -> Iterator[Difference]:
    languages = [
        tag for tag in a.version.codebook.languages if tag in b.version.codebook.languages
    ]
    is_same_group = not a.partner
    found = _entries(one, other, languages, names_must_agree=is_same_group)
    for what, language, in_a, in_b in found:
        yield Difference(
            what=what,
            variable=one.name,
            language=language,
            in_a=in_a,
            in_b=in_b,
            measuring=one.measuring or other.measuring,
        )


def _entries(
    one: Asked, other: Asked, languages: Sequence[str], *, names_must_agree: bool
) -> Iterator[_Found]:
    if names_must_agree and one.name != other.name:
        yield What.NAME, "", one.name, other.name
    x, y = one.entry, other.entry
    if isinstance(x, Variable) and isinstance(y, Variable):
        yield from _variables(x, y, languages)
        yield from _unequal(What.REQUIRED, _required(x, one), _required(y, other))
    elif type(x) is not type(y):
        yield What.KIND, "", _kind(x), _kind(y)
    yield from _unequal(What.ROUTING, _always(one.asked_if), _always(other.asked_if))
    yield from _texts(What.WORDS, x.labels, y.labels, languages)
    yield from _texts(What.HINT, x.hints, y.hints, languages)


def _variables(x: Variable, y: Variable, languages: Sequence[str]) -> Iterator[_Found]:
    yield from _unequal(What.KIND, str(x.kind), str(y.kind))
    if x.kind is y.kind:
        yield from _answers(x, y, languages)
    yield from _unequal(What.DIRECTION, _direction(x), _direction(y))
    yield from _unequal(What.CONCEPT, _concept(x), _concept(y))
    yield from _unequal(What.LIMITS, _limits(x), _limits(y))
    yield from _unequal(What.ENGLISH, x.english, y.english)


def _answers(x: Variable, y: Variable, languages: Sequence[str]) -> Iterator[_Found]:
    if x.scale != y.scale:
        yield What.SCALE, "", f"{x.scale}: {_codes(x)}", f"{y.scale}: {_codes(y)}"
        return
    yield from _unequal(What.CODES, _codes(x), _codes(y))
    yield from _unequal(What.MISSING_CODES, _missing_codes(x), _missing_codes(y))
    both = [(o, p) for o in x.options if (p := y.option(o.value))]
    renamed = [(o, p) for o, p in both if o.english != p.english]
    if renamed:
        what = What.MEANING if _mean_something_else(renamed, both) else What.ENGLISH
        yield what, "", _meanings(o for o, _ in renamed), _meanings(p for _, p in renamed)
        return
    for tag in languages:
        reworded = [(o, p) for o, p in both if o.labels.get(tag) != p.labels.get(tag)]
        if reworded:
            in_a, in_b = zip(*reworded, strict=True)
            before = {o.labels.get(tag) for o, _ in both}
            has_moved = any(option.labels.get(tag) in before for option in in_b)
            what = What.MEANING if has_moved else What.LABELS
            yield what, tag, _labels(in_a, tag), _labels(in_b, tag)


def _mean_something_else(
    renamed: Sequence[tuple[Option, Option]], both: Sequence[tuple[Option, Option]]
) -> bool:
    """A label that moved to another code, or a whole scale of other labels."""
    before = {option.english for option, _ in both}
    has_moved = any(option.english in before for _, option in renamed)
    return has_moved or len(renamed) == len(both) >= _A_SCALE


def _unequal(what: What, in_a: str, in_b: str) -> Iterator[_Found]:
    if in_a != in_b:
        yield what, "", in_a, in_b


def _texts(
    what: What, in_a: Mapping[str, str], in_b: Mapping[str, str], languages: Sequence[str]
) -> Iterator[_Found]:
    for tag in languages:
        if in_a.get(tag, "") != in_b.get(tag, ""):
            yield what, tag, in_a.get(tag, ""), in_b.get(tag, "")


def _kind(entry: Entry) -> str:
    return str(entry.kind) if isinstance(entry, Variable) else "only read"


def _codes(variable: Variable) -> str:
    return " ".join(o.value for o in variable.options if not o.missing)


def _missing_codes(variable: Variable) -> str:
    return " ".join(f"{o.value} {o.missing}" for o in variable.options if o.missing)


def _meanings(options: Iterable[Option]) -> str:
    return ", ".join(f"{option.value} = {option.english}" for option in options)


def _labels(options: Iterable[Option], tag: str) -> str:
    return ", ".join(f"{option.value} = {option.labels.get(tag, '')}" for option in options)


def _direction(variable: Variable) -> str:
    keyed = "reversed" if variable.reversed else "not reversed"
    return f"{keyed}, {'rated' if variable.rated else 'not rated'}"


def _concept(variable: Variable) -> str:
    parts = (variable.concept, variable.facet, variable.item, str(variable.role))
    return " / ".join(filter(None, parts))


def _limits(variable: Variable) -> str:
    if variable.low is None and variable.high is None:
        return "none"
    return f"{variable.low} to {'this year' if variable.high is None else variable.high}"


def _required(variable: Variable, asked: Asked) -> str:
    if not variable.required:
        return "no"
    return f"if {in_words(asked.required_if)}" if asked.required_if else "yes"


def _always(condition: Condition | None) -> str:
    return in_words(condition) or "always"


def _order(a: View, b: View) -> Iterator[tuple[str, Difference]]:
    """What has moved: as few as will do, so that one question that moved is one difference."""
    in_a, in_b = common(a, b)
    if [each.shared for each in in_a] == [each.shared for each in in_b]:
        return
    lists = _sequences(a, b)
    elsewhere = dict.fromkeys(chain.from_iterable(moved(*each) for each in lists))
    for name in elsewhere:
        one = a.asked[name]
        yield (
            name,
            Difference(
                what=What.ORDER,
                variable=one.name,
                in_a=_after(in_a, name),
                in_b=_after(in_b, name),
                measuring=one.measuring,
            ),
        )
    if not elsewhere:
        groups = ", ".join(a.others), ", ".join(b.others)
        yield "", Difference(what=What.ORDER, in_a=groups[0], in_b=groups[1])


def _sequences(a: View, b: View) -> Iterator[tuple[list[str], list[str]]]:
    """The sequences that must agree.

    Two groups are asked about the others in an order of their own, each concept in turn: there
    the concepts must follow each other alike, and the items about each group.
    """
    in_a, in_b = common(a, b)
    if not a.partner:
        yield [each.shared for each in in_a], [each.shared for each in in_b]
        return
    names = {each.base: each.shared for each in reversed(in_a)}
    yield _first_asked(a, names), _first_asked(b, names)
    for about in dict.fromkeys(each.about for each in in_a):
        yield (
            [each.shared for each in in_a if each.about == about],
            [each.shared for each in in_b if each.about == about],
        )


def _first_asked(form: View, names: Mapping[str, str]) -> list[str]:
    """The questions both have in the order in which they come first, about whomever."""
    bases = dict.fromkeys(each.base for each in form.asked.values())
    return [names[base] for base in bases if base in names]


def _after(asked: list[Asked], name: str) -> str:
    place = next(number for number, each in enumerate(asked) if each.shared == name)
    return f"after {asked[place - 1].name}" if place else "first"
