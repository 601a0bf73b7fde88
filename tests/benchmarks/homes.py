"""Make temporary homes: the variables of a measured command, and the tokens in its home."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Any

from tests.benchmarks.hosts import OURS, PEERS
from tests.benchmarks.running import PROBES, Run, probed, timed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.hosts import Subject

FOREIGN = ("CONDA", "_CONDA", "ANACONDA", "XDG_", "PYTHON", "DBUS_SESSION", "MAMBA")
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
REPOSITORY = "https://repo.anaconda.cloud/repo/"
ORGANIZATION = "acme"
MADE_UP = "Benchmark" * 5 + "abc"
"""A made-up value of 48 characters, which is the length of tokens today."""
ANACONDA_AUTH, CONDA_AUTH = PEERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home folder, and the variables of a process with that home."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls, folder: Path, **more: str) -> Home:
        """Make the home in ``folder``, without any setting of the user of this machine."""
        folder.mkdir(parents=True)
        kept = {
            n: v
            for n, v in os.environ.items()
            if not n.upper().startswith((*FOREIGN, *CERTIFICATES))
        }
        own = {
            "HOME": str(folder),
            "USERPROFILE": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "CONDA_SOLVER": "classic",
            "CONDA_PKGS_DIRS": str(folder / "pkgs"),
            "CONDA_ENVS_PATH": str(folder / "envs"),
            "CONDA_REPORT_ERRORS": "false",
            "CONDA_TOKEN_STORE": "file",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        return cls(folder=folder, variables={**kept, **own, **more})

    def write(self, path: str, text: str) -> None:
        """Write a file of this home."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def run(self, command: Sequence[str]) -> Run:
        """Run a command with this home, and measure it."""
        return timed(command, variables=self.variables, cwd=self.folder)

    def probe(self, subject: Subject, name: str, *arguments: str) -> Any:
        """Run a probe with ``subject`` and this home; return what it prints."""
        python, cwd = subject.python, self.folder
        return probed(python, name, *arguments, variables=self.variables, cwd=cwd)


def holding(subject: Subject, home: Home, *, repository: str, token: str, count: int = 1) -> Home:
    """Store ``count`` tokens for ``repository`` in ``home``, as ``subject`` stores them."""
    if subject.name == OURS:
        home.probe(subject, "keep", repository, ORGANIZATION, token, str(count))
    elif subject.name == ANACONDA_AUTH:
        _as_anaconda_auth(home, repository=repository, token=token)
    elif subject.name == CONDA_AUTH:
        _as_conda_auth(home, repository=repository, token=token)
    return home


def _as_anaconda_auth(home: Home, *, repository: str, token: str) -> None:
    """Store the token as ``anaconda token install`` of anaconda-auth 0.15 does."""
    held = {
        "domain": "anaconda.com",
        "repo_tokens": [{"token": token, "org_name": ORGANIZATION}],
        "version": 2,
    }
    entry = b64encode(dumps(held).encode()).decode()
    home.write(".anaconda/keyring", dumps({"Anaconda Cloud": {"anaconda.com": entry}}))
    home.variables.pop("PYTHON_KEYRING_BACKEND", None)
    _configure(home, f"{repository}*", "auth: anaconda-auth", "auth_domain: anaconda.com")


def _as_conda_auth(home: Home, *, repository: str, token: str) -> None:
    """Store the token as ``conda auth login --token`` does, in a keyring that takes no time."""
    channel = f"{repository}{ORGANIZATION}/main"
    record = {"target": channel, "auth_type": "token", "username": "token", "token": token}
    home.write("instant-keyring.json", dumps({f"conda-auth::credential::{channel}": dumps(record)}))
    home.variables["PYTHON_KEYRING_BACKEND"] = "instant_keyring.Keyring"
    home.variables["PYTHONPATH"] = str(PROBES)
    _configure(home, channel, "auth: token", f"auth_target: {channel}")


def _configure(home: Home, channel: str, *settings: str) -> None:
    lines = ["channel_settings:", f"  - channel: {channel}", *(f"    {line}" for line in settings)]
    home.write(".condarc", "\n".join([*lines, ""]))
