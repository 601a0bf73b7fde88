"""After a command that used a token that expires soon, one line says so: once a day, to people."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.holding import hold
from tests.end_to_end.conda.host import conda_version

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

NOW = datetime.now(timezone.utc)
LINE = "of acme expires on"


def test_it_is_said_once_a_day_to_people_and_not_to_programs(machine: Machine) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9, hours=1))
    words = ("--override-channels", "-c", machine.sandbox.url_of("acme", "main"), "acme-hello")

    silent = [
        machine.conda("search", *words, "--json").well(),
        machine.create(*words, "--json").well(),
        machine.create(*words).well(),  # it has -q
    ]
    said = machine.conda("search", *words).well()
    again = machine.conda("search", *words).well()

    assert all(LINE not in ran.said for ran in silent)
    assert said.err.count(f"{LINE} {NOW + timedelta(days=9, hours=1):%Y-%m-%d}, in 9 days") == 1
    assert "Run: conda token sync acme" in said.err
    assert LINE not in again.said


def test_nothing_is_said_by_a_command_that_used_no_token(machine: Machine) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9))
    words = ("--override-channels", "-c", machine.sandbox.url_of("anaconda-tools"))

    ran = machine.conda("search", *words, "anaconda-tools-hello").well()

    assert "expires" not in ran.said


@pytest.mark.parametrize("command", ["create", "install", "update"])
def test_the_commands_that_install_say_it_too(machine: Machine, command: str) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9))
    at = ("-y", "-p", str(machine.prefix), "--override-channels", "-c")
    words = (*at, machine.sandbox.url_of("acme", "main"))
    if command != "create":
        machine.conda("create", "-q", *words, "acme-hello=0.9").well()

    assert LINE in machine.conda(command, *words, "acme-hello").well().err


def test_environments_from_a_file_say_it_too(machine: Machine) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9))
    file = machine.folder / "environment.yml"
    channels = f"channels: ['{machine.sandbox.url_of('acme', 'main')}'"
    channels += "]\n" if conda_version() >= (26, 7) else ", nodefaults]\n"
    file.write_text(f"{channels}dependencies: [acme-hello]\n")

    ran = machine.conda("env", "create", "-p", str(machine.prefix), "-f", str(file)).well()

    assert LINE in ran.err


def test_how_long_before_is_a_setting_of_conda(machine: Machine) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9))
    machine.condarc("plugins:\n  token_warn_days: 7\n")
    words = ("--override-channels", "-c", machine.sandbox.url_of("acme", "main"), "acme-hello")

    assert LINE not in machine.conda("search", *words).well().said
    machine.condarc("plugins:\n  token_warn_days: 10\n")
    assert LINE in machine.conda("search", *words).well().said


@pytest.mark.parametrize("value", ["soon", "99999999999", "-99999999999"])
def test_a_setting_that_makes_no_sense_fails_no_command(machine: Machine, value: str) -> None:
    hold(machine, "acme", expires=NOW + timedelta(days=9))
    words = ("--override-channels", "-c", machine.sandbox.url_of("acme", "main"), "acme-hello")

    ran = machine.conda("search", *words, CONDA_PLUGINS_TOKEN_WARN_DAYS=value).well()

    assert ran.err.count("conda-token-plugin: tokens that expire soon are not") == (value == "soon")
    assert (LINE in ran.err) == (value == "99999999999")


def test_a_loose_mode_that_a_request_had_repaired_is_said(machine: Machine) -> None:
    hold(machine, "acme")
    (index,) = machine.folder.rglob("index.jsonl")
    index.chmod(0o644)
    words = ("--override-channels", "-c", machine.sandbox.url_of("acme", "main"), "acme-hello")
    said = machine.conda("search", *words).well().err
    assert said.count(f"The loose mode 0644 of {index} was set to 0600.") == 1
