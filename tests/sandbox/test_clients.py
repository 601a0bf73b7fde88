"""Real clients, each with what it can do alone, install from the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

RATTLER = """
import asyncio, os, sys
from pathlib import Path
from rattler import Channel, Client, Gateway, MatchSpec, Platform, install, solve

async def main(url, spec, prefix):
    client = Client.default_client()
    gateway = Gateway(client=client, cache_dir=Path(prefix) / "repodata")
    platforms = [Platform.current(), Platform("noarch")]
    records = await solve([Channel(url)], [MatchSpec(spec)], gateway=gateway, platforms=platforms)
    await install(records, Path(prefix), client=client, cache_dir=Path(prefix) / "packages",
                  show_progress=False)

try:
    asyncio.run(main(*sys.argv[1:]))
except Exception as e:
    print(e, file=sys.stderr, flush=True)
    os._exit(1)
# py-rattler's threads can crash the interpreter at its end.
os._exit(0)
"""

# What to install from each channel, and what it brings.
WANTED = {
    "acme/main": ("acme-tools", ["acme-hello.txt", "acme-tools.txt"]),
    "acme/private": ("acme-private", ["acme-private.txt"]),
    "acme/public-index": ("acme-public==0.9", ["acme-public.txt"]),
    "main": ("main-hello", ["main-hello.txt"]),
}


def shared(prefix: Path) -> list[str]:
    """The names of the files that our packages have put into an environment."""
    folder = prefix / "share"
    return sorted(f.name for f in folder.iterdir()) if folder.is_dir() else []


def nothing_went_astray(sandbox: Sandbox) -> bool:
    """Whether no redirect had a token with it."""
    return not any(r.authorization for r in sandbox.requests if r.path.startswith("/signed/"))


def conda(solver: str, prefix: Path, url: str, spec: str) -> subprocess.CompletedProcess[str]:
    command = ["create", "--yes", "--quiet", "--prefix", str(prefix)]
    settings = {
        "CONDA_SOLVER": solver,
        "CONDA_PKGS_DIRS": str(prefix.parent / "packages"),
        "CONDA_REMOTE_MAX_RETRIES": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", "conda", *command, "--override-channels", "--channel", url, spec],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def rattler_solver_is_missing() -> str:
    """Why the rattler solver cannot be used here; empty if it can."""
    if find_spec("conda") is None or find_spec("conda_rattler_solver") is None:
        return "conda-rattler-solver is not installed"
    release = version("conda").split(".")[:2]
    if [int(part) for part in release] < [25, 5]:
        return "conda-rattler-solver needs conda 25.5"
    return ""


def solvers() -> list[object]:
    why = rattler_solver_is_missing()
    return ["classic", pytest.param("rattler", marks=pytest.mark.skipif(bool(why), reason=why))]


@pytest.mark.conda
@pytest.mark.slow
@pytest.mark.parametrize("solver", solvers())
@pytest.mark.parametrize("channel", WANTED)
def test_conda_installs_with_a_token_in_its_binstar_file(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solver: str, channel: str
) -> None:
    token = sandbox.world.issue("acme", "ada").value
    # Where conda looks for such files: conda.gateways.anaconda_client.
    monkeypatch.setenv("BINSTAR_CONFIG_DIR", str(tmp_path))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / f"{quote_plus(sandbox.service)}.token").write_text(token)
    spec, files = WANTED[channel]
    done = conda(solver, tmp_path / "env", sandbox.url_of(channel), spec)
    assert shared(tmp_path / "env") == files, done.stderr
    assert nothing_went_astray(sandbox)


@pytest.mark.conda
@pytest.mark.slow
@pytest.mark.parametrize("channel", WANTED)
def test_conda_installs_with_a_token_in_the_url(
    sandbox: Sandbox, tmp_path: Path, channel: str
) -> None:
    token = sandbox.world.issue("acme", "ada").value
    spec, files = WANTED[channel]
    url = f"{sandbox.service}/t/{token}/repo/{channel}"
    done = conda("classic", tmp_path / "env", url, spec)
    assert shared(tmp_path / "env") == files, done.stderr
    assert nothing_went_astray(sandbox)


@pytest.mark.conda
@pytest.mark.slow
@pytest.mark.parametrize("solver", solvers())
def test_conda_reports_403_without_a_token_and_401_with_a_revoked_one(
    sandbox: Sandbox, tmp_path: Path, solver: str
) -> None:
    dead = sandbox.world.issue("acme", "ada").value
    sandbox.world.issue("acme", "ada")
    none = conda(solver, tmp_path / "env", sandbox.url_of("acme", "main"), "acme-hello")
    revoked = conda(
        solver, tmp_path / "env", f"{sandbox.service}/t/{dead}/repo/acme/main", "acme-hello"
    )
    assert "HTTP 403 F" in none.stderr  # Forbidden, FORBIDDEN before conda 26
    assert "HTTP 401 U" in revoked.stderr
    assert shared(tmp_path / "env") == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["CondaToken", "BearerToken"])
@pytest.mark.parametrize("channel", WANTED)
def test_rattler_installs_with_a_token_and_with_an_api_key(
    sandbox: Sandbox, tmp_path: Path, kind: str, channel: str
) -> None:
    pytest.importorskip("rattler")
    values = {
        "CondaToken": sandbox.world.issue("acme", "ada").value,
        "BearerToken": sandbox.world.api_key("ada"),
    }
    spec, files = WANTED[channel]
    done = rattler(tmp_path, sandbox.url_of(channel), spec, {"127.0.0.1": {kind: values[kind]}})
    assert shared(tmp_path / "env") == files, done.stderr
    assert nothing_went_astray(sandbox)


@pytest.mark.slow
def test_rattler_is_refused_without_a_token(sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("rattler")
    done = rattler(tmp_path, sandbox.url_of("acme", "main"), "acme-hello", {})
    assert done.returncode == 1
    assert "403 Forbidden" in done.stderr


def rattler(
    folder: Path, url: str, spec: str, credentials: dict[str, dict[str, str]]
) -> subprocess.CompletedProcess[str]:
    file = folder / "credentials.json"
    file.write_text(json.dumps(credentials))
    return subprocess.run(
        [sys.executable, "-c", RATTLER, url, spec.replace("==", " =="), str(folder / "env")],
        env=os.environ | {"RATTLER_AUTH_FILE": str(file)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
