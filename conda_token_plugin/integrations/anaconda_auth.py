"""anaconda-auth: repository tokens beside the API key, in its file or in the system's keyring.

An entry is base64 of ``{domain, api_key, …, repo_tokens: [{token, org_name}], version}``, service
``Anaconda Cloud``, user = domain (anaconda-auth 0.15.3, ``token.py``). Read only: its file is
written in place by a program that takes damage for emptiness, so nothing is ever cleaned there.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.keyring import KeyringService
from conda_token_plugin.gateways.locks import LEFT
from conda_token_plugin.integrations.anaconda_login import SERVICE
from conda_token_plugin.integrations.source import RawCredential, offered, text
from conda_token_plugin.service.credentials import domains_of
from conda_token_plugin.tokens.scope import organization_prefix
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.source import FoundCredential
    from conda_token_plugin.settings import Settings


@dataclass(frozen=True, slots=True)
class AnacondaAuth:
    """Its file first, as it does itself; then the keyring, where it has been used at all."""

    name: str = "anaconda-auth"

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """The tokens of the service that we talk to."""
        path = settings.home / ".anaconda" / "keyring"
        domains = domains_of(settings.service_url)
        try:
            entries = _entries(foreign_files.glance(path))
            found = [one for name in domains for one in _tokens(entries.get(name))]
        except ValueError:  # half written, which happens to it
            raise ConfigurationError(path, reason=f"is damaged {LEFT}") from None
        yield from self._offered(found, where=str(path), settings=settings)
        if path.parent.is_dir():
            found = [one for name in domains for one in _in_keyring(name)]
            yield from self._offered(found, where="the system keyring", settings=settings)

    def _offered(
        self, tokens: list[dict[str, Any]], *, where: str, settings: Settings
    ) -> Iterator[FoundCredential]:
        sightings = (
            RawCredential(
                source=self.name,
                where=where,
                urls=(_home(text(one, "org_name"), settings),),
                value=text(one, "token"),
                way=AuthScheme.TOKEN,
                organization=text(one, "org_name"),
            )
            for one in tokens
        )
        return offered(sightings, settings=settings)


def _home(owner: str, settings: Settings) -> str:
    try:
        return organization_prefix(settings.repo_url, owner)
    except BadInput:  # it did not note whose the token is, or wrote a title
        return settings.repo_url


def _in_keyring(domain: str) -> list[dict[str, Any]]:
    try:
        return _tokens(KeyringService(service=SERVICE).held(domain))
    except ValueError:  # not one that it wrote
        raise KeyringUnusable("has an entry of anaconda-auth that cannot be read") from None


def _entries(data: bytes | None) -> dict[str, Any]:
    """Its entries by domain; it makes the file empty before it writes to it."""
    found = _object(data or b"{}").get(SERVICE, {})
    return found if isinstance(found, dict) else {}


def _tokens(entry: object) -> list[dict[str, Any]]:
    """The repository tokens of one entry.

    Raises:
        ValueError: it is no entry.
    """
    if entry is None:
        return []
    found = _object(b64decode(str(entry))).get("repo_tokens")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except RecursionError:  # thousands of brackets
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is no object")  # noqa: TRY004  # as json's own complaints
    return found
