"""anaconda-auth's login in a real Secret Service, in a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from shutil import which
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.login import NotLoggedIn
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways.keyring import KeyringService
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = ("dbus-run-session", "gnome-keyring-daemon")
missing = [name for name in NEEDED if which(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed: {missing}")

SESSION = 'printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null && "$@"'
KEEP = """
import base64, json
from keyring.backends.SecretService import Keyring
entry = json.dumps({"domain": "anaconda.com", "api_key": "key-in-the-keyring", "version": 2})
Keyring().set_password("Anaconda Cloud", "anaconda.com", base64.b64encode(entry.encode()).decode())
"""
FIND = """
from conda_token_plugin.settings import Settings
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.store import user_store

environment = Settings()
try:
    found = find_api_key(environment, user_store(environment), notice=lambda line: print(line))
except TokenPluginError as error:
    print(type(error).__name__)
else:
    print(found[0].last_four, found[1])
"""


def in_session(home: Path, *programs: str) -> str:
    """What the programs print, in a D-Bus session with an unlocked keyring."""
    kept = {"PATH", "PYTHONPATH", "LANG"}
    variables = {name: value for name, value in os.environ.items() if name in kept}
    ran = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", SESSION, "sh", sys.executable, "-c", *programs],
        env={**variables, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ran.stdout.strip()


def test_login_in_the_system_keyring_is_found(empty_home: Path) -> None:
    (empty_home / ".anaconda").mkdir()
    assert in_session(empty_home, KEEP + FIND) == "ring anaconda-auth's login (system keyring)"


def test_keyring_is_not_asked_if_anaconda_auth_was_never_used(empty_home: Path) -> None:
    assert in_session(empty_home, KEEP + FIND) == "NotLoggedIn"


def test_missing_keyring_is_not_reported(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_home / ".anaconda").mkdir()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={empty_home / 'no-such-bus'}")
    ran = subprocess.run([sys.executable, "-c", FIND], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["NotLoggedIn"]


def test_hanging_keyring_is_asked_once_and_reported(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_home / ".anaconda").mkdir()
    asked: list[str] = []

    def hang(_: KeyringService, domain: str) -> None:
        asked.append(domain)
        raise KeyringUnusable("did not answer within 30 seconds")

    monkeypatch.setattr(KeyringService, "held", hang)
    notices: list[str] = []
    settings = Settings({})
    with pytest.raises(NotLoggedIn):
        find_api_key(settings, user_store(settings), notice=notices.append)
    assert asked == ["anaconda.com"]
    assert len(notices) == 1
    assert notices[0].startswith("The system keyring did not answer within 30 seconds.")
