"""A refused request is repeated once with the other credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
import requests

from conda_token_plugin.auth import responses
from conda_token_plugin.auth.responses import repeated
from conda_token_plugin.store.sources import Credential
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from conda_token_plugin.store.lookup import Lookup

URL = "https://repo.example/repo/acme/main/noarch/repodata.json"


def held(name: str, *, scheme: AuthScheme = AuthScheme.TOKEN) -> Credential:
    token = Token(organization=name, kind=TokenKind.SITE, scope=("https://x/y",), scheme=scheme)
    return Credential.of(token, source=name, secret=lambda: Secret(f"secret-of-{name}"))


TOKEN, KEY = held("token"), held("key", scheme=AuthScheme.BEARER)


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


class Known:
    """A lookup in which the same credentials cover every URL."""

    def __init__(self, *known: Credential, accepted: dict[str, str]) -> None:
        self.known, self.accepted = known, accepted

    def candidates(self, _url: str) -> tuple[Credential, ...]:
        return self.known


def lookup(*known: Credential, accepted: dict[str, str]) -> Lookup:
    return cast("Lookup", Known(*known, accepted=accepted))


def again(adapter: Adapter, chosen: dict[str, str], *known: Credential) -> requests.Response:
    found, _ = repeated(
        response(adapter), sent=TOKEN, lookup=lookup(*known, accepted=chosen), options={}
    )
    return found


def test_accepted_credential_is_remembered_for_the_channel() -> None:
    adapter, chosen = Adapter(200), dict[str, str]()

    found = again(adapter, chosen, TOKEN, KEY)

    assert found.status_code == 200
    assert adapter.sent == [b"Bearer secret-of-key"]
    assert chosen == {"https://repo.example/repo/acme/main": KEY.key}


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
    "known", [(TOKEN,), (KEY,), (), (TOKEN, held("other", scheme=AuthScheme.PATH))]
)
def test_request_without_another_credential_is_not_repeated(known: tuple[Credential, ...]) -> None:
    adapter = Adapter(200)
    assert again(adapter, {}, *known).status_code == 401
    assert adapter.sent == []


class Changing:
    """A provider's credential, which changes when it is discarded."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.held = held("provider")._replace(
            secret=lambda: Secret(self.values[0]), discard=self.discard
        )

    def discard(self, was_refused: Callable[[Secret], bool]) -> None:
        if len(self.values) > 1 and was_refused(Secret(self.values[0])):
            del self.values[0]


def refused_with(changing: Changing, adapter: Adapter, *, covers: bool = True) -> requests.Response:
    """Return the response after the present credential was refused.

    ``covers``: whether the URL that refused is in the scope, and not where a redirect led to.
    """
    request = requests.Request("GET", URL).prepare()
    request.headers["Authorization"] = f"token {changing.values[0]}"
    refusal = response(adapter, request=request)
    found, sent = repeated(
        refusal,
        sent=changing.held,
        lookup=lookup(*([changing.held] if covers else []), accepted={}),
        options={},
    )
    assert sent is changing.held
    return found


def test_request_is_repeated_with_the_new_credential_of_a_provider() -> None:
    adapter = Adapter(200)
    assert refused_with(Changing("old", "new"), adapter).status_code == 200
    assert adapter.sent == [b"token new"]


def test_request_is_not_repeated_with_the_same_credential_of_a_provider() -> None:
    adapter = Adapter(200)
    assert refused_with(Changing("old"), adapter).status_code == 401
    assert adapter.sent == []


def test_new_credential_that_is_refused_too_is_sent_once() -> None:
    adapter = Adapter(401)
    assert refused_with(Changing("old", "new"), adapter).status_code == 401
    assert adapter.sent == [b"token new"]


def test_new_credential_of_a_provider_is_not_sent_to_the_host_of_a_redirect() -> None:
    adapter, changing = Adapter(200), Changing("old", "new")
    assert refused_with(changing, adapter, covers=False).status_code == 401
    assert adapter.sent == []
    assert changing.values == ["old", "new"]
