"""Show who you are to the service, where the login is stored, and your organizations.

Examples:
  conda token whoami
  conda token whoami --json

It makes one request. It never logs in by itself, and never shows the API key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.text import clean
from conda_token_plugin.tokens.api_key import expiry_of

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.models import Identity, Membership


def configure(parser: ArgumentParser) -> None:
    """Add nothing: the command has no options of its own."""


def run(call: CommandContext) -> int:
    """Ask the service, and print its answer.

    Raises:
        LoginError: There is no login, or the service rejects it.
        ServiceError: The service cannot be asked.
    """
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.credentials import find_api_key

    url = call.settings.service_url
    api_key, source = find_api_key(call.settings, call.store(), notice=call.printer.say)
    with call.printer.waiting(f"Asking {url}"):
        identity = Service(url, api_key=api_key, source=source).whoami()
    expires = expiry_of(api_key)
    if call.printer.json:
        call.printer.data(_value(identity, url=url, source=source, expires=expires))
    else:
        call.printer.data(None, text=_text(identity, url=url, source=source, expires=expires))
        call.printer.table([_row(member) for member in identity.memberships], value=None)
    return 0


def _text(identity: Identity, *, url: str, source: str, expires: datetime | None) -> str:
    until = f"valid until {expires:%Y-%m-%d}" if expires else "of unknown expiry"
    name = " ".join(filter(None, [identity.username, identity.email and f"<{identity.email}>"]))
    name = clean(name or identity.user_id, keep="")
    return f"{name} at {url}\nAPI key from {source}, {until}\n"


def _row(member: Membership) -> dict[str, str]:
    ends = member.subscription_ends
    return {
        "organization": member.organization,
        "title": member.title,
        "role": member.role,
        "subscription ends": f"{ends:%Y-%m-%d}" if ends else "unknown",
    }


def _value(
    identity: Identity, *, url: str, source: str, expires: datetime | None
) -> dict[str, Any]:
    return {
        "service": url,
        "user_id": identity.user_id,
        "username": identity.username,
        "email": identity.email,
        "source": source,
        "expires": expires.isoformat() if expires else None,
        "organizations": [
            {
                "organization": member.organization,
                "title": member.title,
                "role": member.role,
                "subscription_ends": member.subscription_ends.isoformat()
                if member.subscription_ends
                else None,
            }
            for member in identity.memberships
        ],
    }
