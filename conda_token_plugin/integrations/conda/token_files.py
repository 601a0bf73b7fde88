"""conda's own token files, which anaconda-client and conda-token also write.

There is one file for each URL: ``<folder>/<quoted URL>.token``, which contains only the token.
conda, without any plugin, adds ``/t/<token>`` to each URL that begins with the URL of a file. It
compares with ``str.startswith``, in the order of the folder: the key of port 87 matched port 8765.
So the keys of this plugin end with a slash, and a key is refused if it is the beginning of another,
or another is the beginning of it. Tested with the classic and the rattler solver of conda 26.7.1,
which write the token to no file.

The folder is ``$BINSTAR_CONFIG_DIR/data``, otherwise platformdirs' configuration folder of
``binstar`` (``conda.gateways.anaconda_client``). mamba reads
``~/.continuum/anaconda-client/tokens`` instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_plus

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.source import PlainTextCopy, RawCredential
from conda_token_plugin.integrations.target import Entry, Place, Target, secret_or_none
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

SUFFIX = ".token"
_API = re.compile(r"([./])api([./]|$)")
"""anaconda-client logs in at api.anaconda.org, and channels are at conda.anaconda.org."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFolder(Place):
    """A folder of token files. The key of a file is a URL."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def file(self, key: str) -> Path:
        """Return the path of the file for the URL ``key``."""
        return self.path / f"{quote_plus(key)}{SUFFIX}"

    def urls(self) -> tuple[str, ...]:
        """Return all keys, sorted."""
        found = foreign_files.matching(self.path, f"*{SUFFIX}")
        return tuple(sorted(unquote_plus(path.name.removesuffix(SUFFIX)) for path in found))

    def held(self, key: str) -> str | None:
        """Return the token for ``key``, or None."""
        data = foreign_files.read_owned(self.file(key))
        return None if data is None else data.decode("ascii", "replace").strip()

    def prepare(self, key: str) -> None:
        """Raise ConfigurationError if conda could confuse another file with that of ``key``."""
        for other in self.urls():
            if other != key and (key.startswith(other) or other.startswith(key)):
                raise ConfigurationError(
                    self.file(other),
                    reason=f"is for {other}, and conda could also use it for {key}",
                    hint="Move it to the store: conda token import anaconda-client --clean",
                )

    def sweep(self, key: str) -> None:
        """Delete the temporary file of an interrupted write."""
        foreign_files.sweep(self.file(key))

    def missing(self, key: str) -> str:
        """Return the topmost file or folder that does not exist yet, or ""."""
        return foreign_files.topmost_missing(self.file(key))

    def put(self, key: str, value: str) -> None:
        """Write the file as conda does, without a line break."""
        path = self.file(key)
        foreign_files.replace(path, after=value.encode(), before=foreign_files.read_owned(path))

    def drop(self, key: str, *, created: str) -> None:
        """Remove the file, and the folders that were created for it."""
        path = self.file(key)
        foreign_files.remove(path, before=foreign_files.read_owned(path), created=created)


class CondaFiles(Target):
    """The export target: conda without this plugin."""

    name = "conda"

    def installed(self, settings: Settings) -> bool:
        """Return whether it is on the path or was set up in this shell."""
        variables = settings.variables
        return bool(which("conda", path=variables.get("PATH", "")) or variables.get("CONDA_EXE"))

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # the signature of Target
        """Return the folder that conda reads; it reads no keyring."""
        return TokenFolder(path=folder(settings))

    def place_at(self, path: Path) -> Place:
        """Return the folder at ``path``."""
        return TokenFolder(path=absolute(path))

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one file per prefix of the token's scope.

        Raises:
            BadInput: The token is not sent in the path, and conda sends these files only there.
        """
        if grant.token.scheme not in {AuthScheme.TOKEN, AuthScheme.PATH}:
            raise BadInput(
                f"conda's token files go into the path as /t/…/, and the token of "
                f"{grant.token.organization} is sent as {grant.token.scheme.value}.",
                hint="Use conda with this plugin. For other tools: export netrc, rattler.",
            )
        for prefix in grant.token.scope:
            yield Entry(key=f"{prefix}/", value=grant.secret.reveal())

    def secret_in(self, value: str) -> Secret | None:
        """Return the content of a file as a secret, or None."""
        return secret_or_none(value)

    def notes(self, grant: Grant) -> Iterator[str]:  # noqa: ARG002  # the signature of Target
        """Say that conda with this plugin needs no export."""
        yield "conda with this plugin needs no export; these files are for a conda without it."


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield one credential per token file of conda, conda-token, anaconda-client and mamba.

    As in conda, ``api`` in a URL means ``conda``. The import source.
    """
    older = settings.home / ".continuum" / "anaconda-client" / "tokens"
    for place in (TokenFolder(path=folder(settings)), TokenFolder(path=older)):
        for url in place.urls():
            path = place.file(url)
            yield RawCredential(
                where=str(path),
                urls=(_API.sub(r"\1conda\2", url, count=1),),
                value=(foreign_files.read_any(path) or b"").decode("ascii", "replace").strip(),
                scheme=AuthScheme.PATH,
                plain=PlainTextCopy(path=path, without=lambda _: None),
            )


def folder(settings: Settings) -> Path:
    """Return the folder that conda reads."""
    named = settings.variables.get("BINSTAR_CONFIG_DIR")
    if named:
        return Path(named) / "data"
    from platformdirs import user_config_path

    try:
        return user_config_path("binstar", "ContinuumIO")
    except RuntimeError:  # no home folder is known; older versions return a path with ~
        return settings.home
