"""The two things that every OAuth login asks: where the endpoints are, and for an access token.

What goes into the requests, and what the answers mean, is oauthlib's business (RFC 6749, 8628).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedURL
from conda_token_plugin.errors.login import LoginAbandoned
from conda_token_plugin.errors.service import ServiceNonsense
from conda_token_plugin.service.models import JsonReader
from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from oauthlib.oauth2 import Client

    from conda_token_plugin.gateways.http.client import Http
    from conda_token_plugin.tokens.secret import Secret

DISCOVERY = "/.well-known/openid-configuration"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a service logs people in (OpenID Connect Discovery 1.0, RFC 8628 section 4)."""

    authorization: str
    token: str
    device: str
    """Empty where there is no device login."""


class OAuthRefused(Exception):  # an answer; what it means is up to who asked
    """The token endpoint said no; ``code`` is the error of RFC 6749, 5.2 or RFC 8628, 3.5."""

    def __init__(self, code: str) -> None:
        """Keep ``code`` if it looks like one: it is shown to people."""
        self.code = code if re.fullmatch(r"[\w.-]{1,40}", code, re.ASCII) else "unknown error"
        super().__init__(self.code)

    @property
    def abandoned(self) -> LoginAbandoned:
        """The error that this ends the login with."""
        reasons = {
            "access_denied": "was denied in the browser",
            "expired_token": "was not finished in time: its code has expired",
        }
        return LoginAbandoned(reasons.get(self.code, f"was refused by the service ({self.code})"))


def discover(http: Http, service_url: str) -> Endpoints:
    """Ask the service for its endpoints.

    Raises:
        ServiceError: no answer, or one without usable endpoints.
    """
    answer = http.send("GET", service_url + DISCOVERY, follow=True)
    if not answer.ok:
        raise ServiceNonsense(answer.url, got=answer.nature)
    found = JsonReader(answer.json(), answer.url)
    device = found["device_authorization_endpoint"]
    return Endpoints(
        authorization=address(found["authorization_endpoint"]),
        token=address(found["token_endpoint"]),
        device="" if device.value is None else address(device),
    )


def address(part: JsonReader) -> str:
    """An address to send a secret or the user to: https, or this machine, and fit to be shown."""
    start, _, query = part.text.partition("?")
    try:
        normalised(start)
    except MalformedURL:  # in the clear, or nothing that a request can be sent to
        raise part.wrong("an https address") from None
    if not query.isprintable() or not query.isascii() or " " in query:
        raise part.wrong("an https address")
    return part.text


def access_token(http: Http, endpoint: str, *, client: Client, body: str) -> Secret:
    """Ask the token endpoint, with the ``body`` that ``client`` prepared.

    Raises:
        Refused: it says no, or not yet.
        ServiceError: no answer, or one that makes no sense.
    """
    from oauthlib.oauth2 import OAuth2Error

    answer = http.send("POST", endpoint, form=body, headers=FORM)
    whole = JsonReader(answer.json(), answer.url)
    if not isinstance(whole.value, dict):
        raise whole.wrong("an object")
    try:
        client.parse_request_body_response(json.dumps(whole.value))
    except OAuth2Error as error:
        code = str(error.error)
    except (TypeError, ValueError, AttributeError):  # a number or a list where a text belongs
        raise whole.wrong("an OAuth answer") from None
    else:
        return whole["access_token"].secret
    if not whole["error"].value:
        raise whole["access_token"].wrong("a token")
    raise OAuthRefused(code)
