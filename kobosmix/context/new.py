"""A first context.yaml, with an explanation beside every line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kobosmix.errors import UsageError

_CODE = re.compile(r"[a-z][a-z0-9_]{0,19}")
_ROLES = ("host", "newcomer", "neither")


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A respondent group as `init` is told of it."""

    id: str
    role: str
    languages: tuple[str, ...]
    others: tuple[str, ...] = ()


def parse_group(text: str) -> NewGroup:
    """`turks:host:tr` or `bosniaks:neither:bs,hr`. Anything else is a UsageError."""
    parts = text.split(":")
    is_whole = len(parts) == 3 and all(parts)  # noqa: PLR2004
    if not is_whole or parts[1] not in _ROLES or not _CODE.fullmatch(parts[0]):
        raise UsageError(
            f"'{text}' is not a group. Write its code (a to z, 0 to 9, _), its role ({', '.join(_ROLES)}) and its "
            "languages, as in turks:host:tr or bosniaks:neither:bs,hr."
        )
    return NewGroup(parts[0], parts[1], tuple(parts[2].split(",")))


def new_context(study: str, groups: Sequence[NewGroup]) -> str:
    """The text of a commented context.yaml for these groups, each asked about all others."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, not HTML; what goes in are codes
    )
    told = [
        NewGroup(
            group.id,
            group.role,
            group.languages,
            tuple(other.id for other in groups if other.id != group.id),
        )
        for group in groups
    ]
    languages = list(dict.fromkeys(tag for group in groups for tag in group.languages))
    template = environment.get_template("context.yaml.j2")
    return template.render(study=study, groups=told, languages=languages)
