"""Who sends to ODK Central: one app user for each enumerator's code, and the QR code to set it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kobosmix.errors import StudyError
from kobosmix.server.central_api import (
    IS_THERE,
    NO_RIGHT,
    CentralApi,
    CentralRefusal,
    at,
    form_at,
    held,
    listed,
    path_of,
)
from kobosmix.server.model import ADD_SUBMISSIONS, ANYONE, PhoneLogin, Right, WebForms

_ROLE, _LINK, _LINKS, _OPEN = "app-user", "link", "public-links", "open"
# What pyxform calls the element that all answers stand in.
_ROOT = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUser:
    """A way into one project from phones. Whoever has the token can send in this name."""

    id: int
    code: str
    token: str = field(repr=False)


class CentralPeople:
    """The side of ODK Central that lets phones in. An enumerator is known by the code alone."""

    def __init__(self, api: CentralApi) -> None:
        self.api = api

    def app_users(self, project: int) -> Mapping[str, AppUser]:
        """The app users of a project that can be used, by code. Of two with one code the older."""
        newest_first = sorted(self._usable(project), key=lambda user: user.id, reverse=True)
        return {user.code: user for user in newest_first}

    def app_user(self, project: int, code: str) -> AppUser:
        """The app user of an enumerator's code; made where there is none."""
        known = self.app_users(project).get(code)
        if known is not None:
            return known
        action = f"make the app user {code}"
        path = at("projects", project, "app-users")
        return _as_user(self.api.write(action, path, content={"displayName": code}), action)

    def has_account(self, account: str) -> bool:
        """Whether an enumerator can be let in: any can, for the app user is made then."""
        return bool(account)

    def rights(self, uid: str) -> Sequence[Right]:
        """Which app users may send with a form, and whether anyone may by a link.

        One that was revoked may not. Who only reads the answers is shown none of it.
        """
        try:
            return self._rights(uid)
        except CentralRefusal as error:
            if error.code != NO_RIGHT:
                raise
            return []

    def _rights(self, uid: str) -> list[Right]:
        action = f"read who may send with {uid}"
        given = listed(self.api.read(action, path_of(uid, "assignments", _ROLE)), action)
        actors = {held(each, "id", int, action) for each in given}
        users = self._usable(form_at(uid)[0]) if actors else []
        named = [_right(user.id, user.code) for user in users if user.id in actors]
        return [*named, *(_right(link, ANYONE, _LINK) for link in self._links(uid))]

    def allow_sending(self, uid: str, account: str) -> Right:
        """Let the app user of a code send with a form; anyone gets a link that is open to all."""
        if account == ANYONE:
            return self._open_to_anyone(uid)
        user = self.app_user(form_at(uid)[0], account)
        try:
            self.api.write(f"let {account} send with {uid}", _assignment(uid, user.id))
        except CentralRefusal as error:
            # Given before.
            if error.code != IS_THERE:
                raise
        return _right(user.id, account)

    def take_right(self, uid: str, right: Right) -> None:
        """Take the form from this app user; what phones hold of it can still be sent by others."""
        action = f"take back a right to the form {uid}"
        kind, _, number = right.uid.rpartition(" ")
        path = path_of(uid, _LINKS, number) if kind == _LINK else _assignment(uid, number)
        self.api.remove(action, path)

    def _open_to_anyone(self, uid: str) -> Right:
        for link in self._links(uid):
            return _right(link, ANYONE, _LINK)
        action = f"open the form {uid} to anyone"
        # Not `once`, which would let every browser answer a single time.
        content = {"displayName": "kobosmix", "once": False}
        made = self.api.write(action, path_of(uid, _LINKS), content=content)
        return _right(held(made, "id", int, action), ANYONE, _LINK)

    def _links(self, uid: str) -> list[int]:
        """The links that still let in."""
        action = f"read the links to the form {uid}"
        found = listed(self.api.read(action, path_of(uid, _LINKS)), action)
        return [held(each, "id", int, action) for each in found if each.get("token")]

    def _usable(self, project: int) -> list[AppUser]:
        action = f"read the app users of the project {project}"
        found = listed(self.api.read(action, at("projects", project, "app-users")), action)
        return [_as_user(each, action) for each in found if each.get("token")]

    def phone_logins(self, uid: str, senders: Mapping[str, str]) -> Sequence[PhoneLogin]:
        """One for each app user, whose address lets in whoever has it; none where nobody is named."""
        project, _ = form_at(uid)
        users = self.app_users(project) if senders else {}
        missing = [code for code, name in sorted(senders.items()) if name not in users]
        if missing:
            raise StudyError(
                f"ODK Central has no app user for {', '.join(missing)}; 'kobosmix deploy' comes "
                "first"
            )
        url = self.api.connection.server
        return [
            PhoneLogin(
                code=code,
                address=f"{url}/v1/key/{users[name].token}/projects/{project}",
                is_secret=True,
            )
            for code, name in sorted(senders.items())
        ]

    def web_forms(self, uid: str) -> WebForms:
        """The web form of a form, with the link by which it is open to anyone, if it is."""
        action = f"read the web forms of {uid}"
        form = self.api.read(action, path_of(uid))
        links = listed(self.api.read(action, path_of(uid, _LINKS)), action)
        tokens = [str(each["token"]) for each in links if each.get("token")]
        enketo = form.get("enketoId")
        address = f"{self.api.connection.server}/f/{enketo}" if enketo else ""
        if address and tokens:
            address += f"?st={quote(tokens[0], safe='')}"
        return WebForms(
            root=_ROOT,
            title=str(form.get("name") or ""),
            one=address,
            many=address,
            is_open=bool(tokens),
            takes_answers=form.get("state") == _OPEN,
        )


def _as_user(content: Any, action: str) -> AppUser:
    return AppUser(
        id=held(content, "id", int, action),
        code=held(content, "displayName", str, action),
        token=held(content, "token", str, action),
    )


def _right(actor: int, code: str, kind: str = _ROLE) -> Right:
    return Right(uid=f"{kind} {actor}", account=code, permission=ADD_SUBMISSIONS)


def _assignment(uid: str, actor: int | str) -> str:
    return path_of(uid, "assignments", _ROLE, actor)
