"""Refusals of the service: of requests without a valid credential, and by the rules of the world.

Two forms are published: `{"error": {"message", "code", "data"}}`, and for a field that is missing
or wrong `422 {"detail": [{"loc", "msg", "type"}]}` (the document that `service.admin` names).
anaconda-auth 0.15.3 reads `error.code` of a 401 or 403, and takes `auth_required` as a login that
is missing or invalid (`client.login_required`); it reads no other code and no message.
How the real service refuses to issue a token is not known in public. Here the reasons differ in
status, and the bodies have all the forms that were seen, so that a client is tested with each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.http.messages import Refused, json_response, problem

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request, Response
    from conda_token_plugin.sandbox.world.model import Credential
    from conda_token_plugin.sandbox.world.world import Refusal, World

REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "no_organization": (404, {"error": {"code": "not_found", "message": "no such organization"}}),
    "not_a_member": (404, {"error": {"code": "not_found", "message": "no such organization"}}),
    "no_user": (404, {"error": {"code": "not_found", "message": "no such user"}}),
    "no_token": (404, {"error": {"code": "not_found", "message": "no current token"}}),
    "not_an_admin": (403, {"error": {"code": "forbidden", "message": "only for admins"}}),
    "no_seat": (403, {"error": {"code": "forbidden", "message": "a seat is required"}}),
    "site_only": (409, {"error": {"detail": "this organization uses a site token"}}),
    "ended": (409, {"message": "the subscription has ended"}),
    "cancelled": (403, {"detail": "the subscription was cancelled"}),
    "starter": (403, {"error": {"code": "forbidden", "detail": "not part of this product"}}),
    "no_login": (404, {"error": {"code": "not_found", "message": "no such login is waiting"}}),
    "no_free_seat": (402, {"error": {"code": "payment_required", "message": "no seat is free"}}),
    "has_seat": (409, {"error": {"code": "conflict", "message": "a seat is assigned already"}}),
    "no_assigned_seat": (404, {"error": {"code": "not_found", "message": "no seat is assigned"}}),
    "revoked": (409, {"error": {"code": "conflict", "message": "the token is revoked already"}}),
    # RFC 6749, section 5.2, and RFC 8628, section 3.5.
    "invalid_client": (401, {"error": "invalid_client"}),
    "invalid_grant": (400, {"error": "invalid_grant"}),
    "unsupported_grant_type": (400, {"error": "unsupported_grant_type"}),
    "authorization_pending": (400, {"error": "authorization_pending"}),
    "slow_down": (400, {"error": "slow_down"}),
    "expired_token": (400, {"error": "expired_token"}),
    "access_denied": (400, {"error": "access_denied"}),
}


def refuse(refusal: Refusal) -> Response:
    """Return the response to a request that a rule of the world forbids."""
    status, body = REFUSALS[refusal.reason]
    return json_response(body, status)


def authenticate(world: World, request: Request, accepted: dict[str, Credential]) -> str:
    """Return the user of the bearer value in a request.

    Args:
        world: The clock is read from it.
        request: The request.
        accepted: The credentials of the kind that is required here, by value.

    Raises:
        Refused: 401 without a value or with an expired one, 403 with an unknown one.
    """
    value = request.bearer()
    if not value:
        raise Refused(problem(401, "log in first", "auth_required"))
    credential = accepted.get(value)
    if credential is None:
        raise Refused(problem(403, "unknown credential", "auth_required"))
    if credential.expires <= world.clock.now():
        raise Refused(problem(401, "expired credential", "auth_required"))
    return credential.user
