from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from kobosmix.errors import StudyError
from kobosmix.form.xpath import ID_CONSTRAINT
from kobosmix.people.ids import (
    check_character,
    digest,
    filled_down,
    grouped,
    is_valid_id,
    issue_ids,
    issued_digests,
    normalise_id,
    one_edit_candidates,
    remember_issued,
)
from kobosmix.study import Study

ISSUED = frozenset(issue_ids(300, ()))
ID_LIKE = st.one_of(
    st.text("0123456789", min_size=8, max_size=8),
    st.sampled_from(sorted(ISSUED)),
    st.text("0123456789 \n-X٣", max_size=9),
)


def drawing(*bodies: str) -> Iterator[int]:
    return iter(int(body) - 1_000_000 for body in bodies)


def slips(text: str) -> set[str]:
    """Every other text that one wrong digit or one swap of neighbours makes of it."""
    wrong = {text[:i] + d + text[i + 1 :] for i, d in product(range(8), "0123456789")}
    swapped = {text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(7)}
    return (wrong | swapped) - {text}


def constraint_holds(text: str) -> bool:
    """What an XPath engine makes of the form's own line, read from the line itself."""
    found = re.search(r"regex\(\., '(.+?)'\)", ID_CONSTRAINT)
    assert found
    # XPath's $ is the very end, Python's is also before a last line feed.
    if not re.fullmatch(found[1].strip("^$"), text):
        return False
    terms = re.findall(r"(\d+) \* substr\(\., (\d), (\d)\)", ID_CONSTRAINT)
    total = sum(int(weight) * int(text[int(i) : int(j)]) for weight, i, j in terms)
    return len(terms) == 8 and total % 11 == 1


@given(st.text("0123456789", min_size=1, max_size=12))
def test_the_check_character_is_that_of_iso_7064(body: str) -> None:
    assert check_character(body) == mod_11_2.calc_check_digit(body)


@given(ID_LIKE)
def test_the_form_the_program_and_the_standard_take_the_same_texts(text: str) -> None:
    is_eight_digits = bool(re.fullmatch("[1-9][0-9]{7}", text))

    assert is_valid_id(text) == constraint_holds(text)
    assert is_valid_id(text) == (is_eight_digits and mod_11_2.is_valid(text))


def test_the_constraint_is_one_line_on_the_answer_itself() -> None:
    assert "\n" not in ID_CONSTRAINT
    assert "${" not in ID_CONSTRAINT


@pytest.mark.parametrize("typed", [
    "1434 3144", "1434-3144", "1434–3144", " 14343144\n", "١٤٣٤٣١٤٤", "۱۴۳۴ ۳۱۴۴",
    "１４３４３１４４", "1434\N{NO-BREAK SPACE}3144", "\u200f1434\u200e3144\ufeff",
    "1434\u22123144", "1434\u20093144", grouped("14343144"),
])  # fmt: skip
def test_an_id_is_the_same_however_it_is_typed(typed: str) -> None:
    assert normalise_id(typed) == "14343144"


@pytest.mark.parametrize("text", ["1434314O", "14343144²", "Amina", "1434.3144", "½4343144"])
def test_what_is_not_an_id_does_not_become_one(text: str) -> None:
    assert normalise_id(text) == text
    assert not is_valid_id(normalise_id(text))


@given(st.text())
def test_an_id_normalised_twice_is_as_normalised_once(text: str) -> None:
    assert normalise_id(normalise_id(text)) == normalise_id(text)


def test_every_id_issued_is_valid_and_looks_like_nothing_else() -> None:
    issued = issue_ids(2_000, ())

    assert len(set(issued)) == 2_000
    for respondent_id in issued:
        assert is_valid_id(respondent_id)
        assert len(set(respondent_id)) >= 3


@pytest.mark.parametrize(
    ("bodies", "pattern"),
    [
        (range(5_555_500, 5_556_000), "[56]{8}"),
        (range(2_345_670, 2_345_680), "234567.."),
        (range(9_234_560, 9_234_570), "923456.."),
        (range(4_765_430, 4_765_440), "476543.."),
        (range(4_890_120, 4_890_130), "489012.."),
        (range(3_112_190, 3_112_200), "311219.."),
        (range(1_231_200, 1_231_210), "123120.."),
        (range(1_990_010, 1_991_231), "1990(0[1-9]|1[0-2])(0[1-9]|[12].|3[01])"),
    ],
    ids=["two digits", "up", "nearly up", "down", "over nine", "dmy", "mdy", "ymd"],
)
def test_a_number_people_take_for_something_else_is_never_issued(
    bodies: range, pattern: str
) -> None:
    valid = [f"{body}{check_character(str(body))}" for body in bodies]
    confusing = [text for text in valid if is_valid_id(text) and re.fullmatch(pattern, text)]
    draws = drawing(*(text[:-1] for text in confusing), "1434314")

    assert confusing
    assert issue_ids(1, (), draw=lambda _: next(draws)) == ["14343144"]


def test_a_body_whose_check_character_is_x_is_never_issued() -> None:
    body = next(b for b in map(str, range(1434300, 1434400)) if check_character(b) == "X")
    draws = drawing(body, "1434314")

    assert issue_ids(1, (), draw=lambda _: next(draws)) == ["14343144"]


def test_one_slip_never_turns_an_issued_id_into_something_near_another() -> None:
    issued = issue_ids(1_000, ISSUED)

    every = set(issued) | ISSUED
    assert len(every) == 1_300
    for respondent_id in issued:
        for slip in slips(respondent_id):
            assert one_edit_candidates(slip, every) == [respondent_id]


@given(st.sampled_from(sorted(ISSUED)), st.integers(0, 7), st.sampled_from("0123456789"))
def test_a_digit_lost_or_doubled_leads_back_to_the_id(one: str, place: int, digit: str) -> None:
    lost = one[:place] + one[place + 1 :]
    extra = one[:place] + digit + one[place:]

    assert one in one_edit_candidates(lost, ISSUED)
    assert one in one_edit_candidates(extra, ISSUED)


def test_a_slip_is_found_in_the_digits_of_another_script() -> None:
    assert one_edit_candidates("١٤٣٤ ٣١٤٥", {"14343144"}) == ["14343144"]


@pytest.mark.parametrize("text", ["14343144", "", "143431", "1434314499", "41433144"])
def test_no_slip_or_more_than_one_leads_nowhere(text: str) -> None:
    assert one_edit_candidates(text, {"14343144"}) == []


def test_an_id_issued_once_is_not_issued_again_though_its_row_is_gone() -> None:
    draws = drawing("1434314", "1434314", "5829160")

    issued = issue_ids(1, (), lambda _: next(draws), issued={digest("14343144")})

    assert issued == ["58291606"]


def test_an_id_too_near_a_taken_one_is_not_issued() -> None:
    near = next(
        first + second
        for first, second in (("1434", f"{n:04}") for n in range(10_000))
        if is_valid_id(first + second)
        and first + second != "14343144"
        and slips(first + second) & slips("14343144")
    )
    draws = drawing(near[:-1], "5829160")

    assert issue_ids(1, ["14343144"], lambda _: next(draws)) == ["58291606"]


def test_no_room_left_is_said_and_not_searched_for_ever() -> None:
    with pytest.raises(StudyError, match="could not issue 2 IDs: after 1 of them"):
        issue_ids(2, (), draw=lambda _: 434_314)


def test_ids_come_in_the_order_of_chance_and_not_of_size() -> None:
    issued = issue_ids(50, ())

    assert issued != sorted(issued)


def test_the_two_groups_of_a_shown_id_stay_in_order_in_a_right_to_left_line() -> None:
    assert grouped("14343144") == "1434\N{NO-BREAK SPACE}3144"


def test_ids_a_spreadsheet_counted_on_are_found_with_the_row_they_began_at() -> None:
    down = [str(14343144 + step) for step in range(5)]
    apart = [str(58291606 + 12_345 * step) for step in range(4)]

    assert filled_down(["", *down, "", *apart]) == [range(1, 6), range(7, 11)]
    assert filled_down(["77777777", *apart, *down]) == [range(1, 5), range(5, 10)]
    assert filled_down(apart[::-1]) == [range(4)]


@pytest.mark.parametrize(
    "listed",
    [[], ["14343144"], ["14343144", "14343145"], ["14343144"] * 5, ["", "x", "", "y"]],
)
def test_a_list_that_nobody_dragged_is_left_alone(listed: list[str]) -> None:
    assert filled_down(listed) == []
    assert filled_down(sorted(ISSUED)) == []


def test_the_ledger_remembers_ids_without_holding_them(tmp_path: Path) -> None:
    study = Study(tmp_path)
    assert issued_digests(study) == frozenset()

    remember_issued(study, ["58291606"])
    remember_issued(study, ["14343144", "58291606"])

    text = (tmp_path / ".kobosmix" / "issued.json").read_text(encoding="utf-8")
    assert issued_digests(study) == {digest("14343144"), digest("58291606")}
    assert "14343144" not in text
    assert json.loads(text)["sha256"] == sorted(issued_digests(study))


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "damaged"), ("[]", "damaged"), ('{"format": 1}', "damaged"),
     ('{"format": 2, "sha256": []}', "newer kobosmix")],
)  # fmt: skip
def test_a_ledger_that_cannot_be_trusted_stops_the_run(
    tmp_path: Path, content: str, said: str
) -> None:
    ledger = tmp_path / ".kobosmix" / "issued.json"
    ledger.parent.mkdir()
    ledger.write_text(content, encoding="utf-8")

    with pytest.raises(StudyError, match=said):
        issued_digests(Study(tmp_path))
