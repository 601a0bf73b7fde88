"""URLs that look like a channel of ours, or lead out of it: as conda sends them, without a token.

What counts is the request line that arrives, and where a lenient server would take it to.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from conda_token_plugin.tokens.token import AuthScheme
from tests.end_to_end.conda.asker import requested
from tests.support.servers import Request, recording
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

TOKEN = "a-token-0123456789"
OURS = "/repo/acme"
OUT = (
    *("/..", "/../x", "/%2e%2e", "/%2e%2e/x", "/.%2E/x", "/..%2fglobex", "/..%2Fglobex/x"),
    *("/%2e%2e%2fglobex%2fx", "/main/..%2f..%2fglobex/x", "/..%5cglobex", "/..\\globex/x"),
    *("/..;/globex/x", "/..;", "/%2e%2e;a=b/globex/x", "/main/..;a/..;b/globex/x"),
    *("-evil/x", "evil/x", ";/x", "%3b/x", "%20/x", ".x/x", "%2fglobex/x", "%5cx/x"),
)
"""What is put behind the token's channels, and leads out of them."""
WITHIN = (
    *("/x", "//x", "/./x", "/main/../x", "/%6dain/x", "/x?y=/../z", "/x#/../z", "/a..b/x"),
    *("/x-1%2B2-0.conda", "/..x/x", "/main/x;y", "/../acme/x"),
)
"""What stays in them, however it is written."""
ELSEWHERE = (
    *("http://HOST.:PORT", "http://HOST.evil.invalid:PORT", "http://ann@HOST:PORT"),
    *("http://ann:hers@HOST:PORT", "http://HOST:PORT/t/of-the-url", "http://HOST:PORT//"),
    *("http://127.1:PORT", "http://2130706433:PORT", "http://HOST:PORT/repo/globex/.."),
    *("http://HOST:PORT/REPO/..;", "http://localhost:PORT", "http://[::1]:PORT"),
)
"""What may stand before the token's channels, and makes them others' or unclear."""


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.PATH])
def test_url_that_leaves_the_scope_gets_no_token(
    machine: Machine, scheme: AuthScheme, table: Table
) -> None:
    with recording() as wire:
        put(machine, TOKEN, organization="acme", scope=[f"{wire.url}{OURS}"], scheme=scheme)
        host = {"HOST": "127.0.0.1", "PORT": str(wire.port)}
        fronts = [re.sub("HOST|PORT", lambda one: host[one[0]], front) for front in ELSEWHERE]
        requested(machine, *(f"{wire.url}{OURS}{rest}" for rest in OUT))
        requested(machine, *(f"{front}{OURS}/main/x" for front in fronts))
        strangers = list(wire.requests)
        wire.requests.clear()
        requested(machine, *(f"{wire.url}{OURS}{rest}" for rest in WITHIN))

    assert len(strangers) > len(OUT)
    assert not [one for one in strangers if _carried(one)]
    assert [one for one in wire.requests if not _carried(one)] == []
    assert len(wire.requests) == len(WITHIN)
    assert all(_meant(one).startswith(f"{OURS}/") for one in wire.requests)
    saw = f"nothing in {len(strangers)} requests, the token in {len(wire.requests)}"
    table.add("tricky URLs", solver="-", channel=f"by {scheme.value}", saw=saw)


def _carried(one: Request) -> bool:
    return TOKEN in one.line or TOKEN in str(one.headers)


def _meant(one: Request) -> str:
    """The path as a server sees it that decodes first, and then resolves."""
    path = unquote(one.line.split()[1].partition("?")[0]).replace("\\", "/")
    return posixpath.normpath(re.sub(";[^/]*", "", path.removeprefix(f"/t/{TOKEN}")))
