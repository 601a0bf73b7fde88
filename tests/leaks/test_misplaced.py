"""A secret that was typed in the wrong place is not repeated, because logs keep output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.registry import VERBS

if TYPE_CHECKING:
    from tests.leaks.session import Session

PLACES = (
    ("{}",),
    ("--org", "{}"),
    ("--org={}",),
    ("--token={}",),
    ("--store", "{}"),
    ("--if-expiring", "{}"),
    ("acme", "{}", "{}"),
    ("https://repo.anaconda.cloud/t/{}/repo/acme/main",),
    ("https://ann:{}@repo.anaconda.cloud/repo/acme/main",),
    ("Authorization: token {}",),
    ("--channel", "http://repo.example/t/{}/acme"),
    ("--channel", "https://repo.example/acme", "--org", "{}", "--token-env", "HOME"),
)


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS if verb.name != "demo"])
def test_secret_typed_as_a_wrong_argument_is_not_repeated(session: Session, verb: str) -> None:
    world = session.shell.sandbox.world
    values = world.issue("globex", "ada").value, world.api_key("grace")
    found = []
    for value in values:
        for words in PLACES:
            typed = [word.format(value) for word in words]
            session.type("")
            _, leaks = session.run(verb, *typed)
            found += [f"{leak} by {verb} {' '.join(words)}" for leak in leaks]
    assert not found


def test_secret_typed_as_a_command_is_not_repeated(session: Session) -> None:
    world = session.shell.sandbox.world
    for value in (world.issue("globex", "ada").value, world.api_key("grace")):
        for word in (value, f"--{value}", f"/t/{value}/"):
            ran, leaks = session.run(word)
            assert ran.code == 2
            assert not leaks


@pytest.mark.parametrize(
    "name",
    [
        "CONDA_TOKEN_SERVICE_URL",
        "CONDA_TOKEN_REPO_URL",
        "CONDA_TOKEN_STORE",
        "CONDA_TOKEN_SITE",
        "ANACONDA_AUTH_DOMAIN",
        "ANACONDA_AUTH_API_KEY_FILE",
    ],
)
def test_secret_in_the_wrong_variable_is_not_repeated(session: Session, name: str) -> None:
    token = session.shell.sandbox.world.issue("globex", "ada").value
    for value in (token, f"https://repo.example/t/{token}/repo", f"https://ann:{token}@h.example"):
        session.shell.set(name, value)
        for verb in ("install", "list", "status", "whoami", "sync"):
            words = ("--org", "acme", "--yes") if verb == "install" else ()
            assert not session.run(verb, *words)[1]
