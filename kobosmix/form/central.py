"""The dialect of ODK Central: the neutral workbook as it is, under a version new at each publishing.

Nothing in the workbook has to be different. Its `form_id` stays for ever; the version is given to
ODK Central when a draft is published, which writes it into the form that phones get and leaves
the workbook as it was uploaded. So the server hands back the very bytes that were built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# ODK Central compares versions with `&`, `<` and `>` still escaped, and then takes no submission.
_SAFE = re.compile(r"[A-Za-z0-9_.-]+")
_COUNTED = re.compile(r".+\.([0-9]{1,9})")


def is_safe(name: str) -> bool:
    """Whether a form id or a version can stand in every address and header of ODK Central.

    >>> is_safe("gaziantep_pre_turks"), is_safe("1 & 2")
    (True, False)
    """
    return _SAFE.fullmatch(name) is not None


def next_version(build_id: str, taken: Iterable[str]) -> str:
    """A version that no published form has had: the build id and how many were before it.

    The number goes up whatever the build, so that versions are in order when they are sorted by
    it.

    >>> next_version("kx1", []), next_version("kx2", ["kx1.1", "kx1.2", "by hand"])
    ('kx1.1', 'kx2.4')
    """
    taken = list(taken)
    counted = [int(found[1]) for each in taken if (found := _COUNTED.fullmatch(each))]
    return f"{build_id}.{max([len(taken), *counted]) + 1}"
