"""Remove tokens from files where nothing is lost by it.

| file       | in a URL                                   | elsewhere                     |
|------------|--------------------------------------------|-------------------------------|
| record     | removed from the URL                       | kept                          |
| history    | removed from the URL                       | replaced by ``REMOVED``       |
| setting    | removed from the URL if the token is stored| kept: something may need it   |
| credential | kept: another tool reads it                | kept                          |
| package    | kept: its checksum would be wrong          | kept                          |

There is no backup, because it would contain what was just removed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.operations.audit.patterns import LOGIN_IN_URL, hits
from conda_token_plugin.operations.audit.places import PlaceKind
from conda_token_plugin.operations.audit.scan import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from conda_token_plugin.operations.audit.scan import AuditFinding

REMOVED = "REMOVED"


def replacement(finding: AuditFinding) -> str | None:
    """Return the text that replaces a finding, or None if it must be kept."""
    if finding.inside or finding.kind is PlaceKind.CREDENTIAL:
        return None
    clean = finding.hit.clean
    if finding.kind is PlaceKind.HISTORY:
        return REMOVED if clean is None else clean
    if finding.kind is PlaceKind.SETTING and not finding.owner:
        return None
    return clean


def advice(finding: AuditFinding) -> str:
    """Return what the user can do about a finding."""
    if replacement(finding) is not None:
        return "to remove it, run: conda token audit --fix"
    if finding.inside:
        return "rebuild the package without it, and withdraw this one"
    clean = finding.hit.clean
    if finding.kind is PlaceKind.SETTING and clean is not None and _is_importable(finding, clean):
        return (
            "to store it, or to remove it if the server rejects it, run: "
            f"conda token import {printable(str(finding.path))} --clean"
        )
    if finding.kind is PlaceKind.CREDENTIAL:
        return (
            "another tool reads it there; to move it to the store, run: conda token import --clean"
        )
    return "remove it manually"


def _is_importable(finding: AuditFinding, clean: str) -> bool:
    """Return whether ``import`` can store it: no login to another protocol, or without ``https://``."""
    return finding.rule != LOGIN_IN_URL or clean.lower().startswith("http")


def fix(path: Path, found: Iterable[AuditFinding]) -> None:
    """Remove ``found`` from one file.

    Raises:
        ConfigurationError: The file must not be changed, or cannot be written.
    """
    before = foreign_files.read_owned(path) or b""
    after = _rewritten(before.decode("latin-1"), {one.hit.value: one for one in found})
    foreign_files.replace(path, after=after.encode("latin-1"), before=before, keep_mode=True)


def _rewritten(text: str, found: Mapping[str, AuditFinding]) -> str:
    """Return ``text``, which may have changed since it was searched, without the findings."""
    pieces, at = [], 0
    for hit in hits(text, known=[value for value, one in found.items() if one.owner]):
        one = found.get(hit.value)
        instead = None if one is None else replacement(replace(one, hit=hit))
        if instead is not None:
            pieces += [text[at : hit.start], instead]
            at = hit.end
    return "".join((*pieces, text[at:]))
