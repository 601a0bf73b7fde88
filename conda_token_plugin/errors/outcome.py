"""How a command ends that was not wrong: its answer is no, was not told, or was not wanted."""

from __future__ import annotations

from conda_token_plugin.errors import TokenPluginError


class CheckFailed(TokenPluginError):
    """A check ran and its answer is no; the command has already said the details."""


class OutputLost(TokenPluginError):
    """Standard output cannot be written: what was done is done, but could not be told."""

    def __init__(self, reason: str) -> None:
        """``reason`` is the system's own: "No space left on device"."""
        super().__init__(f"The output could not be written: {reason}.")


class NotConfirmed(TokenPluginError):
    """A yes was needed and not given."""

    exit_code = 8

    def __init__(self, what: str = "Nothing was changed.") -> None:
        """Say that nothing happened."""
        super().__init__(what)


class Interrupted(TokenPluginError):
    """Interrupted by Ctrl-C or the end of input, at a prompt or a wait."""

    exit_code = 130

    def __init__(self, what: str = "Interrupted: nothing was changed.") -> None:
        """Say what is so now."""
        super().__init__(what)
