"""Access to the files of the repository.

A repository token is sent as `Authorization: token …` or as `/t/…/` before `/repo`, an API key as
`Authorization: Bearer …`. If a request has a header and a token in its path, the header counts.

| the request has | response |
|---|---|
| no credential | 403 (seen) |
| a value that was never issued here, or that has expired or was revoked or cancelled | 401 |
| a valid token of another organization, or an API key of a user without a seat | 403 |
| an API key without the scope `repo:read` | 403 |
| a token, for a channel that accepts an API key only (`main-x`) | 403 |

The choice of the real repository between 401 and 403 is not known in public, except in the first
row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Refused, problem
from conda_token_plugin.sandbox.repository.channels import Access
from conda_token_plugin.sandbox.world.model import CHANNEL_SCOPE, Verdict

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.world import World


def admit(world: World, request: Request, *, in_path: str, org: str, access: Access) -> None:
    """Raise unless a channel accepts the credential of a request.

    Args:
        world: Tokens and API keys are looked up in it.
        request: The request.
        in_path: The token in its path, or an empty string.
        org: The organization of the channel, or an empty string.
        access: The credentials that open the channel.

    Raises:
        Refused: 401 or 403, see above.
    """
    if access is Access.PUBLIC:
        return
    scheme, _, value = request.header("Authorization").partition(" ")
    is_key = scheme.lower() == "bearer"
    if is_key:
        organizations = _opened_by_api_key(world, value.strip())
    else:
        token = value.strip() if scheme.lower() == "token" else in_path
        organizations = _opened_by_token(world, token)
    if access is Access.API_KEY and not is_key:
        raise _refused(403, "api_key_required", "this channel accepts an API key only")
    if access is Access.ORGANIZATION and org not in organizations:
        raise _refused(403, "wrong_organization", f"this does not open the channels of {org}")
    if not organizations:
        raise _refused(403, "no_seat", "no channel accepts this credential")


def _opened_by_token(world: World, value: str) -> set[str]:
    if not value:
        raise _refused(403, "token_missing", "a token is required")
    token = world.tokens.find(value)
    if token is None:
        raise _refused(401, "token_unknown", "no such token")
    verdict = world.verdict(token)
    if verdict is not Verdict.WORKS:
        raise _refused(401, f"token_{verdict.value}", f"the token is {verdict.value}")
    return {token.org}


def _opened_by_api_key(world: World, value: str) -> set[str]:
    key = world.credentials.api_keys.get(value)
    if key is None or key.expires <= world.clock.now():
        raise _refused(401, "auth_required", "the API key is unknown or has expired")
    if CHANNEL_SCOPE not in key.scopes:
        raise _refused(403, "insufficient_scope", f"the API key lacks the scope {CHANNEL_SCOPE}")
    return world.opened_by(key.user)


def _refused(status: int, code: str, message: str) -> Refused:
    return Refused(problem(status, message, code))
