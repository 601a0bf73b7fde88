"""The HTTP client: repetitions, redirects, errors, and what is shown of a request."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
import responses

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.service import (
    ResponseLost,
    ServiceBusy,
    ServiceFault,
    ServiceUnreachable,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Http, Timeouts
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.support.certificates import Authority

KEY = HeaderValue("Bearer thekey-thekey-thekey")
SHORT = Timeouts(connect=2.0, read=2.0, retries=1)
ODD = "https://service.invalid/api/odd"
TOKEN = "tokentoken"


@pytest.fixture
def http() -> Http:
    return Http(timeouts=SHORT)


def _shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


# -- what is sent ------------------------------------------------------------------------------


def test_netrc_does_not_replace_authorization(
    sandbox: Sandbox, http: Http, empty_home: Path
) -> None:
    netrc = empty_home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    http.send("GET", f"{sandbox.service}/api/account", authorization=KEY)
    http.send("GET", f"{sandbox.service}/api/account")
    sent = [request.authorization for request in sandbox.requests]
    assert sent == ["Bearer thekey-thekey-thekey", ""]


def test_netrc_is_ignored_on_a_redirect(sandbox: Sandbox, http: Http, empty_home: Path) -> None:
    netrc = empty_home / ".netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    sandbox.fail_next("/first", status=302, headers=(("Location", "/second"),))
    http.send("GET", f"{sandbox.service}/first", authorization=KEY, follow=True)
    sent = [request.authorization for request in sandbox.requests]
    assert sent == ["Bearer thekey-thekey-thekey"] * 2


def test_redirect_to_another_host_removes_authorization(sandbox: Sandbox, http: Http) -> None:
    other = sandbox.service.replace("127.0.0.1", "localhost")
    sandbox.fail_next("/first", status=302, headers=(("Location", f"{other}/second"),))
    http.send("GET", f"{sandbox.service}/first", authorization=KEY, follow=True)
    assert [(r.path, r.authorization != "") for r in sandbox.requests] == [
        ("/first", True),
        ("/second", False),
    ]


def test_redirect_is_not_followed_by_default(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/first", status=302, headers=(("Location", "/login"),))
    answer = http.send("GET", f"{sandbox.service}/first", authorization=KEY)
    assert answer.redirect_target == f"{sandbox.service}/login"
    assert [request.path for request in sandbox.requests] == ["/first"]


def test_proxy_of_the_environment_is_used(
    http: Http, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", sandbox.service)
    http.send("GET", "http://elsewhere.invalid/api/account")
    assert [request.host for request in sandbox.requests] == ["elsewhere.invalid"]


# -- what is repeated --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [502, 503, 504])
def test_read_is_repeated_when_a_gateway_fails(sandbox: Sandbox, http: Http, status: int) -> None:
    sandbox.fail_next("/api/account", status=status)
    assert http.send("GET", f"{sandbox.service}/api/account", authorization=KEY).status == 403
    assert [request.status for request in sandbox.requests] == [status, 403]


def test_read_is_repeated_when_the_connection_breaks(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/api/account", ending=Ending.RESET)
    assert http.send("GET", f"{sandbox.service}/api/account", authorization=KEY).status == 403
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    "fault", [{"status": 502}, {"ending": Ending.RESET}, {"ending": Ending.STALL}], ids=str
)
def test_write_that_was_sent_is_never_repeated(
    sandbox: Sandbox, http: Http, fault: dict[str, object]
) -> None:
    sandbox.fail_next("/api/account", times=5, **fault)
    with pytest.raises((ResponseLost, ServiceFault)):
        http.send("PUT", f"{sandbox.service}/api/account", authorization=KEY)
    assert len(sandbox.requests) == 1


def test_write_is_repeated_when_no_connection_was_made(
    sandbox: Sandbox, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refused = socket.socket.connect, list[object]()

    def refuse_once(self: socket.socket, address: tuple[str, int]) -> None:
        if not refused:
            refused.append(address)
            raise ConnectionRefusedError(111, "Connection refused")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse_once)
    assert http.send("PUT", f"{sandbox.service}/api/account").status == 405
    assert (len(refused), len(sandbox.requests)) == (1, 1)


def test_reads_share_a_connection_and_a_write_uses_a_new_one(
    sandbox: Sandbox, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, made = socket.socket.connect, list[object]()

    def count(self: socket.socket, address: tuple[str, int]) -> None:
        made.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", count)
    for method in ("GET", "GET", "PUT"):
        http.send(method, f"{sandbox.service}/api/account")
    assert len(made) == 2


# -- what goes wrong ---------------------------------------------------------------------------


def test_silent_server_is_given_up_after_the_read_limit(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/stall", times=9, ending=Ending.STALL)
    with pytest.raises(ResponseLost, match="no response within 2 seconds"):
        http.send("GET", f"{sandbox.service}/stall")


def test_reset_connection_raises_answer_lost(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/reset", times=9, ending=Ending.RESET)
    with pytest.raises(ResponseLost, match="it closed the connection"):
        http.send("GET", f"{sandbox.service}/reset")


def test_closed_port_is_unreachable_and_nothing_was_sent(http: Http) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceUnreachable, match="it refused the connection") as caught:
            http.send("PUT", url)
    assert not isinstance(caught.value, ResponseLost)
    assert "Nothing was changed" in str(caught.value)


def test_unknown_host_is_reported_as_no_such_host(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ServiceUnreachable, match="no such host") as caught:
        http.send("GET", "https://nowhere.invalid/api")
    assert not isinstance(caught.value, ResponseLost)


def test_connection_timeout_is_reported_as_no_connection(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", wait)
    with pytest.raises(ServiceUnreachable, match="no connection within 2 seconds") as caught:
        http.send("PUT", "http://127.0.0.1:9/api")
    assert not isinstance(caught.value, ResponseLost)


def test_untrusted_certificate_is_reported_with_the_setting(
    packages: Path, http: Http, authority: Authority
) -> None:
    from conda_token_plugin.sandbox import Sandbox

    with (
        Sandbox.start(packages=packages, tls=authority.server()) as encrypted,
        pytest.raises(ServiceUnreachable, match="REQUESTS_CA_BUNDLE") as caught,
    ):
        http.send("PUT", f"{encrypted.service}/api/account", authorization=KEY)
    assert not isinstance(caught.value, ResponseLost)


def test_https_request_to_an_http_server_reports_no_encrypted_connection(
    sandbox: Sandbox, http: Http
) -> None:
    with pytest.raises(ServiceUnreachable, match="no encrypted connection"):
        http.send("GET", sandbox.service.replace("http:", "https:"))


def test_missing_ca_bundle_is_reported(
    http: Http, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(ServiceUnreachable, match="REQUESTS_CA_BUNDLE"):
        http.send("GET", "https://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:9", "the proxy refused the request"),
        ("http://", "the proxy's address cannot be read"),
        ("socks5://127.0.0.1:9", "PySocks"),
    ],
)
def test_unusable_proxy_is_reported(
    http: Http, monkeypatch: pytest.MonkeyPatch, proxy: str, words: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(ServiceUnreachable, match=words):
        http.send("GET", "https://service.invalid/")


def test_endless_redirects_are_given_up(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/round", times=99, status=302, headers=(("Location", "/round"),))
    with pytest.raises(ServiceUnreachable, match="it redirects too often"):
        http.send("GET", f"{sandbox.service}/round", follow=True)


@pytest.mark.parametrize("status", [500, 501, 505, 599])
def test_status_5xx_raises_service_fault(sandbox: Sandbox, http: Http, status: int) -> None:
    sandbox.fail_next("/api", times=9, status=status)
    with pytest.raises(ServiceFault, match=rf"HTTP {status}"):
        http.send("GET", f"{sandbox.service}/api/account")


def test_gateway_that_stays_down_raises_service_fault(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/api", times=9, status=502, body=b"<html>Bad Gateway</html>")
    with pytest.raises(ServiceFault, match="HTTP 502"):
        http.send("GET", f"{sandbox.service}/api/account")
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"Retry-After": "17"}, "in 17 seconds"),
        ({"Retry-After": "1"}, r"in 1 second\."),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, "in 0 seconds"),
        ({"Retry-After": "soon"}, "in a minute"),
        ({"Retry-After": "9" * 400}, r"in \d{5} seconds"),
        ({"Retry-After": "9" * 5000}, "in a minute"),
        ({}, "in a minute"),
    ],
    ids=str,
)
@responses.activate
def test_status_429_reports_when_to_try_again(
    http: Http, header: dict[str, str], words: str
) -> None:
    responses.get(ODD, status=429, headers=header)
    with pytest.raises(ServiceBusy, match=words):
        http.send("GET", ODD)


# -- answers that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<!doctype html><p>Log in", "text/html; charset=utf-8", "a web page"),
        (b"  <html>", "application/json", "a web page"),
        (b'[{"id": "1", "na', "application/json", "not complete JSON"),
        (b"", "application/json", "nothing"),
        (b"\xff\xfe\x00", "application/json", "not complete JSON"),
        (b"[" * 100_000, "application/json", "not complete JSON"),
        (b"1" * 5000, "application/json", "not complete JSON"),
    ],
    ids=["page", "page as json", "half", "nothing", "no utf-8", "nested", "a huge number"],
)
@responses.activate
def test_response_that_is_not_json_raises_service_nonsense(
    http: Http, body: bytes, kind: str, words: str
) -> None:
    responses.get(ODD, body=body, content_type=kind)
    with pytest.raises(UnexpectedResponse, match=words):
        http.send("GET", ODD).json()


def test_truncated_response_raises_service_nonsense(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/api", times=9, status=200, body=b'{"user": {}}', ending=Ending.HALF)
    with pytest.raises(UnexpectedResponse, match="a truncated response"):
        http.send("GET", f"{sandbox.service}/api/account").json()


def test_response_is_read_up_to_the_limit_only(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/api", status=200, body=b"x" * 100_000)
    answer = http.send("GET", f"{sandbox.service}/api/account", max_bytes=10)
    assert answer.body == b"x" * 10
    with pytest.raises(UnexpectedResponse, match="more than 10 bytes"):
        answer.json()


# -- what is shown -----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.STALL])
def test_traceback_shows_neither_the_key_nor_a_token_in_the_path(
    sandbox: Sandbox, http: Http, ending: Ending
) -> None:
    sandbox.fail_next("/t/", times=9, ending=ending)
    with pytest.raises(TokenPluginError) as caught:
        http.send("GET", f"{sandbox.service}/t/{TOKEN}/repo?q={TOKEN}", authorization=KEY)
    assert "thekey" not in _shown(caught.value)
    assert TOKEN not in _shown(caught.value)
    assert caught.value.__context__ is None


def test_logs_show_neither_the_key_nor_a_token_in_the_path(
    sandbox: Sandbox, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.fail_next("/t/", ending=Ending.RESET)
    http.send("GET", f"{sandbox.service}/t/{TOKEN}/repo", authorization=KEY)
    assert "/repo" in caplog.text
    assert TOKEN not in caplog.text
    assert "thekey" not in caplog.text


def test_repeated_read_logs_no_warning(
    sandbox: Sandbox, http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    sandbox.fail_next("/api", ending=Ending.RESET)
    http.send("GET", f"{sandbox.service}/api/account")
    assert len(sandbox.requests) == 2
    assert not caplog.records


def test_repr_of_a_response_shows_neither_headers_nor_body(sandbox: Sandbox, http: Http) -> None:
    sandbox.fail_next("/api", status=200, body=TOKEN.encode(), headers=(("X-Key", "thekey"),))
    shown = repr(http.send("GET", f"{sandbox.service}/api/account"))
    assert TOKEN not in shown
    assert "thekey" not in shown


def test_importing_the_service_does_not_import_requests() -> None:
    service = ("client", "credentials", "models", "repository", "refusals")
    http = ("client", "response")
    names = [*(f"service.{name}" for name in service), *(f"gateways.http.{name}" for name in http)]
    imports = "; ".join(f"import conda_token_plugin.{name}" for name in names)
    code = f"{imports}; import sys; print({{'requests', 'oauthlib', 'keyring'}} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
