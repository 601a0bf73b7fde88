"""What the service answers with, read defensively: unknown keys are ignored.

A key that is missing or of the wrong type is ``ServiceNonsense``, which names the address and
the key and never quotes a value.
The shapes are those of public clients (anaconda-auth 0.15.3) and of the public documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.errors.service import ServiceNonsense
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


class JsonReader:
    """A JSON value within an answer, with its place: what a wrong key is reported by."""

    __slots__ = ("place", "url", "value")

    def __init__(self, value: Any, url: str, place: str = "") -> None:
        """``url`` is where the answer came from; ``place`` is as ``items[0].name``."""
        self.value = value
        self.url = url
        self.place = place

    def __getitem__(self, key: str) -> JsonReader:
        """The part under ``key``; its value is None where there is none."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return JsonReader(
            self.value.get(key), self.url, f"{self.place}.{key}" if self.place else key
        )

    def __iter__(self) -> Iterator[JsonReader]:
        """The parts of a list."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for number, item in enumerate(self.value):
            yield JsonReader(item, self.url, f"{self.place}[{number}]")

    @property
    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("a text")
        return self.value

    @property
    def identifier(self) -> str:
        """A text or a whole number."""
        number = isinstance(self.value, int) and not isinstance(self.value, bool)
        return str(self.value) if number else self.text

    @property
    def moment(self) -> datetime:
        """A date and time; UTC where it does not say otherwise."""
        try:
            return utc(self.text)
        except (ValueError, OverflowError):  # no date, or one that UTC pushes out of the calendar
            raise self.wrong("a date and time") from None

    @property
    def secret(self) -> Secret:
        """A token or an API key."""
        try:
            return Secret(self.text)
        except MalformedToken:  # with a blank in it, or longer than any header may be
            raise self.wrong("a token") from None

    def wrong(self, expected: str) -> ServiceNonsense:
        """The error for a part that is not ``expected``."""
        if self.value is None and self.place:
            return ServiceNonsense(self.url, got=f"JSON without {self.place!r}")
        where = f"as {self.place!r}" if self.place else "at its top"
        return ServiceNonsense(self.url, got=f"JSON that does not have {expected} {where}")


class Organization(NamedTuple):
    """An organization that the login belongs to."""

    slug: str
    """The name that never changes and that addresses are made of."""
    title: str
    """The name for people; the slug where there is none."""
    id: str

    @classmethod
    def of(cls, part: JsonReader) -> Organization:
        """Read ``{id, name, title}``."""
        slug = part["name"].text
        title = slug if part["title"].value in (None, "") else part["title"].text
        return cls(slug=slug, title=title, id=part["id"].identifier)


class CurrentToken(NamedTuple):
    """The token that a user has of an organization, without its value."""

    id: str
    expires: datetime | None
    """None: the service does not say."""

    @classmethod
    def of(cls, part: JsonReader) -> CurrentToken:
        """Read ``{id, expires_at}``."""
        expires = part["expires_at"]
        return cls(part["id"].identifier, None if expires.value is None else expires.moment)


class IssuedToken(NamedTuple):
    """A token that was just issued: the only time that its value is shown."""

    secret: Secret
    expires: datetime | None
    """None: the service does not say, or not in a way that can be read. The token counts more."""

    @classmethod
    def of(cls, part: JsonReader) -> IssuedToken:
        """Read ``{token, expires_at}``."""
        secret = part["token"].secret
        try:
            return cls(secret, part["expires_at"].moment)
        except ServiceNonsense:  # no date: no reason to lose a token that cannot be had again
            return cls(secret, None)


class Membership(NamedTuple):
    """A user's place in one organization."""

    organization: str
    """The slug."""
    title: str
    role: str
    subscription_ends: datetime | None
    """The end of the subscription that lasts longest; None: not said."""

    @classmethod
    def of(cls, part: JsonReader) -> Membership:
        """Read ``{org_id, name, title, role, attributes: [{id, group, data}]}``."""
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
    """Who the login is."""

    user_id: str
    email: str
    username: str
    """Both empty where the service does not say."""
    memberships: tuple[Membership, ...]

    @classmethod
    def of(cls, part: JsonReader) -> Identity:
        """Read ``{identity: {id}, passport: {user_id, profile, organizations}}``."""
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
        """The same, with what an account's ``{id, email, username}`` says."""
        return self._replace(email=_words(user["email"]), username=_words(user["username"]))


def _end(attribute: JsonReader) -> datetime | None:
    ends = attribute["data"]["expires_at"] if attribute["data"].value is not None else None
    return None if ends is None or ends.value is None else ends.moment


def _words(part: JsonReader) -> str:
    """A text that may be missing: empty then."""
    return "" if part.value is None or part.value == "" else part.text
