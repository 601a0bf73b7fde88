"""The probe that finds out whether the system keyring works.

``probe`` starts a process of its own, with a time limit, because a keyring can hang in a system
call, crash the interpreter, or import what another package has registered. That process runs
``answer``.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing, suppress
from enum import Enum
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.gateways.command import CommandFailed, CommandTimeout, output_of
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.vaults import PART, SERVICE

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

LIMIT = 10.0
"""Seconds that the probe may take."""
SYSTEM = {
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Manager",
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.libsecret.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.kwallet.DBusKeyringKWallet4": "KWallet",
}
"""The backends of the systems' own keyrings, and their titles. Other backends write files, store
nothing, or only fail, and some claim a higher priority (that of anaconda-auth, which writes a
plain file, claims the highest)."""
_PROGRAM = (
    "import json, sys;"
    "sys.path[:] = json.load(sys.stdin);"
    "from conda_token_plugin.store.keyring_probe import answer;"
    "answer(explicit={explicit!r})"
)


class ProbeAnswer(Enum):
    """The state of the system keyring."""

    WORKING = "working"
    ABSENT = "absent"
    LOCKED = "locked"
    REFUSED = "refused"
    HUNG = "hung"


class ProbeReport(NamedTuple):
    """The result of a probe."""

    answer: ProbeAnswer
    backend: str = ""
    """The class of the backend: "keyring.backends.SecretService.Keyring"."""
    title: str = ""
    """The name to show: "Secret Service"."""
    reason: str = ""
    """The end of the sentence "The system keyring …"; empty if it works."""

    def as_json(self) -> dict[str, str]:
        """Return plain values."""
        return {**self._asdict(), "answer": self.answer.value}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> ProbeReport:
        """Return the report that ``as_json`` was called for.

        Raises:
            KeyError, TypeError, ValueError: ``value`` is something else.
        """
        texts = {name: text for name, text in value.items() if name != "answer"}
        return cls(ProbeAnswer(value["answer"]), **texts)


def probe(*, explicit: bool) -> ProbeReport:
    """Write, read and delete a test entry in the system keyring.

    Args:
        explicit: Whether the user asked for a keyring. If so, a backend that Python's keyring
            is configured to use is accepted even if it is not the system's own.
    """
    # ``-I``: without modules from PYTHONPATH; the process runs in the root folder.
    command = [sys.executable, "-I", "-c", _PROGRAM.format(explicit=explicit)]
    paths = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100  # "" is one, too
    try:
        output = output_of(command, request=paths, seconds=LIMIT, settings=Settings(), variables={})
        return ProbeReport.from_json(json.loads(output))
    except CommandTimeout:  # a prompt without an answer, a daemon that hangs
        return ProbeReport(ProbeAnswer.HUNG, reason=f"did not answer within {LIMIT:.0f} seconds")
    except CommandFailed as error:
        reason = f"could not be probed: the process {error}"
    except (KeyError, TypeError, ValueError):  # a backend has ended the process
        reason = "could not be probed: the process returned no result"
    return ProbeReport(ProbeAnswer.REFUSED, reason=reason)


def answer(*, explicit: bool) -> None:
    """Probe in this process, and print the report as one JSON object."""
    out = os.dup(1)
    os.dup2(2, 1)  # a backend may print
    try:
        report = _report(explicit=explicit)
    except Exception as error:  # noqa: BLE001  # backends raise any type of error
        last = "".join(format_exception_only(error)).strip().splitlines()[-1]
        reason = f"refused a test entry: {last[:120]}"
        report = ProbeReport(ProbeAnswer.REFUSED, reason=reason)
    os.write(out, json.dumps(report.as_json()).encode())


def _report(*, explicit: bool) -> ProbeReport:
    try:
        backend = _configured() or _best()
    except ImportError as error:  # keyring itself, or the backend that is configured
        return ProbeReport(ProbeAnswer.ABSENT, reason=f"is absent: {error}")
    if backend is None:
        return ProbeReport(ProbeAnswer.ABSENT, reason="is absent")
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    if name not in SYSTEM and not explicit:
        reason = f"is not to be used: Python's keyring is set to {name}"
        return ProbeReport(ProbeAnswer.ABSENT, reason=reason)
    state, reason = _probed(backend, name=name)
    return ProbeReport(state, backend=name, title=SYSTEM.get(name, name), reason=reason)


def _configured() -> KeyringBackend | None:
    """Return the backend that PYTHON_KEYRING_BACKEND or keyringrc.cfg names, or None."""
    from keyring.core import load_config, load_env

    return load_env() or load_config()


def _best() -> KeyringBackend | None:
    """Return the system's own backend with the highest priority, or None."""
    from keyring.core import load_keyring

    viable = []
    for name in SYSTEM:
        # another system's, or nothing that answers on the bus
        with suppress(ImportError, AttributeError, RuntimeError):
            viable.append(load_keyring(name))
    return max(viable, key=lambda backend: backend.priority, default=None)


def _probed(backend: KeyringBackend, *, name: str) -> tuple[ProbeAnswer, str]:
    from keyring.errors import KeyringLocked

    reason = _reason_for_prompt() if SYSTEM.get(name) == "Secret Service" else ""
    if reason:
        return ProbeAnswer.LOCKED, reason
    try:
        reason = _round_trip(backend)
    except KeyringLocked:  # it asked the user, and was not unlocked
        return ProbeAnswer.LOCKED, "is locked"
    return ProbeAnswer.REFUSED if reason else ProbeAnswer.WORKING, reason


def _reason_for_prompt() -> str:
    """Return why the Secret Service would prompt the user, or "" if it would not."""
    try:
        import secretstorage
    except ImportError:  # libsecret's bindings are used
        return ""
    with closing(secretstorage.dbus_init()) as connection:
        try:
            locked = secretstorage.Collection(connection).is_locked()
        except secretstorage.ItemNotFoundException:  # no desktop session has created one yet
            return "has no default collection"
    return "is locked" if locked else ""


def _round_trip(backend: KeyringBackend) -> str:
    """Return what is wrong with what came back for a test entry, or "" if nothing is."""
    import secrets

    user, value = f"test {secrets.token_hex(8)}", secrets.token_hex(PART // 2)
    before: Any = backend.get_password(SERVICE, user)
    backend.set_password(SERVICE, user, value)
    try:
        after: Any = backend.get_password(SERVICE, user)
    finally:
        backend.delete_password(SERVICE, user)
    if before is not None or after != value:
        return "did not return what was stored"
    if backend.get_password(SERVICE, user) is not None:
        return "did not delete what was stored"
    return ""
