"""One call of a command: everything from outside that a verb needs, made once at the rim."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.cli.prompts import Prompts
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.lookup import Lookup


class CommandContext:
    """What a verb is given."""

    def __init__(  # noqa: PLR0913  # all that a verb is given
        self,
        args: Namespace,
        *,
        settings: Settings,
        printer: Printer,
        prompts: Prompts,
        prog: str,
        now: datetime,
    ) -> None:
        """Do no I/O."""
        self.args = args
        self.settings = settings
        self.printer = printer
        self.prompts = prompts
        self.prog = prog
        self.now = now
        self._stores: list[Store] = []
        self._said: list[str] = []

    @classmethod
    def of(cls, args: Namespace, *, printer: Printer, prog: str) -> CommandContext:
        """The call that this process was started with."""
        from conda_token_plugin.cli.prompts import prompts
        from conda_token_plugin.settings import Settings

        return cls(
            args,
            settings=Settings(),
            printer=printer,
            prompts=prompts(printer, assume_yes=args.yes),
            prog=prog,
            now=datetime.now(timezone.utc),
        )

    @property
    def system(self) -> bool:
        """Whether the command is about the machine and not about the user."""
        return bool(getattr(self.args, "system", False))

    @property
    def condarc(self) -> Path:
        """The drop-in that goes with ``store``."""
        return self.settings.machine_condarc if self.system else self.settings.condarc

    def store(self) -> Store:
        """The store to change: the user's, or with ``--system`` the machine's.

        ``--store`` chooses where the secrets of the user's go.
        """
        self.warn_of_cut_short()
        from conda_token_plugin.store import machine_store, user_store

        if self.system:
            return self._kept(machine_store(self.settings))
        choice = getattr(self.args, "store", None)
        return self._kept(user_store(self.settings, choice=choice))

    def stores(self) -> dict[str, Store]:
        """All stores, in the order of precedence."""
        self.warn_of_cut_short()
        return self._all_stores()

    def say_notices(self) -> None:
        """Say what the stores repaired, chose, or left undone; each line once."""
        for line in dict.fromkeys(line for store in self._stores for line in store.notices):
            if line not in self._said:
                self._said.append(line)
                self.printer.say(line)

    def warn_of_cut_short(self) -> None:
        """Say that an issue ended without a word, where one did."""
        from conda_token_plugin.operations.issue_journal import cut_short

        note = cut_short(self.settings.store_folder)
        if note is not None:
            self.printer.warn(note.warning)

    def lookup(self) -> Lookup:
        """The resolver that the auth handler uses, too."""
        from conda_token_plugin.store.lookup import Lookup

        return Lookup(self.settings, stores=self._all_stores())

    def _all_stores(self) -> dict[str, Store]:
        from conda_token_plugin.store.lookup import stores_of

        return {name: self._kept(store) for name, store in stores_of(self.settings).items()}

    def _kept(self, store: Store) -> Store:
        self._stores.append(store)
        return store
