"""The service or the repository could not be used (exit code 5)."""

from __future__ import annotations

from conda_token_plugin.errors import TokenPluginError


class ServiceError(TokenPluginError):
    """The service or the repository could not be used."""

    exit_code = 5


class ServiceUnreachable(ServiceError):
    """No answer: name resolution, connection, TLS, or a time-out."""

    def __init__(self, url: str, *, reason: str, outcome: str = "Nothing was changed.") -> None:
        """``reason`` is short: "no such host", "timed out after 10 s"."""
        super().__init__(
            f"{url} could not be reached: {reason}. {outcome}",
            hint="Check the network and the proxy settings, then run this again.",
        )


class AnswerLost(ServiceUnreachable):
    """The request went out, and no answer came back: what it did there is not known."""


class ServiceFault(ServiceError):
    """The service answered 5xx."""

    def __init__(self, url: str, *, status: int) -> None:
        """``status`` is the HTTP status."""
        self.status = status
        super().__init__(
            f"{url} failed (HTTP {status}).", hint="Nothing is wrong here; try again later."
        )


class ServiceBusy(ServiceError):
    """The service answered 429."""

    def __init__(self, url: str, *, retry_after: float | None) -> None:
        """``retry_after`` in seconds, where the service said so."""
        self.retry_after = retry_after
        seconds = "a minute" if retry_after is None else f"{retry_after:.0f} seconds"
        when = "in 1 second" if seconds == "1 seconds" else f"in {seconds}"
        super().__init__(f"{url} asks to slow down (HTTP 429).", hint=f"Run this again {when}.")


class ServiceNonsense(ServiceError):
    """An answer that is not what the API promises: HTML, half a JSON, a missing key."""

    def __init__(self, url: str, *, got: str, hint: str = "") -> None:
        """``got`` describes the answer and never quotes it."""
        super().__init__(
            f"{url} answered with {got}.",
            hint=hint
            or "A proxy or a login page may be in between: open the address in a browser.",
        )


class IssueUncertain(ServiceError):
    """No token came back from an issue that may have happened all the same."""

    def __init__(self, url: str, *, organization: str, reason: str) -> None:
        """``reason`` finishes the sentence "URL …"."""
        super().__init__(
            f"A token of {organization!r} was asked for, and {url} {reason}: it may have been "
            "issued, and the one before it revoked.",
            hint=f"Run this to issue another: conda token install --org {organization} --reissue",
        )


class NoChannel(ServiceError):
    """None of the addresses is a channel, so that a token cannot be proven there."""

    def __init__(self, url: str, *, outcome: str) -> None:
        """``outcome`` says what became of the token: "It is stored all the same."."""
        super().__init__(
            f"{url} is no channel (HTTP 404), so the token could not be tried. {outcome}",
            hint="Check the URL, or try a channel of it: conda token test URL",
        )


class TokenRefused(ServiceError):
    """The repository does not take a token that was just tried."""

    def __init__(self, url: str, *, status: int, last_four: str, outcome: str) -> None:
        """``outcome`` says what became of the token: "It is stored all the same."."""
        super().__init__(
            f"{url} does not accept the token …{last_four} (HTTP {status}). {outcome}",
            hint="Run: conda token status",
        )
