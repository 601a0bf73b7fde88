"""The users and organizations of the sandbox at its start.

| organization | its subscription | its members (* with a seat) |
|---|---|---|
| acme      | good for 300 days     | ada*, grace*, bob, admin |
| globex    | good for 200 days     | ada*, mallory*, admin |
| acme-evil | good; the name begins with "acme", the members are others | mallory* |
| initech   | ended 10 days ago: tokens work, but none is issued | carol* |
| hooli     | ended 40 days ago: tokens have expired | dave* |
| umbrella  | cancelled: tokens stopped working at once | erin* |
| starter   | a product without tokens | sam* |
| stark     | good; site token only | admin |

`admin` administers acme, globex and stark; `nobody` is a member of no organization. carol, dave and
erin have an individual token from before, acme and stark have a site token. The others have none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import NAMESPACE_DNS, UUID, uuid5

from conda_token_plugin.sandbox.world.model import Member, Organization, Subscription, User

DEFAULT_USER = "ada"

_NAMES = ("ada", "grace", "bob", "carol", "dave", "erin", "mallory", "sam", "admin", "nobody")

MEMBERS = MappingProxyType(
    {
        ("acme", "ada"): Member("member", seat=True),
        ("acme", "grace"): Member("member", seat=True),
        ("acme", "bob"): Member("member", seat=False),
        ("acme", "admin"): Member("admin", seat=False),
        ("globex", "ada"): Member("member", seat=True),
        ("globex", "mallory"): Member("member", seat=True),
        ("globex", "admin"): Member("admin", seat=False),
        ("acme-evil", "mallory"): Member("member", seat=True),
        ("initech", "carol"): Member("member", seat=True),
        ("hooli", "dave"): Member("member", seat=True),
        ("umbrella", "erin"): Member("member", seat=True),
        ("starter", "sam"): Member("member", seat=True),
        ("stark", "admin"): Member("admin", seat=False),
    }
)

SLUGS = tuple(dict.fromkeys(slug for slug, _ in MEMBERS))

# Organization and user of each token at the start. Without a user it is a site token.
FIRST_TOKENS = (
    ("initech", "carol"),
    ("hooli", "dave"),
    ("umbrella", "erin"),
    ("acme", ""),
    ("stark", ""),
)


def organizations(now: datetime) -> dict[str, Organization]:
    """Return the organizations by slug, their subscriptions counted from `now`."""
    there = (
        _organization("acme", "Acme Corporation", _subscription(now, 300)),
        _organization("globex", "Globex", _subscription(now, 200)),
        _organization("acme-evil", "Acme Evil Twins", _subscription(now, 300)),
        _organization("initech", "Initech", _subscription(now, -10)),
        _organization("hooli", "Hooli", _subscription(now, -40)),
        _organization("umbrella", "Umbrella", _subscription(now, -1, cancelled=True)),
        _organization("starter", "Starter Kit", _subscription(now, 300, product="starter")),
        _organization("stark", "Stark Industries", _subscription(now, 100), site_only=True),
    )
    return {organization.slug: organization for organization in there}


def users() -> dict[str, User]:
    """Return the users by name."""
    return {name: User(_uuid(f"{name}.user"), name) for name in _NAMES}


def _subscription(
    now: datetime, days: int, *, product: str = "business", cancelled: bool = False
) -> Subscription:
    ends = now.replace(microsecond=0) + timedelta(days=days)
    return Subscription(f"{product}_subscription", ends, cancelled=cancelled)


def _organization(
    slug: str, title: str, subscription: Subscription, *, site_only: bool = False
) -> Organization:
    return Organization(_uuid(f"{slug}.organization"), slug, title, subscription, site_only)


def _uuid(name: str) -> UUID:
    # The same in each run, so that logs of two runs can be compared.
    return uuid5(NAMESPACE_DNS, f"{name}.sandbox.invalid")
