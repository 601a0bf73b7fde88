"""What the issue template asks for is safe to paste."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from conda_token_plugin.cli.parser import parsed

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

TEMPLATE = Path(__file__).parents[2] / ".github" / "ISSUE_TEMPLATE" / "bug.yml"
ASKED = ("status", "--json")
PIECE = 8


def pieces(secret: str) -> set[str]:
    """Every part of a secret that the test searches for."""
    return {secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1)}


@pytest.fixture
def secrets(shell: Shell) -> list[str]:
    """A token issued, one given, one in a variable, and the API key; all of them in use."""
    world = shell.sandbox.world
    shell.install("acme")
    site = world.current("stark")
    assert site is not None
    shell.set("GIVEN", site.value)
    shell("install", "--site", "--org", "stark", "--token-env", "GIVEN", "--yes")
    shell.unset("GIVEN")
    supplied = world.issue("globex", "ada").value
    shell.set("ANACONDA_REPO_TOKEN_GLOBEX", supplied)
    issued = world.current("acme", "ada")
    assert issued is not None
    return [issued.value, site.value, supplied, os.environ["ANACONDA_AUTH_API_KEY"]]


@pytest.mark.parametrize("more", [(), ("--offline",), ("--fail-within", "9999d")])
def test_status_json_contains_no_piece_of_a_secret(
    shell: Shell, secrets: list[str], more: tuple[str, ...]
) -> None:
    ran = shell(*ASKED, *more)
    assert ran.json, "there is something to see"
    output = ran.out + ran.err
    printed = [piece for secret in secrets for piece in pieces(secret) if piece in output]
    assert printed == []


def test_status_json_contains_no_secret_if_a_variable_is_not_a_token(shell: Shell) -> None:
    broken = "kq7Vz3 mmXw91 Lp0dTy 55eRcB"
    shell.set("ANACONDA_REPO_TOKEN", broken)
    ran = shell(*ASKED)
    assert ran.json["error"]["kind"] == "MalformedToken"
    assert [piece for piece in pieces(broken) if piece in ran.out + ran.err] == []


def test_status_as_json_shows_all_three_tokens(shell: Shell, secrets: list[str]) -> None:
    held = {token["organization"] for token in shell(*ASKED, "--offline").json}
    assert {"acme", "globex", "stark"} <= held
    assert len(secrets) == 4


def test_issue_template_names_an_existing_command() -> None:
    form = YAML(typ="safe").load(TEMPLATE.read_text("utf-8"))
    (asked,) = [field for field in form["body"] if field.get("id") == "status"]
    assert f"conda token {' '.join(ASKED)}" in asked["attributes"]["label"]
    assert asked["validations"]["required"]
    assert parsed(ASKED, prog="conda token").verb == "status"
