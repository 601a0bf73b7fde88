"""After a command that used a token that expires soon, one line says so: once a day, to people."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.conda_version import conda_version
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

NOW = datetime.now(timezone.utc)
EXPIRES = NOW + timedelta(days=9, hours=12)
"""Nine days before, also some hours after the start of the test run."""
LINE = "of acme expires on"


def test_expiry_warning_is_printed_once_a_day_and_not_with_json(machine: Machine) -> None:
    hold(machine, "acme", expires=EXPIRES)
    words = (*machine.only("acme/main"), "acme-hello")

    silent = [
        machine.conda("search", *words, "--json").well(),
        machine.create(*words, "--json").well(),
        machine.create(*words).well(),  # it has -q
    ]
    said = machine.conda("search", *words).well()
    again = machine.conda("search", *words).well()

    assert all(LINE not in ran.said for ran in silent)
    assert said.err.count(f"{LINE} {EXPIRES:%Y-%m-%d}, in 9 days") == 1
    assert "Run: conda token sync acme" in said.err
    assert LINE not in again.said


def test_command_that_used_no_token_prints_no_expiry_warning(machine: Machine) -> None:
    hold(machine, "acme", expires=EXPIRES)
    words = machine.only("anaconda-tools")

    ran = machine.conda("search", *words, "anaconda-tools-hello").well()

    assert "expires" not in ran.said


@pytest.mark.parametrize("command", ["create", "install", "update"])
def test_installing_command_prints_the_expiry_warning(machine: Machine, command: str) -> None:
    hold(machine, "acme", expires=EXPIRES)
    at = ("-y", "-p", str(machine.prefix), "--override-channels", "-c")
    words = (*at, machine.sandbox.url_of("acme", "main"))
    if command != "create":
        machine.conda("create", "-q", *words, "acme-hello=0.9").well()

    assert LINE in machine.conda(command, *words, "acme-hello").well().err


def test_env_command_prints_the_expiry_warning(machine: Machine) -> None:
    hold(machine, "acme", expires=EXPIRES)
    file = machine.folder / "environment.yml"
    channels = f"channels: ['{machine.sandbox.url_of('acme', 'main')}'"
    channels += "]\n" if conda_version() >= (26, 7) else ", nodefaults]\n"
    file.write_text(f"{channels}dependencies: [acme-hello]\n")

    ran = machine.conda("env", "create", "-p", str(machine.prefix), "-f", str(file)).well()

    assert LINE in ran.err


def test_days_of_the_expiry_warning_are_a_conda_setting(machine: Machine) -> None:
    hold(machine, "acme", expires=EXPIRES)
    machine.condarc("plugins:\n  token_warn_days: 7\n")
    words = (*machine.only("acme/main"), "acme-hello")

    assert LINE not in machine.conda("search", *words).well().said
    machine.condarc("plugins:\n  token_warn_days: 10\n")
    assert LINE in machine.conda("search", *words).well().said


@pytest.mark.parametrize("value", ["soon", "99999999999", "-99999999999"])
def test_invalid_setting_does_not_fail_a_command(machine: Machine, value: str) -> None:
    hold(machine, "acme", expires=EXPIRES)
    words = (*machine.only("acme/main"), "acme-hello")

    ran = machine.conda("search", *words, CONDA_PLUGINS_TOKEN_WARN_DAYS=value).well()

    assert ran.err.count("conda-token-plugin: tokens that expire soon are not") == (value == "soon")
    assert (LINE in ran.err) == (value == "99999999999")


def test_repaired_file_mode_is_reported(machine: Machine) -> None:
    hold(machine, "acme")
    (index,) = machine.folder.rglob("index.json")
    index.chmod(0o644)
    words = (*machine.only("acme/main"), "acme-hello")
    said = machine.conda("search", *words).well().err
    assert said.count(f"The mode of {index} was changed from 0644 to 0600.") == 1
