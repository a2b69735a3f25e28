"""An XLSForm as it is compared: what spelling alone makes differ is put out of the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kobosmix.xlsform.kinds import ANSWERED, METADATA, SELECTS
from kobosmix.xlsform.outline import NO, YES, Choice, Node, Outline

# A server puts an ordinary blank where one of these was; nobody reads the difference.
_BLANKS = {ord("\u00a0"): " ", ord("\u202f"): " "}
_CODE = re.compile(r"\(([A-Za-z-]+)\)\s*$")
# Rows that put a value into every submission.
_VALUED = frozenset({*ANSWERED, *METADATA, "calculate", "hidden"})


@dataclass(frozen=True)
class Languages:
    """The languages both forms have, as each spells them; and those only one has."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    @cached_property
    def both(self) -> Mapping[str, str]:
        """The old spelling -> the new one: equal, or with one code, or the only one in each."""
        found = {each: each for each in self.old if each in self.new}
        codes = {_code(each): each for each in self.new if each not in found and _code(each)}
        for each in self.old:
            if each not in found and _code(each) in codes:
                found[each] = codes.pop(_code(each))
        if not found and len(self.old) == len(self.new) == 1 and "" in (*self.old, *self.new):
            found[self.old[0]] = self.new[0]
        return found

    @property
    def removed(self) -> list[str]:
        """The languages nobody can be asked in any more."""
        return [each for each in self.old if each not in self.both]

    @property
    def added(self) -> list[str]:
        """The languages that are new."""
        return [each for each in self.new if each not in self.both.values()]


@dataclass(frozen=True)
class Pair:
    """Two forms and what they have in common."""

    old: Outline
    new: Outline

    @cached_property
    def languages(self) -> Languages:
        """The languages of survey and choices, "" for columns without one."""
        return Languages(_spoken(self.old), _spoken(self.new))

    @cached_property
    def nodes(self) -> list[tuple[Node, Node]]:
        """The rows of one name, in the new order."""
        known = self.old.by_name
        return [(known[name], node) for name, node in self.new.by_name.items() if name in known]

    @cached_property
    def removed(self) -> list[Node]:
        """The rows of a name that is gone."""
        return [n for name, n in self.old.by_name.items() if name not in self.new.by_name]

    @cached_property
    def added(self) -> list[Node]:
        """The rows of a name that is new."""
        return [n for name, n in self.new.by_name.items() if name not in self.old.by_name]

    def texts(self, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[_Text]:
        """Each text in both languages' spelling: language, before, now."""
        for before, now in self.languages.both.items():
            yield now, plain_text(old.get(before, "")), plain_text(new.get(now, ""))


_Text = tuple[str, str, str]


def is_valued(node: Node) -> bool:
    """Whether submissions hold a value of this row."""
    return node.type in _VALUED


def is_select(node: Node) -> bool:
    """Whether the answer is chosen from a list of the form."""
    return node.type in SELECTS and not node.kind.from_file


def path_of(node: Node) -> str:
    """The groups around the row, as they stand in the names of columns."""
    return "/".join(group.name for group in node.groups)


def expression(node: Node, column: str) -> str:
    """An expression without blanks that mean nothing; yes and no are spelled in one way."""
    text = " ".join(node.cell(column).split())
    return "yes" if text in YES else "" if text in NO else text


def plain_text(text: str) -> str:
    """A text as it is read: line breaks and blanks in one spelling, no blanks at its ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS).strip()


def said(node: Node | Choice, column: str = "label") -> str:
    """The text in the first language that has one."""
    texts = node.row.texts.get(column, {})
    return next((plain_text(text) for text in texts.values() if text.strip()), "")


def _spoken(form: Outline) -> tuple[str, ...]:
    rows = (row for sheet in ("survey", "choices") for row in form.rows[sheet])
    used = (language for row in rows for texts in row.texts.values() for language in texts)
    return tuple(dict.fromkeys(used))


def _code(language: str) -> str:
    found = _CODE.search(language)
    return found[1].lower() if found else ""
