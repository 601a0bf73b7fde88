"""The public client, anaconda-auth, agrees with the sandbox. It insists on https."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("anaconda_auth", reason="anaconda-auth is not installed")
trustme = pytest.importorskip("trustme", reason="trustme is not installed")

# Each prints what it has found out as JSON on its last line.
ISSUE = """
client = RepoAPIClient(site=site, api_key=sys.argv[3])
listed = [o.name for o in client.get_business_organizations_for_user()]
before = client._get_repo_token_info("acme")
issued = client.issue_new_token("acme", yes=True)
after = client._get_repo_token_info("acme")
found = [listed, before, issued, str(after.id), client.email]
"""
DEVICE = """
def approve(url):
    code = url.partition("user_code=")[2]
    address = f"https://{site.domain}/sandbox/devices/{code}"
    requests.put(address, json={"user": "grace"}, verify=sys.argv[2], timeout=10)

webbrowser.open = approve
actions._do_login(site, basic=False)
info = TokenInfo.load(site.domain)
found = [info.expired, RepoAPIClient(site=site, api_key=info.api_key).email]
"""
WEB = """
verifier, challenge = pkce.generate_pkce_pair(code_verifier_length=128)
url = actions.make_auth_code_request_url(challenge, "a-state", site)
back = requests.get(url, verify=sys.argv[2], allow_redirects=False, timeout=10)
code = dict(parse_qsl(urlsplit(back.headers["Location"]).query))["code"]
access = actions.request_access_token(code, verifier, site)
found = RepoAPIClient(site=site, api_key=actions.get_api_key(access, site)).email
"""
BEGIN = """
import json, sys, webbrowser
from urllib.parse import parse_qsl, urlsplit
import pkce, requests
from anaconda_auth import actions
from anaconda_auth.config import AnacondaAuthSite
from anaconda_auth.repo import RepoAPIClient
from anaconda_auth.token import TokenInfo
site = AnacondaAuthSite(domain=sys.argv[1], ssl_verify=sys.argv[2])
"""


@pytest.fixture
def trusted(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate, and the file of the authority that made it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return context, tmp_path / "ca.pem"


def ask(sandbox: Sandbox, authority: Path, code: str) -> Any:
    domain = sandbox.service.removeprefix("https://")
    # Its own keyring is a file in HOME, which is the test's.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON_KEYRING_BACKEND"}
    script = f"{BEGIN}{code}print(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-c", script, domain, str(authority), sandbox.world.api_key("ada")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_lists_the_organizations_and_issues_a_token(
    packages: Path, trusted: tuple[ssl.SSLContext, Path]
) -> None:
    context, authority = trusted
    with Sandbox.start(packages=packages, tls=context) as sandbox:
        found = ask(sandbox, authority, ISSUE)
        token = sandbox.world.current("acme", "ada")
    assert token is not None
    listed = ["acme", "globex"]
    assert found == [listed, None, token.value, str(token.id), "ada@example.invalid"]


def test_it_logs_in_on_a_device(packages: Path, trusted: tuple[ssl.SSLContext, Path]) -> None:
    context, authority = trusted
    with Sandbox.start(packages=packages, tls=context) as sandbox:
        assert ask(sandbox, authority, DEVICE) == [False, "grace@example.invalid"]


def test_it_logs_in_at_a_browser(packages: Path, trusted: tuple[ssl.SSLContext, Path]) -> None:
    context, authority = trusted
    with Sandbox.start(packages=packages, tls=context) as sandbox:
        assert ask(sandbox, authority, WEB) == "ada@example.invalid"
