"""The web forms of a project on KoboToolbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kobosmix.server.address import origin
from kobosmix.server.http import Connection
from kobosmix.server.model import WebForms

_ANONYMOUS, _SENDS = "/users/AnonymousUser/", "/permissions/add_submissions/"


def web_forms(connection: Connection, uid: str) -> WebForms:
    """The web forms of a project that is deployed; none where there is no Enketo."""
    path = f"/api/v2/assets/{quote(uid, safe='')}/"
    content = connection.ask_json(f"read the web forms of {uid}", path)
    links = content.get("deployment__links") if isinstance(content, dict) else None
    said = links if isinstance(links, dict) else {}
    title = content.get("name") if isinstance(content, dict) else None
    return WebForms(
        # On phones and in web forms KoboToolbox calls the root as it calls the project.
        root=uid,
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
