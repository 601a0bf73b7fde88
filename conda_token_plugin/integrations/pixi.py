"""pixi: rattler's credentials, unless pixi's configuration names another file for them.

The setting ``authentication-override-file`` (or with underscores) in ``config.toml`` has precedence
over all places of rattler. These configuration files are read, and a later one has precedence:
``/etc/pixi``, ``$XDG_CONFIG_HOME/pixi`` (``~/.config/pixi``), ``$PIXI_HOME`` (``~/.pixi``), and
``.pixi`` of the project (https://pixi.sh/latest/reference/pixi_configuration/).
"""

from __future__ import annotations

import re
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.rattler import Rattler
from conda_token_plugin.settings import expanded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Place
    from conda_token_plugin.settings import Settings

_OVERRIDE = re.compile(
    r"""^\s*authentication[-_]override[-_]file\s*=\s*(?:"([^"\\]*)"|'([^']*)')""", re.MULTILINE
)
"""A TOML key before the first table. Python has a TOML reader since 3.11 only."""
_TABLE = re.compile(r"^\s*\[", re.MULTILINE)


class Pixi(Rattler):
    """The export target; pixi finds what rattler finds."""

    name = "pixi"

    def installed(self, settings: Settings) -> bool:
        """Return whether it is on the path, or where its installer puts it."""
        home = _home(settings) / "bin"
        return bool(
            which("pixi", path=settings.variables.get("PATH", "")) or which("pixi", path=str(home))
        )

    def place(self, settings: Settings, *, keyring: bool) -> Place:
        """Return the file that the configuration names, else rattler's."""
        override = ""
        for path in _configurations(settings):
            override = _override_in(path) or override
        if override:
            return self.place_at(expanded(override))
        return super().place(settings, keyring=keyring)


def _home(settings: Settings) -> Path:
    named = settings.variables.get("PIXI_HOME")
    return Path(named) if named else settings.home / ".pixi"


def _configurations(settings: Settings) -> Iterator[Path]:
    named = settings.variables.get("XDG_CONFIG_HOME")
    yield Path("/etc/pixi/config.toml")
    yield (Path(named) if named else settings.home / ".config") / "pixi" / "config.toml"
    yield _home(settings) / "config.toml"
    yield absolute(Path(".pixi/config.toml"))


def _override_in(path: Path) -> str:
    data = foreign_files.read_owned(path)
    if data is None:
        return ""
    text = data.decode("utf-8", "replace")
    table = _TABLE.search(text)
    found = _OVERRIDE.search(text, 0, table.start() if table else len(text))
    return (found[1] or found[2] or "") if found else ""
