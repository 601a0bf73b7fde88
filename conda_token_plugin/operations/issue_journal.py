"""A note that an issue is under way, so that one that was cut short is not passed over in silence.

From the moment the service issues a token until the store has it, a kill or a power cut loses
the new token, and the one before it is dead already. Nothing can bring either back, and to print
the new one "just in case" would be worse. So a note is left before the service is asked,
and taken away when the store has the token or the service has refused;
who finds one that nobody holds any more, knows. It is held by a lock and not by the number
of a process: numbers come again, after a start of the machine and in each container.
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

NAME = "issuing.json"


class Note(NamedTuple):
    """Whose token was being issued, and since when."""

    organization: str
    started: datetime

    @property
    def warning(self) -> str:
        """What the user has to know, and do."""
        return (
            f"Issuing a token for {self.organization!r} was cut short on "
            f"{self.started:%Y-%m-%d at %H:%M} UTC: the token before it may be dead, "
            f"and the new one was lost. Run: conda token install --org {self.organization}"
        )


@contextmanager
def noted(folder: Path, *, organization: str, now: datetime) -> Iterator[None]:
    """Leave a note in ``folder`` for as long as the block runs.

    An error that was told to the user needs no note; only a process that ends without
    a word leaves one behind.

    Raises:
        StoreUnusable: the note cannot be written. Nothing was issued yet.
    """
    path = folder / NAME
    facts = {"organization": organization, "started": now.isoformat()}
    try:
        file = path.open("w", encoding="utf-8")
        file.write(json.dumps(facts))
        file.flush()
    except OSError as error:  # read-only folder, full disk
        from conda_token_plugin.errors.store import StoreUnusable

        raise StoreUnusable(path, reason=error.strerror or "unknown") from None
    try:
        with file:
            _held(file)
            yield
    except TokenPluginError:
        clear(folder)
        raise
    clear(folder)


def cut_short(folder: Path) -> Note | None:
    """The note of an issue that ended without a word, or None."""
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            facts = json.load(file)
            note = Note(organization=str(facts["organization"]), started=utc(str(facts["started"])))
            return note if _held(file) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # None there, cut short itself, or not what was written.
        return None


def clear(folder: Path) -> None:
    """Take the note away."""
    with suppress(OSError):  # it was not there, or the folder is read-only now
        (folder / NAME).unlink()


def _held(file: IO[str]) -> bool:
    """Lock ``file`` for as long as it is open; False where another has done so."""
    if sys.platform == "win32":  # a lock would keep others from reading it
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # an issue is under way
        return False
    except OSError:  # a file system without locks: a note of a living one says too much
        return True
    return True
