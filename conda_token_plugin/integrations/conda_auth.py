"""conda-auth: one keyring entry for each channel, and condarc files that name the channels.

The channels are entries of ``channel_settings`` with ``auth: token`` or ``auth: http-basic``. The
target is the value of ``auth_target``, otherwise the channel. The keyring entry of a target is one
of these (conda-auth's source code, July 2026):

- service ``conda-auth::credential::<target>``, user name ``credential``, value JSON:
  ``{target, auth_type, username, token | password, …}``
- of earlier versions: service ``conda-auth::token::<channel>``, user name ``token``, value TOKEN

conda-auth sends ``Authorization: Bearer``, and ``Authorization: token`` to anaconda.org.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.keyring import KeyringService
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.source import RawCredential, json_object, text
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.settings import Settings

HANDLERS = ("token", "http-basic")
ALIAS = "https://conda.anaconda.org"


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield one credential per channel that has a keyring entry. The import source."""
    for channel, target in dict.fromkeys(_settings(settings)):
        held = _held(target)
        if held is not None:
            yield _raw(channel, held)


def _raw(channel: str, held: dict[str, Any]) -> RawCredential:
    basic = held.get("auth_type") == "http-basic"
    url = channel if "://" in channel else f"{ALIAS}/{channel}"
    bearer = ".anaconda.org/" not in f"{url}/" and "//anaconda.org/" not in f"{url}/"
    scheme = AuthScheme.BEARER if bearer else AuthScheme.TOKEN
    return RawCredential(
        where=f"the system keyring, conda-auth for {channel}",
        urls=(url.removesuffix("/*"),),
        value=text(held, "password" if basic else "token"),
        scheme=AuthScheme.BASIC if basic else scheme,
        username=text(held, "username") if basic else "",
    )


def _settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the channels that conda-auth was set up for, each with the name of its entry."""
    for path in condarcs.files(settings):
        data = foreign_files.read_any(path) or b""
        for one in condarcs.listed(data, "channel_settings"):
            if isinstance(one, dict) and one.get("auth") in HANDLERS and one.get("channel"):
                yield str(one["channel"]), str(one.get("auth_target") or one["channel"])


def _held(target: str) -> dict[str, Any] | None:
    record = KeyringService(service=f"conda-auth::credential::{target}").held("credential")
    if record is None:
        token = KeyringService(service=f"conda-auth::token::{target}").held("token")
        return None if token is None else {"auth_type": "token", "token": token}
    return json_object(record)
