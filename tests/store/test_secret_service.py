"""The real Secret Service of gnome-keyring: unlocked, locked, stopped, killed and absent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.store import Store, keyring_probe
from conda_token_plugin.store.keyring_probe import ProbeAnswer
from tests.store import children, stores
from tests.support import keyrings, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(keyrings.MISSING != "", reason=keyrings.MISSING or "it is here")

ACME = tokens.token("acme")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[keyrings.Session]:
    """Return a session with an empty bus."""
    home = tmp_path / "session"
    home.mkdir()
    with keyrings.bus(home) as running:
        running.enter(monkeypatch)
        yield running


@pytest.fixture
def unlocked(bus: keyrings.Session) -> keyrings.Session:
    bus.start("--unlock")
    return bus


@pytest.fixture
def folder(tmp_path: Path, unlocked: keyrings.Session) -> Path:
    """A store with a token in the keyring."""
    del unlocked
    store = Store(tmp_path / "store")
    assert store.add(ACME, tokens.secret(1)) == "keyring"
    assert store.notices == ["The system keyring (Secret Service) works and is used."]
    return store.folder


def test_probe_reports_working_when_the_keyring_is_unlocked_and_leaves_no_entry(
    unlocked: keyrings.Session,
) -> None:
    del unlocked
    finding = keyring_probe.probe(explicit=False)
    assert finding.answer is ProbeAnswer.WORKING
    assert finding.backend == "keyring.backends.SecretService.Keyring"
    assert keyrings.real_users() == set()


def test_auto_choice_reports_once_that_the_keyring_is_used(folder: Path) -> None:
    store = Store(folder)
    store.check_writable()
    assert store.notices == []
    assert stores.files(folder) == set()
    assert store.secret(ACME.key) == tokens.secret(1)


def test_keyring_label_begins_with_the_key_of_the_token(folder: Path) -> None:
    del folder
    with closing(keyrings.connection()) as bus:
        (item,) = keyrings.items(bus)
        assert item.get_label().startswith(f"Password for '{ACME.key} (")
        assert item.get_attributes()["service"] == "conda-token-plugin"


def test_probe_reports_locked_without_a_prompt_when_the_keyring_is_locked(
    unlocked: keyrings.Session, tmp_path: Path
) -> None:
    unlocked.lock()
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.LOCKED
    store = Store(tmp_path / "store")
    assert store.add(ACME, tokens.secret(1)) == "file"
    (notice,) = store.notices
    assert notice.startswith(
        "The system keyring is locked. Secrets are stored in files that only you"
    )
    with pytest.raises(KeyringUnusable, match=r"is locked\. Unlock it"):
        Store(tmp_path / "store", choice="keyring").check_writable()


def test_secret_in_a_locked_keyring_is_refused_within_the_limit_and_kept(
    folder: Path, unlocked: keyrings.Session
) -> None:
    unlocked.lock()
    answer = children.perform(folder, "secret", limit=2)
    assert (answer["error"], answer["value"]) == ("KeyringUnusable", None)
    assert Store(folder).tokens() == (ACME,)
    unlocked.signal(signal.SIGKILL)
    unlocked.start("--unlock")
    assert Store(folder).secret(ACME.key) == tokens.secret(1)


def test_hanging_daemon_is_reported_within_the_limit(
    folder: Path, unlocked: keyrings.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_probe, "LIMIT", 2.0)
    unlocked.signal(signal.SIGSTOP)
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.HUNG
    answer = children.perform(folder, "secret", limit=1)
    assert "did not answer within 1 seconds" in answer["text"]
    unlocked.signal(signal.SIGCONT)
    assert Store(folder).secret(ACME.key) == tokens.secret(1)


def test_killed_daemon_is_an_error_and_not_a_missing_token(
    folder: Path, unlocked: keyrings.Session
) -> None:
    unlocked.signal(signal.SIGKILL)
    assert "refused: RuntimeError" in children.perform(folder, "secret")["text"]
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT


def test_probe_reports_absent_when_the_bus_has_no_keyring(
    bus: keyrings.Session, tmp_path: Path
) -> None:
    del bus
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT
    store = Store(tmp_path / "store")
    assert store.add(ACME, tokens.secret(1)) == "file"
    assert store.notices[0].startswith("The system keyring is absent. Secrets are")


def test_keyring_without_a_default_collection_is_not_set_up(bus: keyrings.Session) -> None:
    bus.start("--start")
    finding = keyring_probe.probe(explicit=False)
    assert (finding.answer, finding.reason) == (ProbeAnswer.LOCKED, "has no default collection")


@pytest.mark.slow
def test_killed_writers_leave_the_old_or_the_new_state_in_a_real_keyring(
    unlocked: keyrings.Session, empty_home: Path, report: Callable[[str], None]
) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.store.killing", str(empty_home), "keyring", "random", "60"],
        env={**os.environ, **unlocked.settings()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3000:]
    numbers = json.loads(child.stdout)
    assert numbers["killed"] == 60
    before = numbers["before"]
    report(
        "60 writers to a real Secret Service killed at random times: "
        f"{before} left the old state, {60 - before} the new one"
    )
