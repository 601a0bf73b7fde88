"""The channels of the repository, their packages, and the credentials that open them.

| channel | repodata is for | packages are for | repodata as |
|---|---|---|---|
| `<org>/main`         | the organization | the organization | json, zst |
| `<org>/private`      | the organization | the organization, by a redirect | json, zst, shards |
| `acme/public-index`  | everybody        | the organization | json |
| `main`, `r`, `msys2` | any organization | any organization | json, zst |
| `main-x`             | any organization, by an API key only | as repodata | json, zst |
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
    """The credentials that open a channel."""

    ORGANIZATION = "organization"
    SHARED = "shared"
    API_KEY = "API key"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A package to make: one text file and one script, both named after the package."""

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
        """The slug of the organization that owns the channel, or an empty string."""
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


def _shared(name: str, access: Access) -> Channel:
    return Channel(name, _hello(f"{name}-hello"), index=access, packages=access)


CHANNELS: tuple[Channel, ...] = (
    *(_main(org) for org in SLUGS),
    *(_private(org) for org in SLUGS),
    Channel("acme/public-index", _hello("acme-public"), index=Access.PUBLIC, zst=False),
    *(_shared(name, Access.SHARED) for name in ("main", "r", "msys2")),
    _shared("main-x", Access.API_KEY),
    _shared("anaconda-tools", Access.PUBLIC),
)


def subdirs() -> tuple[str, ...]:
    """Return the subdirs of every channel: noarch, linux-64 and that of this machine."""
    system, machine = platform.system(), platform.machine()
    here = f"{_SYSTEMS.get(system, system.lower())}-{_MACHINES.get(machine, machine)}"
    return tuple(dict.fromkeys(("noarch", "linux-64", here)))
