"""What stands for a person's ID in the person's own link to a form.

A token is a password of a kind: whoever has it answers in the person's name. It is long enough
that nobody finds one by trying, and only the register says whose it is.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from kobosmix.errors import StudyError
from kobosmix.files import write_json
from kobosmix.findings import Finding, Place, Severity
from kobosmix.people.enumerators import Row, Table
from kobosmix.people.ids import digest
from kobosmix.people.model import ACTIVE, Register
from kobosmix.study import Study

EXPLANATIONS = {
    "R207": (
        "A person's link_token is not the one that was issued for the ID: the column was sorted "
        "or emptied by itself, or another file was put in its place. A link that was sent would "
        "answer for somebody else, or for nobody.",
        "Copy the register back from a backup. Where no link was sent yet, delete "
        ".kobosmix/issued_links.json and empty the column: new ones are issued.",
    ),
}
_FORMAT = 1

# 20 bytes are 160 bits, in letters and digits of one case: nothing in them needs escaping in an
# address, a spreadsheet takes none of them for a number, and Word breaks none of them off a link.
_BYTES, _LENGTH = 20, 32
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = re.compile(f"[{_DIGITS}]{{{_LENGTH}}}")


def with_link_tokens(
    register: Register, random_bytes: Callable[[int], bytes] = secrets.token_bytes
) -> Register:
    """The register with a token for each active person who has none; others keep theirs."""
    return Register(
        tuple(
            replace(each, link_token=_token(random_bytes))
            if each.status == ACTIVE and not each.link_token
            else each
            for each in register.respondents
        )
    )


def check_link_tokens(table: Table) -> Iterator[Finding]:
    """Each token is as it was issued, and one person's."""
    by_token = defaultdict[str, list[int]](list)
    for row in table.rows:
        by_token[_said(row)].append(row.line)
    by_token.pop("", None)
    wrong = sorted(
        line for said, lines in by_token.items() if not _TOKEN.fullmatch(said) for line in lines
    )
    if wrong:
        problem = "not a link_token as it was issued"
        yield table.finding("R114", "column link_token", wrong, problem)
    for said, lines in by_token.items():
        if len(lines) > 1 and _TOKEN.fullmatch(said):
            yield table.finding("R113", "column link_token", lines, "the same link_token")


def remember_link_tokens(study: Study, register: Register) -> None:
    """Note which token is whose, as digests. Call it before the register is written."""
    now = {
        digest(each.id): digest(each.link_token)
        for each in register.respondents
        if each.link_token
    }
    write_json(_ledger(study), {"format": _FORMAT, "links": {**_issued(study), **now}})


def check_links_stay(study: Study, register: Register) -> Iterator[Finding]:
    """Everybody still has the token that was issued for the ID."""
    issued = _issued(study)
    changed = sum(
        digest(each.id) in issued and issued[digest(each.id)] != digest(each.link_token)
        for each in register.respondents
    )
    if changed:
        yield Finding(
            code="R207",
            place=Place(study.register_file.name, spot="column link_token"),
            problem=f"{changed} personal link{'s are' if changed > 1 else ' is'} not as issued; "
            "was one column sorted, or emptied?",
            remedy=EXPLANATIONS["R207"][1],
            severity=Severity.ERROR,
        )


def _issued(study: Study) -> dict[str, str]:
    """Digests of tokens by digests of IDs; none before the first link."""
    file = _ledger(study)
    if not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))["links"])
    except (ValueError, TypeError, KeyError) as error:
        raise StudyError(
            f"{file} is damaged, so a personal link could change unseen. Restore it from a backup."
        ) from error


def _ledger(study: Study) -> Path:
    return study.state_file.parent / "issued_links.json"


def _token(random_bytes: Callable[[int], bytes]) -> str:
    number = int.from_bytes(random_bytes(_BYTES), "big")
    letters = ""
    for _ in range(_LENGTH):
        number, place = divmod(number, len(_DIGITS))
        letters += _DIGITS[place]
    return letters


def _said(row: Row) -> str:
    # A formula is a finding of its own.
    said = row.text("link_token")
    return "" if said.startswith("=") else said
