"""Respondents and enumerators who do not exist, for those who try the forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kobosmix.people.enumerators import Enumerator
from kobosmix.people.ids import is_valid_id
from kobosmix.people.model import Register, Respondent

# They count up, so no study ever issues them, and a person sees that they are made up.
_BODIES = range(1_234_500, 1_234_600)
_OF_EACH_GROUP = 2

ENUMERATORS = tuple(Enumerator(code=code, name="") for code in ("en01", "en02", "en03"))


def invented_register(groups: Iterable[str]) -> Register:
    """Two respondents of each group, whose IDs every form takes and no study issues.

    With more than forty groups the last ones go without.
    """
    ids = _ids()
    return Register(
        tuple(
            Respondent(id=respondent_id, group=group)
            for group in groups
            for respondent_id, _ in zip(ids, range(_OF_EACH_GROUP), strict=False)
        )
    )


def _ids() -> Iterator[str]:
    candidates = (f"{body}{digit}" for body in _BODIES for digit in range(10))
    return filter(is_valid_id, candidates)
