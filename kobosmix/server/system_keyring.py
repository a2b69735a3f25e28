"""The only door to keyring: the safe that a system keeps for each person who uses it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

# Long enough to type the password of a keyring that asks for it in a window of its own.
PATIENCE_S = 30.0
_QUIET_S = 2.0
_ACCOUNT = "kobosmix"


class KeyringUnusable(Exception):
    """The keyring cannot be asked now. The sentence says why, in words for the person."""


class SystemKeyring:
    """The system's keyring. Each call answers within PATIENCE_S or raises KeyringUnusable.

    `tell` is given a sentence when somebody has to be patient.
    """

    def __init__(self, tell: Callable[[str], None] = lambda _: None) -> None:
        self._tell = tell

    def kept(self, server: str) -> str | None:
        """What is kept for a server, or None."""

        def read() -> str | None:
            import keyring

            return keyring.get_password(_service(server), _ACCOUNT)

        return self._asked(read)

    def keep(self, server: str, text: str) -> None:
        """Keep a text for a server, in place of what was kept."""

        def write() -> str | None:
            import keyring

            keyring.set_password(_service(server), _ACCOUNT, text)
            return keyring.get_password(_service(server), _ACCOUNT)

        # A keyring that is switched off takes everything and keeps nothing.
        if self._asked(write) != text:
            raise KeyringUnusable("it is switched off")

    def forget(self, server: str) -> None:
        """Remove what is kept for a server, if anything is."""

        def delete() -> None:
            import keyring

            if keyring.get_password(_service(server), _ACCOUNT) is not None:
                keyring.delete_password(_service(server), _ACCOUNT)

        self._asked(delete)

    def _asked(self, action: Callable[[], T]) -> T:
        """What the action gives. Keyrings wait for windows nobody sees; a thread can be left."""
        results, failures = list[T](), list[BaseException]()

        def run() -> None:
            try:
                results.append(action())
            except BaseException as error:  # noqa: BLE001 - each keyring has its own ways to fail
                failures.append(error)

        thread = Thread(target=run, daemon=True, name="keyring")
        thread.start()
        thread.join(min(_QUIET_S, PATIENCE_S))
        if thread.is_alive():
            self._tell(
                "Waiting for the system keyring; it may be asking for its password in a window "
                "of its own."
            )
            thread.join(max(0.0, PATIENCE_S - _QUIET_S))
        if failures:
            raise KeyringUnusable(_reason(failures[0])) from None
        if not results:
            raise KeyringUnusable(f"it did not answer within {PATIENCE_S:g} s")
        return results[0]


def _service(server: str) -> str:
    return f"kobosmix {server}"


def _reason(error: BaseException) -> str:
    """Why, in words of ours: what a keyring says of itself may hold what was to be kept."""
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return "this system has none"
    if isinstance(error, KeyringLocked):
        return "it is locked"
    return f"it failed with {type(error).__name__}"
