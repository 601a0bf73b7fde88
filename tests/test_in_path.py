"""A token that goes into the path is on the wire, and in nothing that requests hands back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests

from conda_token_plugin.in_path import InPath, send_in_path
from conda_token_plugin.lookup import Found
from conda_token_plugin.secret import Secret
from conda_token_plugin.tokens import Kind, Token, Way
from tests.conda.wire import Wire, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.in_path import Covered

VALUE = "a-token_that.nothing~masks-0123456789"


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A server that takes anything."""
    with listening() as server:
        yield server


def covered_by(wire: Wire, *, way: Way = Way.PATH) -> Covered:
    """A token for ``/ours`` of the server."""
    prefix = f"{wire.url}/ours"
    token = Token(organization="acme", kind=Kind.SITE, scope=(prefix,), way=way)
    found = Found(token=token, source="file", prefix=prefix, secret=lambda: Secret(VALUE))
    return lambda url: (found, Secret(VALUE)) if url.startswith(f"{prefix}/") else None


@pytest.fixture
def session(wire: Wire) -> Iterator[requests.Session]:
    """A session that was taught to send it."""
    with requests.Session() as fresh:
        fresh.trust_env = False
        send_in_path(fresh, url=f"{wire.url}/ours/x", covered=covered_by(wire))
        yield fresh


def test_the_request_line_has_it_and_the_response_has_not(
    wire: Wire, session: requests.Session
) -> None:
    response = session.get(f"{wire.url}/ours/noarch/repodata.json?x=1")

    assert [one.line for one in wire.arrivals] == [
        f"GET /t/{VALUE}/ours/noarch/repodata.json?x=1 HTTP/1.1"
    ]
    assert response.url == response.request.url == f"{wire.url}/ours/noarch/repodata.json?x=1"
    assert VALUE not in repr(vars(response.request))


def test_what_it_does_not_cover_is_sent_as_it_is(wire: Wire, session: requests.Session) -> None:
    session.get(f"{wire.url}/theirs/x")
    session.get(f"{wire.url}/OURS/x")

    assert [one.line.split()[1] for one in wire.arrivals] == ["/theirs/x", "/OURS/x"]


def test_a_token_of_another_way_is_not_its_business(wire: Wire) -> None:
    with requests.Session() as plain:
        send_in_path(plain, url=f"{wire.url}/", covered=covered_by(wire, way=Way.BEARER))
        plain.get(f"{wire.url}/ours/x")

    assert wire.arrivals[0].line.split()[1] == "/ours/x"


@pytest.mark.parametrize(
    ("where", "last"),
    [
        ("/ours/moved-here/x", f"/t/{VALUE}/ours/landed/x"),
        ("/ours/echoed/x", f"/t/{VALUE}/ours/landed/x"),
        ("/ours/moved-out/x", "/elsewhere/noarch/repodata.json"),
        ("/ours/moved-away/x", "/ours/landed/x"),
    ],
)
def test_each_hop_of_a_redirect_is_looked_at_by_itself(
    wire: Wire, session: requests.Session, where: str, last: str
) -> None:
    response = session.get(f"{wire.url}{where}")

    assert wire.arrivals[-1].line.split()[1] == last
    assert all(VALUE not in one.url for one in (response, *response.history))
    assert all(VALUE not in str(one.headers) for one in response.history)


def test_an_error_is_of_its_type_and_without_the_token() -> None:
    nobody = Wire(port=1)
    with requests.Session() as lost:
        lost.trust_env = False
        send_in_path(lost, url=f"{nobody.url}/ours/x", covered=covered_by(nobody))

        with pytest.raises(requests.ConnectionError) as caught:
            lost.get(f"{nobody.url}/ours/x")

    assert "<hidden>" in str(caught.value)
    assert VALUE not in repr(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.request is not None
    assert VALUE not in str(caught.value.request.url)


def test_the_log_of_the_wire_is_without_it(
    session: requests.Session, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="urllib3"):
        session.get(f"{wire.url}/ours/x")
        session.get(f"{wire.url}/ours/y")

    assert "/t/<hidden>/ours/y" in caplog.text
    assert VALUE not in caplog.text


def test_it_is_taught_once(session: requests.Session, wire: Wire) -> None:
    before = dict(session.adapters)
    send_in_path(session, url=f"{wire.url}/ours/y", covered=covered_by(wire))

    assert dict(session.adapters) == before
    taught = session.get_adapter(f"{wire.url}/ours/x")
    assert isinstance(taught, InPath)
    taught.close()
