"""What an expression of XLSForm is made of: XPath 1.0, with `${name}` for questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Ref(NamedTuple):
    """`${name}`."""

    name: str


class Text(NamedTuple):
    """A text in quotes."""

    value: str


class Number(NamedTuple):
    """A number, as written."""

    value: str


class Path(NamedTuple):
    """A way through the form: `.`, `../a`, `/data/a`, or the bare word `a`."""

    text: str


class Call(NamedTuple):
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


class Operation(NamedTuple):
    """Two sides and what stands between them."""

    operator: str
    left: Node
    right: Node


class Filtered(NamedTuple):
    """Something with a condition in square brackets, or with steps behind it."""

    base: Node


Node = Ref | Text | Number | Path | Call | Operation | Filtered


class Use(NamedTuple):
    """A question that is named: how many answers may stand there, and whether now or before.

    `over_many` is set inside a function that takes a whole set of answers; `elsewhere` where not
    the answer of this very round is meant: another round of a repeat, or the form sent last.
    """

    name: str
    over_many: bool
    elsewhere: bool


class Fault(NamedTuple):
    """Why an engine cannot read an expression."""

    problem: str
    remedy: str


@dataclass(slots=True, kw_only=True)
class Expression:
    """What one expression names, compares and calls. `fault` is set where it cannot be read.

    `words` are bare names outside square brackets, `columns` those inside, `ways` paths that are
    written out. `comparisons` has every = and != outside square brackets.
    """

    text: str
    fault: Fault | None = None
    tree: Node | None = None
    uses: list[Use] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    comparisons: list[Operation] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    names_itself: bool = False
