"""The contract that every backend keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from abc import abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Protocol

import pytest

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.settings import Settings, token_variable
from conda_token_plugin.store import Store, keyring_probe
from conda_token_plugin.tokens.secret import Secret
from tests.store import stores
from tests.support import keyrings, tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.store.keyring_probe import ProbeReport

UGLY_VALUES = {
    "48 letters and digits": tokens.value("ordinary"),
    "one character": "x",
    "punctuation": "".join(chr(code) for code in range(0x21, 0x7F)),
    "4 KiB": tokens.value("long", length=4096),
    "quotes and escapes": "\\\"'\\n\\u0000%00${HOME}`$(id)`",
    "looks like JSON": '{"secret":"x"}',
    "only slashes": "/" * 40,
}
UGLY_NAMES = {
    "umlaut": "größe",
    "emoji": "🔑" * 5,
    "right to left": "\u202eacme",
    "combining": "e\u0301",
    "punctuation": "a.b-c_d~e!f$g'h(i)*+,;=",
    "percent": "a%2fb%00",
    "quotes": "\"'\\",
    "blank": "two words",
    "dots": "..",
    "long": "o" * 200,
    "line break": "a\nb",
    "nul": "a\0b",
    "half a surrogate pair": "\ud83d",
}


def each(cases: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("text", cases.values(), ids=cases.keys())


class Backend(Protocol):
    """A backend under test, by organization."""

    def put(self, organization: str, text: str) -> None:
        """Store ``text`` as the secret."""

    def get(self, organization: str) -> Secret | None:
        """Return the secret, or None."""


class ReadingContract:
    """The contract of every backend, also of those that are read-only."""

    @pytest.fixture
    @abstractmethod
    def backend(self) -> Backend:
        """Return an empty backend."""

    @each(UGLY_VALUES)
    def test_backend_returns_the_value_that_was_stored(self, backend: Backend, text: str) -> None:
        backend.put("acme", text)
        assert backend.get("acme") == Secret(text)

    @each(UGLY_NAMES)
    def test_backend_accepts_any_organization_name(self, backend: Backend, text: str) -> None:
        backend.put(text, tokens.value(1))
        assert backend.get(text) == tokens.secret(1)

    def test_backend_returns_none_for_an_unknown_organization(self, backend: Backend) -> None:
        backend.put("acme", tokens.value(1))
        assert backend.get("other") is None

    def test_backend_separates_organizations_with_similar_names(self, backend: Backend) -> None:
        names = ("acme", "acme2", "acm", "acme.evil")
        for name in names:
            backend.put(name, tokens.value(name))
        assert [backend.get(name) for name in names] == [tokens.secret(name) for name in names]

    @pytest.mark.parametrize("text", ["two words", "line\nbreak", "nul\0", "ünicode"])
    def test_backend_refuses_a_value_that_no_header_can_contain(
        self, backend: Backend, text: str
    ) -> None:
        with pytest.raises(MalformedToken):  # noqa: PT012  # the environment refuses on reading
            backend.put("acme", text)
            backend.get("acme")

    def test_backend_does_not_show_the_secret(self, backend: Backend) -> None:
        backend.put("acme", tokens.value(1))
        found = backend.get("acme")
        assert tokens.value(1)[:8] not in f"{backend!r} {backend} {found!r} {found}"


class StoreBackend:
    """A store as a backend. Each access uses a new object, as a new process would."""

    def __init__(self, opened: Callable[[], Store]) -> None:
        self.opened = opened

    def put(self, organization: str, text: str) -> None:
        self.opened().add(tokens.token(organization), Secret(text))

    def get(self, organization: str) -> Secret | None:
        try:
            return self.opened().secret(tokens.token(organization).key)
        except NoToken:
            return None


class StoreContract(ReadingContract):
    """The contract of the backends that a store writes to."""

    @pytest.fixture
    def backend(self, opened: Callable[[], Store]) -> Backend:
        return StoreBackend(opened)

    @pytest.fixture
    @abstractmethod
    def opened(self) -> Callable[[], Store]:
        """Return a function that opens the same store."""

    @abstractmethod
    def entries(self, store: Store) -> set[str]:
        """Return the names of all entries in the vault."""

    def test_new_store_is_empty_and_makes_no_folder(self, opened: Callable[[], Store]) -> None:
        store = opened()
        assert store.tokens() == ()
        assert stores.owner_of(tokens.token("acme").scope[0], store) is None
        assert store.login(tokens.SERVICE) is None
        assert not store.folder.exists()

    def test_empty_value_is_refused_before_anything_is_stored(
        self, opened: Callable[[], Store]
    ) -> None:
        with pytest.raises(MalformedToken):
            opened().add(tokens.token("acme"), Secret(""))
        assert opened().tokens() == ()

    def test_metadata_is_returned_unchanged(self, opened: Callable[[], Store]) -> None:
        token = tokens.token("acme", last_four="abcd")._replace(channels=("https://x.example/c",))
        opened().add(token, tokens.secret(1))
        assert opened().tokens() == (token,)
        assert opened().token(token.key) == token

    def test_tokens_are_sorted_by_organization(self, opened: Callable[[], Store]) -> None:
        for name in ("b", "a", "c"):
            opened().add(tokens.token(name), tokens.secret(name))
        assert [token.organization for token in opened().tokens()] == ["a", "b", "c"]

    def test_add_replaces_the_token_with_the_same_key(self, opened: Callable[[], Store]) -> None:
        opened().add(tokens.token("acme", last_four="aaaa"), tokens.secret(1))
        opened().add(tokens.token("acme", last_four="bbbb"), tokens.secret(2))
        assert stores.content(opened()).tokens == {
            tokens.token("acme").key: (tokens.token("acme", last_four="bbbb"), tokens.value(2))
        }

    def test_replaced_secret_is_deleted(self, opened: Callable[[], Store]) -> None:
        for number in range(3):
            opened().add(tokens.token("acme"), tokens.secret(number))
        assert self.entries(opened()) == stores.live(opened().folder)

    def test_remove_deletes_the_token_and_its_secret(self, opened: Callable[[], Store]) -> None:
        opened().add(tokens.token("acme"), tokens.secret(1))
        opened().add(tokens.token("other"), tokens.secret(2))
        assert opened().remove(tokens.token("acme").key) == tokens.token("acme")
        assert [token.organization for token in opened().tokens()] == ["other"]
        assert self.entries(opened()) == stores.live(opened().folder)

    def test_remove_of_a_missing_token_changes_nothing(self, opened: Callable[[], Store]) -> None:
        with pytest.raises(NoToken, match="'acme'"):
            opened().remove(tokens.token("acme").key)
        assert not opened().folder.exists()

    def test_update_keeps_the_secret(self, opened: Callable[[], Store]) -> None:
        opened().add(tokens.token("acme"), tokens.secret(1))
        after = tokens.token("acme")._replace(verified=tokens.NOON)
        opened().update(after)
        assert stores.content(opened()).tokens == {after.key: (after, tokens.value(1))}

    def test_update_of_a_missing_token_changes_nothing(self, opened: Callable[[], Store]) -> None:
        opened().add(tokens.token("acme"), tokens.secret(1))
        before = stores.content(opened())
        with pytest.raises(NoToken, match="'other'"):
            opened().update(tokens.token("acme")._replace(id="new"), tokens.token("other"))
        assert stores.content(opened()) == before

    def test_prefix_in_two_scopes_belongs_to_the_token_stored_last(
        self, opened: Callable[[], Store]
    ) -> None:
        shared = "https://repo.example/repo/main"
        for name in ("a", "b"):
            token = tokens.token(name)
            opened().add(token._replace(scope=(*token.scope, shared)), tokens.secret(name))
        assert stores.owner_of(shared, opened()) == tokens.token("b").key
        opened().remove(tokens.token("b").key)
        assert stores.owner_of(shared, opened()) == tokens.token("a").key

    def test_api_key_longer_than_a_windows_credential_is_stored(
        self, opened: Callable[[], Store]
    ) -> None:
        for length in (3000, 1500, 4096):
            opened().set_login(tokens.SERVICE, tokens.secret("key", length=length))
            assert opened().login(tokens.SERVICE) == tokens.secret("key", length=length)
        assert self.entries(opened()) == stores.live(opened().folder)

    def test_remove_login_returns_false_the_second_time(self, opened: Callable[[], Store]) -> None:
        opened().set_login(tokens.SERVICE, tokens.secret(1))
        assert opened().remove_login(tokens.SERVICE)
        assert not opened().remove_login(tokens.SERVICE)
        assert opened().login(tokens.SERVICE) is None
        assert self.entries(opened()) == set()

    def test_login_and_token_with_the_same_name_are_separate(
        self, opened: Callable[[], Store]
    ) -> None:
        token = tokens.token("acme")
        opened().add(token, tokens.secret(1))
        opened().set_login(token.key, tokens.secret(2))
        assert opened().secret(token.key) == tokens.secret(1)
        assert opened().login(token.key) == tokens.secret(2)

    def test_open_store_reads_what_another_object_writes(self, opened: Callable[[], Store]) -> None:
        reader, writer = opened(), opened()
        for number in range(20):
            writer.add(tokens.token("acme"), tokens.secret(number))
            assert reader.secret(tokens.token("acme").key) == tokens.secret(number)
        writer.remove(tokens.token("acme").key)
        assert reader.tokens() == ()

    def test_two_processes_share_one_store(self, opened: Callable[[], Store]) -> None:
        store = opened()
        store.add(tokens.token("ours"), tokens.secret("ours"))
        child = subprocess.run(
            [sys.executable, "-m", "tests.store.children", "exchange", str(store.folder)],
            input=tokens.value("theirs"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.stdout == tokens.value("ours"), child.stderr
        assert opened().secret(tokens.token("theirs").key) == tokens.secret("theirs")
        assert opened().secret(tokens.token("ours").key) == tokens.secret("ours")
        assert store.vault_of(tokens.token("theirs").key) == store.vault_of(
            tokens.token("ours").key
        )


@cache
def found(backend: str, *, explicit: bool) -> ProbeReport:
    """Return the report of the real probe, which takes a third of a second."""
    finding = keyring_probe.probe(explicit=explicit)
    assert finding.answer is keyring_probe.ProbeAnswer.WORKING, (backend, finding)
    return finding


def probed_once(monkeypatch: pytest.MonkeyPatch, *, explicit: bool) -> None:
    """Share one probe between the tests of a backend."""
    finding = found(os.environ.get("PYTHON_KEYRING_BACKEND", ""), explicit=explicit)
    monkeypatch.setattr(keyring_probe, "probe", lambda **_: finding)


class TestFile(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: Store(tmp_path / "store", choice="file")

    def entries(self, store: Store) -> set[str]:
        return stores.files(store.folder)


class TestMachine(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Store]:
        monkeypatch.setenv("TEST_MACHINE", "yes")
        return lambda: Store(tmp_path / "store", machine=True)

    def entries(self, store: Store) -> set[str]:
        return stores.files(store.folder)


class TestThirdPartyKeyring(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Store]:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{keyrings.NAME}Small")
        monkeypatch.setenv("TEST_CHOICE", "keyring")
        probed_once(monkeypatch, explicit=True)
        return lambda: Store(tmp_path / "store", choice="keyring")

    def entries(self, store: Store) -> set[str]:
        del store
        return {f"{user})" for user in keyrings.fake_users()}


class TestSecretService(StoreContract):
    @pytest.fixture
    def opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret_service: keyrings.Session
    ) -> Callable[[], Store]:
        secret_service.enter(monkeypatch)
        secret_service.clear()
        monkeypatch.setenv("TEST_CHOICE", "auto")
        probed_once(monkeypatch, explicit=False)
        return lambda: Store(tmp_path / "store", choice="auto")

    def entries(self, store: Store) -> set[str]:
        del store
        return keyrings.real_users()


class TestEnvironment(ReadingContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return EnvironmentBackend()


class EnvironmentBackend:
    """Environment variables, which the plugin only reads."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def put(self, organization: str, text: str) -> None:
        self.variables[token_variable(organization)] = text

    def get(self, organization: str) -> Secret | None:
        found = Settings(self.variables).repository_token(token_variable(organization))
        return found and found[1]


class FilesOfTheEnvironment(EnvironmentBackend):
    """Files that ``<NAME>_FILE`` names."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def put(self, organization: str, text: str) -> None:
        path = self.folder / str(len(self.variables))
        path.write_text(f"{text}\n")
        self.variables[f"{token_variable(organization)}_FILE"] = str(path)


class TestFilesNamedByVariables(ReadingContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Backend:
        return FilesOfTheEnvironment(tmp_path)


class TestMountedSecrets(ReadingContract):
    @pytest.fixture
    def backend(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
        monkeypatch.setattr("conda_token_plugin.settings.paths.RUN_SECRETS", tmp_path)
        return Mounted(tmp_path)


class Mounted(EnvironmentBackend):
    """Files in ``/run/secrets``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def put(self, organization: str, text: str) -> None:
        (self.folder / token_variable(organization).lower()).write_text(text)
