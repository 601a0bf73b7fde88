"""What differs on Windows and macOS, with the facts of the platform given by the test.

A real Windows or macOS never ran these tests when they were written. They show which branch is
taken, and that nothing is called which the platform does not have.
"""

from __future__ import annotations

import ast
import errno
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime, timezone
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from conda_token_plugin.cli import login_flow
from conda_token_plugin.cli.commands import run
from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.gateways import command, files, foreign_files, keyring, locks, state_file
from conda_token_plugin.integrations import github_actions, rattler
from conda_token_plugin.integrations.conda import condarcs, dropin
from conda_token_plugin.integrations.target import Grant
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.settings import Settings, paths
from conda_token_plugin.store import folder as folder_module
from conda_token_plugin.store import keyring_probe
from conda_token_plugin.store.folder import Folder
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

POSIX_ONLY = ("fcntl", "grp", "pwd", "pty", "termios", "tty", "resource", "readline", "syslog")
POSIX_CALLS = ("chown", "fchmod", "fchown", "geteuid", "getuid", "killpg", "O_NOFOLLOW")
"""Names of `os` that Windows does not have."""
IMPORT_ALL = f"""
import sys
for name in {POSIX_ONLY!r}:
    sys.modules[name] = None
from importlib import import_module
from pkgutil import walk_packages
import conda_token_plugin
for found in walk_packages(conda_token_plugin.__path__, "conda_token_plugin."):
    # The modules for conda import it, and the demonstration of py-rattler imports that.
    if not found.name.endswith(("__main__", ".handler", ".fallback", ".plugin", ".doctor",
                                ".session", ".rattler_client", ".path_adapter", ".responses")):
        import_module(found.name)
"""
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
THREE = ("linux", "darwin", "win32")


def copy_for(module: Any, *, platform: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a copy of a module, as it is when it is imported on another platform."""
    spec = spec_from_file_location(f"{module.__name__}_for_{platform}", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    copy = module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", platform)
        patch.setitem(sys.modules, spec.name, copy)
        spec.loader.exec_module(copy)
    return copy


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the platform facts of Windows, without the calls that it does not have."""
    monkeypatch.setattr(files, "WINDOWS", True)
    monkeypatch.setattr(locks, "WINDOWS", True)
    monkeypatch.setattr(paths, "WINDOWS", True)
    for name in POSIX_CALLS:
        monkeypatch.delattr(os, name, raising=False)


# -- modules ---------------------------------------------------------------------------------------


def test_every_module_can_be_imported_without_the_modules_of_posix() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# -- paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Unix, ".local/share/conda-token-plugin"),
        (MacOS, "Library/Application Support/conda-token-plugin"),
        (Windows, "AppData/Local/conda-token-plugin"),
    ],
)
def test_folder_of_the_store_is_the_one_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, empty_home: Path, kind: type, expected: str
) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", kind)
    known = {"CSIDL_LOCAL_APPDATA": "Local", "CSIDL_APPDATA": "Roaming"}
    appdata = empty_home / "AppData"
    monkeypatch.setattr(
        "platformdirs.windows.get_win_folder", lambda name: str(appdata / known[name])
    )
    assert Settings().store_folder == empty_home / expected


def test_documentation_names_the_folder_of_the_store_on_each_platform() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference" / "settings.md").read_text("utf-8")
    for place in (
        "~/.local/share/conda-token-plugin",
        "~/Library/Application Support/conda-token-plugin",
        r"%LOCALAPPDATA%\conda-token-plugin",
    ):
        assert f"`{place}`" in page


def test_store_of_the_machine_is_below_programdata_on_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings({}).machine_folder == Path("/etc/conda-token-plugin")
    monkeypatch.setattr(paths, "WINDOWS", True)
    assert Settings({"PROGRAMDATA": "/d"}).machine_folder == Path("/d/conda-token-plugin")
    assert str(Settings({}).machine_folder).startswith("C:\\ProgramData")


def test_dropin_of_the_machine_is_where_conda_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = "condarc.d/conda-token-plugin.yml"
    assert Settings({}).machine_condarc == Path("/etc/conda") / file
    monkeypatch.setattr(paths, "WINDOWS", True)
    assert Settings({}).machine_condarc == Path("C:/ProgramData/conda") / file


@pytest.mark.parametrize("platform", THREE)
def test_condarc_files_of_the_machine_are_searched_where_conda_has_them(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    found = {folder.as_posix() for folder in condarcs._folders(Settings({"HOME": "/h"}))}
    on_windows = platform == "win32"
    assert ("C:/ProgramData/conda" in found) is on_windows
    assert ("/etc/conda" in found) is not on_windows
    assert ("/var/lib/conda" in found) is not on_windows


# -- files -----------------------------------------------------------------------------------------


def busy(monkeypatch: pytest.MonkeyPatch, *, times: int) -> list[float]:
    """Let `os.replace` fail as for a file that a reader has open; return the pauses made."""
    pauses: list[float] = []
    replace = os.replace

    def replaced(old: Path, new: Path) -> None:
        if len(pauses) < times:
            raise PermissionError(errno.EACCES, "in use by another process")
        replace(old, new)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


@pytest.mark.usefixtures("windows")
def test_replacing_a_file_that_a_reader_has_open_is_repeated_on_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "new").write_bytes(b"new")
    pauses = busy(monkeypatch, times=3)
    files.put(tmp_path / "new", tmp_path / "file", after=None)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert pauses == [files._REPLACE_PAUSE] * 3


@pytest.mark.usefixtures("windows")
def test_replacing_a_file_that_stays_open_fails_after_a_limit_on_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "file").write_bytes(b"old")
    pauses = busy(monkeypatch, times=files._REPLACE_TRIES + 1)
    with pytest.raises(PermissionError):
        files.put(tmp_path / "new", tmp_path / "file", after=None)
    assert len(pauses) == files._REPLACE_TRIES
    assert (tmp_path / "file").read_bytes() == b"old"
    assert not (tmp_path / "new").exists()


def test_replacing_a_file_without_permission_fails_at_once_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "new").write_bytes(b"new")
    pauses = busy(monkeypatch, times=1)
    with pytest.raises(PermissionError):
        files.put(tmp_path / "new", tmp_path / "file", after=None)
    assert pauses == []


def test_folder_is_not_flushed_on_windows_because_it_cannot_be_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[object] = []
    real = os.open

    def recorded(path: Any, *rest: Any) -> int:
        opened.append(path)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", recorded)
    files.sync(tmp_path)
    assert opened == [tmp_path]
    monkeypatch.setattr(files, "WINDOWS", True)
    files.sync(tmp_path)
    assert opened == [tmp_path]


def test_files_are_opened_for_bytes_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    binary, no_inherit = 0x8000, 0x0080
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "O_NOINHERIT", no_inherit, raising=False)
    copy = copy_for(files, platform="win32", monkeypatch=monkeypatch)
    assert copy._FOR_READING & binary
    assert copy._FOR_WRITING & binary


@pytest.mark.usefixtures("windows")
def test_store_is_written_and_read_without_calls_that_windows_lacks(tmp_path: Path) -> None:
    told: list[str] = []
    for shared in (False, True):
        store = Folder(tmp_path / f"store{shared}", notice=told.append, shared=shared)
        store.make()
        store.write("index.json", b"{}\r\n")
        found = store.read("index.json", limit=100)
        assert found is not None
        assert found[0] == b"{}\r\n"
        store.remove("index.json")
    assert told == []


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.usefixtures("windows")
def test_new_folder_has_an_acl_of_its_own_on_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, shared: bool
) -> None:
    made: list[int] = []
    mkdir = Path.mkdir

    def recorded(path: Path, mode: int = 0o777, **rest: bool) -> None:
        if path.name == "store":
            made.append(mode)
        mkdir(path, mode, **rest)

    monkeypatch.setattr(Path, "mkdir", recorded)
    Folder(tmp_path / "store", notice=pytest.fail, shared=shared).make()
    assert made == [0o700], "CPython sets an ACL for this mode only"


def test_folder_of_the_machine_is_open_to_its_group_elsewhere(tmp_path: Path) -> None:
    Folder(tmp_path / "store", notice=pytest.fail, shared=True).make()
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o750


OTHERS_FILE = SimpleNamespace(st_mode=0o100666, st_uid=-1)
"""The status of a file as Windows reports it: no owner, and open to all."""


@pytest.mark.parametrize(
    "is_accepted",
    [
        lambda: state_file._is_own(OTHERS_FILE),  # type: ignore[arg-type]  # two fields are read
        lambda: not folder_module._is_too_permissive(OTHERS_FILE, allowed=0o600),  # type: ignore[arg-type]  # as above
        lambda: _is_allowed(foreign_files._check, Path("file"), OTHERS_FILE),
    ],
    ids=["state file", "mode of the store", "file of another tool"],
)
def test_owner_and_mode_of_a_file_are_not_judged_on_windows(
    monkeypatch: pytest.MonkeyPatch, is_accepted: Callable[[], bool]
) -> None:
    assert not is_accepted()
    monkeypatch.setattr(files, "WINDOWS", True)
    monkeypatch.delattr(os, "geteuid", raising=False)
    assert is_accepted()


def _is_allowed(check: Callable[..., None], *arguments: object) -> bool:
    try:
        check(*arguments)
    except ConfigurationError:
        return False
    return True


def test_group_is_refused_on_windows_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grp", None)
    with pytest.raises(BadInput, match="not available on Windows") as caught:
        files.group_number("users")
    assert "ACL" in caught.value.hint


# -- locks -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("windows")
def test_lock_of_another_tool_is_not_tested_on_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    locks.refuse_locked(tmp_path, -1)


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_entry_of_the_journal_is_locked_except_on_windows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str
) -> None:
    calls: list[object] = []
    fcntl = SimpleNamespace(LOCK_EX=1, LOCK_NB=2, flock=lambda *call: calls.append(call))
    monkeypatch.setitem(sys.modules, "fcntl", fcntl)
    with (tmp_path / "entry").open("w") as file:
        monkeypatch.setattr(sys, "platform", platform)
        assert issue_journal._lock(file) is True
        monkeypatch.undo()
    assert bool(calls) is (platform == "linux")


@pytest.fixture
def no_open_file_can_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to delete a file that `Path.open` has opened until it is closed, as Windows does."""
    opened: dict[Path, Any] = {}
    open_, unlink = Path.open, Path.unlink

    def recorded(path: Path, *arguments: Any, **options: Any) -> Any:
        opened[path] = open_(path, *arguments, **options)
        return opened[path]

    def refused(path: Path, *, missing_ok: bool = False) -> None:
        if path in opened and not opened[path].closed:
            raise PermissionError(errno.EACCES, "in use by another process")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "open", recorded)
    monkeypatch.setattr(Path, "unlink", refused)


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.usefixtures("no_open_file_can_be_deleted")
def test_entry_of_the_journal_is_removed_although_windows_deletes_no_open_file(
    tmp_path: Path, *, is_refused: bool
) -> None:
    with suppress(BadInput), issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        assert list(tmp_path.glob("issuing-*"))
        if is_refused:
            raise BadInput("refused")
    assert list(tmp_path.glob("issuing-*")) == []


# -- keyrings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "module", "name"),
    [
        ("darwin", "macOS", "Keyring"),
        ("win32", "Windows", "WinVaultKeyring"),
        ("linux", "SecretService", "Keyring"),
    ],
)
def test_native_keyring_is_a_backend_that_keyring_has(
    monkeypatch: pytest.MonkeyPatch, platform: str, module: str, name: str
) -> None:
    copy = copy_for(keyring, platform=platform, monkeypatch=monkeypatch)
    expected = f"keyring.backends.{module}.{name}"
    assert expected == copy.NATIVE
    assert expected in keyring_probe.SYSTEM, "the probe accepts it"
    spec = find_spec("keyring.backends")
    assert spec is not None
    folder = Path((spec.submodule_search_locations or [""])[0])
    # Only the platform itself can import the module.
    source = folder / f"{module}.py"
    source = source if source.exists() else folder / module / "__init__.py"
    nodes = ast.walk(ast.parse(source.read_text("utf-8")))
    assert name in {node.name for node in nodes if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("platform", THREE)
def test_rattler_gets_its_file_on_windows_because_its_entries_have_other_names_there(
    monkeypatch: pytest.MonkeyPatch, empty_home: Path, platform: str
) -> None:
    copy = copy_for(rattler, platform=platform, monkeypatch=monkeypatch)
    place = copy.Rattler().place(Settings(), keyring=True)
    file = empty_home / ".rattler" / "credentials.json"
    assert place.name == (str(file) if platform == "win32" else "keyring:rattler")


@pytest.mark.parametrize("platform", THREE)
def test_keyring_entry_of_rattler_is_imported_except_on_windows(
    monkeypatch: pytest.MonkeyPatch, empty_home: Path, platform: str
) -> None:
    (empty_home / ".rattler").mkdir()
    copy = copy_for(rattler, platform=platform, monkeypatch=monkeypatch)
    asked: list[str] = []
    monkeypatch.setattr(copy.KeyringService, "held", lambda _, key: asked.append(key))
    assert list(copy.read(Settings())) == []
    assert asked == ([] if platform == "win32" else ["repo.anaconda.cloud"])


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_command_is_ended_with_the_calls_of_the_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    ended: list[str] = []
    child = SimpleNamespace(pid=1, kill=lambda: ended.append("kill"), wait=lambda _: None)
    monkeypatch.setattr(os, "killpg", lambda *_: ended.append("killpg"))
    monkeypatch.setattr(command, "WINDOWS", platform == "win32")
    command._end(child)  # type: ignore[arg-type]  # what is called of it
    assert ended == ["kill" if platform == "win32" else "killpg"]


# -- child processes -------------------------------------------------------------------------------


def test_command_is_run_although_windows_lacks_two_of_the_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SIGHUP", "SIGQUIT"):
        monkeypatch.delattr(signal, name)
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    assert run._ran(command, variables=os.environ) == 7


# -- terminal --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "platform", "variables", "expected"),
    [
        ("posix", "linux", {}, False),
        ("posix", "linux", {"DISPLAY": ":0"}, True),
        ("posix", "darwin", {}, True),
        ("nt", "win32", {"BROWSER": "x"}, False),
    ],
)
def test_enter_opens_the_browser_where_keys_can_be_watched_and_a_browser_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    platform: str,
    variables: dict[str, str],
    *,
    expected: bool,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", name)
        patch.setattr(sys, "platform", platform)
        shown = login_flow._shows_browser(variables)
    assert shown is expected


def test_waiting_for_a_login_does_not_select_a_console_on_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = SimpleNamespace(
        prompts=SimpleNamespace(interactive=True),
        settings=SimpleNamespace(variables={"DISPLAY": ":0"}),
    )
    monkeypatch.setattr(select, "select", lambda *_: pytest.fail("a console cannot be selected"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        key = login_flow._EnterKey(call)  # type: ignore[arg-type]  # what is read of it
    key.wait(0)
    assert key.watched is False


# -- line ends -------------------------------------------------------------------------------------


def test_dropin_with_windows_line_ends_is_recognized_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "conda-token-plugin.yml"
    token = tokens.token("acme")
    dropin.write(path, tokens=(token,))
    plain = path.read_bytes()
    assert b"\r" not in plain, "the same bytes on every platform"
    path.write_bytes(plain.replace(b"\n", b"\r\n"))
    dropin.write(path, tokens=(token,))
    assert path.read_bytes().replace(b"\r\n", b"\n") == plain
    dropin.write(path, tokens=())
    assert not path.exists()


@pytest.mark.usefixtures("windows")
def test_variables_of_a_github_job_have_no_carriage_return(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fdopen = os.fdopen

    def as_on_windows(
        descriptor: int, mode: str, *, encoding: str, newline: str | None = None
    ) -> Any:
        ends = "\r\n" if newline is None else newline
        return fdopen(descriptor, mode, encoding=encoding, newline=ends)

    monkeypatch.setattr(os, "fdopen", as_on_windows)
    job = tmp_path / "job"
    job.touch()
    grant = Grant(token=tokens.token("acme"), secret=tokens.secret("acme"))
    github_actions.append(job, grants=[grant])
    assert b"\r" not in job.read_bytes()
    assert job.read_bytes().endswith(b"\n")
