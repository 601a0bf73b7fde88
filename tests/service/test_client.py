"""One login against the sandbox: what it learns, and what each refusal is called."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import responses

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import (
    IssueRefused,
    NoOrganization,
    NoSeat,
    NoSuchOrganization,
    SubscriptionEnded,
)
from conda_token_plugin.errors.service import (
    IssueUncertain,
    ServiceBusy,
    ServiceUnreachable,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.sandbox.world.model import Member
from conda_token_plugin.service.client import Service
from conda_token_plugin.tokens.secret import Secret
from tests.service.conftest import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.sandbox import Sandbox

    Login = Callable[[str], Service]

CALLS: dict[str, Callable[[Service], object]] = {
    "organizations": Service.organizations,
    "issuable": Service.issuable,
    "current_token": lambda service: service.current_token("acme"),
    "issue": lambda service: service.issue("acme"),
    "whoami": Service.whoami,
}
READS = [name for name in CALLS if name != "issue"]
CURRENT = "https://service.invalid/api/organizations/acme/ce/current-token"


@pytest.fixture
def nowhere() -> Service:
    """A login at a service that only ``responses`` plays."""
    return Service("https://service.invalid", api_key=Secret("key-key-key-key"), source="the test")


# -- what it learns ----------------------------------------------------------------------------


def test_organizations_have_slug_title_and_id(sandbox: Sandbox, ada: Service) -> None:
    ours = [(item.slug, item.title, item.id) for item in ada.organizations()]
    theirs = sandbox.world.organizations_of("ada")
    assert ours == [(item.slug, item.title, str(item.id)) for item in theirs]


def test_issuable_excludes_products_without_tokens(sandbox: Sandbox, login_of: Login) -> None:
    sandbox.world.members["starter", "ada"] = Member("member", seat=True)
    names = [item.slug for item in login_of("ada").issuable()]
    assert "starter" in [item.slug for item in login_of("ada").organizations()]
    assert names == ["acme", "globex"]


@pytest.mark.parametrize(
    ("user", "words"),
    [("nobody", "not a member of any"), ("sam", "no subscription with tokens: starter")],
)
def test_issuable_raises_when_no_organization_has_tokens(
    login_of: Login, user: str, words: str
) -> None:
    with pytest.raises(NoOrganization, match=words):
        login_of(user).issuable()


def test_current_token_is_none_before_the_first_is_issued(ada: Service) -> None:
    assert ada.current_token("acme") is None


def test_issued_token_is_the_current_token(sandbox: Sandbox, ada: Service) -> None:
    issued = ada.issue("acme")
    current = ada.current_token("acme")
    theirs = sandbox.world.current("acme", "ada")
    assert theirs is not None
    assert current is not None
    assert (issued.secret.reveal(), issued.expires) == (theirs.value, theirs.expires)
    assert (current.id, current.expires) == (str(theirs.id), theirs.expires)


def test_issuing_costs_one_request(sandbox: Sandbox, ada: Service) -> None:
    ada.issue("acme")
    assert [(r.method, r.path) for r in sandbox.requests] == [
        ("PUT", "/api/organizations/acme/ce/current-token")
    ]


def test_whoami_returns_the_user_and_the_ends_of_subscriptions(
    sandbox: Sandbox, ada: Service
) -> None:
    identity = ada.whoami()
    user = sandbox.world.user("ada")
    assert (identity.user_id, identity.email) == (str(user.id), user.email)
    ends = {m.organization: m.subscription_ends for m in identity.memberships}
    assert ends == {
        item.slug: item.subscription.ends for item in sandbox.world.organizations_of("ada")
    }


def test_creating_a_service_sends_nothing(sandbox: Sandbox, login_of: Login) -> None:
    login_of("ada")
    assert len(sandbox.requests) == 0


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
def test_unknown_key_raises_login_refused(sandbox: Sandbox, name: str) -> None:
    unknown = Service(sandbox.service, api_key=Secret("no-such-key-at-all"), source="SOMEWHERE")
    with pytest.raises(LoginRefused, match="the API key from SOMEWHERE"):
        CALLS[name](unknown)


@pytest.mark.parametrize("name", CALLS)
def test_expired_key_raises_login_refused(sandbox: Sandbox, ada: Service, name: str) -> None:
    sandbox.clock.advance(timedelta(days=366))
    assert ada.expires is not None
    with pytest.raises(LoginRefused, match=f": it expired on {ada.expires:%Y-%m-%d}."):
        CALLS[name](ada)


def test_refused_key_is_not_reported_as_expired_before_its_date(
    sandbox: Sandbox, ada: Service
) -> None:
    sandbox.world.credentials.api_keys.clear()
    with pytest.raises(LoginRefused, match="is wrong or has expired"):
        ada.whoami()


@pytest.mark.parametrize(
    ("user", "organization", "kind", "words"),
    [
        ("bob", "acme", NoSeat, "no seat in the organization 'acme'"),
        ("carol", "initech", SubscriptionEnded, "has ended on"),
        ("dave", "hooli", SubscriptionEnded, "has ended on"),
        ("erin", "umbrella", SubscriptionEnded, "was cancelled on"),
        ("sam", "starter", IssueRefused, "not part of this product"),
        ("admin", "stark", IssueRefused, "this organization uses a site token"),
        ("ada", "hooli", NoSuchOrganization, "Your organizations: acme, globex"),
        ("nobody", "acme", NoSuchOrganization, "You are not a member of any"),
    ],
)
def test_refusal_is_explained_by_its_cause(
    login_of: Login, user: str, organization: str, kind: type[TokenPluginError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        login_of(user).issue(organization)


@pytest.mark.parametrize("typed", ["acmee", "Acme Corporation", "acme corp", "ACME"])
def test_misspelt_organization_is_corrected_in_the_hint(ada: Service, typed: str) -> None:
    with pytest.raises(NoSuchOrganization, match=r"Did you mean: .* --org acme$"):
        ada.issue(typed)


def test_unknown_organization_gets_no_suggestion(ada: Service) -> None:
    with pytest.raises(NoSuchOrganization) as caught:
        ada.issue("zzzzzzz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "a/b", "../../account"])
def test_impossible_organization_is_not_sent(sandbox: Sandbox, ada: Service, name: str) -> None:
    with pytest.raises(BadInput):
        ada.current_token(name)
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("name", ["a?b=c", "a#b", "a b", "ä", "%2e%2e"])
def test_organization_is_one_escaped_segment_of_the_address(
    sandbox: Sandbox, ada: Service, name: str
) -> None:
    assert ada.current_token(name) is None
    path = next(iter(sandbox.requests)).path
    assert path.startswith("/api/organizations/")
    assert path.endswith("/ce/current-token")
    assert path.count("/") == 5


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((403, {}), NoSeat, "no seat"),
        ((403, {"detail": "a licence seat is needed"}), NoSeat, "no seat"),
        ((403, {"detail": "computer says no"}), IssueRefused, ": computer says no"),
        ((404, {}), IssueRefused, "HTTP 404"),
        ((409, {"message": "not now"}), IssueRefused, r"HTTP 409\): not now"),
        ((422, {"error": {"message": "bad\nwords\x1b[31m"}}), IssueRefused, ": bad words"),
        ((422, {"detail": [{"loc": ["body"]}]}), IssueRefused, "HTTP 422"),
        ((400, {"detail": "x" * 5000}), IssueRefused, ": …"),
        ((400, {"detail": "no " * 500}), IssueRefused, "…"),
        ((418, "text"), IssueRefused, "HTTP 418"),
    ],
)
def test_undocumented_refusal_is_explained_by_what_is_known(
    ada: Service, sandbox: Sandbox, answer: tuple[int, object], kind: type[Exception], words: str
) -> None:
    status, body = answer
    sandbox.fail_next("current-token", status=status, body=json.dumps(body).encode())
    with pytest.raises(kind, match=words) as caught:
        ada.issue("acme")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_refusal_quotes_no_web_page_and_no_token(sandbox: Sandbox, ada: Service) -> None:
    key = sandbox.world.api_key("ada")
    refusal = json.dumps({"detail": f"{key} is no good, nor is {'t' * 48}"}).encode()
    for body in (b"<html>thepage</html>", refusal):
        sandbox.fail_next("current-token", status=409, body=body)
        with pytest.raises(IssueRefused) as caught:
            ada.issue("acme")
        assert not any(text in str(caught.value) for text in ("thepage", key, "t" * 48))


def test_refusal_is_raised_unchanged_when_a_further_question_fails(
    sandbox: Sandbox, ada: Service
) -> None:
    sandbox.fail_next("current-token", status=409, body=b'{"message": "not now"}')
    sandbox.fail_next("organizations/my", times=9, status=500)
    with pytest.raises(IssueRefused, match="not now"):
        ada.issue("acme")


def test_refused_current_token_is_explained_like_an_issue(sandbox: Sandbox, ada: Service) -> None:
    sandbox.fail_next("current-token", status=403)
    with pytest.raises(NoSeat):
        ada.current_token("acme")


# -- a token that may have been issued -----------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 0, "ending": Ending.RESET}, "sent no response"),
        ({"status": 0, "ending": Ending.STALL}, "sent no response"),
        ({"status": 0, "ending": Ending.HALF}, "a response without a token"),
        ({"status": 500}, r"failed \(HTTP 500\)"),
        ({"status": 502, "body": b"<html>"}, r"failed \(HTTP 502\)"),
        ({"status": 200, "body": b"<html>"}, "a response without a token"),
        ({"status": 200, "body": b"{}"}, "a response without a token"),
        ({"status": 200, "body": b'{"token": "two words"}'}, "a response without a token"),
        ({"status": 204}, "a response without a token"),
    ],
    ids=str,
)
def test_issue_without_a_token_says_that_the_old_one_may_be_revoked(
    sandbox: Sandbox, ada: Service, fault: dict[str, Any], words: str
) -> None:
    sandbox.fail_next("current-token", **fault)
    with pytest.raises(IssueUncertain, match=words) as caught:
        ada.issue("acme")
    assert "Nothing was changed" not in str(caught.value)
    assert "two words" not in str(caught.value)
    assert len(sandbox.requests) == 1


def test_issue_that_was_never_sent_changed_nothing() -> None:
    service = Service("http://127.0.0.1:9", api_key=Secret("key-key-key-key"), source="the test")
    with pytest.raises(ServiceUnreachable, match="Nothing was changed"):
        service.issue("acme")


def test_issue_with_status_429_raises_service_busy(sandbox: Sandbox, ada: Service) -> None:
    sandbox.fail_next("current-token", status=429, headers=(("Retry-After", "3"),))
    with pytest.raises(ServiceBusy, match="in 3 seconds"):
        ada.issue("acme")


def test_issue_with_a_redirect_raises_service_nonsense(sandbox: Sandbox, ada: Service) -> None:
    sandbox.fail_next("current-token", status=302, headers=(("Location", "https://sso.invalid/"),))
    with pytest.raises(UnexpectedResponse, match=r"a redirect to https://sso\.invalid"):
        ada.issue("acme")


@pytest.mark.parametrize("expires", ['"soon"', "null", "17", '"9999-12-31T23:59:59-23:00"'])
def test_token_with_unreadable_expiry_is_kept(sandbox: Sandbox, ada: Service, expires: str) -> None:
    body = f'{{"token": "{"t" * 48}", "expires_at": {expires}}}'
    sandbox.fail_next("current-token", status=200, body=body.encode())
    issued = ada.issue("acme")
    assert (issued.secret, issued.expires) == (Secret("t" * 48), None)


# -- faults on every read ------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *FAULTS,
        ({"status": 200, "body": b"null"}, UnexpectedResponse),
        ({"status": 200, "body": b'"text"'}, UnexpectedResponse),
        ({"status": 204}, UnexpectedResponse),
        ({"status": 302, "headers": (("Location", "/login"),)}, UnexpectedResponse),
        ({"status": 401}, LoginRefused),
    ],
    ids=str,
)
def test_failed_read_raises_the_documented_error_and_quotes_nothing(
    sandbox: Sandbox, ada: Service, name: str, fault: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.world.issue("acme", "ada")
    sandbox.fail_next("/api/", times=9, **fault)
    with pytest.raises(kind) as caught:
        CALLS[name](ada)
    assert sandbox.world.api_key("ada") not in str(caught.value)


@pytest.mark.parametrize("name", ["organizations", "issuable", "whoami"])
@pytest.mark.parametrize(("status", "kind"), [(403, LoginRefused), (404, UnexpectedResponse)])
def test_refused_read_about_the_user_raises_login_refused(
    sandbox: Sandbox, ada: Service, name: str, status: int, kind: type[Exception]
) -> None:
    sandbox.fail_next("/api/", times=9, status=status)
    with pytest.raises(kind):
        CALLS[name](ada)


# -- answers with more, less or else in them -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2030-01-01T00:00:00", "2030-01-01T00:00:00+00:00"),
        ("2030-01-01 00:00:00+00:00", "2030-01-01T00:00:00+00:00"),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00+00:00"),
        ("2030-01-01T00:00:00.123456Z", "2030-01-01T00:00:00.123456+00:00"),
        ("2030-01-01T02:00:00+02:00", "2030-01-01T00:00:00+00:00"),
        ("2030-01-01", "2030-01-01T00:00:00+00:00"),
    ],
)
@responses.activate
def test_date_without_offset_is_utc(nowhere: Service, text: str, iso: str) -> None:
    responses.get(CURRENT, json={"id": "7", "expires_at": text, "new": [1]})
    token = nowhere.current_token("acme")
    assert token is not None
    assert token.expires is not None
    assert token.expires.isoformat() == iso


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"expires_at": "2030-01-01"}, "JSON without 'id'"),
        ({"id": "", "expires_at": "2030-01-01"}, "does not have a text as 'id'"),
        ({"id": True, "expires_at": "2030-01-01"}, "does not have a text as 'id'"),
        ({"id": "7", "expires_at": "thevalue"}, "does not have a date and time as 'expires_at'"),
        ({"id": "7", "expires_at": 17}, "does not have a text as 'expires_at'"),
        ([], "does not have an object at its top"),
    ],
    ids=str,
)
@responses.activate
def test_missing_or_wrong_key_is_named_and_its_value_is_not_quoted(
    nowhere: Service, body: object, words: str
) -> None:
    responses.get(CURRENT, json=body)
    with pytest.raises(UnexpectedResponse, match=words) as caught:
        nowhere.current_token("acme")
    assert CURRENT in str(caught.value)
    assert "thevalue" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "does not have a list at its top"),
        ([{"id": "1", "title": "A"}], r"without '\[0\].name'"),
        ([{"id": "1", "name": "a"}, {"name": "b"}], r"without '\[1\].id'"),
        ([{"id": "1", "name": "a", "title": 5}], r"a text as '\[0\].title'"),
        ([3], r"an object as '\[0\]'"),
    ],
    ids=str,
)
@responses.activate
def test_organizations_that_are_no_list_are_reported(
    nowhere: Service, body: object, words: str
) -> None:
    responses.get("https://service.invalid/api/organizations/my", json=body)
    with pytest.raises(UnexpectedResponse, match=words):
        nowhere.organizations()


@responses.activate
def test_organization_without_title_is_called_by_its_slug(nowhere: Service) -> None:
    body = [{"id": 1, "name": "a", "title": None, "more": {}}, {"id": "2", "name": "b"}]
    responses.get("https://service.invalid/api/organizations/my", json=body)
    assert [(o.slug, o.title, o.id) for o in nowhere.organizations()] == [
        ("a", "a", "1"),
        ("b", "b", "2"),
    ]


@responses.activate
def test_whoami_accepts_a_minimal_response(nowhere: Service) -> None:
    place = {"name": "a", "attributes": [{"group": "seats"}, {"group": "subscriptions"}]}
    responses.get(
        "https://service.invalid/api/auth/sessions/whoami",
        json={"passport": {"user_id": "u", "organizations": [place, {"name": "b"}]}},
    )
    responses.get("https://service.invalid/api/account", json={"user": {"email": "a@b.invalid"}})
    identity = nowhere.whoami()
    assert (identity.user_id, identity.email, identity.username) == ("u", "a@b.invalid", "")
    assert [m.subscription_ends for m in identity.memberships] == [None, None]


@responses.activate
def test_latest_end_of_several_subscriptions_is_used(nowhere: Service) -> None:
    ends = ("2030-01-01 00:00:00+00:00", "2031-01-01 00:00:00+00:00", None)
    attributes = [{"group": "subscriptions", "data": {"expires_at": end}} for end in ends]
    responses.get(
        "https://service.invalid/api/auth/sessions/whoami",
        json={
            "passport": {
                "user_id": "u",
                "profile": {"email": "a@b.invalid"},
                "organizations": [{"name": "a", "attributes": attributes}],
            }
        },
    )
    responses.get("https://service.invalid/api/account", json={"user": {"id": "u"}})
    end = nowhere.whoami().memberships[0].subscription_ends
    assert end is not None
    assert end.year == 2031


def test_default_timeouts_are_five_and_twenty_seconds() -> None:
    assert (Timeouts().connect, Timeouts().read) == (5, 20)
