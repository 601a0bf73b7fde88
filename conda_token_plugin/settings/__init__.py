"""The settings of a process: variables, paths (``paths``), addresses (``sites``) and secrets.

| variable | meaning (default) |
|---|---|
| ``CONDA_TOKEN_SERVICE_URL`` | the organization service (https://anaconda.com) |
| ``CONDA_TOKEN_REPO_URL`` | the organizations' channels (https://repo.anaconda.cloud/repo/) |
| ``CONDA_TOKEN_SITE`` | name of a site, in place of both addresses (see ``sites``) |
| ``CONDA_TOKEN_HOME`` | the folder of the store (the user's data folder) |
| ``CONDA_TOKEN_CONDARC`` | the drop-in (~/.conda/condarc.d/conda-token-plugin.yml) |
| ``CONDA_TOKEN_SYSTEM_HOME`` | the folder of the machine's store (/etc/conda-token-plugin) |
| ``CONDA_TOKEN_SYSTEM_CONDARC`` | the machine's drop-in (/etc/conda/condarc.d/…) |
| ``CONDA_TOKEN_STORE`` | ``auto``, ``keyring`` or ``file`` (auto) |
| ``CONDA_TOKEN_PROVIDER`` | set for the command of a provider: its name; no provider is run then |
| ``CONDA_TOKEN_CLIENT_ID`` | the OAuth client of a login (Anaconda's public one) |
| ``ANACONDA_AUTH_API_KEY`` | an API key: the user's login |
| ``ANACONDA_REPO_TOKEN`` | a repository token, for every channel of the repository |
| ``ANACONDA_REPO_TOKEN_<ORG>`` | the same for one organization |
| ``ANACONDA_SERVICE_ACCOUNT_TOKEN`` | an administrator's bearer token |
| ``ANACONDA_SERVICE_ACCOUNT_ID``, ``…_SECRET`` | or what it is traded for: both, or neither |

Each of the last six may instead be ``<NAME>_FILE``, naming a file that contains the value.
``NO_COLOR`` and ``TERM=dumb`` are respected. The variables of anaconda-auth are listed in
``sites``, ``gateways.http.network`` and ``integrations.anaconda_auth``.
Names of secrets never begin with ``CONDA``: conda prints those (``conda info``, error reports).
"""

from __future__ import annotations

import os
from contextlib import suppress
from os.path import lexists
from typing import TYPE_CHECKING

from conda_token_plugin.settings import paths
from conda_token_plugin.settings.paths import NO_HOME, WINDOWS, Paths, expanded, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conda_token_plugin.settings.site import Site
    from conda_token_plugin.tokens.secret import Secret

__all__ = ["NO_HOME", "WINDOWS", "Settings", "expanded", "organization_of", "token_variable"]

CLIENT_ID = "b4ad7f1d-c784-46b5-a9fe-106e50441f5a"
"""The public OAuth client of Anaconda's own tools."""

API_KEY = "ANACONDA_AUTH_API_KEY"
REPO_TOKEN = "ANACONDA_REPO_TOKEN"  # noqa: S105  # a variable's name, not a token
SERVICE_ACCOUNT = "ANACONDA_SERVICE_ACCOUNT_TOKEN"
STORES = ("auto", "keyring", "file")


class Settings(Paths):
    """The settings of one process. A property raises one of these for a bad variable or file.

    Raises:
        BadInput: A value that means nothing, an unknown home folder, an unknown site.
        MalformedURL: An address that is not an https (or loopback) URL.
        ConfigurationError: anaconda-auth's configuration file cannot be read.
    """

    __slots__ = ("_at",)

    def __init__(self, variables: Mapping[str, str] | None = None, *, at: str = "") -> None:
        """Do no I/O.

        Args:
            variables: The environment variables, some of them secret. None: this process's.
            at: Name of the site, as given on the command line. Empty: the default.
        """
        super().__init__(variables)
        self._at = at

    @property
    def site(self) -> Site:
        """The site that this process uses."""
        from conda_token_plugin.settings.sites import chosen

        return chosen(self, name=self._at)

    @property
    def default_site(self) -> Site:
        """The site that applies if none is named; ``ANACONDA_AUTH_API_KEY`` belongs to it."""
        from conda_token_plugin.settings.sites import default

        return default(self)

    def of_anaconda_auth(self) -> Site:
        """Return the site that anaconda-auth uses, which this process need not use."""
        from conda_token_plugin.settings.sites import of_anaconda_auth

        return of_anaconda_auth(self)

    def sites(self) -> tuple[Site, ...]:
        """Every known site, the default first."""
        from conda_token_plugin.settings.sites import all_sites

        return all_sites(self)

    @property
    def service_url(self) -> str:
        """Base address of the organization service, without a final slash."""
        return self.site.service_url

    @property
    def repo_url(self) -> str:
        """Base address of the repository, with a final slash."""
        return self.site.repo_url

    @property
    def client_id(self) -> str:
        """The OAuth client id of a login."""
        name = "CONDA_TOKEN_CLIENT_ID"
        given = self.variables.get(name) or self.given("ANACONDA_AUTH_CLIENT_ID")[0]
        client_id = given or self.site.client_id or CLIENT_ID
        if not (client_id.isascii() and client_id.isprintable()):  # RFC 6749, appendix A.1
            from conda_token_plugin.errors.input import BadInput

            raise BadInput(
                "The id of the OAuth client has a character that is not printable ASCII.",
                hint=f"Check {name}, or client_id of the site.",
            )
        return client_id

    @property
    def store_choice(self) -> str:
        """``auto``, ``keyring`` or ``file``."""
        choice = self.variables.get("CONDA_TOKEN_STORE") or "auto"
        if choice not in STORES:
            from conda_token_plugin.errors.input import BadInput

            raise BadInput(
                f"CONDA_TOKEN_STORE is {shown(choice)}.",
                hint=f"Set it to one of {', '.join(STORES)}.",
            )
        return choice

    @property
    def plain_output(self) -> bool:
        """Whether to print without colour (https://no-color.org)."""
        return bool(self.variables.get("NO_COLOR")) or self.variables.get("TERM") == "dumb"

    def secret(self, name: str) -> tuple[str, Secret] | None:
        """Return the secret in the variable ``name`` or in the file that ``<name>_FILE`` names.

        The first part of the result says where it was found: a variable's name, and a path.

        Raises:
            MalformedToken: The value cannot be a token or key.
            StoreUnusable: The file cannot be read.
            BadInput: The variable cannot be a path.
        """
        # If an organization is called x_file, its variable contains the path of the token of x.
        value = "" if name.endswith("_FILE") else self.variables.get(name, "").strip()
        variable = f"{name}_FILE"
        path = self.variables.get(variable, "").strip()
        if not (value or path):
            return None
        from conda_token_plugin.settings.secret_files import secret_in, secret_of

        if value:
            return name, secret_of(value, where=name)
        return f"{variable} ({path})", secret_in(expanded(path), named_by=variable)

    def api_key(self) -> tuple[str, Secret] | None:
        """Return the API key of the environment, which belongs to ``default_site``.

        As ``secret``, and last ``anaconda_auth_api_key`` in ``ANACONDA_SECRETS_DIR``
        (/run/secrets).
        """
        return self.secret(API_KEY) or _secret_at(self._mounted(API_KEY))

    def api_key_source(self) -> str | None:
        """Return the variable or file that supplies an API key, or None. Read no file."""
        for name in (API_KEY, f"{API_KEY}_FILE"):
            if self.variables.get(name, "").strip():
                return name
        path = self._mounted(API_KEY)
        return str(path) if path else None

    def repository_token(self, name: str) -> tuple[str, Secret] | None:
        """Return a token of the environment.

        As ``secret``, and last the file ``/run/secrets/<name in lower case>``. ``name`` is
        ``ANACONDA_REPO_TOKEN`` or ``ANACONDA_REPO_TOKEN_<ORG>``.

        Raises as ``secret``; also for a folder, which Docker mounts in place of a missing file.
        """
        path = paths.RUN_SECRETS / name.lower()
        # Path.exists raises for a name that is too long, and names of organizations are from URLs.
        return self.secret(name) or _secret_at(path if lexists(path) else None)

    def repository_tokens(self) -> tuple[str, ...]:
        """Return the names for which ``repository_token`` finds something, sorted."""
        stems = {name.removesuffix("_FILE") for name, value in self.variables.items() if value}
        with suppress(OSError):  # there is no such folder, or this user may not read it
            stems |= {one.upper() for one in os.listdir(paths.RUN_SECRETS) if one == one.lower()}  # noqa: PTH208  # names only
        return tuple(sorted(s for s in stems if s == REPO_TOKEN or s.startswith(f"{REPO_TOKEN}_")))


def _secret_at(path: Path | None) -> tuple[str, Secret] | None:
    if path is None:
        return None
    from conda_token_plugin.settings.secret_files import secret_in

    return str(path), secret_in(path)


def token_variable(organization: str) -> str:
    """Return ``ANACONDA_REPO_TOKEN_MY_ORG`` for ``my-org``; without a suffix for ``""``."""
    suffix = "".join(c if c.isascii() and c.isalnum() else "_" for c in organization).upper()
    return f"{REPO_TOKEN}_{suffix}" if suffix else REPO_TOKEN


def organization_of(variable: str) -> str:
    """Return ``my-org`` for ``ANACONDA_REPO_TOKEN_MY_ORG``: a guess, as ``-`` was replaced."""
    return variable.removeprefix(REPO_TOKEN)[1:].lower().replace("_", "-")
