"""Taking plain copies of secrets out of other tools' files, each with a backup of the file.

The backup lies below the store's folder, for the user alone. It holds the secret, so the user
is told of it, and throws it away when all is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from stat import S_IMODE
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.locks import LEFT
from conda_token_plugin.operations.export_record import ExportRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.integrations.source import Plain
    from conda_token_plugin.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A file that a copy was taken out of, and where the file is as it was."""

    path: Path
    backup: Path


def clean(plains: Iterable[Plain], *, settings: Settings, now: datetime) -> list[Cleaned]:
    """Take the copies out of their files.

    Raises:
        ConfigurationError: one of the files must not be touched, or cannot be written.
        StoreError: the backup cannot be written; its file is as it was.
    """
    by_path: dict[Path, list[Plain]] = {}
    for plain in plains:
        by_path.setdefault(plain.path, []).append(plain)
    with ExportRecord(settings).held() as ledger:
        cleaned = [
            _cleaned(path, copies, ledger=ledger, now=now) for path, copies in by_path.items()
        ]
    return [one for one in cleaned if one is not None]


def _cleaned(
    path: Path, copies: Iterable[Plain], *, ledger: ExportRecord, now: datetime
) -> Cleaned | None:
    before = foreign_files.content(path)
    if before is None:
        return None
    after = _without(path, before, copies=copies)
    if after == before:
        return None
    backup = ledger.back_up(f"{now:%Y%m%dT%H%M%S}-{path.name.lstrip('.')}", before)
    if after is None:
        foreign_files.remove(path, before=before, made="")
    else:
        mode = S_IMODE(path.stat().st_mode)
        foreign_files.replace(path, after=after, before=before, mode=mode)
    return Cleaned(path=path, backup=backup)


def _without(path: Path, data: bytes, *, copies: Iterable[Plain]) -> bytes | None:
    after: bytes | None = data
    try:
        for copy in copies:
            after = None if after is None else copy.without(after)
    except ValueError as error:  # no text, or written in a way that we do not dare to change
        fault = "is no UTF-8 text" if isinstance(error, UnicodeError) else str(error)
        raise ConfigurationError(
            path, reason=f"{fault} {LEFT}", hint="Take the token out by hand."
        ) from None
    return after
