"""A private credentials file for one command, because clients of rattler read no variable.

``RATTLER_AUTH_FILE`` names the file. It is in a folder that only the user can enter, on a memory
file system where there is one, and is removed when the command ends. If this process is killed, a
watcher removes it: a shell that waits for the end of a pipe, which this process and the command
keep open.

mamba reads one file in the home folder, and no variable that names another (2.8.1), so it cannot
use such a file.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.integrations.rattler import Rattler, file_at
from conda_token_plugin.integrations.target import shared_keys
from conda_token_plugin.tokens.display import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conda_token_plugin.integrations.target import Entry, Grant
    from conda_token_plugin.settings import Settings

VARIABLE = "RATTLER_AUTH_FILE"
MEMORY = "/dev/shm"  # noqa: S108  # a folder of our own in it, with mode 0700
WATCH = 'trap "" HUP INT QUIT TERM; read -r _; rm -rf -- "$1"'


class PrivateFile(NamedTuple):
    """The file, and what the process of the command must inherit."""

    variables: dict[str, str]
    descriptors: tuple[int, ...]
    """The pipe by which the watcher notices the end of the command."""


@contextmanager
def private_credentials(
    grants: Sequence[Grant], *, settings: Settings, notice: Callable[[str], None]
) -> Iterator[PrivateFile]:
    """Write ``grants`` to a file for rattler that exists while the block runs.

    Entries of the file that ``RATTLER_AUTH_FILE`` names already are copied, because the command
    reads the new file only.

    ``notice`` receives a sentence about each token that the file cannot contain, or that there
    is no file.

    Raises:
        ConfigurationError: The user's own file cannot be read, or the new one not written.
    """
    entries = _entries(grants, notice=notice)
    if not entries:
        yield PrivateFile({}, ())
        return
    with ExitStack() as stack:
        folder, descriptors = _watched_folder(settings, stack=stack, notice=notice)
        if folder is None:
            yield PrivateFile({}, ())
            return
        path = folder / "credentials.json"
        mine = settings.variables.get(VARIABLE)
        for entry in (*(file_at(Path(mine)).look() if mine else ()), *entries):
            file_at(path).put(entry.key, entry.value)
        yield PrivateFile({VARIABLE: str(path)}, descriptors)


def _entries(grants: Sequence[Grant], *, notice: Callable[[str], None]) -> list[Entry]:
    """Return the entries of the tokens, without the hosts that several of them need."""
    rattler = Rattler()
    wanted: list[tuple[Entry, Grant]] = []
    for grant in grants:
        if grant.token.path_before:
            notice(f"{VARIABLE} does not contain {named(grant.token)}: rattler cannot send it.")
        else:
            wanted += [(entry, grant) for entry in rattler.entries(grant)]
    shared = shared_keys((entry.key, grant) for entry, grant in wanted)
    for host, some in shared.items():
        owners = " and ".join(named(grant.token) for grant in some)
        notice(
            f"{VARIABLE} contains no credential for {host}, because rattler can have one for "
            f"each host, and {owners} are for it. To choose one, use --org."
        )
    return [entry for entry, _ in wanted if entry.key not in shared]


def _watched_folder(
    settings: Settings, *, stack: ExitStack, notice: Callable[[str], None]
) -> tuple[Path | None, tuple[int, ...]]:
    """Return a new folder, which ``stack`` removes, and the descriptors of its watcher.

    Without a folder for temporary files, or without a shell, there is none.
    """
    try:
        folder = Path(mkdtemp(prefix="conda-token-", dir=_memory(settings)))
        stack.callback(rmtree, folder, ignore_errors=True)
        return folder, (_watched(folder, stack=stack),) if os.name == "posix" else ()
    except OSError as error:
        notice(f"{VARIABLE} is not set, because its file cannot be created: {error}.")
        return None, ()


def _memory(settings: Settings) -> str | None:
    """Return a folder in memory, or None for the system's folder of temporary files."""
    runtime = settings.variables.get("XDG_RUNTIME_DIR", "")
    usable = (one for one in (MEMORY, runtime) if one and os.access(one, os.W_OK | os.X_OK))
    return next(usable, None)


def _watched(folder: Path, *, stack: ExitStack) -> int:
    """Start the watcher of ``folder``; return the descriptor that keeps it waiting."""
    reading, writing = os.pipe()
    stack.callback(os.close, writing)
    try:
        watcher = subprocess.Popen(  # noqa: S603  # our own command
            ["/bin/sh", "-c", WATCH, "sh", str(folder)], stdin=reading, start_new_session=True
        )
    finally:
        os.close(reading)
    # Normally the folder is removed here, and the watcher is not waited for: a process
    # that the command has left in the background may still hold the pipe.
    stack.callback(watcher.wait)
    stack.callback(watcher.kill)
    return writing
