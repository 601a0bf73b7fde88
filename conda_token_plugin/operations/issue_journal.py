"""Journal entries written before a token is issued and removed once it is stored.

Between the response of the service and the write to the store, a kill or a power cut loses the new
token, and the service has already revoked the previous one. Neither can be restored. So an entry
is written before the request is sent. If the process ends in between, the next command finds an
entry whose lock is free and reports the interrupted issue.

Each issue has an entry, a file of its own, so that two issues at the same time do not remove each
other's. Entries are locked rather than identified by process ID, because process IDs are reused.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

PREFIX, SUFFIX = "issuing-", ".json"


class JournalEntry(NamedTuple):
    """An issue that was started."""

    path: Path
    organization: str
    started: datetime

    @property
    def warning(self) -> str:
        """What an interrupted issue means for the user, and the next command."""
        return (
            f"Issuing a token for {self.organization!r} was interrupted on "
            f"{self.started:%Y-%m-%d at %H:%M} UTC. The service may have revoked the previous "
            "token, and the new one was not stored. "
            f"Run: conda token install --org {self.organization}"
        )


@contextmanager
def recorded(folder: Path, *, organization: str, now: datetime) -> Iterator[None]:
    """Keep a journal entry in ``folder`` while the block runs.

    The entry is removed when the block ends, and when it raises an error of this package, because
    the user is told about that. An exception of any other type, such as a second Ctrl-C, leaves
    it. Success also removes entries of interrupted issues for the same organization.

    Raises:
        StoreUnusable: The entry cannot be written. Nothing was issued yet.
    """
    # Imported here, because every command that reads the store reads the journal.
    from secrets import token_hex

    from conda_token_plugin.errors.store import StoreUnusable

    path = folder / f"{PREFIX}{token_hex(8)}{SUFFIX}"
    try:
        file = path.open("x", encoding="utf-8")
        _lock(file)  # before the first byte: a reader skips an empty entry
        json.dump({"organization": organization, "started": now.isoformat()}, file)
        file.flush()
    except OSError as error:  # read-only folder, full disk
        with suppress(OSError):
            path.unlink()
        raise StoreUnusable(path, reason=error.strerror or "unknown") from None
    try:
        with file:
            try:
                yield
            except TokenPluginError:
                remove(path)
                raise
            remove(path)
    except TokenPluginError:
        remove(path)  # Windows deletes no open file; elsewhere nothing is left to delete
        raise
    for entry in interrupted(folder):
        if entry.organization == organization:
            remove(entry.path)


def interrupted(folder: Path) -> list[JournalEntry]:
    """Return the entries of issues whose process ended before the token was stored.

    There are none in a folder that cannot be read, such as that of another user. The store
    reports why.
    """
    try:
        paths = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))
    except PermissionError:  # raised by `Path.glob` for the folder itself
        return []
    found = (_entry(path) for path in paths)
    return [entry for entry in found if entry is not None]


def remove(path: Path) -> None:
    """Remove an entry."""
    with suppress(OSError):  # already removed, or the folder is read-only now
        path.unlink()


def _entry(path: Path) -> JournalEntry | None:
    """Read an entry. Return None if its issue is still running, or if it is damaged."""
    try:
        with path.open(encoding="utf-8") as file:
            facts = json.load(file)
            entry = JournalEntry(path, str(facts["organization"]), utc(str(facts["started"])))
            return entry if _lock(file) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # The entry was removed meanwhile, is incomplete, or was not written by this module.
        return None


def _lock(file: IO[str]) -> bool:
    """Lock ``file`` until it is closed; return False if another process has locked it."""
    if sys.platform == "win32":  # a lock would prevent other processes from reading the file
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # the issue is still running
        return False
    except OSError:  # the file system has no locks; a running issue may be reported
        return True
    return True
