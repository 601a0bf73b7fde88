"""mamba and micromamba: ``~/.mamba/auth/authentication.json`` (tested with 2.8.1).

A key is ``host[:port][/path]``, without a scheme. mamba shortens the path of a request until a key
matches, so the file can have entries for two organizations on one host. A ``BearerToken`` is found
by ``host[:port]`` alone. Passwords are base64. Unknown fields are ignored. mamba does not write the
file when it installs; ``mamba auth login`` does, with mode 0644.

``CondaToken`` is the only kind by which the repository accepts a token. With it, mamba 2.8.1
requests the packages of a channel without shards with ``/t/*****/`` and gets HTTP 401. With shards
it works, and mamba writes the token to ``conda-meta`` and ``urls.txt``.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.formats.credential_file import TextFile
from conda_token_plugin.integrations.formats.json_text import JSONObject
from conda_token_plugin.integrations.source import RawCredential, plain_copy, text, url_of
from conda_token_plugin.integrations.target import Entry, Target, refuse_inside_path, secret_or_none
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

KINDS = {"CondaToken": "token", "BearerToken": "token", "BasicHTTPAuthentication": "password"}
"""The kinds of entries, and the field that contains the secret of each."""
SCHEMES = {
    "CondaToken": AuthScheme.PATH,
    "BearerToken": AuthScheme.BEARER,
    "BasicHTTPAuthentication": AuthScheme.BASIC,
}


class Mamba(Target):
    """The export target; mamba and micromamba read the same file."""

    def __init__(self, name: str) -> None:
        """``name`` is ``mamba`` or ``micromamba``."""
        self.name = name

    def installed(self, settings: Settings) -> bool:
        """Return whether it is on the path, was set up in this shell, or has been used."""
        variables = settings.variables
        return bool(
            which(self.name, path=variables.get("PATH", ""))
            or Path(variables.get("MAMBA_EXE", "")).stem == self.name
            or (settings.home / ".mamba" / "auth").is_dir()
        )

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # the signature of Target
        """Return the file; mamba reads no keyring."""
        return self.place_at(_file(settings))

    def place_at(self, path: Path) -> Place:
        """Return the file at ``path``."""
        return TextFile(path=absolute(path), format=FORMAT)

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one entry per prefix of the token's scope; for a bearer token, one per host."""
        refuse_inside_path(grant, tool=self.name)
        value, limit = json.dumps(_value(grant)), self._limit(grant)
        keys = (key_of(prefix) for prefix in grant.token.scope)
        if grant.token.scheme is AuthScheme.BEARER:
            keys = (key.partition("/")[0] for key in keys)
        for key in dict.fromkeys(keys):
            yield Entry(key=key, value=value, limit=limit)

    def secret_in(self, value: str) -> Secret | None:
        """Return the token or password of an entry, or None."""
        return secret_of(json.loads(value))

    def notes(self, grant: Grant) -> Iterator[str]:
        """Say what does not work with such a token."""
        if limit := self._limit(grant):
            yield limit
            yield (
                f"{self.name} writes such a token into conda-meta and urls.txt of what it "
                "installs. Find it with: conda token audit"
            )
        elif grant.token.scheme is AuthScheme.BEARER:
            hosts = sorted({key_of(prefix).partition("/")[0] for prefix in grant.token.scope})
            yield f"{self.name} sends a bearer token to every channel of {', '.join(hosts)}."

    def _limit(self, grant: Grant) -> str:
        """Return what does not work with the token, and what to use instead; "" if all works."""
        if grant.token.scheme not in {AuthScheme.TOKEN, AuthScheme.PATH}:
            return ""
        return (
            f"{self.name} 2.8 cannot download packages with the token of "
            f"{grant.token.organization} from channels without shards (HTTP 401). For Anaconda's "
            f"repository, export the API key instead: conda token export {self.name} --api-key. "
            "For another server that accepts it, store the token with --send-as bearer or basic."
        )


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield one credential per key of the file of mamba and micromamba. The import source."""
    path = _file(settings)
    for entry in TextFile(path=path, format=FORMAT).look():
        held = json.loads(entry.value)
        secret = secret_of(held)
        yield RawCredential(
            where=f"{path} {entry.key}",
            urls=(url_of(entry.key, settings),),
            value=secret.reveal() if secret else "",
            scheme=SCHEMES[held["type"]],
            username=text(held, "user"),
            plain=plain_copy(path, entry.key, format_=FORMAT),
        )


def _file(settings: Settings) -> Path:
    return settings.home / ".mamba" / "auth" / "authentication.json"


def key_of(prefix: str) -> str:
    """Return mamba's key for a prefix: ``host:8443/repo/acme``, without the scheme."""
    parts = urlsplit(prefix)
    return f"{parts.netloc}{parts.path}"


def secret_of(entry: dict[str, str]) -> Secret | None:
    """Return the token or password of an entry of a known kind, or None."""
    held, scheme = entry[KINDS[entry["type"]]], SCHEMES[entry["type"]]
    try:
        plain = b64decode(held, validate=True).decode() if scheme is AuthScheme.BASIC else held
    except ValueError:  # invalid base64 or UTF-8
        return None
    return secret_or_none(plain, scheme=scheme.value)


def _value(grant: Grant) -> dict[str, str]:
    secret = grant.secret.reveal()
    if grant.token.scheme is AuthScheme.BASIC:
        password = b64encode(secret.encode()).decode("ascii")
        return {
            "type": "BasicHTTPAuthentication",
            "user": grant.token.username,
            "password": password,
        }
    kind = "BearerToken" if grant.token.scheme is AuthScheme.BEARER else "CondaToken"
    return {"type": kind, "token": secret}


def _known(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    field = KINDS.get(str(value.get("type")))
    return field is not None and isinstance(value.get(field), str)


FORMAT = JSONObject(known=_known)
