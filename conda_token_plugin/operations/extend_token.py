"""Wait until a token is extended on its organization's web page, and judge the result."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

from conda_token_plugin.errors.outcome import Interrupted
from conda_token_plugin.errors.service import ServiceBusy, ServiceError
from conda_token_plugin.tokens.reconcile import SyncOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from conda_token_plugin.operations.sync_tokens import TokenSync
    from conda_token_plugin.tokens.reconcile import SyncResult
    from conda_token_plugin.tokens.token import Token

PAUSE = 10.0
"""Seconds between two comparisons with the service."""
PATIENCE = 900.0
"""Maximum number of seconds to wait."""


def wait_until_extended(sync: TokenSync, extendable: Sequence[SyncResult]) -> list[SyncResult]:
    """Compare tokens again until none can be extended any more, for at most ``PATIENCE``.

    Returns:
        The last result for each token.

    Raises:
        Interrupted: Ctrl-C.
        LoginError: The login expired meanwhile.
    """
    deadline = monotonic() + PATIENCE
    pause, results = PAUSE, list(extendable)
    try:
        while monotonic() + pause < deadline:
            sleep(pause)
            pause, results = _compared_again(sync, results)
            if not any(result.outcome is SyncOutcome.EXTENDABLE for result in results):
                break
    except KeyboardInterrupt:  # Ctrl-C while waiting
        raise Interrupted("Interrupted: the token was not extended yet. It still works.") from None
    return results


def is_extended(token: Token, *, before: Token) -> bool:
    """Return whether ``token`` expires on another day than it did ``before`` the comparison."""
    return token.expires is not None and token.expires != before.expires


def needs_replacement(token: Token, *, before: Token, now: datetime) -> bool:
    """Return whether only a new token is valid for longer.

    A usable token is kept if it was extended, or if its expiry is tied to a subscription: a new
    one would expire with the same subscription.

    ``before`` is ``token`` before it was compared with the service.
    """
    tied = token.subscription_ends is not None
    return not (token.state(now=now).usable and (tied or is_extended(token, before=before)))


def _compared_again(sync: TokenSync, results: list[SyncResult]) -> tuple[float, list[SyncResult]]:
    """Compare once; return the seconds to wait before the next time, and the results."""
    try:
        return PAUSE, [
            sync.result(result.token) if result.outcome is SyncOutcome.EXTENDABLE else result
            for result in results
        ]
    except ServiceBusy as error:  # the service says how long to wait
        return max(PAUSE, error.retry_after or 60.0), results
    except ServiceError:  # temporary: the next comparison may work
        return PAUSE, results
