"""``conda doctor`` looks at tokens, too, and mends what it can where conda has fixers (26.1)."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.operations.health_checks import CHECKS, WELL
from tests.end_to_end.conda.holding import hold
from tests.end_to_end.conda.host import conda_version
from tests.store import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda

NOW = datetime.now(timezone.utc)


@pytest.fixture
def examined(machine: Machine) -> Machine:
    """A machine with an environment and a token."""
    hold(machine, "acme")
    channel = ("--override-channels", "-c", machine.sandbox.url_of("acme", "main"))
    machine.create(*channel, "acme-hello").well()
    return machine


def test_all_is_well(examined: Machine) -> None:
    ran = _doctor(examined).well()

    assert [words for words in WELL.values() if f"✅ {words}" not in ran.out] == []
    assert "Error running health check" not in ran.err


def test_what_is_wrong_is_said_and_no_secret_with_it(examined: Machine) -> None:
    token = hold(examined, "acme", expires=NOW + timedelta(days=3))
    examined.condarc(f"channels: ['https://repo.anaconda.cloud/t/{token}/repo/acme/main']\n")

    ran = _doctor(examined).well()

    assert "❌ token-expiry:" in ran.out
    assert "❌ token-leaks:" in ran.out
    assert token not in ran.said


def test_an_entry_that_a_file_of_another_plugin_puts_last_is_named(examined: Machine) -> None:
    folder = examined.dropin.parent
    channel = f"{examined.sandbox.repo}*"
    text = f'channel_settings:\n  - {{channel: "{channel}", auth: theirs}} #!bottom\n'
    (folder / "a-theirs.yml").write_text(text)
    (folder / "z-theirs.yml").write_text(text)

    ran = _doctor(examined).well()

    asked = examined.conda("config", "--show", "channel_settings").well().out
    last = asked.split("auth:")[-1].split()[0]
    assert ("conda asks the handler theirs" in ran.out) == (last == "theirs")
    assert last == "theirs"
    assert "theirs.yml" in ran.out


def test_what_can_be_mended_is_mended(examined: Machine) -> None:
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


def test_a_dry_run_mends_nothing(examined: Machine) -> None:
    if conda_version() < (26, 1):
        pytest.skip("conda doctor has no fixers before 26.1")
    examined.dropin.unlink()

    _doctor(examined, "--fix", "--dry-run")

    assert not examined.dropin.exists()


def test_an_entry_that_was_left_in_a_real_keyring_is_found_and_deleted(
    machine: Machine, keyring: session.Session
) -> None:
    machine.variables.update(keyring.settings(), CONDA_TOKEN_STORE="keyring")
    machine.variables.pop("PYTHON_KEYRING_BACKEND")
    hold_in_keyring = ("token", "install", "--org", "acme", "--reissue", "--store", "keyring")
    key = machine.sandbox.world.api_key("ada")
    machine.conda(*hold_in_keyring, ANACONDA_AUTH_API_KEY=key).well()
    machine.create(
        "--override-channels", "-c", machine.sandbox.url_of("acme", "main"), "acme-hello"
    )
    assert f"✅ {WELL['token-keyring']}" in _doctor(machine).well().out

    for path in sorted(machine.store_folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    assert "no store here names: acme@" in _doctor(machine).well().out
    if conda_version() >= (26, 1):
        _doctor(machine, "--fix", "--yes").well()
        assert f"✅ {WELL['token-keyring']}" in _doctor(machine).well().out


def test_every_check_is_listed(machine: Machine) -> None:
    if conda_version() < (26, 1):
        pytest.skip("conda doctor has no list before 26.1")

    listed = machine.conda("doctor", "--list").well().out

    assert [name for name in CHECKS if f"{name}:" not in listed] == []


@pytest.fixture
def keyring(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[session.Session]:
    """A real Secret Service, empty."""
    if session.MISSING:
        pytest.skip(session.MISSING)
    with session.unlocked(tmp_path_factory.mktemp("session")) as running:
        running.enter(monkeypatch)
        with closing(session.connection()):
            yield running


def _doctor(machine: Machine, *flags: str) -> Ran:
    return machine.conda("doctor", "-p", str(machine.prefix), *flags)
