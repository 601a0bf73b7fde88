"""Requests that show whether a channel server accepts a token.

Repodata may be public while packages are not, so the probe asks for a package: GET of the beginning
of the repodata for the name of one package, then HEAD of that package. Which channels are
requested, and what the result means for a token, is in ``operations.verify_token``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from conda_token_plugin.errors.service import (
    ResponseLost,
    ServiceFault,
    TokenRefused,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Http
from conda_token_plugin.tokens.authorization import address, asked_for, header
from conda_token_plugin.tokens.display import named
from conda_token_plugin.tokens.scope import longest_prefix, without_secrets

if TYPE_CHECKING:
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.gateways.http.response import HttpResponse
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

INDEX = "noarch/repodata.json"
"""conda requests this subdir of every channel, on every platform."""
BEGINNING = 64 * 1024
"""Bytes of the repodata that are read. They contain a package name in any channel."""
NOT_FOUND = 404

_PACKAGE = re.compile(rb'"([\w.+!~-]+-[\w.+!~]+-[\w.+!~]+\.(?:conda|tar\.bz2))"\s*:\s*\{', re.ASCII)
"""NAME-VERSION-BUILD. The dashes distinguish a package from the key "packages.conda"."""
_BASE = re.compile(rb'"base_url"\s*:\s*"([^"\\\x00-\x20]+)"')
"""Where the packages are, if not beside the index (conda's CEP 15)."""
_REPODATA = re.compile(rb'\s*\{.*"packages(?:\.conda)?"\s*:\s*\{', re.DOTALL)
"""The beginning of any repodata.json: an object that contains an object of packages."""

INCOMPLETE = "The channel is incomplete. Tell its owner, or store the token with --no-validate."
STORAGE_REFUSED = "Try again; if it fails again, tell the administrator of the channel."
NO_REPODATA = "Check the channel URL, or store the token without verification: --no-validate."


class ChannelProof(NamedTuple):
    """What a channel returned to a request with the token."""

    url: str
    """Without secrets."""
    what: Literal["package", "repodata"]
    public: bool
    """Whether the same file is returned without a token. A package is only tested on request."""


class ChannelProbe:
    """Requests channels with one token."""

    def __init__(
        self,
        token: Token,
        *,
        secret: Secret,
        outcome: str = "",
        timeouts: Timeouts | None = None,
    ) -> None:
        """Do no I/O.

        Args:
            token: Says how the token is sent and where it may go.
            secret: The token itself.
            outcome: A sentence for the end of an error message, for example "It was not stored.".
            timeouts: Of each request.
        """
        self._token = token
        self._secret = secret
        self._outcome = outcome
        self._http = Http(timeouts=timeouts, outcome=outcome)

    def channel(self, prefix: str, *, test_public: bool = False) -> ChannelProof | None:
        """Request a package of the channel ``prefix``, or its index if it lists no package.

        With ``test_public``, the package is also requested without the token.

        Returns:
            The proof, or None if there is no channel at ``prefix`` (HTTP 404).

        Raises:
            TokenRefused: The response to a request with the token was 401 or 403.
            ServiceError: There was no response, or it is not that of a channel.
        """
        index = f"{prefix}/{INDEX}"
        beginning = self._get(index)
        if beginning.status == NOT_FOUND:
            return None
        self._check(beginning, prefix=prefix)
        package = package_in(beginning.body, index=index)
        if package is None and not _REPODATA.match(beginning.body):
            raise UnexpectedResponse(index, got="something that is not repodata", hint=NO_REPODATA)
        if package is None or not longest_prefix(package, among={prefix}):
            return ChannelProof(index, "repodata", self.is_public(index))
        self._check_package(self._answer(package), prefix=prefix)
        public = test_public and self.is_public(package)
        return ChannelProof(without_secrets(package), "package", public)

    def is_public(self, url: str) -> bool:
        """Return whether the server returns ``url`` without a token."""
        response = self._http.send("GET", url, headers=_range(1), follow=True, max_bytes=1)
        return response.ok and not response.is_page

    def _get(self, url: str) -> HttpResponse:
        return self._send("GET", url, limit=BEGINNING, follow=True)

    def _answer(self, url: str) -> HttpResponse:
        """Send HEAD for ``url``, and GET of one byte if that is refused.

        Some servers implement GET only, and storage signs one method. A redirect to the package is
        a result. It is not followed, because storage must not receive the token.
        """
        try:
            response = self._send("HEAD", url, limit=0)
        except (ServiceFault, ResponseLost):
            response = None
        if response is not None and (response.ok or _leads_to_package(response)):
            return response
        return self._send("GET", url, limit=1, follow=True)

    def _send(self, method: str, url: str, *, limit: int, follow: bool = False) -> HttpResponse:
        return self._http.send(
            method,
            address(url, token=self._token, secret=self._secret),
            authorization=header(self._token, secret=self._secret),
            headers=_range(limit),
            follow=follow,
            within=self._token.scope,
            max_bytes=limit,
        )

    def _check_package(self, response: HttpResponse, *, prefix: str) -> None:
        if response.status == NOT_FOUND:
            got = "HTTP 404 for a package that its index lists"
            raise UnexpectedResponse(response.url, got=got, hint=INCOMPLETE)
        self._check(response, prefix=prefix)

    def _check(self, response: HttpResponse, *, prefix: str) -> None:
        """Raise unless ``response`` shows that the token was accepted. A login page does not."""
        if response.refused:
            if not longest_prefix(response.url, among={prefix, *self._token.scope}):
                got = f"HTTP {response.status} to a redirected request, with which no token is sent"
                raise UnexpectedResponse(response.url, got=got, hint=STORAGE_REFUSED)
            raise TokenRefused(
                response.url,
                status=response.status,
                token=named(self._token._replace(last_four=self._secret.last_four)),
                outcome=self._outcome,
                asked=asked_for(response.headers.get("WWW-Authenticate", "")),
            )
        if not _leads_to_package(response) and (not response.ok or response.is_page):
            hint = "" if response.is_page or response.redirect_target else NO_REPODATA
            raise UnexpectedResponse(response.url, got=response.description, hint=hint)


def _range(limit: int) -> dict[str, str]:
    return {"Range": f"bytes=0-{limit - 1}"} if limit else {}


def _leads_to_package(response: HttpResponse) -> bool:
    """Return whether ``response`` redirects to the requested file, and not to a login page.

    Storage names its objects by their path, or names the file in the parameter ``filename``
    of the signed URL. A login page also contains the address, as the place to return to.
    """
    there = urlsplit(response.redirect_target)
    name = response.url.rpartition("/")[2]
    saved_as = "filename" in there.query and name in unquote(there.query)
    return bool(there.path) and (there.path.endswith(f"/{name}") or saved_as)


def package_in(beginning: bytes, *, index: str) -> str | None:
    """Return the URL of a package that the repodata at ``index`` lists, or None.

    ``beginning`` has the first bytes of the repodata.
    """
    name, base = _PACKAGE.search(beginning), _BASE.search(beginning)
    if name is None:
        return None
    try:
        folder = urljoin(index, base[1].decode("utf-8", "replace")) if base else index
    except ValueError:  # the base_url is not a URL
        return None
    folder = folder if folder.endswith("/") or not base else f"{folder}/"
    package: str = urljoin(folder, name[1].decode("ascii"))
    return package
