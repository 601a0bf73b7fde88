"""How anything the store writes is wrapped, so that damage shows. Pure.

The first line is JSON and says what follows, in which version, and its checksum::

    {"format":"conda-token-plugin index","version":1,"sha256":"…"}

The checksum covers kind, version and all bytes after the first line. Content is genuine when
wrapping it again gives the same first line, byte for byte: one flipped bit, a lost or an added
byte anywhere is refused. Later versions keep the first line's form and change the rest,
so that "newer" and "damaged" are never taken for one another.

A secret is wrapped with the name it was stored under, which keeps a vault that gives out
the wrong entry from sending a token to another's channels.
"""

from __future__ import annotations

import json
from hashlib import sha256

from conda_token_plugin.tokens.secret import Secret, fault_of

VERSION = 1
SECRET = "secret"  # noqa: S105  # a kind of file
_BEGINNING, _BEFORE_VERSION = b'{"format":"conda-token-plugin ', b'","version":'
_LONGEST_VERSION = 9
"""Digits."""


class EnvelopeRefused(Exception):
    """The bytes are not what was written. The store turns it into one of its errors."""

    def __init__(self, fault: str) -> None:
        """``fault`` says how it shows, without a byte of the content."""
        super().__init__(fault)
        self.fault = fault


class Newer(EnvelopeRefused):
    """The bytes are what was written, by a later version."""

    def __init__(self, version: int) -> None:
        """``version`` is the one they claim."""
        super().__init__(f"it has format version {version}")
        self.version = version


def wrapped(kind: str, body: bytes, *, version: int = VERSION) -> bytes:
    """``body`` behind its first line."""
    return _head(kind, body, version=version) + body


def unwrapped(kind: str, data: bytes) -> bytes:
    """The body that ``wrapped`` was given. Raises as ``body_of``."""
    return data[body_of(kind, data) :]


def body_of(kind: str, data: bytes) -> int:
    """Where in ``data`` the body begins that ``wrapped`` was given: a large one is not copied.

    Raises:
        Refused: these are not the bytes that ``wrapped`` returned.
        Newer: they are, and the version is a later one.
    """
    if not data:
        raise EnvelopeRefused("it is empty")
    begins = data.find(b"\n") + 1
    head, body = data[:begins], memoryview(data)[begins:]
    version = _version(head)
    if head != _head(kind, body, version=version) or version < 1:
        raise EnvelopeRefused("its checksum does not fit its content")
    if version > VERSION:
        raise Newer(version)
    return begins


def sealed(name: str, secret: Secret) -> bytes:
    """``secret`` as it is put into a vault; ASCII, one line after the first."""
    return wrapped(SECRET, json.dumps({"name": name, "secret": secret.reveal()}).encode() + b"\n")


def unsealed(name: str, data: bytes) -> Secret:
    """Undo ``sealed``.

    Raises:
        Refused: these are not bytes that ``sealed`` returned, or it was another's secret.
    """
    body = unwrapped(SECRET, data)
    try:
        value = json.loads(body)
        found, secret = value["name"], value["secret"]
    except (KeyError, TypeError, ValueError, RecursionError):  # a writer that is not this plugin
        raise EnvelopeRefused("it holds no secret") from None
    if not isinstance(secret, str) or fault_of(secret):
        raise EnvelopeRefused("it holds no secret")
    if found != name:
        raise EnvelopeRefused("it holds the secret of something else")
    return Secret(secret)


def _version(head: bytes) -> int:
    digits = head.partition(_BEFORE_VERSION)[2].partition(b",")[0]
    if not (head.startswith(_BEGINNING) and digits.isdigit() and len(digits) <= _LONGEST_VERSION):
        raise EnvelopeRefused("its first line is not one of this plugin's")
    return int(digits)


def _head(kind: str, body: bytes | memoryview, *, version: int) -> bytes:
    digest = sha256(f"{kind} {version}\n".encode())
    digest.update(body)
    return (
        f'{{"format":"conda-token-plugin {kind}","version":{version},'
        f'"sha256":"{digest.hexdigest()}"}}\n'
    ).encode()
