"""The variables of a process, and the paths that they decide.

Only this module reads ``os.environ``.
"""

from __future__ import annotations

import os
import re
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOWS = os.name == "nt"
NO_HOME = Path(os.devnull) / "no-home-folder"
"""The home folder where none is known. It does not exist and cannot be created."""
RUN_SECRETS = Path("/run/secrets")
MAX_PATH = 4096
"""Characters of a path: the limit of Linux, which is the largest."""
MAX_SHOWN = 200
"""Characters of a value that a message shows."""


class Paths:
    """The variables of one process, and the paths that they decide.

    Raises:
        BadInput: A variable or the home folder cannot be used.
    """

    __slots__ = ("variables",)

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        """Take the environment variables, some of them secret. None: this process's."""
        self.variables: Mapping[str, str] = os.environ if variables is None else variables

    def expand(self, text: str) -> Path:
        """Return ``text`` as a path, with ``$NAME`` and ``~`` replaced, as anaconda-auth does."""
        known = self.variables.get
        return expanded(re.sub(r"\$(\w+|\{\w+\})", lambda m: known(m[1].strip("{}"), m[0]), text))

    @property
    def store_folder(self) -> Path:
        """The folder of the store."""
        chosen = self._chosen("CONDA_TOKEN_HOME")
        if chosen is not None:
            return chosen
        from platformdirs import user_data_path

        home = self.home
        try:
            folder = user_data_path("conda-token-plugin", appauthor=False)
        except RuntimeError:  # newer versions raise; older ones return a path with ~
            folder = Path("~")
        return folder if folder.is_absolute() else home / "conda-token-plugin"

    @property
    def machine_folder(self) -> Path:
        """The folder of the machine's store, which root writes and a group reads.

        Not below conda's root prefix, which is packed and copied with everything in it.
        """
        shared = "/etc"
        if WINDOWS:
            shared = self.variables.get("PROGRAMDATA") or "C:\\ProgramData"
        default = Path(shared) / "conda-token-plugin"
        return self._chosen("CONDA_TOKEN_SYSTEM_HOME") or default

    @property
    def condarc(self) -> Path:
        """The drop-in, the only configuration file that the plugin owns.

        conda reads the default folder, and another file only if ``CONDARC`` names it.
        """
        chosen = self._chosen("CONDA_TOKEN_CONDARC")
        return chosen or self.home / ".conda" / "condarc.d" / "conda-token-plugin.yml"

    @property
    def machine_condarc(self) -> Path:
        """The drop-in for all users of this machine; every conda reads the default folder."""
        folder = "C:/ProgramData/conda" if WINDOWS else "/etc/conda"
        default = Path(folder) / "condarc.d" / "conda-token-plugin.yml"
        return self._chosen("CONDA_TOKEN_SYSTEM_CONDARC") or default

    def _chosen(self, variable: str) -> Path | None:
        """Return the path that a variable names, or None if it is unset or empty.

        Raises:
            BadInput: It is relative, and would depend on the working folder.
        """
        text = self.variables.get(variable)
        path = expanded(text) if text else None
        if text and path is not None and not path.is_absolute():
            from conda_token_plugin.errors.input import BadInput

            raise BadInput(
                f"{variable} is {shown(text)}, which is not an absolute path.",
                hint="Write the whole path, from the root folder on.",
            )
        return path

    @property
    def home(self) -> Path:
        """The user's home folder, as conda determines it, or ``NO_HOME`` if none is known.

        None is known if HOME is not set and the system does not list the user, as in some
        containers. Tokens of variables can be used there; nothing can be stored.

        Raises:
            BadInput: HOME is empty or a relative path.
        """
        try:
            return home_folder()
        except RuntimeError:
            return NO_HOME

    @property
    def sites_file(self) -> Path:
        """The configuration file of anaconda-auth."""
        named = self.variables.get("ANACONDA_CONFIG_TOML")
        return self.expand(named) if named else self.home / ".anaconda" / "config.toml"

    def given(self, name: str) -> tuple[str, str]:
        """Return the value of a variable of anaconda-auth, and where it was found.

        Like anaconda-auth 0.15.3, look for a file of that name in ``ANACONDA_SECRETS_DIR`` if
        the variable is not set. Both texts are empty if there is none.

        Raises:
            StoreUnusable: The file cannot be read.
            BadInput: ``ANACONDA_SECRETS_DIR`` cannot be a path.
        """
        value = self.variables.get(name)
        if value:
            return value, name
        path = self._mounted(name)
        if path is None:
            return "", ""
        from conda_token_plugin.settings.secret_files import mounted_text

        return mounted_text(path), str(path)

    def _mounted(self, name: str) -> Path | None:
        """Return the file that is mounted for a variable of anaconda-auth, or None."""
        folder = self.expand(self.variables.get("ANACONDA_SECRETS_DIR") or str(RUN_SECRETS))
        spellings = (folder / name.lower(), folder / name)  # the case does not matter to pydantic
        return next(filter(lexists, spellings), None)

    def refuse_missing_home(self) -> None:
        """Raise if the store or the drop-in would be in the home folder, and none is known.

        Raises:
            BadInput: They would.
        """
        if any(NO_HOME in (path, *path.parents) for path in (self.store_folder, self.condarc)):
            from conda_token_plugin.errors.input import BadInput

            raise BadInput(
                "No home folder is known, so nothing can be stored.",
                hint="Set HOME, or CONDA_TOKEN_HOME and CONDA_TOKEN_CONDARC.",
            )


def expanded(text: str) -> Path:
    """Return ``text`` as a path, with ``~`` and ``~NAME`` replaced by a home folder.

    Raises:
        BadInput: The home folder is unknown, or ``text`` cannot be a path.
    """
    fault, hint = "{} is not a valid path.", f"Write at most {MAX_PATH} characters."
    if "\0" not in text and len(text) <= MAX_PATH:
        try:
            if text == "~" or text.startswith("~/"):
                return home_folder() / text[2:]
            return Path(text).expanduser()
        except RuntimeError:  # no such user, or one that the system does not list (a container)
            fault = "The home folder in {} cannot be found."
            hint = "Set HOME, or use an absolute path."
    from conda_token_plugin.errors.input import BadInput

    raise BadInput(fault.format(shown(text)), hint=hint)


def home_folder() -> Path:
    """Return the user's home folder.

    Raises:
        RuntimeError: None is known.
        BadInput: HOME is empty or a relative path. A path below it would depend on the working
            folder, or be in the root folder.
    """
    home = os.environ.get("HOME", "/") if not WINDOWS else "/"
    if not home.startswith("/"):
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(
            f"HOME is {shown(home)}, which is not an absolute path." if home else "HOME is empty.",
            hint="Set HOME to your home folder.",
        )
    return Path("~").expanduser()


def shown(text: str) -> str:
    """Return ``text`` quoted for a message, or its length if it is long.

    It is not cut off: the part of a token that remains would not be recognised and redacted.
    """
    return repr(text) if len(text) <= MAX_SHOWN else f"a text of {len(text)} characters"
