"""List the sites. A site is a service and its repository, under one name.

Examples:
  conda token sites
  conda token sites --at corp --json

Sites are read from CONDA_TOKEN_SERVICE_URL and CONDA_TOKEN_REPO_URL, from the variables of
anaconda-auth, and from ~/.anaconda/config.toml. To choose one, use the option --at of any
command, or CONDA_TOKEN_SITE. No request is made. A login or an API key of one site is
never sent to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import UnknownSite

if TYPE_CHECKING:
    from typing import Any

    from conda_token_plugin.cli.context import CommandContext


def run(call: CommandContext) -> int:
    """Print one row for each site; the chosen one is marked.

    The sites are also listed if a variable or the file chooses one that is not known.

    Raises:
        BadInput: The site of ``--at`` is not known, or a setting of a site cannot be read.
        ConfigurationError: The configuration file cannot be read.
    """
    chosen, given = "", ("", "")
    try:
        given = call.settings.default_site.service_url, call.settings.api_key_source() or ""
        chosen = call.settings.site.name
    except UnknownSite as error:
        if call.args.at:
            raise
        call.printer.warn(error.what)
    logins = call.store().logins()
    values = [
        {
            "site": site.name,
            "chosen": site.name == chosen,
            "service": site.service_url,
            "repository": site.repo_url,
            "login": site.service_url in logins,
            "variable": given[1] if site.service_url == given[0] else "",
            "api_key": site.api_key is not None,
            "source": site.source,
        }
        for site in call.settings.sites()
    ]
    call.printer.table([_row(value) for value in values], value=values)
    return 0


def _row(value: dict[str, Any]) -> dict[str, str]:
    kept = ("stored",) if value["login"] else ()
    given = (value["variable"],) if value["variable"] else ()
    configured = ("configured",) if value["api_key"] else ()
    return {
        "site": f"{value['site']}{' (chosen)' if value['chosen'] else ''}",
        "service": value["service"],
        "repository": value["repository"],
        "login": ", ".join((*given, *kept, *configured)) or "-",
        "defined in": value["source"],
    }
