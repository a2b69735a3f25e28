"""Lists of answers: codes that came, went, or mean something else now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kobosmix.xlsform.columns import MEDIA
from kobosmix.xlsform.diff.form import Pair, is_select, plain_text, said
from kobosmix.xlsform.diff.model import Change, Level
from kobosmix.xlsform.outline import Choice, Node
from kobosmix.xlsform.tell import listed

_FEWEST_REVERSED = 3


@dataclass(frozen=True)
class _Lists:
    """A list of answers before and now, and the questions that use it."""

    forms: Pair
    old_name: str
    new_name: str
    asked: Sequence[Node]

    @cached_property
    def old(self) -> Mapping[str, Choice]:
        """The answers before, by code."""
        return {c.value: c for c in self.forms.old.lists.get(self.old_name, ())}

    @cached_property
    def new(self) -> Mapping[str, Choice]:
        """The answers now, by code."""
        return {c.value: c for c in self.forms.new.lists.get(self.new_name, ())}

    @cached_property
    def both(self) -> list[tuple[str, Choice, Choice]]:
        """The codes that are in both."""
        return [
            (code, self.old[code], now) for code, now in self.new.items() if code in self.old
        ]

    @cached_property
    def recoded(self) -> Mapping[str, str]:
        """Code before -> new code, where the words are the same."""
        found = dict[str, str]()
        added = [code for code in self.new if code not in self.old]
        for code, before in self.old.items():
            same = (each for each in added if self.say_the_same(before, self.new[each]))
            if code not in self.new and (to := next(same, "")):
                found[code] = to
        return found

    @cached_property
    def swapped(self) -> Mapping[str, tuple[str, str, str]]:
        """The codes that mean now what another meant: the language, words before, words now."""
        found = dict[str, tuple[str, str, str]]()
        for code, before, now in self.both:
            others = [each for other, each in self.old.items() if other != code]
            for language, was, is_ in self.labels(before, now):
                said_before = {t for each in others for _, t, _ in self.labels(each, each)}
                if was != is_ and is_ and is_ in said_before:
                    found.setdefault(code, (language, was, is_))
        return found

    def labels(self, before: Choice, now: Choice) -> Iterator[tuple[str, str, str]]:
        """The words in each language: language, before, now."""
        return self.forms.texts(
            before.row.texts.get("label", {}), now.row.texts.get("label", {})
        )

    def say_the_same(self, before: Choice, now: Choice) -> bool:
        """Whether both have the same words in some language."""
        return any(was == is_ != "" for _, was, is_ in self.labels(before, now))

    def change(self, level: Level, what: str, means: str, **words: str) -> Change:
        """A change of this list."""
        questions = listed(node.name for node in self.asked)
        where = questions if len(self.asked) == 1 else f"{questions} (list {self.new_name})"
        return Change(level=level, where=where, what=what, means=means, **words)


def choice_changes(forms: Pair) -> Iterator[Change]:
    """What became of the answers to the questions that both forms ask."""
    for lists in _lists(forms):
        if lists.old_name != lists.new_name:
            means = "Answers stay as they are."
            names = {"old": lists.old_name, "new": lists.new_name}
            yield lists.change(Level.COSMETIC, "list under another name", means, **names)
        yield from _codes(lists)
        yield from _words(lists)
        yield from _order(lists)
        yield from _columns(lists)


def _lists(forms: Pair) -> Iterable[_Lists]:
    used = dict[tuple[str, str], list[Node]]()
    for old, new in forms.nodes:
        if is_select(old) and is_select(new):
            used.setdefault((old.kind.list, new.kind.list), []).append(new)
    return [_Lists(forms, *names, asked) for names, asked in used.items()]


def _codes(lists: _Lists) -> Iterator[Change]:
    for code, (language, was, is_) in lists.swapped.items():
        means = (
            f"The worst that can happen to a code: answers collected before keep the old meaning "
            f"of {code}; do not pool."
        )
        words = {"old": was, "new": is_, "language": language}
        yield lists.change(Level.BREAKING, f"code {code} means something else", means, **words)
    for code, before in lists.old.items():
        if code in lists.recoded:
            now = lists.recoded[code]
            means = (
                f"Answers collected before have {code} where new ones have {now}; recode them."
            )
            words = {"old": said(before), "new": said(lists.new[now])}
            yield lists.change(Level.BREAKING, f"code {code} is {now} now", means, **words)
        elif code not in lists.new:
            means = f"Answers collected before keep {code}, which nobody can choose any more."
            yield lists.change(Level.BREAKING, f"code {code} removed", means, old=said(before))
    for code, added in lists.new.items():
        if code not in lists.old and code not in lists.recoded.values():
            means = "Nobody could choose it before; compare shares with care."
            yield lists.change(Level.ADDITION, f"new code {code}", means, new=said(added))


def _words(lists: _Lists) -> Iterator[Change]:
    for code, before, now in lists.both:
        if code in lists.swapped:
            continue
        for language, was, is_ in lists.labels(before, now):
            if was != is_:
                means = f"Answers keep the code {code}; judge whether it still means the same."
                words = {"old": was, "new": is_, "language": language}
                yield lists.change(
                    Level.WORDING, f"other words for code {code}", means, **words
                )


def _order(lists: _Lists) -> Iterator[Change]:
    before = [code for code in lists.old if code in lists.new]
    now = [code for code in lists.new if code in lists.old]
    if before == now:
        return
    words = {"old": " ".join(before), "new": " ".join(now)}
    if _is_reversed(before, now):
        means = "The first answers on the screen are chosen more often: a scale turned round is another."
        yield lists.change(Level.BREAKING, "answers in reverse order", means, **words)
    else:
        means = "Answers keep their codes; what stands first is chosen more often."
        yield lists.change(Level.WORDING, "answers in another order", means, **words)


def _is_reversed(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a scale was turned round; 'does not know' may have stayed at its end."""
    start, end = 0, len(before)
    while start < end and before[start] == now[start]:
        start += 1
    while end > start and before[end - 1] == now[end - 1]:
        end -= 1
    part = before[start:end]
    return len(part) >= _FEWEST_REVERSED and list(part) == list(reversed(now[start:end]))


def _columns(lists: _Lists) -> Iterator[Change]:
    """What else stands beside the answers: what a filter looks at, and pictures."""
    filters = " ".join(node.cell("choice_filter") for node in lists.asked)
    for code, before, now in lists.both:
        for column in dict.fromkeys((*before.row.cells, *now.row.cells)):
            was, is_ = (plain_text(each.row.cells.get(column, "")) for each in (before, now))
            if column in ("list_name", "name") or column.startswith("$") or was == is_:
                continue
            what = f"other {column} of code {code}"
            if re.search(rf"(?<![\w.-]){re.escape(column)}(?![\w.-])", filters):
                means = "The answer is offered to others than before."
                yield lists.change(Level.BREAKING, what, means, old=was, new=is_)
            else:
                means = "Answers stay as they are."
                yield lists.change(Level.COSMETIC, what, means, old=was, new=is_)
        for column in sorted(MEDIA):
            texts = (each.row.texts.get(column, {}) for each in (before, now))
            for language, was, is_ in lists.forms.texts(*texts):
                if was != is_:
                    what, means = f"other {column} of code {code}", "Answers stay as they are."
                    words = {"old": was, "new": is_, "language": language}
                    yield lists.change(Level.COSMETIC, what, means, **words)
