"""A certificate authority, and the certificates that it signs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority, and the folder for its files."""

    folder: Path
    _issuer: trustme.CA = field(default_factory=trustme.CA, repr=False)

    @property
    def file(self) -> Path:
        """The path of its certificate."""
        path = self.folder / "authority.pem"
        self._issuer.cert_pem.write_to_path(str(path))
        return path

    def server(self, *names: str) -> ssl.SSLContext:
        """Return the TLS context of a server with these names; by default those of this machine.

        A test sets its ``verify_mode`` to require a certificate of a client.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._issuer.issue_cert(*(names or HERE)).configure_cert(context)
        self._issuer.configure_trust(context)
        return context

    def pair(self, *names: str) -> tuple[Path, Path]:
        """Write a certificate for these names and its private key; return their paths."""
        issued = self._issuer.issue_cert(*names)
        certificate, key = self.folder / f"{names[0]}.pem", self.folder / f"{names[0]}.key"
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key
