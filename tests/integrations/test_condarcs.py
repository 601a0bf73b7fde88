"""Where condarc files are, and which channels they configure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.condarcs import (
    MAX_YAML,
    configured_channels,
    parsed,
)
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACME = "https://repo.example/repo/acme"


@pytest.fixture
def settings(empty_home: Path) -> Settings:
    return Settings({"HOME": str(empty_home)})


def with_condarc(settings: Settings, text: str) -> Settings:
    (settings.home / ".condarc").write_text(text)
    return settings


def with_drop_in(settings: Settings) -> Settings:
    token = Token(
        organization="acme",
        kind=TokenKind.INDIVIDUAL,
        scope=(ACME,),
        channels=(f"{ACME}/main",),
        default_channels=(f"{ACME}/x",),
    )
    dropin.write(settings.condarc, tokens=[token])
    return settings


@pytest.mark.parametrize(
    ("set_up", "channels"),
    [
        (lambda one: one, ()),
        (lambda one: with_condarc(one, "channels: [conda-forge]\n"), ("conda-forge",)),
        (with_drop_in, (f"{ACME}/main",)),
        (
            lambda one: with_drop_in(with_condarc(one, "channels: [conda-forge, defaults]\n")),
            (f"{ACME}/main", "conda-forge", "defaults"),
        ),
        (lambda one: with_condarc(one, "channels: 1\n"), ()),
    ],
)
def test_configured_channels_are_listed_in_the_order_that_conda_uses(
    settings: Settings, set_up: Callable[[Settings], Settings], channels: tuple[str, ...]
) -> None:
    assert configured_channels(set_up(settings)) == channels


BILLION = b"a: &a [x, x]\n" + b"".join(
    b"%c: &%c [*%c, *%c, *%c, *%c]\n" % (n, n, n - 1, n - 1, n - 1, n - 1)
    for n in range(ord("b"), ord("t"))
)
"""Twenty lines of aliases that stand for four to the power of 18 nodes."""


@pytest.mark.parametrize(
    "data",
    [
        BILLION,
        b"channels: &a [*a]\n",
        b"channels: &a {b: *a}\n",
        b"[" * 100_000,
        b"{a: " * 100_000,
        b"".join(b" " * level + b"a:\n" for level in range(1000)),
        b"channels: [" + b"x, " * (MAX_YAML // 3) + b"x]\n",
    ],
    ids=["aliases", "list in itself", "map in itself", "lists", "maps", "indents", "size"],
)
def test_yaml_that_exceeds_a_limit_counts_as_unreadable(settings: Settings, data: bytes) -> None:
    assert parsed(data) is None
    (settings.home / ".condarc").write_bytes(data)
    assert configured_channels(settings) == ()


def test_yaml_with_ordinary_aliases_is_parsed() -> None:
    data = b"a: &a [https://h.example/x]\nchannels: *a\ndefault_channels: *a\n"
    assert parsed(data)["default_channels"] == ["https://h.example/x"]
