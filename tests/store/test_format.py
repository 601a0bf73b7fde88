"""Damaged files are refused and kept byte for byte."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conda_token_plugin.errors.store import NoToken, StoreCorrupt, StoreError, StoreNewer
from conda_token_plugin.store import Store
from conda_token_plugin.store.envelope import (
    EnvelopeRefused,
    framed,
    sealed,
    unsealed,
    unwrapped,
    wrapped,
)
from conda_token_plugin.store.index import NAME, VERSION, decoded
from conda_token_plugin.tokens.secret import Secret
from tests.store import stores
from tests.support import tokens

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
SLOT = st.tuples(st.sampled_from(["file", "keyring:x", "cloud"]), st.text())
METADATA = st.fixed_dictionaries(
    {"organization": JSON, "kind": JSON | st.just("site"), "scope": JSON | st.lists(st.text())},
    optional={
        "expires": JSON | st.just("0001-01-01T00:00:00+14:00"),
        "scheme": JSON,
        "way": JSON,
        "channels": JSON,
    },
)
ENTRY = st.fixed_dictionaries({"slot": JSON | SLOT, "metadata": JSON | METADATA})
INDEX_LIKE = st.fixed_dictionaries(
    {
        "id": JSON | st.just("x"),
        "serial": JSON | st.just(1),
        "pending_deletes": JSON | st.just([]) | st.lists(SLOT),
        "logins": JSON | st.just({}) | st.dictionaries(st.text(), JSON | ENTRY, max_size=3),
        "configured": JSON | st.just({}) | st.dictionaries(st.text(), METADATA, max_size=3),
        "providers": JSON | st.just({}) | st.dictionaries(st.text(), METADATA, max_size=3),
        "tokens": JSON | st.dictionaries(st.text(), JSON | ENTRY, max_size=3),
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two tokens and a login."""
    store = Store(tmp_path / "store", choice="file")
    store.add(tokens.token("acme", last_four="abcd"), tokens.secret(1))
    store.add(tokens.token("other"), tokens.secret(2))
    store.set_login(tokens.SERVICE, tokens.secret(3))
    return store


def flips(path: Path, *, step: int = 1) -> Iterator[int]:
    """Flip every ``step``-th bit of the file in turn, and back."""
    data = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for bit in range(0, len(data) * 8, step):
            for mask in (1 << bit % 8, 0):
                file.seek(bit // 8)
                file.write(bytes([data[bit // 8] ^ mask]))
                if mask:
                    yield bit
    assert path.read_bytes() == data


def refused(store: Store) -> None:
    """Check that reading and writing are refused and leave the file unchanged."""
    path = store.folder / NAME
    before = path.read_bytes()
    for act in (store.tokens, store.check_writable, lambda: store.remove(tokens.token("acme").key)):
        with pytest.raises((StoreCorrupt, StoreNewer), match=path.name):
            act()
    assert path.read_bytes() == before


def test_index_with_any_bit_flipped_is_corrupt(
    store: Store, report: Callable[[str], None], count: Counter[str]
) -> None:
    path = store.folder / NAME
    for _ in flips(path):
        with pytest.raises(StoreCorrupt):
            Store(store.folder).tokens()
        count["faults"] += 1
    report(f"{count['faults']} single bits flipped in the index: all refused as damage")


def test_secret_with_any_bit_flipped_is_corrupt(
    store: Store, report: Callable[[str], None], count: Counter[str]
) -> None:
    key = tokens.token("acme").key
    path = next(p for p in (store.folder / "secrets").iterdir() if key in p.read_text())
    for _ in flips(path):
        with pytest.raises(StoreCorrupt, match=path.name):
            store.secret(key)
        count["faults"] += 1
    assert len(store.tokens()) == 2
    report(f"{count['faults']} single bits flipped in a secret's file: all refused as damage")


def test_damaged_index_is_refused_by_every_operation_and_kept(store: Store) -> None:
    path = store.folder / NAME
    for _ in flips(path, step=101):
        refused(Store(store.folder, choice="file"))


def test_truncated_index_is_corrupt(store: Store) -> None:
    path = store.folder / NAME
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(StoreCorrupt):
            Store(store.folder).tokens()


@pytest.mark.parametrize("tail", [b"\n", b"\0", b"{}\n", b" "])
def test_index_with_bytes_appended_is_corrupt(store: Store, tail: bytes) -> None:
    path = store.folder / NAME
    path.write_bytes(path.read_bytes() + tail)
    refused(Store(store.folder, choice="file"))


def test_random_bytes_as_index_are_refused_and_kept(
    store: Store, report: Callable[[str], None]
) -> None:
    for seed in range(20):
        (store.folder / NAME).write_bytes(random.Random(seed).randbytes(1_000_000))
        refused(Store(store.folder, choice="file"))
    report("20 times a million random bytes as the index: refused and kept")


def test_index_of_a_later_version_is_refused_and_kept(store: Store) -> None:
    path = store.folder / NAME
    path.write_bytes(wrapped("index", "content of that version", version=3))
    with pytest.raises(StoreNewer, match=r"version 3.*conda update"):
        store.tokens()
    refused(Store(store.folder, choice="file"))


def test_secret_of_a_later_version_is_refused(store: Store) -> None:
    key = tokens.token("acme").key
    path = next(p for p in (store.folder / "secrets").iterdir() if key in p.read_text())
    path.write_bytes(wrapped("secret", "content of that version", version=7))
    with pytest.raises(StoreNewer, match=f"{path.name}.*version 7"):
        store.secret(key)


def test_secret_sealed_for_another_token_is_refused(store: Store) -> None:
    key, other = tokens.token("acme").key, tokens.token("other").key
    paths = {json.loads(p.read_text())["content"]["name"]: p for p in vault(store)}
    mine, theirs = paths[key], paths[other]
    mine.write_bytes(theirs.read_bytes())
    with pytest.raises(StoreCorrupt, match="another entry"):
        store.secret(key)


def vault(store: Store) -> list[Path]:
    return list((store.folder / "secrets").iterdir())


def test_moving_a_damaged_index_away_allows_writes_and_loses_nothing(store: Store) -> None:
    before = stores.content(store)
    path = store.folder / NAME
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(StoreCorrupt, match=r"move it away \(index\.json\.bak\)"):
        store.tokens()

    path.rename(store.folder / f"{NAME}.bak")
    fresh = Store(store.folder, choice="file")
    fresh.add(tokens.token("acme"), tokens.secret("another"))
    fresh.remove(tokens.token("acme").key)

    path.write_bytes(good)  # a backup is restored
    assert stores.content(Store(store.folder)) == before


def test_index_above_the_size_limit_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.store.index.MAX_SIZE", 100)
    with pytest.raises(StoreCorrupt, match="more than 100 bytes"):
        Store(store.folder).tokens()


@given(st.binary())
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    for read in (decoded, lambda data: unsealed("name", data)):
        with pytest.raises(EnvelopeRefused):
            read(data)


@given(kind=st.sampled_from(["index", "secret"]), body=JSON, version=st.integers(1, 10**9 - 1))
def test_unwrapped_returns_the_content_that_was_wrapped(
    kind: str, body: object, version: int
) -> None:
    data = wrapped(kind, body, version=version)
    if version > 1:
        with pytest.raises(EnvelopeRefused) as caught:
            unwrapped(kind, data)
        assert caught.value.newer == version
    else:
        assert json.dumps(unwrapped(kind, data)) == json.dumps(body)


def test_document_of_another_kind_is_refused() -> None:
    with pytest.raises(EnvelopeRefused, match="checksum"):
        unwrapped("secret", wrapped("index", {}))
    with pytest.raises(EnvelopeRefused, match="checksum"):
        unwrapped("index", wrapped("index", {}, version=0))


@given(
    name=st.text(), text=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
)
def test_secret_is_unsealed_only_for_its_name(name: str, text: str) -> None:
    secret = Secret(text)
    data = sealed(name, secret)
    assert unsealed(name, data) == secret
    with pytest.raises(EnvelopeRefused):
        unsealed(f"{name}.", data)


@given(body=JSON)
@example({"name": "name"})
@example({"name": "name", "secret": ""})
@example({"name": "name", "secret": 1})
def test_secret_document_with_other_content_is_refused(body: object) -> None:
    with pytest.raises(EnvelopeRefused):
        unsealed("name", wrapped("secret", body))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON | INDEX_LIKE, version=st.sampled_from([1, VERSION]))
def test_index_document_with_any_content_raises_only_errors_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, version: int
) -> None:
    folder = tmp_path / "store"
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr("os.fsync", lambda _: None)
    held = content.get("tokens") if isinstance(content, dict) else None
    keys = list(held) if isinstance(held, dict) else []
    acts: list[Callable[[Store], object]] = [
        Store.tokens,
        lambda store: store.covering("https://x/y"),
        Store.channel_logins,
        Store.credentials,
        *(partial(Store.secret, key=key) for key in keys),
        *(partial(Store.remove, key=key) for key in keys),
        lambda store: store.add(tokens.token("acme"), tokens.secret(1)),
    ]
    for act in acts:
        (folder / NAME).write_bytes(wrapped("index", content, version=version))
        with suppress(StoreError, NoToken):
            act(Store(folder, choice="file"))


def test_deeply_nested_index_is_refused() -> None:
    with pytest.raises(EnvelopeRefused, match="not JSON"):
        decoded(framed("index", b"[" * 100_000))
