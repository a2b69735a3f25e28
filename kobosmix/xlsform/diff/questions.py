"""Questions that came, went, or are asked otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kobosmix.order import moved
from kobosmix.xlsform.diff.form import (
    Pair,
    expression,
    is_select,
    is_valued,
    path_of,
    plain_text,
    said,
)
from kobosmix.xlsform.diff.model import Change, Level
from kobosmix.xlsform.kinds import EXTERNAL_FILES, METADATA, SELECTS
from kobosmix.xlsform.outline import Node

# What stands hidden in a form of kobosmix: which form it is, and which build of it.
_IDENTITY = frozenset({"kx_study", "kx_wave", "kx_group"})
_BUILD = "kx_build"
# What the form says to the team of its own wording, on the first screen.
_NOTICES = frozenset({"about_wording", "about_review"})
# Where parameters say which answers there are, or in what order.
_BY_PARAMETERS = frozenset({"range", *SELECTS})
_SAME = "Answers stay as they are."
_NUMBER = re.compile(r"\d+")

_LOGIC = {
    "relevant": (
        "asked of others",
        "Other people are asked than before; who was not asked is missing for another reason.",
    ),
    "constraint": (
        "other answers are taken",
        "Answers before and after were let through by another rule.",
    ),
    "required": (
        "required otherwise",
        "Missing answers before and after mean different things.",
    ),
    "calculation": (
        "worked out otherwise",
        "Values before and after come from different rules; do not pool them.",
    ),
    "choice_filter": (
        "other answers are offered",
        "What could be chosen before and after differs.",
    ),
    "repeat_count": ("repeated otherwise", "Another number of answers is asked for."),
    "read_only": (
        "can be filled in otherwise",
        "Values before and after came about otherwise.",
    ),
    "default": ("begins with another answer", "Untouched answers before and after differ."),
    "trigger": (
        "set by another question",
        "Values before and after come from different rules.",
    ),
    "parameters": (
        "shown or limited otherwise",
        "Look what changed before answers are pooled.",
    ),
}
_TEXTS = {
    "label": "other words",
    "hint": "other hint",
    "constraint_message": "other message for a refused answer",
    "required_message": "other message for a missing answer",
}
_SHOWN = {
    "guidance_hint": "other guidance",
    "image": "other image",
    "big-image": "other image",
    "audio": "other sound",
    "video": "other video",
}
_REWORDED = "Answers keep their codes; the question may have been understood otherwise."


def question_changes(forms: Pair) -> Iterator[Change]:
    """What became of each question, note, value and group."""
    renamed = _renamed(forms)
    yield from _identity(forms)
    for node in forms.removed:
        if node.name not in renamed:
            yield from _gone(node)
    for before, now in renamed.items():
        yield Change(
            level=Level.BREAKING,
            where=before,
            what=f"perhaps renamed to {now}",
            means=f"Answers collected before stand under '{before}', new ones under '{now}'. Keep "
            "the old name, or join the two columns by hand.",
        )
    for node in forms.added:
        if node.name not in renamed.values():
            yield from _new(node)
    for old, new in forms.nodes:
        yield from _both_have(forms, old, new)
    yield from _moved(forms)


def _renamed(forms: Pair) -> dict[str, str]:
    """Old name -> new name, where type and words are the same."""
    found = dict[str, str]()
    for old in forms.removed:
        if not is_valued(old):
            continue
        for new in forms.added:
            if new.name not in found.values() and _is_same_under_other_name(forms, old, new):
                found[old.name] = new.name
                break
    return found


def _is_same_under_other_name(forms: Pair, old: Node, new: Node) -> bool:
    if (old.kind.name, old.kind.from_file) != (new.kind.name, new.kind.from_file):
        return False
    if old.type == "calculate":
        rule = expression(old, "calculation")
        return bool(rule) and rule == expression(new, "calculation")
    texts = forms.texts(old.row.texts.get("label", {}), new.row.texts.get("label", {}))
    return any(before == now != "" for _, before, now in texts)


def _gone(node: Node) -> Iterator[Change]:
    if is_valued(node):
        means = "Answers collected before stay under this name, and no new ones come in."
        yield _change(Level.BREAKING, node, "removed", means, old=said(node))
    elif node.type == "begin repeat":
        means = "Answers collected before lie in a repeat that is not there any more."
        yield _change(Level.BREAKING, node, "repeat removed", means)
    elif node.type in EXTERNAL_FILES:
        means = "Values that are looked up in it stay empty."
        yield _change(Level.BREAKING, node, "attached file removed", means)
    elif node.type == "note":
        yield _note(node, "instruction removed", old=said(node))


def _new(node: Node) -> Iterator[Change]:
    if is_valued(node):
        what = (
            "new value" if node.type in ("calculate", "hidden", *METADATA) else "new question"
        )
        means = "Answers collected before lack it: it was not asked."
        yield _change(Level.ADDITION, node, what, means, new=said(node))
    elif node.type == "begin repeat":
        means = "What stands in it is asked several times now."
        yield _change(Level.BREAKING, node, "new repeat", means)
    elif node.type == "note":
        yield _note(node, "new instruction", new=said(node))


def _note(node: Node, what: str, *, old: str = "", new: str = "") -> Change:
    if node.name in _NOTICES:
        means = "It tells the team how far the wording has been read; no respondent hears it."
        return _change(Level.COSMETIC, node, what, means, old=old, new=new)
    means = "What is read before a question can change how it is answered."
    return _change(Level.WORDING, node, what, means, old=old, new=new)


def _identity(forms: Pair) -> Iterator[Change]:
    """Which form it is, and which build of it: what stands hidden in it."""
    for old, new in forms.nodes:
        before, now = (each.cell("calculation").strip("'\"") for each in (old, new))
        if before == now:
            continue
        if new.name == _BUILD:
            means = "Each build has its own id."
            yield _change(Level.COSMETIC, new, "another build", means, old=before, new=now)
        elif new.name in _IDENTITY:
            means = "These are forms of another wave, group or study: never mix their answers."
            what = "another form altogether"
            yield _change(Level.BREAKING, new, what, means, old=before, new=now)


def _both_have(forms: Pair, old: Node, new: Node) -> Iterator[Change]:
    if new.name in {*_IDENTITY, _BUILD}:
        return
    yield from _type(old, new)
    if path_of(old) != path_of(new):
        yield from _elsewhere(old, new)
    yield from _logic(old, new)
    yield from _words(forms, old, new)
    yield from _looks(forms, old, new)


def _type(old: Node, new: Node) -> Iterator[Change]:
    before, now = _type_in_words(old), _type_in_words(new)
    if before == now or not (is_valued(old) or is_valued(new) or old.opens or new.opens):
        return
    if is_valued(new) and old.type == "note":
        means = "Answers collected before lack it: it was only read."
        yield _change(Level.ADDITION, new, "a question now", means, old=before, new=now)
        return
    means = "Answers before and after are of different kinds; do not pool them."
    yield _change(Level.BREAKING, new, "other type", means, old=before, new=now)


def _type_in_words(node: Node) -> str:
    """The type, without a list of the form, which is compared by what is in it."""
    if node.kind.from_file:
        return f"{node.type} from file {node.kind.list}"
    return node.type + (" or other" if is_select(node) and node.kind.or_other else "")


def _elsewhere(old: Node, new: Node) -> Iterator[Change]:
    if not is_valued(new):
        return
    before, now = path_of(old) or "no group", path_of(new) or "no group"
    if [n.name for n in old.repeats] != [n.name for n in new.repeats]:
        means = "It is asked another number of times than before; do not pool the answers."
        yield _change(Level.BREAKING, new, "other repeat", means, old=before, new=now)
    else:
        means = "Answers stand in another column than before; join the two before analysis."
        yield _change(Level.BREAKING, new, "other group", means, old=before, new=now)


def _logic(old: Node, new: Node) -> Iterator[Change]:
    for column, (what, means) in _LOGIC.items():
        before, now = expression(old, column), expression(new, column)
        if before == now:
            continue
        if new.type == "note":
            means_here = "Others read it than before."
            yield _change(Level.WORDING, new, what, means_here, old=before, new=now)
        elif column == "parameters" and new.type not in _BY_PARAMETERS:
            yield _change(Level.COSMETIC, new, what, _SAME, old=before, new=now)
        else:
            yield _change(Level.BREAKING, new, what, means, old=before, new=now)


def _words(forms: Pair, old: Node, new: Node) -> Iterator[Change]:
    for column, what in _TEXTS.items():
        texts = forms.texts(old.row.texts.get(column, {}), new.row.texts.get(column, {}))
        for language, before, now in texts:
            if before == now:
                continue
            words = {"old": before, "new": now, "language": language}
            if new.name in _NOTICES or (new.opens and _is_renumbered(before, now)):
                yield _change(Level.COSMETIC, new, what, _SAME, **words)
            else:
                means = _REWORDED if column == "label" else "Answers keep their codes."
                yield _change(Level.WORDING, new, what, means, **words)


def _is_renumbered(before: str, now: str) -> bool:
    """A heading such as 'Part 2 of 12' that counts other parts."""
    return _NUMBER.sub("", before) == _NUMBER.sub("", now)


def _looks(forms: Pair, old: Node, new: Node) -> Iterator[Change]:
    for column, what in _SHOWN.items():
        texts = forms.texts(old.row.texts.get(column, {}), new.row.texts.get(column, {}))
        for language, before, now in texts:
            if before != now:
                yield _change(
                    Level.COSMETIC, new, what, _SAME, old=before, new=now, language=language
                )
    known = {"type", "name", *_LOGIC}
    columns = dict.fromkeys((*old.row.cells, *new.row.cells))
    for column in columns:
        before, now = plain_text(old.cell(column)), plain_text(new.cell(column))
        if column not in known and not column.startswith("$") and before != now:
            yield _change(Level.COSMETIC, new, f"other {column}", _SAME, old=before, new=now)


def _moved(forms: Pair) -> Iterator[Change]:
    """What is asked at another place, apart from what the device fills in by itself."""
    shown = [
        (old, new)
        for old, new in forms.nodes
        if new.type not in {*METADATA, *EXTERNAL_FILES} and not new.opens
    ]
    after = [new.name for _, new in shown]
    before = [name for name in forms.old.by_name if name in set(after)]
    for name in moved(before, after):
        means = "What is asked before a question can change how it is answered."
        node = forms.new.by_name[name]
        yield _change(Level.WORDING, node, "asked at another place", means)


def _change(level: Level, node: Node, what: str, means: str, **words: str) -> Change:
    return Change(level=level, where=node.name, what=what, means=means, **words)
