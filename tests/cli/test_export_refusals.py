"""Files that `export` must not change: the error names them, and they stay as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.cli.conftest import Shell

WINDOWS = sys.platform == "win32"
RATTLER = ".rattler/credentials.json"
MAMBA = ".mamba/auth/authentication.json"
FILES = {
    "rattler": (RATTLER, '{"prefix.dev": {"BearerToken": "x"}}'),
    "pixi": (RATTLER, '{"prefix.dev": {"BearerToken": "x"}}'),
    "mamba": (MAMBA, '{"h": {"type": "CondaToken", "token": "x"}}'),
    "micromamba": (MAMBA, '{"h": {"type": "CondaToken", "token": "x"}}'),
    "netrc": (".netrc", "machine a.example login b password c\n"),
    "dotenv": (".env", "A=1\n"),
}
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def basic(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that every one of the targets can hold."""
    monkeypatch.chdir(shell.home)
    token = Token(
        organization="acme",
        kind=TokenKind.SITE,
        scope=("https://files.example.com/conda",),
        scheme=AuthScheme.BASIC,
        username="me",
        last_four="cdef",
    )
    user_store(Settings()).add(token, Secret("0123456789abcdef"))


def as_link(path: Path) -> AbstractContextManager[None]:
    real = path.rename(path.with_name("dotfiles"))
    path.symlink_to(real)
    return nullcontext()


def as_folder(path: Path) -> AbstractContextManager[None]:
    path.unlink()
    path.mkdir()
    return nullcontext()


def as_foreign(path: Path) -> AbstractContextManager[None]:
    if WINDOWS or os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 54321, -1)
    return nullcontext()


@contextmanager
def as_locked(path: Path) -> Iterator[None]:
    if WINDOWS:
        pytest.skip("no such locks there")
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
        holder.communicate()


def as_damaged(path: Path) -> AbstractContextManager[None]:
    path.write_bytes(b"\xff\xfe{<<<<<<< HEAD")
    return nullcontext()


CASES: dict[Callable[[Path], AbstractContextManager[None]], str] = {
    as_link: "is a symbolic link to",
    as_folder: "is not a regular file",
    as_foreign: "belongs to another user",
    as_locked: "is locked by another process",
    as_damaged: "is damaged",
}


def looks(path: Path) -> tuple[object, ...]:
    """Everything that could change."""
    status = path.lstat()
    content = path.read_bytes() if path.is_file() else b""
    return status.st_ino, status.st_mode, status.st_uid, status.st_mtime_ns, content


@pytest.mark.parametrize("target", FILES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_unusable_file_is_refused_and_unchanged(
    shell: Shell, target: str, case: Callable[[Path], AbstractContextManager[None]]
) -> None:
    name, content = FILES[target]
    path = shell.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    with case(path):
        before, folder = looks(path), sorted(path.parent.iterdir())
        ran = shell("export", target, "--yes").failed(7, CASES[case], str(path))
        assert "0123456789abcdef" not in ran.out + ran.err
        assert looks(path) == before
        assert sorted(path.parent.iterdir()) == folder


@pytest.mark.parametrize("target", FILES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_remove_leaves_an_unusable_file_unchanged(
    shell: Shell, target: str, case: Callable[[Path], AbstractContextManager[None]]
) -> None:
    assert shell("export", target, "--yes").code == 0
    path = shell.home / FILES[target][0]
    with case(path):
        before = looks(path)
        ran = shell("export", target, "--remove")
        assert ran.code == 1, ran.err
        assert CASES[case] in ran.err
        assert ran.err.count("\n") == 1
        assert looks(path) == before


NEWER = {
    "rattler": '{"a.example": {"SomethingNew": "x"}}',
    "mamba": '{"a.example": {"type": "SomethingNew", "token": "x"}}',
    "rattler ": '{"version": 2, "hosts": {}}',
    "rattler  ": '{"a.example": {"CondaToken": "x", "extra": 1}}',
    "mamba ": '{"a.example": "x"}',
}


@pytest.mark.parametrize("case", NEWER)
def test_file_in_a_newer_format_is_refused_and_unchanged(shell: Shell, case: str) -> None:
    target = case.strip()
    path = shell.home / FILES[target][0]
    path.parent.mkdir(parents=True)
    path.write_text(NEWER[case])
    before = looks(path)
    shell("export", target, "--yes").failed(
        7, "of a kind that this version does not know", "Update"
    )
    assert looks(path) == before


@pytest.mark.parametrize("where", [".rattler", ".rattler/credentials.json"])
@pytest.mark.skipif(WINDOWS or os.geteuid() == 0, reason="root may do everything")
def test_read_only_file_is_reported(shell: Shell, where: str) -> None:
    path = shell.home / RATTLER
    path.parent.mkdir()
    path.write_text("{}")
    (shell.home / where).chmod(0o500 if where == ".rattler" else 0)
    ran = shell("export", "rattler")
    (shell.home / where).chmod(0o700)
    assert ran.code == 7
    assert path.read_text() == "{}"


@pytest.mark.skipif(WINDOWS, reason="no such limit there")
def test_full_disk_leaves_every_file_unchanged(shell: Shell) -> None:
    import resource
    import signal

    path = shell.home / RATTLER
    path.parent.mkdir()
    path.write_text('{"prefix.dev": {"BearerToken": "' + "x" * 4096 + '"}}')
    before = looks(path)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, limit[1]))
    try:
        ran = shell("export", "rattler")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert ran.code == 7
    assert "cannot be written" in ran.line
    assert looks(path) == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_netrc_export_refuses_a_user_or_password_that_netrc_cannot_represent(shell: Shell) -> None:
    token = user_store(Settings()).tokens()[0]
    user_store(Settings()).add(token, Secret('pass"word#0123456789'))
    shell("export", "netrc").failed(2, "in different ways")
    assert not (shell.home / ".netrc").exists()


def test_conda_export_refuses_a_token_file_that_is_a_link(shell: Shell, tmp_path: Path) -> None:
    token = user_store(Settings()).tokens()[0]._replace(scheme=AuthScheme.TOKEN, username="")
    user_store(Settings()).add(token, Secret("0123456789abcdef"))
    folder = shell.home / ".config" / "binstar"
    folder.mkdir(parents=True)
    real = tmp_path / "real"
    real.write_text("theirs")
    link = folder / "https%3A%2F%2Ffiles.example.com%2Fconda%2F.token"
    link.symlink_to(real)
    shell("export", "conda", "--yes").failed(7, "is a symbolic link")
    assert real.read_text() == "theirs"


def test_lock_file_that_is_a_link_is_not_followed(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("unchanged")
    lock = shell.home / ".rattler" / "credentials.lock"
    lock.parent.mkdir()
    lock.symlink_to(target)
    shell("export", "rattler").failed(
        7, f"{lock} is a symbolic link and was not changed. Delete it."
    )
    assert target.read_text() == "unchanged"


@pytest.mark.parametrize("target", ["rattler", "netrc", "dotenv", "github-actions"])
def test_two_tokens_of_one_organization_are_refused_by_a_target_for_one(
    shell: Shell, target: str
) -> None:
    second_of_acme()
    job = shell.home / "job"
    job.touch()
    shell.set("GITHUB_ENV", str(job))
    before = shell.files()
    shell("export", "mamba", target, "--org", "acme", "--yes").failed(
        2, "both need it. Nothing was changed. Store one of them under another name"
    )
    assert {path: data for path, data in shell.files().items() if "exports" not in path} == before


def test_two_tokens_of_one_organization_are_written_to_a_target_for_several(shell: Shell) -> None:
    second_of_acme()
    assert shell("export", "mamba", "--yes").code == 0
    held = json.loads((shell.home / MAMBA).read_text())
    assert set(held) == {"files.example.com/conda", "files.example.com/more"}


def second_of_acme() -> None:
    (first,) = user_store(Settings()).tokens()
    second = first._replace(scope=("https://files.example.com/more",))
    user_store(Settings()).add(second, Secret("fedcba9876543210"))


def test_dotenv_export_refuses_a_value_that_dotenv_cannot_represent(shell: Shell) -> None:
    token = user_store(Settings()).tokens()[0]
    user_store(Settings()).add(token, Secret("quo'te-0123456789"))
    assert shell("export", "dotenv").code == 2
    assert not (shell.home / ".env").exists()


def test_exported_entry_that_another_program_reformatted_is_removed(shell: Shell) -> None:
    shell("export", "netrc")
    path = shell.home / ".netrc"
    path.write_text(
        path.read_text().replace("\n  ", " ") + "machine b.example login me password p\n"
    )
    assert shell("export", "netrc", "--remove").code == 0
    assert path.read_text() == "machine b.example login me password p\n"
