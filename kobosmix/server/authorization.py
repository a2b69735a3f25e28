"""What goes into the Authorization header, to one server and no other."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Literal

import requests
from requests.auth import AuthBase

from kobosmix.errors import UsageError
from kobosmix.server.address import origin

# "Token" is KoboToolbox's word, "Bearer" ODK Central's; "" asks without saying who is asking.
Scheme = Literal["Token", "Bearer", "Basic", ""]
Renewal = Callable[[], str]


class Secret:
    """A token, and how another one is had when the server no longer takes it.

    Shared by all connections of one account, so that a new one is asked for once.
    """

    def __init__(self, token: str, scheme: Scheme, renew: Renewal | None = None) -> None:
        self.token, self.scheme = token, scheme
        self._renew = renew
        self._lock = threading.Lock()

    def renew(self, refused: str) -> bool:
        """Whether there is another token now than the one that was refused."""
        with self._lock:
            if self.token == refused and self._renew is not None:
                self.token = self._renew() or refused
            return self.token != refused


class Authorization(AuthBase):
    """Signs requests to its own server. As an auth object, it also keeps .netrc out."""

    def __init__(self, server: str, secret: Secret) -> None:
        if secret.scheme and not is_token(secret.token):
            raise UsageError(f"the token for {server} is empty or has characters no token has")
        self.server, self.secret = server, secret

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request, signed if it goes to the server."""
        if self.secret.scheme and prepared.url and origin(prepared.url) == self.server:
            prepared.headers["Authorization"] = f"{self.secret.scheme} {self.secret.token}"
        return prepared


def is_token(text: object) -> bool:
    """Whether this can stand in a header as it is."""
    return (
        isinstance(text, str)
        and bool(text)
        and text.isascii()
        and text.isprintable()
        and (" " not in text)
    )


def basic(username: str, password: str) -> str:
    """A user name and password as one token of the scheme Basic."""
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
