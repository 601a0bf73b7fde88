"""Each row of the table of diagnoses, and what every diagnosis says."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from conda_token_plugin.auth.error_hints import headers_in
from conda_token_plugin.errors.organization import NoSeat, NoSuchOrganization
from conda_token_plugin.operations.refusal_evidence import (
    SHARED,
    Answers,
    ChannelRefusal,
    Evidence,
    organization_of,
    refusal_of,
)
from conda_token_plugin.operations.refusal_reasons import Diagnosis, diagnosed
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.token import Token, TokenKind, TokenVerdict

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
URL = "https://repo.example/repo/acme/main/noarch/repodata.json"
TOKEN = Token(
    organization="acme",
    kind=TokenKind.INDIVIDUAL,
    scope=("https://repo.example/repo/acme",),
    last_four="ab12",
    issued=NOW - timedelta(days=90),
    expires=NOW + timedelta(days=90),
)
SITE = {"kind": TokenKind.SITE}
SUPPLIED = {"kind": TokenKind.UNKNOWN, "expires": None, "issued": None}


def evidence(*, token: dict[str, Any] | None = None, answer: Any = None, **facts: Any) -> Evidence:
    """What is known when the token of acme, with these changes, was refused."""
    held = TOKEN if token is None else TOKEN._replace(**token)
    said = {field.name: facts.pop(field.name) for field in fields(Answers) if field.name in facts}
    return Evidence(
        refusal=ChannelRefusal(url=URL, status=403, **(answer or {})),
        now=NOW,
        answers=Answers(**said),
        **{"organization": "acme", "token": held, "source": "file", **facts},
    )


ROWS = {
    "intercepted": evidence(answer={"interceptor": "squid"}),
    "own_credentials": evidence(answer={"own_credentials": True}),
    "no_token": Evidence(refusal=ChannelRefusal(url=URL, status=403), now=NOW, organization="acme"),
    "not_for_this": evidence(elsewhere=True),
    "no_seat": evidence(service_refused=NoSeat("acme")),
    "reissued": evidence(outcome=SyncOutcome.REISSUED),
    "revoked": evidence(outcome=SyncOutcome.REVOKED),
    "ended": evidence(outcome=SyncOutcome.ENDED, token={"subscription_ends": NOW}),
    "cancelled": evidence(outcome=SyncOutcome.CANCELLED),
    "expired": evidence(token={"expires": NOW - timedelta(days=1)}),
    "refused": evidence(),
}


def test_user_outside_the_group_of_the_machines_token_is_sent_to_the_administrator() -> None:
    refusal = ChannelRefusal(url=URL, status=403)
    found = said(Evidence(refusal=refusal, now=NOW, organization="acme", closed_to="devs"))
    assert found.code == "not_in_group"
    assert found.what.startswith(
        "This machine has a token for acme, but you are not in the group devs (HTTP 403"
    )
    assert found.command == "Ask your administrator."


@pytest.mark.parametrize("code", ROWS)
def test_each_diagnosis_has_its_code_the_url_and_one_command(code: str) -> None:
    found = said(ROWS[code])

    assert found.code == code
    assert URL in found.what
    assert "HTTP 403" in found.what
    assert found.text.count("conda token ") == 1
    assert "\n" not in found.text


@pytest.mark.parametrize("code", sorted(set(ROWS) - {"no_token", "intercepted", "own_credentials"}))
def test_diagnosis_names_the_token_its_organization_and_source(code: str) -> None:
    assert "token …ab12 of acme from the file store" in said(ROWS[code]).what


def test_imported_token_is_named_with_the_store_that_contains_it() -> None:
    found = said(evidence(token=SUPPLIED, source="keyring"))
    assert "from the keyring store" in found.what


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"verdict": TokenVerdict.REVOKED}, "revoked"),
        ({"verdict": TokenVerdict.CANCELLED}, "cancelled"),
        ({"expires": NOW}, "expired"),
        ({"expires": NOW + timedelta(seconds=1)}, "refused"),
    ],
)
def test_metadata_decides_without_an_answer(facts: dict[str, Any], code: str) -> None:
    assert said(evidence(token=facts)).code == code


def test_answer_of_the_service_has_precedence_over_metadata() -> None:
    expired = {"expires": NOW - timedelta(days=1)}

    assert said(evidence(token=expired, outcome=SyncOutcome.EXTENDED)).code == "not_for_this"
    assert said(evidence(token=expired, outcome=SyncOutcome.REISSUED)).code == "reissued"


def test_other_refusal_of_the_service_is_quoted() -> None:
    error = NoSuchOrganization("acme", known={"globex": "Globex"})

    found = said(evidence(service_refused=error))

    assert found.code == "refused"
    assert "not a member of an organization 'acme'" in found.what
    assert found.command == "Run: conda token whoami"


def test_diagnosis_shows_when_the_token_was_last_valid() -> None:
    verified = said(
        evidence(outcome=SyncOutcome.REVOKED, token={"verified": NOW - timedelta(days=2)})
    )
    never = said(evidence(outcome=SyncOutcome.REVOKED, token={"issued": None}))

    assert "after 2026-11-22" in verified.what
    assert "after an unknown date" in never.what


def test_command_depends_on_the_kind_of_the_token() -> None:
    expired = {"expires": NOW - timedelta(days=1)}

    assert said(evidence(token=expired | SITE)).command.endswith("install --site --org acme")
    supplied = said(evidence(token=SUPPLIED, source="ANACONDA_REPO_TOKEN_ACME"))
    assert supplied.command.startswith("Put a new one into ANACONDA_REPO_TOKEN_ACME, then run:")
    imported = said(evidence(token=SUPPLIED, source="file", outcome=SyncOutcome.REVOKED))
    assert imported.command.endswith("install --org acme")
    assert "seat" not in said(evidence(outcome=SyncOutcome.REVOKED, token=SITE)).what


def test_web_page_is_mentioned_and_does_not_change_the_code() -> None:
    found = said(evidence(answer={"page": True}))

    assert found.code == "refused"
    assert "the response is a web page" in found.what


def test_shared_channel_names_no_organization() -> None:
    found = said(
        Evidence(refusal=ChannelRefusal(url=URL, status=403), now=NOW, organization=SHARED)
    )

    assert found.command == "Run: conda token install"


def test_url_outside_the_repository_without_a_token_has_no_diagnosis() -> None:
    assert diagnosed(Evidence(refusal=ChannelRefusal(url=URL, status=403), now=NOW)) is None
    blocked = ChannelRefusal(url=URL, status=403, interceptor="squid")
    assert diagnosed(Evidence(refusal=blocked, now=NOW)) is None


@pytest.mark.parametrize(
    ("path", "organization"),
    [
        ("acme/main/noarch/repodata.json", "acme"),
        ("my%20org/main/noarch/repodata.json", "my org"),
        ("main/noarch/repodata.json", SHARED),
        ("pro/linux-64/tool-1-0.conda", SHARED),
        ("../acme/main/noarch/repodata.json", ""),
    ],
)
def test_organization_is_read_from_the_path(path: str, organization: str) -> None:
    settings = Settings({"CONDA_TOKEN_REPO_URL": "https://repo.example/repo/"})

    assert organization_of(f"https://repo.example/repo/{path}", settings=settings) == (organization)
    assert organization_of(f"https://other.example/repo/{path}", settings=settings) == ""


@pytest.mark.parametrize(
    ("headers", "interceptor"),
    [
        ({"server": "squid/6.6"}, "squid"),
        ({"via": "1.1 gate (Zscaler/6.2)"}, "Zscaler"),
        ({"x-squid-error": "ERR_ACCESS_DENIED 0", "server": "squid"}, "squid"),
        ({"server": "cloudflare", "content-type": "text/html"}, ""),
        ({"server": "nginx"}, ""),
        ({}, ""),
    ],
)
def test_proxy_is_recognized_by_its_headers(headers: dict[str, str], interceptor: str) -> None:
    assert refusal_of(URL, status=403, headers=headers).interceptor == interceptor


@pytest.mark.parametrize(
    ("url", "own"),
    [
        (URL, False),
        (f"{URL}?x=1", False),
        (URL.replace("https://", "https://ann:secret-1@"), True),
        (URL.replace("/repo/", "/t/secret-1/repo/", 1), True),
    ],
)
def test_credentials_in_the_url_are_detected_and_not_shown(url: str, own: bool) -> None:  # noqa: FBT001  # a case
    refusal = refusal_of(url, status=401, headers={})

    assert refusal.own_credentials is own
    assert refusal.url == URL
    assert refusal.channel == "https://repo.example/repo/acme/main"


def test_headers_are_read_from_the_response_details_of_conda() -> None:
    details = "\n>>GET / HTTP\n> Via: mine\n\n<<HTTP 403 Forbidden\n< Via: 1.1 x\n< Server: y\n"

    assert headers_in(details) == {"via": "1.1 x", "server": "y"}


def said(facts: Evidence) -> Diagnosis:
    """The diagnosis that there has to be."""
    found = diagnosed(facts)
    assert found is not None
    return found


def test_command_is_quoted_for_the_shell() -> None:
    """A channel's URL may be from somebody else's environment file."""
    url = "https://repo.example/repo/x;$(reboot)/main/noarch/repodata.json"
    settings = Settings({"CONDA_TOKEN_REPO_URL": "https://repo.example/repo"})
    organization = organization_of(url, settings=settings)
    facts: dict[str, Any] = {"refusal": ChannelRefusal(url=url, status=403), "now": NOW}

    nobody = said(Evidence(**facts, organization=organization))
    another = said(
        Evidence(**facts, organization=organization, token=TOKEN, answers=Answers(elsewhere=True))
    )

    assert nobody.command == "Run: conda token install --org 'x;$(reboot)'"
    assert another.command == f"Run: conda token which '{url}'"
    hidden = organization_of("https://repo.example/repo/%1b[2J/main/x", settings=settings)
    assert hidden.isprintable()


@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [
        ({"public": True}, "works_without", "is not needed"),
        ({"sent": False}, "not_asked", "channel_settings: [{channel:"),
    ],
    ids=["public", "not asked"],
)
def test_refusal_that_is_not_about_the_token_suggests_no_new_token(
    facts: dict[str, Any], code: str, words: str
) -> None:
    found = said(evidence(**facts, outcome=SyncOutcome.REVOKED))

    assert found.code == code
    assert words in found.text
    assert "install" not in found.text


def test_refusal_without_an_answer_says_whether_the_token_was_ever_verified() -> None:
    never = said(evidence()).what
    once = said(evidence(token={"verified": NOW})).what

    assert never == (
        f"The server rejected the token …ab12 of acme from the file store (HTTP 403, {URL}). "
        "It was never verified, so it may be wrong, revoked or expired."
    )
    assert "It was last verified on 2026-11-24" in once


def test_refusal_of_an_unverified_given_token_names_the_scheme_that_the_server_asks_for() -> None:
    headers = {"www-authenticate": 'Basic realm="conda"'}
    asked = refusal_of(URL, status=401, headers=headers).asked
    given = said(evidence(token=SITE, answer={"asked": asked}))
    assert given.code == "refused"
    assert "asks for basic, and the token was sent as token" in given.what
    verified = said(evidence(token={**SITE, "verified": NOW}, answer={"asked": asked}))
    issued = said(evidence(answer={"asked": asked}))
    assert "--send-as" not in verified.what + issued.what


@pytest.mark.parametrize(
    ("source", "site", "command"),
    [
        ("login to https://service.example", "", "Run: conda token login"),
        ("login to https://corp.example", "corp", "Run: conda token login --at corp"),
        ("ANACONDA_AUTH_API_KEY", "", "Put a new one into ANACONDA_AUTH_API_KEY, then run: "),
        ("/run/secrets/anaconda_auth_api_key", "", "Put a new one into /run/secrets/anaconda_"),
    ],
)
@pytest.mark.parametrize("expires", [None, NOW - timedelta(days=1)], ids=["refused", "expired"])
def test_refused_api_key_is_replaced_where_it_is_from(
    source: str, site: str, command: str, expires: datetime | None
) -> None:
    key = {"kind": TokenKind.API_KEY, "issued": None, "expires": expires}
    assert said(evidence(token=key, source=source, site=site)).command.startswith(command)
