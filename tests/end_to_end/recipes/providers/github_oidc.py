"""Exchange the identity token of a GitHub Actions job for a short-lived credential.

A helper of the credential-helper protocol, with the standard library only:

    github_oidc.py prefix https://prefix.dev get
    github_oidc.py artifactory https://acme.jfrog.io PROVIDER get

The job needs the permission `id-token: write`.
"""

import base64
import json
import os
import sys
import time
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


def fetch(url: str, *, bearer: str = "", body: object = None) -> str:
    headers = {"Content-Type": "application/json"}
    if bearer:
        headers["Authorization"] = f"bearer {bearer}"
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers=headers), timeout=5) as response:
        return str(response.read().decode())


def identity(audience: str) -> str:
    url = f"{os.environ['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote(audience, safe='')}"
    answer = fetch(url, bearer=os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
    return str(json.loads(answer)["value"])


def from_prefix(server: str) -> tuple[str, float]:
    host = urlsplit(server).hostname or ""
    token = fetch(f"{server}/api/oidc/mint_token", body={"token": identity(host)}).strip()
    payload = token.split(".")[-2]  # a JWT
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return token, claims["exp"]


def from_artifactory(server: str, provider: str) -> tuple[str, float]:
    body = {
        "grant_type": EXCHANGE,
        "subject_token_type": ID_TOKEN,
        "subject_token": identity(server),
        "provider_name": provider,
    }
    answer = json.loads(fetch(f"{server}/access/api/v1/oidc/token", body=body))
    return answer["access_token"], time.time() + answer["expires_in"]


def main() -> None:
    kind, *words, command = sys.argv[1:]
    if command != "get":
        sys.exit(f"unknown command: {command}")
    json.load(sys.stdin)  # the request; this helper has one credential for every URI
    token, end = from_prefix(*words) if kind == "prefix" else from_artifactory(*words)
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    answer = {"headers": {"Authorization": [f"Bearer {token}"]}, "expires": expires}
    sys.stdout.write(json.dumps(answer))


main()
