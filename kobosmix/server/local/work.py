"""What is done after a request is over: imports, and media on their way to devices."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_log = logging.getLogger(__name__)


class Worker:
    """Does one thing after the other, in the order given, beside the requests."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kobosmix-worker")

    def later(self, task: Callable[[], None]) -> None:
        """Do this once what came before is done. A fault is logged; the next task still runs."""
        self._thread.submit(task).add_done_callback(_log_fault)

    def stop(self) -> None:
        """End what is being done and leave the rest; the next start takes it up again."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _log_fault(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()):
        _log.error("a task of the local server failed", exc_info=error)
