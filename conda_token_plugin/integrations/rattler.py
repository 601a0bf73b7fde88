"""rattler, and the tools that use it: py-rattler, rattler-build, conda's rattler solver, pixi.

rattler reads credentials from these places, and uses the first that has an entry for the host
(tested with py-rattler 0.28.0):

1. the file that ``RATTLER_AUTH_FILE`` names
2. the system keyring: service ``rattler``, user name HOST, value the JSON of one entry
3. ``~/.rattler/credentials.json``
4. netrc

The configuration of a tool can name a file that has precedence over all of them (see ``pixi``).

The key of an entry is the host name, without scheme, port and path. So there is one credential for
each host, which is sent to all of its channels. If the file is empty or has one entry of an unknown
kind, rattler reads none of its entries, so the plugin writes nothing else into it. Writers hold the
lock ``credentials.lock`` (``rattler_networking``, ``backends/file.rs``).

``CondaToken`` adds ``/t/<token>`` before the path, which the repository accepts.
``BearerToken`` sends ``Authorization: Bearer``, which the repository accepts for API keys only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.gateways.keyring import PREFIX, KeyringService
from conda_token_plugin.integrations.formats.credential_file import TextFile
from conda_token_plugin.integrations.formats.json_text import JSONObject
from conda_token_plugin.integrations.source import (
    RawCredential,
    json_object,
    plain_copy,
    text,
    url_of,
)
from conda_token_plugin.integrations.target import (
    Entry,
    Place,
    Target,
    refuse_inside_path,
    secret_or_none,
)
from conda_token_plugin.tokens.display import named
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.source import PlainTextCopy
    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

SERVICE = "rattler"
KINDS = {
    "CondaToken": str,
    "BearerToken": str,
    "BasicHTTP": dict,
    "S3Credentials": dict,
    "OAuth": dict,
}
"""The kinds of entries, and the type of the data of each."""
SHARES_KEYRING = sys.platform != "win32"
"""On Windows rattler names its entries ``<user>.<service>`` and Python's keyring ``<service>``."""


class KeyringPlace(KeyringService, Place):
    """The keyring entries of one service, as a place of exported tokens."""

    @property
    def name(self) -> str:
        """Return ``keyring:<service>``."""
        return f"{PREFIX}{self.service}"

    def drop(self, key: str, *, created: str = "") -> None:  # noqa: ARG002  # a keyring makes no file
        """Delete the entry."""
        super().drop(key)


class Rattler(Target):
    """The export target: the credentials that every client built on rattler reads."""

    name = "rattler"

    def place(self, settings: Settings, *, keyring: bool) -> Place:
        """Return the file that a variable names, else the keyring if it is preferred."""
        named = settings.variables.get("RATTLER_AUTH_FILE")
        if named:
            return self.place_at(Path(named))
        if keyring and SHARES_KEYRING:
            return KeyringPlace(service=SERVICE)
        return self.place_at(settings.home / ".rattler" / "credentials.json")

    def place_named(self, name: str) -> Place:
        """Return the keyring service or the file whose name was recorded."""
        if name.startswith(PREFIX):
            return KeyringPlace(service=name.removeprefix(PREFIX))
        return self.place_at(Path(name))

    def place_at(self, path: Path) -> Place:
        """Return the file at ``path``."""
        return file_at(path)

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one entry per host of the token's scope."""
        refuse_inside_path(grant, tool=self.name)
        value = json.dumps(_value(grant))
        for host in hosts_of(grant):
            yield Entry(key=host, value=value)

    def secret_in(self, value: str) -> Secret | None:
        """Return the token or password of an entry, or None."""
        scheme, held, _ = _held(json_object(value) or {})
        return None if scheme is None else secret_or_none(held, scheme=scheme.value)

    def notes(self, grant: Grant) -> Iterator[str]:
        """Say that credentials apply to whole hosts."""
        yield (
            f"{self.name} finds credentials by host: it sends {named(grant.token)} "
            f"to every channel of {', '.join(hosts_of(grant))}."
        )


def file_at(path: Path) -> TextFile:
    """Return the credentials file at ``path``.

    Raises:
        ConfigurationError: It cannot be the path of a file.
    """
    path = absolute(path)
    if not path.name:
        raise ConfigurationError(path, reason="is a folder", hint="Name a file.")
    return TextFile(path=path, format=FORMAT, lock=path.with_suffix(".lock"))


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield the credentials in the files of rattler, and the repository's keyring entry.

    One per host; patterns of hosts are skipped. The import source.
    """
    named = settings.variables.get("RATTLER_AUTH_FILE")
    paths = [Path(named)] if named else []
    for path in (*paths, settings.home / ".rattler" / "credentials.json"):
        for entry in file_at(path).look():
            plain = plain_copy(path, entry.key, format_=FORMAT)
            where = f"{path} {entry.key}"
            yield from _raw_of(entry, where=where, plain=plain, settings=settings)
    if SHARES_KEYRING and (settings.home / ".rattler").is_dir():
        host = host_of(settings.repo_url)
        held = KeyringService(service=SERVICE).held(host)
        entry = Entry(key=host, value=held or "{}")
        yield from _raw_of(entry, where="the system keyring, rattler", settings=settings)


def _raw_of(
    entry: Entry, *, where: str, settings: Settings, plain: PlainTextCopy | None = None
) -> Iterator[RawCredential]:
    scheme, value, username = _held(json_object(entry.value) or {})
    if scheme is not None and "*" not in entry.key:
        yield RawCredential(
            where=where,
            urls=(url_of(entry.key, settings),),
            value=value,
            scheme=scheme,
            username=username,
            plain=plain,
        )


def hosts_of(grant: Grant) -> tuple[str, ...]:
    """Return the hosts of the token's scope, each once."""
    return tuple(dict.fromkeys(host_of(prefix) for prefix in grant.token.scope))


def host_of(url: str) -> str:
    """Return rattler's key for ``url``: the host; an IPv6 address is in brackets."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _value(grant: Grant) -> dict[str, object]:
    secret = grant.secret.reveal()
    if grant.token.scheme is AuthScheme.BEARER:
        return {"BearerToken": secret}
    if grant.token.scheme is AuthScheme.BASIC:
        return {"BasicHTTP": {"username": grant.token.username, "password": secret}}
    return {"CondaToken": secret}


def _known(value: object) -> bool:
    """Return whether ``value`` is an entry as rattler writes them: one known kind with its data."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    kind, held = next(iter(value.items()))
    return isinstance(held, KINDS.get(kind, ()))


def _held(entry: dict[str, object]) -> tuple[AuthScheme | None, str, str]:
    """Return the auth scheme (None for other kinds), the secret and the user name of an entry."""
    for kind, scheme in (("CondaToken", AuthScheme.PATH), ("BearerToken", AuthScheme.BEARER)):
        if text(entry, kind):
            return scheme, text(entry, kind), ""
    basic = entry.get("BasicHTTP")
    if not isinstance(basic, dict):
        return None, "", ""
    return AuthScheme.BASIC, text(basic, "password"), text(basic, "username")


FORMAT = JSONObject(known=_known)
