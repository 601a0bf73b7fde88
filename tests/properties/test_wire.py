"""Any bytes in place of an HTTP response lead to one of our own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.errors.service import IssueUncertain
from conda_token_plugin.gateways.http.client import Http, Timeouts
from conda_token_plugin.operations.verify_token import verify
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.login.oauth import discover
from conda_token_plugin.tokens.secret import Secret
from tests.properties.conftest import BOUNDED
from tests.properties.reading import checked
from tests.properties.samples import GOOD, TOKEN, VALUE
from tests.support.servers import RecordingServer, recording

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

HASTE = Timeouts(connect=1.0, read=1.0, retries=0)
LINES = (
    *("HTTP/1.1 200 OK", "HTTP/1.1 302 Found", "HTTP/1.1 204 No", "HTTP/1.0 401 No"),
    *("HTTP/1.1 429 Slow", "HTTP/1.1 503 Down", "HTTP/1.1 100 Go on", "HTTP/1.1 999 ?"),
    *("HTTP/1.1 -1 ?", "HTTP/1.1 2e2 ?", "HTTP/9.9 200", "HTTP/1.1", "ICY 200 OK", "\0", ""),
)
LOCATIONS = (
    *("/again", "", "//", "http://[", "http://[::1", "http://127.0.0.1:99999/", "mailto:x"),
    *("http:///x", "ftp://127.0.0.1/x", "http://a..b/", f"http://{'a' * 64}.example/", "http://%"),
    *("http://xn--/", "http://\u2100/", "http://127.0.0.1:1/", "x" * 70_000, "\x01", "?a#b", "\\"),
)
HEADERS = (
    *(f"Location: {place}" for place in LOCATIONS),
    *("Content-Length: 5", "Content-Length: -5", "Content-Length: x", "Content-Length: 1e9"),
    *("Content-Length: 4, 5", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"),
    *("Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br, zstd"),
    *("Content-Type: text/html", "Content-Type: application/json; charset=nonsense", ": x", "x"),
    *(
        f"{name}: {'9' * digits}"
        for name in ("Content-Length", "Retry-After")
        for digits in (400, 5_000)
    ),
    *("Retry-After: -1", "Retry-After: soon", "Retry-After: Mon, 99 Foo 2026", "Retry-After: 1e9"),
    *("Set-Cookie: a=b; expires=never", "X: \0", " folded", "Connection: upgrade", "\r"),
)
BODIES = (
    *(one[1:] for one in GOOD),
    *(
        b"",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"zz\r\n",
        b"-1\r\n",
        b"ffffffffffffffffff\r\n",
        b"\x1f\x8b",
    ),
    *(b"[" * 100_000, b"<html>", b"\xff\xfe", b"null", b"{}", b"5" * 5_000),
)
FOUND = (
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://a..b/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://%s.example/\r\n\r\n" % (b"a" * 64),
    b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n{}" % (b"9" * 5_000),
    b"HTTP/1.1 429 Slow\r\nRetry-After: %s\r\n\r\n" % (b"9" * 400),
    b"HTTP/1.1 429 Slow\r\nRetry-After: %s\r\n\r\n" % (b"9" * 5_000),
)


@st.composite
def spoken(draw: st.DrawFn) -> bytes:
    """Draw the response of a server, of a proxy, or of something that does not speak HTTP."""
    headers = draw(st.lists(st.sampled_from(HEADERS) | st.text(max_size=20), max_size=4))
    head = "\r\n".join([draw(st.sampled_from(LINES)), *headers, "", ""])
    body = draw(st.sampled_from(BODIES) | st.binary(max_size=50))
    return head.encode("utf-8", "replace") + body


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with recording() as running:
        yield running


def ask_everything(server: RecordingServer) -> None:
    """Send a read, a write, a read that follows redirects, and the verification of a token."""
    service = Service(server.url, api_key=Secret("key"), source="here", timeouts=HASTE)
    checked(service.organizations)
    checked(lambda: service.issue("acme"))
    checked(lambda: discover(Http(timeouts=HASTE), server.url))
    scope = (f"{server.url}/repo/acme",)
    checked(lambda: verify(scope, token=TOKEN, secret=Secret(VALUE), timeouts=HASTE))


@pytest.mark.parametrize("says", FOUND)
def test_response_of_an_earlier_bug_raises_only_documented_errors(
    server: RecordingServer, says: bytes
) -> None:
    server.raw = says
    ask_everything(server)


@pytest.mark.parametrize("says", [FOUND[0], FOUND[3]])
def test_issue_with_a_malformed_response_is_reported_as_uncertain(
    server: RecordingServer, says: bytes
) -> None:
    server.raw = says
    service = Service(server.url, api_key=Secret("key"), source="here", timeouts=HASTE)
    with pytest.raises(IssueUncertain, match="may have been issued"):
        service.issue("acme")


@BOUNDED
@given(says=spoken())
def test_any_response_raises_only_our_own_errors(
    server: RecordingServer, count: Counter[str], says: bytes
) -> None:
    count["executions"] += 1
    server.raw = says
    ask_everything(server)
