"""Which URLs a token may be sent to. Pure.

A *prefix* is a normalised URL without a trailing slash: ``https://host[:port]/path``. Its path is
percent-encoded as conda and requests send it, so that each channel has one prefix.
A token's scope is a tuple of prefixes. A prefix covers a URL if it is the URL itself
or ends where a path segment of the URL ends. The longest prefix has precedence.

No token is sent to a URL of any other scheme than https (http to this machine is allowed), or with
an IPv6 address, dot segments (``..;`` is one for Java servers), backslashes, control characters,
encoded slashes or credentials (``user:password@`` or ``/t/<token>/``).
"""

from __future__ import annotations

import re
from string import ascii_letters, digits
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Container

DEFAULT_PORTS = {"https": 443, "http": 80}
SUBDIRS = (
    *("noarch", "linux-64", "linux-aarch64", "linux-ppc64le", "linux-s390x", "linux-32"),
    *("linux-armv7l", "linux-armv6l", "linux-riscv64", "osx-64", "osx-arm64"),
    *("win-64", "win-arm64", "win-32", "freebsd-64", "emscripten-wasm32", "wasi-wasm32"),
    "zos-z",
)
"""The subdirs of a channel (``conda.base.constants.KNOWN_SUBDIRS``, conda 26.7)."""

# Patterns are text and compiled when they are first needed, because a request rarely needs them.
_TOKEN_SEGMENT = r"/(?:t|%74)/[^/]+(?=/|$)"  # noqa: S105  # a pattern
"""A token in a URL, as conda finds it (conda.common.url.split_anaconda_token)."""
_BEFORE_TOKEN = r"[a-z]+://[^/?#]*(/(?!t/)[^?#]*?)/t/[^/?#]+(?=[/?#]|$)"  # noqa: S105  # a pattern
_LOGIN = r"(?<![^/])[^/:@]+:(?!//|[0-9]+(?:/|$))(?:[^/]*|[^@]*)@"
"""``user:password@`` at the beginning of a segment: there conda has that of a URL without a scheme.
A port is not a password."""
_LOOPBACK = r"localhost|127(\.[0-9]{1,3}){3}"
_HOST = r"[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63})*\.?(?::[0-9]+)?"
_NO_HOST = "its host is not a valid name"
_CHANGED = r";[^/]*$|%(?:3F|23|0[9AD]|25[0-9A-Fa-f]{2})"
"""conda cuts a channel at such a semicolon; 26.7.1 undoes escapes first, and twice (``%2541``)."""
_ESCAPE = r"%([0-9A-Fa-f]{2})?"
_FILE = r"\.(?:json|jlap|conda|bz2|zst|msgpack)$"
_AMBIGUOUS_CHARACTERS = frozenset({"\\", "\x7f", *map(chr, range(0x21))})
_AMBIGUOUS_PARTS = ("%2f", "%5c", "%00", "/./", "/../", "/.;", "/..;")
_PLAIN = frozenset(f"{ascii_letters}{digits}-._~!$&'()*+,;=:@")
"""Characters of a path that a prefix contains unescaped. requests sends their escapes as they are,
conda undoes them (26.7.1: ``a%2Bb`` is requested as ``a+b``)."""
_ESCAPED = str.maketrans({c: f"%{ord(c):02X}" for c in '"<>[]^`{|}'})
"""ASCII characters that conda escapes in a path (24.11 and 26.7.1)."""


def normalised(url: str) -> str:
    """Return the prefix form of ``url``: without query, default port and final slash.

    Slashes at the beginning of the path are reduced to one, as conda does.

    Raises:
        MalformedURL: conda cannot read the URL, or no token may be sent there.
    """
    prefix, fault = prefix_and_fault(url)
    fault = fault or _fault_of_channel(prefix)
    if fault:
        from conda_token_plugin.errors.input import MalformedURL

        raise MalformedURL(without_secrets(url), fault)
    scheme, _, rest = prefix.partition("://")
    host, slash, path = rest.partition("/")
    path = path.lstrip("/")
    return f"{scheme}://{host}{slash if path else ''}{path}"


def folder_of(url: str) -> str:
    """Return the folder of ``url``, as a cache key.

    If the last segment could escape the folder (``%2e%2e``, ``..%2fother``), the whole URL is the
    key, so that the scope check sees it.
    """
    folder, _, name = url.rpartition("/")
    doubtful = "%" in name or ".." in name or "\\" in name
    return url if doubtful else folder


def channel_of(url: str) -> str:
    """Return the channel that ``url`` belongs to: the part before the subdir.

    In a URL without a subdir, only the name of a file (``notices.json``) is removed.
    """
    parts = url.rstrip("/").split("/")
    start = 3 if "://" in url else 1
    for place in range(len(parts) - 1, start - 1, -1):
        if parts[place] in SUBDIRS:
            return "/".join(parts[:place])
    named = len(parts) > start and re.search(_FILE, parts[-1])
    return "/".join(parts[:-1] if named else parts)


def longest_prefix(url: str, *, among: Container[str]) -> str | None:
    """Return the longest of the normalised prefixes ``among`` that covers ``url``, or None.

    Takes one look-up per path segment. No prefix covers a URL that no token may be sent to.
    """
    rest, fault = prefix_and_fault(url)
    if fault:
        return None
    while rest not in among:
        rest, slash, _ = rest.rpartition("/")
        if not slash:
            return None
    return rest


def pattern(prefix: str) -> str:
    """Return the glob by which conda's ``channel_settings`` names everything below ``prefix``.

    A glob and not the exact URL, because with an exact URL conda requests the shards index
    without auth (conda 26.7.1). conda matches the URL with its escapes undone (26.7.1) or as it
    was typed (24.11), so what may be escaped is a wildcard; the handler then checks the URL itself.
    """
    host, slash, path = prefix.partition("://")[2].partition("/")
    path = re.sub(r"(?:%[0-9A-F]{2}|[^\w.~/-])+", "*", path)
    return f"{prefix.partition('://')[0]}://{host}{slash}{path}/*"


def without_secrets(url: str) -> str:
    """Return ``url`` without query, ``/t/…/`` and ``user:password@``, for messages."""
    before, at, after = without_credentials(url).rpartition("@")
    return f"{re.sub(_LOGIN, '', before + at)}{after}"  # no login ends after the last "@"


def without_credentials(url: str) -> str:
    """Return the channel at ``url``: without user, password, ``/t/…/`` and query."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority, slash, path = re.split(r"[?#]", rest)[0].partition("/")
    path = re.sub(_TOKEN_SEGMENT, "", f"{slash}{path}")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{path}"


def path_before_token(url: str) -> str:
    """Return the path before ``/t/<token>`` in ``url``; empty if it comes first, or not at all."""
    found = re.match(_BEFORE_TOKEN, url, re.IGNORECASE)
    return _encoded(found[1]) if found else ""


def prefix_and_fault(url: str) -> tuple[str, str]:
    """Return the prefix form of ``url``, and why no token may be sent there; one is empty."""
    if "\n" in url or "\t" in url or "\r" in url:  # urlsplit removes them, requests escapes them
        return "", "it has a line break or a tab"
    try:
        parts = urlsplit(url)
        host, port = _host(parts)
        path = _encoded(parts.path).rstrip("/")
    except ValueError:  # an incomplete IPv6 address, a bad port, or an unpaired surrogate
        return "", "it is not a valid URL"
    fault = _fault(parts, host, path)
    if fault:
        return "", fault
    host = host if host.isascii() else _ascii(host)
    if not host:
        return "", _NO_HOST
    return f"{parts.scheme}://{_authority(parts.scheme, host, port)}{path}", ""


def _fault_of_channel(prefix: str) -> str:
    """Return why no channel can have ``prefix``, which a request may have; "" if one can."""
    if prefix != without_secrets(prefix):
        return "it contains credentials"
    if changed := re.search(_CHANGED, prefix):
        return f"conda requests another channel, because of {changed[0]}"
    host = prefix.partition("://")[2].partition("/")[0]
    return "" if re.fullmatch(_HOST, host) else _NO_HOST


def _host(parts: SplitResult) -> tuple[str, int | None]:
    """Return host and port; most hosts need no parsing.

    Raises:
        ValueError: the port is not a valid port number.
    """
    plain = parts.netloc
    if plain.islower() and not ("@" in plain or ":" in plain):
        return plain, None
    return parts.hostname or "", parts.port


def _fault(parts: SplitResult, host: str, path: str) -> str:  # noqa: PLR0911  # a list of rules
    if parts.scheme not in DEFAULT_PORTS:
        return "it does not begin with https://"
    if not host:
        return "it names no host"
    if "[" in parts.netloc:
        return "it has an IPv6 address, which conda cannot read; use a host name"
    if parts.scheme == "http" and not re.fullmatch(_LOOPBACK, host):
        return "it is not encrypted"
    if "@" in parts.netloc or "/t/" in path:
        return "it contains credentials"
    if not _is_ambiguous(parts.netloc + path):
        return ""
    if " " in path:
        return "it contains a space; write it as %20"
    return "it has a dot segment, a backslash, a control character or an encoded slash"


def _is_ambiguous(text: str) -> bool:
    """Return whether servers and proxies may interpret ``text`` in different ways."""
    # A quick test first, because each request waits for this and most URLs pass it.
    if text.isprintable() and not (" " in text or "\\" in text or "%" in text or "/." in text):
        return False
    lower = f"{text}/".lower()
    return not _AMBIGUOUS_CHARACTERS.isdisjoint(text) or any(
        part in lower for part in _AMBIGUOUS_PARTS
    )


def _authority(scheme: str, host: str, port: int | None) -> str:
    return host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"


def _ascii(host: str) -> str:
    """Return the name that is sent for ``host``, or "" if it is not a valid name.

    Encoded by the rules of requests; those of Python's own codec make ``faß`` ``fass``.
    """
    from idna import IDNAError, encode  # installed with requests

    try:
        return encode(host, uts46=True).decode()
    except IDNAError:  # a label is empty, too long or not allowed in a name
        return ""


def _encoded(path: str) -> str:
    """Return ``path`` with the characters of ``_PLAIN`` unescaped, and others escaped.

    What ``_fault`` reports is unchanged: a space, a backslash, a control character.

    Raises:
        ValueError: it has an unpaired surrogate, or an escape that is not UTF-8, which conda
            replaces by another (24.11 and 26.7.1).
    """
    path = path.translate(_ESCAPED)
    if not path.isascii():
        path = "".join(c if c.isascii() else quote(c) for c in path)
    if "%" not in path:
        return path
    unquote(path, errors="strict")

    def plain(match: re.Match[str]) -> str:
        if match[1] is None:  # not the beginning of an escape
            return "%25"
        character = chr(int(match[1], 16))
        return character if character in _PLAIN else match[0].upper()

    return re.sub(_ESCAPE, plain, path)
