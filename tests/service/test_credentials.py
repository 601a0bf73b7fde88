"""Which API key is used, where it came from, and what is said of one that cannot be."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

import pytest

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.login import LoginRefused, NotLoggedIn
from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.sandbox.world import jwt
from conda_token_plugin.service.credentials import expiry_of, find_api_key
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.store import Store

NOW = datetime(2026, 8, 1, tzinfo=timezone.utc)


def key(name: str, *, days: int = 30) -> str:
    expires = int((NOW + timedelta(days=days)).timestamp())
    return jwt.encode({"sub": name, "exp": expires}, key=b"anything")


@dataclass
class FakeStore:
    """A store that knows logins and nothing else."""

    logins: dict[str, str] = field(default_factory=dict)

    def login(self, service: str) -> Secret | None:
        return Secret(self.logins[service]) if service in self.logins else None


@dataclass
class Desk:
    """Everything a key may be found in."""

    home: Path
    variables: dict[str, str] = field(default_factory=lambda: {"CONDA_TOKEN_STORE": "file"})
    store: FakeStore = field(default_factory=FakeStore)
    notices: list[str] = field(default_factory=list)

    @property
    def keyring(self) -> Path:
        return self.home / ".anaconda" / "keyring"

    def anaconda(self, text: str) -> None:
        self.keyring.parent.mkdir(exist_ok=True)
        self.keyring.write_text(text, encoding="utf-8")

    def anaconda_login(self, domain: str, api_key: str | None) -> None:
        entry = json.dumps({"domain": domain, "api_key": api_key, "repo_tokens": [], "version": 2})
        coded = b64encode(entry.encode()).decode()
        self.anaconda(json.dumps({"Anaconda Cloud": {domain: coded}}))

    def find(self) -> tuple[str, str]:
        found, source = find_api_key(
            Settings(self.variables),
            cast("Store", self.store),
            notice=self.notices.append,
            clock=lambda: NOW,
        )
        return found.reveal(), source


@pytest.fixture
def desk(sealed_room: Path) -> Desk:
    return Desk(sealed_room)


# -- the order -----------------------------------------------------------------------------------


def test_the_variable_comes_first_then_our_login_then_that_of_anaconda_auth(desk: Desk) -> None:
    desk.variables["ANACONDA_AUTH_API_KEY"] = key("variable")
    desk.store.logins["https://anaconda.com"] = key("ours")
    desk.anaconda_login("anaconda.com", key("theirs"))
    assert desk.find() == (key("variable"), "ANACONDA_AUTH_API_KEY")
    del desk.variables["ANACONDA_AUTH_API_KEY"]
    assert desk.find() == (key("ours"), "conda token login")
    desk.store.logins.clear()
    assert desk.find() == (key("theirs"), f"anaconda-auth's login ({desk.keyring})")
    desk.keyring.unlink()
    with pytest.raises(NotLoggedIn):
        desk.find()


def test_the_variable_may_name_a_file(desk: Desk) -> None:
    path = desk.home / "key"
    path.write_text(f"{key('file')}\n")
    desk.variables["ANACONDA_AUTH_API_KEY_FILE"] = str(path)
    assert desk.find() == (key("file"), f"ANACONDA_AUTH_API_KEY_FILE ({path})")


def test_a_file_that_is_not_there_is_an_error_and_not_passed_over(desk: Desk) -> None:
    desk.variables["ANACONDA_AUTH_API_KEY_FILE"] = str(desk.home / "missing")
    desk.store.logins["https://anaconda.com"] = key("ours")
    with pytest.raises(StoreUnusable):
        desk.find()


def test_a_variable_that_holds_no_key_is_an_error_and_not_passed_over(desk: Desk) -> None:
    desk.variables["ANACONDA_AUTH_API_KEY"] = "two words"
    desk.store.logins["https://anaconda.com"] = key("ours")
    with pytest.raises(MalformedToken):
        desk.find()


# -- domains -------------------------------------------------------------------------------------


def test_a_login_is_found_by_the_domain_of_the_service(desk: Desk) -> None:
    desk.anaconda_login("corp.example:8443", key("corp"))
    desk.variables["CONDA_TOKEN_SERVICE_URL"] = "https://corp.example:8443"
    assert desk.find()[0] == key("corp")


def test_anaconda_auths_own_choice_of_a_domain_is_followed(desk: Desk) -> None:
    desk.anaconda_login("corp.example", key("corp"))
    desk.variables["ANACONDA_AUTH_DOMAIN"] = "corp.example"
    assert desk.find()[0] == key("corp")


@pytest.mark.parametrize("former", ["anaconda.cloud", "id.anaconda.cloud"])
def test_a_login_under_a_former_domain_of_the_service_counts(desk: Desk, former: str) -> None:
    desk.anaconda_login(former, key("old"))
    assert desk.find()[0] == key("old")


def test_a_key_of_another_service_is_not_used_but_named(desk: Desk) -> None:
    desk.anaconda_login("corp.example", key("corp"))
    with pytest.raises(NotLoggedIn, match=r"set ANACONDA_AUTH_DOMAIN=corp\.example"):
        desk.find()


def test_a_key_of_anaconda_is_not_sent_to_another_service(desk: Desk) -> None:
    desk.anaconda_login("anaconda.com", key("ada"))
    desk.variables["CONDA_TOKEN_SERVICE_URL"] = "https://corp.example"
    with pytest.raises(NotLoggedIn):
        desk.find()


# -- expiry --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["variable", "ours", "theirs"])
def test_a_key_that_has_expired_is_refused_with_its_date_and_source(desk: Desk, place: str) -> None:
    old = key("old", days=-3)
    if place == "variable":
        desk.variables["ANACONDA_AUTH_API_KEY"] = old
    elif place == "ours":
        desk.store.logins["https://anaconda.com"] = old
    else:
        desk.anaconda_login("anaconda.com", old)
    with pytest.raises(LoginRefused, match=r"The API key from .* expired on 2026-07-29"):
        desk.find()


def test_a_login_that_has_expired_gives_way_to_one_that_has_not(desk: Desk) -> None:
    desk.store.logins["https://anaconda.com"] = key("ours", days=-1)
    desk.anaconda_login("anaconda.com", key("theirs"))
    assert desk.find()[0] == key("theirs")


def test_a_variable_that_has_expired_does_not_give_way(desk: Desk) -> None:
    desk.variables["ANACONDA_AUTH_API_KEY"] = key("variable", days=-1)
    desk.store.logins["https://anaconda.com"] = key("ours")
    with pytest.raises(LoginRefused, match="ANACONDA_AUTH_API_KEY"):
        desk.find()


def test_the_expiry_is_read_from_the_claim() -> None:
    assert expiry_of(Secret(key("x", days=7))) == NOW + timedelta(days=7)


@pytest.mark.parametrize(
    "value",
    [
        "no-jwt-at-all",
        "a.b.c",
        "..",
        jwt.encode({}, key=b"k"),
        jwt.encode({"exp": "soon"}, key=b"k"),
        jwt.encode({"exp": None}, key=b"k"),
        jwt.encode({"exp": 1e300}, key=b"k"),
        jwt.encode({"exp": [1]}, key=b"k"),
        f"x.{b64encode(b'[1, 2]').decode()}.y",
        f"x.{b64encode(b'{').decode()}.y",
    ],
)
def test_a_key_that_does_not_say_when_it_expires_is_left_to_the_service(value: str) -> None:
    assert expiry_of(Secret(value)) is None


# -- anaconda-auth's file is read with suspicion and never written -------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"Anaconda Cloud": {"anaconda.com": "ey',
        "[]",
        "null",
        "\x00",
        "[" * 100_000,
        '{"Anaconda Cloud": {"anaconda.com": "!"}}',
        '{"Anaconda Cloud": {"anaconda.com": 7}}',
        '{"Anaconda Cloud": {"anaconda.com": "e30="}}',
        '{"Anaconda Cloud": {"anaconda.com": "W10="}}',
        '{"Anaconda Cloud": {"anaconda.com": "eyJhcGlfa2V5IjogN30="}}',
        '{"Anaconda Cloud": {"anaconda.com": "eyJhcGlfa2V5IjogImEgYiJ9"}}',
    ],
    ids=range(11),
)
def test_a_file_that_cannot_be_read_is_not_there_and_is_said_so(desk: Desk, text: str) -> None:
    desk.anaconda(text)
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert len(desk.notices) == 1
    assert str(desk.keyring) in desk.notices[0]
    assert desk.keyring.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["", "{}", '{"Anaconda Cloud": {}}', '{"Anaconda Cloud": []}'])
def test_a_file_without_a_login_is_nothing_to_speak_of(desk: Desk, text: str) -> None:
    desk.anaconda(text)
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert desk.notices == []


def test_after_a_logout_of_anaconda_auth_there_is_no_key(desk: Desk) -> None:
    desk.anaconda_login("anaconda.com", None)
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert desk.notices == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said_so(desk: Desk) -> None:
    desk.anaconda_login("anaconda.com", key("theirs"))
    desk.keyring.chmod(0)
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert len(desk.notices) == 1


def test_a_folder_in_the_place_of_the_file_is_said_so(desk: Desk) -> None:
    desk.keyring.mkdir(parents=True)
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert len(desk.notices) == 1


def test_reading_leaves_no_trace(desk: Desk) -> None:
    with pytest.raises(NotLoggedIn):
        desk.find()
    assert list(desk.home.iterdir()) == []


def test_a_file_that_is_not_needed_is_not_opened(desk: Desk) -> None:
    desk.anaconda("broken")
    desk.store.logins["https://anaconda.com"] = key("ours")
    assert desk.find()[0] == key("ours")
    assert desk.notices == []
