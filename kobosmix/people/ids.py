"""Respondent IDs: eight digits that survive being read aloud, typed and copied by hand.

An ID is a pseudonym, never a password: it says nothing about the person it stands for, and it
is short enough to be guessed by someone who tries them all.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.files import sha256, write_json
from kobosmix.study import Study

LENGTH = 8

_SHAPE = re.compile(r"[1-9][0-9]{7}")
_LOWEST_BODY, _BODIES = 1_000_000, 9_000_000
_PLACE_VALUES = tuple(10 ** (LENGTH - 1 - place) for place in range(LENGTH))

_FEWEST_DIFFERENT_DIGITS = 3
_RUN_LENGTH = 5
_UPWARDS = "01234567890123"
_DOWNWARDS = _UPWARDS[::-1]
_DAY, _MONTH, _YEAR = "(0[1-9]|[12][0-9]|3[01])", "(0[1-9]|1[0-2])", "(19|20)[0-9]{2}"
_DATE = re.compile(f"{_DAY}{_MONTH}{_YEAR}|{_MONTH}{_DAY}{_YEAR}|{_YEAR}{_MONTH}{_DAY}")

# So many draws refused in a row mean that there is no room left, not that luck was bad.
_MOST_DRAWS_FOR_ONE = 50_000
_SHORTEST_FILL = 3
_LEDGER_FORMAT = 1


def check_character(body: str) -> str:
    """The ISO 7064 MOD 11-2 check character of some digits: `0` to `9`, or `X` for ten.

    >>> check_character("1434314")
    '4'
    """
    total = 0
    for digit in body:
        total = (total + int(digit)) * 2 % 11
    check = (1 - total) % 11
    return "X" if check == 10 else str(check)  # noqa: PLR2004


def is_valid_id(text: str) -> bool:
    """Whether a form would take this text: the shape and the check digit, as `form.xpath.ID_CONSTRAINT`.

    Says nothing about whether the ID was ever issued.
    """
    return bool(_SHAPE.fullmatch(text)) and check_character(text[:-1]) == text[-1]


def normalise_id(text: str) -> str:
    """The ID as it is stored, from however it was typed, pasted or printed.

    Decimal digits of any script become ASCII; spaces, hyphens and invisible marks go. Anything
    else stays where it is, so that what is not an ID does not become one.

    >>> normalise_id(" ١٤٣٤-٣١٤٤ ")
    '14343144'
    """
    return "".join(_plain(character) for character in text)


def grouped(respondent_id: str) -> str:
    """The ID as it is shown to people, in two groups of four."""
    # A plain space would let a right-to-left line show the second group first; between digits a
    # no-break space is part of the number (Unicode bidi rule W4).
    return f"{respondent_id[:4]}\N{NO-BREAK SPACE}{respondent_id[4:]}"


def digest(respondent_id: str) -> str:
    """What the ledger of issued IDs keeps instead of the ID."""
    return sha256(respondent_id.encode("ascii"))


def issue_ids(
    n: int,
    taken: Collection[str],
    draw: Callable[[int], int] = secrets.randbelow,
    *,
    issued: Container[str] = frozenset(),
) -> list[str]:
    """`n` new IDs, none of which one slip of the pen could turn into another or a taken one.

    `draw(k)` gives a number below k; the system's own randomness, so nobody can rebuild the list
    from a seed. The order is that of the draws: it means nothing, and cutting the list into parts
    gives no part the low numbers. `issued` holds digests of IDs that are no longer in `taken`;
    these very IDs are not issued again. No room left is a StudyError.
    """
    reserved = set[int]()
    for respondent_id in taken:
        reserved |= _neighbourhood(respondent_id)
    new = list[str]()
    while len(new) < n:
        found = _one_more(reserved, issued, draw)
        if found is None:
            raise StudyError(
                f"could not issue {n} IDs: after {len(new)} of them no other keeps its distance "
                f"from these and the {len(taken)} taken before; none was issued. Use spare IDs."
            )
        new.append(found)
        reserved |= _neighbourhood(found)
    return new


def one_edit_candidates(text: str, ids: Container[str]) -> list[str]:
    """Those of `ids` that one slip would turn into this text, sorted; never the text itself.

    A slip is one wrong digit, two neighbours swapped, one digit missing or one too many.
    """
    written = normalise_id(text)
    near = {*_corrections(written)} - {written}
    return sorted(candidate for candidate in near if candidate in ids)


def filled_down(ids: Sequence[str]) -> list[range]:
    """Stretches of a list that a spreadsheet counted on from a first ID, by their positions.

    At least three IDs one step apart, most of them not valid: dragging a cell's corner does that.
    """
    numbers = [int(text) if _SHAPE.fullmatch(text) else None for text in ids]
    stretches, start = list[range](), 0
    for end in range(1, len(ids) + 1):
        if _goes_on(numbers, start, end):
            continue
        wrong = sum(not is_valid_id(text) for text in ids[start:end])
        if end - start >= _SHORTEST_FILL and wrong * 2 > end - start:
            stretches.append(range(start, end))
        start = end - 1 if _goes_on(numbers, end - 1, end) else end
    return stretches


def issued_digests(study: Study) -> frozenset[str]:
    """Digests of every ID this study ever issued, also of those whose row is gone.

    It keeps IDs from being used again. It hides nothing: eight digits can all be tried.
    """
    ledger = _ledger(study)
    if not ledger.exists():
        return frozenset()
    try:
        content = json.loads(ledger.read_text(encoding="utf-8"))
        version, digests = int(content["format"]), frozenset(map(str, content["sha256"]))
    except (ValueError, TypeError, KeyError) as error:
        raise StudyError(
            f"{ledger} is damaged, so an ID could be issued twice. Restore it from a backup."
        ) from error
    if version > _LEDGER_FORMAT:
        raise StudyError(f"{ledger} was written by a newer kobosmix; update kobosmix")
    return digests


def remember_issued(study: Study, ids: Iterable[str]) -> None:
    """Add IDs to the ledger, in one step. Call it before the register is written."""
    digests = issued_digests(study) | {digest(respondent_id) for respondent_id in ids}
    # Sorted: the order in the file must not tell who was registered when.
    write_json(_ledger(study), {"format": _LEDGER_FORMAT, "sha256": sorted(digests)})


def _plain(character: str) -> str:
    if character.isspace() or character == "\N{MINUS SIGN}":
        return ""
    # Pd: hyphens and dashes; Cf: direction marks, zero-width characters, soft hyphens.
    if unicodedata.category(character) in {"Pd", "Cf"}:
        return ""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _one_more(
    reserved: set[int], issued: Container[str], draw: Callable[[int], int]
) -> str | None:
    for _ in range(_MOST_DRAWS_FOR_ONE):
        body = str(_LOWEST_BODY + draw(_BODIES))
        candidate = body + check_character(body)
        if (
            _may_be_issued(candidate)
            and reserved.isdisjoint(_neighbourhood(candidate))
            and digest(candidate) not in issued
        ):
            return candidate
    return None


def _may_be_issued(candidate: str) -> bool:
    """Numbers that people take for something else, or fill in when they know no number, stay out."""
    return (
        is_valid_id(candidate)
        and len(set(candidate)) >= _FEWEST_DIFFERENT_DIGITS
        and not _DATE.fullmatch(candidate)
        and not _counts_up_or_down(candidate)
    )


def _counts_up_or_down(candidate: str) -> bool:
    stretches = (candidate[i : i + _RUN_LENGTH] for i in range(LENGTH - _RUN_LENGTH + 1))
    return any(stretch in _UPWARDS or stretch in _DOWNWARDS for stretch in stretches)


def _neighbourhood(respondent_id: str) -> set[int]:
    """The ID as a number, and all that one wrong digit or one swap of neighbours makes of it."""
    number, digits = int(respondent_id), [int(digit) for digit in respondent_id]
    near = set[int]()
    for digit, value in zip(digits, _PLACE_VALUES, strict=True):
        zeroed = number - digit * value
        near.update(range(zeroed, zeroed + 10 * value, value))
    for place in range(LENGTH - 1):
        gain = _PLACE_VALUES[place] - _PLACE_VALUES[place + 1]
        near.add(number + (digits[place + 1] - digits[place]) * gain)
    return near


def _corrections(written: str) -> Iterator[str]:
    if len(written) == LENGTH:
        for place in range(LENGTH):
            head, tail = written[:place], written[place + 1 :]
            yield from (f"{head}{digit}{tail}" for digit in "0123456789")
        for place in range(LENGTH - 1):
            swapped = written[place + 1] + written[place]
            yield written[:place] + swapped + written[place + 2 :]
    elif len(written) == LENGTH - 1:
        for place in range(LENGTH):
            head, tail = written[:place], written[place:]
            yield from (f"{head}{digit}{tail}" for digit in "0123456789")
    elif len(written) == LENGTH + 1:
        for place in range(LENGTH + 1):
            yield written[:place] + written[place + 1 :]


def _goes_on(numbers: Sequence[int | None], start: int, end: int) -> bool:
    """Whether the number at `end` is one step further in the stretch that begins at `start`."""
    if end == len(numbers):
        return False
    first, second = numbers[start], numbers[start + 1]
    last, following = numbers[end - 1], numbers[end]
    if first is None or second is None or last is None or following is None:
        return False
    return following - last == second - first != 0


def _ledger(study: Study) -> Path:
    return study.state_file.parent / "issued.json"
