"""Who may do what with a project on KoboToolbox: rights are given and taken one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from kobosmix.errors import ServerError
from kobosmix.server.http import Connection, Request
from kobosmix.server.model import ADD_SUBMISSIONS, Right


class KoboRights:
    """The rights to the projects of an account."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def has_account(self, account: str) -> bool:
        """Whether there is an account of this name. One that is hidden from us is taken to be."""
        path = f"/api/v2/users/{quote(account, safe='')}/"
        request = Request(
            action="look for an account", path=path, allowed=frozenset({403, 404})
        )
        return self.connection.send(request).status != 404  # noqa: PLR2004 - not found

    def rights(self, uid: str) -> Sequence[Right]:
        """What every account may do with a project, the owner's included."""
        action = f"read the rights to {uid}"
        listed = self.connection.ask_json(action, _assignments(uid))
        if not isinstance(listed, list):
            raise ServerError(action, 200, "no list, which KoboToolbox gives")
        return rights_of(listed)

    def allow_sending(self, uid: str, account: str) -> Right:
        """Give an account the right to add submissions, beside all rights there are.

        One by one, and never by the address for many at once, which takes everyone else's away.
        """
        action = f"let an account send with the form {uid}"
        request = Request(
            action=action,
            method="POST",
            path=_assignments(uid),
            json={
                "user": f"{self.connection.server}/api/v2/users/{quote(account, safe='')}/",
                "permission": f"{self.connection.server}/api/v2/permissions/{ADD_SUBMISSIONS}/",
            },
        )
        given = rights_of([self.connection.send(request).content])
        if not given:
            raise ServerError(action, 201, "an answer that names no right")
        return given[0]

    def take_right(self, uid: str, right: Right) -> None:
        """Take back this one right; no other account is touched."""
        request = Request(
            action=f"take back a right to the form {uid}",
            method="DELETE",
            path=f"{_assignments(uid)}{quote(right.uid, safe='')}/",
            repeatable=True,
            allowed=frozenset({404}),
        )
        self.connection.send(request)


def may_manage(effective: Any) -> bool:
    """Whether the account may do everything; where the server does not say, the try will tell."""
    if not isinstance(effective, list):
        return True
    return any(each.get("codename") == "manage_asset" for each in effective)


def rights_of(listed: Sequence[Any]) -> list[Right]:
    """Rights from their addresses: the last step of each is its name."""
    found = list[Right]()
    for each in listed:
        told = each if isinstance(each, dict) else {}
        names = [_last_step(told.get(name)) for name in ("url", "user", "permission")]
        if all(names):
            found.append(Right(uid=names[0], account=names[1], permission=names[2]))
    return found


def _last_step(address: Any) -> str:
    path = urlsplit(address).path if isinstance(address, str) else ""
    return unquote(path.rstrip("/").rpartition("/")[2])


def _assignments(uid: str) -> str:
    return f"/api/v2/assets/{quote(uid, safe='')}/permission-assignments/"
