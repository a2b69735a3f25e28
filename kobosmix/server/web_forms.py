"""Where a form can be filled in in a browser, as the server itself says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kobosmix.server.address import origin
from kobosmix.server.kobo import KoboServer

_ANONYMOUS, _SENDS = "/users/AnonymousUser/", "/permissions/add_submissions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebForms:
    """The addresses of one form; empty where the server has no web forms.

    `title` is what the project is called there. `one` thanks whoever sent the form and ends; `many`
    begins anew after each. `is_open` says whether it takes answers from people without an account;
    `takes_answers` whether from anybody, which ends when its wave is closed.
    """

    title: str = ""
    one: str = ""
    many: str = ""
    is_open: bool = False
    takes_answers: bool = True


def web_forms(server: KoboServer, uid: str) -> WebForms:
    """The web forms of a project that is deployed."""
    path = f"/api/v2/assets/{quote(uid, safe='')}/"
    content = server.connection.ask_json(f"read the web forms of {uid}", path)
    links = content.get("deployment__links") if isinstance(content, dict) else None
    said = links if isinstance(links, dict) else {}
    title = content.get("name") if isinstance(content, dict) else None
    return WebForms(
        title=title if isinstance(title, str) else "",
        one=_address(said, "single_url"),
        many=_address(said, "url"),
        is_open=_is_open(content),
        takes_answers=isinstance(content, dict)
        and content.get("deployment__active") is not False,
    )


def _address(links: Mapping[str, Any], name: str) -> str:
    """A link of the server's answer; empty where it is none that a browser may follow."""
    link = links.get(name)
    return link if isinstance(link, str) and origin(link) else ""


def _is_open(content: Any) -> bool:
    permissions = content.get("permissions") if isinstance(content, dict) else None
    return any(
        str(each.get("user", "")).endswith(_ANONYMOUS)
        and str(each.get("permission", "")).endswith(_SENDS)
        for each in permissions or ()
        if isinstance(each, dict)
    )
