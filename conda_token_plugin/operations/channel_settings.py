"""Read conda's ``channel_settings``: for which channels conda asks this plugin for a token."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

from conda_token_plugin import HANDLER
from conda_token_plugin.errors.input import ConfigurationError, MalformedURL
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.store import machine_store
from conda_token_plugin.tokens.repository_layout import organization_of
from conda_token_plugin.tokens.scope import normalised, pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conda_token_plugin.settings import Settings


def is_asked(url: str, *, settings: Settings) -> bool:
    """Return whether conda is configured to ask this plugin about ``url``.

    conda does that if an entry of ``channel_settings`` in any of its configuration files names
    the plugin for the channel. Without one, conda sends no token, even if one is stored.
    """
    paths = (*condarcs.files(settings), settings.condarc, settings.machine_condarc)
    return any(_covers(path, url=url) for path in dict.fromkeys(paths))


def unrequestable(prefix: str) -> str | None:
    """Return a sentence if conda cannot request ``prefix``, which an earlier version has stored."""
    try:
        normalised(prefix)
    except MalformedURL as error:
        return error.what
    return None


def entry_for(url: str) -> str:
    """Return a sentence with the entry of ``channel_settings`` for the channel ``url``."""
    return (
        f'Add to your condarc: channel_settings: [{{channel: "{pattern(url)}", auth: {HANDLER}}}]'
    )


def not_asked(
    prefix: str, *, entries: Sequence[Mapping[str, str]], origins: Mapping[str, str]
) -> str | None:
    """Return a sentence if conda does not ask this plugin about the files below ``prefix``.

    Args:
        prefix: A prefix of a token's scope.
        entries: The merged ``channel_settings`` of conda, in order. The last that matches counts.
        origins: Maps the channel of an entry to the file that contains the entry.
    """
    url = f"{prefix}/noarch/repodata.json"
    fitting = [one for one in entries if fnmatch(url, one.get("channel", ""))]
    if not fitting:
        return f"conda does not ask this plugin for {prefix}. {entry_for(prefix)}"
    channel, handler = fitting[-1].get("channel", ""), fitting[-1].get("auth")
    if handler == HANDLER:
        return None
    origin = origins.get(channel, "another file")
    return f"For {prefix} conda asks the handler {handler}, by {origin}: {channel}"


def excluding_group(url: str, *, settings: Settings) -> str | None:
    """Return the group that the user must be in to read the machine's token for ``url``.

    Returns:
        None if the machine has no token for ``url``, or if the user can read it.
    """
    group = machine_store(settings).closed_to()
    return group if group and _covers(settings.machine_condarc, url=url) else None


def machine_token_notice(settings: Settings) -> str | None:
    """Return a sentence about the machine's tokens if the user may not read them, or None.

    The machine's drop-in, which everybody can read, shows which organizations they are for.
    """
    group = machine_store(settings).closed_to()
    if group is None:
        return None
    repository = settings.repo_url
    channels = _channels(settings.machine_condarc)
    names = {organization_of(channel, repository=repository) for channel in channels}
    owners = ", ".join(sorted(filter(None, names))) or "other servers"
    return (
        f"This machine has a token for {owners}, but you are not in the group {group}. "
        "Ask your administrator."
    )


def _covers(path: Path, *, url: str) -> bool:
    return any(
        fnmatch(url, channel) or url.startswith(f"{channel}/") for channel in _channels(path)
    )


def _channels(path: Path) -> list[str]:
    """Return the channels and patterns for which a configuration file names this plugin."""
    try:
        data = foreign_files.read_any(path) or b""
    except ConfigurationError:  # not permitted, or too large
        return []
    return [
        str(one.get("channel", ""))
        for one in condarcs.listed(data, "channel_settings")
        if isinstance(one, dict) and one.get("auth") == HANDLER
    ]
