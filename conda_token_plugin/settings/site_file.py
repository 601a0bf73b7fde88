"""Sites, and those that the configuration file of anaconda-auth defines.

The file is ``~/.anaconda/config.toml``, or the one that ``ANACONDA_CONFIG_TOML`` names, read as
anaconda-auth 0.15.3 and ``ana`` read it (``config.py``)::

    default_site = "corp"

    [sites.corp]
    domain = "anaconda.corp.example"    # with or without https://
    api_key = "…"
    ssl_verify = "/etc/ssl/corp.pem"    # or true, false, "truststore"
    client_cert = "…"                   # also client_cert_key, proxy_servers, extra_headers
    client_id = "…"                     # the OAuth client of a login
    repo_url = "https://…"              # only this plugin reads it

    [plugin.auth]                       # without [sites]: the only site
    domain = "…"
    api_key = "…"
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from conda_token_plugin.errors import CREDENTIAL_FORMAT
from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conda_token_plugin.tokens.secret import Secret

ANACONDA = "anaconda.com"
FORMER_DOMAINS = ("anaconda.cloud", "id.anaconda.cloud")
"""Domains under which https://anaconda.com was reached before (anaconda-auth 0.15.3)."""
SERVICE_URL = "https://anaconda.com"
REPO_URL = "https://repo.anaconda.cloud/repo/"
TOKEN_LENGTH = 48
"""Characters of today's tokens; API keys are longer."""
MAX_SIZE = 1024 * 1024
"""Bytes of the configuration file that are read."""
MAX_DOTS = 1000
"""Dots in one of its lines. tomllib takes 7 seconds for a key of 32,000 parts (Python 3.11)."""
NETWORK = ("client_cert", "client_cert_key", "proxy_servers", "extra_headers")


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
    network: Mapping[str, Any] = MappingProxyType({})
    """Used where conda cannot be imported: the values of ``NETWORK`` that the file has."""

    @property
    def key_prefix(self) -> str | None:
        """The prefix of the channels that an API key of this site may be sent to, or None.

        It is the path of the site's repository and never a whole host. The hosted repository
        belongs to https://anaconda.com, so that no other service's key is sent there.
        """
        is_foreign = self.repo_url == REPO_URL and self.service_url != SERVICE_URL
        prefix = self.repo_url.rstrip("/")
        return None if is_foreign or not urlsplit(prefix).path else prefix


class _Private(dict[str, Any]):
    """A table that may contain passwords, which its representation does not show."""

    def __repr__(self) -> str:
        return "{…}"


class Config(NamedTuple):
    """What the file defines."""

    default: str
    sites: dict[str, Site]
    auth: Site | None
    """The site of ``[plugin.auth]``."""


def at_domain(domain: str, *, source: str, name: str = "") -> Site:
    """Return the site of a service, with its usual repository. Raises as ``address``."""
    service_url = address(domain)
    host = urlsplit(service_url).netloc
    if host in FORMER_DOMAINS:
        service_url, host = SERVICE_URL, ANACONDA
    repo_url = REPO_URL if service_url == SERVICE_URL else f"{service_url}/api/repo/"
    return Site(name=name or host, service_url=service_url, repo_url=repo_url, source=source)


def address(text: str) -> str:
    """Return an address without a final slash; a bare host gets https.

    A host needs a dot, so that a token in the wrong variable is not treated as a host.

    Raises:
        MalformedURL: It is no https (or loopback) URL, or it contains a token, which would be
            looked up as a host name or sent in a path.
    """
    text = text.strip()
    # Compiling the pattern takes a request longer than all else here, so short texts are skipped.
    if len(text) >= TOKEN_LENGTH and re.search(CREDENTIAL_FORMAT, text):
        from conda_token_plugin.errors.input import MalformedURL

        raise MalformedURL("…", "it contains a token or key")
    is_host = re.match(_BARE_HOST, text)
    return normalised(f"https://{text}" if is_host else text)


def read(path: Path) -> Config:
    """Return what the file defines, nothing if there is none. A version of it is read once.

    Raises:
        ConfigurationError: It cannot be read.
        MalformedURL, MalformedToken: An address or a key in it cannot be used.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):  # missing, or a folder that this user may not enter
        return Config("", {}, None)
    return _parsed(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _parsed(path: Path, _modified: int, _size: int) -> Config:
    """Read a version of the file, once."""
    whole = _toml(path)
    source = str(path)
    sites = {
        str(name): _site(table, source=source, name=str(name))
        for name, table in _table(whole, "sites").items()
        if isinstance(table, dict)
    }
    auth = _table(_table(whole, "plugin"), "auth")
    default_site = whole.get("default_site")
    return Config(
        default=default_site if isinstance(default_site, str) else "",
        sites=sites,
        auth=_site(auth, source=source) if auth else None,
    )


def _toml(path: Path) -> dict[str, Any]:
    from conda_token_plugin.errors.input import ConfigurationError

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if not path.is_file():
        raise ConfigurationError(path, reason="is no regular file", hint="Move it away.")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SIZE).decode("utf-8-sig")
        if all(line.count(".") <= MAX_DOTS for line in text.split("\n")):
            return tomllib.loads(text)
        reason = f"has more than {MAX_DOTS} dots in one line"
    except OSError as error:  # not permitted
        reason = f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError):  # no TOML, no UTF-8; the error may quote the API key
        reason = "is not valid TOML"
    raise ConfigurationError(
        path, reason=reason, hint="Correct the file, then run this command again."
    )


def _table(whole: dict[str, Any], name: str) -> dict[str, Any]:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _site(table: dict[str, Any], *, source: str, name: str = "") -> Site:
    """Return the site of one table. Values of a wrong type count as missing."""
    from conda_token_plugin.settings.secret_files import secret_of

    domain = table.get("domain")
    site = at_domain(domain if isinstance(domain, str) else SERVICE_URL, source=source, name=name)
    key, verify, repo_url = table.get("api_key"), table.get("ssl_verify"), table.get("repo_url")
    client_id = table.get("client_id")
    return site._replace(
        api_key=secret_of(key, where=source) if isinstance(key, str) and key else None,
        ssl_verify=verify if isinstance(verify, (bool, str)) else True,
        client_id=client_id if isinstance(client_id, str) else "",
        network=_Private((name, table[name]) for name in NETWORK if name in table),
        repo_url=f"{address(repo_url)}/" if isinstance(repo_url, str) else site.repo_url,
    )
