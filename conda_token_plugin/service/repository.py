"""Does the repository take a token? Tried where it will be used.

Repodata may be public while packages are not, so a package is the proof: two requests,
GET of the index's beginning to learn one package's name, and HEAD of that package.
Channels are tried before anything else in a token's scope, and of the repository's shared
channels the first: an organization's part of the repository is no channel itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from conda_token_plugin.errors.service import NoChannel, ServiceNonsense, TokenRefused
from conda_token_plugin.gateways.http.client import Http
from conda_token_plugin.tokens.authorization import address, header
from conda_token_plugin.tokens.scope import SHARED_CHANNELS, longest_prefix, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.gateways.http.answer import HttpResponse
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

INDEX = "noarch/repodata.json"
"""conda asks every channel for this subdir, whatever the platform."""
BEGINNING = 64 * 1024
"""Bytes of the index that are read: enough for a name, however large the channel is."""
REFUSALS = (401, 403)
NOT_FOUND, NO_HEAD = 404, (405, 501)
STORED = "It is stored all the same."

_PACKAGE = re.compile(rb'"([\w.+!~-]+-[\w.+!~]+-[\w.+!~]+\.(?:conda|tar\.bz2))"\s*:\s*\{', re.ASCII)
"""NAME-VERSION-BUILD; the dashes tell a package from the key "packages.conda" above it."""
_BASE = re.compile(rb'"base_url"\s*:\s*"([^"\\\x00-\x20]+)"')
"""Where the packages are, if not beside the index (conda's CEP 15)."""


class Proof(NamedTuple):
    """What the repository let the token have."""

    url: str
    what: Literal["package", "repodata"]
    public: bool
    """Whether anybody may have it: then it proves nothing. Asked for repodata only."""


def prove(
    prefixes: Iterable[str],
    *,
    token: Token,
    secret: Secret,
    outcome: str = STORED,
    patience: Timeouts | None = None,
) -> Proof:
    """Try ``token`` on the first of ``prefixes`` that is a channel.

    ``outcome`` ends the message of a failure: what becomes of the token.

    Raises:
        TokenRefused: it is not taken. NoChannel: there is nothing to try it on.
        ServiceError: no answer, or one that makes no sense.
    """
    trial = _Trial(token, secret=secret, outcome=outcome, patience=patience)
    candidates = sorted(prefixes, key=lambda prefix: _rank(prefix, token=token))
    for prefix in candidates:
        proof = trial.of_channel(prefix)
        if proof is not None:
            return proof
    raise NoChannel(", ".join(candidates) or "Nothing", outcome=outcome)


def _rank(prefix: str, *, token: Token) -> int:
    """Known channels first, then a shared channel, then what may be a channel or not."""
    if prefix in token.channels:
        return 0
    name = prefix.rpartition("/")[2]
    return 1 + SHARED_CHANNELS.index(name) if name in SHARED_CHANNELS else 1 + len(SHARED_CHANNELS)


class _Trial:
    """One token, tried on one channel after another."""

    def __init__(
        self, token: Token, *, secret: Secret, outcome: str, patience: Timeouts | None
    ) -> None:
        self._token = token
        self._secret = secret
        self._outcome = outcome
        self._http = Http(patience=patience, outcome=outcome)

    def of_channel(self, prefix: str) -> Proof | None:
        """The proof that ``prefix`` gives; None when it is no channel."""
        index = f"{prefix}/{INDEX}"
        beginning = self._get(index)
        if beginning.status == NOT_FOUND:
            return None
        self._judge(beginning)
        package = package_in(beginning.body, index=index)
        if package is None or not longest_prefix(package, among={prefix}):
            return Proof(index, "repodata", self._is_public(index))
        self._judge(self._try(package))
        return Proof(without_secrets(package), "package", public=False)

    def _get(self, url: str) -> HttpResponse:
        return self._send("GET", url, limit=BEGINNING, follow=True)

    def _try(self, package: str) -> HttpResponse:
        """Ask for ``package``; only where that says nothing, for a byte of it.

        A redirect to the package is an answer: to storage that must not see the token,
        and that often takes GET only.
        """
        answer = self._send("HEAD", package, limit=0)
        if answer.status in NO_HEAD or (answer.elsewhere and not _leads_to(answer)):
            return self._send("GET", package, limit=1, follow=True)
        return answer

    def _send(self, method: str, url: str, *, limit: int, follow: bool = False) -> HttpResponse:
        return self._http.send(
            method,
            address(url, token=self._token, secret=self._secret),
            authorization=header(self._token, secret=self._secret),
            headers={"Range": f"bytes=0-{limit - 1}"} if limit else {},
            follow=follow,
            within=self._token.scope,
            at_most=limit,
        )

    def _is_public(self, url: str) -> bool:
        answer = self._http.send("HEAD", url, follow=True, at_most=0)
        return answer.ok and not answer.is_page

    def _judge(self, answer: HttpResponse) -> None:
        """Let pass what shows that the token was taken; a login page does not."""
        if answer.status in REFUSALS:
            raise TokenRefused(
                answer.url,
                status=answer.status,
                last_four=self._secret.last_four,
                outcome=self._outcome,
            )
        if not _leads_to(answer) and (not answer.ok or answer.is_page):
            raise ServiceNonsense(answer.url, got=answer.nature)


def _leads_to(answer: HttpResponse) -> bool:
    """Whether ``answer`` is a redirect to what was asked for, and not to a login page.

    A store names its objects by their path, or tells the browser under which ``filename``
    to save them; a login page takes the address as a parameter, too, to return to.
    """
    there = urlsplit(answer.elsewhere)
    name = answer.url.rpartition("/")[2]
    saved_as = "filename" in there.query and name in unquote(there.query)
    return bool(there.path) and (there.path.endswith(f"/{name}") or saved_as)


def package_in(beginning: bytes, *, index: str) -> str | None:
    """The address of a package that the ``beginning`` of the repodata at ``index`` lists."""
    name, base = _PACKAGE.search(beginning), _BASE.search(beginning)
    if name is None:
        return None
    try:
        folder = urljoin(index, base[1].decode("utf-8", "replace")) if base else index
    except ValueError:  # packages are where no address is
        return None
    folder = folder if folder.endswith("/") or not base else f"{folder}/"
    package: str = urljoin(folder, name[1].decode("ascii"))
    return package
