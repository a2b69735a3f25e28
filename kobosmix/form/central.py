"""The dialect of ODK Central: the neutral workbook as it is, under a version new at each publishing.

Nothing in the workbook has to be different, unless the register is to be a list of entities. Its
`form_id` stays for ever; the version is given to ODK Central when a draft is published, which
writes it into the form that phones get and leaves the workbook as it was uploaded. So the server
hands back the very bytes that were built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kobosmix.form.rows import XlsForm

# ODK Central compares versions with `&`, `<` and `>` still escaped, and then takes no submission.
_SAFE = re.compile(r"[A-Za-z0-9_.-]+")
# What the respondent's own number is called in a list of entities.
OWN_CODE = "rid"
_IN_REGISTER = "instance('register')/root/item["
_BY_NAME, _BY_OWN_CODE = f"{_IN_REGISTER}name = ", f"{_IN_REGISTER}{OWN_CODE} = "
_COUNTED = re.compile(r".+\.([0-9]{1,9})")


def is_safe(name: str) -> bool:
    """Whether a form id or a version can stand in every address and header of ODK Central.

    >>> is_safe("gaziantep_pre_turks"), is_safe("1 & 2")
    (True, False)
    """
    return _SAFE.fullmatch(name) is not None


def with_list(form: XlsForm) -> XlsForm:
    """The form for a register that is a list of entities, whose `name` is the server's own.

    The respondent's number is then called `rid`; nothing else in the form is different.
    """
    rows = tuple(_swapped(row, _BY_NAME, _BY_OWN_CODE) for row in form.survey)
    return XlsForm(survey=rows, choices=form.choices, settings=form.settings)


def without_list(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Survey rows of such a form as the neutral form has them."""
    return [_swapped(row, _BY_OWN_CODE, _BY_NAME) for row in rows]


def _swapped(row: Mapping[str, str], there: str, then: str) -> dict[str, str]:
    calculation = row.get("calculation", "")
    return {**row, "calculation": calculation.replace(there, then)} if calculation else {**row}


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
