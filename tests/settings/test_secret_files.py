"""Secrets in files: encodings, pipes that hang, special files, and threads that share a value."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.settings import NO_HOME, Settings, secret_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUE = "q9Zx7Lk2mN4pR8sT1vW5yB3cD6fG0hJ"
no_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the files of other tests, and wait less for pipes."""
    monkeypatch.setattr(secret_files, "_CACHE", {})
    monkeypatch.setattr(secret_files, "WAIT", 2.0)


def value_in(path: Path | str) -> str:
    found = Settings({"A_FILE": str(path)}).secret("A")
    assert found is not None
    assert str(path) in found[0]
    return found[1].reveal()


@pytest.mark.parametrize(
    "data",
    [
        VALUE.encode(),
        f"{VALUE}  \n".encode(),
        f"{VALUE}\r\n".encode(),
        f"\ufeff{VALUE}\r\n".encode(),
        f"{VALUE}\r\n".encode("utf-16"),
        b"\xfe\xff" + f"{VALUE}\n".encode("utf-16-be"),
        f"\n\n {VALUE}\n\n".encode(),
    ],
)
def test_secret_is_read_from_a_file_of_any_editor(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key").write_bytes(data)
    assert value_in(tmp_path / "key") == VALUE


def test_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(VALUE)
    assert value_in(path) == VALUE
    path.write_text(f"{VALUE}x")
    assert value_in(path) == f"{VALUE}x"


@no_windows
def test_fifo_without_a_writer_is_given_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_files, "WAIT", 0.2)
    os.mkfifo(tmp_path / "fifo")
    for _ in range(2):
        with pytest.raises(StoreUnusable, match=r"a pipe without complete content within 0\.2"):
            value_in(tmp_path / "fifo")
        monkeypatch.setattr(secret_files, "_from_pipe", lambda _: pytest.fail("read twice"))


@no_windows
def test_fifo_whose_writer_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_files, "WAIT", 0.2)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, VALUE.encode())
    with pytest.raises(StoreUnusable, match="a pipe"):
        value_in(path)
    os.close(writer)


@no_windows
def test_fifo_that_is_written_late_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    thread = threading.Thread(target=lambda: path.write_text(VALUE))
    thread.start()
    assert value_in(path) == VALUE
    thread.join()


@no_windows
@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no /dev/fd here")  # noqa: PTH112  # at import
def test_process_substitution_is_read_once_for_all_threads() -> None:
    reader, writer = os.pipe()
    os.write(writer, VALUE.encode())
    os.close(writer)
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(value_in, [f"/dev/fd/{reader}"] * 16))
    assert values == [VALUE] * 16
    os.close(reader)


@no_windows
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/", "/dev/tty"])
def test_special_file_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(TokenPluginError) as caught:
        value_in(path)
    assert "\n" not in str(caught.value)


@no_windows
def test_pipe_that_delivers_too_much_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)  # has no end while it is open
    data = b"x" * (secret_files.MAX_SIZE + 1)
    thread = threading.Thread(target=os.write, args=(writer, data), daemon=True)
    thread.start()
    with pytest.raises(MalformedToken, match=f"{len(data)} characters; at most"):
        value_in(path)
    thread.join()
    os.close(writer)


MEGABYTE = "x" * 1_000_000


@pytest.mark.parametrize(
    "name",
    [
        "CONDA_TOKEN_STORE",
        "CONDA_TOKEN_HOME",
        "CONDA_TOKEN_CONDARC",
        "CONDA_TOKEN_SYSTEM_HOME",
        "CONDA_TOKEN_SITE",
        "ANACONDA_DEFAULT_SITE",
        "ANACONDA_AUTH_API_KEY",
        "ANACONDA_AUTH_API_KEY_FILE",
        "ANACONDA_REPO_TOKEN",
    ],
)
@pytest.mark.parametrize("value", [MEGABYTE, "a\0b", "~nosuchuser/x", "Keyring"])
def test_variable_in_a_bad_state_raises_our_errors_only_and_one_short_line(
    name: str, value: str
) -> None:
    settings = Settings({name: value})
    uses: list[Callable[[], object]] = [
        lambda: settings.store_choice,
        lambda: settings.store_folder,
        lambda: settings.condarc,
        lambda: settings.machine_folder,
        lambda: settings.site,
        settings.api_key,
        lambda: settings.repository_token("ANACONDA_REPO_TOKEN"),
    ]
    lines = [line_of(use) for use in uses]
    assert all(len(line) < 400 for line in lines)


def line_of(use: Callable[[], object]) -> str:
    try:
        use()
    except TokenPluginError as error:
        return str(error)
    return ""


@no_windows
def test_user_without_a_home_folder_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    settings = Settings({})
    assert settings.home == NO_HOME
    assert not any(path.exists() for path in (settings.store_folder, settings.condarc, NO_HOME))
    with pytest.raises(TokenPluginError, match="Set HOME"):
        settings.refuse_missing_home()
    with pytest.raises(TokenPluginError, match="Set HOME"):
        _ = Settings({"CONDA_TOKEN_HOME": "~/x"}).store_folder


@no_windows
@pytest.mark.parametrize(("home", "said"), [("", "HOME is empty"), ("a/b", "not an absolute path")])
def test_home_that_is_not_an_absolute_path_is_refused(
    monkeypatch: pytest.MonkeyPatch, home: str, said: str
) -> None:
    monkeypatch.setenv("HOME", home)
    settings = Settings({})
    for name in ("home", "store_folder", "condarc"):
        with pytest.raises(TokenPluginError, match=said):
            getattr(settings, name)


def test_drop_in_may_be_in_another_place(tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    assert Settings({"CONDA_TOKEN_CONDARC": str(path)}).condarc == path


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("CONDA_TOKEN_HOME", "store_folder"),
        ("CONDA_TOKEN_CONDARC", "condarc"),
        ("CONDA_TOKEN_SYSTEM_HOME", "machine_folder"),
        ("CONDA_TOKEN_SYSTEM_CONDARC", "machine_condarc"),
    ],
)
@pytest.mark.parametrize("path", ["x", "./x", "../x/y.yml"])
def test_path_that_depends_on_the_working_folder_is_refused(
    variable: str, name: str, path: str
) -> None:
    with pytest.raises(TokenPluginError, match=f"{variable} is .*not an absolute path"):
        getattr(Settings({variable: path}), name)
