"""The documents of the credential-helper protocol: what its specification allows is read."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.tokens.credential_helper import (
    Response,
    format_request,
    format_response,
    parse_request,
    parse_response,
)
from conda_token_plugin.tokens.secret import HeaderValue

URI = "https://repo.example/acme/main"
VALUE = "Bearer MadeUpToken0123456789"
HEADERS = {"Authorization": [VALUE]}
NOON = datetime(2027, 1, 31, 12, tzinfo=timezone.utc)


def values(response: Response) -> dict[str, list[str]]:
    """The real headers of a response."""
    return {
        name: [one.encode().decode() for one in some] for name, some in response.headers.items()
    }


def test_request_is_read_as_it_was_written() -> None:
    assert json.loads(format_request(URI)) == {"uri": URI}
    assert parse_request(format_request(URI)) == URI


def test_request_may_have_other_properties() -> None:
    assert parse_request(json.dumps({"uri": URI, "more": [1]})) == URI


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', "{}", '{"uri": null}', '{"url": "x"}', "[" * 100_000]
)
def test_text_that_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="request"):
        parse_request(text)


def test_response_is_read_as_it_was_written() -> None:
    response = Response({"Authorization": (HeaderValue(VALUE),)}, NOON)
    text = format_response(response)
    assert json.loads(text) == {"headers": HEADERS, "expires": "2027-01-31T12:00:00Z"}
    again = parse_response(text)
    assert values(again) == HEADERS
    assert again.expires == NOON


def test_response_without_expiry_is_written_without_it() -> None:
    assert json.loads(format_response(Response({}))) == {"headers": {}}


@pytest.mark.parametrize("text", ["{}", '{"headers": {}}', '{"headers": {}, "more": 1}'])
def test_empty_response_has_no_header(text: str) -> None:
    assert parse_response(text) == ({}, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31T12:00:00Z", NOON),
        ("2027-01-31t12:00:00z", NOON),
        ("2027-01-31 13:00:00+01:00", NOON),
        ("2027-01-31T08:30:00-03:30", NOON),
        ("2027-01-31T12:00:00.1Z", NOON),
        ("2027-01-31T12:00:00.123456789Z", NOON),
        ("2026-12-31T23:59:60Z", datetime(2026, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    ],
)
def test_expiry_is_read_in_every_form_of_rfc_3339(text: str, moment: datetime) -> None:
    assert parse_response(json.dumps({"expires": text})).expires == moment


@pytest.mark.parametrize(
    "expires",
    [
        *("", "soon", "2027-01-31", "2027-01-31T12:00:00", "2027-13-01T00:00:00Z", 1800000000),
        *(None, "0001-01-01T00:00:00+23:59", "20270131T120000Z"),
    ],
)
def test_expiry_that_is_not_rfc_3339_is_refused(expires: object) -> None:
    with pytest.raises(BadInput, match="expires"):
        parse_response(json.dumps({"headers": HEADERS, "expires": expires}))


@pytest.mark.parametrize(
    "headers",
    [
        *([], None, "x", {"Authorization": VALUE}, {"Authorization": [1]}, {"x": None}),
        *({"Authorization": [f"{VALUE}\r\nX-Other: 1"]}, {"Authorization": [f"{VALUE}\0"]}),
    ],
)
def test_headers_that_are_not_lists_of_header_values_are_refused(headers: object) -> None:
    with pytest.raises(BadInput) as refused:
        parse_response(json.dumps({"headers": headers}))
    assert "MadeUp" not in str(refused.value)


@pytest.mark.parametrize("text", ["", VALUE, f'"{VALUE}"', f'{{"headers": "{VALUE}', "[" * 100_000])
def test_text_that_is_no_response_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput, match="response") as refused:
        parse_response(text)
    assert "MadeUp" not in str(refused.value)


def test_response_shows_no_header_in_its_text() -> None:
    response = parse_response(json.dumps({"headers": HEADERS}))
    assert "MadeUp" not in f"{response} {response!r} {dict(response.headers)}"
