"""Files over HTTP, with validators and ranges (RFC 9110), which conda and rattler use."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Answer, problem

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox.http.messages import Request

_TYPES = {".json": "application/json", ".zst": "application/zstd"}


def serve(request: Request, file: Path, *, public: bool) -> Answer:
    """Return the file, a part of it, or 304 if the client has it already.

    Clients may keep a copy but must revalidate it each time, so that an expired token is noticed at
    the next request.
    """
    if not file.is_file():
        return problem(404, f"no such file: {file.name}", "not_found")
    data = file.read_bytes()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    common = (
        ("ETag", etag),
        ("Cache-Control", f"{'public' if public else 'private'}, no-cache"),
        ("Accept-Ranges", "bytes"),
    )
    if etag in request.header("If-None-Match") or request.header("If-None-Match") == "*":
        return Answer(304, headers=common)
    headers = (*common, ("Content-Type", _TYPES.get(file.suffix, "application/octet-stream")))
    if request.header("If-Range") not in ("", etag):
        return Answer(200, data, headers)
    return _part(request.header("Range"), data, headers)


def _part(wanted: str, data: bytes, headers: tuple[tuple[str, str], ...]) -> Answer:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if match is None or wanted == "bytes=-":
        # No range, or several: RFC 9110, section 14.2 lets a server send it all.
        return Answer(200, data, headers)
    first, last = _bounds(*match.groups(), size=len(data))
    if first > last:
        return Answer(416, headers=(("Content-Range", f"bytes */{len(data)}"),))
    shown = ("Content-Range", f"bytes {first}-{last}/{len(data)}")
    return Answer(206, data[first : last + 1], (*headers, shown))


def _bounds(first: str, last: str, *, size: int) -> tuple[int, int]:
    if not first:  # a suffix: the last bytes of the file
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last or size), size - 1)
