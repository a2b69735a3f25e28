"""Signing in and out, and the connection that every command works with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kobosmix.errors import KobosmixError, LoginRefused, ServerError, UsageError
from kobosmix.server.address import is_loopback, refuse_side_door
from kobosmix.server.authorization import Scheme, Secret, basic, is_token
from kobosmix.server.credentials import Credential, Kind, Place, credential_for, keep_renewed
from kobosmix.server.http import Answer, Connection, Patience, Request
from kobosmix.server.kinds import ask_kind
from kobosmix.server.kobo import KoboServer

Tell = Callable[[str], None]

_SCHEMES: dict[Kind, Scheme] = {Kind.KOBO: "Token", Kind.CENTRAL: "Bearer"}
_SESSIONS = "/v1/sessions"
_SOON = timedelta(minutes=30)
_UNAUTHORIZED, _NOT_FOUND = 401, 404


def first_contact(server: str) -> Patience:
    """Nobody waits long for an address that was mistyped: it never answers."""
    return Patience(total_s=2 if is_loopback(server) else 20)


def sign_in_kobo(server: str, token: str) -> Credential:
    """The credential for a token, once the server has said whose it is; nothing is kept yet."""
    with Connection(server, token, patience=first_contact(server)) as connection:
        try:
            account = KoboServer(connection).username()
        except LoginRefused as error:
            action = f"sign in to {connection.server}"
            said = "it does not know this token; nothing was kept"
            raise LoginRefused(action, error.status, said) from None
        return Credential(
            server=connection.server, kind=Kind.KOBO, token=token, account=account
        )


def token_of(server: str, username: str, password: str) -> str:
    """The token of a KoboToolbox account; made there if it has none. The password is not kept."""
    secret = Secret(basic(username, password), "Basic")
    action = "get your token"
    with Connection(server, secret, patience=first_contact(server)) as connection:
        request = Request(
            action=action, path="/token/", query={"format": "json"}, hidden=(password,)
        )
        try:
            content = connection.send(request).content
        except LoginRefused as error:
            raise LoginRefused(
                action,
                error.status,
                "wrong user name or password, or the account asks for a second factor; then copy "
                f"the token from {connection.server}/token/",
            ) from None
    return _token(content, action)


def sign_in_central(server: str, email: str, password: str) -> Credential:
    """A new session on ODK Central, and what is needed for the next one."""
    action = f"sign in to {server}"
    request = Request(
        action=action,
        path=_SESSIONS,
        method="POST",
        json={"email": email, "password": password},
        hidden=(password,),
        allowed=frozenset({_UNAUTHORIZED, _NOT_FOUND}),
    )
    with Connection(server, Secret("", ""), patience=first_contact(server)) as connection:
        answer = connection.send(request)
    _refuse_no_session(action, answer)
    session = Credential(
        server=connection.server,
        kind=Kind.CENTRAL,
        token=_token(answer.content, action),
        account=email,
        expires=str(answer.content.get("expiresAt") or ""),
        password=password,
    )
    return replace(session, lifetime=time_left(session, answer.sent))


def sign_out(credential: Credential) -> str:
    """End the session on ODK Central; a sentence where something stays valid on the server."""
    if credential.kind is Kind.KOBO:
        return (
            "The token itself stays valid. If others may have it, make a new one on the server: "
            "Account Settings > Security."
        )
    try:
        with connection_of(credential) as connection:
            connection.send(
                Request(
                    action="end the session",
                    path=f"{_SESSIONS}/current",
                    method="DELETE",
                    repeatable=True,
                    # Ended before: no session is what is wanted.
                    allowed=frozenset({_UNAUTHORIZED, _NOT_FOUND}),
                )
            )
    except KobosmixError as error:
        return f"The session ends by itself within a day; {error}."
    return ""


@contextmanager
def connected(server: str, tell: Tell = lambda _: None) -> Iterator[tuple[Connection, Kind]]:
    """A connection in the name of whoever is signed in; a wrong token is told before anything.

    On ODK Central a session that has ended is replaced, now or in the middle of the work, where
    the password is known. `tell` is given what the person should know and no command waits for.
    """
    refuse_side_door(server)
    credential = credential_for(server, lambda: ask_kind(server, first_contact(server)), tell)
    is_passing = not credential.token
    if is_passing:
        credential = _new_session(credential)
    secret = _secret(credential, tell)
    with Connection(server, secret, patience=first_contact(server)) as connection:
        _check(connection, credential, tell)
    try:
        with Connection(server, secret) as connection:
            yield connection, credential.kind
    finally:
        if is_passing:
            with contextlib.suppress(KobosmixError):
                sign_out(replace(credential, token=secret.token))


def connection_of(credential: Credential) -> Connection:
    """A short-tempered connection with exactly this credential."""
    secret = Secret(credential.token, _SCHEMES[credential.kind])
    return Connection(credential.server, secret, patience=first_contact(credential.server))


def time_left(credential: Credential, now: datetime | None) -> timedelta | None:
    """How long a session lasts, both times by the server's clock; None where it did not say."""
    try:
        ends = datetime.fromisoformat(credential.expires)
        return ends - now if now else None
    except (ValueError, TypeError):
        return None


def whose(connection: Connection, kind: Kind) -> tuple[str, datetime | None]:
    """The account the server takes us for, and the time by its clock."""
    action = "check who is signed in"
    if kind is Kind.KOBO:
        return KoboServer(connection).username(), None
    answer = connection.send(Request(action=action, path="/v1/users/current"))
    return _held(answer.content, "email", action), answer.sent


def _check(connection: Connection, credential: Credential, tell: Tell) -> None:
    try:
        account, now = whose(connection, credential.kind)
    except LoginRefused as error:
        raise LoginRefused(
            f"sign in to {credential.server}", error.status, _what_to_do(credential)
        ) from None
    if credential.kind is Kind.CENTRAL and account.casefold() != credential.account.casefold():
        raise UsageError(
            f"{credential.server} takes us for {account}, not for {credential.account}. Sign in "
            f"again: kobosmix login --server {credential.server}"
        )
    left = time_left(credential, now)
    if left is not None and timedelta() < left < _SOON and not credential.password:
        tell(
            f"The session on {credential.server} ends in {max(1, left.seconds // 60)} minutes. For longer "
            f"work sign in again first: kobosmix login --server {credential.server}"
        )


def _what_to_do(credential: Credential) -> str:
    if credential.place is Place.ENVIRONMENT:
        name = "KOBOSMIX_TOKEN" if credential.kind is Kind.KOBO else "KOBOSMIX_PASSWORD"
        return f"it does not take what {name} holds; correct it, or remove it to use a sign-in"
    what = "the session has ended" if credential.kind is Kind.CENTRAL else "wrong token"
    return f"{what}; sign in again: kobosmix login --server {credential.server}"


def _secret(credential: Credential, tell: Tell) -> Secret:
    """The credential for a connection: it knows how to come by a new session."""

    def renew() -> str:
        if not credential.password:
            return ""
        try:
            fresh = _new_session(credential)
        except LoginRefused:
            return ""
        if credential.place is Place.KEYRING:
            keep_renewed(fresh, tell)
        return fresh.token

    return Secret(credential.token, _SCHEMES[credential.kind], renew)


def _new_session(credential: Credential) -> Credential:
    fresh = sign_in_central(credential.server, credential.account, credential.password)
    return replace(fresh, place=credential.place)


def _refuse_no_session(action: str, answer: Answer) -> None:
    if answer.status == _UNAUTHORIZED:
        raise LoginRefused(
            action, answer.status, "wrong e-mail address or password; nothing was kept"
        )
    if answer.status == _NOT_FOUND:
        raise ServerError(
            action,
            answer.status,
            "it has no sign-in with a password; where people sign in through their organisation "
            "(OpenID Connect), kobosmix cannot",
        )


def _held(content: Any, name: str, action: str) -> str:
    value = content.get(name) if isinstance(content, dict) else None
    if not isinstance(value, str) or not value:
        raise ServerError(action, 200, f"an answer without {name}")
    return value


def _token(content: Any, action: str) -> str:
    token = _held(content, "token", action)
    if not is_token(token):
        raise ServerError(action, 200, "a token that no request can carry")
    return token
