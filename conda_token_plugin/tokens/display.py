"""Texts about tokens, the same in every command. Pure."""

from __future__ import annotations

from shlex import join
from typing import TYPE_CHECKING
from urllib.parse import unquote

from conda_token_plugin.tokens.authorization import address
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, State, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from conda_token_plugin.tokens.token import Token

STORED_IN = {
    "file": "in a file that only you can read",
    "keyring": "in the system keyring",
    "machine": "in the store of this machine",
}
"""Where a secret is stored, as the end of a sentence."""


LOGIN = "login to "
"""Begins the source of an API key that a login stored; see ``store.sources``."""


def is_supplied(token: Token, *, source: str) -> bool:
    """Return whether a variable or a mounted file supplies the token or API key, and no store.

    An imported token is of an unknown kind as well, and is in a store.
    """
    if token.kind is TokenKind.API_KEY:
        return not source.startswith(LOGIN)
    return token.kind is TokenKind.UNKNOWN and source not in STORED_IN


def next_step(token: Token, *, source: str) -> str:
    """Return the sentence that says how ``token`` is extended or replaced.

    A command could not replace what a variable supplies, which has precedence over the store.
    """
    if is_supplied(token, source=source):
        return f"Put a new one into {source}."
    return f"Run: conda token {renewal(token)}"


def expiry(token: Token, *, now: datetime) -> str:
    """Return ``2027-01-31 (68 days left)``, or that it is unknown, expired or revoked."""
    state = token.state(now=now)
    if state in {State.REVOKED, State.CANCELLED}:
        return str(state.value)
    if token.expires is None:
        return "unknown"
    if state is State.GRACE:
        return f"{token.expires:%Y-%m-%d} ({_grace(token, now=now)})"
    return f"{token.expires:%Y-%m-%d} ({_remaining((token.expires - now).days)})"


def last_four(token: Token) -> str:
    """Return ``…a1B2``, which is enough to tell tokens apart."""
    return f"…{token.last_four}" if token.last_four else "-"


def described(token: Token) -> str:
    """Return ``individual token …a1B2``, ``API key …a1B2`` or ``password``."""
    if token.kind is TokenKind.PROVIDER:
        return "from a provider"
    if token.scheme is AuthScheme.BASIC:
        return "password"
    kind = "API key" if token.kind is TokenKind.API_KEY else f"{token.kind.value} token"
    return f"{kind} {last_four(token)}"


def day(moment: datetime | None) -> str:
    """Return the date of ``moment``, in UTC."""
    return f"{moment:%Y-%m-%d}" if moment else "an unknown date"


def command_line(*words: str) -> str:
    """Return ``conda token`` with ``words``, quoted for a shell: a URL may be untrusted."""
    return join(("conda", "token", *words))


def renewal(token: Token) -> str:
    """Return the command that extends or replaces ``token``, without ``conda token``."""
    if token.kind is TokenKind.API_KEY:
        return "login"
    if token.kind is TokenKind.PROVIDER:
        return f"provider test {token.organization}"
    if token.kind is TokenKind.INDIVIDUAL:
        return f"sync {token.organization}"
    return join(("install", "--site", "--org", token.organization, *_destination(token)))


def _destination(token: Token) -> Iterator[str]:
    """Yield the options that say where ``token`` is sent and how, unless it is the default."""
    if any(unquote(one.rpartition("/")[2]) == token.organization for one in token.scope):
        return  # the organization's part of a repository
    for prefix in token.scope:
        yield from ("-c", address(f"{prefix}/", token=token, secret=Secret("TOKEN")).rstrip("/"))
    if token.scheme not in (AuthScheme.PATH, AuthScheme.TOKEN):
        yield from ("--send-as", token.scheme.value)
    if token.username:
        yield from ("--username", token.username)


def named(token: Token) -> str:
    """Return ``the token …a1B2 of acme``, ``the password of acme``, or ``the API key …a1B2``."""
    shown = f" …{token.last_four}" if token.last_four else ""
    if token.kind is TokenKind.API_KEY:
        return f"the API key{shown}"
    if token.kind is TokenKind.PROVIDER:
        return "the credential"
    owner = "" if token.organization.startswith("(") else f" of {token.organization}"
    what = "password" if token.scheme is AuthScheme.BASIC else "token"
    return f"the {what}{shown}{owner}"


def capitalized(text: str) -> str:
    """Return ``text`` with a capital at its start. The other letters, as of a token, are kept."""
    return f"{text[:1].upper()}{text[1:]}"


def channels_of(token: Token, *, repository: str) -> str:
    """Return the scope of ``token``; a channel of ``repository`` is shown by its name."""
    inside = [p.removeprefix(repository) for p in token.scope if p.startswith(repository)]
    outside = channels(p for p in token.scope if not p.startswith(repository))
    return " ".join(filter(None, [", ".join(inside), outside]))


def channels(prefixes: Iterable[str]) -> str:
    """Return prefixes without scheme; several in one folder as ``host/repo/{a,b}``."""
    folders: dict[str, list[str]] = {}
    for prefix in prefixes:
        folder, _, name = prefix.partition("://")[2].rpartition("/")
        folders.setdefault(folder, []).append(name)
    return " ".join(_joined(folder, names) for folder, names in folders.items())


def _joined(folder: str, names: list[str]) -> str:
    base = f"{folder}/" if folder else ""
    return f"{base}{names[0]}" if len(names) == 1 else f"{base}{{{','.join(names)}}}"


def _remaining(days: int) -> str:
    if days < 0:
        return f"expired {_count(-days)} ago"
    return f"{_count(days)} left" if days else "less than a day left"


def _grace(token: Token, *, now: datetime) -> str:
    left = token.left(now=now)
    days = left.days if left else 0
    return f"the subscription has ended, {_count(days)} of grace left"


def _count(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
