"""The credentials that providers supply: run the command, check its output, and cache it.

A process runs the command of a provider when the first request needs its credential. Other threads
wait for that. The result is cached in memory until shortly before it expires; without an expiry,
until the process ends. A failure is remembered until the process ends, so that it costs one time
limit and one warning; a credential that is still valid is used until it expires. If a server
refuses a credential that is older than a minute, the command is run again.

Of the headers of a response only ``Authorization`` is used, because redirects to another host drop
it. Nothing of the output is written to a log, an error or a file.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NothingSupplied, ProviderFailed
from conda_token_plugin.gateways.command import CommandFailed, output_of
from conda_token_plugin.tokens.authorization import secret_type
from conda_token_plugin.tokens.credential_helper import GET, format_request, parse_response
from conda_token_plugin.tokens.provider import PRINTS_TOKEN
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.secret import HeaderSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.credential_helper import Response
    from conda_token_plugin.tokens.provider import Provider
    from conda_token_plugin.tokens.secret import HiddenText, Secret

RUNNING = "CONDA_TOKEN_PROVIDER"
"""The variable by which a command finds out that it runs as a provider. A conda that it starts
asks no provider, because that could run the same command again, without end."""
RENEW_BEFORE = timedelta(minutes=1)
"""How long before its expiry a credential is obtained again; at most a tenth of its lifetime."""
TRUST_FOR = timedelta(minutes=1)
"""The age of a credential from which on a refusal by a server has the command run again."""


class ProviderResult(NamedTuple):
    """What a provider has supplied."""

    secret: Secret | None
    """None if the provider says that no credential is needed."""
    expires: datetime | None = None
    renew: datetime | None = None
    """From when on the provider is asked again. None: never."""
    ignored: int = 0
    """The number of other headers in the response."""


def ask(provider: Provider, *, settings: Settings, now: datetime) -> ProviderResult:
    """Run the command of ``provider`` and return what it supplies.

    Raises:
        ProviderFailed: The command failed, or its output is not valid. The message contains
            nothing of the output.
    """
    bare = provider.prints == PRINTS_TOKEN
    try:
        output = output_of(
            provider.command if bare else (*provider.command, GET),
            request="" if bare else format_request(provider.scope),
            seconds=provider.seconds,
            settings=settings,
            variables={RUNNING: provider.name},
        )
        return _from_secret(provider, output) if bare else _from_response(provider, output, now=now)
    except CommandFailed as error:
        raise ProviderFailed(provider.name, reason=f"the command {error}") from None
    except BadInput as error:  # also a secret with characters that cannot be sent
        raise ProviderFailed(provider.name, reason=_as_reason(error)) from None


def cached_result(provider: Provider, *, settings: Settings) -> CachedResult:
    """Return the cached result of ``provider``. Its command is run when the secret is needed."""
    return CachedResult(provider, ask=partial(ask, settings=settings), clock=_now)


class CachedResult:
    """The result of one provider, for all threads of a process."""

    def __init__(
        self,
        provider: Provider,
        *,
        ask: Callable[..., ProviderResult],
        clock: Callable[[], datetime],
    ) -> None:
        """Do no I/O.

        Args:
            provider: The provider.
            ask: Takes the provider, and ``now``; returns its result or raises ProviderFailed.
            clock: Returns the current time, aware, UTC.
        """
        self._provider = provider
        self._ask = ask
        self._clock = clock
        self._lock = Lock()
        self._result: ProviderResult | None = None
        self._since: datetime | None = None
        """When the command was last run."""
        self._failure = ""

    def secret(self) -> Secret:
        """Return the credential. Run the command first if no result is cached, or it expires soon.

        Raises:
            ProviderFailed: The command has failed, now or before.
            NothingSupplied: The provider says that no credential is needed.
        """
        with self._lock:
            now = self._clock()
            if not self._failure and self._is_due(now):
                self._since = now
                try:
                    self._result = self._ask(self._provider, now=now)
                except ProviderFailed as error:
                    self._failure = error.reason
            result = self._result
        if result is None or (result.expires is not None and result.expires <= now):
            raise ProviderFailed(self._provider.name, reason=self._failure)
        if result.secret is None:
            raise NothingSupplied(self._provider.name, scope=self._provider.scope)
        return result.secret

    def expires(self) -> datetime | None:
        """Return when the last result expires. None: there is none, or it does not say."""
        result = self._result
        return result.expires if result else None

    def discard(self, was_refused: Callable[[Secret], bool]) -> None:
        """Have the command run for the next request, because a server has refused the credential.

        It may have been revoked, or have expired without a notice. A credential younger than
        ``TRUST_FOR`` stays, so that a wrong one does not run the command for each request. So does
        one that another thread obtained while the request was under way.

        ``was_refused`` returns True for the secret that the server has refused.
        """
        with self._lock:
            now, result = self._clock(), self._result
            is_old = self._since is not None and now - self._since >= TRUST_FOR
            if is_old and result and result.secret and was_refused(result.secret):
                self._result = result._replace(renew=now)

    def _is_due(self, now: datetime) -> bool:
        result = self._result
        return result is None or (result.renew is not None and result.renew <= now)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _from_secret(provider: Provider, output: HiddenText) -> ProviderResult:
    """Return the secret that a command prints alone, without the line break at its end."""
    return ProviderResult(secret_type(provider.scheme)(output.strip("\r\n")))


def _from_response(provider: Provider, output: HiddenText, *, now: datetime) -> ProviderResult:
    """Return the credential of a response of the credential-helper protocol."""
    response = parse_response(output)
    _refuse_other_uri(provider, output)
    if response.expires is not None and response.expires <= now:
        raise ProviderFailed(provider.name, reason="its response has already expired")
    values = [
        value
        for name, some in response.headers.items()
        if name.lower() == "authorization"
        for value in some
    ]
    if len(values) > 1:
        raise ProviderFailed(provider.name, reason="its response has two Authorization headers")
    others = sum(bool(some) for some in response.headers.values()) - len(values)
    if others and not values:
        raise ProviderFailed(
            provider.name,
            reason="its response has no Authorization header, which is the only one that is sent",
        )
    secret = HeaderSecret(values[0].encode().decode()) if values else None
    return ProviderResult(secret, response.expires, _renewal(response, now=now), others)


def _refuse_other_uri(provider: Provider, output: HiddenText) -> None:
    """Refuse a response that names a URI outside of the scope of the provider.

    The protocol has no such property; a helper that repeats the URI was asked for another one.

    Raises:
        ProviderFailed: The response does.
    """
    document: Mapping[str, object] = json.loads(output)
    uri = document.get("uri")
    if isinstance(uri, str) and longest_prefix(uri, among={provider.scope}) is None:
        raise ProviderFailed(provider.name, reason="its response is for another URI")


def _renewal(response: Response, *, now: datetime) -> datetime | None:
    """Return when to ask again: a tenth of the lifetime before its end, at most a minute."""
    if response.expires is None:
        return None
    return response.expires - min(RENEW_BEFORE, (response.expires - now) / 10)


def _as_reason(error: BadInput) -> str:
    """Return the sentence of ``error`` as the end of another one."""
    text = error.what.rstrip(".")
    return f"{text[:1].lower()}{text[1:]}"
