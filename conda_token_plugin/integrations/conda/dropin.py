"""The one configuration file that the plugin owns: composed whole, written whole, removed whole.

``~/.condarc`` is never touched. That the drop-in wins over files that conda merges later is due to
flags that conda reads from comments: ``#!bottom`` on a flow map puts the entry last, and the last
match of ``channel_settings`` wins; ``#!final`` settles ``default_channels``
(both run on conda 24.11, 25.5 and 26.7.1). The flags do not work on block maps.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin import HANDLER
from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.tokens.scope import pattern
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.tokens.token import Token

SIGNED_BY = "signing_metadata_url_base"
HEAD = "# Written and removed by conda-token-plugin; nothing in here is secret.\n"
"""One line: every conda command reads it, and 100 characters cost 0.3 million instructions."""


def composed(tokens: Iterable[Token], *, signed_by: str = "") -> str:
    """The drop-in for ``tokens``; empty when none of them asks for anything.

    ``signed_by`` is where conda finds the signatures of packages, if it is to verify them.
    """
    held = tuple(tokens)
    sections = (
        ("channel_settings:", [_setting(name) for name in _names(held)]),
        ("channels:", _entries(url for token in held for url in token.channels)),
        (
            "default_channels: #!final",
            _entries(url for token in held for url in token.default_channels),
        ),
    )
    body = [line for head, lines in sections if lines for line in (head, *lines)]
    if body and signed_by:
        body += ["extra_safety_checks: true", f"{SIGNED_BY}: {_quoted(signed_by)}"]
    return HEAD + "\n".join(body) + "\n" if body else ""


def _names(tokens: Iterable[Token]) -> Iterator[str]:
    """The globs of all prefixes.

    A prefix that may be a channel itself, as it was not the service that made it one, stands there
    without ``/*``, too: by the channel's URL conda chooses who is asked for shards that lie beside
    their index, as conda-index writes them (conda 26.7.1).
    """
    owners = [(prefix, token.kind) for token in tokens for prefix in token.scope]
    given = {prefix for prefix, kind in owners if kind is not TokenKind.INDIVIDUAL}
    for prefix in asked_about({prefix for prefix, _ in owners}):
        yield pattern(prefix)
        if prefix in given:
            yield pattern(prefix).removesuffix("/*")


def asked_about(prefixes: Iterable[str]) -> list[str]:
    """The prefixes below which conda asks the handler: of two in one folder, the folder.

    Each entry costs every conda command the reading of its line (1 million instructions),
    and each new URL a comparison (1 µs; 25 ms with 10,000 entries; both on conda 26.7.1).
    What else is in the folder gets no token: the handler decides by the URL.
    """
    folders: dict[str, list[str]] = {}
    for prefix in prefixes:
        folder = prefix.rpartition("/")[0]
        # The folder of a bare host would be "https:/": everything there is.
        folders.setdefault(prefix if folder.endswith("/") else folder, []).append(prefix)
    return sorted(folder if len(below) > 1 else below[0] for folder, below in folders.items())


def write(path: Path, *, tokens: Iterable[Token], signed_by: str | None = None) -> bool:
    """Bring the drop-in at ``path`` in line with ``tokens``; True if it changed.

    ``signed_by`` as in ``composed``; None: as it is.

    Raises:
        ConfigurationError: the file or its folder cannot be written.
    """
    try:
        before = path.read_text("utf-8", "replace") if path.exists() else ""
        signed_by = _signer_in(before) if signed_by is None else signed_by
        text = composed(tokens, signed_by=signed_by)
        if text == before:
            return False
        _replace(path, text=text) if text else _remove(path)
    except OSError as error:  # read-only home, disk full, a folder that is a file
        raise ConfigurationError(
            path, reason=f"cannot be written: {error.strerror}", hint="Make it writable."
        ) from None
    return True


def signer(path: Path) -> str:
    """Where the drop-in at ``path`` has conda find signatures; "" if it does not, or is none."""
    try:
        return _signer_in(path.read_text("utf-8", "replace"))
    except OSError:  # there is none, or it cannot be read: then it cannot be written either
        return ""


def _signer_in(text: str) -> str:
    line = re.search(rf"^{SIGNED_BY}: (\".*\")$", text, re.MULTILINE)
    try:
        return str(json.loads(line[1])) if line else ""
    except ValueError:  # somebody edited it
        return ""


def prove_writable(path: Path) -> None:
    """Make sure that the drop-in could be written now, and leave no trace.

    Raises:
        ConfigurationError: it could not.
    """
    from tempfile import TemporaryFile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:  # read-only home, disk full, a folder that is a file
        reason = f"cannot be written: {error.strerror}"
        raise ConfigurationError(path, reason=reason, hint="Make it writable.") from None
    finally:
        _drop_empty_folders(path)


def _replace(path: Path, *, text: str) -> None:
    from tempfile import NamedTemporaryFile

    path.parent.mkdir(parents=True, exist_ok=True)
    # The name must not end in .yml, or a conda that runs right now would read it.
    with NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            file.close()
            temporary.chmod(0o644)
            temporary.replace(path)
        except OSError:  # full disk, a folder that became read-only, or `path` is a folder
            temporary.unlink(missing_ok=True)
            raise


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _drop_empty_folders(path)


def _drop_empty_folders(path: Path) -> None:
    """``condarc.d`` and ``~/.conda`` go when nothing is in them: then they were made by us."""
    with suppress(OSError):  # it is not empty, or was never there
        path.parent.rmdir()
        path.parent.parent.rmdir()


def _setting(name: str) -> str:
    return f"  - {{channel: {_quoted(name)}, auth: {HANDLER}}} #!bottom"


def _entries(urls: Iterable[str]) -> list[str]:
    return [f"  - {_quoted(url)}" for url in dict.fromkeys(urls)]


def _quoted(text: str) -> str:
    """A JSON string is a YAML string, whatever is in it."""
    return json.dumps(text)
