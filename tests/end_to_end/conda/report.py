"""The table at the end of a test run: what conda sent, by operation and kind of channel."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conda_token_plugin.sandbox.http.messages import Recorded

BAD = 400
ROW = "row"
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
class Table:
    """The rows of one test. They are kept in its report, which a test process passes on."""

    properties: list[tuple[str, object]]

    def add(self, path: str, *, solver: str, channel: str, saw: str) -> None:
        """Add a row: an operation, a solver, a kind of channel, and what the server received."""
        self.properties.append((ROW, [path, solver, channel, saw]))


def lines_of(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the rows as sorted lines of text, without duplicates."""
    table = sorted({tuple(row) for row in rows})
    widths = [max(map(len, column)) for column in zip(*table, strict=True)][:3]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in table
    ]


def summary(requests: Iterable[Recorded], *, names: Mapping[str, str]) -> str:
    """Return the requests in one line: ``json: acme x2, .conda: acme, shard: nothing``.

    Args:
        requests: The requests that the server recorded.
        names: The organization of each token.
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
    """Return the kind of file that a path of the repository names."""
    return next((kind for pattern, kind in KINDS if re.search(pattern, path)), "other")


def credential(one: Recorded, *, names: Mapping[str, str]) -> str:
    """Return the organization of the token in a request and how it was sent, or ``nothing``."""
    scheme, _, value = one.authorization.partition(" ")
    if value:
        return names.get(value, f"a foreign {scheme}")
    in_path = re.match(r"/t/([^/]+)/", one.path)
    return f"{names.get(in_path[1], 'a foreign one')} in /t/" if in_path else "nothing"
