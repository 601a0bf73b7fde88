"""Register a command that supplies the credential for a URL, such as one of Vault or 1Password.

Examples:
  conda token provider add --scope https://repo.example/acme -- vault-helper
  conda token provider add --scope https://repo.example/acme --print token -- op read op://dev/acme/token
  conda token provider test
  conda token provider list --json
  conda token provider remove repo.example/acme

When conda needs the credential, `COMMAND get` is run without a shell. It reads a request
of the credential-helper protocol, which Bazel and uv also use, and prints the response.
With --print token it prints only the secret. The output is never stored.

Exit code 1: a provider failed its test, or there is none with that name.
"""

from __future__ import annotations

from datetime import datetime, timezone
from shlex import join
from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.parser import add_actions
from conda_token_plugin.cli.provider_input import add_options, described
from conda_token_plugin.errors.store import ProviderFailed
from conda_token_plugin.operations.set_up_provider import (
    add_provider,
    remove_provider,
    unknown_provider,
)
from conda_token_plugin.store import MACHINE
from conda_token_plugin.tokens.scope import longest_prefix, normalised

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.providers import ProviderResult
    from conda_token_plugin.tokens.provider import Provider


def configure(parser: ArgumentParser) -> None:
    """Add the actions, each with its options."""
    add, _, remove, test = add_actions(
        parser,
        {
            "add": "store a command",
            "list": "list the commands",
            "remove": "remove a command",
            "test": "run the commands and check their output",
        },
    )
    add_options(add)
    remove.add_argument("provider", metavar="NAME")
    test.add_argument(
        "provider", nargs="?", metavar="NAME|URL", help="the commands to run (default: all)"
    )
    for one in (add, remove):
        one.add_argument(
            "-s", "--system", action="store_true", help="for all users of this machine"
        )


def run(call: CommandContext) -> int:
    """Run the action; return its exit code."""
    return {"add": _add, "list": _list, "remove": _remove, "test": _test}[call.args.action](call)


def _add(call: CommandContext) -> int:
    """Store a command, and have conda ask this plugin about its scope."""
    provider = described(call.args)
    add_provider(provider, store=call.store(), settings=call.settings, condarc=call.condarc)
    call.printer.data(_value(provider, source=_source(system=call.system)))
    call.printer.say(
        f"Requests for {provider.scope} get their credential from {provider.command[0]}. "
        f"Run: conda token provider test {provider.name}"
    )
    return 0


def _list(call: CommandContext) -> int:
    """Print one row for each provider. Run no command."""
    values = [_value(one, source=source) for one, source in _known(call)]
    rows = [
        {
            "name": value["name"],
            "scope": value["scope"],
            "command": join(value["command"]),
            "prints": value["prints"],
            "time limit": f"{value['seconds']:g}s",
            "for": value["for"],
        }
        for value in values
    ]
    call.printer.table(rows, value=values)
    if not values:
        call.printer.say("There is no provider. See: conda token provider --help")
    return 0


def _remove(call: CommandContext) -> int:
    """Remove a provider."""
    removed = remove_provider(
        call.args.provider, store=call.store(), settings=call.settings, condarc=call.condarc
    )
    call.printer.data({"removed": _value(removed, source=_source(system=call.system))})
    call.printer.say(f"Removed the provider {removed.name} for {removed.scope}.")
    return 0


def _test(call: CommandContext) -> int:
    """Run each chosen command and check its output. Return 1 if one fails, or if there is none."""
    results = [_result(call, one, source=source) for one, source in _chosen(call)]
    rows = [
        {"name": one["name"], "scope": one["scope"], "result": one["result"]} for one in results
    ]
    call.printer.table(rows, value=results)
    if not results:
        call.printer.say("There is no provider. See: conda token provider --help")
    return 0 if results and all(one["works"] for one in results) else 1


def _result(call: CommandContext, provider: Provider, *, source: str) -> dict[str, Any]:
    from conda_token_plugin.store.providers import ask  # starts processes; for this action only

    value = {"name": provider.name, "scope": provider.scope, "for": source, "expires": None}
    try:
        with call.printer.waiting(f"Running the command of {provider.name}"):
            result = ask(provider, settings=call.settings, now=datetime.now(timezone.utc))
    except ProviderFailed as error:
        return value | {"works": False, "result": f"failed: {error.reason}"}
    expires = result.expires.isoformat() if result.expires else None
    return value | {"works": True, "result": _words(result), "expires": expires}


def _words(result: ProviderResult) -> str:
    if result.secret is None:
        return "it says that no credential is needed"
    parts = ["supplies a credential"]
    if result.expires is not None:
        parts.append(f"until {result.expires:%Y-%m-%d %H:%M:%S} UTC")
    if result.ignored:
        parts.append(f"(headers that are not sent: {result.ignored})")
    return " ".join(parts)


def _chosen(call: CommandContext) -> Iterable[tuple[Provider, str]]:
    """Return the providers to test: of that name, for that URL, or all."""
    known, word = list(_known(call)), call.args.provider
    if word is None:
        return known
    if "://" in word:
        prefix = longest_prefix(f"{normalised(word)}/", among={one.scope for one, _ in known})
        chosen = [(one, source) for one, source in known if one.scope == prefix]
    else:
        chosen = [(one, source) for one, source in known if one.name == word]
    if not chosen:
        raise unknown_provider(word)
    return chosen


def _known(call: CommandContext) -> Iterator[tuple[Provider, str]]:
    for name, store in call.stores().items():
        for one in store.providers():
            yield one, _source(system=name == MACHINE)


def _source(*, system: bool) -> str:
    return "this machine" if system else "you"


def _value(provider: Provider, *, source: str) -> dict[str, Any]:
    value = {"name": provider.name, **provider.as_json(), "for": source}
    return value | {"scope": provider.scope}
