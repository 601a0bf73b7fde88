"""`demo`: what it says where it cannot be played. That it works is tested with the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.commands import demo

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Shell


def test_demo_without_a_client_names_the_extra_and_runs_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _name: None)
    ran = shell("demo")
    assert ran.code == 1
    assert "conda-token-plugin[demo]" in ran.line
    assert ran.out == ""
    assert shell.files() == {}
