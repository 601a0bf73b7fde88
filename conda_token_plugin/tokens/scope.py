"""Which channel URLs a token belongs to. Pure.

A *prefix* is a normalised URL without a trailing slash: ``https://host[:port]/path``.
A token's scope is a tuple of prefixes; it covers a URL when one of them is the URL itself
or ends where a path segment of the URL ends. The longest prefix wins.

What is refused rather than guessed at (no token is sent): any scheme but https,
http but to this machine, dot segments (``..;`` is one for Java's servers), backslashes,
control characters, encoded slashes,
and a URL that carries credentials of its own (``user:password@`` or ``/t/<token>/``):
whoever wrote it wants those sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Container

DEFAULT_PORTS = {"https": 443, "http": 80}
SHARED_CHANNELS = ("main", "r", "msys2")
"""Channels of the repository that any organization's token opens
(https://repo.anaconda.cloud/repo/main and its like)."""
ARCHIVE_CHANNELS = ("free", "mro-archive", "pro")

# Patterns are compiled where one is met, which is rare: the first request waits for this module.
_TOKEN_SEGMENT = r"/t/[^/]+(?=/|$)"  # noqa: S105  # a pattern
"""How conda itself finds a token in a URL (conda.common.url.split_anaconda_token)."""
_LOOPBACK = r"localhost|127(\.[0-9]{1,3}){3}|::1"
_ESCAPE = r"%([0-9A-Fa-f]{2})"
_ODD_CHARACTERS = frozenset({"\\", "\x7f", *map(chr, range(0x21))})
_ODD_PARTS = ("%2f", "%5c", "%00", "/./", "/../", "/.;", "/..;")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalised(url: str) -> str:
    """Reduce ``url`` to the prefix form: no query, default port or final slash.

    Raises:
        MalformedURL: no token may ever be sent there.
    """
    prefix, fault = _judged(url)
    if fault:
        from conda_token_plugin.errors.input import MalformedURL

        raise MalformedURL(without_secrets(url), fault)
    return prefix


def channel_of(url: str) -> str:
    """The folder of ``url``: where a package or an index lies, as a cache key.

    A last segment that may lead out of the folder (``%2e%2e``, ``..%2fother``) is part of it:
    whoever looks at the folder has to see that.
    """
    folder, _, name = url.rpartition("/")
    doubtful = "%" in name or ".." in name or "\\" in name
    return url if doubtful else folder


def longest_prefix(url: str, *, among: Container[str]) -> str | None:
    """The longest of the normalised prefixes ``among`` that covers ``url``, or None.

    Costs one look-up a path segment, however many prefixes there are.
    A URL that no token may be sent to is covered by none.
    """
    rest, fault = _judged(url)
    if fault:
        return None
    floor = rest.index("://") + 3
    while True:
        if rest in among:
            return rest
        cut = rest.rfind("/", floor)
        if cut == -1:
            return None
        rest = rest[:cut]


def segment(name: str) -> str:
    """``name``, of an organization or a user, as one segment of an address.

    Raises:
        BadInput: nothing can be called that.
    """
    from urllib.parse import quote

    from conda_token_plugin.errors import TO_BE_VEILED
    from conda_token_plugin.errors.input import BadInput

    odd = name in {"", ".", ".."} or "/" in name or not name.isprintable()
    if odd or re.fullmatch(TO_BE_VEILED, name):  # a log of requests is no place for a token
        raise BadInput(f"No organization is called {name!r}.", hint="Run: conda token whoami")
    return quote(name, safe="")


def organization_prefix(repository: str, organization: str) -> str:
    """``<repository>/<organization>``: the part of the repository that is the organization's.

    Raises:
        BadInput: no organization can have this name.
    """
    return normalised(f"{repository.rstrip('/')}/{segment(organization)}")


def shared_prefixes(repository: str) -> tuple[str, ...]:
    """The shared channels of ``repository``, as prefixes."""
    return tuple(normalised(f"{repository.rstrip('/')}/{name}") for name in SHARED_CHANNELS)


def pattern(prefix: str) -> str:
    """The glob by which conda's ``channel_settings`` names everything below ``prefix``.

    A glob and not the exact URL, because with an exact URL
    conda asks for the shards index without auth (run on 26.7.1).
    """
    return re.sub(r"([\[*?])", r"[\1]", prefix) + "/*"


def without_secrets(url: str) -> str:
    """``url`` without user, password, ``/t/…/`` and query: fit to be shown."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    path = re.sub(_TOKEN_SEGMENT, "", f"{slash}{path}")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{path}"


def _judged(url: str) -> tuple[str, str]:
    """The prefix form of ``url``, and what forbids that a token is sent there."""
    if "\n" in url or "\t" in url or "\r" in url:  # urlsplit takes them out, requests escapes them
        return "", "it has a line break or a tab"
    try:
        parts = urlsplit(url)
        host, port = _host(parts)
    except ValueError:
        return "", "it cannot be read"
    path = _unescaped(parts.path).rstrip("/")
    fault = _fault(parts, host, path)
    if fault:
        return "", fault
    host = host if host.isascii() else _ascii(host)
    if not host:
        return "", "its host is no valid name"
    return f"{parts.scheme}://{_authority(parts.scheme, host, port)}{path}", ""


def _host(parts: SplitResult) -> tuple[str, int | None]:
    """Host and port; most are plain, and need not be taken apart.

    Raises:
        ValueError: the port is no number, or none that there is.
    """
    plain = parts.netloc
    if plain.islower() and not ("@" in plain or ":" in plain or "[" in plain):
        return plain, None
    return parts.hostname or "", parts.port


def _fault(parts: SplitResult, host: str, path: str) -> str:
    if parts.scheme not in DEFAULT_PORTS:
        return "it does not begin with https://"
    if not host:
        return "it names no host"
    if parts.scheme == "http" and not re.fullmatch(_LOOPBACK, host):
        return "it is not encrypted"
    if "@" in parts.netloc or ("/t/" in path and re.search(_TOKEN_SEGMENT, path)):
        return "it carries credentials of its own"
    if _odd(parts.netloc + path):
        return "its path has a dot segment, a blank, a backslash or an encoded slash"
    return ""


def _odd(text: str) -> bool:
    """Whether servers and proxies may read ``text`` otherwise than it looks."""
    # Most have nothing that any odd one has, and each request waits for this.
    if text.isprintable() and not (" " in text or "\\" in text or "%" in text or "/." in text):
        return False
    lower = f"{text}/".lower()
    return not _ODD_CHARACTERS.isdisjoint(text) or any(part in lower for part in _ODD_PARTS)


def _authority(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (None, DEFAULT_PORTS[scheme]) else f"{shown}:{port}"


def _ascii(host: str) -> str:
    """The name on the wire, or "" where there is none.

    By the rules of requests, as Python's own make ``faß`` ``fass``.
    """
    from idna import IDNAError, encode  # it comes with requests

    try:
        return encode(host, uts46=True).decode()
    except IDNAError:  # a label that is empty, too long or not allowed in a name
        return ""


def _unescaped(path: str) -> str:
    """``path`` with the escapes of unreserved characters undone, as requests sends it."""
    if "%" not in path:
        return path

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return re.sub(_ESCAPE, plain, path)
