"""The commands of the demo: as they are shown, and as they are run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.cli.demo_stage import Stage

SOLVERS = {"conda_libmamba_solver": "libmamba", "conda_rattler_solver": "rattler"}


@dataclass(frozen=True, slots=True)
class Act:
    """One command: what a person would type, and what is run here."""

    shown: str
    command: list[str]


def acts(stage: Stage) -> Iterator[Act]:
    """Issue, look, install a real package with the client that is there, use it, forget."""
    organization = stage.organizations[0]
    channel = f"{stage.repo}{organization}/main"
    package = f"{organization}-tools"
    yield _token("install", "--org", organization, "--yes")
    yield _token("list")
    yield _token("which", channel)
    yield from _conda(channel, package) if find_spec("conda") else _rattler(channel, package)
    yield Act(f"env/bin/{package}", [str(stage.home / "env" / "bin" / package)])
    yield _token("remove", organization)


def _token(*arguments: str) -> Act:
    shown = "conda token" if find_spec("conda") else "conda-token-plugin"
    module = ["conda", "token"] if find_spec("conda") else ["conda_token_plugin"]
    return Act(" ".join([shown, *arguments]), [sys.executable, "-m", *module, *arguments])


def _conda(channel: str, package: str) -> Iterator[Act]:
    words = ["create", "--prefix", "./env", "--override-channels", "-c", channel, package]
    quiet = ["--yes", "--quiet", "--solver", _solver()]
    yield Act(" ".join(["conda", *words]), [sys.executable, "-m", "conda", *words, *quiet])


def _rattler(channel: str, package: str) -> Iterator[Act]:
    yield _token("export", "rattler")
    words = ["conda_token_plugin.sandbox.rattler_client", channel, package, "env"]
    yield Act(f"py-rattler: install {package} from {channel}", [sys.executable, "-m", *words])


def _solver() -> str:
    """The solver that this conda has; its default may not be installed."""
    return next((name for module, name in SOLVERS.items() if find_spec(module)), "classic")
