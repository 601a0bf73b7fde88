"""List the sites: each is a service with its repository, under one name.

Examples:
  conda token sites
  conda token sites --at corp --json

They are read from CONDA_TOKEN_SERVICE_URL and CONDA_TOKEN_REPO_URL, from the variables of
anaconda-auth, and from ~/.anaconda/config.toml. --at, an option of every command, or
CONDA_TOKEN_SITE chooses one. It makes no request. A login or API key of one site is never
sent to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.settings.site_file import Site


def run(call: CommandContext) -> int:
    """Print one row for each site; the chosen one is marked.

    Raises:
        BadInput: The chosen site is not known.
        ConfigurationError: The configuration file cannot be read.
    """
    chosen = call.settings.site
    logins = call.store().logins()
    values = [
        _value(site, is_chosen=site.name == chosen.name, logged_in=site.service_url in logins)
        for site in call.settings.sites()
    ]
    call.printer.table([_row(value) for value in values], value=values)
    return 0


def _value(site: Site, *, is_chosen: bool, logged_in: bool) -> dict[str, Any]:
    return {
        "site": site.name,
        "chosen": is_chosen,
        "service": site.service_url,
        "repository": site.repo_url,
        "login": logged_in,
        "api_key": site.api_key is not None,
        "source": site.source,
    }


def _row(value: dict[str, Any]) -> dict[str, str]:
    kept = ("stored",) if value["login"] else ()
    configured = ("configured",) if value["api_key"] else ()
    return {
        "site": f"{value['site']}{' (chosen)' if value['chosen'] else ''}",
        "service": value["service"],
        "repository": value["repository"],
        "login": ", ".join((*kept, *configured)) or "-",
        "defined in": value["source"],
    }
