"""Responses, separate from their requests, and read with limits."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conda_token_plugin.errors.service import ServiceBusy, ServiceFault, UnexpectedResponse
from conda_token_plugin.gateways.http.redirects import joined
from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response

PAGES = frozenset({"text/html", "application/xhtml+xml"})
REFUSED = (401, 403)
"""Statuses by which a server does not accept a credential."""
TOO_MANY_REQUESTS = 429
TRUNCATED = "a truncated response"
CHUNK = 16 * 1024
"""Bytes read at a time."""
MAX_DIGITS = 18
"""Maximum number of digits of a ``Content-Length``: int() refuses 5,000."""
A_DAY = 86_400.0
"""Seconds."""


class HttpResponse:
    """One response. Only ``url`` may be shown to users; ``repr`` shows nothing."""

    __slots__ = ("body", "fault", "headers", "status", "url")

    def __init__(
        self, *, url: str, status: int, headers: Mapping[str, str], body: bytes, fault: str = ""
    ) -> None:
        """Store the parts of a response.

        Args:
            url: Its address without secrets.
            status: The HTTP status.
            headers: Its headers.
            body: The bytes of its body that were read.
            fault: Why ``body`` is not the whole body; it completes "URL returned …".
        """
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body
        self.fault = fault

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004  # RFC 9110, section 15.3

    @property
    def refused(self) -> bool:
        """Whether the server did not accept the credential."""
        return self.status in REFUSED

    @property
    def redirect_target(self) -> str:
        """The target of a redirect; empty if the response is not a redirect."""
        location = self.headers.get("Location", "")
        if self.status // 100 != 3 or not location:  # noqa: PLR2004  # RFC 9110, section 15.4
            return ""
        return joined(self.url, location)

    @property
    def date(self) -> datetime | None:
        """The server's time, as ``date_of`` returns it."""
        return date_of(self.headers)

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page. Login pages and proxies send one instead of data."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return kind in PAGES or self.body[:64].lstrip().startswith(b"<")

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises:
            UnexpectedResponse: The body is not JSON, or not complete.
        """
        if self.fault:
            raise UnexpectedResponse(self.url, got=self.fault)
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested without end
            raise UnexpectedResponse(self.url, got=self.description) from None

    @property
    def description(self) -> str:
        """A description that quotes nothing and completes "URL returned …"."""
        if self.redirect_target:
            there = urlsplit(self.redirect_target)
            host = f"{there.scheme}://{there.hostname}" if there.hostname else "no address"
            return f"a redirect to {host}"
        if self.is_page:
            return f"a web page (HTTP {self.status})"
        if not self.ok:
            return f"HTTP {self.status}"
        return "something that is not complete JSON" if self.body else "nothing"


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the time in the header ``Date`` (RFC 9110, section 6.6.1), aware, UTC.

    None without it, and if a cache sent the response: then it is the time at which the response
    was made (RFC 9111, section 5.1).

    Args:
        headers: The headers; their names are in lower case, or their case does not matter.
    """
    if "age" in headers:
        return None
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
        return moment.astimezone(timezone.utc) if moment.tzinfo else None
    except (TypeError, ValueError, IndexError, OverflowError):  # absent, or not a date
        return None


def read_response(response: Response, *, max_bytes: int) -> HttpResponse:
    """Read ``response``, and no more than ``max_bytes`` bytes of its body.

    Raises:
        ServiceBusy: The status is 429.
        ServiceFault: The status is 5xx.
    """
    url = without_secrets(response.url)
    if response.status_code == TOO_MANY_REQUESTS:
        raise ServiceBusy(url, retry_after=_retry_after(response))
    if response.status_code // 100 == 5:  # noqa: PLR2004  # RFC 9110, section 15.6
        raise ServiceFault(url, status=response.status_code)
    body, fault = _body(response, max_bytes=max_bytes)
    return HttpResponse(
        url=url, status=response.status_code, headers=response.headers, body=body, fault=fault
    )


def _body(response: Response, *, max_bytes: int) -> tuple[bytes, str]:
    """Return the bytes that could be read, and why they are not the whole body."""
    body = bytearray()
    try:
        for chunk in response.iter_content(min(CHUNK, max_bytes + 1)):
            body += chunk
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), f"more than {max_bytes} bytes"
    except OSError:  # requests raises it when the connection ends before the body does
        return bytes(body), TRUNCATED
    return bytes(body), TRUNCATED if len(body) < _content_length(response) else ""


def _content_length(response: Response) -> int:
    """Return the announced length of the body, or 0. urllib3 1.26 does not compare it itself."""
    length = response.headers.get("Content-Length", "")
    bodiless = response.request.method == "HEAD" or "Content-Encoding" in response.headers
    is_number = length.isdecimal() and len(length) <= MAX_DIGITS
    return int(length) if is_number and not bodiless else 0


def _retry_after(response: Response) -> float | None:
    """Return the header ``Retry-After`` in seconds; it is a number or a date (RFC 9110, 10.2.3).

    At most a day, because the server's clock may be wrong.
    """
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return min(Retry().parse_retry_after(response.headers["Retry-After"]), A_DAY)
    except (KeyError, InvalidHeader, ValueError):  # missing, neither of the two, or 5,000 digits
        return None
