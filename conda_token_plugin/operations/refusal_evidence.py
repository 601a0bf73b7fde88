"""What is known about a request that a channel refused. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.tokens import repository_layout
from conda_token_plugin.tokens.authorization import asked_for
from conda_token_plugin.tokens.scope import channel_of, longest_prefix, without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from conda_token_plugin.errors.organization import OrganizationError
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.reconcile import SyncOutcome
    from conda_token_plugin.tokens.token import Token

INTERCEPTORS = re.compile(
    r"squid|zscaler|blue\s?coat|mcafee|skyhigh|fortigate|fortinet|forcepoint|websense|ironport"
    r"|sophos|barracuda|netskope|checkpoint|palo ?alto|umbrella|mitmproxy",
    re.IGNORECASE,
)
"""Names of proxies and firewalls in the headers of their own error pages."""
NAMING_HEADERS = ("server", "via", "x-squid-error", "x-cache", "proxy-agent", "x-zscaler-cloud")
SHARED = "(shared)"
"""In place of the owner of a channel that belongs to no organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRefusal:
    """A refused request."""

    url: str
    """Without secrets."""
    status: int
    interceptor: str = ""
    """The proxy or firewall that responded instead of the repository, by a header."""
    page: bool = False
    """Whether the response is a web page."""
    own_credentials: bool = False
    asked: tuple[str, ...] = ()
    """The schemes of ``AuthScheme`` that the server asked for."""

    @property
    def channel(self) -> str:
        """The URL of the channel: without subdir and file."""
        return channel_of(self.url)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the servers reported about a token. ``None``: not asked, or no response."""

    elsewhere: bool | None = None
    """Whether the repository accepts the token for another channel."""
    outcome: SyncOutcome | None = None
    """The result of the comparison with the service."""
    service_refused: OrganizationError | None = None
    """The error with which the service refused the comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known about a refusal. ``None`` for what is not known."""

    refusal: ChannelRefusal
    now: datetime
    organization: str = ""
    """The owner of the channel; ``SHARED`` for all organizations, "" outside of the repository."""
    token: Token | None = None
    source: str = ""
    site: str = ""
    """The site of the login that was refused, if it is not the default one."""
    also: str = ""
    """A sentence about another credential that was sent, with a leading space; or ""."""
    answers: Answers = Answers()
    sent: bool = True
    """Whether conda is configured to ask this plugin about the URL."""
    closed_to: str | None = None
    """The group that may read the machine's token for the URL, if the user is not in it."""
    public: bool = False
    """Whether the server returns the file if no token is sent."""


def refusal_of(url: str, *, status: int, headers: Mapping[str, str]) -> ChannelRefusal:
    """Return the facts of a response."""
    reported = [headers.get(name, "") for name in NAMING_HEADERS]
    named = next((match for text in reported if (match := INTERCEPTORS.search(text))), None)
    clean = without_secrets(url)
    return ChannelRefusal(
        url=clean,
        status=status,
        interceptor=named[0] if named else "",
        page="html" in headers.get("content-type", ""),
        own_credentials=clean != url.partition("?")[0].partition("#")[0],
        asked=asked_for(headers.get("www-authenticate", "")),
    )


def organization_of(url: str, *, settings: Settings) -> str:
    """Return the organization that ``url`` belongs to; ``SHARED``; or "" outside the repository."""
    repository = settings.repo_url.rstrip("/")
    if longest_prefix(url, among={repository}) is None:
        return ""
    return repository_layout.organization_of(channel_of(url), repository=repository) or SHARED
