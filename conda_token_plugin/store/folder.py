"""A folder of a store: who may own its files, who may read them, and what is repaired.

The user's folder has mode 0700 and files of mode 0600, all owned by the user. The machine's
folder has mode 0750 and files of mode 0640, owned by root and readable by the folder's group.
Files of other owners are refused. A mode that permits more is repaired, and the user is told.

Python shows neither owners nor modes on Windows. There ``os.mkdir`` with mode 0o700 makes a folder
with an ACL for its owner and the administrators (CPython since 3.12.4, documentation of
``os.mkdir``), and files inherit it: also the machine's folder, until an administrator changes its
ACL. This part was never run on Windows.
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
    from typing import TypeVar

    from conda_token_plugin.errors.store import StoreUnusable
    from conda_token_plugin.gateways.files import Signature

    Result = TypeVar("Result")

ROOT = 0
_NOTE = r"(?a)[a-z]+\.json(\.\w+)?|exports"
SHARED_HINT = "The machine's store can be changed only by root: use sudo."
Identity = tuple[int, int]
"""Device and inode of a folder."""


class Folder:
    """One folder. Any method may raise StoreUnusable."""

    def __init__(
        self,
        path: Path,
        *,
        notice: Callable[[str], None],
        shared: bool = False,
        names: frozenset[str] | None = None,
    ) -> None:
        """Take the path, which need not exist. No I/O.

        Args:
            path: The folder.
            notice: Takes messages for the user.
            shared: Whether it is the machine's.
            names: The files of the plugin in it, beside ``<word>.json`` and ``exports``. The mode
                of a folder that contains others, or that is sticky as /tmp is, is not repaired.
                None if the folder contains nothing else.
        """
        self.path = path
        self.notice = notice
        self.shared = shared
        self.names = names
        self.hint = SHARED_HINT if shared else ""
        """The hint for most errors; empty for the default one."""
        self._has_group = shared and not files.WINDOWS
        # On Windows any mode but 0o700 makes a folder that has the ACL of its parent: every user
        # can read below C:/ProgramData.
        self._mode = 0o750 if self._has_group else 0o700

    def signature(self, name: str) -> Signature | None:
        """Return the signature of the file ``name``, or None if there is none to read."""
        return self._or_none(name, lambda path: files.signature(path.lstat()))

    def read(self, name: str, *, limit: int) -> tuple[bytes, Signature] | None:
        """Return the content of the file ``name`` and its signature, or None as ``signature``.

        Of a file with more than ``limit`` bytes, ``limit`` + 1 or a few more are returned.
        """

        def read(path: Path) -> tuple[bytes, Signature]:
            descriptor = files.opened(path)
            try:
                status = os.fstat(descriptor)
                self._check_file(path, status, descriptor=descriptor)
                signature = files.signature(status)
                return files.content(descriptor, size=status.st_size, limit=limit), signature
            finally:
                os.close(descriptor)

        return self._or_none(name, read)

    def _or_none(self, name: str, read: Callable[[Path], Result]) -> Result | None:
        with self._errors_of(name):
            try:
                return read(self.path / name)
            except (FileNotFoundError, NotADirectoryError):  # nothing was stored yet
                return None
            except PermissionError:
                if not self.shared:
                    raise
        return None  # the user is not in the group of the shared store; `closed_to` names it

    def write(self, name: str, data: bytes, *, after: Signature | None = None) -> None:
        """Replace the file ``name`` in one step; after an error the old file is unchanged.

        ``after`` is the signature of the old file.
        """
        temporary = self.path / files.TEMPORARY
        with self._errors_of(name):
            group = self.path.stat().st_gid if self._has_group else None
            files.fill(temporary, data, group=group)
            files.put(temporary, self.path / name, after=after)

    def sync(self) -> None:
        """Wait until the disk confirms which files the folder has."""
        with self._errors_of():
            files.sync(self.path)

    def remove(self, name: str) -> None:
        """Delete the file ``name`` if it exists."""
        with self._errors_of(name):
            files.clear(self.path / name)

    def check_writable(self, size: int) -> None:
        """Write ``size`` bytes and delete them."""
        temporary = self.path / files.TEMPORARY
        with self._errors_of():
            files.fill(temporary, bytes(size))
            files.clear(temporary)

    def make(self) -> None:
        """Make the folder if it is missing; otherwise check it.

        The machine's folder belongs to the group of its parent.
        """
        with self._errors_of():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.path.mkdir(self._mode)
            except FileExistsError:  # any time but the first
                self.inspect()
            else:
                if self._has_group:
                    os.chown(self.path, -1, self.path.parent.stat().st_gid)
                    self.path.chmod(self._mode)  # the umask has removed permissions
                files.sync(self.path.parent)

    def inspect(self) -> None:
        """Check the owner and the mode of the folder if it exists."""
        with self._errors_of():
            try:
                status = self.path.stat()
            except (FileNotFoundError, NotADirectoryError):
                if self.path.is_symlink():  # such as to a disk that is not mounted
                    raise _unusable(self.path, reason="it is a broken symbolic link") from None
                return  # nothing was stored yet
            if not S_ISDIR(status.st_mode):
                raise _unusable(self.path, reason="it is not a folder")
            self._check_owner(self.path, status)
            if _is_too_permissive(status, allowed=self._mode):
                self._repair_folder(status)

    def share(self, group: int) -> None:
        """Give all files in the folder to ``group``."""
        with self._errors_of():
            for path in (self.path, *self.path.rglob("*")):
                os.chown(path, -1, group, follow_symlinks=False)

    def identity(self) -> Identity:
        """Return what tells this folder from one that has replaced it."""
        with self._errors_of():
            status = self.path.stat()
        return status.st_dev, status.st_ino

    def require(self, identity: Identity) -> None:
        """Check that the folder was not replaced since ``identity`` was returned."""
        if self.identity() != identity:
            raise _unusable(
                self.path,
                reason="it was replaced by another folder",
                hint="Run this again.",
            )

    def _repair_folder(self, status: os.stat_result) -> None:
        names = self.names
        has_others = names is not None and any(
            path.name not in names and not re.fullmatch(_NOTE, path.name)
            for path in self.path.iterdir()
        )
        if status.st_mode & S_ISVTX or has_others:
            self.notice(
                f"{self.path} has mode {S_IMODE(status.st_mode):04o}, so that other users can read "
                "it. It was not changed, because the folder contains other files."
            )
        else:
            self._repair(self.path, status, at=self.path, mode=self._mode)

    def _check_file(self, path: Path, status: os.stat_result, *, descriptor: int) -> None:
        if not S_ISREG(status.st_mode):
            raise _unusable(path, reason="it is not a regular file")
        self._check_owner(path, status)
        mode = 0o640 if self.shared else 0o600
        if _is_too_permissive(status, allowed=mode):
            self._repair(path, status, at=descriptor, mode=mode)

    def _check_owner(self, path: Path, status: os.stat_result) -> None:
        if files.WINDOWS or status.st_uid == os.geteuid():
            return
        if not (self.shared and status.st_uid == ROOT):
            raise _unusable(
                path,
                reason=f"it belongs to another user (uid {status.st_uid})",
                hint="Run this as that user, or choose another folder with CONDA_TOKEN_HOME.",
            )

    def _repair(self, path: Path, status: os.stat_result, *, at: Path | int, mode: int) -> None:
        before = f"{S_IMODE(status.st_mode):04o}"
        try:
            os.chmod(at, mode)  # noqa: PTH101  # by descriptor, where there is one
        except OSError:  # a file system that is read-only, or root's file
            self.notice(f"The mode {before} of {path} could not be changed to {mode:04o}.")
        else:
            self.notice(f"The mode of {path} was changed from {before} to {mode:04o}.")

    def closed_to(self) -> str | None:
        """Return the group that may read the machine's folder if the user may not, or None."""
        if not self.shared:
            return None
        try:
            number = self.path.stat().st_gid
        except OSError:  # nothing was stored yet, or the folder above it cannot be read either
            return None
        return None if os.access(self.path, os.R_OK | os.X_OK) else files.group_name(number)

    def _errors_of(self, name: str = "") -> AbstractContextManager[None]:
        return files.errors_of(self.path / name, hint=self.hint)


def _is_too_permissive(status: os.stat_result, *, allowed: int) -> bool:
    """Return whether the group or others may do more than ``allowed``."""
    return not files.WINDOWS and bool(S_IMODE(status.st_mode) & 0o077 & ~allowed)


def _unusable(path: Path, *, reason: str, hint: str = "") -> StoreUnusable:
    from conda_token_plugin.errors.store import StoreUnusable

    return StoreUnusable(path, reason=reason, hint=hint)
