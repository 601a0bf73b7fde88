"""Where new secrets go: the system's keyring if one really works, or files; and saying so.

| choice    | the keyring works | it is absent, locked, refuses or hangs   |
|-----------|-------------------|------------------------------------------|
| "keyring" | keyring           | KeyringUnusable, which says which        |
| "auto"    | keyring, and said | files, and which it was is said          |
| "file"    | files: nobody asks |                                         |

What the probe found is remembered in the store's folder, for the same circumstances:

* *working*, until it fails; but who is about to issue a token asks anew, since it must work now;
* *absent*, *refused* or *hung*, for a day; who chooses "keyring" asks anew;
* *locked* is not remembered: the next thing the user does is to unlock it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import KeyringUnusable, StoreUnusable
from conda_token_plugin.gateways import state_file
from conda_token_plugin.gateways.files import FINDING
from conda_token_plugin.store.vaults import FILE, KEYRING

if TYPE_CHECKING:
    from conda_token_plugin.store.folder import Folder
    from conda_token_plugin.store.keyring_probe import ProbeReport

NAME = FINDING
DAY = 24 * 60 * 60.0
"""Seconds."""


class Choice:
    """A choice, and what is known of the keyring. Only ``remember`` needs the store's lock."""

    def __init__(self, wanted: str, folder: Folder) -> None:
        """``wanted``: "auto", "keyring" or "file". Does no I/O."""
        self.wanted = wanted
        self.folder = folder
        self._probed: ProbeReport | None = None
        self._noted = False

    def place(self, *, anew: bool = False) -> str:
        """Where the next secret goes; ``anew``: and it must work right now.

        Raises:
            KeyringUnusable: a keyring is wanted, and none works.
        """
        if self.wanted == FILE:
            return FILE
        from conda_token_plugin.store.keyring_probe import ProbeAnswer

        finding = self._finding(anew=anew)
        if finding.answer is ProbeAnswer.WORKING:
            return f"{KEYRING}:{finding.backend}"
        if self.wanted == KEYRING:
            raise KeyringUnusable(finding.reason)
        self.folder.tell(
            f"The system keyring {finding.reason}, so what is secret is kept in a file "
            f"for you alone, below {self.folder.path}. (--store file chooses that.)"
        )
        return FILE

    def remember(self) -> None:
        """Write down what this process found out. Only for the holder of the store's lock."""
        from conda_token_plugin.store.keyring_probe import ProbeAnswer

        probed = self._probed
        if self._noted or probed is None or probed.answer is ProbeAnswer.LOCKED:
            return
        note = {"found": probed.as_json(), "for": self._circumstances(), "at": time.time()}
        with suppress(StoreUnusable):  # the next command runs the probe again
            state_file.write(self.folder.path / NAME, note)
            self._noted = True

    def forget(self) -> None:
        """Ask again the next time: what was working has failed."""
        self._probed, self._noted = None, False
        self.folder.remove(NAME)

    def _finding(self, *, anew: bool) -> ProbeReport:
        known = self._probed or self._remembered(anew=anew)
        if known is not None:
            return known
        from conda_token_plugin.store.keyring_probe import ProbeAnswer, probe

        self._probed = probe(explicit=self.wanted == KEYRING)
        if self._probed.answer is ProbeAnswer.WORKING and self.wanted != KEYRING:
            self.folder.tell(f"The system keyring ({self._probed.title}) works and is used.")
        return self._probed

    def _remembered(self, *, anew: bool) -> ProbeReport | None:
        from conda_token_plugin.store.keyring_probe import ProbeAnswer, ProbeReport

        note = state_file.read(self.folder.path / NAME)
        if not isinstance(note, dict):
            return None
        try:
            finding = ProbeReport.from_json(note["found"])
            circumstances, age = note["for"], time.time() - float(note["at"])
        except (KeyError, TypeError, ValueError, OverflowError):  # written by another version
            return None
        stale = not 0 <= age <= DAY
        works = finding.answer is ProbeAnswer.WORKING
        too_old = anew if works else stale or self.wanted == KEYRING
        return None if too_old or circumstances != self._circumstances() else finding

    def _circumstances(self) -> dict[str, str]:
        """What decides which keyring a process sees."""
        import sys

        from conda_token_plugin.settings import Settings

        variables = Settings().variables
        names = ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS")
        seen = {name: variables.get(name, "") for name in names}
        return {**seen, "wanted": self.wanted, "platform": sys.platform, "prefix": sys.prefix}
