"""Valid input of the readers."""

from __future__ import annotations

import json
from base64 import b64encode

from conda_token_plugin.tokens.token import Token, TokenKind

URL = "https://anaconda.com"
VALUE = "Aa0" * 16
TOKEN = Token(
    organization="acme", kind=TokenKind.INDIVIDUAL, scope=(f"{URL}/repo/acme",), last_four="0"
)


def document(value: object) -> bytes:
    """Return the input of ``Wire`` for a response with status 200 and this JSON."""
    return b"\0" + json.dumps(value).encode()


ORGANIZATION = {"id": "1", "name": "acme", "title": "Acme"}
ENDS = {"id": 1, "group": "subscriptions", "data": {"expires_at": "2030-01-01 00:00:00+00:00"}}
WHOAMI = {
    "identity": {"id": "1"},
    "passport": {
        "user_id": "1",
        "profile": {"email": "ada@example.invalid", "username": "ada"},
        "organizations": [
            {"org_id": "1", "name": "acme", "title": "Acme", "role": "member", "attributes": [ENDS]}
        ],
    },
}
DEVICE = {
    "device_code": "code",
    "user_code": "ABCD-EFGH",
    "verification_uri": f"{URL}/device",
    "verification_uri_complete": f"{URL}/device?user_code=ABCD-EFGH",
    "expires_in": 600,
    "interval": 5,
    "access_token": "access",
    "token_type": "bearer",
    "api_key": VALUE,
    "error": "authorization_pending",
    "authorization_endpoint": f"{URL}/oauth2/auth",
    "token_endpoint": f"{URL}/oauth2/token",
    "device_authorization_endpoint": f"{URL}/oauth2/device/auth",
}
INDEX = {
    "info": {"subdir": "noarch", "base_url": "https://files.example/x"},
    "packages": {"tool-1.0-0.tar.bz2": {"name": "tool"}},
    "packages.conda": {"tool-1.1-0.conda": {"name": "tool"}},
}
ENTRY = b64encode(
    json.dumps(
        {
            "domain": "anaconda.com",
            "api_key": f"{VALUE}.eyJleHAiOjF9.x",
            "repo_tokens": [{"token": VALUE, "org_name": "acme"}],
            "version": 2,
        }
    ).encode()
).decode()
PASSWORD = b64encode(VALUE.encode()).decode()
RATTLER = {
    "h.example": {"CondaToken": VALUE},
    "*.example": {"BearerToken": VALUE},
    "repo.anaconda.cloud": {"BasicHTTP": {"username": "ann", "password": VALUE}},
}
MAMBA = {
    "h.example:8443/repo/acme": {"type": "CondaToken", "token": VALUE},
    "b.example": {"type": "BearerToken", "token": VALUE},
    "c.example/x": {"type": "BasicHTTPAuthentication", "user": "ann", "password": PASSWORD},
}
CONDARC = f"""\
channels:
  - https://h.example/t/{VALUE}/repo/acme  # ours
  - "https://ann:{VALUE}@b.example/channel/linux-64"
  - defaults
channel_settings:
  - {{channel: "https://h.example/*", auth: token, auth_target: x}} #!bottom
custom_channels: {{acme: 'https://h.example/t/{VALUE}'}}
"""
NETRC = f"""\
# mine
machine repo.anaconda.cloud login ann password {VALUE}
machine conda.anaconda.org
  login "a b" account x password 'p'
macdef init
cd /tmp

default login anonymous password x
"""
HISTORY = f"""\
conda token set --org acme {VALUE}
curl -H 'Authorization: token {VALUE}' https://h.example/t/{VALUE}/repo/acme
export ANACONDA_REPO_TOKEN_ACME={VALUE}; anaconda -t ab-01234567-89ab-cdef-0123-456789abcdef upload
eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE4MDAwMDAwMDB9.abcdefghijklmnop
"""
NOTE = json.dumps({"organization": "acme", "started": "2026-11-24T02:00:00+00:00"})
WARNED = json.dumps({TOKEN.key: "2026-11-23T02:00:00+00:00", "other": "2026-01-01"})
STATE = json.dumps({"url": f"{URL}/repo/acme/main/noarch", "has_zst": {"value": False}})
EXPORTS = json.dumps(
    {
        "version": 1,
        "exports": [
            {
                "target": "rattler",
                "place": "/x",
                "key": "h.example",
                "organization": "acme",
                "token": "acme@x",
                "last_four": "0000",
                "created": "",
            }
        ],
    }
)
RESPONSE = b'{"headers": {"Authorization": ["Bearer x"]}, "expires": "2027-01-31T12:00:00Z"}'
SITES = b"""\
default_site = "corp"
[sites.corp]
domain = "anaconda.corp.example"
api_key = "abcdefgh"
ssl_verify = "/etc/ssl/corp.pem"
repo_url = "https://corp.example/repo"
proxy_servers = {https = "http://proxy.example"}
[plugin.auth]
domain = "h.example"
api_key = "abcdefgh"
"""
INDEX_OF_STORE = json.dumps(
    {
        "id": "1",
        "serial": 3,
        "pending_deletes": [["file", "1.1"]],
        "logins": {URL: {"slot": ["file", "1.2"], "metadata": TOKEN.as_json()}},
        "configured": {TOKEN.key: TOKEN.as_json()},
        "providers": {
            "vault": {
                "scope": [f"{URL}/repo/other"],
                "command": ["/bin/true"],
                "prints": "response",
                "scheme": "token",
                "username": "",
                "seconds": 10.0,
            }
        },
        "tokens": {
            TOKEN.key: {
                "slot": ["file", "1.0"],
                "metadata": {**TOKEN.as_json(), "expires": "2030-01-01T00:00:00+00:00"},
            }
        },
    }
).encode()
CALLBACK = b"/auth/oidc?code=abc&state=state&scope=openid"
MAIL = f"Hello,\n\nconda token set {VALUE}\nor https://h.example/t/{VALUE}/repo/acme. Bye\n"
GOOD = (
    document([ORGANIZATION]),
    document({"user": {"id": 1, "email": "a@b"}, "subscriptions": [{"org_id": "1"}]}),
    document({"id": "1", "expires_at": "2030-01-01T00:00:00Z", "token": VALUE}),
    document(WHOAMI),
    b"\x06" + json.dumps({"error": {"code": "auth_required", "message": "no seat"}}).encode(),
    b"\x03https://elsewhere.example/login?next=x",
)

NOWHERE = (b"\x03//[", b"\x03https://[::1", b"\x03mailto:x")
ASTRAY = document({**INDEX, "info": {"base_url": "https://h[ir"}})
NESTED = b"[" * 100_000
