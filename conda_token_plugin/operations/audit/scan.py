"""Going through files, and what was found in each: a place, a rule, whose it is; never a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.operations.audit.packages import Unreadable, metadata
from conda_token_plugin.operations.audit.patterns import hits
from conda_token_plugin.operations.audit.places import PlaceKind
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from conda_token_plugin.operations.audit.patterns import Hit
    from conda_token_plugin.operations.audit.places import AuditPlace

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is looked at; a larger one is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One value at one place."""

    path: Path
    inside: str
    """The file within a package; empty elsewhere."""
    kind: PlaceKind
    line: int
    rule: str
    owner: str
    """The organization of a stored token, or "login"; empty where it is not known here."""
    last_four: str
    hit: Hit = field(repr=False)

    @property
    def where(self) -> str:
        """``PATH:LINE``."""
        inside = f"!{self.inside}" if self.inside else ""
        return f"{self.path}{inside}:{self.line}"


def findings(
    places: Iterable[AuditPlace], *, known: Mapping[str, str], fault: Callable[[str], None]
) -> Iterator[AuditFinding]:
    """Everything in ``places``; ``known`` are values with their owners.

    ``fault`` is told what could not be looked at.
    """
    for place in places:
        yield from _in_place(place, known=known, fault=fault)


def _in_place(
    place: AuditPlace, *, known: Mapping[str, str], fault: Callable[[str], None]
) -> Iterator[AuditFinding]:
    try:
        for inside, data in _contents(place):
            yield from _in_text(place, inside, data.decode("latin-1"), known=known)
    except OSError as error:  # not permitted, or gone by now
        fault(f"{place.path} cannot be read: {error.strerror}.")
    except Unreadable as error:
        fault(f"{place.path} {error}.")


def _contents(place: AuditPlace) -> Iterator[tuple[str, bytes]]:
    """Bytes are read as Latin-1, so that positions are the same in both."""
    if place.kind is PlaceKind.PACKAGE:
        yield from metadata(place.path)
        return
    with place.path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Unreadable("is too large and was not looked into")
    yield "", data


def _in_text(
    place: AuditPlace, inside: str, text: str, *, known: Mapping[str, str]
) -> Iterator[AuditFinding]:
    line, at = 1, 0
    for hit in hits(text, known=known):
        line, at = line + text.count("\n", at, hit.start), hit.start
        yield AuditFinding(
            path=place.path,
            inside=inside,
            kind=place.kind,
            line=line,
            rule=hit.rule,
            owner=known.get(hit.value, ""),
            last_four=_last_four(hit.value),
            hit=hit,
        )


def _last_four(value: str) -> str:
    try:
        return Secret(value).last_four
    except MalformedToken:  # a password with blanks
        return ""
