"""Store a token that you were given, and make the repository conda's default channels.

Examples:
  conda token set --org acme --token-file token.txt
  conda token set --token-stdin --no-set-default-channels < token.txt

All options of `set` in conda-token and anaconda-auth are accepted. Unlike there, your
condarc is not changed: conda is configured in a file of the plugin, which
`conda token remove` deletes. Without --org the token is for the whole repository.
To issue a token, use `conda token install`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli import given_token
from conda_token_plugin.cli.options import (
    add_channel_options,
    add_ignored_options,
    add_store,
    default_channels,
)
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations.conda import content_trust
from conda_token_plugin.operations.store_token import CondaOptions
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.scope import normalised

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext


def configure(parser: ArgumentParser) -> None:
    """Add the options of a token that was given, and those of anaconda-auth's command."""
    parser.add_argument("-o", "--org", metavar="ORG", help="the organization of the token")
    add_store(parser)
    given_token.configure(parser)
    compatible = add_ignored_options(parser)
    compatible.add_argument("-s", action="store_true", dest="system", help="the same as --system")
    compatible.add_argument("--no-ssl-verify", action="store_true", help="do not verify the token")
    compatible.add_argument("--force-config-condarc", action="store_true", help="accepted, ignored")
    compatible.add_argument(
        "--no-set-default-channels",
        action="store_false",
        dest="set_default_channels",
        help="do not change conda's default channels",
    )
    compatible.add_argument(
        "--set-default-channels", action="store_true", default=True, help="the default"
    )
    add_channel_options(parser)


def run(call: CommandContext) -> int:
    """Read the token, verify it, store it, and configure conda."""
    args = call.args
    _explain(call)
    args.no_validate = args.no_validate or args.no_ssl_verify
    wanted = default_channels(call) if args.set_default_channels else ()
    args.channel = args.channel or [_home(call), *wanted]
    options = CondaOptions(default_channels=wanted)
    signer = call.settings.repo_url.rstrip("/")
    if args.enable_signature_verification:
        stored = (prefix for token in call.store().tokens() for prefix in token.scope)
        content_trust.refuse_signer_without_token(
            signer, prefixes=(*map(normalised, args.channel), *stored)
        )
    code = given_token.run(call, options=lambda: options)
    if args.enable_signature_verification:
        update_dropin(call.condarc, store=call.store(), signed_by=signer)
    return code


def _home(call: CommandContext) -> str:
    """Return the organization's part of the repository, or all of it without ``--org``."""
    repository = call.settings.repo_url
    return organization_prefix(repository, call.args.org) if call.args.org else repository


def _explain(call: CommandContext) -> None:
    """Print what is different from anaconda-auth for the given options, and why."""
    args = call.args
    named = {"--system": args.system, "--env": args.env, "--file": args.file}
    given = [name for name, value in named.items() if value]
    if len(given) > 1:
        raise BadInput(f"{' and '.join(given)} exclude each other.", hint="Choose one of them.")
    if args.system:
        call.printer.say(
            "--system stores the token for a group of users; in anaconda-auth it only chooses the "
            "condarc."
        )
    if call.args.env or call.args.file:
        call.printer.say(
            f"conda is configured in {call.condarc}, for all environments, and in no other file."
        )
    if call.args.no_ssl_verify:
        call.printer.warn(
            "The token is not verified: without checking certificates, a proxy could read it. "
            "To have conda trust your proxy, run: conda config --set ssl_verify truststore"
        )
