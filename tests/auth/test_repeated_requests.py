"""A refused request is repeated once with the other credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from conda_token_plugin.auth import responses
from conda_token_plugin.auth.responses import repeated
from conda_token_plugin.store.held_token import HeldToken
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from typing import Any

URL = "https://repo.example/repo/acme/main/noarch/repodata.json"


def held(name: str, *, way: AuthScheme = AuthScheme.TOKEN) -> HeldToken:
    token = Token(organization=name, kind=TokenKind.SITE, scope=("https://x/y",), way=way)
    about = {} if way is AuthScheme.TOKEN else {"way": way.value}
    return HeldToken(
        name,
        source=name,
        secret=lambda: Secret(f"secret-of-{name}"),
        metadata=lambda: token,
        about=about,
    )


TOKEN, KEY = held("token"), held("key", way=AuthScheme.BEARER)


class Adapter:
    """Answers every request with one status, and records the header."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.sent: list[bytes] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.sent.append(request.headers["Authorization"].encode())
        return response(self, status=self.status, request=request)


def response(
    adapter: Any, *, status: int = 401, request: requests.PreparedRequest | None = None
) -> requests.Response:
    made = requests.Response()
    made.status_code, made.url, made.connection = status, URL, adapter
    made._content = b""
    made.request = request or requests.Request("GET", URL).prepare()
    return made


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_REPEATED", set())


def again(adapter: Adapter, chosen: dict[str, str], *known: HeldToken) -> requests.Response:
    found, _ = repeated(
        response(adapter), sent=TOKEN, candidates=lambda _: known, chosen=chosen, options={}
    )
    return found


def test_accepted_credential_is_remembered_for_the_channel() -> None:
    adapter, chosen = Adapter(200), dict[str, str]()

    found = again(adapter, chosen, TOKEN, KEY)

    assert found.status_code == 200
    assert adapter.sent == [b"Bearer secret-of-key"]
    assert chosen == {"https://repo.example/repo/acme/main": "key"}


def test_request_is_not_repeated_after_both_credentials_were_refused() -> None:
    adapter, chosen = Adapter(403), dict[str, str]()

    assert again(adapter, chosen, TOKEN, KEY).status_code == 403
    assert again(adapter, chosen, TOKEN, KEY).status_code == 401

    assert len(adapter.sent) == 1
    assert chosen == {}


def test_request_of_another_thread_is_repeated_with_the_accepted_credential() -> None:
    adapter, chosen = Adapter(200), dict[str, str]()
    again(adapter, chosen, TOKEN, KEY)

    assert again(adapter, chosen, TOKEN, KEY).status_code == 200
    assert len(adapter.sent) == 2


@pytest.mark.parametrize(
    "known", [(TOKEN,), (KEY,), (), (TOKEN, held("other", way=AuthScheme.PATH))]
)
def test_request_without_another_credential_is_not_repeated(known: tuple[HeldToken, ...]) -> None:
    adapter = Adapter(200)
    assert again(adapter, {}, *known).status_code == 401
    assert adapter.sent == []
