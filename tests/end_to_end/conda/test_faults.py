"""What is wrong with the plugin itself stops no conda command: one warning, and conda goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda

WARNING = "conda-token-plugin: requests go on without a token."
BUG = """
import conda_token_plugin.store.lookup as lookup

def broken(self, url):
    raise ZeroDivisionError("words that may hold anything")

lookup.Lookup.find = broken
"""

LATE_BUG = """
import conda_token_plugin.auth.expiry as expiring

def broken(*_, **__):
    raise ZeroDivisionError("words that may hold anything")

expiring.warning = broken
"""


def test_damaged_store_is_reported_once_and_public_channels_work(machine: Machine) -> None:
    hold(machine, "acme", scope=[machine.sandbox.url_of("anaconda-tools")])
    for path in machine.store_folder.rglob("index*"):
        path.write_bytes(b"\x00 not an index")

    created = _create(machine, "anaconda-tools", "anaconda-tools-hello", "--json").well()

    assert machine.installed() == {"anaconda-tools-hello"}
    assert created.json["success"] is True
    assert created.err.count(WARNING) == 1
    assert "is damaged" in created.err


def test_variable_with_a_missing_file_is_reported_and_its_channel_refused(
    machine: Machine,
) -> None:
    hold(machine, "acme")
    machine.variables["ANACONDA_REPO_TOKEN_ACME_FILE"] = "/nowhere/token"

    refused = _create(machine, "acme/main", "acme-hello").badly()

    assert refused.err.count(WARNING) == 1
    assert "/nowhere/token" in refused.err
    assert "HTTP 403" in refused.said


def test_bug_of_the_plugin_is_reported_with_its_place_and_stops_no_command(
    machine: Machine, tmp_path: Path
) -> None:
    hold(machine, "acme", scope=[machine.sandbox.url_of("anaconda-tools")])
    (tmp_path / "sitecustomize.py").write_text(BUG)
    machine.variables["PYTHONPATH"] = str(tmp_path)

    created = _create(machine, "anaconda-tools", "anaconda-tools-hello").well()

    assert machine.installed() == {"anaconda-tools-hello"}
    assert created.err.count(WARNING) == 1
    assert "ZeroDivisionError in broken" in created.err
    assert "words that may hold anything" not in created.said


def test_bug_after_the_command_is_reported_and_does_not_fail_it(
    machine: Machine, tmp_path: Path
) -> None:
    hold(machine, "acme")
    (tmp_path / "sitecustomize.py").write_text(LATE_BUG)
    machine.variables["PYTHONPATH"] = str(tmp_path)
    url = machine.sandbox.url_of("acme", "main")

    found = machine.conda("search", *machine.only(url), "acme-hello").well()

    assert found.err.count("conda-token-plugin: tokens that expire soon are not reported.") == 1
    assert "ZeroDivisionError in broken" in found.err
    assert "words that may hold anything" not in found.said


def _create(machine: Machine, channel: str, package: str, *flags: str) -> Ran:
    url = machine.sandbox.url_of(channel)
    return machine.create(*flags, *machine.only(url), package)
