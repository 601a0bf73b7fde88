"""Run a call for a limited time."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # its own class before Python 3.11
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class DeadlineExceeded(Exception):
    """The call has not returned in time."""


def bounded(work: Callable[[], Result], *, seconds: float) -> Result:
    """Return what ``work()`` returns, or raise what it raises.

    It runs in a daemon thread, because no limit of a socket covers name resolution, a handshake
    and a server that sends one byte a second. The thread is abandoned at the deadline and does
    not keep the process alive. The wait can be interrupted with Ctrl-C.

    Raises:
        DeadlineExceeded: ``work`` has not returned within ``seconds``.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # it is raised in the thread that waits
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=run, daemon=True, name="conda-token-plugin").start()
    try:
        error = future.exception(timeout=seconds)
    except FutureTimeout:
        raise DeadlineExceeded from None
    if error is not None:
        raise error
    return future.result()
