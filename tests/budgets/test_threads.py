"""Budgets of concurrent threads: each file is read once, and unrelated tokens do not wait."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.secret import Secret
from tests.budgets.keeping import COVERED, REPOSITORY, VALUE, token_of
from tests.budgets.watching import counts

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

THREADS = 32
PATIENCE = 20.0
"""Seconds after which a thread is considered to be blocked."""
SCRIPT = """
import sys
from threading import Barrier, Thread
from tests.budgets.watching import report, watched
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup

folder, base, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
lookup, start, values = Lookup(Settings()), Barrier(count), []

def download(number):
    start.wait()
    for package in range(3):
        found = lookup.find(f"{base}/{number}/package-{package}.conda")
        values.append(found.secret().reveal())

threads = [Thread(target=download, args=(number,)) for number in range(count)]
with watched() as traffic:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
report(opened=traffic.opened_below(folder), values=sorted(set(values)), count=len(values))
"""


def test_32_threads_read_the_index_and_the_secret_once(store: Path) -> None:
    found = counts(SCRIPT, str(store), COVERED, str(THREADS))

    assert found["values"] == [VALUE]
    assert found["count"] == THREADS * 3
    assert sorted(name.partition("/")[0] for name in found["opened"]) == ["index.json", "secrets"]


class SlowStore:
    """Two tokens; reading the first secret blocks until the second was read."""

    def __init__(self) -> None:
        self.held = {token.key: token for token in (token_of("slow"), token_of("quick"))}
        self.slow_began, self.quick_was_read = Event(), Event()

    def covering(self, url: str) -> tuple[str, Token, str] | None:
        prefixes = {token.scope[0]: token for token in self.held.values()}
        prefix = longest_prefix(url, among=prefixes)
        return None if prefix is None else (prefix, prefixes[prefix], "file")

    def providers(self) -> tuple[()]:
        return ()

    def secret(self, key: str) -> Secret:
        if key == token_of("slow").key:
            self.slow_began.set()
            assert self.quick_was_read.wait(PATIENCE), "a lock is held while a secret is read"
        return Secret(VALUE)


def test_slow_keyring_delays_no_thread_that_uses_another_token() -> None:
    store = SlowStore()
    lookup = Lookup(Settings({}), stores={"user": store})  # type: ignore[dict-item]  # a fake
    values: list[str] = []

    def ask(organization: str) -> None:
        found = lookup.find(f"{REPOSITORY}/{organization}/main/noarch/x.conda")
        assert found is not None
        values.append(found.secret().reveal())

    slow = Thread(target=ask, args=("slow",))
    slow.start()
    assert store.slow_began.wait(PATIENCE)
    ask("quick")
    store.quick_was_read.set()
    slow.join(PATIENCE)

    assert values == [VALUE, VALUE]
