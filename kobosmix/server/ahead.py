"""Asking for the next page while the one before is being stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, Generic, TypeVar

from kobosmix.server.model import Page

T = TypeVar("T")
Ask = Callable[[str], Page[T]]


class Ahead(Generic[T]):
    """Pages of one kind, each asked for as soon as it is known where it begins.

    One request at a time is under way. What it raises is raised where its page is wanted.
    """

    def __init__(self, ask: Ask[T]) -> None:
        self._ask = ask
        self._begins = ""
        self._under_way: Future[Page[T]] | None = None

    def page(self, after: str) -> Page[T]:
        """The page after this cursor."""
        waiting, self._under_way = self._under_way, None
        if waiting is not None and self._begins == after:
            page = waiting.result()
        else:
            # Nobody wants it any more; but two requests at once would share a connection.
            wait([waiting] if waiting else [])
            page = self._ask(after)
        if not page.is_last and page.cursor != after:
            self._begins, self._under_way = page.cursor, _started(self._ask, page.cursor)
        return page

    def settle(self) -> None:
        """Return when no request is under way, so that another one may be made."""
        wait([self._under_way] if self._under_way else [])


def _started(ask: Ask[T], after: str) -> Future[Page[T]]:
    future = Future[Page[T]]()
    # A daemon: whoever presses Ctrl-C does not wait for a server that is silent.
    Thread(target=_fulfil, args=(future, ask, after), daemon=True).start()
    return future


def _fulfil(future: Future[Any], ask: Ask[Any], after: str) -> None:
    try:
        future.set_result(ask(after))
    except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
        future.set_exception(error)
