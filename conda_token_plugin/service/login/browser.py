"""Log in with the browser of this machine: authorization code with PKCE.

RFC 6749 section 4.1, RFC 7636, and RFC 8252 for the redirect to a free port on 127.0.0.1, which
the service must allow (7.3). Only this machine can connect to the server, which ignores requests
with another ``Host``, path or state, accepts one callback, and is closed afterwards.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Full, Queue
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
"""The registered path of the public client (anaconda-auth 0.15.3, ``redirect_uri``)."""
VERIFIER = 64
"""Number of characters of the PKCE verifier; 43 to 128 are allowed (RFC 7636, 4.1)."""
WAIT = 300.0
"""Seconds in which the user must log in."""
STYLE = """
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { margin: 20vh auto 0; max-width: 36rem; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 0.5rem; }
p { margin: 0; }
code { font-family: ui-monospace, monospace; }
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} - conda token</title>
<style>{style}</style>
<h1>{sign} {title}</h1>
<p>{text}</p>
</html>
"""
"""Without scripts and images. Its colours are those of the browser, light or dark."""
CONFIRMED = PAGE.format(
    sign="✓",
    title="Login confirmed",
    text="Close this page and go back to the terminal, which finishes the login.",
    style=STYLE,
)
NOT_CONFIRMED = PAGE.format(
    sign="✗",
    title="Login not confirmed",
    text="Nothing was changed. Close this page and go back to the terminal. "
    "To try again, run <code>conda token login --web</code>.",
    style=STYLE,
)
ANOTHER_LOGIN = PAGE.format(
    sign="✗",
    title="This page belongs to another login",
    text="It changed nothing. Close it, and use the page that was opened last.",
    style=STYLE,
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)
"""The Content-Security-Policy: nothing but the style of these pages is used."""


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
        """Return an access token for the user who logs in.

        Args:
            visit: Opens an address in the browser.
            wait: Seconds to wait for the callback.

        Raises:
            LoginIncomplete: The login was denied, or there was no callback within ``wait``.
            ServiceError: The service could not be used.
        """
        verifier = self._client.create_code_verifier(VERIFIER)
        with self._waiting() as (port, outcomes):
            back = f"http://{LOOPBACK}:{port}{CALLBACK}"
            visit(self._address(back, verifier=verifier))
            code = _code_in(outcomes, wait=wait)
        try:
            return self._redeem(code, back=back, verifier=verifier)
        except OAuthRefused as error:  # the code was used before, or has expired
            raise error.login_error from None

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
        """Run the callback server; yield its port and the queue for the outcome."""
        outcomes: Queue[Outcome] = Queue(maxsize=1)
        server = _Server(lambda path: self._page_for(path, outcomes=outcomes))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_port, outcomes
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _page_for(self, path: str, *, outcomes: Queue[Outcome]) -> tuple[int, str]:
        """Return the status and the page for a request; store the outcome of the callback."""
        from oauthlib.oauth2 import MismatchingStateError, OAuth2Error

        if path.partition("?")[0] != CALLBACK:
            return 404, ""
        try:
            found: dict[str, Any] = self._client.parse_request_uri_response(
                f"https://{LOOPBACK}{path}", state=self._state
            )
        except MismatchingStateError:  # the tab of an earlier login, or a page that guesses
            return 404, ANOTHER_LOGIN
        except OAuth2Error as error:  # denied, or refused
            outcome: Outcome = OAuthRefused(str(error.error))
        else:
            outcome = str(found["code"])
        try:
            outcomes.put_nowait(outcome)
        except Full:  # the first callback counts
            return 404, ANOTHER_LOGIN
        return 200, NOT_CONFIRMED if isinstance(outcome, OAuthRefused) else CONFIRMED


Outcome = str | OAuthRefused
"""The authorization code, or the reason why there is none."""


def _code_in(outcomes: Queue[Outcome], *, wait: float) -> str:
    try:
        outcome = outcomes.get(timeout=wait)
    except Empty:  # the user did not log in
        raise OAuthRefused("expired_token").login_error from None
    if isinstance(outcome, OAuthRefused):
        raise outcome.login_error
    return outcome


def _as_https(address: str) -> tuple[str, Callable[[str], str]]:
    """Return ``address`` with https, and a function that restores it.

    oauthlib refuses http for every host; ``oauth.discover`` allows it for this machine only.
    """
    if not address.startswith("http://"):
        return address, str
    return f"https://{address[7:]}", lambda secure: f"http://{secure[8:]}"


class _Server(ThreadingHTTPServer):
    """The callback server, which only this machine can connect to.

    It does not wait for the spare connections that a browser keeps open (``daemon_threads``).
    """

    allow_reuse_address = False  # on Windows, another process could take over the port

    def __init__(self, page_for: Callable[[str], tuple[int, str]]) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.page_for = page_for


class _Handler(BaseHTTPRequestHandler):
    """Answers with constant pages. Nothing of a request is shown."""

    server: _Server
    timeout = 10
    """Seconds after which a silent connection is closed."""

    def do_GET(self) -> None:
        """Answer a request of the browser."""
        # A page of another site that resolves its own name to 127.0.0.1 sends that name as Host.
        is_ours = self.headers.get("Host") == f"{LOOPBACK}:{self.server.server_port}"
        status, text = self.server.page_for(self.path) if is_ours else (404, "")
        body = text.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", POLICY),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base
        """Log nothing, because the path contains the code."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a malformed request without repeating any of it."""
        del message, explain
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
