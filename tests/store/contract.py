"""What every backend promises: a test class of a backend inherits one and has a ``box``."""

from __future__ import annotations

import subprocess
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import pytest

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.tokens.secret import Secret
from tests.store import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.store import Store

UGLY_VALUES = {
    "48 letters and digits": made.value("ordinary"),
    "one character": "x",
    "punctuation": "".join(chr(code) for code in range(0x21, 0x7F)),
    "4 KiB": made.value("long", length=4096),
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


class Box(Protocol):
    """Something that secrets are read from, by organization."""

    def put(self, organization: str, text: str) -> None:
        """Have it hold ``text``; how is the backend's business."""

    def get(self, organization: str) -> Secret | None:
        """The secret, or None."""


class ReadingContract:
    """For all backends, those too that are read only."""

    @pytest.fixture
    @abstractmethod
    def box(self) -> Box:
        """An empty backend."""

    @each(UGLY_VALUES)
    def test_gives_back_what_was_put_in(self, box: Box, text: str) -> None:
        box.put("acme", text)
        assert box.get("acme") == Secret(text)

    @each(UGLY_NAMES)
    def test_takes_any_name_of_an_organization(self, box: Box, text: str) -> None:
        box.put(text, made.value(1))
        assert box.get(text) == made.secret(1)

    def test_has_nothing_of_what_was_never_put_in(self, box: Box) -> None:
        box.put("acme", made.value(1))
        assert box.get("other") is None

    def test_keeps_organizations_apart(self, box: Box) -> None:
        names = ("acme", "acme2", "acm", "acme.evil")
        for name in names:
            box.put(name, made.value(name))
        assert [box.get(name) for name in names] == [made.secret(name) for name in names]

    @pytest.mark.parametrize("text", ["two words", "line\nbreak", "nul\0", "ünicode"])
    def test_refuses_what_is_no_token(self, box: Box, text: str) -> None:
        with pytest.raises(MalformedToken):  # noqa: PT012  # the environment refuses when asked
            box.put("acme", text)
            box.get("acme")

    def test_shows_nothing(self, box: Box) -> None:
        box.put("acme", made.value(1))
        found = box.get("acme")
        assert made.value(1)[:8] not in f"{box!r} {box} {found!r} {found}"


class StoreBox:
    """A store as a box. Every access is by a new store, as by a new process."""

    def __init__(self, opened: Callable[[], Store]) -> None:
        self.opened = opened

    def put(self, organization: str, text: str) -> None:
        self.opened().add(made.token(organization), Secret(text))

    def get(self, organization: str) -> Secret | None:
        try:
            return self.opened().secret(made.token(organization).key)
        except NoToken:
            return None


class StoreContract(ReadingContract):
    """For the backends that a store writes to."""

    @pytest.fixture
    def box(self, opened: Callable[[], Store]) -> Box:
        return StoreBox(opened)

    @pytest.fixture
    @abstractmethod
    def opened(self) -> Callable[[], Store]:
        """Opens the same store anew."""

    @abstractmethod
    def entries(self, store: Store) -> set[str]:
        """What lies in the vault, whoever's it is."""

    def test_is_empty_at_first(self, opened: Callable[[], Store]) -> None:
        store = opened()
        assert store.tokens() == ()
        assert not store.prefixes()
        assert store.login(made.SERVICE) is None
        assert not store.folder.exists()

    def test_an_empty_value_never_gets_near_it(self, opened: Callable[[], Store]) -> None:
        with pytest.raises(MalformedToken):
            opened().add(made.token("acme"), Secret(""))
        assert opened().tokens() == ()

    def test_metadata_comes_back_as_it_was(self, opened: Callable[[], Store]) -> None:
        token = made.token("acme", last_four="abcd")._replace(channels=("https://x.example/c",))
        opened().add(token, made.secret(1))
        assert opened().tokens() == (token,)
        assert opened().token(token.key) == token

    def test_is_sorted_by_organization(self, opened: Callable[[], Store]) -> None:
        for name in ("b", "a", "c"):
            opened().add(made.token(name), made.secret(name))
        assert [token.organization for token in opened().tokens()] == ["a", "b", "c"]

    def test_replaces_the_token_of_the_same_key(self, opened: Callable[[], Store]) -> None:
        opened().add(made.token("acme", last_four="aaaa"), made.secret(1))
        opened().add(made.token("acme", last_four="bbbb"), made.secret(2))
        assert made.content(opened()).tokens == {
            made.token("acme").key: (made.token("acme", last_four="bbbb"), made.value(2))
        }

    def test_a_replaced_secret_is_no_more(self, opened: Callable[[], Store]) -> None:
        for number in range(3):
            opened().add(made.token("acme"), made.secret(number))
        assert self.entries(opened()) == made.live(opened().folder)

    def test_a_removed_token_is_gone_with_its_secret(self, opened: Callable[[], Store]) -> None:
        opened().add(made.token("acme"), made.secret(1))
        opened().add(made.token("other"), made.secret(2))
        assert opened().remove(made.token("acme").key) == made.token("acme")
        assert [token.organization for token in opened().tokens()] == ["other"]
        assert self.entries(opened()) == made.live(opened().folder)

    def test_removing_what_is_missing_changes_nothing(self, opened: Callable[[], Store]) -> None:
        with pytest.raises(NoToken, match="'acme'"):
            opened().remove(made.token("acme").key)
        assert not opened().folder.exists()

    def test_an_update_keeps_the_secret(self, opened: Callable[[], Store]) -> None:
        opened().add(made.token("acme"), made.secret(1))
        after = made.token("acme")._replace(proven=made.NOON)
        opened().update(after)
        assert made.content(opened()).tokens == {after.key: (after, made.value(1))}

    def test_an_update_of_what_is_missing_changes_nothing(
        self, opened: Callable[[], Store]
    ) -> None:
        opened().add(made.token("acme"), made.secret(1))
        before = made.content(opened())
        with pytest.raises(NoToken, match="'other'"):
            opened().update(made.token("acme")._replace(id="new"), made.token("other"))
        assert made.content(opened()) == before

    def test_of_two_claims_to_a_prefix_the_last_one_stored_has_it(
        self, opened: Callable[[], Store]
    ) -> None:
        shared = "https://repo.example/repo/main"
        for name in ("a", "b"):
            token = made.token(name)
            opened().add(token._replace(scope=(*token.scope, shared)), made.secret(name))
        assert opened().prefixes()[shared] == made.token("b").key
        opened().remove(made.token("b").key)
        assert opened().prefixes()[shared] == made.token("a").key

    def test_keeps_an_api_key_longer_than_a_windows_credential(
        self, opened: Callable[[], Store]
    ) -> None:
        for length in (3000, 1500, 4096):
            opened().set_login(made.SERVICE, made.secret("key", length=length))
            assert opened().login(made.SERVICE) == made.secret("key", length=length)
        assert self.entries(opened()) == made.live(opened().folder)

    def test_a_login_can_be_removed_once(self, opened: Callable[[], Store]) -> None:
        opened().set_login(made.SERVICE, made.secret(1))
        assert opened().remove_login(made.SERVICE)
        assert not opened().remove_login(made.SERVICE)
        assert opened().login(made.SERVICE) is None
        assert self.entries(opened()) == set()

    def test_a_login_and_a_token_of_one_name_are_two(self, opened: Callable[[], Store]) -> None:
        token = made.token("acme")
        opened().add(token, made.secret(1))
        opened().set_login(token.key, made.secret(2))
        assert opened().secret(token.key) == made.secret(1)
        assert opened().login(token.key) == made.secret(2)

    def test_a_store_that_is_open_sees_what_another_writes(
        self, opened: Callable[[], Store]
    ) -> None:
        reader, writer = opened(), opened()
        for number in range(20):
            writer.add(made.token("acme"), made.secret(number))
            assert reader.secret(made.token("acme").key) == made.secret(number)
        writer.remove(made.token("acme").key)
        assert reader.tokens() == ()

    def test_two_processes_see_one_store(self, opened: Callable[[], Store]) -> None:
        store = opened()
        store.add(made.token("ours"), made.secret("ours"))
        child = subprocess.run(
            [sys.executable, "-m", "tests.store.other", str(store.folder)],
            input=made.value("theirs"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.stdout == made.value("ours"), child.stderr
        assert opened().secret(made.token("theirs").key) == made.secret("theirs")
        assert opened().secret(made.token("ours").key) == made.secret("ours")
        assert store.vault_of(made.token("theirs").key) == store.vault_of(made.token("ours").key)
