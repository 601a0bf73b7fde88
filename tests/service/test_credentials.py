"""Which API key is used, where it was found, and what is reported about unusable ones."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

import pytest

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.login import NotLoggedIn
from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.sandbox.world.credentials import jwt
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.api_key import expiry_of
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.store import Store

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def key(name: str, *, days: int = 30) -> str:
    expires = int((NOW + timedelta(days=days)).timestamp())
    return jwt({"sub": name, "exp": expires}, key=b"anything")


@dataclass
class FakeStore:
    """A store that contains only logins."""

    logins: dict[str, str] = field(default_factory=dict)

    def login(self, service: str) -> Secret | None:
        return Secret(self.logins[service]) if service in self.logins else None


@dataclass
class KeyPlaces:
    """All places that may contain a key."""

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
        )
        return found.reveal(), source


@pytest.fixture
def places(empty_home: Path) -> KeyPlaces:
    return KeyPlaces(empty_home)


# -- the order -----------------------------------------------------------------------------------


def test_variable_precedes_our_login_and_that_precedes_anaconda_auth(places: KeyPlaces) -> None:
    places.variables["ANACONDA_AUTH_API_KEY"] = key("variable")
    places.store.logins["https://anaconda.com"] = key("ours")
    places.anaconda_login("anaconda.com", key("theirs"))
    assert places.find() == (key("variable"), "ANACONDA_AUTH_API_KEY")
    del places.variables["ANACONDA_AUTH_API_KEY"]
    assert places.find() == (key("ours"), "conda token login")
    places.store.logins.clear()
    assert places.find() == (key("theirs"), f"anaconda-auth's login ({places.keyring})")
    places.keyring.unlink()
    with pytest.raises(NotLoggedIn):
        places.find()


def test_file_variable_names_the_file_of_a_key(places: KeyPlaces) -> None:
    path = places.home / "key"
    path.write_text(f"{key('file')}\n")
    places.variables["ANACONDA_AUTH_API_KEY_FILE"] = str(path)
    assert places.find() == (key("file"), f"ANACONDA_AUTH_API_KEY_FILE ({path})")


def test_missing_key_file_is_an_error_and_is_not_skipped(places: KeyPlaces) -> None:
    places.variables["ANACONDA_AUTH_API_KEY_FILE"] = str(places.home / "missing")
    places.store.logins["https://anaconda.com"] = key("ours")
    with pytest.raises(StoreUnusable):
        places.find()


def test_malformed_variable_is_an_error_and_is_not_skipped(places: KeyPlaces) -> None:
    places.variables["ANACONDA_AUTH_API_KEY"] = "two words"
    places.store.logins["https://anaconda.com"] = key("ours")
    with pytest.raises(MalformedToken):
        places.find()


# -- domains -------------------------------------------------------------------------------------


def test_login_is_found_by_the_domain_of_the_service(places: KeyPlaces) -> None:
    places.anaconda_login("corp.example:8443", key("corp"))
    places.variables["CONDA_TOKEN_SERVICE_URL"] = "https://corp.example:8443"
    assert places.find()[0] == key("corp")


def test_domain_variable_of_anaconda_auth_is_used(places: KeyPlaces) -> None:
    places.anaconda_login("corp.example", key("corp"))
    places.variables["ANACONDA_AUTH_DOMAIN"] = "corp.example"
    assert places.find()[0] == key("corp")


@pytest.mark.parametrize("former", ["anaconda.cloud", "id.anaconda.cloud"])
def test_login_under_a_former_domain_is_found(places: KeyPlaces, former: str) -> None:
    places.anaconda_login(former, key("old"))
    assert places.find()[0] == key("old")


def test_key_of_another_service_is_named_and_not_used(places: KeyPlaces) -> None:
    places.anaconda_login("corp.example", key("corp"))
    with pytest.raises(NotLoggedIn, match=r"set ANACONDA_AUTH_DOMAIN=corp\.example"):
        places.find()


def test_key_of_anaconda_com_is_not_used_for_another_service(places: KeyPlaces) -> None:
    places.anaconda_login("anaconda.com", key("ada"))
    places.variables["CONDA_TOKEN_SERVICE_URL"] = "https://corp.example"
    with pytest.raises(NotLoggedIn):
        places.find()


# -- expiry --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["variable", "ours", "theirs"])
def test_key_that_has_expired_by_the_local_clock_is_used_if_there_is_no_other_one(
    places: KeyPlaces, place: str
) -> None:
    old = key("old", days=-3)
    if place == "variable":
        places.variables["ANACONDA_AUTH_API_KEY"] = old
    elif place == "ours":
        places.store.logins["https://anaconda.com"] = old
    else:
        places.anaconda_login("anaconda.com", old)
    assert places.find()[0] == old


def test_expired_login_is_skipped_for_a_valid_one(places: KeyPlaces) -> None:
    places.store.logins["https://anaconda.com"] = key("ours", days=-1)
    places.anaconda_login("anaconda.com", key("theirs"))
    assert places.find()[0] == key("theirs")


def test_expired_variable_is_not_skipped(places: KeyPlaces) -> None:
    places.variables["ANACONDA_AUTH_API_KEY"] = key("variable", days=-1)
    places.store.logins["https://anaconda.com"] = key("ours")
    assert places.find()[1] == "ANACONDA_AUTH_API_KEY"


def test_expiry_is_read_from_the_claim() -> None:
    assert expiry_of(Secret(key("x", days=7))) == NOW + timedelta(days=7)


@pytest.mark.parametrize(
    "value",
    [
        "no-jwt-at-all",
        "a.b.c",
        "..",
        jwt({}, key=b"k"),
        jwt({"exp": "soon"}, key=b"k"),
        jwt({"exp": None}, key=b"k"),
        jwt({"exp": 1e300}, key=b"k"),
        jwt({"exp": [1]}, key=b"k"),
        f"x.{b64encode(b'[1, 2]').decode()}.y",
        f"x.{b64encode(b'{').decode()}.y",
    ],
)
def test_key_without_readable_expiry_has_none(value: str) -> None:
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
def test_damaged_keyring_file_counts_as_missing_and_is_reported(
    places: KeyPlaces, text: str
) -> None:
    places.anaconda(text)
    with pytest.raises(NotLoggedIn):
        places.find()
    assert len(places.notices) == 1
    assert str(places.keyring) in places.notices[0]
    assert places.keyring.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["", "{}", '{"Anaconda Cloud": {}}', '{"Anaconda Cloud": []}'])
def test_keyring_file_without_a_login_is_not_reported(places: KeyPlaces, text: str) -> None:
    places.anaconda(text)
    with pytest.raises(NotLoggedIn):
        places.find()
    assert places.notices == []


def test_entry_after_a_logout_has_no_key(places: KeyPlaces) -> None:
    places.anaconda_login("anaconda.com", None)
    with pytest.raises(NotLoggedIn):
        places.find()
    assert places.notices == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_keyring_file_without_read_permission_is_reported(places: KeyPlaces) -> None:
    places.anaconda_login("anaconda.com", key("theirs"))
    places.keyring.chmod(0)
    with pytest.raises(NotLoggedIn):
        places.find()
    assert len(places.notices) == 1


def test_folder_in_the_place_of_the_keyring_file_is_reported(places: KeyPlaces) -> None:
    places.keyring.mkdir(parents=True)
    with pytest.raises(NotLoggedIn):
        places.find()
    assert len(places.notices) == 1


def test_finding_a_key_creates_no_file(places: KeyPlaces) -> None:
    with pytest.raises(NotLoggedIn):
        places.find()
    assert list(places.home.iterdir()) == []


def test_keyring_file_is_not_opened_if_a_login_precedes_it(places: KeyPlaces) -> None:
    places.anaconda("broken")
    places.store.logins["https://anaconda.com"] = key("ours")
    assert places.find()[0] == key("ours")
    assert places.notices == []
