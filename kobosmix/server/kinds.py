"""Which kind of server answers at an address: found by asking it, before it is told anything."""

from __future__ import annotations

from typing import Any

from kobosmix.errors import UsageError
from kobosmix.server.address import refuse_side_door
from kobosmix.server.answers import parse_json
from kobosmix.server.authorization import Secret
from kobosmix.server.credentials import Kind
from kobosmix.server.http import Answer, Connection, Patience, Request

_ACTION = "find out what kind of server this is"
# Not JSON alone: ODK Central and many a network answer a page to whatever is asked.
_ANYTHING = "application/json, */*;q=0.1"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TELLING = _REDIRECTS | {400, 401, 403, 404, 405, 406, 410}
_UNKNOWN = 401


def ask_kind(server: str, patience: Patience | None = None) -> Kind:
    """Which of the two it is. What is neither is a UsageError that says what answered."""
    refuse_side_door(server)
    with Connection(server, Secret("", ""), patience=patience) as connection:
        kobo = _asked(connection, "/me/")
        if _refuses_strangers(kobo, "detail"):
            return Kind.KOBO
        central = _asked(connection, "/v1/users/current")
        if _refuses_strangers(central, "code"):
            return Kind.CENTRAL
    raise UsageError(
        f"{server} answers, but neither as KoboToolbox nor as ODK Central does: "
        f"{_instead(kobo, central)}{_maybe(connection.server)}"
    )


def _asked(connection: Connection, path: str) -> Answer:
    request = Request(action=_ACTION, path=path, accept=_ANYTHING, allowed=_TELLING)
    return connection.send(request)


def _refuses_strangers(answer: Answer, word: str) -> bool:
    content = _content(answer)
    return answer.status == _UNKNOWN and isinstance(content, dict) and word in content


def _content(answer: Answer) -> Any:
    try:
        return parse_json(answer.body)
    except ValueError:
        return None


def _instead(*answers: Answer) -> str:
    if any(answer.status in _REDIRECTS for answer in answers):
        said = "it sends whoever asks to another page"
    elif any(b"<html" in answer.body[:1000].lower() for answer in answers):
        said = "it answers with a web page"
    else:
        return "check the address for a mistake"
    return (
        f"{said}. Check the address for a mistake. A network with a sign-in of its own, as in "
        "hotels, does that too: open any page in a browser first, then try again"
    )


def _maybe(server: str) -> str:
    scheme, _, host = server.partition("://")
    side, _, rest = host.partition(".")
    if side in ("kc", "ee") and "." in rest:
        return f". Perhaps it is {scheme}://kf.{rest}"
    return ""
