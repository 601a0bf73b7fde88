"""anaconda-auth's logins and repository tokens, which are only read and never written.

It keeps one entry for each domain, under the service ``Anaconda Cloud``, in one of:

1. the variable ``ANACONDA_AUTH_KEYRING`` or the setting ``keyring``, which replace its file
2. its file ``~/.anaconda/keyring``, or the one that ``ANACONDA_AUTH_KEYRING_PATH``,
   ``ANA_KEYRING_PATH`` or the setting ``keyring_path`` names:
   ``{"Anaconda Cloud": {DOMAIN: ENTRY}}``
3. the system keyring, which is asked only where anaconda-auth was used, because a keyring may
   have to ask its user first

The settings are those of the site that anaconda-auth uses (``settings.site_file``), because it has
one keyring for all sites. ENTRY is base64 of
``{domain, api_key, …, repo_tokens: [{token, org_name}], version}`` (anaconda-auth 0.15.3,
``token.py``). anaconda-auth writes its file in place and treats a damaged file as an empty one, so
the plugin never cleans it.
"""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import BadInput, ConfigurationError, MalformedToken
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.keyring import KeyringService
from conda_token_plugin.gateways.locks import UNCHANGED
from conda_token_plugin.integrations.source import RawCredential, json_object, text
from conda_token_plugin.settings.site import FORMER_DOMAINS, SERVICE_URL
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.settings import Settings

SERVICE = "Anaconda Cloud"
INLINE = "ANACONDA_AUTH_KEYRING"
PATHS = ("ANACONDA_AUTH_KEYRING_PATH", "ANA_KEYRING_PATH")


def domains_of(service_url: str) -> tuple[str, ...]:
    """Return the domains under which anaconda-auth stores a service, the present one first."""
    domain = urlsplit(service_url).netloc
    return (domain, *FORMER_DOMAINS) if service_url == SERVICE_URL else (domain,)


class AnacondaKeyring:
    """anaconda-auth's entries by domain. Nothing is read before it is needed, and then once."""

    def __init__(self, settings: Settings) -> None:
        """Do no I/O."""
        self._settings = settings
        self._entries: dict[str, Any] | None = None

    @property
    def where(self) -> str:
        """The variable or the file that contains the entries.

        Raises:
            BadInput, MalformedURL, ConfigurationError: anaconda-auth's configuration cannot be
                read.
        """
        return self._inline[1] if self._inline[0] else str(self._path)

    @cached_property
    def _path(self) -> Path:
        known = self._settings.variables.get
        named = self._settings.given(PATHS[0])[0] or known(PATHS[1]) or self._option("keyring_path")
        if isinstance(named, str) and named:
            return self._settings.expand(named)
        return self._settings.home / ".anaconda" / "keyring"

    @cached_property
    def _inline(self) -> tuple[str, str]:
        """The entries that replace the file, as JSON, and where they are; or empty texts."""
        text, source = self._settings.given(INLINE)
        found = self._option("keyring")
        if text or not isinstance(found, dict):
            return text, source
        return json.dumps(found), self._settings.of_anaconda_auth().source

    def _option(self, name: str) -> object:
        return self._settings.of_anaconda_auth().options.get(name)

    @property
    def was_used(self) -> bool:
        """Whether the system keyring may contain an entry of anaconda-auth."""
        return self._path.parent.is_dir()

    def entries(self) -> dict[str, Any]:
        """Return the entries of the variable or the file.

        Raises:
            BadInput: The variable is damaged.
            ConfigurationError: The file is damaged, is not a regular file, or cannot be read.
            MalformedURL: anaconda-auth's configuration cannot be read.
        """
        if self._entries is None:
            try:
                # anaconda-auth empties its file before it writes to it.
                found = _object(self._data() or b"{}").get(SERVICE, {})
            except ValueError:  # half written, which happens
                raise self.damaged() from None
            self._entries = found if isinstance(found, dict) else {}
        return self._entries

    def in_system_keyring(self, domain: str) -> object:
        """Return the entry in the system keyring, or None.

        Raises:
            KeyringUnusable: The keyring cannot be used.
        """
        return KeyringService(service=SERVICE).held(domain)

    def _data(self) -> bytes | None:
        if self._inline[0]:
            return self._inline[0].encode("utf-8", "replace")
        foreign_files.refuse_special(self._path)
        return foreign_files.read_any(self._path)

    def damaged(self) -> BadInput | ConfigurationError:
        """Return the error for entries that cannot be decoded."""
        if self._inline[0]:
            where = self._inline[1]
            return BadInput(f"The keyring in {where} is damaged.", hint=f"Correct {where}.")
        return ConfigurationError(self._path, reason=f"is damaged {UNCHANGED}")


class AnacondaLogins:
    """The API keys of anaconda-auth. An entry that cannot be read is skipped and reported."""

    def __init__(self, settings: Settings, *, notice: Callable[[str], None]) -> None:
        """Do no I/O. ``notice`` is called with a line about what cannot be read."""
        self._keyring = AnacondaKeyring(settings)
        self._notice = notice
        self._reported = False

    def keys(self, domain: str) -> Iterator[tuple[Secret, str]]:
        """Yield the API key for ``domain`` in the variable or the file, and where it is."""
        where = self._keyring.where
        for name, entry in self._entries().items():  # the case is that of the configuration
            key = self._key_in(entry, where=where) if name.lower() == domain else None
            if key is not None:
                yield key, f"anaconda-auth's login ({where})"

    def keyring_keys(self, domains: Iterable[str]) -> Iterator[tuple[Secret, str]]:
        """Yield the API keys in the system keyring. A keyring that fails is asked once."""
        if not self._keyring.was_used:
            return
        for domain in domains:
            try:
                entry = self._keyring.in_system_keyring(domain)
            except KeyringUnusable as error:  # there is none here, or it is locked, or hangs
                self._notice(f"{error.what} It may contain a login of anaconda-auth.")
                return
            key = self._key_in(entry, where="The system keyring")
            if key is not None:
                yield key, "anaconda-auth's login (system keyring)"

    def domains(self) -> tuple[str, ...]:
        """Return the domains that the variable or the file has an entry for."""
        return tuple(self._entries())

    def _entries(self) -> dict[str, Any]:
        try:
            return self._keyring.entries()
        except (BadInput, ConfigurationError):  # as anaconda-auth, which treats it as empty
            if not self._reported:
                where = self._keyring.where
                self._notice(f"{where} cannot be read, so a login of anaconda-auth was not used.")
            self._reported = True
            return {}

    def _key_in(self, entry: object, *, where: str) -> Secret | None:
        """Return the API key in ``entry``, or None if there is none, as after a logout."""
        if entry is None:
            return None
        try:
            key = _object(b64decode(str(entry)))["api_key"]
            return None if key is None else Secret(key)
        except (ValueError, KeyError, TypeError, MalformedToken):
            # Not base64, not JSON, no such key, or a value that cannot be sent.
            self._notice(f"{where} has a login of anaconda-auth that cannot be read.")
            return None


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield the repository tokens for the service of ``settings``. The import source."""
    keyring = AnacondaKeyring(settings)
    domains = domains_of(settings.service_url)
    entries = keyring.entries()
    try:
        found = [
            one
            for domain in domains
            for name, entry in entries.items()
            if name.lower() == domain
            for one in _tokens(entry)
        ]
    except ValueError:  # an entry is damaged
        raise keyring.damaged() from None
    yield from (_raw(one, where=keyring.where, settings=settings) for one in found)
    if keyring.was_used:
        found = [one for name in domains for one in _in_system_keyring(keyring, name)]
        yield from (_raw(one, where="the system keyring", settings=settings) for one in found)


def _raw(token: dict[str, Any], *, where: str, settings: Settings) -> RawCredential:
    owner = text(token, "org_name")
    return RawCredential(
        where=where,
        urls=(_home(owner, settings),),
        value=text(token, "token"),
        scheme=AuthScheme.TOKEN,
        organization=owner,
    )


def _home(owner: str, settings: Settings) -> str:
    try:
        return organization_prefix(settings.repo_url, owner)
    except BadInput:  # the entry has no organization, or its title instead of its name
        return settings.repo_url


def _in_system_keyring(keyring: AnacondaKeyring, domain: str) -> list[dict[str, Any]]:
    try:
        return _tokens(keyring.in_system_keyring(domain))
    except ValueError:  # not written by anaconda-auth
        raise KeyringUnusable("has an entry of anaconda-auth that cannot be read") from None


def _tokens(entry: object) -> list[dict[str, Any]]:
    """Return the repository tokens of one entry.

    Raises:
        ValueError: The entry is damaged.
    """
    if entry is None:
        return []
    found = _object(b64decode(str(entry))).get("repo_tokens")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _object(data: bytes) -> dict[str, Any]:
    found = json_object(data)
    if found is None:
        raise ValueError("it is not a JSON object")
    return found
