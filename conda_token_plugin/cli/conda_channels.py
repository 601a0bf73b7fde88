"""Default channels: whether conda uses them, and the order in which it reads its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.condarcs import configured_channels
from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.tokens.token import Token


def needs_defaults(call: CommandContext, *, wanted: Iterable[str] | None) -> bool | None:
    """Return whether the drop-in must add `defaults` to conda's channels.

    conda uses default channels only if `defaults` is among its channels. If no channel is
    configured, `defaults` is added, because conda 26.7 then fails and earlier releases use
    `defaults`. If only others are configured, the user is asked.

    Returns:
        `None` to leave `defaults` in the drop-in as it is.
    """
    used = configured_channels(call.settings)
    if not wanted or dropin.DEFAULTS in used:
        return None
    if not used:
        return True
    question = (
        "conda uses default channels only if `defaults` is among its channels, which are: "
        f"{_shown(used)}.\nAdd `defaults` before them?"
    )
    return call.prompts.offer(question) or None


def report_channels(call: CommandContext, tokens: Iterable[Token]) -> None:
    """Print the channels in the order in which conda reads them, if the plugin sets some.

    Warn if conda does not use the default channels.
    """
    held = tuple(tokens)
    defaults = tuple(dict.fromkeys(url for token in held for url in token.default_channels))
    if not defaults and not any(token.channels for token in held):
        return
    used = configured_channels(call.settings)
    call.printer.say(f"conda's channels, in this order: {_shown(used)}")
    if defaults and dropin.DEFAULTS in used:
        call.printer.say(f"`defaults` means: {_shown(defaults)}")
    elif defaults:
        call.printer.warn(
            "conda does not use the default channels that were set, because `defaults` is not "
            "among its channels. Run: conda config --append channels defaults"
        )


def _shown(channels: Iterable[str]) -> str:
    return ", ".join(without_secrets(one) for one in channels)
