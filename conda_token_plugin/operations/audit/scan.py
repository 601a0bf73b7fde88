"""Search files. A finding says where, which rule and whose token; it never shows the value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.gateways import files, foreign_files
from conda_token_plugin.operations.audit.packages import Unreadable, metadata
from conda_token_plugin.operations.audit.patterns import LOGIN_IN_URL, hits
from conda_token_plugin.operations.audit.places import PlaceKind
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from conda_token_plugin.operations.audit.patterns import Hit
    from conda_token_plugin.operations.audit.places import AuditPlace

MAX_BYTES = 24 * 1024 * 1024
"""Maximum size of a file that is searched. Bytes and text together stay below 64 MiB."""
MAX_FINDINGS = 10_000
"""Findings in one file or package, which take up to 10 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One value at one place.

    Attributes:
        inside: The name of the file within a package; empty for other files.
        owner: The organization of a stored token, or "login"; empty for an unknown token.
    """

    path: Path
    inside: str
    kind: PlaceKind
    line: int
    rule: str
    owner: str
    last_four: str
    hit: Hit = field(repr=False)

    @property
    def where(self) -> str:
        """Return ``PATH:LINE``."""
        inside = f"!{self.inside}" if self.inside else ""
        return printable(f"{self.path}{inside}:{self.line}")


def printable(text: str) -> str:
    """Return ``text`` with the parts of a file name that are not UTF-8 escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def findings(
    places: Iterable[AuditPlace], *, known: Mapping[str, str], fault: Callable[[str], None]
) -> Iterator[AuditFinding]:
    """Yield everything that is found in ``places``.

    ``known`` maps values to their owners. ``fault`` is called once for each file that cannot be
    searched completely.
    """
    for place in places:
        yield from _in_place(place, known=known, fault=fault)


def _in_place(
    place: AuditPlace, *, known: Mapping[str, str], fault: Callable[[str], None]
) -> Iterator[AuditFinding]:
    left = MAX_FINDINGS
    try:
        for inside, data in _contents(place):
            found = hits(data.decode("latin-1"), known=known, limit=left + 1)
            yield from _located(place, inside, data, found[:left], known=known)
            left -= len(found)
            if left < 0:
                more = f"has more than {MAX_FINDINGS} findings; the rest is not shown"
                fault(printable(f"{place.path} {more}."))
                return
    except OSError as error:  # not permitted, or deleted meanwhile
        fault(printable(f"{place.path} cannot be read: {error.strerror}."))
    except Unreadable as error:
        fault(printable(f"{place.path} {error}."))


def _contents(place: AuditPlace) -> Iterator[tuple[str, bytes]]:
    """Yield contents, which are decoded as Latin-1 so that positions are the same in both."""
    if not foreign_files.is_file(place.path):  # a FIFO would block
        raise Unreadable("is not a regular file, and was not searched")
    if place.kind is PlaceKind.PACKAGE:
        yield from metadata(place.path)
        return
    data = files.read(place.path, limit=MAX_BYTES)  # of /proc/kmsg: an error
    if len(data) > MAX_BYTES:
        raise Unreadable("is too large, and was not searched")
    yield "", data


def _located(
    place: AuditPlace, inside: str, data: bytes, found: Iterable[Hit], *, known: Mapping[str, str]
) -> Iterator[AuditFinding]:
    line, at = 1, 0
    for hit in found:
        line, at = line + data.count(b"\n", at, hit.start), hit.start
        yield AuditFinding(
            path=place.path,
            inside=inside,
            kind=place.kind,
            line=line,
            rule=hit.rule,
            owner=known.get(hit.value, ""),
            last_four="" if hit.rule == LOGIN_IN_URL else _last_four(hit.value),
            hit=hit,
        )


def _last_four(value: str) -> str:
    try:
        return Secret(value).last_four
    except MalformedToken:  # a password that cannot be sent
        return ""
