"""How the service says no: to somebody it does not know, and to what its rules forbid.

How the real service refuses to issue a token is not known in public. Here the reasons differ in
status, and the bodies have all the forms that were seen, so that a client meets them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.http.messages import Refused, json_answer, problem

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Answer, Request
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
    "not_confirmed": (422, {"detail": 'the body must be {"confirm": "yes"}'}),
    # RFC 6749, section 5.2, and RFC 8628, section 3.5.
    "invalid_client": (401, {"error": "invalid_client"}),
    "invalid_grant": (400, {"error": "invalid_grant"}),
    "unsupported_grant_type": (400, {"error": "unsupported_grant_type"}),
    "authorization_pending": (400, {"error": "authorization_pending"}),
    "slow_down": (400, {"error": "slow_down"}),
    "expired_token": (400, {"error": "expired_token"}),
    "access_denied": (400, {"error": "access_denied"}),
}


def refuse(refusal: Refusal) -> Answer:
    """Return the answer to what the world refused."""
    status, body = REFUSALS[refusal.reason]
    return json_answer(body, status)


def authenticate(world: World, request: Request, accepted: dict[str, Credential]) -> str:
    """Return the user whose bearer value the request carries.

    Args:
        world: Tells the time.
        request: What the client sent.
        accepted: The credentials of the kind that opens this door.

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
