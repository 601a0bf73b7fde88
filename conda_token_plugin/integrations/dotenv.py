"""dotenv: ``NAME=value`` lines in the ``.env`` of a project (docker compose, python-dotenv, …).

The name is the variable in which the plugin looks for a token: ``ANACONDA_REPO_TOKEN_<ORG>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.formats.credential_file import TextFile
from conda_token_plugin.integrations.target import Entry, Target, refuse_shared_keys, secret_or_none
from conda_token_plugin.settings import API_KEY, token_variable
from conda_token_plugin.tokens.token import AuthScheme, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

ANY = "(any)"
"""The name that ``lookup`` gives to the organization of a general token."""
_LINE = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t]*(?=\r?$)", re.MULTILINE
)
_END = re.compile(r"\r?\n")
_BARE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""Values that need no quotes, neither for a shell nor for other readers."""
_AMBIGUOUS = re.compile(r"['\\\s]|\$\{")
"""What readers disagree about within single quotes: python-dotenv reads escapes and variables."""


@dataclass(frozen=True, slots=True)
class Assignments:
    """The format of lines ``NAME=value``. All other lines are kept as they are."""

    empty: str = ""

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Return all assignments."""
        return tuple(
            Entry(key=found[1], value=_unquoted(found[2])) for found in _LINE.finditer(text)
        )

    def put(self, text: str, entry: Entry) -> str:
        """Replace the line of the variable, or append one."""
        line = f"{entry.key}={_quoted(entry.value)}"
        for found in _LINE.finditer(text):
            if found[1] == entry.key:
                return text[: found.start()] + line + text[found.end() :]
        end = "\r\n" if "\r\n" in text else "\n"
        return f"{text}{end}{line}" if text and not text.endswith("\n") else f"{text}{line}{end}"

    def drop(self, text: str, key: str) -> str:
        """Remove the line of the variable."""
        for found in _LINE.finditer(text):
            if found[1] == key:
                before, after = text[: found.start()], text[found.end() :]
                end = _END.match(after)
                if end is None:
                    return before.removesuffix("\n").removesuffix("\r")
                return before + after[end.end() :]
        return text


class Dotenv(Target):
    """A project's ``.env``."""

    name = "dotenv"

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # the signature of Target
        """Return ``.env`` in the current folder."""
        return self.place_at(Path(".env"))

    def place_at(self, path: Path) -> Place:
        """Return the file at ``path``."""
        return TextFile(path=absolute(path), format=Assignments())

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one variable.

        Raises:
            BadInput: Programs would read the value in different ways.
        """
        if _AMBIGUOUS.search(grant.secret.reveal()):
            raise BadInput(
                f"The token of {grant.token.organization} contains a quote, a backslash, a space "
                "or ${, which programs read from .env files in different ways.",
                hint="Use another target: rattler, pixi, mamba.",
            )
        yield Entry(key=variable_of(grant), value=grant.secret.reveal())

    def secret_in(self, value: str) -> Secret | None:
        """Return the value itself, which may be a password."""
        return secret_or_none(value, scheme=AuthScheme.BASIC.value)

    def notes(self, grant: Grant) -> Iterator[str]:  # noqa: ARG002  # the signature of Target
        """Warn of committing the file."""
        yield "Keep .env out of version control and out of images: .gitignore, .dockerignore."


def variable_of(grant: Grant) -> str:
    """Return the name ``ANACONDA_REPO_TOKEN_<ORG>``, or ``ANACONDA_AUTH_API_KEY``."""
    if grant.token.kind is TokenKind.API_KEY:
        return API_KEY
    organization = grant.token.organization
    return token_variable("" if organization == ANY else organization)


def by_variable(grants: Iterable[Grant]) -> dict[str, Grant]:
    """Return the tokens by the names of their variables.

    Raises:
        BadInput: Two tokens have the same name.
    """
    named = [(variable_of(grant), grant) for grant in grants]
    refuse_shared_keys(named, tool="The environment")
    return dict(named)


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else f"'{value}'"


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
