"""How a command ends without a fault: a check failed, or the user did not agree."""

from __future__ import annotations

from conda_token_plugin.errors import TokenPluginError


class CheckFailed(TokenPluginError):
    """A check failed; the command has already printed the details."""


class OutputLost(TokenPluginError):
    """Standard output cannot be written. What the command did is done."""

    def __init__(self, reason: str) -> None:
        """Take the operating system's reason, such as "No space left on device"."""
        super().__init__(f"The output could not be written: {reason}.")


LIBRARIES = {
    "filelock": "filelock",
    "keyring": "keyring",
    "oauthlib": "oauthlib",
    "platformdirs": "platformdirs",
    "requests": "requests",
    "rich": "rich",
    "ruamel": "ruamel.yaml",
    "shtab": "shtab",
}
"""The libraries that this plugin needs: name of the module, name of the package."""


class MissingLibrary(TokenPluginError):
    """A library is not installed, as after an installation from a file without dependencies."""

    @classmethod
    def of(cls, error: ModuleNotFoundError) -> MissingLibrary | None:
        """Return the error for the import that failed, or None if it is not one of ours."""
        name = (error.name or "").partition(".")[0]
        if name not in LIBRARIES:
            return None
        missing = [
            package
            for module, package in LIBRARIES.items()
            if module == name or not _is_installed(module)
        ]
        return cls(
            f"conda-token-plugin is not complete: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not installed.",
            hint=f"Run: conda install --name base {' '.join(missing)}",
        )


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ValueError:  # it is in `sys.modules` without a specification
        return False


class NotConfirmed(TokenPluginError):
    """The user did not confirm."""

    exit_code = 8

    def __init__(self, what: str = "Kept. Nothing was changed.") -> None:
        """Take what to tell the user."""
        super().__init__(what)


class Interrupted(TokenPluginError):
    """Ctrl-C, or the end of input, at a prompt or during a wait."""

    exit_code = 130

    def __init__(self, what: str = "Interrupted: nothing was changed.") -> None:
        """Take what was changed before the interruption."""
        super().__init__(what)
