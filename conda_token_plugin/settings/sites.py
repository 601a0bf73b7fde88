"""The site that a process uses: an organization service with its repository, under one name.

First match:

1. the one that ``--at`` or ``CONDA_TOKEN_SITE`` names
2. ``CONDA_TOKEN_SERVICE_URL`` with ``CONDA_TOKEN_REPO_URL``
3. ``ANACONDA_AUTH_DOMAIN``
4. ``ANACONDA_DEFAULT_SITE``, ``default_site``, or the first of ``[sites]`` (``site_file``)
5. ``[plugin.auth]``
6. https://anaconda.com

3 and 4 may be mounted as files in place of variables (``Paths.given``), as in anaconda-auth.

The file ``.env`` of the working folder, which anaconda-auth also reads, is ignored: it may
come from a stranger's repository.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.settings.paths import shown
from conda_token_plugin.settings.site import (
    REPO_URL,
    SITES,
    Config,
    address,
    at_domain,
    built_in,
    host_of,
)

if TYPE_CHECKING:
    from conda_token_plugin.settings.paths import Paths
    from conda_token_plugin.settings.site import Site


SERVICE, REPO = "CONDA_TOKEN_SERVICE_URL", "CONDA_TOKEN_REPO_URL"
CHOICE, DEFAULT = "CONDA_TOKEN_SITE", "ANACONDA_DEFAULT_SITE"


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
    wanted = name or settings.variables.get(CHOICE, "").strip()
    if not wanted:
        return default(settings)
    return _named(wanted, all_sites(settings), source="" if name else CHOICE)


def default(settings: Paths) -> Site:
    """Return the site that applies if none is named. ``ANACONDA_AUTH_API_KEY`` belongs to it.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    repo_url, service_url = settings.variables.get(REPO), settings.variables.get(SERVICE)
    site = (
        at_domain(service_url, source=SERVICE)._replace(repo_url=REPO_URL)
        if service_url
        else of_anaconda_auth(settings)
    )
    return site._replace(repo_url=f"{address(repo_url, source=REPO)}/") if repo_url else site


def all_sites(settings: Paths) -> tuple[Site, ...]:
    """Return every known site, the default first. A default that is not defined is left out.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``chosen``.
    """
    from conda_token_plugin.errors.input import UnknownSite

    known: list[Site] = []
    with suppress(UnknownSite):
        known.append(default(settings))
    known += [*_config(settings).sites.values(), built_in()]
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
        site = at_domain(host_of(domain, source=source), source=source)
        same = (one for one in (*known, config.auth) if one.service_url == site.service_url)
        found = next(same, None)
        if found is not None:
            return found._replace(source=source)
        return site._replace(
            ssl_verify=config.auth.ssl_verify,
            client_id=config.auth.client_id,
            options=config.auth.options,
        )
    name, source = settings.given(DEFAULT)
    if not name:
        name, source = config.default, f"default_site in {settings.sites_file}"
    if name:
        return _named(name, (*known, built_in()), source=source)
    return next(iter((*known, config.auth)))


def _config(settings: Paths) -> Config:
    """Return what the configuration file of anaconda-auth and ``ANACONDA_SITES`` define."""
    path, more = settings.sites_file, settings.variables.get(SITES, "")
    try:
        status = path.stat()
    except (OSError, ValueError):  # missing, or a folder that this user may not enter
        status = None
    if status is None and not more:
        return Config("", {}, built_in())
    from conda_token_plugin.settings.site_file import read

    if status is None:
        return read(None, 0, 0, more)
    return read(path, status.st_mtime_ns, status.st_size, more)


def _named(name: str, known: tuple[Site, ...], *, source: str) -> Site:
    """Return the site of that name, or the only site of that domain.

    Raises:
        UnknownSite: There is no such site, or there are several of that domain.
    """
    for site in known:
        if site.name == name:
            return site
    same = [site for site in known if urlsplit(site.service_url).netloc == name.lower()]
    if len(same) == 1:
        return same[0]
    from conda_token_plugin.errors.input import UnknownSite

    raise UnknownSite(
        shown(name), source=source, known=[site.name for site in same or known], several=bool(same)
    )
