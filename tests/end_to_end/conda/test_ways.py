"""How a token is put into a request, and what becomes of it when a request is redirected."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest

from conda_token_plugin.tokens.token import AuthScheme
from tests.end_to_end.conda.asker import requested
from tests.support.secret_search import pieces, printed, stored, written
from tests.support.servers import RecordingServer, recording
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine, Ran
    from tests.support.servers import Request

pytestmark = pytest.mark.conda

TOKEN = "a_token-that.conda~does+not*mask-0123456789"
SEGMENT = quote(TOKEN, safe="")
BASIC = b64encode(f"ann:{TOKEN}".encode()).decode()
SCHEMES = [scheme for scheme in AuthScheme if scheme is not AuthScheme.HEADER]
"""Those that a user can choose. With `HEADER` a provider returns the whole header."""
IN_HEADER = {
    AuthScheme.TOKEN: f"token {TOKEN}",
    AuthScheme.BEARER: f"Bearer {TOKEN}",
    AuthScheme.BASIC: f"Basic {BASIC}",
}


@pytest.fixture
def wire() -> Iterator[RecordingServer]:
    """A channel server that takes anything."""
    with recording() as server:
        yield server


@pytest.mark.parametrize("scheme", SCHEMES)
def test_token_is_sent_by_its_scheme_and_on_redirects_in_scope_only(
    machine: Machine, wire: RecordingServer, scheme: AuthScheme, table: Table
) -> None:
    _hold(machine, wire, scheme=scheme)
    ours = f"{wire.url}/repo/acme/main/"

    came = _asked(
        machine,
        wire,
        plain=f"{ours}noarch/repodata.json",
        here=f"{ours}moved-here/repodata.json",
        out=f"{ours}moved-out/repodata.json",
        away=f"{ours}moved-away/repodata.json",
        echoed=f"{ours}echoed/repodata.json",
    )

    assert _sent(came["plain"], scheme=scheme) == [True]
    assert _sent(came["here"], scheme=scheme) == [True, True]
    assert _sent(came["out"], scheme=scheme) == [True, False]
    assert _sent(came["away"], scheme=scheme) == [True, False]
    assert _sent(came["echoed"], scheme=scheme) == [True, True]
    for path, arrivals in came.items():
        saw = ", then ".join(
            "the token" if one else "nothing" for one in _sent(arrivals, scheme=scheme)
        )
        name = {"plain": "repodata", "here": "redirect in scope", "echoed": "redirect to a path"}
        table.add(
            name.get(path, f"redirect {path}"), solver="-", channel=f"by {scheme.value}", saw=saw
        )


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.PATH])
def test_proxy_that_asks_gets_its_password_and_never_a_token_over_plain_http(
    machine: Machine, wire: RecordingServer, scheme: AuthScheme, table: Table
) -> None:
    _hold(machine, wire, scheme=scheme)
    with recording(asks=True) as proxy:
        settings = f"proxy_servers: {{http: '{proxy.url}'}}\n"
        requested(machine, f"{wire.url}/repo/acme/moved-out/repodata.json", condarc=settings)

        first, again, moved = proxy.requests

    assert not first.header("Proxy-Authorization")
    assert again.header("Proxy-Authorization").startswith("Basic ")
    assert _sent([first, again], scheme=scheme) == [False, False]
    assert _sent([moved], scheme=scheme) == [False]
    saw = "nothing of ours, then the password, and no token"
    table.add("a proxy that asks", solver="-", channel=f"by {scheme.value}", saw=saw)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_failing_command_prints_and_writes_no_piece_of_the_token(
    machine: Machine, wire: RecordingServer, scheme: AuthScheme
) -> None:
    _hold(machine, wire, scheme=scheme)
    runs = [
        _create(machine, flag, f"{wire.url}/repo/acme/{channel}")
        for flag, channel in (("-vvv", "answer-403"), ("--json", "answer-401"))
    ]
    nobody = RecordingServer(port=1)
    _hold(machine, nobody, scheme=scheme)
    runs += [_create(machine, flag, f"{nobody.url}/repo/acme/x") for flag in ("-vvv", "--json")]

    sought = pieces(TOKEN, BASIC)
    assert any(_sent(wire.requests, scheme=scheme))
    assert stored(machine, among=sought)
    assert not printed(runs, among=sought)
    assert not written(machine, among=sought)


def _hold(machine: Machine, wire: RecordingServer, *, scheme: AuthScheme) -> None:
    machine.variables["CONDA_TOKEN_REPO_URL"] = f"{wire.url}/repo/"
    username = "ann" if scheme is AuthScheme.BASIC else ""
    scope = [f"{wire.url}/repo/acme"]
    put(machine, TOKEN, organization="acme", scope=scope, scheme=scheme, username=username)


def _create(machine: Machine, flag: str, channel: str) -> Ran:
    return machine.create(flag, *machine.only(channel), "tool").badly()


def _asked(machine: Machine, wire: RecordingServer, **urls: str) -> dict[str, list[Request]]:
    """What arrived for each URL, redirects included; the one that is asked for begins a list."""
    wire.requests.clear()
    requested(machine, *urls.values())
    came: list[list[Request]] = []
    for one in wire.requests:
        if "landed" in one.line or "elsewhere" in one.line:
            came[-1].append(one)
        else:
            came.append([one])
    return dict(zip(urls, came, strict=True))


def _sent(arrivals: list[Request], *, scheme: AuthScheme) -> list[bool]:
    """Whether each request carried the token, in ``scheme`` and in no other."""
    carried = [
        TOKEN in unquote(one.line) or "Authorization" in dict(one.headers) for one in arrivals
    ]
    rightly = [
        f"/t/{SEGMENT}/repo/" in one.line and not one.header("Authorization")
        if scheme is AuthScheme.PATH
        else one.header("Authorization") == IN_HEADER[scheme] and TOKEN not in unquote(one.line)
        for one in arrivals
    ]
    assert carried == rightly
    return rightly
