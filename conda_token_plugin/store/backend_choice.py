"""The choice of the vault for new secrets: the system keyring if it works, or files.

| choice    | the keyring works            | it is absent, locked, refuses or hangs        |
|-----------|------------------------------|-----------------------------------------------|
| "keyring" | keyring                      | KeyringUnusable with the reason               |
| "auto"    | keyring, and the user is told | files, and the user is told the reason       |
| "file"    | files; it is not probed      | files; it is not probed                       |

The result of the probe is saved in the store's folder, and is valid in the same circumstances:

* *working* until the keyring fails; ``Store.prove_writable`` probes again nevertheless;
* *absent*, *refused* and *hung* for a day; the choice "keyring" probes again nevertheless;
* *locked* is not saved, because the user is about to unlock it.

What the user was told is saved with it, so that each message is printed once per machine.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.store import KeyringUnusable, StoreUnusable
from conda_token_plugin.gateways import state_file
from conda_token_plugin.gateways.files import PROBE_RESULT
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import keyring_probe
from conda_token_plugin.store.keyring_probe import ProbeAnswer, ProbeReport
from conda_token_plugin.store.vaults import FILE, KEYRING

if TYPE_CHECKING:
    from conda_token_plugin.store.folder import Folder

DAY = 24 * 60 * 60.0
"""Seconds."""
_CIRCUMSTANCES = ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS")


class BackendChoice:
    """A choice, and the result of the last probe."""

    def __init__(self, wanted: str, folder: Folder) -> None:
        """Take "auto", "keyring" or "file", and the store's folder. No I/O."""
        self.wanted = wanted
        self.folder = folder
        self._probed: ProbeReport | None = None
        self._saved = False
        self._told = ""

    def place(self, *, again: bool = False) -> str:
        """Return the place of the next secret.

        With ``again``, a saved result that the keyring works is not enough.

        Raises:
            KeyringUnusable: The choice is "keyring", and it does not work.
        """
        if self.wanted == FILE:
            return FILE
        report = self._report(again=again)
        if report.answer is ProbeAnswer.WORKING:
            return f"{KEYRING}:{report.backend}"
        if self.wanted == KEYRING:
            raise KeyringUnusable(report.reason)
        self._tell(
            f"The system keyring {report.reason}. Secrets are stored in files that only you can "
            f"read, in {self.folder.path}. To choose that without a probe, use --store file."
        )
        return FILE

    def remember(self) -> None:
        """Save the result of this process's probe. The caller holds the store's lock."""
        probed = self._probed
        if self._saved or probed is None or probed.answer is ProbeAnswer.LOCKED:
            return
        note = {
            "found": probed.as_json(),
            "for": self._circumstances(),
            "at": time.time(),
            "told": self._told or self._told_before(),
        }
        with suppress(StoreUnusable):  # the next command runs the probe again
            state_file.write(self.folder.path / PROBE_RESULT, note)
            self._saved = True

    def forget(self) -> None:
        """Delete the result, because the keyring has failed. The caller holds the lock."""
        self._probed, self._saved = None, False
        self.folder.remove(PROBE_RESULT)

    def _report(self, *, again: bool) -> ProbeReport:
        known = self._probed or self._remembered(again=again)
        if known is not None:
            return known
        self._probed = keyring_probe.probe(explicit=self.wanted == KEYRING)
        if self._probed.answer is ProbeAnswer.WORKING and self.wanted != KEYRING:
            self._tell(f"The system keyring ({self._probed.title}) works and is used.")
        return self._probed

    def _tell(self, message: str) -> None:
        """Tell the user ``message``, unless it was the last one that was told on this machine."""
        if message != self._told_before():
            self.folder.notice(message)
        self._told = message

    def _told_before(self) -> str:
        """Return the last message that was told, by this process or by an earlier one."""
        return str(self._saved_note().get("told", ""))

    def _saved_note(self) -> dict[str, Any]:
        note = state_file.read(self.folder.path / PROBE_RESULT)
        return note if isinstance(note, dict) else {}

    def _remembered(self, *, again: bool) -> ProbeReport | None:
        note = self._saved_note()
        try:
            report = ProbeReport.from_json(note["found"])
            circumstances, age = note["for"], time.time() - float(note["at"])
        except (KeyError, TypeError, ValueError, OverflowError):  # none, or of another version
            return None
        stale = not 0 <= age <= DAY
        works = report.answer is ProbeAnswer.WORKING
        too_old = again if works else stale or self.wanted == KEYRING
        return None if too_old or circumstances != self._circumstances() else report

    def _circumstances(self) -> dict[str, str]:
        """Return what decides which keyring a process finds."""
        variables = Settings().variables
        found = {name: variables.get(name, "") for name in _CIRCUMSTANCES}
        return {**found, "wanted": self.wanted, "platform": sys.platform, "prefix": sys.prefix}
