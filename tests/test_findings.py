"""How two texts are told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kobosmix.findings import around_difference


def test_of_long_texts_the_words_are_shown_that_differ() -> None:
    long = "We ask people here about daily life and about how the groups get along. " * 2

    one, other = around_difference(f"{long}It takes 25 minutes.", f"{long}It takes 30 minutes.")

    assert "25 minutes" in one
    assert "30 minutes" in other
    assert one.startswith("…")


@given(st.text(max_size=200), st.text(max_size=200), st.integers(8, 90))
def test_different_texts_never_look_the_same(one: str, other: str, longest: int) -> None:
    shown = around_difference(one, other, longest)

    assert (shown[0] == shown[1]) == (" ".join(one.split()) == " ".join(other.split()))
    assert all(len(each) <= longest + 2 for each in shown)
