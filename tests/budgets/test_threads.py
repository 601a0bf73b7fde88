"""Budgets of threads that begin at once: one read of everything, and no wait for a stranger."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from conda_token_plugin.settings import Settings
from conda_token_plugin.store.index import Entry, Slot
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.secret import Secret
from tests.budgets.keeping import COVERED, REPOSITORY, VALUE, token_of
from tests.budgets.watching import counts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


THREADS = 32
PATIENCE = 20.0
"""Seconds after which a thread is taken to wait for another."""
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


def test_thirty_two_threads_read_the_index_once_and_the_secret_once(store: Path) -> None:
    found = counts(SCRIPT, str(store), COVERED, str(THREADS))

    assert found["values"] == [VALUE]
    assert found["count"] == THREADS * 3
    assert sorted(name.partition("/")[0] for name in found["opened"]) == ["index.jsonl", "secrets"]


class SlowStore:
    """Two tokens; the secret of the first takes until somebody has been given the second."""

    def __init__(self) -> None:
        self.held = {token.key: token for token in (token_of("slow"), token_of("quick"))}
        self.slow_began, self.quick_was_given = Event(), Event()

    def entry(self, key: str) -> Entry:
        return Entry(Slot("file", "1"), {}, scope=list(self.held[key].scope))

    def prefixes(self) -> Mapping[str, str]:
        return {token.scope[0]: key for key, token in self.held.items()}

    def secret(self, key: str) -> Secret:
        if key == token_of("slow").key:
            self.slow_began.set()
            assert self.quick_was_given.wait(PATIENCE), "a lock is held while a secret is read"
        return Secret(VALUE)


def test_a_slow_keyring_holds_up_nobody_who_uses_another_token() -> None:
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
    store.quick_was_given.set()
    slow.join(PATIENCE)

    assert values == [VALUE, VALUE]
