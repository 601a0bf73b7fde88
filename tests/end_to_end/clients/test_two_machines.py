"""One token on two machines: the second one receives it from the first, and nothing is issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store import user_store
from tests.support.machine import WITHOUT_CONDA, Machine

if TYPE_CHECKING:
    from pathlib import Path


def test_token_is_used_on_a_second_machine_without_another_issue(
    machine: Machine, tmp_path: Path
) -> None:
    token = machine.install("acme", with_conda=False)
    second = Machine(tmp_path / "second", machine.sandbox)
    send = ("run", "--org", "acme", "--", "printenv", "ANACONDA_REPO_TOKEN_ACME")

    sent = machine.plugin(*send).well().out
    second.python(
        "-c", WITHOUT_CONDA, "install", "--org", "acme", "--token-stdin", stdin=sent
    ).well()

    stored = user_store(second.settings).tokens()
    assert [one.last_four for one in stored] == [token[-4:]]
    assert [one.method for one in machine.sandbox.requests if one.method == "PUT"] == []
    assert second.plugin("which", "acme/main").well().out.startswith("URL")


def test_install_on_a_second_machine_says_how_to_use_the_same_token(
    machine: Machine, tmp_path: Path
) -> None:
    machine.install("acme", with_conda=False)
    second = Machine(tmp_path / "second", machine.sandbox)
    key = machine.sandbox.world.api_key("ada")

    refused = second.plugin("install", "--org", "acme", ANACONDA_AUTH_API_KEY=key).badly()

    assert "conda-token-plugin run --org acme" in " ".join(refused.err.split())
    assert "--token-stdin" in refused.err
    assert machine.sandbox.world.current("acme", "ada") is not None
