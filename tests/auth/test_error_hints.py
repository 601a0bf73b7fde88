"""The reasons that are given for an error of conda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus

import pytest
from requests import Response

from conda_token_plugin.auth import error_hints, faults, responses
from conda_token_plugin.auth.error_hints import hint
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.sources import Credential
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind
from tests.support.servers import recording

if TYPE_CHECKING:
    from conda_token_plugin.store.lookup import Lookup

CHANNEL = "https://channel.example/acme"
URL = f"{CHANNEL}/noarch/repodata.json"
STORAGE = "https://storage.example/bucket/x?signature=1"


class OneToken:
    """A lookup in which one token covers every URL of the channel."""

    def __init__(self, prefix: str = CHANNEL) -> None:
        self.prefix = prefix

    def find(self, url: str) -> Credential | None:
        token = Token(organization="acme", kind=TokenKind.SITE, scope=(self.prefix,))
        if not url.startswith(self.prefix):
            return None
        secret = Secret("x" * 20)
        return Credential.of(token, source="file", secret=lambda: secret, prefix=self.prefix)


def lookup(prefix: str = CHANNEL) -> Lookup:
    return cast("Lookup", OneToken(prefix))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was reported before."""
    monkeypatch.setattr(error_hints, "_REPORTED", set())
    faults.REFUSED_ELSEWHERE.clear()


def refused_by(url: str, *, requested: str = URL) -> None:
    refusal = Response()
    refusal.url, refusal.status_code = url, 403

    def covered(one: str) -> tuple[Credential, Secret] | None:
        held = OneToken().find(one)
        return (held, held.secret()) if held else None

    responses.note(refusal, requested=requested, covered=covered)


@pytest.mark.parametrize("url", [URL, STORAGE])
def test_refusal_by_storage_is_not_blamed_on_the_token(url: str) -> None:
    refused_by(STORAGE)

    found = hint({"url": url, "status_code": 403}, lookup=lookup())

    assert found is not None
    assert "redirects to storage.example, which refused the request (HTTP 403)" in found.text
    assert found.code == "storage_refused"
    assert "conda token" not in found.text


def test_refusal_by_the_channel_itself_is_not_blamed_on_storage() -> None:
    refused_by(URL)

    assert faults.REFUSED_ELSEWHERE == {}


@pytest.mark.parametrize(("path", "given"), [("/acme", True), ("/acme/answer-404", False)])
def test_channel_absent_with_a_token_is_requested_without_one(path: str, *, given: bool) -> None:
    with recording() as wire:
        facts: dict[str, Any] = {"channel_url": f"{wire.url}{path}", "status_code": 404}
        found = hint(facts, lookup=lookup(wire.url))
        came = list(wire.requests)

    assert [one.header("Authorization") for one in came] == [""]
    assert (found is not None) == given
    if found is not None:
        assert found.code == "works_without"
        assert "the server returns the file if no token is sent" in found.text
        assert f"Remove {wire.url}{path} from the token's channels." in found.text


@pytest.mark.parametrize("name", ["a+b", "a%20b", "caf%C3%A9", "50%25", "a%2Ab"])
def test_url_of_an_error_is_the_one_that_was_requested(name: str) -> None:
    url = f"{CHANNEL}/{name}/noarch/repodata.json"
    details = f"\n>>GET /acme/{name}/noarch/repodata.json HTTP\n> Accept: */*\n\n<<HTTP 403\n"
    assert error_hints.requested(unquote_plus(url), details=details) == url


@pytest.mark.parametrize(
    "details",
    [
        "",
        ">>GET /other HTTP\n",
        ">>GET\n",
        "GET /acme/a+b/noarch/repodata.json\n",
        ">>\n<<HTTP 401",
    ],
)
def test_url_of_an_error_is_used_if_the_request_is_not_known(details: str) -> None:
    url = f"{CHANNEL}/a b/noarch/repodata.json"
    assert error_hints.requested(url, details=details) == url


def test_refusal_by_storage_is_recognized_in_a_channel_with_a_plus() -> None:
    requested = f"{CHANNEL}/a+b/noarch/repodata.json"
    refused_by(STORAGE, requested=requested)
    found = hint({"url": unquote_plus(requested), "status_code": 403}, lookup=lookup())
    assert found is not None
    assert found.code == "storage_refused"


def test_channel_that_no_token_covers_is_not_requested() -> None:
    with recording() as wire:
        facts: dict[str, Any] = {"channel_url": f"{wire.url}/acme", "status_code": 404}
        assert hint(facts, lookup=lookup()) is None

    assert wire.requests == []


def test_hint_raises_nothing_with_a_bad_setting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Settings({"CONDA_TOKEN_HOME": "~nosuchuser/x", "CONDA_TOKEN_REPO_URL": "ftp://x"})
    monkeypatch.setattr(error_hints, "Settings", lambda: bad)

    assert hint({"url": URL, "status_code": 403}, lookup=lookup()) is None
    assert "Traceback" not in caplog.text
