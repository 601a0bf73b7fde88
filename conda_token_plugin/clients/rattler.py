"""rattler, and what is built on it: py-rattler, rattler-build, conda's rattler solver, pixi.

Where it looks, first that knows the host wins (run, py-rattler 0.28.0): the file that
``RATTLER_AUTH_FILE`` names, the system keyring (service ``rattler``, user = host, value = the JSON
of one entry), ``~/.rattler/credentials.json``, netrc.

The key is the host name alone, without scheme, port and path: one credential a host, which is sent
to all of its channels. The parser is all or nothing: one entry of an unknown kind, or an empty
file, breaks all of them, so nothing of our own goes in there.

``CondaToken`` puts ``/t/<token>`` before the path, which the repository takes.
``BearerToken`` sends ``Authorization: Bearer``, which the repository takes for API keys only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.clients.jsonplace import JSONPlace
from conda_token_plugin.clients.model import Entry
from conda_token_plugin.errors import MalformedToken
from conda_token_plugin.secret import Secret
from conda_token_plugin.tokens import Way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.clients.model import Grant, Place
    from conda_token_plugin.environment import Environment

KINDS = {
    "CondaToken": str,
    "BearerToken": str,
    "BasicHTTP": dict,
    "S3Credentials": dict,
    "OAuth": dict,
}
"""The kinds of entries, and what each holds."""


class Rattler:
    """The credentials that every client built on rattler reads."""

    name = "rattler"

    def installed(self, environment: Environment) -> bool:  # noqa: ARG002  # as Target
        """It is a library, inside of others: nobody can say."""
        return True

    def place(self, environment: Environment, *, keyring: bool) -> Place:  # noqa: ARG002
        """The file that a variable names, else the keyring if secrets are kept there."""
        named = environment.variables.get("RATTLER_AUTH_FILE")
        path = Path(named) if named else environment.home / ".rattler" / "credentials.json"
        return JSONPlace(path=path.absolute(), known=_known)

    def place_named(self, name: str) -> Place:
        """The place that was recorded under ``name``."""
        return JSONPlace(path=Path(name), known=_known)

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """One entry a host of the token's scope."""
        value = json.dumps(_value(grant))
        for host in dict.fromkeys(host_of(prefix) for prefix in grant.token.scope):
            yield Entry(key=host, value=value)

    def secret_in(self, value: str) -> Secret | None:
        """The token or password of an entry."""
        entry = json.loads(value)
        held = entry.get("CondaToken") or entry.get("BearerToken")
        held = held or entry.get("BasicHTTP", {}).get("password")
        try:
            return Secret(held) if isinstance(held, str) else None
        except MalformedToken:  # a password with blanks, which is no token of ours
            return None

    def notes(self, grant: Grant) -> Iterator[str]:
        """It finds credentials by host alone."""
        hosts = ", ".join(sorted({host_of(prefix) for prefix in grant.token.scope}))
        yield (
            f"{self.name} finds credentials by host: it sends the token of "
            f"{grant.token.organization} to every channel of {hosts}."
        )


def host_of(url: str) -> str:
    """The key for ``url``: its host, an IPv6 address in brackets."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _value(grant: Grant) -> dict[str, object]:
    secret = grant.secret.reveal()
    if grant.token.way is Way.BEARER:
        return {"BearerToken": secret}
    if grant.token.way is Way.BASIC:
        return {"BasicHTTP": {"username": grant.token.username, "password": secret}}
    return {"CondaToken": secret}


def _known(value: object) -> bool:
    """Whether ``value`` is an entry as rattler writes them: one kind, and what belongs to it."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    kind, held = next(iter(value.items()))
    return isinstance(held, KINDS.get(kind, ()))
