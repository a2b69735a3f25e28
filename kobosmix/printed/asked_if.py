"""When a question is asked, in words: on paper nobody skips for the enumerator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from kobosmix.printed.sentences import PrintedSentences

# One way in which a condition can hold: for each question the answers that let it; "" is none.
Way = Mapping[str, frozenset[str]]

_ALWAYS: tuple[Way, ...] = ({},)
_NEVER: tuple[Way, ...] = ()
_NO_ANSWER = frozenset({""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A question as skip instructions name it: its number and its answers in order."""

    number: int
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPaper:
    """What a reader of the paper can look back at.

    `given` are answers that holding the paper settles (that the interview is held face to face).
    What is neither printed nor given, such as a calculated value, the paper cannot ask after.
    """

    printed: Mapping[str, Printed]
    given: Mapping[str, str]

    def ways(self, condition: Condition | None, *, holds: bool = True) -> tuple[Way, ...]:
        """The ways in which the condition holds: none if it never does, `{}` if it always does."""
        match condition:
            case None:
                return _ALWAYS
            case Equals(variable, value):
                return self._equals(variable, value, holds=holds)
            case Blank(variable):
                return self._blank(variable, holds=holds)
            case Not(inner):
                return self.ways(inner, holds=not holds)
            case All(several):
                each = [self.ways(inner, holds=holds) for inner in several]
                return _all_of(each) if holds else _any_of(each)
            case AnyOf(several):
                each = [self.ways(inner, holds=holds) for inner in several]
                return _any_of(each) if holds else _all_of(each)

    def _equals(self, variable: str, value: str, *, holds: bool) -> tuple[Way, ...]:
        if variable in self.given:
            return _ALWAYS if (self.given[variable] == value) is holds else _NEVER
        if variable not in self.printed:
            return _ALWAYS
        if holds:
            return ({variable: frozenset({value})},)
        others = frozenset(self.printed[variable].answers) - {value}
        return ({variable: others},) if others else _ALWAYS

    def _blank(self, variable: str, *, holds: bool) -> tuple[Way, ...]:
        if variable in self.given:
            return _NEVER if holds else _ALWAYS
        # That a question was answered at all is the rule, and needs no words.
        if variable not in self.printed or not holds:
            return _ALWAYS
        return ({variable: _NO_ANSWER},)


def in_words(
    ways: tuple[Way, ...], on_paper: OnPaper, say: PrintedSentences
) -> tuple[str, ...]:
    """Sentences that must all hold; none where the question is always asked.

    Several ways stand in one line: what belongs together joined by +, one way and the next by /.
    """
    if not ways or any(not way for way in ways):
        return ()
    variables = {variable for way in ways for variable in way}
    if len(variables) == 1:
        (variable,) = variables
        allowed = frozenset[str]().union(*(way[variable] for way in ways))
        return (_sentence(variable, allowed, on_paper, say),)
    told = [
        [_sentence(variable, way[variable], on_paper, say) for variable in way] for way in ways
    ]
    if len(told) == 1:
        return tuple(told[0])
    return (" / ".join(" + ".join(sentences) for sentences in told),)


def _sentence(
    variable: str, allowed: frozenset[str], on_paper: OnPaper, say: PrintedSentences
) -> str:
    printed = on_paper.printed[variable]
    number = str(printed.number)
    sentences = list[str]()
    if "" in allowed:
        sentences.append(say.say("paper_only_if_blank", question=number))
    known = [label for value, label in printed.answers.items() if value in allowed]
    known += sorted(allowed - printed.answers.keys() - _NO_ANSWER)
    if known:
        answer = " / ".join(known)
        sentences.append(say.say("paper_only_if", question=number, answer=answer))
    return " / ".join(sentences)


def _all_of(several: Iterable[tuple[Way, ...]]) -> tuple[Way, ...]:
    joined = (_joined(ways) for ways in product(*several))
    return tuple(way for way in joined if way is not None)


def _any_of(several: Iterable[tuple[Way, ...]]) -> tuple[Way, ...]:
    ways = tuple(way for each in several for way in each)
    return _ALWAYS if any(not way for way in ways) else ways


def _joined(ways: Iterable[Way]) -> Way | None:
    """One way that keeps to all of these; None where they contradict each other."""
    joined = dict[str, frozenset[str]]()
    for way in ways:
        for variable, allowed in way.items():
            joined[variable] = joined.get(variable, allowed) & allowed
    return joined if all(joined.values()) else None
