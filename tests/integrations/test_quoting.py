"""Exports quote each value for its reader: what was written is what the reader gets."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shlex import split
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations import docker, github_actions
from conda_token_plugin.integrations.registry import TARGETS
from conda_token_plugin.integrations.target import Grant
from conda_token_plugin.tokens.authorization import secret_type
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)
PASSWORDS = st.text(min_size=1, max_size=20)
NAME = "ANACONDA_REPO_TOKEN_ACME"


def grant(value: str, *, scheme: AuthScheme = AuthScheme.BASIC, owner: str = "acme") -> Grant:
    token = Token(
        organization=owner,
        kind=TokenKind.SITE,
        scope=("https://c.example/x",),
        scheme=scheme,
        username="me",
    )
    return Grant(token=token, secret=secret_type(scheme)(value))


@pytest.mark.parametrize("name", TARGETS)
@given(value=VALUES | PASSWORDS)
@example(value="größe")
def test_target_reads_back_the_value_that_it_wrote(name: str, value: str) -> None:
    target = TARGETS[name]
    scheme = AuthScheme.PATH if name == "conda" else AuthScheme.BASIC
    assume(not secret_type(scheme).fault_of(value))
    given_token = grant(value, scheme=scheme)
    with TemporaryDirectory() as folder:
        place = target.place_at(Path(folder) / "file")
        try:
            entries = list(target.entries(given_token))
        except BadInput:
            return
        for entry in entries:
            place.put(entry.key, entry.value)
            held = place.held(entry.key)
            assert held is not None
            assert target.secret_in(held) == given_token.secret


@settings(max_examples=25, deadline=None)
@given(value=VALUES)
@example(value="~")
@example(value="~root/x")
def test_shell_reads_the_value_from_the_dotenv_file(value: str) -> None:
    target = TARGETS["dotenv"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / ".env"
        try:
            (entry,) = target.entries(grant(value))
        except BadInput:
            return
        target.place_at(path).put(entry.key, entry.value)
        script = f'. "$1"; printf %s "${NAME}"'
        ran = subprocess.run(
            ["/bin/sh", "-c", script, "sh", str(path)], check=True, capture_output=True
        )
    assert ran.stdout.decode() == value


@given(value=VALUES)
def test_github_runner_reads_the_value_and_masks_it(value: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "env"
        path.touch()
        github_actions.append(path, grants=[grant(value)])
        first, *lines, last = path.read_text().splitlines()
    name, _, delimiter = first.partition("<<")
    assert (name, last, lines) == (NAME, delimiter, [value])
    (mask,) = github_actions.masks([grant(value)])
    data = mask.removeprefix("::add-mask::")
    # The runner undoes only these three escapes, the percent sign last.
    assert data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%") == value
    assert unquote(data) == value


@given(owner=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_shell_reads_the_organization_from_the_docker_recipe(owner: str) -> None:
    text = docker.recipe([grant("abcdefgh", owner=owner).token]).text
    command = split(text.splitlines()[-1])
    assert command[command.index("--org") + 1] == owner
