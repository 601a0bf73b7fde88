"""``conda doctor`` checks tokens, and fixes problems where conda has fixers (26.1)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.operations.health_checks import CHECKS
from tests.support.conda_version import conda_version
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda

NOW = datetime.now(timezone.utc)


@pytest.fixture
def examined(machine: Machine) -> Machine:
    """Return a machine with an environment and a token."""
    hold(machine, "acme")
    channel = machine.only("acme/main")
    machine.create(*channel, "acme-hello").well()
    return machine


def test_doctor_reports_no_problem_on_a_correct_machine(examined: Machine) -> None:
    ran = _doctor(examined).well()

    assert [words for one in CHECKS.values() if f"✅ {(words := one.passed)}" not in ran.out] == []
    assert "Error running health check" not in ran.err


def test_doctor_reports_problems_without_a_secret(examined: Machine) -> None:
    token = hold(examined, "acme", expires=NOW + timedelta(days=3))
    examined.condarc(f"channels: ['https://repo.anaconda.cloud/t/{token}/repo/acme/main']\n")

    ran = _doctor(examined).well()

    assert "❌ token-expiry:" in ran.out
    assert "❌ token-leaks:" in ran.out
    assert token not in ran.said


def test_doctor_names_an_overruling_entry_of_another_plugin(examined: Machine) -> None:
    folder = examined.dropin.parent
    channel = f"{examined.sandbox.repo}*"
    text = f'channel_settings:\n  - {{channel: "{channel}", auth: other}} #!bottom\n'
    (folder / "a-other.yml").write_text(text)
    (folder / "z-other.yml").write_text(text)

    ran = _doctor(examined).well()

    asked = examined.conda("config", "--show", "channel_settings").well().out
    last = asked.split("auth:")[-1].split()[0]
    assert ("conda asks the handler other" in ran.out) == (last == "other")
    assert last == "other"
    assert "other.yml" in ran.out


@pytest.mark.parametrize("channel", ["http://ho[st/x", "http://host:99999/*", "http://a\uff0fb/x"])
def test_doctor_names_an_entry_with_which_every_request_of_conda_fails(
    examined: Machine, channel: str
) -> None:
    examined.condarc(f'channel_settings:\n  - {{channel: "{channel}", auth: other}}\n')
    url = examined.sandbox.url_of("anaconda-tools")
    said = examined.conda("search", *examined.only(url), "anaconda-cli").said
    assert "ValueError" in said

    ran = _doctor(examined).well()

    assert f"{examined.home / '.condarc'}: conda cannot read a configuration" in ran.out


def test_doctor_fix_repairs_what_can_be_repaired(examined: Machine) -> None:
    if conda_version() < (26, 1):
        pytest.skip("conda doctor has no fixers before 26.1")
    token = hold(examined, "acme")
    examined.condarc(f"channels: ['https://repo.anaconda.cloud/t/{token}/repo/acme/main']\n")
    examined.dropin.unlink()

    fixed = _doctor(examined, "--fix", "--yes").well()

    assert "❌ token-leaks:" in fixed.out
    after = _doctor(examined).well()
    assert "❌" not in after.out
    assert token not in (examined.home / ".condarc").read_text()
    assert examined.dropin.exists()


def test_doctor_dry_run_changes_nothing(examined: Machine) -> None:
    if conda_version() < (26, 1):
        pytest.skip("conda doctor has no fixers before 26.1")
    examined.dropin.unlink()

    _doctor(examined, "--fix", "--dry-run")

    assert not examined.dropin.exists()


def test_doctor_deletes_an_unused_entry_of_a_real_keyring(with_keyring: Machine) -> None:
    machine = with_keyring
    machine.variables["CONDA_TOKEN_STORE"] = "keyring"
    install = ("token", "install", "--org", "acme", "--reissue", "--store", "keyring")
    key = machine.sandbox.world.api_key("ada")
    machine.conda(*install, ANACONDA_AUTH_API_KEY=key).well()
    machine.create(*machine.only("acme/main"), "acme-hello")
    assert f"✅ {CHECKS['token-keyring'].passed}" in _doctor(machine).well().out

    for path in sorted(machine.store_folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    assert "no store uses: acme@" in _doctor(machine).well().out
    if conda_version() >= (26, 1):
        _doctor(machine, "--fix", "--yes").well()
        assert f"✅ {CHECKS['token-keyring'].passed}" in _doctor(machine).well().out


def test_doctor_lists_every_check(machine: Machine) -> None:
    if conda_version() < (26, 1):
        pytest.skip("conda doctor has no list before 26.1")

    listed = machine.conda("doctor", "--list").well().out

    assert [name for name in CHECKS if f"{name}:" not in listed] == []


def _doctor(machine: Machine, *flags: str) -> Ran:
    return machine.conda("doctor", "-p", str(machine.prefix), *flags)
