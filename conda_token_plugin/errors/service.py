"""The service or the repository could not be used (exit code 5)."""

from __future__ import annotations

from conda_token_plugin.errors import TokenPluginError


class ServiceError(TokenPluginError):
    """The service or the repository could not be used."""

    exit_code = 5


class ServiceUnreachable(ServiceError):
    """There was no response: name resolution, connection, TLS, or a timeout."""

    def __init__(
        self, url: str, *, reason: str, outcome: str = "Nothing was changed.", hint: str = ""
    ) -> None:
        """Compose the message.

        Args:
            url: The address without secrets.
            reason: A few words: "no such host", "no response within 10 seconds".
            outcome: A sentence about what was changed.
            hint: The next step. Empty: check the network.
        """
        super().__init__(
            f"{url} could not be reached: {reason}. {outcome}",
            hint=hint or "Check the network and the proxy settings, then run this command again.",
        )


class ResponseLost(ServiceUnreachable):
    """The request was sent and there was no response, so its effect is unknown."""


class ServiceFault(ServiceError):
    """The status of the response was 5xx."""

    def __init__(self, url: str, *, status: int) -> None:
        """Compose the message from the address and the HTTP status."""
        self.status = status
        super().__init__(
            f"{url} failed (HTTP {status}).",
            hint="The server has a fault. Run this command again later.",
        )


class ServiceBusy(ServiceError):
    """The status of the response was 429."""

    def __init__(self, url: str, *, retry_after: float | None) -> None:
        """Compose the message; ``retry_after`` is in seconds, None if the server did not say."""
        self.retry_after = retry_after
        seconds = "a minute" if retry_after is None else f"{retry_after:.0f} seconds"
        when = "in 1 second" if seconds == "1 seconds" else f"in {seconds}"
        super().__init__(
            f"{url} refused the request, because it received too many (HTTP 429).",
            hint=f"Run this command again {when}.",
        )


class UnexpectedResponse(ServiceError):
    """The response is not what the API documents: a web page, truncated JSON, a missing key."""

    def __init__(self, url: str, *, got: str, hint: str = "") -> None:
        """``got`` describes the response and does not quote it."""
        super().__init__(
            f"{url} returned {got}.",
            hint=hint
            or "A proxy or a login page may have responded instead: open the address in a browser.",
        )


class IssueUncertain(ServiceError):
    """The service was asked for a token and sent none, but may have issued one."""

    def __init__(self, url: str, *, organization: str, reason: str) -> None:
        """Compose the message; ``reason`` completes the sentence "URL …"."""
        super().__init__(
            f"A token for {organization!r} was requested, and {url} {reason}. The token may have "
            "been issued, and the previous token revoked.",
            hint=f"To issue another token, run: conda token install --org {organization} --reissue",
        )


class NoChannel(ServiceError):
    """None of the addresses is a channel, so the token could not be verified there."""

    def __init__(self, url: str, *, outcome: str) -> None:
        """Compose the message; ``outcome`` says whether the token was stored."""
        super().__init__(
            f"{url} is not a channel (HTTP 404), so the token could not be verified. {outcome}",
            hint="Check the URL, or verify the token with one of its channels: "
            "conda token test URL",
        )


class TokenRefused(ServiceError):
    """The repository did not accept a token that was verified just now."""

    def __init__(
        self,
        url: str,
        *,
        status: int,
        token: str,
        outcome: str,
        asked: tuple[str, ...] = (),
    ) -> None:
        """Compose the message.

        Args:
            url: The address without secrets.
            status: The HTTP status.
            token: The token as a message names it.
            outcome: A sentence that says whether the token was stored.
            asked: The schemes of ``AuthScheme`` that the server asked for.
        """
        self.asked = asked
        super().__init__(
            f"{url} does not accept {token} (HTTP {status}). {outcome}",
            hint="Run: conda token status",
        )
