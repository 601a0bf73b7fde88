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

    keyring_path = "…"                  # the file with the logins; also keyring, its content

    [plugin.auth]                       # without [sites]: the only site
    domain = "…"
    api_key = "…"

A site has the values of ``[plugin.auth]`` that its own table lacks, but an API key and a repository
only if both have the same service. ``[plugin.cloud]`` is the former name of ``[plugin.auth]``.
``ANACONDA_SITES`` is a JSON object of tables, which replace or extend those of the file.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from conda_token_plugin.settings.site import (
    SERVICE_URL,
    SITES,
    Config,
    Site,
    address,
    at_domain,
    built_in,
    host_of,
    verified_by,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.tokens.secret import Secret

MAX_SIZE = 1024 * 1024
"""Bytes of the configuration file that are read."""
MAX_DOTS = 1000
"""Dots in one of its lines. tomllib takes 7 seconds for a key of 32,000 parts (Python 3.11)."""
OPTIONS = (
    *("client_cert", "client_cert_key", "proxy_servers", "extra_headers"),  # without conda
    *("keyring_path", "keyring"),
)
OF_ONE_SERVICE = ("api_key", "repo_url")
"""Values of ``[plugin.auth]`` that belong to its own service."""


class _Private(dict[str, Any]):
    """A table that may contain passwords, which its representation does not show."""

    def __repr__(self) -> str:
        return "{…}"


@lru_cache(maxsize=4)
def read(path: Path | None, _modified: int, _size: int, more: str) -> Config:
    """Return what a version of the file defines. It is read once.

    Args:
        path: The file. None: there is none.
        more: The value of ``ANACONDA_SITES``.

    Raises:
        ConfigurationError: The file cannot be read.
        BadInput: ``more`` is not a JSON object of objects, or a domain is not a string.
        MalformedURL, MalformedToken: An address or a key cannot be used.
    """
    whole = _toml(path) if path else {}
    plugin = _table(whole, "plugin")
    shared = {**_table(plugin, "auth"), **_table(plugin, "cloud")}
    auth = _site(shared, source=str(path)) if shared else built_in()
    default_site = whole.get("default_site")
    return Config(
        default=default_site if isinstance(default_site, str) else "",
        sites={
            name: _inheriting(table, shared=shared, auth=auth, name=name, source=source)
            for name, (table, source) in _site_tables(whole, more=more, path=path).items()
        },
        auth=auth,
    )


def _site_tables(
    whole: dict[str, Any], *, more: str, path: Path | None
) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the tables of the sites by name, each with where it is defined."""
    found = {
        str(name): (table, str(path))
        for name, table in _table(whole, "sites").items()
        if isinstance(table, dict)
    }
    for name, table in _json_tables(more).items():
        found[name] = ({**found.get(name, ({}, ""))[0], **table}, SITES)
    return found


def _json_tables(text: str) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and all(isinstance(table, dict) for table in found.values()):
        return found
    from conda_token_plugin.errors.input import BadInput

    raise BadInput(
        f"{SITES} is not a JSON object of sites.",
        hint=f"""Write it as: {SITES}='{{"NAME": {{"domain": "HOST"}}}}'""",
    )


def _inheriting(
    table: dict[str, Any], *, shared: dict[str, Any], auth: Site, name: str, source: str
) -> Site:
    """Return the site of ``table``, with the values of ``[plugin.auth]`` that it lacks."""
    general = {key: shared[key] for key in shared if key not in OF_ONE_SERVICE}
    site = _site({**general, **table}, source=source, name=name)
    if site.service_url != auth.service_url:
        return site
    return _site({**shared, **table}, source=source, name=name)


def _toml(path: Path) -> dict[str, Any]:
    from conda_token_plugin.errors.input import ConfigurationError

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    if not path.is_file():
        raise ConfigurationError(path, reason="is not a regular file", hint="Move it away.")
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
    """Return the site of one table. Values of a wrong type count as missing, but not a domain."""
    domain = table.get("domain", SERVICE_URL)
    if not isinstance(domain, str):  # not counted as missing, because the key is for that domain
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(
            f"The domain of a site in {source} is not a string.",
            hint='Write it as: domain = "HOST"',
        )
    site = at_domain(host_of(domain, source=source), source=source, name=name)
    key, verify, repo_url = table.get("api_key"), table.get("ssl_verify"), table.get("repo_url")
    client_id = table.get("client_id")
    return site._replace(
        api_key=_key(key, source=source) if isinstance(key, str) and key else None,
        ssl_verify=verified_by(verify) if isinstance(verify, (bool, str)) else True,
        client_id=client_id if isinstance(client_id, str) else "",
        options=_Private((name, table[name]) for name in OPTIONS if name in table),
        repo_url=f"{address(repo_url, source=source)}/"
        if isinstance(repo_url, str)
        else site.repo_url,
    )


def _key(text: str, *, source: str) -> Secret:
    from conda_token_plugin.settings.secret_files import secret_of

    return secret_of(text, where=source)
