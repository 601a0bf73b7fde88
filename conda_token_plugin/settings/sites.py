"""The site that a process uses: an organization service with its repository, under one name.

First match:

1. the one that ``--at`` or ``CONDA_TOKEN_SITE`` names
2. ``CONDA_TOKEN_SERVICE_URL`` with ``CONDA_TOKEN_REPO_URL``
3. ``ANACONDA_AUTH_DOMAIN``
4. ``ANACONDA_DEFAULT_SITE``, ``default_site``, or the first of ``[sites]`` (``site_file``)
5. ``[plugin.auth]``
6. https://anaconda.com

3 and 4 may be mounted as files in place of variables (``Paths.given``), as in anaconda-auth.

The file ``.env`` of the working folder, which anaconda-auth reads as well, is ignored: it may
come from a stranger's repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.settings.paths import shown
from conda_token_plugin.settings.site_file import (
    REPO_URL,
    SERVICE_URL,
    SITES,
    address,
    at_domain,
    host_of,
    read,
)

if TYPE_CHECKING:
    from conda_token_plugin.settings.paths import Paths
    from conda_token_plugin.settings.site_file import Config, Site


def chosen(settings: Paths, *, name: str = "") -> Site:
    """Return the site that this process uses.

    Args:
        settings: The variables, and the paths that they decide.
        name: The value of ``--at``. Empty: ``CONDA_TOKEN_SITE``, or the default.

    Raises:
        BadInput: There is no site of that name.
        MalformedURL: An address cannot be used.
        ConfigurationError: The configuration file cannot be read.
    """
    wanted = name or settings.variables.get("CONDA_TOKEN_SITE", "").strip()
    if not wanted:
        return default(settings)
    return _named(wanted, all_sites(settings))


def default(settings: Paths) -> Site:
    """Return the site that applies if none is named. ``ANACONDA_AUTH_API_KEY`` belongs to it.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    repo_url = settings.variables.get("CONDA_TOKEN_REPO_URL")
    service_url = settings.variables.get("CONDA_TOKEN_SERVICE_URL")
    site = (
        at_domain(service_url, source="CONDA_TOKEN_SERVICE_URL")._replace(repo_url=REPO_URL)
        if service_url
        else of_anaconda_auth(settings)
    )
    return site._replace(repo_url=f"{address(repo_url)}/") if repo_url else site


def all_sites(settings: Paths) -> tuple[Site, ...]:
    """Return every known site, the default first.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    known = [default(settings), *_config(settings).sites.values(), _built_in()]
    names: dict[str, Site] = {}
    for site in known:
        names.setdefault(site.name, site)
    return tuple(names.values())


def of_anaconda_auth(settings: Paths) -> Site:
    """Return the site that anaconda-auth uses.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    config = _config(settings)
    known = tuple(config.sites.values())
    domain, source = settings.given("ANACONDA_AUTH_DOMAIN")
    if domain:
        site = at_domain(host_of(domain), source=source)
        same = (one for one in (*known, config.auth) if one.service_url == site.service_url)
        found = next(same, None)
        if found is not None:
            return found._replace(source=source)
        return site._replace(
            ssl_verify=config.auth.ssl_verify,
            client_id=config.auth.client_id,
            options=config.auth.options,
        )
    name = settings.given("ANACONDA_DEFAULT_SITE")[0] or config.default
    if name:
        return _named(name, (*known, _built_in()))
    return next(iter((*known, config.auth)))


def _config(settings: Paths) -> Config:
    return read(settings.sites_file, more=settings.variables.get(SITES, ""))


def _built_in() -> Site:
    return at_domain(SERVICE_URL, source="built in")


def _named(name: str, known: tuple[Site, ...]) -> Site:
    """Return the site of that name, or the only site of that domain."""
    for site in known:
        if site.name == name:
            return site
    same = [site for site in known if urlsplit(site.service_url).netloc == name.lower()]
    if len(same) == 1:
        return same[0]
    from conda_token_plugin.errors.input import BadInput

    names = ", ".join(site.name for site in same or known)
    fault = f"Several sites have the domain {shown(name)}: {names}."
    raise BadInput(
        fault if same else f"No site is called {shown(name)}. Known: {names}.",
        hint="Name the site as: --at NAME" if same else "Run: conda token sites",
    )
