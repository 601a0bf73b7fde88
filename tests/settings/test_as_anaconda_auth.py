"""anaconda-auth's configuration leads to the same service and API key as in anaconda-auth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.login import NotLoggedIn
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("anaconda_auth", reason="anaconda-auth is not installed")

THEIRS = """
import requests
from anaconda_auth.client import BaseClient
client = BaseClient()
request = requests.PreparedRequest()
request.headers = {}
client.auth(request)
print(client.config.domain, request.headers.get("Authorization", "").removeprefix("Bearer "))
"""
SITES = '[sites.corp]\ndomain = "corp.example"\n[sites.other]\ndomain = "other.example"\n'


def api_key(name: str) -> str:
    """Return a JWT that has not expired: anaconda-auth decodes it."""
    parts = ({"alg": "none"}, {"sub": name, "exp": 4_000_000_000}, name)
    return ".".join(
        urlsafe_b64encode(json.dumps(part).encode()).decode().strip("=") for part in parts
    )


KEYS = {name: api_key(name) for name in ("given", "own", "site", "shared")}


def keyring(*domains: str) -> str:
    entries = {
        domain: b64encode(json.dumps({"domain": domain, "api_key": KEYS["own"]}).encode()).decode()
        for domain in domains
    }
    return json.dumps({"Anaconda Cloud": entries})


ALL = keyring("anaconda.com", "corp.example", "other.example")
KEY = {"ANACONDA_AUTH_API_KEY": KEYS["given"]}
SECRETS = {"ANACONDA_SECRETS_DIR": "$HOME/mounted"}
MOUNTED = {"mounted/anaconda_auth_api_key": KEYS["given"]}


@pytest.mark.parametrize(
    ("config", "variables", "files"),
    [
        (f'default_site = "other"\n{SITES}', KEY, {}),
        (f'default_site = "other.example"\n{SITES}', KEY, {}),
        (SITES, {**KEY, "ANACONDA_DEFAULT_SITE": "other"}, {}),
        (SITES, {**KEY, "ANACONDA_AUTH_DOMAIN": "https://third.example/app/"}, {}),
        ('[sites.corp]\ndomain = "https://corp.example/app"\n', KEY, {}),
        (f'[sites.corp]\ndomain = "corp.example"\napi_key = "{KEYS["site"]}"\n', {}, {}),
        (
            f'[sites.corp]\n[plugin.auth]\ndomain = "d.example"\napi_key = "{KEYS["shared"]}"',
            {},
            {},
        ),
        ('[plugin.cloud]\ndomain = "corp.example"\n[plugin.auth]\ndomain = "d.example"\n', KEY, {}),
        ('[plugin.auth]\nkeyring_path = "~/k/ring"\n', {}, {"k/ring": ALL}),
        (f'{SITES}[plugin.auth]\nkeyring_path = "$HOME/k/ring"\n', {}, {"k/ring": ALL}),
        (
            '[sites.corp]\ndomain = "corp.example"\nkeyring_path = "~/k/ring"\n',
            {},
            {"k/ring": ALL},
        ),
        ("", {"ANACONDA_AUTH_KEYRING_PATH": "$HOME/k/ring"}, {"k/ring": ALL}),
        ("", {"ANACONDA_AUTH_KEYRING": ALL}, {}),
        ("", SECRETS, {"mounted/ANACONDA_AUTH_API_KEY": KEYS["given"]}),
        ("", SECRETS, {**MOUNTED, "mounted/anaconda_auth_domain": "corp.example\n"}),
        (SITES, SECRETS, {**MOUNTED, "mounted/anaconda_default_site": "other"}),
        ("", SECRETS, {"mounted/anaconda_auth_keyring": ALL}),
        ("", {**KEY, "ANACONDA_SITES": '{"corp": {"domain": "corp.example"}}'}, {}),
        (SITES, {**KEY, "ANACONDA_SITES": '{"corp": {"domain": "third.example"}}'}, {}),
        ('[plugin.auth.keyring."Anaconda Cloud"]\n', {}, {}),
    ],
)
def test_service_and_key_are_those_of_anaconda_auth(
    empty_home: Path, config: str, variables: dict[str, str], files: dict[str, str]
) -> None:
    for name, text in {".anaconda/config.toml": config, ".anaconda/keyring": "{}", **files}.items():
        (empty_home / name).parent.mkdir(exist_ok=True)
        (empty_home / name).write_text(text)

    theirs = _theirs(variables)

    assert _ours(variables) == theirs


def _theirs(variables: dict[str, str]) -> list[str]:
    kept = {name: text for name, text in os.environ.items() if name != "PYTHON_KEYRING_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", THEIRS],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    domain, key = done.stdout.splitlines()[-1].split(" ")
    return [domain, key]


def _ours(variables: dict[str, str]) -> list[str]:
    settings = Settings({**os.environ, "CONDA_TOKEN_STORE": "file", **variables})
    domain = settings.service_url.removeprefix("https://")
    try:
        return [domain, find_api_key(settings, user_store(settings))[0].reveal()]
    except NotLoggedIn:
        return [domain, ""]
