"""Show who you are to the service, where the login is stored, and your organizations.

Examples:
  conda token whoami
  conda token whoami --json

One request is made. The command does not log in, and never shows the API key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.text import clean

if TYPE_CHECKING:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import Identity, Membership


def run(call: CommandContext) -> int:
    """Request the user from the service, and print it.

    Raises:
        LoginError: There is no login, or the service rejects it.
        ServiceError: The service cannot be asked.
    """
    from conda_token_plugin.service.credentials import logged_in

    service = logged_in(call.settings, call.store(), notice=call.printer.say)
    with call.printer.waiting(f"Asking {service.url}"):
        identity = service.whoami()
    if call.printer.json:
        call.printer.data(_value(identity, service=service))
    else:
        call.printer.data(None, text=_text(identity, service=service))
        call.printer.table([_row(member) for member in identity.memberships], value=None)
    return 0


def _text(identity: Identity, *, service: Service) -> str:
    until = f"valid until {service.expires:%Y-%m-%d}" if service.expires else "of unknown expiry"
    name = " ".join(filter(None, [identity.username, identity.email and f"<{identity.email}>"]))
    name = clean(name or identity.user_id, keep="")
    return f"{name} at {service.url}\nAPI key from {service.source}, {until}\n"


def _row(member: Membership) -> dict[str, str]:
    ends = member.subscription_ends
    return {
        "organization": member.organization,
        "title": member.title,
        "role": member.role,
        "subscription ends": f"{ends:%Y-%m-%d}" if ends else "unknown",
    }


def _value(identity: Identity, *, service: Service) -> dict[str, Any]:
    return {
        "service": service.url,
        "user_id": identity.user_id,
        "username": identity.username,
        "email": identity.email,
        "source": service.source,
        "expires": service.expires and service.expires.isoformat(),
        "organizations": [
            {
                "organization": member.organization,
                "title": member.title,
                "role": member.role,
                "subscription_ends": member.subscription_ends
                and member.subscription_ends.isoformat(),
            }
            for member in identity.memberships
        ],
    }
