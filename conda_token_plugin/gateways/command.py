"""Run a command for a limited time, and return what it prints.

No shell reads the command. It runs in a session of its own, without a terminal. When it has ended,
and at the time limit, every process of its group is ended. Its standard error is discarded, because
it may contain a secret.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from conda_token_plugin.gateways.bounded import DeadlineExceeded, bounded
from conda_token_plugin.gateways.files import WINDOWS
from conda_token_plugin.tokens.secret import HiddenText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conda_token_plugin.settings import Settings

    Process = subprocess.Popen[bytes]

MAX_OUTPUT = 64 * 1024
"""Bytes of output that are accepted. A response with the longest token takes 17 thousand."""
WAIT = 1.0
"""Seconds to wait for a process that was killed."""


class CommandFailed(Exception):
    """A command supplied no output; the text completes the sentence "The command …"."""


class CommandTimeout(CommandFailed):
    """It has not finished within the time limit."""


def output_of(
    command: Sequence[str],
    *,
    request: str,
    seconds: float,
    settings: Settings,
    variables: Mapping[str, str],
) -> HiddenText:
    """Return the standard output of ``command``, which contains a secret.

    It runs in the root folder, so that no file of the working folder has an influence on it.

    Args:
        command: The absolute path of the program, and its arguments.
        request: What it can read from its standard input. It need not read it.
        seconds: The time limit.
        settings: Its environment variables, some of which are secret.
        variables: More of them.

    Raises:
        CommandTimeout: It exceeds the time limit.
        CommandFailed: It cannot be started, fails, or prints more than ``MAX_OUTPUT`` bytes or
            bytes that are not UTF-8.
    """
    with ExitStack() as stack:
        with _interrupts_deferred():
            process = _started(command, settings=settings, variables=variables)
            stack.callback(_end, process)
        try:
            output = bounded(partial(_exchanged, process, request), seconds=seconds)
        except DeadlineExceeded:
            raise CommandTimeout(f"did not finish within {seconds:g} seconds") from None
    if len(output) > MAX_OUTPUT:
        raise CommandFailed(f"printed more than {MAX_OUTPUT} bytes")
    if process.returncode:
        raise CommandFailed(_ending(process.returncode))
    try:
        return HiddenText(output.decode())
    except UnicodeDecodeError:
        raise CommandFailed("printed something that is not UTF-8") from None


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Raise an interrupt of the block at its end: inside Popen it would leave a process running.

    Only the main thread is interrupted. The signal is not blocked, because the command would
    inherit that.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if interrupts:
            signal.raise_signal(signal.SIGINT)


def _started(
    command: Sequence[str], *, settings: Settings, variables: Mapping[str, str]
) -> Process:
    try:
        return subprocess.Popen(  # noqa: S603  # no shell reads the words
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,
            env={**settings.variables, **variables},
            start_new_session=True,
        )
    except OSError as error:  # the program is missing, or is not executable
        raise CommandFailed(f"cannot be started: {error.strerror}") from None
    except ValueError:  # a null character, or a character that the system cannot encode
        raise CommandFailed("cannot be started: it contains an invalid character") from None


def _exchanged(process: Process, request: str) -> bytes:
    """Write the request and read the output until its end, or until it is too long."""
    assert process.stdin is not None  # a pipe
    assert process.stdout is not None  # a pipe
    with suppress(OSError), process.stdin as pipe:  # the command does not read it
        pipe.write(request.encode())
    with process.stdout as pipe:
        output = pipe.read(MAX_OUTPUT + 1)
    if len(output) <= MAX_OUTPUT:
        process.wait()
    return output


def _end(process: Process) -> None:
    """End every process of the group, also those that the command has left running."""
    if WINDOWS:
        process.kill()
    else:
        # The number of the group is not used again while one of its processes exists.
        with suppress(ProcessLookupError, PermissionError):  # all have ended (the latter: macOS)
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # it waits for a disk that does not answer
        process.wait(WAIT)


def _ending(code: int) -> str:
    return f"exited with code {code}" if code > 0 else f"was ended by signal {-code}"
