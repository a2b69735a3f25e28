"""What hypothesis draws: conditions, valid studies in English, and damage done to a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st

from kobosmix.conditions import All, AnyOf, Blank, Condition, Equals, Not
from tests.english_study import bank

VARIABLES, CODES = ("consent_ok", "attempt", "rid_group", "trust_1"), ("0", "1", "98", "north")
_UNTIL = date(2099, 12, 31)
_WAVES = ("pre", "post", "fu", "fu2", "fu9")
# No brackets, braces, $, < or >, no line break: what context.yaml refuses has its own tests.
_LETTERS = st.characters(
    categories=("L", "M", "N", "P", "S", "Zs"),
    exclude_characters="[]{}$<>",
    max_codepoint=0xFFFF,
)


def conditions() -> st.SearchStrategy[Condition]:
    """Any condition over a few variables."""
    variables = st.sampled_from(VARIABLES)
    leaves: st.SearchStrategy[Condition] = st.one_of(
        st.builds(Equals, variables, st.sampled_from(CODES)), st.builds(Blank, variables)
    )

    def several(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        many = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, inner), st.builds(All, many), st.builds(AnyOf, many))

    return st.recursive(leaves, several, max_leaves=8)


def answers() -> st.SearchStrategy[dict[str, str]]:
    """Some of the variables, each with an answer or a blank."""
    return st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(("", *CODES)))


def words() -> st.SearchStrategy[str]:
    """Text as a team may write it, in any script, with any punctuation that is allowed."""
    return st.text(_LETTERS, min_size=1, max_size=20).map(str.strip).filter(_has_a_letter)


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, Any]:
    """A valid context in English: any groups, concepts, waves and mode."""
    ids = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), min_size=2, max_size=4, unique=True))  # fmt: skip
    names = draw(st.lists(words(), min_size=2 * len(ids), max_size=2 * len(ids), unique_by=str.casefold))  # fmt: skip
    waves = draw(st.sets(st.sampled_from(_WAVES), min_size=1, max_size=2))
    text = {"en": draw(words())}
    return {
        **_decisions(draw),
        "format": 1,
        "study": draw(st.from_regex(r"[a-z][a-z0-9_]{0,19}", fullmatch=True)),
        "title": text, "organisation": text, "programme": text, "community": text,
        "contacts": {"withdrawal": text, "withdrawal_until": _UNTIL, "complaints": text},
        "compensation": draw(st.sampled_from(({"type": "none"}, {"type": "given", "text": text}))),
        "country": {"use": "this_country"},
        "newcomers": {"use": draw(st.sampled_from(("migrants", "refugees", "newcomers")))},
        "languages": {"en": "use", "kmr": "preparing"},
        "groups": {id_: _group(draw, id_, ids, names[2 * n : 2 * n + 2]) for n, id_ in enumerate(ids)},
        "waves": {wave: {} for wave in _WAVES if wave in waves},
        "sites": {site: {"en": draw(words())} for site in ("north", "south")},
        "design": {"type": "no_comparison", "random": False},
    }  # fmt: skip


def _decisions(draw: st.DrawFn) -> dict[str, Any]:
    concepts = draw(st.sets(st.sampled_from(sorted(bank().concepts)), min_size=1, max_size=5))
    roles = st.lists(st.sampled_from(("host", "newcomer", "neither")), min_size=1, unique=True)
    return {
        # 'core' so that every form asks something.
        "concepts": ["core", *sorted(concepts)],
        "ask": {id_: draw(roles) for id_ in draw(st.sets(st.sampled_from(sorted(concepts))))},
        "own_group": draw(st.sampled_from(("community", "name"))),
        "mode": draw(st.sampled_from(("interview", "telephone", "self_administered"))),
        "id_method": draw(st.sampled_from(("register", "self_generated"))),
        "item_order": draw(st.sampled_from(({"type": "bank"}, {"type": "random", "seed": 7}))),
        "minutes": draw(st.integers(1, 180)),
        "age_of_consent": draw(st.integers(10, 25)),
        "minors": draw(st.sampled_from(("include", "exclude"))),
    }


def _group(
    draw: st.DrawFn, id_: str, ids: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    others = [other for other in ids if other != id_]
    return {
        "role": draw(st.sampled_from(("host", "newcomer", "neither"))),
        "languages": draw(st.sampled_from((["en"], ["en", "kmr"]))),
        "speaks": draw(st.sampled_from(("en", "tr", "ar"))),
        "asked_about": draw(st.lists(st.sampled_from(others), min_size=1, unique=True)),
        "names": {"en": {"pl": names[0], "adj": names[1]}},
    }


@st.composite
def damaged(draw: st.DrawFn, content: Any, depth: int = 4) -> Any:
    """The content with something in it taken out, or replaced by what does not belong there."""
    steps: Sequence[Any] = ()
    if isinstance(content, dict):
        steps = sorted(content)
    elif isinstance(content, list):
        steps = range(len(content))
    if not steps or not depth or draw(st.integers(0, 5)) == 0:
        return draw(_JUNK)
    step = draw(st.sampled_from(steps))
    mended = dict(content) if isinstance(content, dict) else list(content)
    if draw(st.integers(0, 3)) == 0:
        del mended[step]
    elif isinstance(content, dict) and draw(st.integers(0, 5)) == 0:
        mended[draw(st.sampled_from(("007", "", "Größe", "en", "core")))] = mended.pop(step)
    else:
        mended[step] = draw(damaged(content[step], depth - 1))
    return mended


_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from((1.5, "", " ", "x", "[group.pl]", "${rid}", "a\nb", "xx", "2026-13-45")),
    st.just([]),
    st.just({}),
    st.just(["en", "en"]),
    st.just({"en": {"pl": "x"}}),
)


def _has_a_letter(text: str) -> bool:
    return any(letter.isalpha() for letter in text)
