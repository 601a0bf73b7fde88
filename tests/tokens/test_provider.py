"""A provider: it is read as it was written, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conda_token_plugin.tokens.provider import Provider
from conda_token_plugin.tokens.token import AuthScheme, TokenKind

GOOD = Provider("vault", "https://repo.example/acme", ("/usr/bin/vault", "read"))
PLAIN = GOOD._replace(prints="token", scheme="basic", username="ann", seconds=2.5)


@pytest.mark.parametrize("provider", [GOOD, PLAIN])
def test_provider_is_read_as_it_was_written(provider: Provider) -> None:
    assert Provider.from_json("vault", json.loads(json.dumps(provider.as_json()))) == provider


@pytest.mark.parametrize(
    "change",
    [
        *({"scope": []}, {"scope": ["a", "b"]}, {"scope": [1]}, {"command": []}, {"command": "x"}),
        *({"command": [1]}, {"prints": "other"}, {"scheme": "other"}, {"username": None}),
        *({"seconds": 0}, {"seconds": -1}, {"seconds": 1e9}, {"seconds": "1"}, {"seconds": True}),
        {"seconds": float("nan")},
    ],
    ids=str,
)
def test_entry_that_is_not_a_provider_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Provider.from_json("vault", GOOD.as_json() | change)


def test_metadata_name_the_provider_and_its_scheme() -> None:
    assert GOOD.token.kind is TokenKind.PROVIDER
    assert GOOD.token.scope == (GOOD.scope,)
    assert GOOD.token.scheme is AuthScheme.HEADER
    assert (PLAIN.token.scheme, PLAIN.token.username) == (AuthScheme.BASIC, "ann")
