"""Lookup: precedence, the longest prefix, and that everything is read once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.input import BadInput, MalformedToken
from conda_token_plugin.errors.store import KeyringUnusable, StoreUnusable
from conda_token_plugin.settings import Settings, paths
from conda_token_plugin.store import machine_store
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.store.sources import Credential, all_tokens, api_keys
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind
from tests.support.tokens import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conda_token_plugin.tokens.provider import Provider

REPO = "https://repo.anaconda.cloud/repo"
USER, MACHINE, GENERAL, NAMED = "u" * 20, "m" * 20, "g" * 20, "n" * 20


class FakeStore:
    """A store in memory that counts how often a secret is read."""

    def __init__(self, value: str, *prefixes: str) -> None:
        held = (
            Token(organization=p.rpartition("/")[2], kind=TokenKind.SITE, scope=(p,))
            for p in prefixes
        )
        self.held = {token.key: token for token in held}
        self.value, self.reads = value, 0
        self.commands: tuple[Provider, ...] = ()
        self.logins: Mapping[str, Token] = {}

    def tokens(self) -> tuple[Token, ...]:
        return tuple(self.held.values())

    def covering(self, url: str) -> tuple[str, Token, str] | None:
        prefixes = {prefix: token for token in self.held.values() for prefix in token.scope}
        prefix = longest_prefix(url, among=prefixes)
        return None if prefix is None else (prefix, prefixes[prefix], "file")

    def providers(self) -> tuple[Provider, ...]:
        return self.commands

    def channel_logins(self) -> Mapping[str, Token]:
        return self.logins

    def vault_of(self, key: str) -> str:
        assert key in self.held
        return "file"

    def secret(self, key: str) -> Secret:
        assert key in self.held
        self.reads += 1
        return Secret(self.value)


def lookup(variables: Mapping[str, str], *, user: FakeStore, machine: FakeStore) -> Lookup:
    stores = {"user": user, "machine": machine}
    return Lookup(Settings(variables), stores=stores)  # type: ignore[arg-type]  # a fake


def value(found: Credential | None) -> str | None:
    return found.secret().reveal() if found else None


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, f"{REPO}/acme/main/x", USER),
        ({}, f"{REPO}/hooli/main/x", MACHINE),
        ({}, f"{REPO}/globex/main/x", None),
        ({}, f"{REPO}/acme-evil/main/x", None),
        ({}, f"{REPO}/acme/main/x-1%2B2-0.conda", USER),
        ({}, f"{REPO}/acme/..", None),
        ({}, f"{REPO}/acme/%2e%2e", None),
        ({}, f"{REPO}/acme/..%2Fglobex", None),
        ({}, f"{REPO}/acme/..;/globex/x", None),
        ({"ANACONDA_REPO_TOKEN": GENERAL}, f"{REPO}/..%2f..%2fadmin", None),
        ({"ANACONDA_REPO_TOKEN_ACME": NAMED}, f"{REPO}/acme/main/x", NAMED),
        ({"ANACONDA_REPO_TOKEN_ACME": NAMED}, f"{REPO}/globex/main/x", None),
        ({"ANACONDA_REPO_TOKEN_ACME": NAMED}, f"{REPO}/main/noarch/x", None),
        ({"ANACONDA_REPO_TOKEN": GENERAL}, f"{REPO}/acme/main/x", GENERAL),
        ({"ANACONDA_REPO_TOKEN": GENERAL}, f"{REPO}/main/noarch/x", GENERAL),
        ({"ANACONDA_REPO_TOKEN": GENERAL}, "https://other.example/repo/acme/x", None),
        ({"ANACONDA_REPO_TOKEN": GENERAL}, "https://repo.anaconda.cloud/x", None),
        (
            {"ANACONDA_REPO_TOKEN": GENERAL, "ANACONDA_REPO_TOKEN_ACME": NAMED},
            f"{REPO}/acme/m/x",
            NAMED,
        ),
        ({"ANACONDA_REPO_TOKEN_ACME_FILE": "/a/path"}, f"{REPO}/acme_file/main/x", None),
        ({"ANACONDA_REPO_TOKEN_MY_ORG": NAMED}, f"{REPO}/my-org/main/x", NAMED),
    ],
)
def test_environment_precedes_user_store_precedes_machine_store(
    variables: dict[str, str], url: str, expected: str | None
) -> None:
    answers = lookup(
        variables,
        user=FakeStore(USER, f"{REPO}/acme"),
        machine=FakeStore(MACHINE, f"{REPO}/acme", f"{REPO}/hooli"),
    )
    assert value(answers.find(url)) == expected


def test_file_and_mounted_secret_supply_a_token_and_are_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path)
    (tmp_path / "anaconda_repo_token_acme").write_text(f"{NAMED}\n")
    (tmp_path / "general").write_text(f"{GENERAL}\n")
    nothing = FakeStore("-")
    answers = lookup(
        {"ANACONDA_REPO_TOKEN_FILE": str(tmp_path / "general")}, user=nothing, machine=nothing
    )
    acme, globex = (answers.find(f"{REPO}/{org}/main/x") for org in ("acme", "globex"))
    assert acme is not None
    assert globex is not None
    assert (value(acme), value(globex)) == (NAMED, GENERAL)
    assert acme.source == str(tmp_path / "anaconda_repo_token_acme")
    assert globex.source.startswith("ANACONDA_REPO_TOKEN_FILE")


def test_sources_of_the_environment_are_used_in_the_documented_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path)
    variables: dict[str, str] = {}
    removals: list[Callable[[], object]] = []
    for number, name in enumerate(("ANACONDA_REPO_TOKEN_ACME", "ANACONDA_REPO_TOKEN")):
        variables[name] = f"variable-{number}-xxxxxxxx"
        (tmp_path / f"file-{number}").write_text(f"file-{number}-xxxxxxxx")
        variables[f"{name}_FILE"] = str(tmp_path / f"file-{number}")
        mounted = tmp_path / name.lower()
        mounted.write_text(f"mounted-{number}-xxxxxxxx")
        removals += [
            partial(variables.pop, name),
            partial(variables.pop, f"{name}_FILE"),
            mounted.unlink,
        ]
    nothing, seen = FakeStore("-"), []
    for remove in removals:
        seen.append(value(lookup(variables, user=nothing, machine=nothing).find(f"{REPO}/acme/x")))
        remove()
    kinds = ("variable", "file", "mounted")
    assert seen == [f"{kind}-{number}-xxxxxxxx" for number in (0, 1) for kind in kinds]


def test_variable_without_a_token_raises() -> None:
    nothing = FakeStore("-")
    answers = lookup({"ANACONDA_REPO_TOKEN": "two words"}, user=nothing, machine=nothing)
    with pytest.raises(MalformedToken):
        answers.find(f"{REPO}/acme/main/x")


def test_secret_is_read_once_by_threads_that_start_together() -> None:
    store = FakeStore(USER, f"{REPO}/acme")
    answers = lookup({}, user=store, machine=FakeStore("-"))
    together = Barrier(32)

    def ask(number: int) -> str | None:
        together.wait()
        return value(answers.find(f"{REPO}/acme/c{number % 4}/noarch/{number}.conda"))

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(32))) == {USER}
    assert store.reads == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_fifo_that_supplies_a_token_is_read_once_and_shared_between_threads(
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    Thread(target=pipe.write_text, args=(f"{NAMED}\n",), daemon=True).start()
    answers = lookup(
        {"ANACONDA_REPO_TOKEN_FILE": str(pipe)}, user=FakeStore("-"), machine=FakeStore("-")
    )
    with ThreadPoolExecutor(8) as pool:
        urls = [f"{REPO}/acme/c{number}/noarch/x" for number in range(16)]
        found = list(pool.map(lambda url: value(answers.find(url)), urls, timeout=20))
    assert found == [NAMED] * 16


def test_unreadable_file_of_a_variable_raises_until_it_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    answers = lookup(
        {"ANACONDA_REPO_TOKEN_FILE": str(file)}, user=FakeStore("-"), machine=FakeStore("-")
    )
    with pytest.raises(StoreUnusable):
        answers.find(f"{REPO}/acme/main/x")
    file.write_text(NAMED)
    assert value(answers.find(f"{REPO}/acme/main/x")) == NAMED


@pytest.mark.parametrize(
    "variables",
    [{"CONDA_TOKEN_STORE": "Keyring"}, {"CONDA_TOKEN_HOME": "~nosuchuser/x"}],
)
def test_lookup_with_a_bad_setting_raises_when_the_store_is_needed_and_not_before(
    variables: dict[str, str],
) -> None:
    answers = Lookup(Settings({**variables, "ANACONDA_REPO_TOKEN": GENERAL}))
    assert value(answers.find(f"{REPO}/acme/main/x")) == GENERAL
    assert answers.notices == ()
    with pytest.raises(BadInput):
        answers.find("https://other.example/x")


def test_failure_to_read_a_secret_is_raised_again_without_another_read() -> None:
    class Locked(FakeStore):
        def secret(self, key: str) -> Secret:
            assert key in self.held
            self.reads += 1
            raise KeyringUnusable("is locked")

    store = Locked(USER, f"{REPO}/acme")
    found = lookup({}, user=store, machine=FakeStore("-")).find(f"{REPO}/acme/main/x")
    assert found is not None
    for _ in range(3):
        with pytest.raises(KeyringUnusable, match="locked"):
            found.secret()
    assert store.reads == 1


def test_number_of_cached_results_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conda_token_plugin.store.lookup.MAX_REMEMBERED", 8)
    answers = lookup({}, user=FakeStore(USER, f"{REPO}/acme"), machine=FakeStore("-"))
    for number in range(100):
        assert value(answers.find(f"{REPO}/acme/c{number}/noarch/x")) == USER
        assert len(answers._results) <= 8


def test_result_for_a_folder_is_cached_until_the_limit_is_reached() -> None:
    answers = lookup({}, user=FakeStore(USER, f"{REPO}/acme"), machine=FakeStore("-"))
    first = answers.find(f"{REPO}/acme/a/noarch/x")
    for number in range(20):
        answers.find(f"{REPO}/acme/c{number}/noarch/x")

    assert answers.find(f"{REPO}/acme/a/noarch/y") is first


def test_repository_of_the_settings_loses_only_the_final_slash() -> None:
    variables = {"CONDA_TOKEN_REPO_URL": "https://repo.example/X/", "ANACONDA_REPO_TOKEN": GENERAL}
    answers = lookup(variables, user=FakeStore("-"), machine=FakeStore("-"))

    assert value(answers.find("https://repo.example/X/acme/noarch/x")) == GENERAL
    assert answers.find("https://repo.example/acme/noarch/x") is None


def test_source_of_a_token_in_the_store_of_the_machine_is_machine(tmp_path: Path) -> None:
    folders = {"CONDA_TOKEN_HOME": "own", "CONDA_TOKEN_SYSTEM_HOME": "shared"}
    shared = Settings({name: str(tmp_path / end) for name, end in folders.items()})
    held = Token(organization="acme", kind=TokenKind.SITE, scope=(f"{REPO}/acme",))
    machine_store(shared).add(held, Secret(MACHINE))

    found = Lookup(shared).find(f"{REPO}/acme/main/x")

    assert found is not None
    assert (found.source, value(found)) == ("machine", MACHINE)


def test_holdings_are_listed_in_the_order_of_precedence() -> None:
    user, machine = FakeStore(USER, f"{REPO}/acme"), FakeStore(MACHINE, f"{REPO}/hooli")
    variables = {"ANACONDA_REPO_TOKEN": GENERAL, "ANACONDA_REPO_TOKEN_ACME": NAMED}
    stores = {"user": user, "machine": machine}
    held = all_tokens(Settings(variables), stores=stores)  # type: ignore[arg-type]  # fakes
    assert [(item.token.organization, item.source) for item in held] == [
        ("(any)", "ANACONDA_REPO_TOKEN"),
        ("acme", "ANACONDA_REPO_TOKEN_ACME"),
        ("acme", "file"),
        ("hooli", "machine"),
    ]
    assert user.reads == machine.reads == 0


# -- API keys ------------------------------------------------------------------------------------

API_KEY = "k" * 60
KEY_ONLY = f"{REPO}/main-x/noarch/x"
COVERED = f"{REPO}/acme/main/x"


def with_key(*, user: FakeStore | None = None, **variables: str) -> Lookup:
    """Return a lookup with an API key in the environment."""
    given = {"ANACONDA_AUTH_API_KEY": API_KEY, **variables}
    empty = FakeStore(MACHINE)
    return lookup(given, user=user or FakeStore(USER, f"{REPO}/acme"), machine=empty)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (COVERED, USER),
        (f"{REPO}/globex/main/x", API_KEY),
        (f"{REPO}/main/noarch/x", API_KEY),
        (KEY_ONLY, API_KEY),
        ("https://repo.anaconda.cloud/other/x", None),
        ("https://elsewhere.example/repo/acme/x", None),
    ],
)
def test_api_key_is_used_for_the_repository_where_no_token_is(
    url: str, expected: str | None
) -> None:
    assert value(with_key().find(url)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [(KEY_ONLY, API_KEY), (COVERED, GENERAL), (f"{REPO}/main-xy/noarch/x", GENERAL)],
)
def test_channel_for_api_keys_only_gets_the_key_although_a_token_covers_it(
    url: str, expected: str
) -> None:
    found = with_key(ANACONDA_REPO_TOKEN=GENERAL).find(url)

    assert value(found) == expected


def test_channel_for_api_keys_only_gets_the_token_without_a_key() -> None:
    empty = FakeStore(USER)

    found = lookup({"ANACONDA_REPO_TOKEN": GENERAL}, user=empty, machine=empty).find(KEY_ONLY)

    assert value(found) == GENERAL


def test_alternative_to_the_token_is_the_api_key_and_the_other_way_round() -> None:
    one = with_key()
    token = one.find(COVERED)
    assert token is not None

    key = one.alternative(COVERED, to=token)

    assert value(key) == API_KEY
    assert key is not None
    assert value(one.alternative(COVERED, to=key)) == USER


def test_alternative_is_none_without_a_second_credential() -> None:
    user = FakeStore(USER, f"{REPO}/acme")
    one = lookup({}, user=user, machine=FakeStore(MACHINE))
    token = one.find(COVERED)
    assert token is not None

    assert one.alternative(COVERED, to=token) is None


def test_alternative_to_a_credential_that_does_not_cover_the_url_is_none() -> None:
    one = with_key()
    elsewhere = lookup({}, user=FakeStore(NAMED, f"{REPO}/globex"), machine=FakeStore(MACHINE))
    other = elsewhere.find(f"{REPO}/globex/main/x")
    assert other is not None

    assert one.alternative(COVERED, to=other) is None


@pytest.mark.parametrize(
    ("channel", "accepted", "order"),
    [
        ("", "", [USER, API_KEY]),
        (f"{REPO}/acme/main", "token", [USER, API_KEY]),
        (f"{REPO}/acme/main", "key", [API_KEY, USER]),
        (f"{REPO}/acme/other", "key", [USER, API_KEY]),
    ],
)
def test_credential_that_a_channel_has_accepted_after_a_refusal_is_the_first_candidate(
    channel: str, accepted: str, order: list[str]
) -> None:
    one = with_key()
    token = one.find(COVERED)
    assert token is not None
    key = one.alternative(COVERED, to=token)
    assert key is not None
    one.accepted[channel] = {"token": token.key, "key": key.key}.get(accepted, "")

    assert [value(found) for found in one.candidates(f"{REPO}/acme/main/noarch/x")] == order


def test_credential_without_an_alternative_is_the_only_candidate() -> None:
    one = lookup({}, user=FakeStore(USER, f"{REPO}/acme"), machine=FakeStore(MACHINE))

    assert [value(found) for found in one.candidates(COVERED)] == [USER]
    assert list(one.candidates(f"{REPO}/globex/main/x")) == []


@pytest.mark.parametrize(("days", "expected"), [(1, USER), (-1, API_KEY)], ids=["valid", "expired"])
def test_usable_credential_is_the_first_that_is_not_known_to_have_expired(
    days: int, expected: str
) -> None:
    user = FakeStore(USER, f"{REPO}/acme")
    user.held = {
        key: token._replace(expires=NOON + timedelta(days=days), checked=NOON)
        for key, token in user.held.items()
    }

    assert value(with_key(user=user).usable(COVERED, now=NOON)) == expected
    without_key = lookup({}, user=user, machine=FakeStore(MACHINE))
    assert value(without_key.usable(COVERED, now=NOON)) == (USER if days > 0 else None)


def test_api_key_of_a_login_is_found_after_the_one_in_the_environment() -> None:
    user = FakeStore(USER)
    opens = Token(
        organization="(your organizations)",
        kind=TokenKind.API_KEY,
        scope=("https://corp.example/r",),
    )
    user.logins = {"https://corp.example": opens}
    variables = {"ANACONDA_AUTH_API_KEY": API_KEY}

    found = api_keys(Settings(variables), user=user)  # type: ignore[arg-type]  # a fake

    assert [one.prefix for one in found] == [REPO, "https://corp.example/r"]
    assert [one.prefix for one in api_keys(Settings({}), user=user)] == [  # type: ignore[arg-type]  # a fake
        "https://corp.example/r"
    ]
    assert [one.prefix for one in api_keys(Settings(variables), user=None)] == [REPO]
    assert api_keys(Settings({}), user=None) == ()


def test_found_token_has_the_prefix_that_covers_the_url_and_its_scheme() -> None:
    user = FakeStore(USER, f"{REPO}/acme")
    (key,) = user.held
    user.held[key] = user.held[key]._replace(scheme=AuthScheme.BEARER)

    found = lookup({}, user=user, machine=FakeStore(MACHINE)).find(COVERED)

    assert found is not None
    assert (found.prefix, found.token.scheme.value, found.source) == (
        f"{REPO}/acme",
        "bearer",
        "file",
    )
    (listed,) = all_tokens(Settings({}), stores={"user": user})  # type: ignore[dict-item]  # a fake
    assert listed.token.scheme is AuthScheme.BEARER


def test_source_of_a_token_of_the_machine_is_the_machine() -> None:
    machine = FakeStore(MACHINE, f"{REPO}/acme")

    found = lookup({}, user=FakeStore(USER), machine=machine).find(COVERED)

    assert found is not None
    assert found.source == "machine"
