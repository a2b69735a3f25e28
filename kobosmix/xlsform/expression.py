"""Reads the expressions of XLSForm: XPath 1.0 as JavaRosa takes it, with `${name}`.

A parser of our own: elementpath, the XPath library of Python, knows neither `${name}` nor the
functions of forms, allows what JavaRosa refuses (`floor`, axes), and tells its errors in the words
of the XPath standard. What the rules need is little: what is named, compared and called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from kobosmix.xlsform.functions import OVER_MANY
from kobosmix.xlsform.xpath import (
    Call,
    Expression,
    Fault,
    Filtered,
    Node,
    Number,
    Operation,
    Path,
    Ref,
    Text,
    Use,
)

REFERENCE = re.compile(r"\$\{\s*(?:last-saved#)?([^{}]*?)\s*\}")
SMART_QUOTES = re.compile("[\u2018\u2019\u201c\u201d]")
# pyxform writes straight quotes for these.
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<ref>\$\{[^{}]*\})
    |(?P<number>\d+(?:\.\d*)?|\.\d+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<name>[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?)
    |(?P<operator>!=|<=|>=|[=<>+\-*|])
    |(?P<mark>//|\.\.|::|[.()\[\],/@])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_LEVELS = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("=", "!="), 3),
    **dict.fromkeys(("<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "div", "mod"), 6),
    "|": 7,
}
_END = ("end", "", -1)
_EQUALITY = 3
_DEEPEST = 60


@lru_cache(maxsize=8192)
def parse(text: str) -> Expression:
    """The expression, read once: equal texts give the same object, which is not to be changed."""
    said = Expression(text=text)
    reader = _Reader(text.translate(_STRAIGHT), said)
    try:
        said.tree = reader.whole()
    except _Unreadable as unreadable:
        said.fault = unreadable.fault
        # So that unknown names are told all the same.
        said.uses = [Use(name, True, True) for name in REFERENCE.findall(text)]
    return said


class _Unreadable(Exception):
    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.fault = Fault(problem, remedy)


class _Reader:
    """Walks over the tokens once, from the loosest operator (`or`) to the tightest."""

    def __init__(self, text: str, said: Expression) -> None:
        self._text, self._said = text, said
        self._tokens = [
            (found.lastgroup or "", found.group(), found.start())
            for found in _TOKEN.finditer(text)
            if found.lastgroup != "space"
        ]
        self._place = 0
        self._functions = list[str]()
        self._brackets = 0
        self._depth = 0

    def whole(self) -> Node:
        """The whole text as one expression."""
        self._refuse_odd_marks()
        if not self._tokens:
            raise _Unreadable("there is nothing in it", "Write a condition, or empty the cell.")
        node = self._operation(1)
        if self._kind() != "end":
            raise self._unexpected()
        return node

    def _operation(self, level: int) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unreadable("it is nested too deeply", "Split it into several calculations.")
        left = self._operand()
        while (operator := self._operator()) and _LEVELS[operator] >= level:
            self._place += 1
            right = self._operation(_LEVELS[operator] + 1)
            left = Operation(operator, left, right)
            if _LEVELS[operator] == _EQUALITY and not self._brackets:
                self._said.comparisons.append(left)
        self._depth -= 1
        return left

    def _operator(self) -> str:
        """The operator at this place; a name is one only if it is and, or, div or mod."""
        kind, text, _ = self._token()
        return text if kind in ("operator", "name") and text in _LEVELS else ""

    def _operand(self) -> Node:
        sign = ""
        while self._next_is("-"):
            sign = self._taken()
        kind, text, _ = self._token()
        if kind == "number":
            return Number(sign + self._taken())
        if kind == "ref":
            return self._with_steps(self._reference())
        if kind == "text":
            return self._literal()
        if kind == "name":
            return self._with_steps(self._named())
        if kind == "mark" and text in ("(", ".", "..", "/", "//", "@"):
            return self._with_steps(self._marked())
        raise self._unexpected()

    def _reference(self) -> Node:
        text = self._taken()
        name = text[2:-1].strip()
        saved = name.startswith("last-saved#")
        name = name.removeprefix("last-saved#")
        filtered = self._next_is("[") or self._next_is("/")
        self._said.uses.append(
            Use(
                name,
                filtered or any(function in OVER_MANY for function in self._functions),
                saved or filtered or "indexed-repeat" in self._functions,
            )
        )
        return Ref(name)

    def _literal(self) -> Node:
        text = self._taken()[1:-1]
        # jr:choice-name takes the question as a text.
        self._said.uses += [Use(name, False, False) for name in REFERENCE.findall(text)]
        return Text(text)

    def _named(self) -> Node:
        name = self._taken()
        if self._next_is("("):
            return self._call(name)
        if self._next_is("::"):
            raise _Unreadable(f"the phones know no '{name}::'", "Name the question with ${ }.")
        (self._said.columns if self._brackets else self._said.words).append(name)
        return Path(name)

    def _call(self, name: str) -> Node:
        self._place += 1
        arguments = list[Node]()
        self._functions.append(name)
        while not self._next_is(")"):
            arguments.append(self._operation(1))
            if self._next_is(","):
                self._place += 1
                if self._next_is(")"):
                    raise self._unexpected()
            elif not self._next_is(")"):
                raise self._unexpected(f"in {name}( )")
        self._functions.pop()
        self._place += 1
        call = Call(name, tuple(arguments))
        self._said.calls.append(call)
        return call

    def _marked(self) -> Node:
        text = self._taken()
        if text == "(":
            inner = self._operation(1)
            if not self._next_is(")"):
                raise self._unexpected("in ( )")
            self._place += 1
            return inner
        if text == ".":
            # Within square brackets the dot is a row that is looked through.
            self._said.names_itself |= not self._brackets
            return Path("[.]" if self._brackets else ".")
        if text in ("/", "//", "@") or (text == ".." and self._next_is("/")):
            return self._way(text)
        return Path(text)

    def _way(self, text: str) -> Node:
        """A path that is written out: names and dots between slashes."""
        start = self._tokens[self._place - 1][2]
        previous = text
        while self._continues(previous):
            previous = self._taken()
        end = self._tokens[self._place][2] if self._kind() != "end" else len(self._text)
        way = self._text[start:end].strip()
        if way in ("/", "//", "@"):
            raise self._unexpected()
        if not self._brackets:
            self._said.ways.append(way)
        return Path(way)

    def _continues(self, previous: str) -> bool:
        kind, text, _ = self._token()
        after_slash = previous in ("/", "//", "@")
        step = kind == "name" or text in ("..", ".", "*", "@")
        return step if after_slash else text in ("/", "//")

    def _with_steps(self, node: Node) -> Node:
        """Conditions in square brackets and steps behind something: `${r}[a = 1]/b`."""
        while self._next_is("[") or self._next_is("/"):
            mark = self._taken()
            if mark == "[":
                self._brackets += 1
                self._operation(1)
                self._brackets -= 1
                if not self._next_is("]"):
                    raise self._unexpected("in [ ]")
                self._place += 1
            elif self._kind() == "name" or self._next_is("..") or self._next_is("*"):
                self._place += 1
            else:
                raise _Unreadable("'/' does not divide", "Write div to divide.")
            node = Filtered(node)
        return node

    def _token(self) -> tuple[str, str, int]:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _kind(self) -> str:
        return self._token()[0]

    def _next_is(self, text: str) -> bool:
        return self._token()[1] == text

    def _taken(self) -> str:
        text = self._token()[1]
        self._place += 1
        return text

    def _refuse_odd_marks(self) -> None:
        """What is in no XPath at all, told before anything else."""
        for place, (kind, text, at) in enumerate(self._tokens):
            if kind == "other":
                following = self._tokens[place + 1 : place + 2]
                raise _odd(text, following[0][1] if following else "", self._near(at))
            if kind in ("operator", "mark") and place and text in ("=", ">", "<", "/"):
                pair = self._tokens[place - 1][1] + text
                if pair in _NOT_OPERATORS:
                    raise _Unreadable(f"'{pair}' is no operator", _NOT_OPERATORS[pair])

    def _near(self, at: int) -> str:
        return self._text[at : at + 20].strip() or self._text[-20:].strip()

    def _unexpected(self, where: str = "") -> _Unreadable:
        kind, text, at = self._token()
        inside = f" {where}" if where else ""
        if kind == "end":
            return _unfinished(self._tokens, inside)
        word = text.lower()
        if kind == "name" and word in ("and", "or", "div", "mod") and text != word:
            return _Unreadable(f"'{text}' is written in capitals", f"Write {word}.")
        if text == ")":
            return _Unreadable(
                f"a bracket ')' stands where something is missing or none was opened{inside}",
                "Count the brackets.",
            )
        if text == "," and not self._functions:
            return _Unreadable("a comma stands in it", "Write numbers with a point: 1.5")
        return _Unreadable(
            f"'{self._near(at)}' stands where it cannot be understood{inside}",
            "Something is missing before it, such as and, or, = or a comma.",
        )


_NOT_OPERATORS = {
    "==": "Write a single = to compare.",
    "<>": "Write != for 'is not'.",
    "=<": "Write <= for 'at most'.",
    "=>": "Write >= for 'at least'.",
    "=!": "Write != for 'is not'.",
}
_ODD = {
    "&": "Write and between two conditions.",
    "!": "Write not( ) around it, or != for 'is not'.",
    "≠": "Write != for 'is not'.",
    "≤": "Write <= for 'at most'.",
    "≥": "Write >= for 'at least'.",
    "%": "Write mod for the remainder.",
    "÷": "Write div to divide.",
    "×": "Write * to multiply.",
    "–": "Write the minus of the keyboard: -",
    "−": "Write the minus of the keyboard: -",
    "،": "Write the comma of the Latin keyboard.",
    "{": "Questions are named with a dollar sign: ${name}",
    "}": "Questions are named with brackets on both sides: ${name}",
    "$": "Questions are named with curly brackets: ${name}",
    ";": "Write a comma between arguments.",
    "#": "Take it out.",
}


def _odd(text: str, following: str, near: str) -> _Unreadable:
    if text in "'\"":
        return _Unreadable("a quote is opened and never closed", "Close it with the same mark.")
    if text == following == "&":
        return _Unreadable("'&&' is no operator", _ODD["&"])
    remedy = _ODD.get(text, "Take it out, or put it in quotes.")
    return _Unreadable(f"'{text}' means nothing in an expression (at '{near}')", remedy)


def _unfinished(tokens: Sequence[tuple[str, str, int]], inside: str) -> _Unreadable:
    texts = [text for kind, text, _ in tokens if kind == "mark"]
    for opening, closing in (("(", ")"), ("[", "]")):
        if texts.count(opening) > texts.count(closing):
            return _Unreadable(
                f"a bracket '{opening}' is opened and never closed", f"Add the '{closing}'."
            )
    return _Unreadable(f"it ends where something has to follow{inside}", "Finish it.")
