"""The context of one command: everything from outside that it needs, made once."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from conda_token_plugin.gateways.clock import Clock

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from pathlib import Path

    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.cli.prompts import Prompts
    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.tokens.token import Token


class CommandContext:
    """What a command receives."""

    def __init__(  # noqa: PLR0913  # all that a command receives
        self,
        args: Namespace,
        *,
        settings: Settings,
        printer: Printer,
        prompts: Prompts,
        prog: str,
        clock: Clock,
    ) -> None:
        """Take what the command needs from outside. No I/O."""
        self.args = args
        self.settings = settings
        self.printer = printer
        self.prompts = prompts
        self.prog = prog
        self.clock = clock
        self._stores: list[Store] = []
        self._printed: list[str] = []
        self.logged_in = False
        """Whether this command has stored a new login."""

    @classmethod
    def of(cls, args: Namespace, *, printer: Printer, prog: str) -> CommandContext:
        """Return the context of the command that this process was started with."""
        from conda_token_plugin.cli.prompts import prompts
        from conda_token_plugin.settings import Settings

        printer.site = args.at
        return cls(
            args,
            settings=Settings(at=args.at),
            printer=printer,
            prompts=prompts(printer, assume_yes=args.yes),
            prog=prog,
            clock=Clock(datetime.now(timezone.utc), notice=printer.say),
        )

    @property
    def now(self) -> datetime:
        """The time to count with, aware, UTC. A response of a server may correct it."""
        return self.clock.now

    @property
    def system(self) -> bool:
        """Whether the command is for the store of the machine (``--system``)."""
        return bool(getattr(self.args, "system", False))

    @property
    def condarc(self) -> Path:
        """The drop-in that belongs to ``store``."""
        return self.settings.machine_condarc if self.system else self.settings.condarc

    def entry(self, token: Token, *, source: str) -> dict[str, Any]:
        """Return the `--json` form of one token: its metadata, source and state."""
        left = token.left(now=self.now)
        return {
            **token.as_json(),
            "source": source,
            "state": token.state(now=self.now).value,
            "days_left": None if left is None else left.days,
            "verified": token.verified.isoformat() if token.verified else None,
        }

    def store(self) -> Store:
        """Return the store to change: the user's, or the machine's with ``--system``.

        The option ``--store`` chooses where the user's store puts secrets.
        """
        self.warn_of_interrupted()
        from conda_token_plugin.store import machine_store, user_store

        if self.system:
            return self._opened(machine_store(self.settings))
        self.settings.refuse_missing_home()
        choice = getattr(self.args, "store", None)
        return self._opened(user_store(self.settings, choice=choice))

    def stores(self) -> dict[str, Store]:
        """Return all stores, in the order of precedence."""
        self.warn_of_interrupted()
        return self._all_stores()

    def report_copies(self, results: Iterable[ExportResult]) -> None:
        """Print what happened to exported copies; a warning for one that could not be changed."""
        from conda_token_plugin.operations.export_record import lines_of

        for line, failed in lines_of(results):
            (self.printer.warn if failed else self.printer.say)(line)

    def print_notices(self) -> None:
        """Print what the stores repaired, chose, or left undone; each line once."""
        lines = [line for store in self._stores for line in store.notices]
        if any(store.closed_to() for store in self._stores):
            from conda_token_plugin.operations.channel_settings import machine_token_notice

            lines.append(machine_token_notice(self.settings) or "")
        for line in dict.fromkeys(filter(None, lines)):
            if line not in self._printed:
                self._printed.append(line)
                self.printer.say(line)

    def warn_of_interrupted(self) -> None:
        """Warn about issues whose process ended before the token was stored; each once."""
        from conda_token_plugin.operations.issue_journal import interrupted

        for entry in interrupted(self.settings.store_folder):
            self._warn(entry.warning)

    def lookup(self) -> Lookup:
        """Return the lookup that the auth handler uses too."""
        from conda_token_plugin.store.lookup import Lookup

        return Lookup(self.settings, stores=self._all_stores())

    def _all_stores(self) -> dict[str, Store]:
        from conda_token_plugin.settings import NO_HOME
        from conda_token_plugin.store import stores_of

        if NO_HOME in self.settings.store_folder.parents:
            self._warn("No home folder is known (HOME is not set), so your store is not read.")
        return {name: self._opened(store) for name, store in stores_of(self.settings).items()}

    def _warn(self, line: str) -> None:
        """Print a warning, unless it was printed before."""
        if line not in self._printed:
            self._printed.append(line)
            self.printer.warn(line)

    def _opened(self, store: Store) -> Store:
        self._stores.append(store)
        return store
