"""The two requests of every OAuth login: the endpoints, and an access token.

oauthlib composes the bodies of requests and reads the responses (RFC 6749, RFC 8628).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedURL
from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.service.models import JsonReader, document
from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from oauthlib.oauth2 import Client

    from conda_token_plugin.gateways.http.client import Http
    from conda_token_plugin.tokens.secret import Secret

DISCOVERY = "/.well-known/openid-configuration"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of a service (OpenID Connect Discovery 1.0, RFC 8628 section 4)."""

    authorization: str
    token: str
    device: str
    """Empty if there is no login by code."""


class OAuthRefused(Exception):  # a response, which the caller interprets
    """The token endpoint refused; ``code`` is an error of RFC 6749, 5.2 or RFC 8628, 3.5."""

    def __init__(self, code: str) -> None:
        """Store ``code`` if it has the form of one, because users see it."""
        self.code = code if re.fullmatch(r"[\w.-]{1,40}", code, re.ASCII) else "unknown error"
        super().__init__(self.code)

    @property
    def login_error(self) -> LoginIncomplete:
        """The error that ends the login."""
        reasons = {
            "access_denied": "was denied in the browser",
            "expired_token": "was not finished in time: its code has expired",
        }
        return LoginIncomplete(reasons.get(self.code, f"was refused by the service ({self.code})"))


def discover(http: Http, service_url: str) -> Endpoints:
    """Return the endpoints of the service.

    Raises:
        ServiceError: There was no response, or it has no usable endpoints.
    """
    found = document(http.send("GET", service_url + DISCOVERY, follow=True))
    device = found["device_authorization_endpoint"]
    return Endpoints(
        authorization=address(found["authorization_endpoint"]),
        token=address(found["token_endpoint"]),
        device="" if device.value is None else address(device),
    )


def address(part: JsonReader) -> str:
    """Return an address that may get secrets and be shown: https, or on this machine."""
    start, _, query = part.text.partition("?")
    try:
        normalised(start)
    except MalformedURL:  # not encrypted, or not an address
        raise part.wrong("an https address") from None
    if not query.isprintable() or not query.isascii() or " " in query:
        raise part.wrong("an https address")
    return part.text


def access_token(http: Http, endpoint: str, *, client: Client, body: str) -> Secret:
    """Return an access token from the token endpoint.

    ``client`` prepared the form ``body``, and reads the response.

    Raises:
        OAuthRefused: The endpoint refuses, or has no token yet.
        ServiceError: There was no response, or it is not an OAuth response.
    """
    from oauthlib.oauth2 import OAuth2Error

    response = http.send("POST", endpoint, form=body, headers=FORM)
    whole = JsonReader(response.json(), response.url)
    if not isinstance(whole.value, dict):
        raise whole.wrong("an object")
    try:
        client.parse_request_body_response(json.dumps(whole.value))
    except OAuth2Error as error:
        code = str(error.error)
    except (TypeError, ValueError, AttributeError):  # a number or a list instead of a text
        raise whole.wrong("an OAuth response") from None
    else:
        return whole["access_token"].secret
    if not whole["error"].value:
        raise whole["access_token"].wrong("a token")
    raise OAuthRefused(code)
