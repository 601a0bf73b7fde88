"""A token is sent over plain http to this machine only if no proxy is in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.tokens.token import AuthScheme
from tests.end_to_end.conda.asker import requested
from tests.support.servers import recording
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

TOKEN = "a-token-0123456789"


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.PATH])
@pytest.mark.parametrize(
    ("variables", "condarc", "sent"),
    [
        ({}, "", True),
        ({"http_proxy": "PROXY"}, "", False),
        ({"HTTP_PROXY": "PROXY"}, "", False),
        ({"ALL_PROXY": "PROXY"}, "", False),
        ({"http_proxy": "PROXY", "no_proxy": "127.0.0.1"}, "", True),
        ({"https_proxy": "PROXY"}, "", True),
        ({}, "proxy_servers: {http: 'PROXY'}", False),
        ({"no_proxy": "127.0.0.1"}, "proxy_servers: {http: 'PROXY'}", False),
        ({}, "proxy_servers: {https: 'PROXY'}", True),
    ],
)
def test_token_for_loopback_is_sent_over_http_only_without_a_proxy(
    machine: Machine, scheme: AuthScheme, variables: dict[str, str], condarc: str, *, sent: bool
) -> None:
    with recording() as wire, recording() as proxy:
        put(machine, TOKEN, organization="acme", scope=[f"{wire.url}/acme"], scheme=scheme)
        environment = {name: text.replace("PROXY", proxy.url) for name, text in variables.items()}
        url, condarc = f"{wire.url}/acme/noarch/repodata.json", condarc.replace("PROXY", proxy.url)
        ran = requested(machine, url, condarc=condarc, **environment)
        came = [*wire.requests, *proxy.requests]

    assert len(came) == 1
    assert (TOKEN in str(came[0])) == sent
    assert bool(proxy.requests) != sent
    assert ("goes through a proxy" in ran.err) != sent
