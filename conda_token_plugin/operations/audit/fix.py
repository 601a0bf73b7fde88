"""Taking tokens out of files, where nothing is lost by it.

| file    | in a URL                                       | elsewhere                     |
|---------|------------------------------------------------|-------------------------------|
| record  | the URL without it                             | left                          |
| history | the URL without it                             | ``REMOVED`` in its place      |
| setting | the URL without it, if the token is stored     | left: something may need it   |
| package | left: its checksum would be wrong              | left                          |

There is no backup: it would hold what was just taken out.
"""

from __future__ import annotations

from dataclasses import replace
from stat import S_IMODE
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.operations.audit.patterns import hits
from conda_token_plugin.operations.audit.places import PlaceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from conda_token_plugin.operations.audit.scan import AuditFinding

REMOVED = "REMOVED"


def replacement(finding: AuditFinding) -> str | None:
    """What can stand in the place of what was found; None: it is left."""
    if finding.inside:
        return None
    clean = finding.hit.clean
    if finding.kind is PlaceKind.HISTORY:
        return REMOVED if clean is None else clean
    if finding.kind is PlaceKind.SETTING and not finding.owner:
        return None
    return clean


def advice(finding: AuditFinding) -> str:
    """What to do about what is left."""
    if finding.inside:
        return "build the package anew without it, and withdraw this one"
    if finding.kind is PlaceKind.SETTING and finding.hit.clean is not None:
        return f"bring it into the store first: conda token import {finding.path} --clean"
    return "take it out by hand"


def fix(path: Path, found: Iterable[AuditFinding]) -> None:
    """Rewrite one file, in which ``found`` was found.

    Raises:
        ConfigurationError: it must not be touched, or cannot be written.
    """
    before = foreign_files.content(path) or b""
    after = _rewritten(before.decode("latin-1"), {one.hit.value: one for one in found})
    mode = S_IMODE(path.stat().st_mode)
    foreign_files.replace(path, after=after.encode("latin-1"), before=before, mode=mode)


def _rewritten(text: str, found: Mapping[str, AuditFinding]) -> str:
    """``text`` as it is now: it may be another one than when it was looked through."""
    pieces, at = [], 0
    for hit in hits(text, known=[value for value, one in found.items() if one.owner]):
        one = found.get(hit.value)
        instead = None if one is None else replacement(replace(one, hit=hit))
        if instead is not None:
            pieces += [text[at : hit.start], instead]
            at = hit.end
    return "".join((*pieces, text[at:]))
