"""py-rattler as a user runs it: an installation, with the credentials that were exported to it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine, Ran

CLIENT = ("-m", "conda_token_plugin.sandbox.rattler_client")
needs_rattler = pytest.mark.skipif(find_spec("rattler") is None, reason="no py-rattler is there")


def installs(machine: Machine, *channels: str, packages: str, folder: str = "a", **env: str) -> Ran:
    """Install ``packages``, separated by blanks, into ``folder``, which has a cache of its own."""
    place = machine.folder / folder
    cache = {"RATTLER_CACHE_DIR": str(place / "cache")}
    return machine.python(*CLIENT, " ".join(channels), packages, str(place / "env"), **cache, **env)


def names(output: str) -> list[str]:
    """Return the names of the packages in the output of an installation."""
    return re.findall(r"[\w-]+(?= [\d.]+(?:,|$))", output, re.MULTILINE)
