"""Login at the sandbox, by code and by browser, with all faults and without waiting."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.errors.service import (
    ResponseLost,
    ServiceBusy,
    ServiceFault,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.sandbox.service.login import CLIENT_ID
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.login.browser import (
    ANOTHER_LOGIN,
    CONFIRMED,
    NOT_CONFIRMED,
    _Handler,
)
from conda_token_plugin.service.login.flow import Login
from conda_token_plugin.tokens.secret import Secret
from tests.service.conftest import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.service.login.device import DeviceCode

SHORT = Timeouts(connect=2.0, read=2.0, retries=0)


class Hours:
    """A clock that advances only during ``sleep``, and actions between the sleeps."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.passed = 0.0
        self.sleeps: list[float] = []
        self.meanwhile: dict[int, Callable[[], object]] = {}
        self._sandbox = sandbox

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self._sandbox.clock.advance(timedelta(seconds=seconds))
        self.sleeps.append(seconds)
        self.meanwhile.get(len(self.sleeps), lambda: None)()

    def clock(self) -> float:
        return self.passed


@pytest.fixture
def hours(sandbox: Sandbox) -> Hours:
    return Hours(sandbox)


@pytest.fixture
def login(sandbox: Sandbox, hours: Hours) -> Login:
    return Login(
        sandbox.service,
        client_id=CLIENT_ID,
        timeouts=SHORT,
        sleep=hours.sleep,
        clock=hours.clock,
    )


def approve(sandbox: Sandbox, user: str = "ada") -> None:
    sandbox.login.decide(sandbox.login.devices.waiting()[0].user_code, user)


def nothing(_: object) -> None:
    """Do nothing."""


def polls(sandbox: Sandbox) -> int:
    return sum(request.path == "/oauth2/token" for request in sandbox.requests)


def user_of(sandbox: Sandbox, key: Secret) -> str:
    return Service(sandbox.service, api_key=key, source="the test").whoami().username


# -- by code -------------------------------------------------------------------------------------


def test_approved_code_logs_in(sandbox: Sandbox, login: Login, hours: Hours) -> None:
    shown: list[DeviceCode] = []
    hours.meanwhile[3] = lambda: approve(sandbox, "grace")
    key = login.by_device(show=shown.append)
    assert user_of(sandbox, key) == "grace"
    assert hours.sleeps == [5.0, 5.0, 5.0]
    assert shown[0].address == f"{sandbox.service}/device"
    assert shown[0].user_code in shown[0].whole_address


def test_code_is_shown_before_the_first_wait(sandbox: Sandbox, login: Login, hours: Hours) -> None:
    def show(_: DeviceCode) -> None:
        assert hours.sleeps == []
        approve(sandbox)

    login.by_device(show=show)


def test_access_token_is_exchanged_for_an_api_key_and_discarded(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    hours.meanwhile[1] = lambda: approve(sandbox)
    key = login.by_device(show=nothing)
    assert key.reveal() in sandbox.world.credentials.api_keys
    assert key.reveal() not in sandbox.world.credentials.access_tokens
    assert [r.path for r in sandbox.requests][-1] == "/api/auth/api-keys"


def test_older_path_for_api_keys_is_used_when_the_newer_fails(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    hours.meanwhile[1] = lambda: approve(sandbox)
    sandbox.fail_next("/api/auth/api-keys", status=404)
    assert user_of(sandbox, login.by_device(show=nothing)) == "ada"
    assert "/api/iam/api-keys" in [r.path for r in sandbox.requests]


def test_denied_login_is_abandoned(sandbox: Sandbox, login: Login, hours: Hours) -> None:
    hours.meanwhile[2] = lambda: approve(sandbox, "")
    with pytest.raises(LoginIncomplete, match="was denied"):
        login.by_device(show=nothing)
    assert polls(sandbox) == 2


def test_unused_code_expires(sandbox: Sandbox, login: Login, hours: Hours) -> None:
    with pytest.raises(LoginIncomplete, match="its code has expired"):
        login.by_device(show=nothing)
    assert hours.passed <= 600
    # The clock of the sandbox goes on while a request takes time, so a busy machine polls less.
    assert 100 <= polls(sandbox) <= 119


def test_code_that_the_service_ends_early_is_abandoned(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    hours.meanwhile[2] = lambda: sandbox.clock.advance(timedelta(hours=1))
    with pytest.raises(LoginIncomplete, match="its code has expired"):
        login.by_device(show=nothing)
    assert polls(sandbox) == 2


def test_slow_down_adds_five_seconds_to_all_further_intervals(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    body = json.dumps({"error": "slow_down"}).encode()
    sandbox.fail_next("/oauth2/token", times=2, status=400, body=body)
    hours.meanwhile[4] = lambda: approve(sandbox)
    login.by_device(show=nothing)
    assert hours.sleeps == [5.0, 10.0, 15.0, 15.0]


def test_failed_poll_is_repeated_after_a_longer_interval(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    sandbox.fail_next("/oauth2/token", status=503)
    sandbox.fail_next("/oauth2/token", ending=Ending.RESET)
    sandbox.fail_next("/oauth2/token", status=429, headers=(("Retry-After", "60"),))
    hours.meanwhile[4] = lambda: approve(sandbox)
    assert user_of(sandbox, login.by_device(show=nothing)) == "ada"
    assert hours.sleeps == [5.0, 10.0, 20.0, 60.0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 500}, ServiceFault),
        ({"ending": Ending.RESET}, ResponseLost),
        ({"status": 429}, ServiceBusy),
    ],
    ids=str,
)
def test_login_raises_the_error_of_a_service_that_fails_to_the_end(
    sandbox: Sandbox, login: Login, fault: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.fail_next("/oauth2/token", times=999, **fault)
    with pytest.raises(kind):
        login.by_device(show=nothing)


def test_jump_of_the_clock_does_not_end_the_login(
    sandbox: Sandbox, login: Login, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    hours.meanwhile[2] = lambda: approve(sandbox)
    assert user_of(sandbox, login.by_device(show=nothing)) == "ada"


def test_interrupt_while_waiting_ends_the_login(
    sandbox: Sandbox, login: Login, hours: Hours
) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    hours.meanwhile[2] = press
    with pytest.raises(KeyboardInterrupt):
        login.by_device(show=nothing)
    assert polls(sandbox) == 1


def test_unknown_client_is_refused(sandbox: Sandbox, hours: Hours) -> None:
    unknown = Login(
        sandbox.service,
        client_id="unknown-client",
        timeouts=SHORT,
        sleep=hours.sleep,
        clock=hours.clock,
    )
    with pytest.raises(LoginIncomplete, match="invalid_client"):
        unknown.by_device(show=nothing)


# -- by browser ----------------------------------------------------------------------------------


class Browser:
    """A browser that opens addresses in a thread and records the pages."""

    def __init__(self) -> None:
        self.pages: list[requests.Response] = []
        self.addresses: list[str] = []
        self.before: Callable[[str], object] = nothing
        self._threads: list[threading.Thread] = []

    def visit(self, address: str) -> None:
        self.addresses.append(address)
        thread = threading.Thread(target=self._go, args=(address,))
        thread.start()
        self._threads.append(thread)

    def _go(self, address: str) -> None:
        self.before(address)
        self.pages.append(requests.get(address, timeout=5))

    def close(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    yield made
    made.close()


def back_from(address: str) -> str:
    """Return the redirect address in an authorization address."""
    return parse_qs(urlsplit(address).query)["redirect_uri"][0]


def test_callback_of_the_browser_logs_in(sandbox: Sandbox, login: Login, browser: Browser) -> None:
    sandbox.login.seat_at_browser("grace")
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "grace"
    browser.close()
    page = browser.pages[0]
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert page.text == CONFIRMED


def test_authorization_address_uses_pkce_and_redirects_to_loopback(
    login: Login, browser: Browser
) -> None:
    login.by_browser(visit=browser.visit)
    query = {key: value[0] for key, value in parse_qs(urlsplit(browser.addresses[0]).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 32
    assert urlsplit(query["redirect_uri"]).hostname == "127.0.0.1"
    assert query["scope"] == "openid"


def test_every_login_has_its_own_state_and_challenge(
    sandbox: Sandbox, login: Login, browser: Browser
) -> None:
    for _ in range(2):
        login.by_browser(visit=browser.visit)
    one, two = (parse_qs(urlsplit(address).query) for address in browser.addresses)
    assert one["state"] != two["state"]
    assert one["code_challenge"] != two["code_challenge"]
    assert polls(sandbox) == 2


def test_login_denied_in_the_browser_is_abandoned(
    sandbox: Sandbox, login: Login, browser: Browser
) -> None:
    sandbox.login.seat_at_browser("")
    with pytest.raises(LoginIncomplete, match="was denied in the browser"):
        login.by_browser(visit=browser.visit)
    browser.close()
    assert browser.pages[0].text == NOT_CONFIRMED


def test_missing_callback_is_waited_for_within_a_limit(login: Login) -> None:
    with pytest.raises(LoginIncomplete, match="was not finished in time"):
        login.by_browser(visit=nothing, wait=0.05)


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/auth/oidc?code=stolen&state=guessed", ANOTHER_LOGIN),
        ("/auth/oidc?code=stolen", ANOTHER_LOGIN),
        ("/auth/oidc?error=access_denied", ANOTHER_LOGIN),
        ("/auth/oidc", ANOTHER_LOGIN),
        ("/favicon.ico", ""),
        ("/?code=stolen", ""),
    ],
)
def test_request_without_the_state_of_this_login_is_ignored(
    sandbox: Sandbox, login: Login, browser: Browser, path: str, page: str
) -> None:
    answers = []

    def before(address: str) -> None:
        port = urlsplit(back_from(address)).port
        answers.append(requests.get(f"http://127.0.0.1:{port}{path}", timeout=5))

    browser.before = before
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "ada"
    assert [(answer.status_code, answer.text) for answer in answers] == [(404, page)]


class Callback:
    """Sends requests to the callback server before the browser comes back."""

    def __init__(self, *, path: str = "", host: str = "", method: str = "GET") -> None:
        self.path, self.host, self.method = path, host, method
        self.answers: list[tuple[int, dict[str, str], str]] = []

    def __call__(self, address: str) -> None:
        query = parse_qs(urlsplit(address).query)
        back = urlsplit(query["redirect_uri"][0])
        assert back.port is not None
        path = (self.path or f"{back.path}?code=stolen&state={{state}}").format(
            state=query["state"][0]
        )
        connection = http.client.HTTPConnection("127.0.0.1", back.port, timeout=5)
        connection.request(self.method, path, headers={"Host": self.host or back.netloc})
        answer = connection.getresponse()
        self.answers.append((answer.status, dict(answer.headers), answer.read().decode()))
        connection.close()


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "[::1]"])
def test_callback_with_another_host_header_is_ignored(
    sandbox: Sandbox, login: Login, browser: Browser, host: str
) -> None:
    browser.before = callback = Callback(host=host)
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "ada"
    assert [answer[0] for answer in callback.answers] == [404]


@pytest.mark.parametrize("path", ["/", "/auth/oidc/", "/auth/oidcx", "/x/auth/oidc"])
def test_callback_with_the_right_state_and_another_path_is_ignored(
    sandbox: Sandbox, login: Login, browser: Browser, path: str
) -> None:
    browser.before = callback = Callback(path=f"{path}?code=stolen&state={{state}}")
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "ada"
    assert [answer[0] for answer in callback.answers] == [404]


def test_second_callback_is_refused_and_the_first_counts(login: Login) -> None:
    first, second = Callback(), Callback(path="/auth/oidc?code=second&state={state}")

    def visit(address: str) -> None:
        first(address)
        second(address)

    with pytest.raises(LoginIncomplete, match="invalid_grant"):  # the code of the first is made up
        login.by_browser(visit=visit)
    assert [one.answers[0][0] for one in (first, second)] == [200, 404]


def test_callback_page_shows_nothing_of_the_request_and_sends_no_referrer(login: Login) -> None:
    callback = Callback(path="/auth/oidc?code=<script>code&state={state}&x=<script>")
    with pytest.raises(LoginIncomplete):
        login.by_browser(visit=callback)
    status, headers, page = callback.answers[0]
    assert (status, headers["Referrer-Policy"]) == (200, "no-referrer")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in page
    assert page == CONFIRMED


def test_malformed_request_to_the_callback_server_is_not_repeated_in_its_answer(
    sandbox: Sandbox, login: Login, browser: Browser
) -> None:
    browser.before = callback = Callback(method="<script>")
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "ada"
    assert callback.answers[0][0] == 501
    assert callback.answers[0][2] == ""


def test_callback_server_is_bound_to_this_machine_only(
    login: Login, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[tuple[str, int]] = []
    bind = socket.socket.bind

    def record(self: socket.socket, address: tuple[str, int]) -> None:
        bound.append(address)
        bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", record)
    login.by_browser(visit=browser.visit)
    assert bound == [("127.0.0.1", 0)]


def test_callback_server_is_closed_after_the_deadline(login: Login) -> None:
    addresses: list[str] = []
    with pytest.raises(LoginIncomplete, match="was not finished in time"):
        login.by_browser(visit=addresses.append, wait=0.05)
    with pytest.raises(requests.ConnectionError):
        requests.get(back_from(addresses[0]), timeout=5)


def test_idle_connection_does_not_delay_the_login(
    sandbox: Sandbox, login: Login, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "timeout", None)  # a server that waits for it never ends
    spare: list[http.client.HTTPConnection] = []

    def before(address: str) -> None:
        spare.append(http.client.HTTPConnection("127.0.0.1", urlsplit(back_from(address)).port))
        spare[0].connect()

    browser.before = before
    assert user_of(sandbox, login.by_browser(visit=browser.visit)) == "ada"
    spare[0].close()


def test_connection_without_a_request_is_closed_after_a_limit(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Handler, "timeout", _Handler.timeout / 100)
    received: list[bytes] = []

    def connect(address: str) -> None:
        port = urlsplit(back_from(address)).port
        with socket.create_connection(("127.0.0.1", port or 0)) as idle:
            received.append(idle.recv(1))

    with pytest.raises(LoginIncomplete):
        login.by_browser(visit=connect, wait=0.05)
    assert received == [b""]


def test_code_that_was_used_before_is_refused(
    sandbox: Sandbox, login: Login, browser: Browser
) -> None:
    body = json.dumps({"error": "invalid_grant"}).encode()
    sandbox.fail_next("/oauth2/token", status=400, body=body)
    with pytest.raises(LoginIncomplete, match="invalid_grant"):
        login.by_browser(visit=browser.visit)


def test_port_is_closed_after_the_login(login: Login, browser: Browser) -> None:
    login.by_browser(visit=browser.visit)
    browser.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(back_from(browser.addresses[0]), timeout=5)


# -- either way ----------------------------------------------------------------------------------

STEPS = {
    "openid-configuration": "by_device",
    "/oauth2/device/auth": "by_device",
    "/oauth2/token": "by_browser",
    "/api-keys": "by_browser",
}
"""The requests of a login, and a way to log in that makes each."""


CASES: list[tuple[dict[str, Any], type[Exception]]] = [
    *FAULTS,
    ({"status": 200, "body": b"{}"}, UnexpectedResponse),
    ({"status": 200, "body": b"[]"}, UnexpectedResponse),
    ({"status": 404, "body": b"{}"}, TokenPluginError),
]


@pytest.mark.parametrize(
    ("path", "case"),
    [
        *((path, case) for path in STEPS for case in CASES),
        *(("/api-keys", ({"status": status}, LoginIncomplete)) for status in (401, 403)),
    ],
    ids=str,
)
def test_failed_request_raises_the_documented_error_and_shows_no_access_token(
    sandbox: Sandbox,
    login: Login,
    browser: Browser,
    path: str,
    case: tuple[dict[str, Any], type[Exception]],
) -> None:
    fault, kind = case
    sandbox.fail_next(path, times=9, **fault)
    ways = {
        "by_device": lambda: login.by_device(show=nothing),
        "by_browser": lambda: login.by_browser(visit=browser.visit),
    }
    with pytest.raises(kind) as caught:
        ways[STEPS[path]]()
    given = sandbox.world.credentials.access_tokens
    assert all(value not in str(caught.value) for value in given)


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "two words"},
        {"access_token": 5},
        {"access_token": "a", "expires_in": "soon"},
        {"error": ["x"]},
        {"error": 5},
        {"error": None, "access_token": "a"},
        {"error": "\x1b[31mred" * 9},
    ],
    ids=str,
)
def test_response_that_is_not_oauth_is_one_line(
    sandbox: Sandbox, login: Login, browser: Browser, body: dict[str, Any]
) -> None:
    sandbox.fail_next("/oauth2/token", status=400, body=json.dumps(body).encode())
    with pytest.raises((UnexpectedResponse, LoginIncomplete)) as caught:
        login.by_browser(visit=browser.visit)
    assert str(caught.value).isprintable()
    assert "two words" not in str(caught.value)


ENDPOINTS = {
    "authorization_endpoint": "https://service.invalid/auth",
    "token_endpoint": "https://service.invalid/token",
    "device_authorization_endpoint": "https://service.invalid/device",
}
CODE = {
    "device_code": "d",
    "user_code": "ABCD-EFGH",
    "verification_uri": "https://service.invalid/activate",
    "expires_in": 600,
}


def elsewhere() -> Login:
    """Return a login at a service that ``responses`` simulates."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    return Login("https://service.invalid", client_id="c", sleep=sleep, clock=lambda: passed[0])


def play(endpoints: dict[str, Any], code: dict[str, Any]) -> None:
    responses.get("https://service.invalid/.well-known/openid-configuration", json=endpoints)
    responses.post("https://service.invalid/device", json=code)
    responses.post("https://service.invalid/token", json={"access_token": "a" * 20, "scope": "x y"})
    responses.post(
        "https://service.invalid/api/auth/api-keys", json={"api_key": "k" * 20}, status=201
    )


UNFIT = ["http://service.invalid/token", "ftp://x", "", 5, "https://a b/", "https://x/?\x1b"]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        *((name, address) for name in ENDPOINTS for address in UNFIT),
        ("authorization_endpoint", None),
        ("token_endpoint", None),
    ],
)
@responses.activate
def test_unencrypted_endpoint_gets_no_secret(name: str, address: object) -> None:
    play({**ENDPOINTS, name: address}, CODE)
    with pytest.raises(UnexpectedResponse, match=name):
        elsewhere().by_device(show=nothing)
    assert len(responses.calls) == 1


@responses.activate
def test_service_without_device_login_suggests_the_browser() -> None:
    play({k: v for k, v in ENDPOINTS.items() if k != "device_authorization_endpoint"}, CODE)
    with pytest.raises(LoginIncomplete, match="Run: conda token login --web"):
        elsewhere().by_device(show=nothing)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user_code", "A\x1b[2J"),
        ("user_code", "A" * 65),
        ("user_code", ""),
        ("user_code", None),
        ("verification_uri", "http://service.invalid/"),
        ("verification_uri", "http://127.0.0.1.evil.invalid/"),
        ("verification_uri", "https://service.invalid/\x1b[2J"),
        ("verification_uri", "javascript:alert(1)"),
        ("verification_uri_complete", "file:///etc/passwd"),
        ("expires_in", None),
        ("expires_in", -5),
        ("expires_in", "soon"),
        ("expires_in", True),
        ("expires_in", float("inf")),
        ("expires_in", 10**400),
        ("interval", 0),
        ("interval", [5]),
        ("device_code", None),
        ("device_code", "c\ud800ode"),
    ],
)
@responses.activate
def test_malformed_code_raises_service_nonsense(key: str, value: object) -> None:
    play(ENDPOINTS, {**CODE, key: value})
    with pytest.raises(UnexpectedResponse, match=key):
        elsewhere().by_device(show=nothing)


@responses.activate
def test_minimal_device_response_is_accepted() -> None:
    shown: list[DeviceCode] = []
    play(ENDPOINTS, CODE)
    assert elsewhere().by_device(show=shown.append) == Secret("k" * 20)
    assert shown[0].whole_address == shown[0].address == CODE["verification_uri"]


@responses.activate
def test_code_is_given_up_after_half_an_hour() -> None:
    play(ENDPOINTS, {**CODE, "expires_in": 1e9, "interval": "60"})
    responses.replace(
        "POST", "https://service.invalid/token", json={"error": "authorization_pending"}, status=400
    )
    with pytest.raises(LoginIncomplete):
        elsewhere().by_device(show=nothing)
    assert sum(str(call.request.url).endswith("/token") for call in responses.calls) == 29
