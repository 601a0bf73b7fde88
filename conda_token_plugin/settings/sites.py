"""The site that a process uses: an organization service with its repository, under one name.

First match:

1. the one that ``--at`` or ``CONDA_TOKEN_SITE`` names
2. ``CONDA_TOKEN_SERVICE_URL`` with ``CONDA_TOKEN_REPO_URL``
3. ``ANACONDA_AUTH_DOMAIN``
4. ``ANACONDA_DEFAULT_SITE``, ``default_site``, or the first of ``[sites]`` (``site_file``)
5. ``[plugin.auth]``
6. https://anaconda.com

The file ``.env`` of the working folder, which anaconda-auth reads as well, is ignored: it may
come from a stranger's repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.settings.paths import shown
from conda_token_plugin.settings.site_file import REPO_URL, SERVICE_URL, address, at_domain, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conda_token_plugin.settings.site_file import Config, Site


def chosen(variables: Mapping[str, str], *, config: Path, name: str = "") -> Site:
    """Return the site that this process uses.

    Args:
        variables: The environment variables.
        config: anaconda-auth's configuration file.
        name: The value of ``--at``. Empty: ``CONDA_TOKEN_SITE``, or the default.

    Raises:
        BadInput: There is no site of that name.
        MalformedURL: An address cannot be used.
        ConfigurationError: The configuration file cannot be read.
    """
    wanted = name or variables.get("CONDA_TOKEN_SITE", "").strip()
    if not wanted:
        return default(variables, config=config)
    return _named(wanted, all_sites(variables, config=config))


def default(variables: Mapping[str, str], *, config: Path) -> Site:
    """Return the site that applies if none is named. ``ANACONDA_AUTH_API_KEY`` belongs to it.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    repo_url = variables.get("CONDA_TOKEN_REPO_URL")
    service_url = variables.get("CONDA_TOKEN_SERVICE_URL")
    site = (
        at_domain(service_url, source="CONDA_TOKEN_SERVICE_URL")._replace(repo_url=REPO_URL)
        if service_url
        else _of_anaconda_auth(variables, config=read(config))
    )
    return site._replace(repo_url=f"{address(repo_url)}/") if repo_url else site


def all_sites(variables: Mapping[str, str], *, config: Path) -> tuple[Site, ...]:
    """Return every known site, the default first.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    first = default(variables, config=config)
    known = [first, *read(config).sites.values(), at_domain(SERVICE_URL, source="built in")]
    names: dict[str, Site] = {}
    for site in known:
        names.setdefault(site.name, site)
    return tuple(names.values())


def _of_anaconda_auth(variables: Mapping[str, str], *, config: Config) -> Site:
    """Return the site that anaconda-auth uses."""
    known = tuple(config.sites.values())
    domain = variables.get("ANACONDA_AUTH_DOMAIN")
    if domain:
        site = at_domain(domain, source="ANACONDA_AUTH_DOMAIN")
        tables = (*known, config.auth) if config.auth else known
        same = (one for one in tables if one.service_url == site.service_url)
        found = next(same, site)
        return found._replace(source=site.source)
    name = variables.get("ANACONDA_DEFAULT_SITE") or config.default
    if name:
        return _named(name, (*known, at_domain(SERVICE_URL, source="built in")))
    return next(iter((*known, config.auth or at_domain(SERVICE_URL, source="built in"))))


def _named(name: str, known: tuple[Site, ...]) -> Site:
    """Return the site of that name, or the only site of that domain."""
    for site in known:
        if site.name == name:
            return site
    same = [site for site in known if urlsplit(site.service_url).netloc == name.lower()]
    if len(same) == 1:
        return same[0]
    from conda_token_plugin.errors.input import BadInput

    raise BadInput(
        f"No site is called {shown(name)}. Known: {', '.join(site.name for site in known)}.",
        hint="Run: conda token sites",
    )
