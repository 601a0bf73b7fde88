"""Measure the store: ``finding.py URL COUNT``. Prints milliseconds and microseconds.

*open*: a file store that this process has not looked at yet is opened, and the token for URL found;
what has to be imported for that is imported before, by looking into a store that is empty.
*match*: URL's folder among the prefixes of the store, which is the look-up itself.
*find*: the look-up as a request makes it, for COUNT URLs beside URL; most of it is remembered.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from conda_token_plugin.settings import Settings
from conda_token_plugin.store import USER, Store, user_store
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.scope import folder_of, longest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

FOUND = "the URL has no token"


def opened(environment: Settings, url: str) -> tuple[Lookup, float]:
    """Return the lookup of a process after its first URL, and the milliseconds that this took."""
    began = time.perf_counter_ns()
    lookup = Lookup(environment)
    found = lookup.find(url)
    taken = (time.perf_counter_ns() - began) / 1e6
    assert found is not None, FOUND
    return lookup, taken


def each(calls: list[Callable[[], object]]) -> float:
    """Return the microseconds of one of ``calls``."""
    began = time.perf_counter_ns()
    for call in calls:
        call()
    return (time.perf_counter_ns() - began) / 1000 / len(calls)


def prefixes_of(environment: Settings) -> frozenset[str]:
    """Return the prefixes of all stored tokens."""
    held = user_store(environment).tokens()
    return frozenset(prefix for token in held for prefix in token.scope)


def main(url: str, count: int) -> dict[str, float]:
    """Open the store once, then look up many URLs."""
    environment = Settings()
    empty = Store(environment.store_folder / "empty", choice="file")
    Lookup(environment, stores={USER: empty}).find(url)
    lookup, milliseconds = opened(environment, url)
    folder, prefixes = folder_of(url), prefixes_of(environment)
    assert longest_prefix(folder, among=prefixes) is not None, FOUND
    others = [f"{folder}/package-{number:05}-1.0-0.conda" for number in range(count)]
    return {
        "open": milliseconds,
        "match": each([partial(longest_prefix, folder, among=prefixes)] * count),
        "find": each([partial(lookup.find, other) for other in others]),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
