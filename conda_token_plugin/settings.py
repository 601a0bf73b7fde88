"""The only reader of ``os.environ``, and every path and address the plugin uses.

| variable | meaning (default) |
|---|---|
| ``CONDA_TOKEN_SERVICE_URL`` | the organization service (https://anaconda.com) |
| ``CONDA_TOKEN_REPO_URL`` | the organizations' channels (https://repo.anaconda.cloud/repo/) |
| ``CONDA_TOKEN_HOME`` | the folder of the store (the user's data folder) |
| ``CONDA_TOKEN_SYSTEM_HOME`` | the folder of the machine's store (/etc/conda-token-plugin) |
| ``CONDA_TOKEN_SYSTEM_CONDARC`` | the machine's drop-in (/etc/conda/condarc.d/…) |
| ``CONDA_TOKEN_STORE`` | ``auto``, ``keyring`` or ``file`` (auto) |
| ``CONDA_TOKEN_CLIENT_ID`` | the OAuth client of a login (Anaconda's public one) |
| ``ANACONDA_AUTH_API_KEY`` | an API key: who you are |
| ``ANACONDA_REPO_TOKEN`` | a repository token, for every channel of the repository |
| ``ANACONDA_REPO_TOKEN_<ORG>`` | the same for one organization |
| ``ANACONDA_SERVICE_ACCOUNT_TOKEN`` | an administrator's bearer token |

Each of the last four may instead be ``<NAME>_FILE``, naming a file that holds the value.
``NO_COLOR`` and ``TERM=dumb`` are respected.
Names of secrets never begin with ``CONDA``: conda prints those (``conda info``, error reports).
"""

from __future__ import annotations

import os
from contextlib import suppress
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.tokens.secret import Secret

SERVICE_URL = "https://anaconda.com"
FORMER_DOMAINS = ("anaconda.cloud", "id.anaconda.cloud")
"""Domains under which https://anaconda.com was reached before (anaconda-auth 0.15.3)."""
REPO_URL = "https://repo.anaconda.cloud/repo/"
CLIENT_ID = "b4ad7f1d-c784-46b5-a9fe-106e50441f5a"
"""The public client that all of Anaconda's own tools log in with."""

API_KEY = "ANACONDA_AUTH_API_KEY"
REPO_TOKEN = "ANACONDA_REPO_TOKEN"  # noqa: S105  # a variable's name, not a token
SERVICE_ACCOUNT = "ANACONDA_SERVICE_ACCOUNT_TOKEN"
RUN_SECRETS = Path("/run/secrets")
STORES = ("auto", "keyring", "file")
LONGEST_FILE = 64 * 1024
"""Bytes read from a file that a variable names; anything longer is no token."""


class Settings:
    """One process's variables; ``Settings()`` is this process's. By hand: see ``lookup``."""

    __slots__ = ("variables",)

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Take the variables; nothing shows them, as secrets may be among them."""
        self.variables: Mapping[str, str] = os.environ if variables is None else variables

    @property
    def service_url(self) -> str:
        """Base address of the organization service, without a final slash.

        Raises:
            MalformedURL: the setting is no https (or loopback) URL.
        """
        domain = self.variables.get("ANACONDA_AUTH_DOMAIN") or ""
        chosen = f"https://{domain}" if domain and domain not in FORMER_DOMAINS else SERVICE_URL
        return normalised(self.variables.get("CONDA_TOKEN_SERVICE_URL") or chosen)

    @property
    def repo_url(self) -> str:
        """Base address of the repository, with a final slash.

        Raises:
            MalformedURL: the setting is no https (or loopback) URL.
        """
        return normalised(self.variables.get("CONDA_TOKEN_REPO_URL") or REPO_URL) + "/"

    @property
    def client_id(self) -> str:
        """The OAuth client id of a login."""
        return self.variables.get("CONDA_TOKEN_CLIENT_ID") or CLIENT_ID

    @property
    def store_choice(self) -> str:
        """``auto``, ``keyring`` or ``file``.

        Raises:
            BadInput: the setting is another word.
        """
        choice = self.variables.get("CONDA_TOKEN_STORE") or "auto"
        if choice not in STORES:
            from conda_token_plugin.errors.input import BadInput

            raise BadInput(
                f"CONDA_TOKEN_STORE is {choice!r}.", hint=f"Set it to one of {', '.join(STORES)}."
            )
        return choice

    @property
    def store_folder(self) -> Path:
        """Where tokens and their metadata are kept."""
        chosen = self.variables.get("CONDA_TOKEN_HOME")
        if chosen:
            return expanded(chosen)
        from platformdirs import user_data_path

        return user_data_path("conda-token-plugin", appauthor=False)

    @property
    def machine_folder(self) -> Path:
        """Where the machine's site tokens are kept, for root to write and a group to read.

        Not below conda's root prefix: prefixes often belong to a user, and are packed, copied
        into images and shipped, with all that lies in them. A machine may have several condas,
        mambas and pixis; it has one ``/etc``.
        """
        chosen = self.variables.get("CONDA_TOKEN_SYSTEM_HOME")
        if chosen:
            return expanded(chosen)
        if os.name == "nt":
            shared = self.variables.get("PROGRAMDATA") or "C:\\ProgramData"
            return Path(shared) / "conda-token-plugin"
        return Path("/etc/conda-token-plugin")

    @property
    def condarc(self) -> Path:
        """The one configuration file that the plugin owns; conda reads this folder."""
        return self.home / ".conda" / "condarc.d" / "conda-token-plugin.yml"

    @property
    def machine_condarc(self) -> Path:
        """The drop-in for everybody on this machine; every conda reads this folder."""
        chosen = self.variables.get("CONDA_TOKEN_SYSTEM_CONDARC")
        if chosen:
            return expanded(chosen)
        folder = Path("C:/ProgramData/conda" if os.name == "nt" else "/etc/conda")
        return folder / "condarc.d" / "conda-token-plugin.yml"

    @property
    def home(self) -> Path:
        """The user's home folder, as conda finds it."""
        return expanded("~")

    @property
    def plain_output(self) -> bool:
        """Whether colour is unwanted (https://no-color.org)."""
        return bool(self.variables.get("NO_COLOR")) or self.variables.get("TERM") == "dumb"

    def sealed(self, home: Path, /, **more: str) -> dict[str, str]:
        """The variables of a child process that is to live in ``home`` and see nothing of ours."""
        foreign = ("CONDA", "ANACONDA", "XDG_", "RATTLER_", "DBUS_SESSION")
        kept = {n: v for n, v in self.variables.items() if not n.upper().startswith(foreign)}
        return {**kept, "HOME": str(home), "USERPROFILE": str(home), **more}

    def secret(self, name: str) -> tuple[str, Secret] | None:
        """The secret in the variable ``name`` or in the file that ``<name>_FILE`` names.

        Returns:
            Where it was found (a variable's name or a path) and the secret.

        Raises:
            MalformedToken: the value cannot be one.
            StoreUnusable: the file cannot be read.
        """
        # Of an organization "x_file": the variable of that name holds a path, for "x".
        value = "" if name.endswith("_FILE") else self.variables.get(name, "").strip()
        if value:
            return name, _secret(value, where=name)
        path = self.variables.get(f"{name}_FILE", "").strip()
        return (f"{name}_FILE ({path})", secret_in(expanded(path))) if path else None

    def repository_token(self, name: str) -> tuple[str, Secret] | None:
        """As ``secret``, and last ``/run/secrets/<name in lower case>``, where containers mount it.

        ``name`` is ``ANACONDA_REPO_TOKEN`` or ``ANACONDA_REPO_TOKEN_<ORG>``.
        """
        given, path = self.secret(name), RUN_SECRETS / name.lower()
        # Path.is_file raises for names that are too long, and organizations come from URLs.
        if given is not None or not isfile(path):  # noqa: PTH113  # as said above
            return given
        return str(path), secret_in(path)

    def repository_tokens(self) -> tuple[str, ...]:
        """The names for which ``repository_token`` has an answer, the general one first."""
        stems = {name.removesuffix("_FILE") for name, value in self.variables.items() if value}
        with suppress(OSError):  # no such folder, or one that is not for us
            stems |= {path.name.upper() for path in RUN_SECRETS.iterdir()}
        return tuple(sorted(s for s in stems if s == REPO_TOKEN or s.startswith(f"{REPO_TOKEN}_")))


def expanded(text: str) -> Path:
    """The path that is written as ``text``; ``~`` and ``~NAME`` stand for a home.

    Raises:
        BadInput: nobody knows that home, or nothing can be called that.
    """
    if "\0" in text:
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(f"{text!r} is no path.", hint="Write it without control characters.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user; or one whom the system does not list, as in a container
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(
            f"The home folder in {text!r} cannot be found.", hint="Set HOME, or write the path out."
        ) from None


def absolute(path: Path) -> Path:
    """``path``, from the root on.

    Raises:
        BadInput: it begins in the folder that the command was typed in, and that is gone.
    """
    try:
        return path.absolute()
    except FileNotFoundError:
        from conda_token_plugin.errors.input import BadInput

        raise BadInput("The folder that you are in is gone.", hint="Run: cd ~") from None


def token_variable(organization: str) -> str:
    """``my-org.eu`` → ``ANACONDA_REPO_TOKEN_MY_ORG_EU``; ``""`` → ``ANACONDA_REPO_TOKEN``."""
    suffix = "".join(c if c.isascii() and c.isalnum() else "_" for c in organization).upper()
    return f"{REPO_TOKEN}_{suffix}" if suffix else REPO_TOKEN


def organization_of(variable: str) -> str:
    """``ANACONDA_REPO_TOKEN_MY_ORG`` → ``my-org``: a guess, as a variable's name says less."""
    return variable.removeprefix(REPO_TOKEN)[1:].lower().replace("_", "-")


def secret_in(path: Path) -> Secret:
    """The secret that the file at ``path`` holds, without the final line break.

    Raises:
        MalformedToken: the content cannot be one.
        StoreUnusable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE)
    except OSError as error:  # absent, a folder, not permitted
        from conda_token_plugin.errors.store import StoreUnusable

        raise StoreUnusable(
            path, reason=error.strerror or "it cannot be read", hint="Check the path."
        ) from None
    return _secret(content.decode("utf-8", "replace").strip(), where=str(path))


def _secret(value: str, *, where: str) -> Secret:
    from conda_token_plugin.tokens.secret import Secret, fault_of

    fault = fault_of(value)
    if fault:
        from conda_token_plugin.errors.input import MalformedToken

        raise MalformedToken(fault, where=where)
    return Secret(value)
