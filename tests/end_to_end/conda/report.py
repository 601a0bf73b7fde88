"""The table of the test report: a row a path of conda and kind of channel, with what was sent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conda_token_plugin.sandbox.http.recorder import Recorded

BAD = 400
KINDS = (
    (r"/notices\.json$", "notices"),
    (r"/signed/.*$", "redirected package"),
    (r"/repodata_shards\.msgpack\.zst$", "shard index"),
    (r"/[0-9a-f]{64}\.msgpack\.zst$", "shard"),
    (r"\.json\.zst$", "zst"),
    (r"\.json$", "json"),
    (r"\.conda$", ".conda"),
    (r"\.tar\.bz2$", ".tar.bz2"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the table: a path, a solver, a kind of channel, and what the server saw."""

    path: str
    solver: str
    channel: str
    saw: str


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a test session."""

    rows: set[Row] = field(default_factory=set)

    def add(self, path: str, *, solver: str, channel: str, saw: str) -> None:
        """Write down a row."""
        self.rows.add(Row(path, solver, channel, saw))

    def lines(self) -> list[str]:
        """The table as text, sorted."""
        rows = sorted(((r.path, r.solver, r.channel, r.saw) for r in self.rows), key=str)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:3]
        return [
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
            )
            for row in rows
        ]


def summary(requests: Iterable[Recorded], *, names: Mapping[str, str]) -> str:
    """``json: acme x2, .conda: acme, redirected package: nothing``.

    ``names`` gives each token its organization's name.
    """
    seen = Counter(
        (kind_of(one.path), credential(one, names=names), one.status) for one in requests
    )
    return ", ".join(
        f"{kind}: {sent}" + (f" x{times}" if times > 1 else "") + (f" → {status}" if bad else "")
        for (kind, sent, status), times in seen.items()
        for bad in (status >= BAD,)
    )


def kind_of(path: str) -> str:
    """What a path of the repository is asked for."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, path)), "other")


def credential(one: Recorded, *, names: Mapping[str, str]) -> str:
    """Whose token came, and how; ``nothing`` if none did."""
    scheme, _, value = one.authorization.partition(" ")
    if value:
        return names.get(value, f"a foreign {scheme}")
    in_path = re.match(r"/t/([^/]+)/", one.path)
    return f"{names.get(in_path[1], 'a foreign one')} in /t/" if in_path else "nothing"
