"""Run in a process of its own by ``probe``: which system keyring is there, and does it work?

It may hang, crash or print: its parent has a time limit and reads one line from it.
Whatever is raised here and not caught ends it, and is "refused" to the parent.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from conda_token_plugin.store.keyring_vault import PART, SERVICE

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SYSTEM = {
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Manager",
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.libsecret.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet",
}
"""The backends that are a system's own. Others write files, forget, or only fail; some of those
claim a higher priority (anaconda-auth's, which writes a plain file, claims the highest)."""


def main(*, explicit: bool) -> None:
    """Print one JSON object: ``answer``, and where it has them ``backend``, ``title``, ``reason``.

    ``explicit``: the user asked for a keyring, so any that is configured will do.
    """
    out = os.dup(1)
    os.dup2(2, 1)  # what a backend prints is not our answer
    os.write(out, json.dumps(_answer(explicit=explicit)).encode())


def _answer(*, explicit: bool) -> dict[str, str]:
    try:
        backend = _configured() or _best()
    except ImportError as error:  # keyring itself, or the backend that is configured
        return _absent(f"is absent: {error}")
    if backend is None:
        return _absent("is absent")
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    if name not in SYSTEM and not explicit:
        return _absent(f"is not to be used: Python's keyring is set to {name}")
    return {"backend": name, "title": SYSTEM.get(name, name), **_trial(backend, name=name)}


def _absent(reason: str) -> dict[str, str]:
    return {"answer": "absent", "reason": reason}


def _configured() -> KeyringBackend | None:
    """What PYTHON_KEYRING_BACKEND or keyringrc.cfg names."""
    from keyring.core import load_config, load_env

    return load_env() or load_config()


def _best() -> KeyringBackend | None:
    """The first choice among the system's own."""
    from keyring.core import load_keyring

    viable = []
    for name in SYSTEM:
        # another system's, or nothing that answers on the bus
        with suppress(ImportError, AttributeError, RuntimeError):
            viable.append(load_keyring(name))
    return max(viable, key=lambda backend: backend.priority, default=None)


def _trial(backend: KeyringBackend, *, name: str) -> dict[str, str]:
    from keyring.errors import KeyringLocked

    reason = _closed() if SYSTEM.get(name) == "Secret Service" else ""
    if reason:
        return {"answer": "locked", "reason": reason}
    try:
        reason = _round_trip(backend)
    except KeyringLocked:  # it asked, and nobody unlocked it
        return {"answer": "locked", "reason": "is locked"}
    return {"answer": "refused" if reason else "working", "reason": reason}


def _closed() -> str:
    """Why the Secret Service would have to ask the user first; asking would wait for an answer."""
    try:
        import secretstorage
    except ImportError:  # libsecret's bindings are used
        return ""
    with closing(secretstorage.dbus_init()) as connection:
        try:
            locked = secretstorage.Collection(connection).is_locked()
        except secretstorage.ItemNotFoundException:  # nobody has ever logged in graphically
            return "has no default collection"
    return "is locked" if locked else ""


def _round_trip(backend: KeyringBackend) -> str:
    """What is wrong with what came back for a test entry, if anything."""
    user, value = f"test {secrets.token_hex(8)}", secrets.token_hex(PART // 2)
    before: Any = backend.get_password(SERVICE, user)
    backend.set_password(SERVICE, user, value)
    try:
        after: Any = backend.get_password(SERVICE, user)
    finally:
        backend.delete_password(SERVICE, user)
    if before is not None or after != value:
        return "did not give back what was put in"
    if backend.get_password(SERVICE, user) is not None:
        return "did not delete what was put in"
    return ""
