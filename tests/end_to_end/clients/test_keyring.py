"""A real Secret Service holds the export, and py-rattler reads it from there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.rattler import installs, needs_rattler

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = needs_rattler


def test_rattler_reads_the_exported_keyring_entry(with_keyring: Machine) -> None:
    machine = with_keyring
    value = machine.install("acme", with_conda=False)
    url = machine.sandbox.url_of("acme", "main")

    exported = machine.plugin("export", "rattler", "--keyring", "--json").well()
    installs(machine, url, packages="acme-tools", folder="a").well()
    removed = machine.plugin("export", "rattler", "--remove", "--json").well()
    installs(machine, url, packages="acme-tools", folder="b").badly()

    assert exported.json["exported"][0]["place"] == "keyring:rattler"
    assert removed.json["removed"][0]["outcome"] == "removed"
    assert not (machine.home / ".rattler").exists()
    assert value not in exported.said + removed.said


def test_export_keeps_a_keyring_entry_of_another_program(with_keyring: Machine) -> None:
    machine = with_keyring
    machine.install("acme", with_conda=False)
    held = json.dumps({"BearerToken": "theirs"})
    backend = "import keyring.backends.SecretService as s; k = s.Keyring();"
    machine.python("-c", f"{backend} k.set_password('rattler', '127.0.0.1', {held!r})").well()

    refused = machine.plugin("export", "rattler", "--keyring")

    assert refused.code == 7
    assert "another credential" in refused.err
    left = machine.python("-c", f"{backend} print(k.get_password('rattler', '127.0.0.1'))").well()
    assert left.out.strip() == held


def test_export_without_a_keyring_is_one_error_line_and_writes_nothing(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    nowhere = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x", "PYTHON_KEYRING_BACKEND": ""}
    ran = machine.plugin("export", "rattler", "--keyring", **nowhere)
    assert ran.code == 6
    assert ran.err.count("\n") == len(("error", "hint"))
    assert "keyring" in ran.err
    assert not (machine.home / ".rattler").exists()


def test_export_to_a_keyring_that_stores_nothing_fails(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    ran = machine.plugin("export", "rattler", "--keyring")
    assert ran.code == 6
    assert "did not store what was written to it" in ran.err
