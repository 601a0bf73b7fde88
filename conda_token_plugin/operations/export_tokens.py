"""Export tokens to other tools.

An export is planned completely before anything is written. It stops, with nothing changed, if a
file cannot be read, holds a credential that this plugin did not write, or has room for one of two
tokens. Each entry is recorded before it is written: a crash in between leaves a record without an
entry, which is harmless, and never an entry without a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.target import Grant, refuse_shared_keys
from conda_token_plugin.operations.export_record import ExportOutcome, ExportRecord, Record
from conda_token_plugin.store import USER
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.store.sources import all_tokens, api_keys
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conda_token_plugin.integrations.target import Entry, Place, Target
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.sources import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of one token for one target.

    Attributes:
        is_own: Whether the entry is, or will be, one that this plugin wrote.
        former_mark: The mark of the token that is there now.
    """

    target: Target
    place: Place
    entry: Entry
    grant: Grant
    outcome: ExportOutcome
    is_own: bool
    former_mark: str = ""

    def record(self) -> Record:
        """Return the record of this entry."""
        token = self.grant.token
        return Record(
            target=self.target.name,
            place=self.place.name,
            key=self.entry.key,
            organization=token.organization,
            token=token.key,
            mark=self.grant.secret.mark,
            former_mark=self.former_mark,
            created=self.place.missing(self.entry.key),
        )


def tokens_for(
    organizations: Sequence[str], *, settings: Settings, stores: Mapping[str, Store]
) -> tuple[Credential, ...]:
    """Return the tokens of ``organizations``, or all tokens. Read no stored secret.

    The tokens are those that requests would be sent with.

    Raises:
        NoToken: One of the organizations has no token, or there is no token at all.
        StoreError: A store cannot be read.
        MalformedToken: A variable contains no token.
    """
    owners = {
        item.token.scope[0]: item.token.organization
        for item in all_tokens(settings, stores=stores)
        if item.token.scope
    }
    if not (organizations or owners):
        keys = api_keys(settings, user=stores.get(USER))
        hint = f"To use the API key from {keys[0].source}, add --api-key." if keys else ""
        raise NoToken("No token is stored.", hint=hint or "Run: conda token install")
    wanted = _prefixes(organizations, owners, settings=settings) if organizations else owners
    lookup = Lookup(settings, stores=stores)
    found = {one.token.key: one for prefix in wanted if (one := lookup.find(f"{prefix}/"))}
    return tuple(found.values())


def api_key_for(settings: Settings, *, stores: Mapping[str, Store]) -> Credential:
    """Return the API key that is sent to channels. Read no stored secret.

    Raises:
        NoToken: There is none.
        StoreError: The store cannot be read.
    """
    found = api_keys(settings, user=stores[USER])
    if not found:
        raise NoToken("No API key is used for channels.", hint="Run: conda token login")
    return found[0]


def with_secret(found: Credential) -> Grant:
    """Return ``found`` together with its secret.

    Raises:
        BadInput: A provider supplies it: a copy would expire.
        StoreError: The secret cannot be read.
    """
    if found.token.kind is TokenKind.PROVIDER:
        raise BadInput(
            f"The credential for {found.prefix} is supplied by {found.source}, which conda asks "
            "each time. A copy of it would expire.",
            hint=f"To use a stored token instead: "
            f"conda token provider remove {found.token.organization}",
        )
    secret = found.secret()
    return Grant(token=found.token._replace(last_four=secret.last_four), secret=secret)


def plan(
    grants: Sequence[Grant], *, target: Target, place: Place, settings: Settings
) -> tuple[Step, ...]:
    """Return the steps of an export of ``grants`` to ``place``. Change nothing.

    Raises:
        BadInput: Two of the tokens need the same entry.
        ConfigurationError: The file of the tool cannot be used, or already contains a credential
            there that this plugin did not write.
    """
    wanted = [(entry, grant) for grant in grants for entry in target.entries(grant)]
    refuse_shared_keys([(entry.key, grant) for entry, grant in wanted], tool=target.name)
    records = {record.location: record for record in ExportRecord(settings).records()}
    return tuple(
        _step(entry, grant, target=target, place=place, known=records.get((place.name, entry.key)))
        for entry, grant in wanted
    )


def write_steps(steps: Iterable[Step], *, settings: Settings) -> None:
    """Write what was planned. The caller has held the lock since before the plan.

    Raises:
        ConfigurationError: A file cannot be written. Entries written before it are recorded.
    """
    exports = ExportRecord(settings)
    for step in steps:
        if step.is_own:
            exports.add(_continued(step.record(), exports=exports))
        if step.outcome is ExportOutcome.WRITTEN:
            step.place.put(step.entry.key, step.entry.value)


def _prefixes(
    organizations: Sequence[str], owners: Mapping[str, str], *, settings: Settings
) -> Iterator[str]:
    """Yield a prefix of each organization's token; a general token may serve some of them."""
    for name in organizations:
        own = [prefix for prefix, owner in owners.items() if owner == name]
        general = settings.repo_url.rstrip("/") in owners
        if not (own or general):
            raise NoToken.for_organization(name, known=set(owners.values()))
        yield from own or [organization_prefix(settings.repo_url, name)]


def _step(
    entry: Entry, grant: Grant, *, target: Target, place: Place, known: Record | None
) -> Step:
    place.prepare(entry.key)
    held = place.held(entry.key)
    there = None if held is None else target.secret_in(held)
    is_own = held is None or (known is not None and known.is_of(there))
    if not is_own and held != entry.value:
        raise _occupied(place, entry, target=target, by="another credential")
    if is_own and known and there not in (None, grant.secret) and known.token != grant.token.key:
        raise _occupied(place, entry, target=target, by=f"the token of {known.organization}")
    return Step(
        target=target,
        place=place,
        entry=entry,
        grant=grant,
        outcome=ExportOutcome.UNCHANGED if held == entry.value else ExportOutcome.WRITTEN,
        is_own=is_own,
        former_mark=there.mark if there else "",
    )


def _occupied(place: Place, entry: Entry, *, target: Target, by: str) -> ConfigurationError:
    return ConfigurationError(
        Path(place.name),
        reason=f"already contains {by} for {entry.key}, and {target.name} can store only one "
        "there; nothing was changed",
        hint=f"To make room: conda token export {target.name} --remove"
        if by.startswith("the token")
        else "Remove that credential first.",
    )


def _continued(record: Record, *, exports: ExportRecord) -> Record:
    """Return ``record`` with what an earlier export to the same place created."""
    created = (
        one.created for one in exports.records() if one.place == record.place and one.created
    )
    return replace(record, created=next(created, record.created))
