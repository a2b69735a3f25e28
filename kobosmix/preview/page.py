"""One HTML file with every form of a study in it, and ODK Web Forms to fill them in with."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kobosmix.bank.model import Language
from kobosmix.codebook import REVIEW_IN_WORDS, Codebook
from kobosmix.people.enumerators import enumerators_csv
from kobosmix.people.model import Register
from kobosmix.people.register import register_csv
from kobosmix.preview.invented import ENUMERATORS, invented_register

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewForm:
    """One form of the page: its codebook, the XForm that phones get, and its languages in order."""

    key: str
    codebook: Codebook
    xml: str
    languages: tuple[Language, ...]


def preview_page(study: str, forms: Sequence[PreviewForm]) -> bytes:
    """The page. Equal forms give equal bytes, and nothing in it is of a real person.

    Whoever opens it chooses a form, fills it in and sees what would be sent; the page sends and
    keeps nothing. It knows respondents and enumerators of its own, and names them to the reader.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), undefined=StrictUndefined, autoescape=True
    )
    register = invented_register(dict.fromkeys(form.codebook.group for form in forms))
    page = environment.get_template("page.html.j2").render(
        study=study,
        style=_text("page.css"),
        web_forms=gzip.decompress((_HERE / "web_forms.js.gz").read_bytes()).decode("utf-8"),
        script=_text("page.js"),
        forms=forms,
        forms_json=_json({form.key: _told(form, register) for form in forms}),
        attachments_json=_json(_attachments(register)),
        notices=_text("THIRD_PARTY_NOTICES.txt"),
    )
    return page.encode("utf-8")


def _told(form: PreviewForm, register: Register) -> dict[str, Any]:
    """What the page's script knows of a form."""
    book = form.codebook
    return {
        "xml": form.xml,
        # Without the name of whoever made an exception: the page goes to people outside.
        "review": REVIEW_IN_WORDS[book.review],
        "unsigned": book.review != "signed",
        "languages": {
            language.column_suffix(book.languages): {
                "lang": language.tag,
                "dir": "rtl" if language.right_to_left else "ltr",
            }
            for language in form.languages
        },
        "options": {
            variable.name: {option.value: option.labels for option in variable.options}
            for variable in book.variables
            if variable.options
        },
        "numbers": [one.id for one in register.respondents if one.group == book.group],
        "others": [one.id for one in register.respondents if one.group != book.group],
    }


def _attachments(register: Register) -> dict[str, str]:
    return {
        "register.csv": register_csv(register).decode("utf-8"),
        "enumerators.csv": enumerators_csv(ENUMERATORS).decode("utf-8"),
    }


def _json(content: dict[str, Any]) -> str:
    # Inside <script> no other character can end the element or begin a comment.
    return json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
