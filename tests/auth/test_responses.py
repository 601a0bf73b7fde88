"""Which token goes along when conda follows a redirect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from conda_token_plugin.auth.responses import keep_in_scope
from conda_token_plugin.store.sources import Credential
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "https://h.example/repo"
SECRET = Secret("a-token-0123456789")


def held(organization: str) -> Credential:
    scope = (f"{HOST}/{organization}",)
    token = Token(organization=organization, kind=TokenKind.SITE, scope=scope)
    return Credential.of(token, source="file", secret=lambda: SECRET)


STORED = {f"{HOST}/{name}": held(name) for name in ("acme", "beta", "acme/inner")}


@pytest.fixture
def covered() -> Callable[[str], tuple[Credential, Secret] | None]:
    """Return the lookup of three tokens, one of which covers a part of another's scope."""

    def find(url: str) -> tuple[Credential, Secret] | None:
        prefix = longest_prefix(url, among=STORED)
        return (STORED[prefix], SECRET) if prefix else None

    return find


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/repo/acme/other/x", True),
        ("/repo/beta/main/x", False),
        ("/repo/acme/inner/x", False),
        ("/repo/open/x", False),
    ],
)
def test_redirect_to_a_url_of_another_token_removes_this_token(
    covered: Callable[[str], tuple[Credential, Secret] | None],
    location: str,
    kept: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    url = f"{HOST}/acme/main/x"
    response = requests.Response()
    response.status_code, response.url = 302, url
    response.request = requests.Request("GET", url, {"Authorization": "token x"}).prepare()
    response.headers["Location"] = location
    keep_in_scope(response, credential=STORED[f"{HOST}/acme"], covered=covered)
    assert ("Authorization" in response.request.headers) == kept
