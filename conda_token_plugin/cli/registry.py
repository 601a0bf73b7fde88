"""The table of commands. Importing it imports no command."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import ModuleType

GET, LOG_IN, SEE = "Get a token", "Log in", "Inspect"
SHARE, OTHER = "Share a token", "Other"


class Verb(NamedTuple):
    """A command: its name, its group on the help page, a one-line summary and its other names.

    Its module is `cli/commands/<name>.py`, with an underscore appended if the name is a Python
    keyword. The module has `run(call) -> int`, and `configure(parser)` if the command has arguments
    of its own; its docstring is the text of `--help`.
    """

    name: str
    group: str
    summary: str
    aliases: tuple[str, ...] = ()

    @property
    def module(self) -> ModuleType:
        """The command's module, imported on first use."""
        name = f"{self.name}_" if iskeyword(self.name) else self.name
        return import_module(f"conda_token_plugin.cli.commands.{name}")


VERBS = (
    Verb("install", GET, "issue a token for your organization and store it"),
    Verb("remove", GET, "delete a stored token and its configuration", ("uninstall", "rm")),
    Verb("renew", GET, "extend a token, or replace it after asking"),
    Verb("set", GET, "store a token that you were given"),
    Verb("provider", GET, "register a command that supplies a credential"),
    Verb("config", GET, "make the repository conda's default, or undo that"),
    Verb("list", SEE, "list tokens with their channels and expiry"),
    Verb("which", SEE, "show which token is sent with a URL, and why"),
    Verb("audit", SEE, "find tokens in plain text in files"),
    Verb("status", SEE, "show whether each token works, and its expiry"),
    Verb("sync", SEE, "compare stored tokens with the service", ("refresh",)),
    Verb("test", SEE, "check the channels that conda is configured with"),
    Verb("login", LOG_IN, "log in with a code, or in a browser"),
    Verb("logout", LOG_IN, "delete the stored login"),
    Verb("sites", LOG_IN, "list the services and repositories to choose from"),
    Verb("whoami", LOG_IN, "show your user name and your organizations"),
    Verb("export", SHARE, "write a token to rattler, mamba, netrc, CI, …"),
    Verb("import", SHARE, "import tokens from other tools"),
    Verb("run", SHARE, "run one command with tokens in its environment"),
    Verb("helper", SHARE, "supply a credential to Bazel, uv or a script"),
    Verb("completion", OTHER, "print a completion script for your shell"),
    Verb("demo", OTHER, "try everything against a local service"),
)
"""In the order of the overview."""
SHORTHANDS = {"help": ("--help",), "reissue": ("install", "--reissue")}
"""Other words for a command, and the arguments that replace them."""
