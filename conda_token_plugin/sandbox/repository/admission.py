"""Who may have a file of the repository.

A repository token comes as `Authorization: token …` or as `/t/…/` before `/repo`, an API key as
`Authorization: Bearer …`. If several come, the header counts.

| the request has | answer |
|---|---|
| nothing | 403 (seen) |
| a value that was never issued, or has expired, was revoked or cancelled | 401 |
| a good token of another organization, or an API key without a seat | 403 |

The real repository's choice between 401 and 403 in the last two rows is not known in public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Refused, problem
from conda_token_plugin.sandbox.repository.channels import Access
from conda_token_plugin.sandbox.world.model import Verdict

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.world import World


def admit(world: World, request: Request, *, in_path: str, org: str, access: Access) -> None:
    """Let the request pass, or refuse it.

    Args:
        world: Knows tokens and API keys.
        request: What the client sent.
        in_path: The token in its path, or an empty string.
        org: The organization whose channel it is, or an empty string.
        access: Who may.

    Raises:
        Refused: 401 or 403, see above.
    """
    if access is Access.PUBLIC:
        return
    organizations = _opened_by(world, request, in_path)
    if access is Access.ORGANIZATION and org not in organizations:
        raise _refused(403, "wrong_organization", f"this does not open the channels of {org}")
    if not organizations:
        raise _refused(403, "no_seat", "this opens no channel at all")


def _opened_by(world: World, request: Request, in_path: str) -> set[str]:
    scheme, _, value = request.header("Authorization").partition(" ")
    if scheme.lower() == "bearer":
        return _opened_by_api_key(world, value.strip())
    token = value.strip() if scheme.lower() == "token" else in_path
    if not token:
        raise _refused(403, "token_missing", "a token is required")
    return _opened_by_token(world, token)


def _opened_by_token(world: World, value: str) -> set[str]:
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
    return world.opened_by(key.user)


def _refused(status: int, code: str, message: str) -> Refused:
    return Refused(problem(status, message, code))
