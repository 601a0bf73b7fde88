"""The service's responses as values.

Unknown keys are ignored. A key that is missing or of the wrong type raises ``UnexpectedResponse``,
which names the address and the key and quotes no value.
The shapes are those of anaconda-auth 0.15.3 and of the public documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.service import UnexpectedResponse
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import MAX_MONTHS, utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from conda_token_plugin.gateways.http.response import HttpResponse


class CurrentToken(NamedTuple):
    """A user's current token of an organization, without its value."""

    id: str
    expires: datetime | None
    """None if the service does not say."""
    tolerance_months: int | None = None
    """How long it works after that; None if the service does not say."""


class JsonReader:
    """A JSON value inside of a response, with its position for error messages."""

    __slots__ = ("place", "url", "value")

    def __init__(self, value: Any, url: str, place: str = "") -> None:
        """Store the value, the response's address, and the position, such as ``items[0].name``."""
        self.value = value
        self.url = url
        self.place = place

    def __getitem__(self, key: str) -> JsonReader:
        """Return the part with the key ``key``; its value is None if there is none."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return JsonReader(
            self.value.get(key), self.url, f"{self.place}.{key}" if self.place else key
        )

    def __iter__(self) -> Iterator[JsonReader]:
        """Yield the parts of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, item in enumerate(self.value):
            yield JsonReader(item, self.url, f"{self.place}[{number}]")

    @property
    def text(self) -> str:
        """The value, which is a string that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("a text")
        return self.value

    @property
    def identifier(self) -> str:
        """The value, which is a string or an integer, as a string."""
        number = isinstance(self.value, int) and not isinstance(self.value, bool)
        return str(self.value) if number else self.text

    @property
    def moment(self) -> datetime:
        """The value, which is a date and time; UTC if it has no offset."""
        try:
            return utc(self.text)
        except (
            ValueError,
            OverflowError,
        ):  # no date, or outside of the calendar in UTC
            raise self.wrong("a date and time") from None

    @property
    def secret(self) -> Secret:
        """The value, which is a token or an API key."""
        try:
            return Secret(self.text)
        except MalformedToken:  # it contains a space, or is longer than a header may be
            raise self.wrong("a token") from None

    def wrong(self, expected: str) -> UnexpectedResponse:
        """Return the error for a part that is not ``expected``."""
        if self.value is None and self.place:
            return UnexpectedResponse(self.url, got=f"JSON without {self.place!r}")
        where = f"as {self.place!r}" if self.place else "at its top"
        return UnexpectedResponse(self.url, got=f"JSON that does not have {expected} {where}")


class Organization(NamedTuple):
    """An organization that the user belongs to."""

    slug: str
    """The name in addresses, which never changes."""
    title: str
    """The display name; the slug if there is none."""
    id: str

    @classmethod
    def of(cls, part: JsonReader) -> Organization:
        """Create from ``{id, name, title}``."""
        slug = part["name"].text
        title = slug if part["title"].value in (None, "") else part["title"].text
        return cls(slug=slug, title=title, id=part["id"].identifier)


def current_token_of(part: JsonReader) -> CurrentToken:
    """Read ``{id, expires_at, expiration_tolerance_months}``; the last two may be missing.

    An invalid tolerance is ignored, because the token works without it.
    """
    expires, months = part["expires_at"], part["expiration_tolerance_months"].value
    return CurrentToken(
        part["id"].identifier,
        None if expires.value is None else expires.moment,
        months if type(months) is int and 0 <= months <= MAX_MONTHS else None,
    )


class IssuedToken(NamedTuple):
    """A token that was issued just now. The service shows its value only this time."""

    secret: Secret
    expires: datetime | None
    """None if the service gives no date that can be read: the token is more important."""

    @classmethod
    def of(cls, part: JsonReader) -> IssuedToken:
        """Create from ``{token, expires_at}``."""
        secret = part["token"].secret
        try:
            return cls(secret, part["expires_at"].moment)
        except UnexpectedResponse:  # no date: the token is more important
            return cls(secret, None)


class Membership(NamedTuple):
    """A user's membership of one organization."""

    organization: str
    """The slug."""
    title: str
    role: str
    subscription_ends: datetime | None
    """The end of the subscription that lasts longest. None if the service does not say."""

    @classmethod
    def of(cls, part: JsonReader) -> Membership:
        """Create from ``{org_id, name, title, role, attributes: [{id, group, data}]}``."""
        organization = part["name"].text
        ends = [
            moment
            for attribute in (part["attributes"] if part["attributes"].value is not None else ())
            if attribute["group"].value == "subscriptions" and (moment := _end(attribute))
        ]
        return cls(
            organization=organization,
            title=_words(part["title"]) or organization,
            role=_words(part["role"]),
            subscription_ends=max(ends, default=None),
        )


class Identity(NamedTuple):
    """The user whom a login belongs to."""

    user_id: str
    email: str
    username: str
    """Both empty if the service does not say."""
    memberships: tuple[Membership, ...]

    @classmethod
    def of(cls, part: JsonReader) -> Identity:
        """Create from ``{identity: {id}, passport: {user_id, profile, organizations}}``."""
        passport = part["passport"]
        profile = passport["profile"]
        known = isinstance(profile.value, dict)
        return cls(
            user_id=passport["user_id"].identifier,
            email=_words(profile["email"]) if known else "",
            username=_words(profile["username"]) if known else "",
            memberships=tuple(Membership.of(item) for item in passport["organizations"]),
        )

    def named_by(self, user: JsonReader) -> Identity:
        """Return this with the names in an account's ``{id, email, username}``."""
        return self._replace(email=_words(user["email"]), username=_words(user["username"]))


def _end(attribute: JsonReader) -> datetime | None:
    ends = attribute["data"]["expires_at"] if attribute["data"].value is not None else None
    return None if ends is None or ends.value is None else ends.moment


def _words(part: JsonReader) -> str:
    """Return a string that may be missing; empty in that case."""
    return "" if part.value is None or part.value == "" else part.text


def document(response: HttpResponse) -> JsonReader:
    """Return the JSON in the response to a request that succeeded.

    Raises:
        UnexpectedResponse: The status is not 2xx, or the body is not JSON.
    """
    if not response.ok:
        raise UnexpectedResponse(response.url, got=response.description)
    return JsonReader(response.json(), response.url)
