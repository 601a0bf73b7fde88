"""A token that goes into the path is on the wire, and in nothing that requests returns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests
from requests.auth import AuthBase, HTTPBasicAuth

from conda_token_plugin.auth.path_adapter import send_in_path
from conda_token_plugin.store.sources import Credential
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind
from tests.support.servers import RecordingServer, recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.auth.responses import Covered

VALUE = "a-token_that.nothing~masks-0123456789"


@pytest.fixture
def wire() -> Iterator[RecordingServer]:
    """A server that takes anything."""
    with recording() as server:
        yield server


def covered_by(wire: RecordingServer, *, scheme: AuthScheme = AuthScheme.PATH) -> Covered:
    """A token for ``/ours`` of the server."""
    prefix = f"{wire.url}/ours"
    token = Token(organization="acme", kind=TokenKind.SITE, scope=(prefix,), scheme=scheme)
    found = Credential.of(token, source="file", secret=lambda: Secret(VALUE), prefix=prefix)
    return lambda url: (found, Secret(VALUE)) if url.startswith(f"{prefix}/") else None


class Handler(AuthBase):
    """Replaces the handler whose sessions send tokens."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def taught(covered: Covered, *, auth: AuthBase | None = None) -> requests.Session:
    """A session of a kind that was taught to send what is ``covered``."""

    class Taught(requests.Session):
        pass

    send_in_path(Taught, handler=Handler, covered=covered)
    session = Taught()
    session.trust_env = False
    session.auth = auth or Handler()
    return session


@pytest.fixture
def session(wire: RecordingServer) -> Iterator[requests.Session]:
    """A session that was taught to send it."""
    with taught(covered_by(wire)) as fresh:
        yield fresh


def test_the_request_line_has_it_and_the_response_has_not(
    wire: RecordingServer, session: requests.Session
) -> None:
    response = session.get(f"{wire.url}/ours/noarch/repodata.json?x=1")

    assert [one.line for one in wire.requests] == [
        f"GET /t/{VALUE}/ours/noarch/repodata.json?x=1 HTTP/1.1"
    ]
    assert response.url == response.request.url == f"{wire.url}/ours/noarch/repodata.json?x=1"
    assert VALUE not in repr(vars(response.request))


def test_what_it_does_not_cover_is_sent_as_it_is(
    wire: RecordingServer, session: requests.Session
) -> None:
    session.get(f"{wire.url}/theirs/x")
    session.get(f"{wire.url}/OURS/x")

    assert [one.line.split()[1] for one in wire.requests] == ["/theirs/x", "/OURS/x"]


def test_a_token_of_another_way_is_not_its_business(wire: RecordingServer) -> None:
    with taught(covered_by(wire, scheme=AuthScheme.BEARER)) as plain:
        plain.get(f"{wire.url}/ours/x")

    assert wire.requests[0].line.split()[1] == "/ours/x"


def test_a_session_that_asks_another_handler_is_none_of_its_business(wire: RecordingServer) -> None:
    with taught(covered_by(wire), auth=HTTPBasicAuth("ann", "hers")) as other:
        other.get(f"{wire.url}/ours/x")

    assert wire.requests[0].line.split()[1] == "/ours/x"


@pytest.mark.parametrize(
    ("where", "last"),
    [
        ("/ours/moved-here/x", f"/t/{VALUE}/ours/landed/x"),
        ("/ours/echoed/x", f"/t/{VALUE}/ours/landed/x"),
        ("/ours/moved-out/x", "/elsewhere/noarch/repodata.json"),
        ("/ours/moved-away/x", "/ours/landed/x"),
        ("/ours/to-login/x", "/login?next=%2Fours%2Fto-login%2Fx"),
    ],
)
def test_each_of_several_redirects_is_checked_separately(
    wire: RecordingServer, session: requests.Session, where: str, last: str
) -> None:
    response = session.get(f"{wire.url}{where}")

    assert wire.requests[-1].line.split()[1] == last
    assert all(VALUE not in one.url for one in (response, *response.history))
    assert all(VALUE not in str(one.headers) for one in response.history)


def test_an_error_is_of_its_type_and_without_the_token() -> None:
    nobody = RecordingServer(port=1)
    with (
        taught(covered_by(nobody)) as lost,
        pytest.raises(requests.ConnectionError) as caught,
    ):
        lost.get(f"{nobody.url}/ours/x")

    assert "url: /ours/x" in str(caught.value)
    assert VALUE not in repr(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.request is not None
    assert VALUE not in str(caught.value.request.url)


def test_the_log_of_the_wire_is_without_it(
    session: requests.Session, wire: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="urllib3"):
        session.get(f"{wire.url}/ours/x")
        session.get(f"{wire.url}/ours/y")

    assert "GET /ours/y" in caplog.text
    assert VALUE not in caplog.text


def test_two_threads_that_teach_it_at_once_do_no_harm(wire: RecordingServer) -> None:
    covered = covered_by(wire)
    with taught(covered) as session:
        send_in_path(type(session), handler=Handler, covered=covered)
        session.get(f"{wire.url}/ours/x")

    assert wire.requests[0].line.split()[1] == f"/t/{VALUE}/ours/x"
