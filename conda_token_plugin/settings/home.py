"""The user's home folder, and paths that name it."""

from __future__ import annotations

import os
from pathlib import Path

WINDOWS = os.name == "nt"
NO_HOME = Path(os.devnull) / "no-home-folder"
"""The home folder where none is known. It does not exist, and nobody can create it."""
MAX_PATH = 4096
"""Characters of a path: the limit of Linux, which is the largest."""


def expanded(text: str) -> Path:
    """Return ``text`` as a path, with ``~`` and ``~NAME`` replaced by a home folder.

    Raises:
        BadInput: The home folder is unknown, or ``text`` cannot be a path.
    """
    fault, hint = "{} is no path.", f"Write at most {MAX_PATH} characters."
    if "\0" not in text and len(text) <= MAX_PATH:
        try:
            if text == "~" or text.startswith("~/"):
                return home_folder() / text[2:]
            return Path(text).expanduser()
        except RuntimeError:  # no such user, or one that the system does not list (a container)
            fault = "The home folder in {} cannot be found."
            hint = "Set HOME, or write the path out."
    from conda_token_plugin.errors.input import BadInput
    from conda_token_plugin.settings.sites import shown

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
        from conda_token_plugin.settings.sites import shown

        raise BadInput(
            f"HOME is {shown(home)}, which is not an absolute path." if home else "HOME is empty.",
            hint="Set HOME to your home folder.",
        )
    return Path("~").expanduser()
