"""Logins of anaconda-auth, where it keeps them: read and never written.

- the file ``~/.anaconda/keyring``: ``{"Anaconda Cloud": {DOMAIN: ENTRY}}``
- the system keyring: service ``Anaconda Cloud``, user DOMAIN, value ENTRY; only asked for a key
  where anaconda-auth has been used, because a keyring may have to ask its user first

ENTRY is base64 of the JSON ``{domain, api_key, …}`` (anaconda-auth 0.15.3, ``token.py``).
What cannot be read counts as not there, as it does for anaconda-auth itself, but not in silence.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.settings import Settings

SERVICE = "Anaconda Cloud"
LARGEST = 1024 * 1024
"""Bytes of the file that are read."""


class AnacondaLogins:
    """anaconda-auth's logins by domain; nothing is read before it is asked for, and then once."""

    def __init__(self, path: Path, *, notice: Callable[[str], None]) -> None:
        """``path`` is its file; ``notice`` is told what is there and cannot be read."""
        self._path = path
        self._notice = notice
        self._known: dict[str, Any] | None = None

    @classmethod
    def of(cls, settings: Settings, *, notice: Callable[[str], None]) -> AnacondaLogins:
        """The logins of this user."""
        return cls(settings.home / ".anaconda" / "keyring", notice=notice)

    def keys(self, domain: str) -> Iterator[tuple[Secret, str]]:
        """The API keys for ``domain``, each with where it was found."""
        key = self._key_in(self._entries.get(domain), where=str(self._path))
        if key is not None:
            yield key, f"anaconda-auth's login ({self._path})"

    def keyring_keys(self, domains: Iterable[str]) -> Iterator[tuple[Secret, str]]:
        """The API keys in the system keyring, as ``keys``. A keyring that fails is asked once."""
        if not self._path.parent.is_dir():
            return
        from conda_token_plugin.gateways.keyring import KeyringService

        entries = KeyringService(service=SERVICE)
        for domain in domains:
            try:
                entry = entries.held(domain)
            except KeyringUnusable as error:  # there is none here, or it is locked, or hangs
                self._notice(f"{error.what} A login of anaconda-auth may be in it.")
                return
            key = self._key_in(entry, where="The system keyring")
            if key is not None:
                yield key, "anaconda-auth's login (system keyring)"

    def domains(self) -> tuple[str, ...]:
        """The domains that the file has an entry for."""
        return tuple(self._entries)

    @property
    def _entries(self) -> dict[str, Any]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                text = file.read(LARGEST)
            entries = json.loads(text or b"{}").get(SERVICE, {})  # it makes the file empty first
        except FileNotFoundError:  # anaconda-auth was never used
            return {}
        except (OSError, ValueError, AttributeError, RecursionError):
            # Not permitted; or half written, which happens to it; or no JSON object.
            self._notice(f"{self._path} cannot be read, so a login of anaconda-auth was not used.")
            return {}
        return entries if isinstance(entries, dict) else {}

    def _key_in(self, entry: object, *, where: str) -> Secret | None:
        """The API key in ``entry``; None where there is none, as after a logout."""
        if entry is None:
            return None
        try:
            key = json.loads(b64decode(str(entry)))["api_key"]
            return None if key is None else Secret(key)
        except (ValueError, KeyError, TypeError, RecursionError, MalformedToken):
            # No base64, no JSON, no such key, or no text that can be sent.
            self._notice(f"{where} has a login of anaconda-auth that cannot be read.")
            return None
