"""The demo: a temporary home, a sandbox in another process, and the commands that are run.

A channel refuses a request without a token, `install` issues one, the same command works now,
`list` and `which` show the token, and `remove` deletes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from conda_token_plugin.errors.outcome import CheckFailed
from conda_token_plugin.settings import Settings
from conda_token_plugin.settings.site import REPO_URL
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOLVERS = {"conda_libmamba_solver": "libmamba", "conda_rattler_solver": "rattler"}
STOP_TIMEOUT = 60.0
"""Seconds that the sandbox may take to stop."""


ERASED = re.compile(r"[^\n]*(?:\x1b\[2K|\r)|\x1b\[[0-9;?]*[A-Za-ln-z]")
"""What a terminal does not show in the end: an erased line, and control sequences but colours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCommand:
    """A command: what a user would type, what is run, and which lines of its output are shown."""

    shown: str
    command: list[str]
    lines: tuple[str, ...] = ()
    """Patterns. The lines with the first one that is found are shown; all lines if none is."""
    refused: bool = False
    """Whether the channel has to refuse the request, because there is no token."""

    def abridged(self, output: str) -> str:
        """Return the lines of ``output`` that are shown."""
        for pattern in self.lines:
            kept = [line.rstrip() for line in output.split("\n") if re.search(pattern, line)]
            if kept:
                return "\n".join(kept).strip("\n")
        return output.strip("\n")

    def succeeded(self, code: int, output: str) -> bool:
        """Return whether the command ended as it has to, with exit code ``code``."""
        return (code != 0 and "403" in output) if self.refused else code == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoHome:
    """A temporary home, the addresses of the sandbox, and the variables of the commands."""

    home: Path
    repo: str
    organizations: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, step: DemoCommand, *, on_terminal: bool) -> tuple[int, str]:
        """Run the command of ``step`` in the temporary home.

        Returns:
            Its exit code, and its output with the public addresses.
        """
        terminal = on_terminal and os.name != "nt"
        size = shutil.get_terminal_size()
        sizes = {"COLUMNS": str(size.columns), "LINES": str(size.lines)} if terminal else {}
        reader, writer = _pair(terminal=terminal)
        with subprocess.Popen(  # noqa: S603  # our own commands and arguments
            step.command,
            env={**self.variables, **sizes},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
        ) as child:
            os.close(writer)
            written = b"".join(iter(lambda: _read(reader), b""))
        os.close(reader)
        output = ERASED.sub("", written.decode("utf-8", "replace").replace("\r\n", "\n"))
        return child.returncode, step.abridged(self.public(output))

    def public(self, text: str) -> str:
        """Return ``text`` with the address of the repository in the place of the sandbox's."""
        host, public = (url.partition("://")[2].partition("/")[0] for url in (self.repo, REPO_URL))
        text = text.replace(self.repo, REPO_URL).replace(host, public)
        text = text.replace(host.partition(":")[0], public)  # rattler's credentials have no port
        return text.replace(str(self.home), "~")


def _pair(*, terminal: bool) -> tuple[int, int]:
    """Return the two ends of a new terminal, or of a pipe: one to read, one to write."""
    if terminal:
        import pty  # POSIX only

        return pty.openpty()
    return os.pipe()


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 65536)
    except OSError:  # Linux reports EIO when a terminal's other end is closed
        return b""


@contextmanager
def demo_home() -> Iterator[DemoHome]:
    """Yield a temporary home with a running sandbox; remove both afterwards.

    Raises:
        CheckFailed: The sandbox does not start. It has printed the reason.
    """
    with TemporaryDirectory(prefix="conda-token-demo-") as folder, _sandbox() as introduction:
        home = Path(folder)
        variables = sealed(
            Settings().variables,
            home=home,
            CONDA_TOKEN_SERVICE_URL=introduction["service"],
            CONDA_TOKEN_REPO_URL=introduction["repo"],
            CONDA_TOKEN_HOME=str(home / "tokens"),
            CONDA_TOKEN_SYSTEM_HOME=str(home / "machine"),  # this machine may have a token of acme
            CONDA_TOKEN_SYSTEM_CONDARC=str(home / "machine.yml"),
            CONDA_TOKEN_STORE="file",  # noqa: S106  # a word, not a password
            CONDA_PKGS_DIRS=str(home / "pkgs"),
            NO_PROXY="127.0.0.1,localhost",
        )
        # The user is logged in, as with `conda token login --no-channels`.
        settings = Settings(variables)
        user_store(settings).set_login(settings.service_url, Secret(introduction["api_key"]))
        yield DemoHome(
            home=home,
            repo=introduction["repo"],
            organizations=tuple(introduction["organizations"]),
            variables=variables,
        )


def sealed(variables: Mapping[str, str], *, home: Path, **more: str) -> dict[str, str]:
    """Return the variables of a child process with the home ``home``.

    Those that configure conda, this plugin, or other clients are left out.
    """
    foreign = ("CONDA", "ANACONDA", "XDG_", "RATTLER_", "DBUS_SESSION")
    kept = {n: v for n, v in variables.items() if not n.upper().startswith(foreign)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), **more}


@contextmanager
def _sandbox() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "conda_token_plugin.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:  # noqa: S603  # a module of this package
        line = process.stdout.readline() if process.stdout else ""
        try:
            if not line:
                raise CheckFailed("The sandbox did not start.")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=STOP_TIMEOUT)


def demo_commands(demo_home: DemoHome) -> Iterator[DemoCommand]:
    """Yield the commands of the demonstration, for the client that is available."""
    organization = demo_home.organizations[0]
    channel = f"{demo_home.repo}{organization}/main"
    package = f"{organization}-tools"
    has_conda = find_spec("conda") is not None
    client = _conda(channel, package) if has_conda else _rattler(channel, package)
    # Since 26.7 conda shows the hint of the plugin, and before it shows its own error.
    yield replace(client, lines=("conda token install", "403"), refused=True)
    yield _token("install", "--org", organization, "--yes", lines=("Issued|Channels|Expires",))
    if not has_conda:
        yield _token("export", "rattler", lines=("Wrote",))
    yield client
    yield _token("list")
    yield _token("which", channel, lines=("organization|because|sent",))
    yield _token("remove", organization)


def _token(*arguments: str, lines: tuple[str, ...] = ()) -> DemoCommand:
    shown = "conda token" if find_spec("conda") else "conda-token-plugin"
    module = ["conda", "token"] if find_spec("conda") else ["conda_token_plugin"]
    command = [sys.executable, "-m", *module, *arguments]
    return DemoCommand(shown=" ".join([shown, *arguments]), command=command, lines=lines)


def _conda(channel: str, package: str) -> DemoCommand:
    words = ["create", "--prefix", "./env", "--override-channels", "-c", channel, package]
    quiet = ["--yes", "--quiet", "--solver", _solver()]
    return DemoCommand(
        shown=f"conda create -p ./env -c {channel} {package}",
        command=[sys.executable, "-m", "conda", *words, *quiet],
        lines=("::|Executing",),
    )


def _rattler(channel: str, package: str) -> DemoCommand:
    words = ["conda_token_plugin.sandbox.rattler_client", channel, package, "env"]
    return DemoCommand(
        shown=f"py-rattler: install {package} from {channel}",
        command=[sys.executable, "-m", *words],
        lines=("^installed",),
    )


def _solver() -> str:
    """Return a solver that is installed, because the default one may not be."""
    return next((name for module, name in SOLVERS.items() if find_spec(module)), "classic")
