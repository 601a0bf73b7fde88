"""The documents of the credential-helper protocol: read and write requests and responses. Pure.

The protocol is specified at https://github.com/EngFlow/credential-helper-spec (``spec.md`` and
``schemas/``). Bazel and ``uv auth helper --protocol=bazel`` implement it. A tool runs
``COMMAND get`` and writes the request to its standard input::

    {"uri": "https://repo.example/acme/main/noarch/repodata.json"}

The command writes the response to its standard output and exits with 0::

    {"headers": {"Authorization": ["Bearer …"]}, "expires": "2027-01-31T12:00:00Z"}

Both properties of the response are optional. Other properties, of both documents, are ignored.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GET = "get"
"""The argument that asks for a credential."""
_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that a header cannot contain (RFC 9110, section 5.5)."""


class Response(NamedTuple):
    """What a credential helper returns for a URI."""

    headers: Mapping[str, Sequence[HeaderValue]]
    """The values of each header, by its name as the helper wrote it. Their texts are redacted."""
    expires: datetime | None = None
    """When the headers stop working, aware, UTC. None if the helper does not say."""


def format_request(uri: str) -> str:
    """Return the request for the credential of ``uri``."""
    return json.dumps({"uri": uri})


def parse_request(text: str) -> str:
    """Return the URI that a request asks for.

    Raises:
        BadInput: It is not a request. The message contains none of ``text``.
    """
    uri = _object(text, what="request").get("uri")
    if not isinstance(uri, str):
        raise _malformed("request", "it has no text with the name 'uri'")
    return uri


def format_response(response: Response) -> str:
    """Return the document that the helper prints. It contains the secret."""
    headers = {
        name: [value.encode().decode() for value in values]
        for name, values in response.headers.items()
    }
    document: dict[str, Any] = {"headers": headers}
    if response.expires is not None:
        moment = response.expires.astimezone(timezone.utc).replace(microsecond=0, tzinfo=None)
        document["expires"] = f"{moment.isoformat()}Z"
    return json.dumps(document)


def parse_response(text: str) -> Response:
    """Return what a helper printed.

    Raises:
        BadInput: It is not a response. The message contains none of ``text``, because it may be
            a secret.
    """
    document = _object(text, what="response")
    headers = document.get("headers", {})
    if not isinstance(headers, dict):
        raise _malformed("response", "'headers' is not an object")
    return Response({name: _values(values) for name, values in headers.items()}, _expiry(document))


def _object(text: str, *, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        value = None
    if not isinstance(value, dict):
        raise _malformed(what, "it is not a JSON object")
    return value


def _values(values: object) -> tuple[HeaderValue, ...]:
    if not (isinstance(values, list) and all(isinstance(one, str) for one in values)):
        raise _malformed("response", "a header is not a list of texts")
    if any(_CONTROL.search(one) for one in values):
        raise _malformed("response", "a header contains a line break or another control character")
    return tuple(map(HeaderValue, values))


def _expiry(document: Mapping[str, Any]) -> datetime | None:
    """Return the time in ``expires``: RFC 3339, with any number of digits after the second."""
    if "expires" not in document:
        return None
    text = document["expires"]
    match = _RFC_3339.fullmatch(text) if isinstance(text, str) else None
    try:
        if match is not None:
            return _moment(match)
    except (ValueError, OverflowError):  # month 13; the first or last hours that there are
        pass
    raise _malformed("response", "'expires' is not a date and time as in RFC 3339")


def _moment(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    # The second 60, a leap second, is valid in RFC 3339 and not in Python.
    local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
    return local + offset if match[8] == "-" else local - offset


def _malformed(what: str, fault: str) -> BadInput:
    return BadInput(
        f"The {what} does not follow the credential-helper protocol: {fault}.",
        hint="The protocol is described at https://github.com/EngFlow/credential-helper-spec.",
    )
