"""Logging in with the browser of this machine: authorization code with PKCE.

RFC 6749 section 4.1, RFC 7636, and RFC 8252 for the redirect: a free port on 127.0.0.1,
which the service must allow for, as it does for any port (7.3).
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from conda_token_plugin.service.login.oauth import OAuthRefused, access_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.gateways.http.client import Http
    from conda_token_plugin.service.login.oauth import Endpoints
    from conda_token_plugin.tokens.secret import Secret

LOOPBACK = "127.0.0.1"
CALLBACK = "/auth/oidc"
"""The path that the public client is registered with (anaconda-auth 0.15.3, ``redirect_uri``)."""
VERIFIER = 64
"""Characters of the PKCE verifier; 43 to 128 are allowed (RFC 7636, 4.1)."""
WAIT = 300.0
"""Seconds for the user to log in."""
DONE = b"""<!doctype html><meta charset=utf-8><title>conda token</title>
<p>That is all that was needed here. You can close this page and go back to the terminal."""


class BrowserLogin:
    """One login in a browser."""

    def __init__(self, http: Http, endpoints: Endpoints, *, client_id: str) -> None:
        """Do no I/O."""
        from oauthlib.oauth2 import WebApplicationClient

        self._http = http
        self._endpoints = endpoints
        self._client = WebApplicationClient(client_id)
        self._state = secrets.token_urlsafe(32)

    def access_token(self, *, visit: Callable[[str], None], wait: float = WAIT) -> Secret:
        """Have the user ``visit`` the service, and wait for the browser to come back.

        Raises:
            LoginAbandoned: denied, or nobody came back within ``wait`` seconds.
            ServiceError: the service could not be used.
        """
        verifier = self._client.create_code_verifier(VERIFIER)
        with self._waiting() as (port, outcomes):
            back = f"http://{LOOPBACK}:{port}{CALLBACK}"
            visit(self._address(back, verifier=verifier))
            code = _code_in(outcomes, wait=wait)
        try:
            return self._redeem(code, back=back, verifier=verifier)
        except OAuthRefused as error:  # the code was used before, or came too late
            raise error.abandoned from None

    def _address(self, back: str, *, verifier: str) -> str:
        challenge = self._client.create_code_challenge(verifier, "S256")
        secure, restore = _as_https(self._endpoints.authorization)
        address: str = self._client.prepare_request_uri(
            secure,
            redirect_uri=back,
            scope=["openid"],
            state=self._state,
            code_challenge=challenge,
            code_challenge_method="S256",
        )
        return restore(address)

    def _redeem(self, code: str, *, back: str, verifier: str) -> Secret:
        body = self._client.prepare_request_body(
            code=code, redirect_uri=back, code_verifier=verifier
        )
        return access_token(self._http, self._endpoints.token, client=self._client, body=body)

    @contextmanager
    def _waiting(self) -> Iterator[tuple[int, Queue[Outcome]]]:
        """A server for the browser to come back to: its port, and what came."""
        outcomes: Queue[Outcome] = Queue()
        server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
        server.daemon_threads = True  # a browser keeps spare connections open
        server.answer = lambda path: self._came_back(path, outcomes)  # type: ignore[attr-defined]  # ours
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_port, outcomes
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _came_back(self, path: str, outcomes: Queue[Outcome]) -> bool:
        """Whether ``path`` ends the login; a request that is not from it does not."""
        from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

        if path.partition("?")[0] != CALLBACK:
            return False
        try:
            found: dict[str, Any] = self._client.parse_request_uri_response(
                f"https://{LOOPBACK}{path}", state=self._state
            )
        except MismatchingStateError:  # an older tab, or a page that tries its luck
            return False
        except OAuth2Error as error:  # denied, or refused
            outcomes.put(OAuthRefused(str(error.error)))
        else:
            outcomes.put(str(found["code"]))
        return True


Outcome = str | OAuthRefused
"""The authorization code, or why there is none."""


def _code_in(outcomes: Queue[Outcome], *, wait: float) -> str:
    try:
        outcome = outcomes.get(timeout=wait)
    except Empty:  # the user went away
        raise OAuthRefused("expired_token").abandoned from None
    if isinstance(outcome, OAuthRefused):
        raise outcome.abandoned
    return outcome


def _as_https(address: str) -> tuple[str, Callable[[str], str]]:
    """``address`` as https, and the way back.

    oauthlib takes http for no host at all; ``oauth.discover`` has let it pass to this machine only.
    """
    if not address.startswith("http://"):
        return address, str
    return f"https://{address[7:]}", lambda secure: f"http://{secure[8:]}"


class _Handler(BaseHTTPRequestHandler):
    """Answers the browser with a page that says as little as possible."""

    timeout = 10
    """Seconds that a connection may say nothing."""

    def do_GET(self) -> None:
        """Take what the browser brings."""
        done = self.server.answer(self.path)  # type: ignore[attr-defined]  # ours
        self.send_response(200 if done else 404)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(DONE) if done else 0)),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(DONE if done else b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base
        """Say nothing: the path holds the code."""
