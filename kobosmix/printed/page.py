"""Pages in HTML that print from any browser, all in one file. The only door to jinja2 here."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def page(template: str, **shown: Any) -> bytes:
    """The template with these values in it, in UTF-8; equal values give equal bytes."""
    return _environment().get_template(template).render(**shown).encode("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["css_string"] = css_string
    return environment


def css_string(text: str) -> str:
    """The text as it may stand between quotation marks in a style sheet, and in XML."""
    return "".join(
        letter
        if letter.isalnum() or letter == " " or not letter.isascii()
        else _escaped(letter)
        for letter in text
    )


def _escaped(letter: str) -> str:
    # The space ends the escape and is not shown.
    return f"\\{ord(letter):x} "
