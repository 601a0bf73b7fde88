"""A site: an organization service and its repository, and the texts that can name its address."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from conda_token_plugin.errors import CREDENTIAL_FORMAT, TokenPluginError
from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.tokens.secret import Secret

ANACONDA = "anaconda.com"
FORMER_DOMAINS = ("anaconda.cloud", "id.anaconda.cloud")
"""Domains under which https://anaconda.com was reached before (anaconda-auth 0.15.3)."""
SERVICE_URL = "https://anaconda.com"
SITES = "ANACONDA_SITES"
"""The variable with sites, as JSON."""
REPO_URL = "https://repo.anaconda.cloud/repo/"
TOKEN_LENGTH = 48
"""Characters of today's tokens; API keys are longer."""
_BARE_HOST = r"(localhost|(?=[^/:\s]+\.[^/:\s])[^/:\s]+)(:\d+)?(/|$)"
"""A host with a dot inside. Without the lookahead, its work grows with the square of the text."""


class Site(NamedTuple):
    """An organization service and its repository. Logins and tokens belong to one site."""

    name: str
    service_url: str
    """Without a final slash."""
    repo_url: str
    """With a final slash."""
    source: str
    """Where the site is defined: a variable or a file."""
    ssl_verify: bool | str = True
    """Used where conda cannot be imported."""
    api_key: Secret | None = None
    """The key in the configuration file, which belongs to this site only."""
    client_id: str = ""
    """The OAuth client of a login. Empty: Anaconda's public one."""
    options: Mapping[str, Any] = MappingProxyType({})
    """The values of ``OPTIONS`` that the file has."""

    @property
    def key_prefix(self) -> str | None:
        """The prefix of the channels that an API key of this site may be sent to, or None.

        It is the path of the site's repository and never a whole host. The hosted repository
        belongs to https://anaconda.com, so that no other service's key is sent there.
        """
        is_foreign = self.repo_url == REPO_URL and self.service_url != SERVICE_URL
        prefix = self.repo_url.rstrip("/")
        return None if is_foreign or not urlsplit(prefix).path else prefix


class Config(NamedTuple):
    """What the file defines."""

    default: str
    sites: dict[str, Site]
    auth: Site
    """The site of ``[plugin.auth]``; without that table https://anaconda.com."""


def at_domain(domain: str, *, source: str, name: str = "") -> Site:
    """Return the site of a service, with its default repository. Raises as ``address``."""
    service_url = address(domain, source=source)
    host = urlsplit(service_url).netloc
    if host in FORMER_DOMAINS:
        service_url, host = SERVICE_URL, ANACONDA
    repo_url = REPO_URL if service_url == SERVICE_URL else f"{service_url}/api/repo/"
    return Site(name=name or host, service_url=service_url, repo_url=repo_url, source=source)


def address(text: str, *, source: str) -> str:
    """Return an address without a final slash; a bare host gets https.

    A host needs a dot, so that a token in the wrong variable is not treated as a host.

    Raises:
        MalformedURL: It is not an https (or loopback) URL, or it contains a token, which would be
            looked up as a host name or sent in a path.
    """
    text = text.strip()
    # Compiling the pattern takes a request longer than all else here, so short texts are skipped.
    if len(text) >= TOKEN_LENGTH and re.search(CREDENTIAL_FORMAT, text):
        from conda_token_plugin.errors.input import MalformedURL

        raise MalformedURL("…", "it contains a token or key", setting=source)
    is_host = re.match(_BARE_HOST, text)
    try:
        return normalised(f"https://{text}" if is_host else text)
    except TokenPluginError as error:
        raise _in_setting(error, source=source) from None


def _in_setting(error: TokenPluginError, *, source: str) -> TokenPluginError:
    from conda_token_plugin.errors.input import MalformedURL  # every first request would import it

    if not isinstance(error, MalformedURL):
        return error
    return MalformedURL(error.url, error.fault, setting=source)


def host_of(domain: str, *, source: str) -> str:
    """Return the address of a domain of anaconda-auth, which ignores the path of a URL.

    It also ignores the scheme; here http is kept for this machine itself.

    Raises:
        MalformedURL: As ``address``.
    """
    try:
        parts = urlsplit(address(domain, source=source))
    except TokenPluginError:
        encrypted = re.sub(r"^\s*http://", "https://", domain, flags=re.IGNORECASE)
        parts = urlsplit(address(encrypted, source=source))
    return f"{parts.scheme}://{parts.netloc}"


def verified_by(value: bool | str) -> bool | str:  # noqa: FBT001  # a value of a setting
    """Return the value of ``ssl_verify``: words for true and false, or a path or ``truststore``."""
    if isinstance(value, bool):
        return value
    return {"0": False, "false": False, "1": True, "true": True}.get(value.lower(), value)


def built_in() -> Site:
    """Return https://anaconda.com."""
    return at_domain(SERVICE_URL, source="built in")
