"""A folder of a store: who may own what is in it, who may read it, and what is done about it.

The user's folder is 0700 with files of 0600, all of them the user's own.
The machine's is 0750 with files of 0640, root's, and readable by the folder's group.
Another owner is refused; a loose mode is repaired, and said.

Windows has neither owners nor modes that Python shows: there ``os.mkdir`` with 0o700 gives
the folder an ACL for its owner and the administrators alone (CPython since 3.12.4; documented
at ``os.mkdir``), files inherit it, and a user's own folders have such an ACL anyway.
That part was never run on Windows.
"""

from __future__ import annotations

import os
import re
from stat import S_IMODE, S_ISDIR, S_ISREG, S_ISVTX
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.errors.store import StoreUnusable
    from conda_token_plugin.gateways.files import Signature

ROOT = 0
_NOTE = r"(?a)[a-z]+\.jsonl?(\.\w+)?|exports"
SHARED_HINT = "The machine's store is for root to change: use sudo."


class Folder:
    """One folder and the rules for what is in it. Any method may raise StoreUnusable."""

    __slots__ = ("names", "path", "shared", "tell")

    def __init__(
        self,
        path: Path,
        *,
        tell: Callable[[str], None],
        shared: bool = False,
        names: frozenset[str] | None = None,
    ) -> None:
        """``tell`` takes lines for the user; ``shared`` says that it is the machine's.

        ``names`` is what we keep in it beside notes (``<word>.json`` and the like) and
        ``exports``: the mode of a folder with other things, or of one like /tmp,
        is none of our business. None: it is ours alone.
        """
        self.path = path
        self.tell = tell
        self.shared = shared
        self.names = names

    def signature(self, name: str) -> Signature | None:
        """What the file ``name`` looks like from outside; None where there is none for us."""
        with self._errors_of(name):
            try:
                return files.signature((self.path / name).lstat())
            except (FileNotFoundError, NotADirectoryError):  # nothing was stored yet
                return None
            except PermissionError:  # a shared store that is not for this user
                if not self.shared:
                    raise
                self._say_closed()
                return None

    def read(self, name: str, *, limit: int) -> tuple[bytes, Signature] | None:
        """The content of the file ``name`` and its signature; None where there is none for us.

        More than ``limit`` bytes are returned where there are more, and never all of many.
        """
        path = self.path / name
        with self._errors_of(name):
            try:
                descriptor = files.opened(path)
            except (FileNotFoundError, NotADirectoryError):  # nothing was stored yet
                return None
            except PermissionError:  # a shared store that is not for this user
                if not self.shared:
                    raise
                self._say_closed()
                return None
            try:
                status = os.fstat(descriptor)
                self._judge_file(path, status, descriptor=descriptor)
                signature = files.signature(status)
                return files.content(descriptor, size=status.st_size, limit=limit), signature
            finally:
                os.close(descriptor)

    def write(self, name: str, data: bytes, *, after: Signature | None = None) -> None:
        """Put ``data`` in place of the file ``name``: wholly, or what was there stands.

        ``after`` is the signature of what was there.
        """
        temporary = self.path / files.TEMPORARY
        with self._errors_of(name):
            files.fill(temporary, data, group=self._group())
            files.put(temporary, self.path / name, after=after)

    def sync(self) -> None:
        """Have the disk confirm what was put in place."""
        with self._errors_of():
            files.sync(self.path)

    def remove(self, name: str) -> None:
        """Delete the file ``name``, where it is there."""
        with self._errors_of(name):
            files.clear(self.path / name)

    def prove(self, size: int) -> None:
        """Write ``size`` bytes and delete them."""
        temporary = self.path / files.TEMPORARY
        with self._errors_of():
            files.fill(temporary, bytes(size))
            files.clear(temporary)

    def make(self) -> None:
        """Make the folder where it is missing, and judge it where it is not."""
        with self._errors_of():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.path.mkdir(self._mode)
            except FileExistsError:  # any time but the first
                self.inspect()
            else:
                self._open_to_group()
                files.sync(self.path.parent)

    def inspect(self) -> None:
        """See that the folder, where it is there, is ours and for us alone."""
        with self._errors_of():
            try:
                status = self.path.stat()
            except (FileNotFoundError, NotADirectoryError):  # nothing was stored yet
                return
            self._judge_folder(status)

    def _judge_folder(self, status: os.stat_result) -> None:
        if not S_ISDIR(status.st_mode):
            raise _unusable(self.path, reason="it is no folder")
        self._judge_owner(self.path, status)
        if not _loose(status, allowed=self._mode):
            return
        if status.st_mode & S_ISVTX or self._others():
            self.tell(
                f"{self.path} has the loose mode {_shown(status)}, which was left as it is, "
                "because it is not for tokens alone."
            )
        else:
            self._repair(self.path, status, at=self.path, mode=self._mode)

    def _judge_file(self, path: Path, status: os.stat_result, *, descriptor: int) -> None:
        if not S_ISREG(status.st_mode):
            raise _unusable(path, reason="it is no regular file")
        self._judge_owner(path, status)
        mode = 0o640 if self.shared else 0o600
        if _loose(status, allowed=mode):
            self._repair(path, status, at=descriptor, mode=mode)

    def _judge_owner(self, path: Path, status: os.stat_result) -> None:
        if files.WINDOWS or status.st_uid == os.geteuid():
            return
        if not (self.shared and status.st_uid == ROOT):
            raise _unusable(
                path,
                reason=f"it belongs to another user (uid {status.st_uid})",
                hint="Run this as that user, or choose another folder with CONDA_TOKEN_HOME.",
            )

    def _repair(self, path: Path, status: os.stat_result, *, at: Path | int, mode: int) -> None:
        try:
            os.chmod(at, mode)  # noqa: PTH101  # by descriptor, where there is one
        except OSError:  # a file system that is read-only, or root's file
            self.tell(f"{path} has the loose mode {_shown(status)}, which could not be repaired.")
        else:
            self.tell(f"The loose mode {_shown(status)} of {path} was set to {mode:04o}.")

    def _others(self) -> bool:
        """Whether things lie in the folder that are not ours."""
        names = self.names
        return names is not None and any(
            path.name not in names and not re.fullmatch(_NOTE, path.name)
            for path in self.path.iterdir()
        )

    def _say_closed(self) -> None:
        self.tell(f"{self.path} is not for you: it is for the group that owns it.")

    def _open_to_group(self) -> None:
        """Where the folder is the machine's, have it be for the group of the one above."""
        if self.shared and not files.WINDOWS:
            os.chown(self.path, -1, self.path.parent.stat().st_gid)
            self.path.chmod(self._mode)  # whatever the umask took away

    def _group(self) -> int | None:
        return self.path.stat().st_gid if self.shared and not files.WINDOWS else None

    @property
    def hint(self) -> str:
        """What to do about most errors; empty for the usual."""
        return SHARED_HINT if self.shared else ""

    def _errors_of(self, name: str = "") -> AbstractContextManager[None]:
        return files.errors_of(self.path / name, hint=self.hint)

    @property
    def _mode(self) -> int:
        return 0o750 if self.shared else 0o700


def _loose(status: os.stat_result, *, allowed: int) -> bool:
    """Whether the group or others may do more than ``allowed``."""
    return not files.WINDOWS and bool(S_IMODE(status.st_mode) & 0o077 & ~allowed)


def _shown(status: os.stat_result) -> str:
    return f"{S_IMODE(status.st_mode):04o}"


def _unusable(path: Path, *, reason: str, hint: str = "") -> StoreUnusable:
    from conda_token_plugin.errors.store import StoreUnusable

    return StoreUnusable(path, reason=reason, hint=hint)
