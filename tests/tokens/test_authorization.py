"""How a token is put into a request, and that no form of it stays in a text."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.tokens.authorization import (
    address,
    asked_for,
    header,
    other_scheme,
    redacted,
    secret_type,
    without_path_token,
)
from conda_token_plugin.tokens.secret import Password, Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

VALUE = "a/b+c=d?e#f%2Fg{h}i"
URL = "https://host.example/get/priv/noarch/repodata.json"
SCOPE = ("https://host.example/get/priv",)
TOKEN = Token(organization="acme", kind=TokenKind.SITE, scope=SCOPE, scheme=AuthScheme.PATH)
SENT = address(URL, token=TOKEN, secret=Secret(VALUE))
SEGMENT = quote(VALUE, safe="")

printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


@given(printable)
def test_path_token_is_one_segment_whatever_its_characters(value: str) -> None:
    url = address(URL, token=TOKEN, secret=Secret(value))
    sent = requests.Request("GET", url).prepare().url or ""
    parts = urlsplit(sent)
    segments = parts.path.split("/")
    if value not in {".", ".."}:  # dot segments are removed by every client
        assert segments[:2] == ["", "t"]
        assert unquote(segments[2]) == value
        assert "/".join(["", *segments[3:]]) == urlsplit(URL).path
    assert (parts.query, parts.fragment) == ("", "")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/repo/main", "/api/repo/t/SECRET/main"),
        ("/api/repo/main/noarch/x.conda", "/api/repo/t/SECRET/main/noarch/x.conda"),
        ("/api/repository/main", "/t/SECRET/api/repository/main"),
        ("/other", "/t/SECRET/other"),
    ],
)
def test_path_token_is_put_after_the_path_that_comes_before_it(path: str, sent: str) -> None:
    token = TOKEN._replace(path_before="/api/repo")
    assert address(f"https://a.example{path}", token=token, secret=Secret("SECRET")) == (
        f"https://a.example{sent}"
    )


@pytest.mark.parametrize(
    "form", [VALUE, SEGMENT, SEGMENT.replace("%2F", "%2f"), requests.utils.requote_uri(VALUE)]
)
def test_text_is_redacted_in_each_form_of_the_token(form: str) -> None:
    text = redacted(f"GET /t/{form}/get HTTP/1.1", secret=Secret(VALUE))
    assert text == "GET /t/<hidden>/get HTTP/1.1"


@pytest.mark.parametrize("form", [VALUE, SEGMENT, quote(SEGMENT, safe="")])
def test_token_is_removed_from_the_location_in_each_form(form: str) -> None:
    assert without_path_token(f"/t/{form}/evil/x", secret=Secret(VALUE)) == "/evil/x"


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (AuthScheme.TOKEN, "token s3cret"),
        (AuthScheme.BEARER, "Bearer s3cret"),
        (AuthScheme.BASIC, "Basic YWRhOnMzY3JldA=="),
        (AuthScheme.HEADER, "s3cret"),
        (AuthScheme.PATH, None),
    ],
)
def test_header_has_the_form_of_its_scheme(scheme: AuthScheme, expected: str | None) -> None:
    token = TOKEN._replace(scheme=scheme, username="ada" if scheme is AuthScheme.BASIC else "")
    assert header(token, secret=Secret("s3cret")) == expected


@pytest.mark.parametrize("scheme", AuthScheme)
def test_secret_type_is_password_only_for_basic(scheme: AuthScheme) -> None:
    assert secret_type(scheme.value) is (Password if scheme is AuthScheme.BASIC else Secret)


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.BEARER, AuthScheme.BASIC])
def test_address_is_unchanged_if_the_token_is_sent_in_a_header(scheme: AuthScheme) -> None:
    held = Token(organization="acme", kind=TokenKind.SITE, scope=(), scheme=scheme)
    secret = Secret("a-token-0123456789")
    assert address("https://h.example/a/b", token=held, secret=secret) == "https://h.example/a/b"


def test_character_that_is_escaped_as_two_bytes_is_redacted() -> None:
    secret = Password("geheim\u00df")
    for form in ("geheim\u00df", "geheim%C3%9F", "geheim%c3%9f"):
        assert "geheim" not in redacted(f"x {form} y", secret=secret)


@pytest.mark.parametrize(
    ("challenge", "schemes"),
    [
        ("", ()),
        ('Basic realm="x"', ("basic",)),
        ("BEARER", ("bearer",)),
        ('Bearer realm="a, basic b", error="x", Basic realm="y"', ("bearer", "basic")),
        ('Basic realm="a", basic realm="b"', ("basic",)),
        ('Negotiate, Digest realm="basic", x=basic', ()),
        ("Basic-like x", ()),
        (r'Digest realm="\", basic "', ()),
        ('Bearer realm="a, basic', ("bearer",)),
        ('Bearer realm="a\\', ("bearer",)),
    ],
)
def test_schemes_of_a_challenge_are_those_that_a_token_can_be_sent_in(
    challenge: str, schemes: tuple[str, ...]
) -> None:
    assert asked_for(challenge) == schemes


@pytest.mark.parametrize(("scheme", "sent"), [("token", "as token"), ("path", "in the path")])
def test_sentence_about_another_scheme_names_both_schemes_and_the_option(
    scheme: str, sent: str
) -> None:
    assert other_scheme(scheme, asked=("basic", "bearer")) == (
        f"The server asks for basic or bearer, and the token was sent {sent}: "
        "if the server accepts nothing else, use --send-as basic."
    )


@pytest.mark.parametrize("asked", [(), ("bearer", "basic")])
def test_scheme_that_the_server_asks_for_gets_no_sentence(asked: tuple[str, ...]) -> None:
    assert other_scheme("basic", asked=asked) == ""
