"""What `conda token` promises, with the conda that is installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.conda_version import conda_version
from tests.support.stored_screens import COLUMNS, LINES, compare, screen
from tests.support.stored_tokens import hold, supply
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def site_token(machine: Machine, organization: str) -> str:
    """Return the site token of an organization."""
    token = machine.sandbox.world.current(organization, "")
    assert token is not None
    return token.value


def install_site(machine: Machine, organization: str, *, token: str) -> tuple[int, str]:
    """Store a site token with `conda token install`; return the exit code and the messages."""
    words = ("token", "install", "--site", "--org", organization, "--token-stdin")
    ran = machine.conda(*words, stdin=token)
    return ran.code, ran.err


def test_token_of_another_organization_is_not_stored_although_main_accepts_it(
    machine: Machine,
) -> None:
    code, said = install_site(machine, "globex", token=site_token(machine, "acme"))
    assert code == 5
    assert "It was not stored" in said
    assert json.loads(machine.conda("token", "list", "--json").out) == []
    code, said = install_site(machine, "acme", token=site_token(machine, "acme"))
    assert code == 0
    assert f"Verified: downloaded package from {machine.sandbox.url_of('acme')}" in said


@pytest.mark.parametrize("body", [b'{"error": "no such channel"}', b""], ids=["error", "empty"])
def test_answer_that_is_no_index_verifies_nothing(machine: Machine, body: bytes) -> None:
    token = site_token(machine, "acme")
    machine.sandbox.fail_next("/repo/", times=99, status=200, body=body)
    code, said = install_site(machine, "acme", token=token)
    assert code != 0
    assert "Verified:" not in said
    assert json.loads(machine.conda("token", "list", "--json").out) == []


def test_token_of_a_variable_for_a_channel_that_conda_does_not_ask_about(machine: Machine) -> None:
    """A repository of one's own with a variable, and no entry in `channel_settings`."""
    supply(machine, "acme")
    machine.dropin.unlink()
    channel = machine.sandbox.url_of("acme", "main")
    entry = f'Add to your condarc: channel_settings: [{{channel: "{channel}/*", '

    which = machine.conda("token", "which", channel).well().out
    doctor = machine.conda("doctor", "--verbose").said
    refused = machine.create("--override-channels", "-c", channel, "acme-hello").badly().said

    assert "does not ask this plugin for this URL" in which
    assert entry in which
    assert "does not ask this plugin" in doctor
    if conda_version() >= (26, 7):  # an older conda asks only the handler of the channel
        assert "was not sent: conda is not configured to ask this plugin" in " ".join(
            refused.split()
        )
    machine.condarc(f'channel_settings: [{{channel: "{channel}/*", auth: conda-token-plugin}}]\n')
    machine.create("--override-channels", "-c", channel, "acme-hello").well()


@pytest.mark.skipif(conda_version() < (26, 7), reason="an older conda prints the hint elsewhere")
def test_screen_of_a_refusal(machine: Machine) -> None:
    hold(machine, "acme", shared=True)
    channel = machine.sandbox.url_of("globex", "main")
    words = ("install", "-y", "-p", str(machine.prefix), "--override-channels", "-c", channel, "x")
    machine.create("--offline").well()
    variables = {**machine.variables, "TERM": "xterm", "CONDA_SUBDIR": "linux-64"}
    terminal = Terminal(*words, environment=variables, size=(LINES, COLUMNS), module="conda")
    compare("refusal", screen(terminal, code=1))
