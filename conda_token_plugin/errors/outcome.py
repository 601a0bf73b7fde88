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


class NotConfirmed(TokenPluginError):
    """The user did not confirm."""

    exit_code = 8

    def __init__(self, what: str = "Nothing was changed.") -> None:
        """Take what to tell the user."""
        super().__init__(what)


class Interrupted(TokenPluginError):
    """Ctrl-C, or the end of input, at a prompt or during a wait."""

    exit_code = 130

    def __init__(self, what: str = "Interrupted: nothing was changed.") -> None:
        """Take what was changed before the interruption."""
        super().__init__(what)
