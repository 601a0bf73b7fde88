"""The channels of the repository, what is in each, and who may have it.

| channel | who gets repodata | who gets packages | repodata as |
|---|---|---|---|
| `<org>/main`         | the organization | the organization | json, zst |
| `<org>/private`      | the organization | the organization, redirected | json, zst, shards |
| `acme/public-index`  | everybody        | the organization | json |
| `main`, `r`, `msys2` | any organization | any organization | json, zst |
| `anaconda-tools`     | everybody        | everybody        | json, zst |
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from enum import Enum

from conda_token_plugin.sandbox.world.cast import SLUGS

# The name of the machine in a subdir, where conda's differs from Python's.
_MACHINES = {"x86_64": "64", "AMD64": "64", "i686": "32", "x86": "32", "ARM64": "arm64"}
_SYSTEMS = {"Linux": "linux", "Darwin": "osx", "Windows": "win"}


class Access(Enum):
    """Whose token opens something."""

    ORGANIZATION = "organization"
    SHARED = "shared"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A package to be made: one text file and one script, both named like the package."""

    name: str
    version: str
    suffix: str
    depends: tuple[str, ...] = ()
    noarch: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, by its path under `/repo/`."""

    path: str
    recipes: tuple[Recipe, ...]
    index: Access = Access.ORGANIZATION
    packages: Access = Access.ORGANIZATION
    redirects: bool = False
    zst: bool = True
    shards: bool = False

    @property
    def org(self) -> str:
        """The organization's slug; empty if the channel is nobody's own."""
        return self.path.partition("/")[0] if "/" in self.path else ""


def _hello(name: str) -> tuple[Recipe, ...]:
    return (Recipe(name, "0.9", ".tar.bz2"), Recipe(name, "1.0", ".conda"))


def _main(org: str) -> Channel:
    hello = f"{org}-hello"
    # Not noarch, so that clients need the platform's subdir too.
    tools = Recipe(f"{org}-tools", "1.0", ".conda", depends=(f"{hello} >=1.0",), noarch=False)
    return Channel(f"{org}/main", (*_hello(hello), tools))


def _private(org: str) -> Channel:
    return Channel(f"{org}/private", _hello(f"{org}-private"), redirects=True, shards=True)


def _everybodys(name: str, access: Access) -> Channel:
    return Channel(name, _hello(f"{name}-hello"), index=access, packages=access)


CHANNELS: tuple[Channel, ...] = (
    *(_main(org) for org in SLUGS),
    *(_private(org) for org in SLUGS),
    Channel("acme/public-index", _hello("acme-public"), index=Access.PUBLIC, zst=False),
    *(_everybodys(name, Access.SHARED) for name in ("main", "r", "msys2")),
    _everybodys("anaconda-tools", Access.PUBLIC),
)


def subdirs() -> tuple[str, ...]:
    """Return the subdirs of every channel: noarch, linux-64 and this machine's own."""
    system, machine = platform.system(), platform.machine()
    here = f"{_SYSTEMS.get(system, system.lower())}-{_MACHINES.get(machine, machine)}"
    return tuple(dict.fromkeys(("noarch", "linux-64", here)))
