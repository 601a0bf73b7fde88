"""Store a token that the user was given, for `install` and `set`.

This needs neither a login nor a seat. The token is read from standard input, a file, a variable
or a hidden prompt. As an argument it is accepted with a warning, because other users can see it
and the shell's history stores it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli import issue_flow
from conda_token_plugin.cli.conda_channels import needs_defaults
from conda_token_plugin.cli.options import SCHEMES, moment, organization
from conda_token_plugin.cli.token_input import SOURCES, read_token, scheme_of
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.store_given_token import (
    described,
    refuse_supplied,
    scoped,
    store_given,
    verify_given,
)
from conda_token_plugin.tokens.display import STORED_IN, named

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.store_token import CondaOptions, StoredToken
    from conda_token_plugin.tokens.token import Token

ROOT = "root"
"""The group for which the store of the machine stays readable by root only."""
MAX_NAME = 20
"""A longer word is treated as a token. A name becomes part of a URL, which a token must not."""


def configure(parser: ArgumentParser, *, word: str = "TOKEN") -> None:
    """Add the options of a token that was given.

    ``word`` is the name of the argument: "ORG" if it can also be an organization.
    """
    as_argument = "unsafe as an argument, because other users can see it"
    group = parser.add_argument_group("a token that you were given (needs no login and no seat)")
    group.add_argument(
        "--site",
        action="store_true",
        help="store a site token; prompts for it unless another option supplies it",
    )
    parser.add_argument(
        "token",
        nargs="?",
        metavar=word,
        help=f"the organization; or a token, {as_argument}" if word == "ORG" else as_argument,
    )
    parser.set_defaults(argument=word)
    group.add_argument("--token-stdin", action="store_true", help="read it from standard input")
    group.add_argument("--token-file", metavar="FILE", help="read it from a file")
    group.add_argument("--token-env", metavar="NAME", help="read it from a variable")
    group.add_argument(
        *("-c", "--channel"),
        action="append",
        default=[],
        metavar="URL",
        help="send it only to this channel, on any server (default: the organization's channels)",
    )
    group.add_argument(
        "--send-as",
        choices=SCHEMES,
        help="how it is sent (default: path if a URL of -c contains /t/, otherwise token)",
    )
    group.add_argument("--username", default="", help="the user name for --send-as basic")
    group.add_argument("--expires", type=moment, metavar="DATE", help="when it expires, if known")
    group.add_argument(
        "--system", action="store_true", help="store it for the users of this machine in --group"
    )
    group.add_argument(
        "--group", metavar="NAME", help="with --system: the group that may read it, or root"
    )
    group.add_argument("--no-validate", action="store_true", help="store it without verification")


def separate_organization(call: CommandContext) -> None:
    """Move the argument TOKEN to ``--org`` if it is the name of an organization.

    `conda token install acme` names an organization. A token is longer than any name. With
    ``--site``, ``--channel`` or ``--system`` the argument is the token, unless an option gives it.

    Raises:
        BadInput: It names another organization than ``--org``.
    """
    args = call.args
    word = args.token
    elsewhere = args.token_stdin or args.token_file or args.token_env
    if not word or len(word) > MAX_NAME or args.org:
        return
    if (args.site or args.channel or args.system) and not elsewhere:
        return
    if not word.replace("-", "").replace("_", "").isalnum():
        return
    args.org, args.token = organization(word), None


def is_given(args: Namespace) -> bool:
    """Return whether the options name a token that exists already."""
    return bool(
        args.site or args.system or args.channel or any(getattr(args, name) for name in SOURCES)
    )


def run(call: CommandContext, *, options: Callable[[], CondaOptions]) -> int:
    """Read the token, verify it, ask what is left to ask, store it, and report.

    ``options`` returns what conda is configured with. It may ask the user, so it is called
    after the token is verified.

    Raises:
        BadInput: The options exclude each other, what was given contains no token, or conda
            could not read its configuration with one of the channels.
        Supplied: The environment supplies another token for the organization.
        TokenRefused, ServiceError: The token could not be verified, and was not stored.
    """
    group, token, secret = _readers(call), _token(call), read_token(call)
    store = call.store()
    if not (call.system or call.args.channel):
        refuse_supplied(token.organization, secret=secret, settings=call.settings)
    verification = None
    if not call.args.no_validate:
        with call.printer.waiting("Verifying the token"):
            verification = verify_given(
                scoped(token, store=store, settings=call.settings, shared=None),
                secret=secret,
                store=store,
                settings=call.settings,
                condarc=call.condarc,
            )
    conda_options = options()
    token = scoped(token, store=store, settings=call.settings, shared=conda_options.shared)
    stored = store_given(
        conda_options.applied(token, before=None)._replace(last_four=secret.last_four),
        secret=secret,
        store=store,
        settings=call.settings,
        condarc=call.condarc,
        now=call.now,
        verification=verification,
        group=None if group == ROOT else group,
        defaults=needs_defaults(call, wanted=conda_options.default_channels),
    )
    _report(call, stored, group=group)
    return 0


def _readers(call: CommandContext) -> str | None:
    """Return the group that may read the store of the machine; None without ``--system``."""
    args = call.args
    if args.group and not args.system:
        raise BadInput("--group is only valid with --system.", hint="Add --system.")
    if not args.system or args.group:
        return args.group or None
    groups = ("users", "staff", ROOT)
    question = "Which group may read the token?"
    return groups[call.prompts.choose(question, options=groups, flag="--group NAME")]


def _token(call: CommandContext) -> Token:
    """Return the metadata of the token that the options of the command line give."""
    args = call.args
    dropin.refuse_unreadable(call.settings.repo_url)
    if not args.channel and not args.org:
        args.org = _organization_from_service(call)
    return described(
        args.org or "",
        channels=args.channel,
        scheme=scheme_of(args),
        username=args.username,
        expires=args.expires,
    )


def _organization_from_service(call: CommandContext) -> str:
    """Return the user's only organization, as the service says."""
    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.service.credentials import logged_in

    try:
        service = logged_in(call.settings, call.store(), notice=call.printer.say)
        names = sorted(one.slug for one in service.organizations())
    except TokenPluginError:  # not logged in, or no response: --org is needed
        names = []
    if len(names) == 1:
        return names[0]
    known = f" You belong to: {', '.join(names)}." if names else ""
    raise BadInput(
        f"The organization of the token is not known.{known}",
        hint="Name the organization with --org, or the channels with -c URL.",
    )


def _report(call: CommandContext, stored: StoredToken, *, group: str | None) -> None:
    token = stored.token
    source = "machine" if call.system else stored.vault
    readers = "root only" if group == ROOT else f"root and the group {group}"
    issue_flow.report_stored(
        call,
        stored,
        line=f"Stored {named(token)} {STORED_IN[source]}.",
        readers=readers if group else "",
        unverified="Not verified, because of --no-validate.",
    )
    call.printer.data(call.entry(token, source=source))
