"""Files of other tools: a file that must not be replaced is reported and left unchanged."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import foreign_files, locks

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = sys.platform == "win32"
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
getattr(fcntl, sys.argv[2])(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    found = tmp_path / "folder"
    found.mkdir()
    return found


@pytest.fixture
def path(folder: Path) -> Path:
    found = folder / "credentials.json"
    found.write_bytes(b'{"a": 1}')
    return found


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def fault_of(path: Path) -> str:
    """Return the error about ``path``, after checking that the file is unchanged."""
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigurationError) as caught:
        foreign_files.read_owned(path)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.hint
    return str(caught.value)


def test_symbolic_link_is_refused_and_its_target_is_named(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    assert f"is a symbolic link to {path}" in fault_of(link)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    assert "symbolic link" in fault_of(dangling)


@pytest.mark.skipif(WINDOWS, reason="files have no such owner there")
@pytest.mark.skipif(not WINDOWS and os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused(path: Path) -> None:
    os.chown(path, 54321, -1)
    assert "belongs to another user" in fault_of(path)


@pytest.mark.skipif(WINDOWS, reason="no such locks there")
@pytest.mark.parametrize("kind", ["flock", "lockf"])
def test_file_locked_by_another_process_is_refused(path: Path, kind: str) -> None:
    command = [sys.executable, "-c", HOLD, str(path), kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert "is locked by another process" in fault_of(path)
        holder.communicate()
    assert foreign_files.read_owned(path) == b'{"a": 1}'


@pytest.mark.skipif(WINDOWS, reason="no such locks there")
def test_lock_file_of_another_tool_is_waited_for_within_a_limit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "CLIENT_WAIT", 0.05)
    lock = path.with_suffix(".lock")
    lock.touch()
    command = [sys.executable, "-c", HOLD, str(lock), "flock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ConfigurationError, match="locked"), locks.client_locked(lock):
            pytest.fail("it was held")
        holder.communicate()
    with locks.client_locked(lock):
        pass


def test_lock_file_is_not_created_if_the_tool_has_none(path: Path) -> None:
    with locks.client_locked(path.with_suffix(".lock")):
        assert names_in(path.parent) == [path.name]


@pytest.mark.skipif(WINDOWS, reason="no such files there")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_special_file_is_refused_without_waiting(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "thing")
    assert "is not a regular file" in fault_of(tmp_path / "thing")


@pytest.mark.skipif(WINDOWS or os.geteuid() == 0, reason="root may read everything")
def test_file_without_read_permission_is_reported(path: Path) -> None:
    path.chmod(0)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        foreign_files.read_owned(path)


def test_file_that_is_too_large_is_refused(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(foreign_files.LARGEST + 1)
    with pytest.raises(ConfigurationError, match="too large"):
        foreign_files.read_owned(path)


def test_missing_file_has_no_content(tmp_path: Path) -> None:
    assert foreign_files.read_owned(tmp_path / "a" / "b") is None
    (tmp_path / "file").touch()
    assert foreign_files.read_owned(tmp_path / "file" / "b") is None


def test_file_that_changed_meanwhile_is_not_overwritten(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="changed by another process"):
        foreign_files.replace(path, after=b"ours", before=b"what we read")
    with pytest.raises(ConfigurationError, match="changed by another process"):
        foreign_files.remove(path, before=None, created="")
    assert path.read_bytes() == b'{"a": 1}'


@pytest.mark.skipif(WINDOWS, reason="no such limit there")
def test_full_disk_leaves_the_file_unchanged_and_no_temporary_file(path: Path) -> None:
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        with pytest.raises(ConfigurationError, match="cannot be written: File too large"):
            foreign_files.replace(path, after=b"longer than that", before=b'{"a": 1}')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == b'{"a": 1}'
    assert names_in(path.parent) == [path.name]


def test_file_in_the_place_of_a_folder_is_reported(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        foreign_files.replace(path / "inside", after=b"x", before=None)


def test_written_file_is_readable_by_the_user_only(folder: Path) -> None:
    path = folder / "new" / "folder" / "file"
    foreign_files.replace(path, after=b"x", before=None)
    assert path.read_bytes() == b"x"
    if not WINDOWS:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_remove_deletes_only_folders_that_were_created(folder: Path) -> None:
    path = folder / "new" / "folder" / "file"
    created = foreign_files.topmost_missing(path)
    assert created == str(folder / "new")
    foreign_files.replace(path, after=b"x", before=None)
    assert foreign_files.topmost_missing(path) == ""
    foreign_files.remove(path, before=b"x", created=created)
    assert names_in(folder) == []


def test_remove_keeps_a_folder_that_existed_before(folder: Path) -> None:
    path = folder / "file"
    created = foreign_files.topmost_missing(path)
    foreign_files.replace(path, after=b"x", before=None)
    foreign_files.remove(path, before=b"x", created=created)
    assert folder.is_dir()


def test_remove_keeps_a_created_folder_that_contains_another_file(folder: Path) -> None:
    path = folder / "new" / "file"
    created = foreign_files.topmost_missing(path)
    foreign_files.replace(path, after=b"x", before=None)
    (folder / "new" / "other").touch()
    foreign_files.remove(path, before=b"x", created=created)
    assert names_in(folder / "new") == ["other"]


def test_matching_files_of_an_unreadable_folder_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(self: Path, pattern: str) -> None:
        raise PermissionError(13, "Permission denied", str(self / pattern))

    (tmp_path / "b.txt").touch()
    (tmp_path / "a.txt").touch()
    assert foreign_files.matching(tmp_path, "*.txt") == [tmp_path / "a.txt", tmp_path / "b.txt"]
    monkeypatch.setattr(type(tmp_path), "glob", forbidden)
    assert foreign_files.matching(tmp_path, "*") == []
