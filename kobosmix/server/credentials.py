"""Where a person's sign-in lies: never in the study, never on the command line."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from kobosmix.errors import UsageError
from kobosmix.server.address import server_origin
from kobosmix.server.private_file import (
    Entry,
    read_entries,
    write_entries,
)
from kobosmix.server.system_keyring import KeyringUnusable, SystemKeyring

TOKEN_VARIABLE = "KOBOSMIX_TOKEN"  # noqa: S105 - the name of a variable, not a token
EMAIL_VARIABLE = "KOBOSMIX_EMAIL"
PASSWORD_VARIABLE = "KOBOSMIX_PASSWORD"  # noqa: S105 - likewise


class Kind(StrEnum):
    """Which of the two a server is."""

    KOBO = "kobo"
    CENTRAL = "central"

    @property
    def label(self) -> str:
        """Its name as people know it."""
        return {"kobo": "KoboToolbox", "central": "ODK Central"}[self]


class Place(StrEnum):
    """Where a sign-in was found or put; the value completes 'the token in ...'."""

    ENVIRONMENT = "the environment"
    KEYRING = "the system keyring"
    FILE = "the private file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What lets one account into one server. Nothing secret is shown when it is printed.

    On ODK Central the token is a session, which ends at `expires` by the server's clock, after
    a `lifetime` that is known when it is new; the password is there only where the person wanted
    it kept.
    """

    server: str
    kind: Kind
    token: str = field(repr=False)
    account: str = ""
    expires: str = ""
    lifetime: timedelta | None = None
    password: str = field(default="", repr=False)
    place: Place = Place.FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a sign-in was put. `no_keyring` says why not in the keyring, if it was not."""

    place: Place
    path: Path
    no_keyring: str = ""


def credential_for(
    server: str, ask_kind: Callable[[], Kind], tell: Callable[[str], None] = lambda _: None
) -> Credential:
    """The sign-in for this server: from the environment, else as it was kept.

    KOBOSMIX_TOKEN is for KoboToolbox, KOBOSMIX_EMAIL and KOBOSMIX_PASSWORD for ODK Central; from
    the latter comes a credential without a session. `ask_kind` is called only where it is not
    known which of them fits: neither goes to a server of the other kind. None is a UsageError.
    """
    address = server_origin(server)
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    email = os.environ.get(EMAIL_VARIABLE, "").strip()
    password = os.environ.get(PASSWORD_VARIABLE, "")
    has_login = bool(email and password)
    if token or has_login:
        kind = _kind_known(address) or (ask_kind() if has_login else Kind.KOBO)
        fits = token if kind is Kind.KOBO else has_login
        if fits:
            return Credential(
                server=address,
                kind=kind,
                token=token if kind is Kind.KOBO else "",
                account=email if kind is Kind.CENTRAL else "",
                password=password if kind is Kind.CENTRAL else "",
                place=Place.ENVIRONMENT,
            )
    kept = kept_credential(address, tell)
    if kept is None:
        raise UsageError(_not_signed_in(address))
    _refuse_another_account(kept, email)
    return kept


def kept_credential(
    server: str, tell: Callable[[str], None] = lambda _: None
) -> Credential | None:
    """What was kept for this server when somebody signed in last, or None.

    A UsageError where it lies in a keyring that cannot be asked now.
    """
    entry = read_entries().get(server)
    if entry and entry.get("token"):
        return _credential(server, entry, Place.FILE)
    try:
        text = SystemKeyring(tell).kept(server)
    except KeyringUnusable as error:
        if entry is None:
            return None
        raise UsageError(
            f"the sign-in for {server} lies in the system keyring, which cannot be used now: "
            f"{error}. Unlock the keyring and try again, or sign in again: kobosmix login "
            f"--server {server}"
        ) from error
    return None if text is None else _from_keyring(server, text)


def keep(credential: Credential, tell: Callable[[str], None] = lambda _: None) -> Kept:
    """Keep a sign-in for later commands: in the keyring, or where that cannot be, in the file.

    A password never goes into the file.
    """
    entries = read_entries()
    about = {"kind": str(credential.kind), "account": credential.account}
    session = {"token": credential.token, "expires": credential.expires}
    entry, no_keyring = {**about, "kept": "keyring"}, ""
    try:
        SystemKeyring(tell).keep(credential.server, _for_keyring(credential))
    except KeyringUnusable as error:
        entry, no_keyring = {**about, **session}, str(error)
    path = write_entries({**entries, credential.server: entry})
    place = Place.FILE if no_keyring else Place.KEYRING
    return Kept(place=place, path=path, no_keyring=no_keyring)


def keep_renewed(credential: Credential, tell: Callable[[str], None] = lambda _: None) -> None:
    """Put a new session beside its password. Where that fails now, the next command renews it."""
    with contextlib.suppress(KeyringUnusable):
        SystemKeyring(tell).keep(credential.server, _for_keyring(credential))


def save_token(server: str, token: str) -> Path:
    """Keep the token of a local server in the private file, beside its database; its path."""
    entry = {"kind": str(Kind.KOBO), "account": "", "token": token.strip()}
    return write_entries({**read_entries(), server_origin(server): entry})


def forget(server: str, tell: Callable[[str], None] = lambda _: None) -> None:
    """Remove what was kept for this server, from the file and from the keyring.

    A UsageError where the keyring cannot be asked and may still have it.
    """
    entries = read_entries()
    entry = entries.pop(server, {})
    try:
        SystemKeyring(tell).forget(server)
    except KeyringUnusable as error:
        if entry.get("kept") == "keyring":
            raise UsageError(
                f"the sign-in for {server} is still in the system keyring, which cannot be used "
                f"now: {error}. Unlock the keyring and try again."
            ) from error
    if entry:
        write_entries(entries)


def known_servers() -> dict[str, str]:
    """The servers that somebody is signed in to on this machine, with the account."""
    return {server: entry.get("account", "") for server, entry in read_entries().items()}


def _kind_known(server: str) -> Kind | None:
    try:
        entry = read_entries().get(server)
        return Kind(entry["kind"]) if entry else None
    except (UsageError, ValueError, KeyError):
        # What is given in the environment must do without the file.
        return None


def _credential(server: str, entry: Entry, place: Place) -> Credential:
    try:
        return Credential(
            server=server,
            kind=Kind(entry["kind"]),
            token=entry["token"],
            account=entry.get("account", ""),
            expires=entry.get("expires", ""),
            password=entry.get("password", ""),
            place=place,
        )
    except (ValueError, KeyError) as error:
        raise UsageError(
            f"what {place} holds for {server} is damaged. Sign in again: kobosmix login "
            f"--server {server}"
        ) from error


def _for_keyring(credential: Credential) -> str:
    return json.dumps(
        {
            "kind": str(credential.kind),
            "account": credential.account,
            "token": credential.token,
            "expires": credential.expires,
            "password": credential.password,
        }
    )


def _from_keyring(server: str, text: str) -> Credential:
    try:
        entry = {str(name): str(value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError):
        entry = {}
    return _credential(server, entry, Place.KEYRING)


def _refuse_another_account(kept: Credential, email: str) -> None:
    """Whoever says which account they mean must not act as another one."""
    is_central = kept.kind is Kind.CENTRAL
    if email and is_central and email.casefold() != kept.account.casefold():
        raise UsageError(
            f"{kept.account} is signed in to {kept.server}, but {EMAIL_VARIABLE} names {email}. "
            f"Sign in as that account: kobosmix login --server {kept.server}"
        )


def _not_signed_in(server: str) -> str:
    return (
        f"nobody is signed in to {server} on this machine. Sign in: kobosmix login --server "
        f"{server}; or for this session only, set {TOKEN_VARIABLE} (for ODK Central "
        f"{EMAIL_VARIABLE} and {PASSWORD_VARIABLE})."
    )
