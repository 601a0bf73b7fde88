"""The store compared with a model after random operations."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.store import Store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind, TokenVerdict
from tests.store import stores
from tests.support import tokens

NAMES = st.sampled_from(["acme", "acme2", "größe", "a b", "\ud800"]) | st.text(max_size=5)
SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=300)
TIMES = st.none() | st.datetimes(timezones=st.just(tokens.NOON.tzinfo)).map(
    lambda moment: moment.replace(microsecond=0)
)
PREFIXES = st.sampled_from([f"https://repo.example/repo/{name}" for name in "abcmr"])


@st.composite
def any_token(draw: st.DrawFn) -> Token:
    own = f"https://repo.example/repo/{draw(st.sampled_from('xyz'))}"
    return Token(
        organization=draw(NAMES),
        kind=draw(st.sampled_from(TokenKind)),
        scope=(own, *draw(st.lists(PREFIXES, unique=True, max_size=3))),
        scheme=draw(st.sampled_from(AuthScheme)),
        verdict=draw(st.sampled_from(TokenVerdict)),
        id=draw(st.text(max_size=5)),
        last_four=draw(st.text(max_size=4)),
        channels=tuple(draw(st.lists(PREFIXES, max_size=2))),
        issued=draw(TIMES),
        expires=draw(TIMES),
        subscription_ends=draw(TIMES),
        checked=draw(TIMES),
    )


class Model(RuleBasedStateMachine):
    """The model; ``held`` is in the order of storing, the last one last."""

    keys = Bundle[str]("keys")

    def __init__(self) -> None:
        super().__init__()
        self.above = Path(tempfile.mkdtemp(prefix="model"))
        self.store = self.opened()
        self.held: dict[str, tuple[Token, str]] = {}
        self.logins: dict[str, str] = {}

    def opened(self) -> Store:
        return Store(self.above / "store", choice="file")

    def teardown(self) -> None:
        shutil.rmtree(self.above)

    @rule(target=keys, token=any_token(), text=SECRETS)
    def add(self, token: Token, text: str) -> str:
        assert self.store.add(token, Secret(text)) == "file"
        self.held.pop(token.key, None)
        self.held[token.key] = (token, text)
        return token.key

    @rule(key=keys)
    def remove(self, key: str) -> None:
        if key in self.held:
            assert self.store.remove(key) == self.held.pop(key)[0]
        else:
            with pytest.raises(NoToken):
                self.store.remove(key)

    @rule(changes=st.dictionaries(keys, st.text(max_size=4), max_size=3))
    def update(self, changes: dict[str, str]) -> None:
        known = {key: text for key, text in changes.items() if key in self.held}
        fresh = {key: self.held[key][0]._replace(last_four=text) for key, text in known.items()}
        self.store.update(*fresh.values())
        for key, token in fresh.items():
            self.held[key] = (token, self.held[key][1])

    @rule(key=keys, names=st.sets(st.sampled_from("abcmrxyz")))
    def lose_prefixes(self, key: str, names: set[str]) -> None:
        if key in self.held:
            token, text = self.held[key]
            narrowed = token.without({f"https://repo.example/repo/{name}" for name in names})
            self.store.update(narrowed)
            self.held[key] = (narrowed, text)

    @rule(key=keys)
    def update_what_is_missing(self, key: str) -> None:
        missing = tokens.token("never stored")
        present = [self.held[key][0]] if key in self.held else []
        with pytest.raises(NoToken):
            self.store.update(*present, missing)

    @rule(service=NAMES, text=SECRETS)
    def log_in(self, service: str, text: str) -> None:
        self.store.set_login(service, Secret(text))
        self.logins[service] = text

    @rule(service=NAMES)
    def log_out(self, service: str) -> None:
        assert self.store.remove_login(service) == (self.logins.pop(service, None) is not None)

    @rule()
    def check_writable(self) -> None:
        self.store.check_writable()

    @rule()
    def reopen(self) -> None:
        self.store = self.opened()

    @rule(key=keys)
    def find(self, key: str) -> None:
        token, text = self.held.get(key, (None, ""))
        assert self.store.token(key) == token
        if token is not None:
            assert self.store.secret(key).reveal() == text
            assert self.store.vault_of(key) == "file"

    @invariant()
    def holds_the_same(self) -> None:
        expected = sorted((token for token, _ in self.held.values()), key=_order)
        assert list(self.store.tokens()) == expected
        owners = {prefix: key for key, (token, _) in self.held.items() for prefix in token.scope}
        assert {prefix: stores.owner_of(prefix, self.store) for prefix in owners} == owners
        for service in self.logins:
            found = self.store.login(service)
            assert found is not None
            assert found.reveal() == self.logins[service]

    @invariant()
    def holds_nothing_else(self) -> None:
        folder = self.store.folder
        if (folder / "index.json").exists():
            assert stores.files(folder) == stores.live(folder)
            assert self.store.notices == []


def _order(token: Token) -> tuple[str, str]:
    return token.organization, token.key


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestModel = Model.TestCase
