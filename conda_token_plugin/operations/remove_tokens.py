"""Remove stored tokens, and undo what was configured and exported for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.exported_copies import remove_copies_of
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.tokens.repository_layout import organization_prefix, shared_prefixes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


class Removal(NamedTuple):
    """What the removal of tokens changed otherwise."""

    exports: tuple[ExportResult, ...]
    """The copies that were exported to other tools."""
    shared: tuple[str, ...] = ()
    """Shared channels that had no token any more, and now get that of ``successor``."""
    successor: Token | None = None


def remove_tokens(
    tokens: Sequence[Token], *, store: Store, settings: Settings, condarc: Path
) -> Removal:
    """Remove ``tokens``, rewrite the drop-in for the remaining ones, and remove exported copies.

    conda's cached indexes of the tokens' channels are deleted.

    ``condarc`` is the drop-in that belongs to ``store``.

    Raises:
        ConfigurationError: The drop-in cannot be written. Nothing was removed.
        StoreError: The store or the record of exports cannot be written.
    """
    dropin.check_writable(condarc)
    for token in tokens:
        store.remove(token.key)
    shared, successor = _given_shared_channels(tokens, store=store, repository=settings.repo_url)
    update_dropin(condarc, store=store)
    for token in tokens:
        forget(token.scope, settings=settings, channels=token.channels)
    exports = (one for token in tokens for one in remove_copies_of(token, settings=settings))
    return Removal(tuple(exports), shared, successor)


def _given_shared_channels(
    removed: Sequence[Token], *, store: Store, repository: str
) -> tuple[tuple[str, ...], Token | None]:
    """Give shared channels that have no token any more to another token of the repository.

    Returns:
        The channels and the token; none if no channel lost its token or no other token is accepted
        there.
    """
    left = store.tokens()
    covered = {prefix for token in left for prefix in token.scope}
    lost = tuple(
        prefix
        for prefix in shared_prefixes(repository)
        if prefix not in covered and any(prefix in token.scope for token in removed)
    )
    able = (t for t in left if organization_prefix(repository, t.organization) in t.scope)
    successor = next(able, None) if lost else None
    if successor is None:
        return (), None
    store.update(successor._replace(scope=(*successor.scope, *lost)))
    return lost, successor
