"""Check a channel: request each file that conda may request, and one package.

Requests are those of conda: GET, and redirects are followed. Only the beginning is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.service import ServiceError
from conda_token_plugin.gateways.http.client import Http
from conda_token_plugin.service.repository import BEGINNING, package_in
from conda_token_plugin.tokens.authorization import address, header

if TYPE_CHECKING:
    from conda_token_plugin.gateways.http.response import HttpResponse
    from conda_token_plugin.store.lookup import Lookup

REPODATA, PACKAGE = "repodata", "package"
INDEXES = {
    REPODATA: "repodata.json",
    "zst": "repodata.json.zst",
    "shards": "repodata_shards.msgpack.zst",
}
NEEDED = (REPODATA, PACKAGE)
"""Files that conda needs. The others are other formats of the repodata."""
ABSENT = (404, 410)


class FileResult(Enum):
    """The result of requesting one file."""

    WORKS = "works"
    ABSENT = "absent"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not requested"
    """The channel is a folder or a store of another kind (``file``, ``s3``, ``oci``)."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """The result of requesting one file, with details where they help."""

    result: FileResult
    details: str = ""

    @property
    def word(self) -> str:
        """The result for a table."""
        return f"{self.result.value} ({self.details})" if self.details else self.result.value


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """The results for one channel."""

    url: str
    """The URL of the channel's subdir, without secrets."""
    parts: dict[str, FileReport]

    @property
    def works(self) -> bool:
        """Whether conda can use the channel: its repodata and, if it lists one, a package.

        True also for a channel that is not requested.
        """
        found = [self.parts[name].result for name in NEEDED]
        if found[0] is FileResult.NOT_SENT:
            return True
        return found[0] is FileResult.WORKS and found[1] in {FileResult.WORKS, FileResult.UNKNOWN}


class Sender(Protocol):
    """Sends the requests."""

    def get(self, url: str, *, max_bytes: int) -> HttpResponse:
        """Return the response to a GET of the first ``max_bytes`` bytes.

        Raises:
            ServiceError: There was no response.
        """


def check_channel(subdir: str, *, shown: str, sender: Sender) -> ChannelReport:
    """Request the files of a channel, if it is one that tokens are sent to.

    ``subdir`` is the URL of one of its subdirs, and ``shown`` the same URL without secrets.
    """
    if not subdir.startswith(("https://", "http://")):
        report = FileReport(FileResult.NOT_SENT, "no token is sent there")
        return ChannelReport(shown, dict.fromkeys((*INDEXES, PACKAGE), report))
    parts: dict[str, FileReport] = {}
    beginning = b""
    for name, file in INDEXES.items():
        parts[name], body = _requested(f"{subdir}/{file}", sender=sender, max_bytes=BEGINNING)
        beginning = body if name == REPODATA else beginning
    package = package_in(beginning, index=f"{subdir}/{INDEXES[REPODATA]}")
    parts[PACKAGE] = (
        _requested(package, sender=sender, max_bytes=1)[0]
        if package
        else FileReport(FileResult.UNKNOWN, "none is listed")
    )
    return ChannelReport(shown, parts)


def _requested(url: str, *, sender: Sender, max_bytes: int) -> tuple[FileReport, bytes]:
    try:
        response = sender.get(url, max_bytes=max_bytes)
    except ServiceError as error:  # no response, HTTP 5xx, or HTTP 429
        return FileReport(FileResult.FAILED, error.what), b""
    if response.refused:
        return FileReport(FileResult.REFUSED, f"HTTP {response.status}"), b""
    if response.status in ABSENT:
        return FileReport(FileResult.ABSENT), b""
    if not response.ok or response.is_page:
        return FileReport(FileResult.FAILED, response.description), b""
    return FileReport(FileResult.WORKS), response.body


class DirectSender:
    """Sends requests as the auth handler does, where conda is not installed."""

    def __init__(self, lookup: Lookup) -> None:
        """Do no I/O. ``lookup`` finds the token for a URL."""
        self._lookup = lookup
        self._http = Http(outcome="")

    def get(self, url: str, *, max_bytes: int) -> HttpResponse:
        """Send a GET with the token that covers ``url``."""
        found = self._lookup.find(url)
        secret = found.secret() if found else None
        return self._http.send(
            "GET",
            address(url, token=found.token, secret=secret) if found and secret else url,
            authorization=header(found.token, secret=secret) if found and secret else None,
            headers={"Range": f"bytes=0-{max_bytes - 1}"},
            follow=True,
            within=found.token.scope if found else (),
            max_bytes=max_bytes,
        )
