"""The repository: channels below `/repo/`, for requests with a valid credential.

Requests for packages of the `private` channels are redirected, as to a content delivery network: to
the other host name of this server, with a signed path. If a client sends an `Authorization` header
there, it has sent it to another host, and the record shows that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from conda_token_plugin.sandbox.http.messages import Refused, Response, Route, problem, redirect
from conda_token_plugin.sandbox.repository.admission import admit
from conda_token_plugin.sandbox.repository.channels import CHANNELS, Access

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.repository.channels import Channel
    from conda_token_plugin.sandbox.world.world import World

PACKAGES = (".conda", ".tar.bz2")
SIGNATURE_LIFE = 300  # seconds
_TYPES = {".json": "application/json", ".zst": "application/zstd"}


class Repository:
    """Serves the channels."""

    def __init__(self, world: World, directory: Path) -> None:
        """Choose a key for the signatures of redirects.

        Args:
            world: The credentials are checked with it.
            directory: The folder in which the channels were built.
        """
        self._world = world
        self._directory = directory
        self._signing_key = secrets.token_bytes(32)

    def routes(self) -> list[Route]:
        """Return the routes of the repository."""
        return [
            Route("GET", r"(?:/t/(?P<token>[^/]+))?/repo/(?P<path>.+)", self.fetch),
            Route("GET", r"/signed/(?P<until>\d+)/(?P<signature>\w+)/(?P<path>.+)", self.deliver),
        ]

    def fetch(self, request: Request, token: str | None, path: str) -> Response:
        """`GET [/t/<token>]/repo/<channel>/<file>`."""
        path = unquote(path)
        channel = _channel(path)
        is_package = path.endswith(PACKAGES)
        access = channel.packages if is_package else channel.index
        admit(self._world, request, in_path=token or "", org=channel.org, access=access)
        if is_package and channel.redirects:
            return redirect(self._elsewhere(request, path))
        return _file(request, self._directory / path, public=access is Access.PUBLIC)

    def deliver(self, request: Request, until: str, signature: str, path: str) -> Response:
        """`GET /signed/<until>/<signature>/<channel>/<file>`: no token needed."""
        path = unquote(path)
        if not hmac.compare_digest(signature.encode(), self._sign(until, path).encode()):
            return problem(403, "the signature is not good", "signature_bad")
        if int(until) <= self._world.clock.now().timestamp():
            return problem(403, "the signature has expired", "signature_expired")
        return _file(request, self._directory / path, public=False)

    def _elsewhere(self, request: Request, path: str) -> str:
        meant = urlsplit(request.base)
        other = "127.0.0.1" if meant.hostname == "localhost" else "localhost"
        until = str(int(self._world.clock.now().timestamp()) + SIGNATURE_LIFE)
        signed = f"/signed/{until}/{self._sign(until, path)}/{path}"
        return f"{meant.scheme}://{other}:{meant.port}{signed}"

    def _sign(self, until: str, path: str) -> str:
        return hmac.new(self._signing_key, f"{until}/{path}".encode(), hashlib.sha256).hexdigest()


def _channel(path: str) -> Channel:
    inside = PurePosixPath(path)
    if ".." not in inside.parts:
        for channel in CHANNELS:
            if inside.is_relative_to(channel.path):
                return channel
    raise Refused(problem(404, "no such channel", "not_found"))


def _file(request: Request, file: Path, *, public: bool) -> Response:
    """Return the file, a part of it, or 304 if the client has it already (RFC 9110).

    Clients may keep a copy but must revalidate it each time, so that an expired token is noticed at
    the next request.
    """
    if not file.is_file():
        return problem(404, f"no such file: {file.name}", "not_found")
    data = file.read_bytes()
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    validity = f"{'public' if public else 'private'}, no-cache"
    common = (("ETag", etag), ("Cache-Control", validity))
    if etag in request.header("If-None-Match"):
        return Response(304, headers=common)
    headers = (*common, ("Content-Type", _TYPES.get(file.suffix, "application/octet-stream")))
    wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.header("Range"))
    if wanted is None:  # or another form, which a server may ignore (section 14.2)
        return Response(200, data, headers)
    first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
    part = ("Content-Range", f"bytes {first}-{last}/{len(data)}")
    return Response(206, data[first : last + 1], (*headers, part))
