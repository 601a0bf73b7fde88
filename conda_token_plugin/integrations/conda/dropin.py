"""The only conda configuration file that the plugin writes. It is always written as a whole.

``~/.condarc`` is never changed. The drop-in takes precedence over files that conda merges later, by
flags that conda reads from comments: ``#!bottom`` on a flow map puts the entry last, and the last
match in ``channel_settings`` wins; ``#!top`` puts a channel first, so that a package of the same
name in a public channel cannot replace one of a private channel; ``#!final`` fixes
``default_channels`` (tested with conda 24.11, 25.5 and 26.7.1). The flags do not work on block
maps.

The file has only ASCII characters and is parsed before it replaces the old one: conda fails on
every command if it cannot read one of its configuration files.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin import HANDLER
from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.gateways import files, foreign_files
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.conda.content_trust import SIGNED_BY, signer_in
from conda_token_plugin.tokens.scope import pattern, without_secrets
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

DEFAULTS = "defaults"
"""conda's name for `default_channels` in the list `channels`."""
_DEFAULTS_LINE = f"  - {DEFAULTS} #!top"
HEAD = "# Written and removed by conda-token-plugin; nothing in here is secret.\n"
"""One line: every conda command reads it, and 100 characters cost 0.3 million instructions."""
NOT_WRITABLE = (
    f"{foreign_files.CHECK_FILE} Or choose another file that conda reads: CONDA_TOKEN_CONDARC, "
    "or CONDA_TOKEN_SYSTEM_CONDARC with --system."
)
_ASTRAL = 0x10000


def composed(tokens: Iterable[Token], *, signed_by: str = "", defaults: bool = False) -> str:
    """Return the drop-in for ``tokens``, or "" if it would have no entry.

    Args:
        tokens: The stored tokens.
        signed_by: Where conda finds the signatures of packages, if it is to verify them.
        defaults: Whether to add ``defaults`` to the channels, after those of the tokens. It is
            added only if a token sets default channels.

    Raises:
        BadInput: conda could not read the file.
    """
    held = tuple(tokens)
    channels = [f"{line} #!top" for line in _entries(t.channels for t in held)]
    if defaults and any(t.default_channels for t in held):
        channels.append(_DEFAULTS_LINE)
    sections = (
        ("channel_settings:", [_setting(name) for name in _names(held)]),
        ("channels:", channels),
        ("default_channels: #!final", _entries(t.default_channels for t in held)),
    )
    body = [line for head, lines in sections if lines for line in (head, *lines)]
    if body and signed_by:
        body += ["extra_safety_checks: true", f"{SIGNED_BY}: {_quoted(signed_by)}"]
    return HEAD + "\n".join(body) + "\n" if body else ""


def refuse_unreadable(url: str) -> None:
    """Raise if conda could not read a configuration that names ``url``.

    Every request of conda fails if a channel setting has a host or a port that ``urllib`` refuses,
    such as an incomplete IPv6 address or the port 99999 (``conda.common.url.urlparse``, conda 24.11
    to 26.7). conda requests a whole IPv6 address without its brackets.

    Raises:
        BadInput: It could not.
    """
    authority = url.partition("://")[2].partition("/")[0]
    if "[" in authority or "]" in authority:
        raise BadInput(
            f"conda cannot read a configuration with the IPv6 address in {without_secrets(url)}.",
            hint="Use a host name. For this machine: localhost.",
        )
    try:
        _ = urlsplit(url if "://" in url else f"//{url}").port
        url.encode()
    except ValueError:  # a bad host or port; an unpaired surrogate cannot be written to a file
        raise BadInput(
            f"conda cannot read a configuration with the URL {without_secrets(url)!a}.",
            hint="Check its host, its port and its characters.",
        ) from None


def _names(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield the globs of all prefixes.

    Each entry takes every conda command 1 million instructions to read, and each new URL a
    comparison of 1 µs (conda 26.7.1). A prefix that neither the service nor a site chose may be
    a channel itself. It is also written without ``/*``, because conda chooses the handler for
    shards that are stored beside their index by the URL of the channel (conda 26.7.1).
    """
    owners = [(prefix, token.kind) for token in tokens for prefix in token.scope]
    chosen = (TokenKind.INDIVIDUAL, TokenKind.API_KEY)
    given = {prefix for prefix, kind in owners if kind not in chosen}
    for prefix in sorted({prefix for prefix, _ in owners}):
        refuse_unreadable(prefix)
        yield pattern(prefix)
        if prefix in given:
            yield pattern(prefix).removesuffix("/*")


def planned(
    path: Path,
    *,
    tokens: Iterable[Token],
    signed_by: str | None = None,
    defaults: bool | None = None,
) -> str:
    """Return what ``write`` would write, or "" if it would delete the drop-in.

    Raises:
        BadInput: conda could not read the file.
        ConfigurationError: The present drop-in cannot be read.
    """
    before = content(path)
    signed_by = signer_in(before) if signed_by is None else signed_by
    defaults = _DEFAULTS_LINE in before if defaults is None else defaults
    return composed(tokens, signed_by=signed_by, defaults=defaults)


def write(
    path: Path,
    *,
    tokens: Iterable[Token],
    signed_by: str | None = None,
    defaults: bool | None = None,
) -> bool:
    """Write the drop-in for ``tokens``; return whether it changed.

    The parameters are those of ``composed``. None keeps the present value.

    Raises:
        BadInput: conda could not read the file. The old one is unchanged.
        ConfigurationError: The file or its folder cannot be written, or it is not a regular file.
    """
    with foreign_files.writing(path, hint=NOT_WRITABLE):
        foreign_files.refuse_special(path)
        text = planned(path, tokens=tokens, signed_by=signed_by, defaults=defaults)
        if text == content(path):
            return False
        if text:
            _check(path, text)
            path.parent.mkdir(parents=True, exist_ok=True)
            # The temporary name does not end in .yml, so that no conda process reads the file.
            files.replace(path, text.encode("ascii"), mode=0o644)
        else:
            path.unlink(missing_ok=True)
            _drop_empty_folders(path)
    return True


def content(path: Path) -> str:
    """Return the text of the drop-in; "" if it is missing, and if it is not a regular file.

    Raises:
        ConfigurationError: It cannot be read, or is too large.
    """
    return (foreign_files.read_any(path) or b"").decode("utf-8", "replace")


def check_writable(path: Path) -> None:
    """Check that the drop-in can be written. Leave nothing behind.

    Raises:
        ConfigurationError: It cannot be written, or it is not a regular file.
    """
    from tempfile import TemporaryFile

    try:
        with foreign_files.writing(path, hint=NOT_WRITABLE):
            foreign_files.refuse_special(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=path.parent):
                pass
    finally:
        _drop_empty_folders(path)


def _drop_empty_folders(path: Path) -> None:
    """Remove ``condarc.d`` and ``~/.conda`` if they are empty."""
    with suppress(OSError):  # not empty, or missing
        path.parent.rmdir()
        path.parent.parent.rmdir()


def _setting(name: str) -> str:
    return f"  - {{channel: {_quoted(name)}, auth: {HANDLER}}} #!bottom"


def _entries(channels: Iterable[tuple[str, ...]]) -> list[str]:
    urls = dict.fromkeys(url for some in channels for url in some)
    for url in urls:
        refuse_unreadable(url)
    # conda replaces $HOME and ${HOME} in a configuration by the variable (24.11 and 26.7.1).
    return [f"  - {_quoted(url.replace('$', '%24'))}" for url in urls]


def _quoted(text: str) -> str:
    """Return a YAML string in ASCII, because conda reads the file in the encoding of the locale.

    JSON writes a character above U+FFFF as two escapes, which YAML reads as two characters.
    """
    return "".join(
        json.dumps(character)[1:-1] if ord(character) < _ASTRAL else f"\\U{ord(character):08x}"
        for character in text
    ).join('""')


def _check(path: Path, text: str) -> None:
    """Read ``text`` back with a YAML parser.

    Raises:
        ConfigurationError: It is not what was meant.
    """
    content = condarcs.parsed(text.encode("ascii"))
    lists = ("channel_settings", "channels", "default_channels")
    lines = sum(line.startswith("  - ") for line in text.split("\n"))
    is_valid = isinstance(content, dict) and lines == sum(
        len(content.get(one, ())) for one in lists
    )
    if not is_valid:
        raise ConfigurationError(
            path,
            reason="was not written, because conda could not read it",
            hint="Check the channels of the tokens: conda token list",
        )
