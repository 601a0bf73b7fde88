"""The envelope around everything that the store writes, so that damage is detected. Pure.

An envelope is one JSON document::

    {"format":"conda-token-plugin index","version":1,"sha256":"…","content":…}

The checksum covers the kind, the version and the bytes of the content. A document is accepted
only if writing its content again gives the same bytes before and after it: one flipped bit and
one lost or added byte are refused. Later versions keep the members and their order, so that a
newer document is never reported as damaged, nor the reverse.

A secret is stored with the name that it belongs to, so that a vault that returns the wrong entry
cannot send one organization's token to the channels of another.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from conda_token_plugin.tokens.secret import Password, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
SECRET = "secret"  # noqa: S105  # the kind of a document
_BEGINNING, _BEFORE_VERSION, _BEFORE_CONTENT = (
    b'{"format":"conda-token-plugin ',
    b'","version":',
    b',"content":',
)
_END = b"}\n"
_MAX_VERSION_DIGITS = 9
_MAX_HEAD = 200
"""Bytes before the content, at most."""


class EnvelopeRefused(Exception):
    """The bytes are not what was written. The store turns this into one of its errors."""

    def __init__(self, fault: str, *, newer: int | None = None) -> None:
        """Take what is wrong, without any of the content, and the version if that is newer."""
        super().__init__(fault)
        self.fault = fault
        self.newer = newer


def wrapped(kind: str, content: object, *, version: int = VERSION) -> bytes:
    """Return the document that contains ``content``; it is ASCII."""
    return framed(kind, json.dumps(content, separators=(",", ":")).encode(), version=version)


def framed(kind: str, content: bytes, *, version: int = VERSION) -> bytes:
    """Return the document that contains ``content``, which is JSON already."""
    digest = sha256(f"{kind} {version}\n".encode())
    digest.update(content)
    head = (
        f'{{"format":"conda-token-plugin {kind}","version":{version},'
        f'"sha256":"{digest.hexdigest()}","content":'
    )
    return head.encode() + content + _END


def unwrapped(kind: str, data: bytes, *, newest: int = VERSION) -> Any:
    """Return the content that ``wrapped`` was given.

    Args:
        kind: The kind of document.
        data: The document.
        newest: The newest version that the caller can read.

    Raises:
        EnvelopeRefused: ``data`` is not a document of this kind, or its version is newer.
    """
    if not data:
        raise EnvelopeRefused("it is empty")
    version, content = version_of(data), data.partition(_BEFORE_CONTENT)[2][: -len(_END)]
    if version < 1 or data != framed(kind, content, version=version):
        raise EnvelopeRefused("its checksum does not match its content")
    if version > newest:
        raise EnvelopeRefused(f"it has format version {version}", newer=version)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # written by another program
        raise EnvelopeRefused("its content is not JSON") from None


def sealed(name: str, secret: Secret) -> bytes:
    """Return the document to put into a vault for the secret of ``name``; ASCII."""
    kind = {"password": True} if isinstance(secret, Password) else {}
    return wrapped(SECRET, {"name": name, "secret": secret.reveal(), **kind})


def unsealed(name: str, data: bytes) -> Secret:
    """Return the secret of ``name`` that ``sealed`` was given.

    Raises:
        EnvelopeRefused: ``data`` is damaged, or contains the secret of another name.
    """
    content = unwrapped(SECRET, data)
    secret = content.get("secret") if isinstance(content, dict) else None
    kind = Password if secret is not None and content.get("password") else Secret
    if not isinstance(secret, str) or kind.fault_of(secret):
        raise EnvelopeRefused("it contains no secret")
    if content.get("name") != name:
        raise EnvelopeRefused("it contains the secret of another entry")
    return kind(secret)


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn a refusal into an error that names the file.

    Raises:
        StoreCorrupt, StoreNewer: In place of EnvelopeRefused.
    """
    try:
        yield
    except EnvelopeRefused as refused:
        from conda_token_plugin.errors.store import StoreCorrupt, StoreNewer

        if refused.newer is not None:
            raise StoreNewer(path, version=refused.newer) from None
        raise StoreCorrupt(path, fault=refused.fault) from None


def version_of(data: bytes) -> int:
    """Return the version of a document, which is not checked.

    Raises:
        EnvelopeRefused: ``data`` does not begin as a document does.
    """
    digits = data[:_MAX_HEAD].partition(_BEFORE_VERSION)[2].partition(b",")[0]
    known = data.startswith(_BEGINNING) and digits.isdigit()
    if not known or len(digits) > _MAX_VERSION_DIGITS:
        raise EnvelopeRefused("it was not written by this plugin")
    return int(digits)
