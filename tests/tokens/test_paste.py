"""The token in a pasted text, or an error that says what was expected."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.tokens.paste import token_in

TOKEN = "Aa0" * 16
OTHER = "Zz9" * 16
ODD = "ab-12345678-90_cd.ef"
TEMPLATES = [
    "{}",
    "  {}  ",
    "{}\n",
    "\t{}\r\n",
    "'{}'",
    '"{}"',
    "`{}`",
    "<{}>",
    "({}),",
    "{};",
    "\u201c{}\u201d",
    "\ufeff{}",
    "\u200b{}\u200b",
    "\u00a0{}\u00a0",
    "https://repo.anaconda.cloud/t/{}/repo/acme/main",
    "https://repo.anaconda.cloud/t/{}",
    "<https://repo.anaconda.cloud/t/{}/repo/acme/main>",
    "  - https://conda.acme.example/t/{}/get/main",
    "conda config --add channels 'https://repo.anaconda.cloud/t/{}/repo/main'",
    "channels:\n  - https://h/t/{0}/a\n  - https://h/t/{0}/b\n",
    "conda token set {}",
    "$ conda token set {}",
    "(base) C:\\Users\\ada>conda token set {}",
    "conda token set --org acme {}",
    "conda token set {} --org acme",
    "conda token set --token={}",
    "conda token set --token {}",
    'conda token set "{}"',
    "anaconda token set {}",
    "anaconda token set -o acme {}",
    "anaconda token install {}",
    "anaconda token install --org acme {}   # or ask Bob",
    "anaconda token install --org acme-industries {}; conda info",
    "python -m conda token set {}",
    "conda-token set {}",
    "conda-token-plugin install --site --org acme {}",
    "Run `conda token set {}`.",
    "Please run conda token set {} and then restart.",
    "Authorization: token {}",
    "authorization: Bearer {}",
    "curl -H 'Authorization: token {}' https://repo.anaconda.cloud/repo/main",
    '{{"Authorization": "token {}"}}',
    "ANACONDA_REPO_TOKEN={}",
    'export ANACONDA_REPO_TOKEN="{}"',
    "$env:ANACONDA_REPO_TOKEN = '{}'",
    "token: {}",
    '{{"token": "{}", "expires_at": "2030-01-01"}}',
    "Here is your token: {}.",
]
MAILS = [
    "Dear Ada,\n\nyour site token is\n\n    {}\n\nIt expires on 2030-01-01. Regards, Bob",
    "Token:\n{}\n",
    "Organization: 0b0a3a52-5a5e-4a0e-8b4a-0f6c3b0f9f5e\nOrganization token: acme\nValue {}",
    "Go to https://anaconda.com/app/organizations/acme-industries and paste {}, please.",
    "anaconda token set\n{}\n",
    "Run: conda token set <TOKEN>\nwhere the token is {}",
]


@pytest.mark.parametrize("template", TEMPLATES + MAILS)
def test_token_is_found_in_a_pasted_text(template: str) -> None:
    assert token_in(template.format(TOKEN)).reveal() == TOKEN


@pytest.mark.parametrize("template", TEMPLATES)
def test_token_of_another_form_is_found_where_a_command_or_a_url_marks_it(template: str) -> None:
    assert token_in(template.format(ODD)).reveal() == ODD


@pytest.mark.parametrize("template", TEMPLATES + MAILS)
@given(token=st.text("abcXYZ0189", min_size=48, max_size=48))
def test_any_token_of_the_present_form_is_found(template: str, token: str) -> None:
    assert token_in(template.format(token)).reveal() == token


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        (" \n\t ", "it is empty"),
        ("''", "it is empty"),
        ("\u200b", "it is empty"),
        *(
            (f"{TOKEN}{end}".encode(encoding).decode(), "null characters; save it as UTF-8")
            for encoding in ("utf-16-le", "utf-16-be", "utf-32-le")
            for end in ("", "\r\n")
        ),
        (
            "two words",
            "no token was found in it; a token of anaconda.com has 48 letters and digits",
        ),
        (f"{TOKEN[:24]}\n{TOKEN[24:]}", "no token was found"),
        ("anaconda token install", "no token was found"),
        ("anaconda token install --org acme-industries", "no token was found"),
        ("https://repo.anaconda.cloud/repo/acme/main", "a URL without a token"),
        ("https://repo.anaconda.cloud/t/<TOKEN>/repo/acme", "it is only a placeholder"),
        ("conda token set <TOKEN>", "it is only a placeholder"),
        ("conda token set YOUR_TOKEN_HERE", "it is only a placeholder"),
        ("conda token set $TOKEN", "it is only a placeholder"),
        ("%TOKEN%", "it is only a placeholder"),
        ("************", "it is only a placeholder"),
        ("xxxxxxxx", "it is only a placeholder"),
        ("yes", "it has 3 characters"),
        ("token: yes", "it has 3 characters"),
        (f"{TOKEN} {OTHER}", "there are several"),
        (f"https://h/t/{TOKEN}/a https://h/t/{OTHER}/a", "there are several"),
        (f"conda token set {ODD} conda-token-of-acme", "there are several"),
        ("sch\u00f6nes-passwort", "a character that is not valid in an HTTP header"),
        ("a" * 70_000, "it has 70000 characters; paste the line that contains the token"),
    ],
)
def test_text_without_one_token_is_refused_with_what_was_expected(text: str, words: str) -> None:
    with pytest.raises(MalformedToken, match=re.escape(words)):
        token_in(text)


@given(st.text())
def test_message_shows_nothing_of_the_pasted_text(text: str) -> None:
    try:
        found = token_in(text).reveal()
    except MalformedToken as error:
        fixed = str(error)
        assert all(word not in fixed for word in text.split() if len(word) > 8)
    else:
        assert all(character in text for character in found)


@given(st.text(max_size=20), st.text(max_size=20))
def test_token_in_a_url_is_found_in_any_other_text(before: str, after: str) -> None:
    text = f"{before} https://h/t/{TOKEN}/repo {after}"
    if "/t/" not in before + after:
        assert token_in(text).reveal() == TOKEN


def test_text_with_many_beginnings_of_a_token_is_refused() -> None:
    for text in (
        "token:" * 10_000,
        "/t/" * 20_000,
        "conda token set " * 4_000,
        "a-" * 30_000,
        "your" * 15_000,
    ):
        with pytest.raises(MalformedToken):
            token_in(text)
