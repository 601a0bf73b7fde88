"""Texts about tokens: the command that replaces one."""

from __future__ import annotations

from typing import Any

import pytest

from conda_token_plugin.tokens.display import described, named, renewal
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

H = "https://h.example"


@pytest.mark.parametrize(
    ("scope", "facts", "options"),
    [
        ((f"{H}/repo/acme", f"{H}/repo/main"), {}, ""),
        ((f"{H}/get/a", f"{H}/get/b"), {}, f" -c {H}/get/a -c {H}/get/b"),
        ((f"{H}/get/a",), {"scheme": AuthScheme.BEARER}, f" -c {H}/get/a --send-as bearer"),
        (
            (f"{H}/get/a",),
            {"scheme": AuthScheme.BASIC, "username": "jo e"},
            f" -c {H}/get/a --send-as basic --username 'jo e'",
        ),
        ((f"{H}/get/a",), {"scheme": AuthScheme.PATH}, f" -c {H}/t/TOKEN/get/a"),
        (
            (f"{H}/api/main",),
            {"scheme": AuthScheme.PATH, "path_before": "/api"},
            f" -c {H}/api/t/TOKEN/main",
        ),
        (
            (f"{H}/api",),
            {"scheme": AuthScheme.PATH, "path_before": "/api"},
            f" -c {H}/api/t/TOKEN",
        ),
    ],
)
def test_command_that_replaces_a_site_token_names_its_channels_and_how_it_is_sent(
    scope: tuple[str, ...], facts: dict[str, Any], options: str
) -> None:
    token = Token(organization="acme", kind=TokenKind.SITE, scope=scope, **facts)
    assert renewal(token) == f"install --site --org acme{options}"


@pytest.mark.parametrize(
    ("facts", "name", "kind"),
    [
        ({"last_four": "a1B2"}, "the token …a1B2 of acme", "site token …a1B2"),
        ({}, "the token of acme", "site token -"),
        ({"scheme": AuthScheme.BASIC, "username": "joe"}, "the password of acme", "password"),
    ],
)
def test_password_is_called_a_password_and_a_token_a_token(
    facts: dict[str, Any], name: str, kind: str
) -> None:
    token = Token(organization="acme", kind=TokenKind.SITE, scope=(f"{H}/get/a",), **facts)
    assert (named(token), described(token)) == (name, kind)
