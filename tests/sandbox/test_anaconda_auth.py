"""Every answer of the sandbox that anaconda-auth reads is accepted by it. It requires https."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.sandbox import Sandbox

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Authority

pytest.importorskip("anaconda_auth", reason="anaconda-auth is not installed")

# Each script sets `found`, which is printed as JSON on the last line of its output.
BEGIN = """
import json, os, sys, webbrowser
from urllib.parse import parse_qsl, urlsplit
import pkce, requests
from anaconda_auth import actions
from anaconda_auth.config import AnacondaAuthSite, AnacondaAuthSitesConfig
from anaconda_auth.repo import RepoAPIClient
from anaconda_auth.token import TokenInfo
site = AnacondaAuthSite(domain=sys.argv[1], ssl_verify=sys.argv[2])

def approve(url):
    code = url.partition("user_code=")[2]
    address = f"https://{site.domain}/sandbox/devices/{code}"
    requests.put(address, json={"user": "grace"}, verify=sys.argv[2], timeout=10)

def statuses(client):
    paths = ("acme/main", "globex/main", "main", "main-x", "acme-evil/main")
    asked = [client.get(f"/repo/{path}/noarch/repodata.json") for path in paths]
    return [answer.status_code for answer in asked]

webbrowser.open = approve
"""
ISSUE = """
client = RepoAPIClient(site=site, api_key=os.environ["KEY"])
listed = [o.name for o in client.get_business_organizations_for_user()]
before = client._get_repo_token_info("acme")
issued = client.issue_new_token("acme", yes=True)
after = client._get_repo_token_info("acme")
found = [listed, before, issued, str(after.id), client.email]
"""
DEVICE = """
actions._do_login(site, basic=False)
info = TokenInfo.load(site.domain)
client = RepoAPIClient(site=site, api_key=info.api_key)
found = [info.expired, client.email, statuses(client)]
"""
WEB = """
verifier, challenge = pkce.generate_pkce_pair(code_verifier_length=128)
url = actions.make_auth_code_request_url(challenge, "a-state", site)
back = requests.get(url, verify=sys.argv[2], allow_redirects=False, timeout=10)
code = dict(parse_qsl(urlsplit(back.headers["Location"]).query))["code"]
access = actions.request_access_token(code, verifier, site)
found = RepoAPIClient(site=site, api_key=actions.get_api_key(access, site)).email
"""
CHANNELS = """
found = statuses(RepoAPIClient(site=site, api_key=os.environ["KEY"]))
"""
SITES = """
clients = [RepoAPIClient(site=name) for name in ("first", "second")]
found = [AnacondaAuthSitesConfig().default_site]
found += [[client.email, *statuses(client)[:1]] for client in clients]
"""
REASONS = """
from anaconda_auth.client import BaseClient
client = BaseClient(site=site, api_key=os.environ["KEY"])
answers = [client.get("/api/organizations/my"), client.get("/api/organizations/my", auth=False)]
found = [[answer.status_code, answer.reason] for answer in answers]
"""
REFUSED_TOKEN = """
client = RepoAPIClient(site=site, api_key=os.environ["KEY"])
answer = client.put("/api/organizations/acme/ce/current-token", json={"confirm": "yes"})
error = answer.json().get("error", {})
found = [answer.status_code, error.get("code"), client._get_repo_token_info("acme")]
"""
DEVICE_ERRORS = """
from anaconda_auth.device_flow import DeviceCodeFlow

def control(path, **body):
    requests.put(f"https://{site.domain}/sandbox/{path}", json=body, verify=sys.argv[2], timeout=10)

def error_of(*body, path="", **fields):
    flow = DeviceCodeFlow(site)
    code = flow.initiate_device_authorization().user_code
    if path:
        control(path.format(code=code), **fields)
    try:
        flow._request_token()
    except Exception as error:
        return [type(error).__name__, str(error)]

found = [error_of(), error_of(path="devices/{code}", user=None)]
found.append(error_of(path="clock", advance=86400))
"""
CODE_ERROR = """
try:
    found = actions.request_access_token("no-such-code", "x" * 64, site)
except actions.AuthenticationError as error:
    found = str(error)
"""
ADMIN = """
from anaconda_auth.repo import TokenCreateResponse, TokenInfoResponse
user, bearer = json.loads(os.environ["KEY"])
headers = {"Authorization": f"Bearer {bearer}"}
url = f"https://{site.domain}/api/v1/organizations/acme/users/{user}/token"
rest = {"headers": headers, "verify": sys.argv[2], "timeout": 10}
made = requests.post(url, json={"expires_at": "2026-12-31T00:00:00+00:00"}, **rest).json()
(listed,) = requests.get(f"{url}s", **rest).json()["items"]
found = [TokenCreateResponse(**made).token, str(TokenInfoResponse(**listed).id)]
"""
TOLERANCE = """
info = RepoAPIClient(site=site, api_key=os.environ["KEY"])._get_repo_token_info("acme")
found = [str(info.id), info.expires_at.replace(tzinfo=None).isoformat()]
"""


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server()


@pytest.fixture
def ca_file(authority: Authority) -> Path:
    return authority.file


@pytest.fixture
def site(packages: Path, tls: ssl.SSLContext) -> Iterator[Sandbox]:
    """A sandbox with TLS, which anaconda-auth requires."""
    with Sandbox.start(packages=packages, tls=tls) as running:
        yield running


def domain_of(sandbox: Sandbox) -> str:
    return sandbox.service.removeprefix("https://")


def run(site: Sandbox, ca_file: Path, code: str, *, api_key: str = "") -> Any:
    """Run a script with anaconda-auth; return what it found."""
    # Its own keyring is a file in HOME, which is the test's.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON_KEYRING_BACKEND"}
    environment["KEY"] = api_key or site.world.api_key("ada")
    script = f"{BEGIN}{code}print(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-c", script, domain_of(site), str(ca_file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_client_lists_the_organizations_and_issues_a_token(site: Sandbox, ca_file: Path) -> None:
    found = run(site, ca_file, ISSUE)
    token = site.world.current("acme", "ada")
    assert token is not None
    listed = ["acme", "globex"]
    assert found == [listed, None, token.value, str(token.id), "ada@example.invalid"]


def test_api_key_of_a_device_login_opens_the_channels_of_its_user(
    site: Sandbox, ca_file: Path
) -> None:
    found = run(site, ca_file, DEVICE)
    assert found == [False, "grace@example.invalid", [200, 403, 200, 200, 403]]


def test_browser_login_yields_an_api_key(site: Sandbox, ca_file: Path) -> None:
    assert run(site, ca_file, WEB) == "ada@example.invalid"


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        (["cloud:read", "cloud:write", "repo:read"], [200, 200, 200, 200, 403]),
        (["cloud:read", "cloud:write"], [403] * 5),
    ],
)
def test_api_key_opens_channels_only_with_the_scope_that_the_client_asks_for(
    site: Sandbox, ca_file: Path, scopes: list[str], statuses: list[int]
) -> None:
    key = site.world.credentials.make_api_key(site.world.user("ada"), scopes)
    assert run(site, ca_file, CHANNELS, api_key=key.value) == statuses


def test_two_sites_of_the_configuration_are_served_each_with_its_own_key(
    site: Sandbox,
    ca_file: Path,
    packages: Path,
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Sandbox.start(packages=packages, host="localhost", tls=tls) as other:
        config = 'default_site = "second"\n'
        for name, sandbox in (("first", site), ("second", other)):
            config += f"[sites.{name}]\n"
            config += f'domain = "{domain_of(sandbox)}"\nssl_verify = "{ca_file}"\n'
            config += f'api_key = "{sandbox.world.api_key("ada")}"\n'
        (ca_file.parent / "config.toml").write_text(config, "utf-8")
        monkeypatch.setenv("ANACONDA_CONFIG_TOML", str(ca_file.parent / "config.toml"))
        mine = ["ada@example.invalid", 200]
        assert run(site, ca_file, SITES) == ["second", mine, mine]
        assert {request.host for request in other.requests} == {domain_of(other)}
    assert {request.host for request in site.requests} == {domain_of(site)}


def test_client_reads_a_current_token_that_has_a_tolerance(site: Sandbox, ca_file: Path) -> None:
    token = site.world.issue("acme", "ada", tolerance_months=2)
    expires = token.expires.replace(tzinfo=None).isoformat()
    assert run(site, ca_file, TOLERANCE) == [str(token.id), expires]


def test_client_takes_a_refused_api_key_as_invalid_and_a_missing_one_as_not_logged_in(
    site: Sandbox, ca_file: Path
) -> None:
    key = site.world.api_key("ada")
    missing = "You must login before using this API endpoint or provide an api_key to your client."
    invalid = "Your API key or login token is invalid."
    assert run(site, ca_file, REASONS, api_key="unknown") == [[403, invalid], [401, missing]]
    site.clock.advance(timedelta(days=366))
    assert run(site, ca_file, REASONS, api_key=key) == [[401, invalid], [401, missing]]


@pytest.mark.parametrize(
    ("user", "status", "code"), [("bob", 403, "forbidden"), ("mallory", 404, "not_found")]
)
def test_client_finds_the_code_of_a_refused_issue_and_no_token(
    site: Sandbox, ca_file: Path, user: str, status: int, code: str
) -> None:
    key = site.world.api_key(user)
    assert run(site, ca_file, REFUSED_TOKEN, api_key=key) == [status, code, None]


def test_client_knows_each_error_of_the_device_login(site: Sandbox, ca_file: Path) -> None:
    assert run(site, ca_file, DEVICE_ERRORS) == [
        ["DeviceFlowError", "authorization_pending"],
        ["DeviceFlowDenied", "User denied authorization"],
        ["DeviceFlowTimeout", "Device code expired"],
    ]


def test_client_knows_the_error_of_a_wrong_code(site: Sandbox, ca_file: Path) -> None:
    assert run(site, ca_file, CODE_ERROR).startswith("Error getting JWT: invalid_grant")


def test_tokens_of_the_admin_api_have_the_fields_that_the_client_reads(
    site: Sandbox, ca_file: Path
) -> None:
    bearer = site.world.credentials.make_service_account(site.world.user("admin")).value
    user = str(site.world.user("ada").id)
    value, token_id = run(site, ca_file, ADMIN, api_key=json.dumps([user, bearer]))
    token = site.world.current("acme", "ada")
    assert token is not None
    assert (value, token_id) == (token.value, str(token.id))
