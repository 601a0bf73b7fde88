"""Verifying a token: what counts as a verification, and how many requests it makes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from responses import matchers

from conda_token_plugin.errors.service import NoChannel, TokenRefused, UnexpectedResponse
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.operations.check_channel import DirectSender
from conda_token_plugin.operations.verify_token import verify
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind
from tests.service.conftest import FAULTS
from tests.support.servers import recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.sandbox import Sandbox

SHORT = Timeouts(connect=2.0, read=2.0, retries=1)
CHANNEL = "https://repo.invalid/channel"
INDEX = f"{CHANNEL}/noarch/repodata.json"
PACKAGE = f"{CHANNEL}/noarch/a-1-0.conda"
AUTHORIZED = [matchers.header_matcher({"Authorization": f"token {'t' * 48}"})]
LISTED = json.dumps({"packages": {}, "packages.conda": {"a-1-0.conda": {"name": "a"}}})


def token(*scope: str, kind: TokenKind = TokenKind.INDIVIDUAL, **facts: Any) -> Token:
    return Token(organization="acme", kind=kind, scope=scope, **facts)


def verified(**facts: Any) -> Verification:
    """Verify a token at the channel that ``responses`` plays."""
    return verify([CHANNEL], token=token(CHANNEL, **facts), secret=Secret("t" * 48))


def secret_of(sandbox: Sandbox) -> Secret:
    return Secret(sandbox.world.issue("acme", "ada").value)


def asked(sandbox: Sandbox) -> list[tuple[str, str]]:
    start = "/repo/"
    return [(r.method, r.path[r.path.index(start) + len(start) :]) for r in sandbox.requests]


@pytest.mark.parametrize(
    ("moved", "sent"), [("moved-here", [True, True]), ("moved-out", [True, False])]
)
def test_redirect_out_of_scope_is_followed_without_the_token(moved: str, sent: list[bool]) -> None:
    value = "t" * 20
    with recording() as wire:
        channel = f"{wire.url}/repo/acme/{moved}"
        with pytest.raises(UnexpectedResponse, match="not repodata"):
            verify([channel], token=token(f"{wire.url}/repo/acme"), secret=Secret(value))
        proving = wire.requests[:2]
        variables = {"CONDA_TOKEN_REPO_URL": f"{wire.url}/repo", "ANACONDA_REPO_TOKEN_ACME": value}
        wire.requests.clear()
        DirectSender(Lookup(Settings(variables), stores={})).get(f"{channel}/noarch/x", max_bytes=9)

    for arrivals in (proving, wire.requests):
        assert [bool(one.header("Authorization")) for one in arrivals] == sent


# -- proofs --------------------------------------------------------------------------------------


def test_verification_downloads_a_package_in_two_requests(sandbox: Sandbox) -> None:
    channel = sandbox.url_of("acme", "main")
    proof = verify([channel], token=token(channel), secret=secret_of(sandbox))
    assert proof.what == "package"
    assert [method for method, _ in asked(sandbox)] == ["GET", "HEAD"]
    assert proof.url.startswith(f"{channel}/noarch/acme-hello-")


def test_shared_channel_is_the_last_choice_and_verifies_nothing(sandbox: Sandbox) -> None:
    scope = [sandbox.url_of(*names) for names in (("acme",), ("r",), ("msys2",), ("main",))]
    found = verify(scope, token=token(*scope), secret=secret_of(sandbox))
    assert found.url.startswith(sandbox.url_of("main"))
    assert (found.own, found.verified) == (False, False)
    assert "not verified for the channels of acme. Run: conda token test URL" in found.sentence
    own = [*scope, sandbox.url_of("acme", "main")]
    found = verify(own, token=token(*scope), secret=secret_of(sandbox))
    assert found.url.startswith(sandbox.url_of("acme", "main"))
    assert found.verified


def test_named_channel_is_tried_before_the_shared_ones(sandbox: Sandbox) -> None:
    channel, shared = sandbox.url_of("acme", "private"), sandbox.url_of("main")
    tried = token(shared, channel, channels=(channel,))
    proof = verify(tried.scope, token=tried, secret=secret_of(sandbox))
    assert proof.url.startswith(channel)
    assert len(sandbox.requests) == 2


def test_redirect_to_storage_verifies_and_is_not_followed(sandbox: Sandbox) -> None:
    channel = sandbox.url_of("acme", "private")
    assert verify([channel], token=token(channel), secret=secret_of(sandbox)).what == "package"
    assert [r.status for r in sandbox.requests] == [206, 302]


def test_prefix_that_is_not_a_channel_is_skipped(sandbox: Sandbox) -> None:
    scope = [sandbox.url_of("acme"), sandbox.url_of("acme", "main")]
    proof = verify(scope, token=token(*scope), secret=secret_of(sandbox))
    assert proof.url.startswith(scope[1])


def test_public_repodata_does_not_verify_a_wrong_token(sandbox: Sandbox) -> None:
    channel = sandbox.url_of("acme", "public-index")
    with pytest.raises(TokenRefused):
        verify([channel], token=token(channel), secret=Secret("bad-bad-bad-bad"))
    assert [r.status for r in sandbox.requests] == [206, 401, 401]


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        (AuthScheme.TOKEN, "token the-value-of-it"),
        (AuthScheme.BEARER, "Bearer the-value-of-it"),
        (AuthScheme.BASIC, "Basic bWU6dGhlLXZhbHVlLW9mLWl0"),
    ],
)
@responses.activate
def test_token_is_sent_by_its_scheme(scheme: AuthScheme, sent: str) -> None:
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE)
    tried = token(CHANNEL, scheme=scheme, username="me" if scheme is AuthScheme.BASIC else "")
    verify([CHANNEL], token=tried, secret=Secret("the-value-of-it"))
    values = [call.request.headers["Authorization"].encode() for call in responses.calls]
    assert values == [sent.encode()] * 2


def test_token_in_the_path_is_accepted_and_not_shown(sandbox: Sandbox) -> None:
    channel, secret = sandbox.url_of("acme", "main"), secret_of(sandbox)
    proof = verify([channel], token=token(channel, scheme=AuthScheme.PATH), secret=secret)
    assert sandbox.requests
    assert all(r.path.startswith(f"/t/{secret.reveal()}/repo/") for r in sandbox.requests)
    assert not any(r.authorization for r in sandbox.requests)
    assert secret.reveal() not in proof.url


@pytest.mark.parametrize("public", [True, False])
@responses.activate
def test_empty_channel_is_verified_by_its_index_unless_that_is_public(
    public: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    responses.get(INDEX, body='{"packages": {}}', match=AUTHORIZED)
    responses.get(INDEX, body="{", status=206 if public else 401)
    proof = verified()
    assert (proof.what, proof.public) == ("repodata", public)
    assert "Authorization" not in responses.calls[1].request.headers


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 500, 501])
@pytest.mark.parametrize("public", [True, False])
@responses.activate
def test_file_is_public_if_get_without_the_token_returns_it_whatever_head_does(
    public: bool,  # noqa: FBT001  # a parameter of the test
    status: int,
) -> None:
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE, status=status)
    responses.get(PACKAGE, status=206, body=b"P", match=AUTHORIZED)
    responses.get(PACKAGE, status=206 if public else 403, body=b"P")
    found = verified(kind=TokenKind.SITE)
    assert (found.public, found.verified) == (public, not public)
    assert responses.calls[-1].request.headers["Range"] == "bytes=0-0"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 501])
@responses.activate
def test_head_that_fails_is_repeated_as_get_of_one_byte(status: int) -> None:
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE, status=status)
    responses.get(PACKAGE, status=206, body=b"P")
    assert verified().url == PACKAGE
    assert responses.calls[2].request.headers["Range"] == "bytes=0-0"


@pytest.mark.parametrize(
    "fault", [{"status": 501}, {"body": requests.ReadTimeout()}], ids=["501", "closed"]
)
@responses.activate
def test_site_token_is_verified_by_a_server_that_does_not_answer_head(fault: Any) -> None:
    """The package is also requested without the token, to see whether it is public."""
    site = token(CHANNEL)._replace(kind=TokenKind.SITE)
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE, **fault)
    responses.get(PACKAGE, status=206, body=b"P", match=AUTHORIZED)
    responses.get(PACKAGE, status=403)
    proof = verify([CHANNEL], token=site, secret=Secret("t" * 48))
    assert (proof.url, proof.public) == (PACKAGE, False)


@responses.activate
def test_only_the_beginning_of_the_index_is_read() -> None:
    responses.get(INDEX, body=LISTED + " " * 5_000_000)
    responses.head(PACKAGE)
    assert verified().url == PACKAGE
    assert responses.calls[0].request.headers["Range"] == "bytes=0-65535"


@pytest.mark.parametrize(
    ("base", "package"),
    [
        (f"{CHANNEL}/packages/", f"{CHANNEL}/packages/a-1-0.conda"),
        ("packages", f"{CHANNEL}/noarch/packages/a-1-0.conda"),
    ],
)
@responses.activate
def test_base_url_of_the_index_is_used_for_packages(base: str, package: str) -> None:
    responses.get(INDEX, json={"info": {"base_url": base}, **json.loads(LISTED)})
    responses.head(package)
    assert verified().url == package


@pytest.mark.parametrize(
    "index",
    [
        *(
            {"info": {"base_url": base}, **json.loads(LISTED)}
            for base in ("https://elsewhere.invalid/", f"{CHANNEL}-evil/", "../../other/")
        ),
        *(
            {"packages.conda": {name: {}}}
            for name in ("../../e-1-0.conda", "a b-1-0.conda", "a/b-1-0.conda", "a?b-1-0.conda")
        ),
    ],
    ids=str,
)
@responses.activate
def test_package_outside_the_channel_or_with_an_invalid_name_is_not_requested(
    index: dict[str, Any],
) -> None:
    responses.get(INDEX, json=index)
    responses.head(INDEX, status=403)
    assert verified().what == "repodata"


# -- redirects -----------------------------------------------------------------------------------

STORAGE = [
    "https://storage.invalid/x/a-1-0.conda?signature=s",
    "https://storage.invalid/ab/abcdef?response-content-disposition=filename%3D%22a-1-0.conda%22",
]
LOGINS = [
    "https://sso.invalid/authorize?next=%2Fchannel%2Fnoarch%2Fa-1-0.conda",
    "https://repo.invalid/login",
]


@pytest.mark.parametrize("there", STORAGE)
@responses.activate
def test_redirect_that_names_the_package_verifies(there: str) -> None:
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE, status=302, headers={"Location": there})
    assert verified().what == "package"


@pytest.mark.parametrize("there", LOGINS)
@responses.activate
def test_redirect_to_a_login_page_verifies_nothing(there: str) -> None:
    responses.get(INDEX, body=LISTED)
    for method in (responses.HEAD, responses.GET):
        responses.add(method, PACKAGE, status=302, headers={"Location": there})
    responses.get(there, body="<html>log in</html>", content_type="text/html")
    with pytest.raises(UnexpectedResponse, match="a web page"):
        verified()


@responses.activate
def test_unclear_redirect_is_followed_without_the_token() -> None:
    responses.get(INDEX, body=LISTED)
    for method in (responses.HEAD, responses.GET):
        responses.add(
            method, PACKAGE, status=307, headers={"Location": "https://storage.invalid/abcdef"}
        )
    responses.get("https://storage.invalid/abcdef", body=b"PK")
    assert verified().what == "package"
    assert "Authorization" not in responses.calls[-1].request.headers


@pytest.mark.parametrize("status", [401, 403])
@responses.activate
def test_storage_that_refuses_a_redirected_request_does_not_refuse_the_token(status: int) -> None:
    responses.get(INDEX, body=LISTED)
    for method in (responses.HEAD, responses.GET):
        responses.add(
            method, PACKAGE, status=302, headers={"Location": "https://storage.invalid/abcdef"}
        )
    responses.get("https://storage.invalid/abcdef", status=status)
    with pytest.raises(UnexpectedResponse, match=r"no token is sent\. .*administrator"):
        verify([CHANNEL], token=token(CHANNEL), secret=Secret("t" * 48))


@pytest.mark.parametrize("body", ['{"error": "no"}', "", "[]", "log in", '{"packages": 1}'])
@responses.activate
def test_index_that_is_not_repodata_verifies_nothing(body: str) -> None:
    responses.get(INDEX, body=body)
    with pytest.raises(UnexpectedResponse, match=r"not repodata.*--no-validate"):
        verified()


@pytest.mark.parametrize(
    ("kind", "hint"), [(TokenKind.SITE, True), (TokenKind.INDIVIDUAL, False)], ids=str
)
@responses.activate
def test_server_that_refuses_the_header_gets_the_hint_send_as_path(
    kind: TokenKind,
    hint: bool,  # noqa: FBT001  # a case
) -> None:
    responses.get(INDEX, status=401)
    with pytest.raises(TokenRefused) as caught:
        verified(kind=kind)
    assert ("--send-as path" in str(caught.value)) is hint


@responses.activate
def test_public_package_verifies_nothing_about_a_given_token() -> None:
    responses.get(INDEX, body=LISTED)
    responses.head(PACKAGE)
    responses.get(PACKAGE, status=206, body=b"P")
    found = verified(kind=TokenKind.SITE)
    assert (found.public, found.verified) == (True, False)


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("death", ["reissued", "revoked", "cancelled", "expired"])
def test_revoked_or_expired_token_is_refused(sandbox: Sandbox, death: str) -> None:
    secret = secret_of(sandbox)
    current = sandbox.world.current("acme", "ada")
    assert current is not None
    events: dict[str, Callable[[], object]] = {
        "reissued": lambda: sandbox.world.issue("acme", "ada"),
        "revoked": lambda: sandbox.world.revoke(current.id),
        "cancelled": lambda: sandbox.world.cancel("acme"),
        "expired": lambda: sandbox.clock.advance(timedelta(days=331)),
    }
    events[death]()
    channel = sandbox.url_of("acme", "main")
    with pytest.raises(TokenRefused, match="HTTP 401") as caught:
        verify([channel], token=token(channel), secret=secret, outcome="It was not stored.")
    assert "It was not stored." in str(caught.value)
    assert f"…{secret.last_four}" in str(caught.value)
    assert secret.reveal() not in str(caught.value)


def test_token_of_another_organization_is_refused(sandbox: Sandbox) -> None:
    channel = sandbox.url_of("globex", "main")
    with pytest.raises(TokenRefused, match="HTTP 403"):
        verify([channel], token=token(channel), secret=secret_of(sandbox))


def test_url_that_is_not_a_channel_is_named(sandbox: Sandbox) -> None:
    url = sandbox.url_of("acme", "nothing")
    with pytest.raises(
        NoChannel, match=r"acme/nothing is not a channel.* It is stored nevertheless"
    ):
        verify([url], token=token(url), secret=secret_of(sandbox))


def test_verification_without_a_url_raises_no_channel(sandbox: Sandbox) -> None:
    with pytest.raises(NoChannel):
        verify([], token=token(), secret=secret_of(sandbox))


@pytest.mark.parametrize("path", ["repodata", "acme-hello"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *FAULTS[:5],
        ({"status": 200, "headers": (("Content-Type", "text/html"),)}, UnexpectedResponse),
        ({"status": 401}, TokenRefused),
        ({"status": 403}, TokenRefused),
    ],
    ids=str,
)
def test_each_failure_of_the_repository_has_its_error(
    sandbox: Sandbox, path: str, fault: dict[str, Any], kind: type[Exception]
) -> None:
    channel, secret = sandbox.url_of("acme", "main"), secret_of(sandbox)
    sandbox.fail_next(path, times=9, **fault)
    with pytest.raises(kind) as caught:
        verify([channel], token=token(channel), secret=secret, timeouts=SHORT)
    assert "Nothing was changed" not in str(caught.value)
    assert secret.reveal() not in str(caught.value)


def test_package_that_is_listed_and_absent_is_an_incomplete_channel(sandbox: Sandbox) -> None:
    channel, secret = sandbox.url_of("acme", "main"), secret_of(sandbox)
    for _ in ("HEAD", "GET"):
        sandbox.fail_next("acme-hello", status=404)
    with pytest.raises(
        UnexpectedResponse, match=r"HTTP 404 for a package that its index lists.*--no-validate"
    ):
        verify([channel], token=token(channel), secret=secret)


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.BEARER])
@responses.activate
def test_server_that_asks_for_a_password_is_reported_with_the_scheme_that_was_sent(
    scheme: AuthScheme,
) -> None:
    responses.get(INDEX, status=401, headers={"WWW-Authenticate": 'Basic realm="conda"'})
    with pytest.raises(TokenRefused, match=r"asks for basic, .* --send-as basic") as caught:
        verified(kind=TokenKind.SITE, scheme=scheme)
    assert "AuthScheme" not in str(caught.value)


@pytest.mark.parametrize(
    "facts",
    [{"kind": TokenKind.INDIVIDUAL}, {"verified": datetime(2026, 1, 1, tzinfo=timezone.utc)}],
)
@responses.activate
def test_scheme_is_not_questioned_if_the_server_is_known_to_accept_it(
    facts: dict[str, Any],
) -> None:
    responses.get(INDEX, status=401, headers={"WWW-Authenticate": 'Basic realm="conda"'})
    with pytest.raises(TokenRefused) as caught:
        verified(**{"kind": TokenKind.SITE, **facts})
    assert "--send-as" not in str(caught.value)
