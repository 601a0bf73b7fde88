"""Make main, r and msys2 of the repository conda's default channels, and add other channels.

Examples:
  conda token config --dry-run
  conda token config -c https://repo.anaconda.cloud/repo/acme/main
  conda token config --undo

The new content of the configuration file is shown, and you are asked before it is
written. The file belongs to the plugin: ~/.condarc is not changed, and --undo removes
everything that this command set. Added channels come before conda's other channels, so
that a public package of the same name is not preferred. conda uses default channels only
if `defaults` is among its channels. If no channel is configured, `defaults` is added;
otherwise you are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.conda_channels import needs_defaults, report_channels
from conda_token_plugin.cli.options import (
    add_channel_options,
    default_channels,
    refuse_unknown,
    several,
)
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.conda import content_trust, dropin
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.store.sources import all_supplied, api_keys
from conda_token_plugin.tokens.repository_layout import shared_prefixes
from conda_token_plugin.tokens.scope import longest_prefix, normalised, without_credentials

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add what conda is to use."""
    parser.add_argument(
        "-o",
        "--org",
        metavar="ORG",
        help="the organization whose token is configured, if there are several",
    )
    parser.add_argument(
        *("-c", "--channel"),
        action="append",
        default=[],
        metavar="URL",
        help="add this channel before conda's other channels",
    )
    add_channel_options(parser)
    parser.add_argument("--undo", action="store_true", help="remove what this command set")
    parser.add_argument("--dry-run", action="store_true", help="show the file; write nothing")
    parser.add_argument("--force", action="store_true", help="write the file without asking")
    parser.add_argument("--system", action="store_true", help="for all users of this machine")


def run(call: CommandContext) -> int:
    """Show the file, ask, and write it."""
    store = call.store()
    stored = store.tokens()
    supplied = _supplied(call, store=store)
    held = (*stored, *supplied)
    changed = _undone(call, held) if call.args.undo else [_configured(call, stored, supplied)]
    after = _after(store, changed)
    signed_by = _signer(call)
    if signed_by:
        prefixes = [prefix for token in after for prefix in token.scope]
        content_trust.refuse_signer_without_token(signed_by, prefixes=prefixes)
    wanted = () if call.args.undo else changed[0].default_channels
    defaults = needs_defaults(call, wanted=wanted)
    text = dropin.planned(call.condarc, tokens=after, signed_by=signed_by, defaults=defaults)
    if call.args.dry_run:
        call.printer.data({"path": str(call.condarc), "content": text}, text=text)
        return 0
    if text == dropin.content(call.condarc) and not changed:
        call.printer.say("Nothing was configured by this command, so nothing was changed.")
        call.printer.data({"path": str(call.condarc), "content": text})
        return 0
    _agree(call, text)
    dropin.check_writable(call.condarc)
    keys = {token.key for token in stored}
    store.update(*(token for token in changed if token.key in keys))
    store.configure(*(token for token in changed if token.key not in keys))
    update_dropin(call.condarc, store=store, signed_by=signed_by, defaults=defaults)
    report_channels(call, store.credentials())
    call.printer.data({"path": str(call.condarc), "content": text})
    return 0


def _after(store: Store, changed: list[Token]) -> list[Token]:
    """Return the tokens for the drop-in, as they will be after ``Store.configure(*changed)``."""
    keys, stored = {token.key for token in changed}, {token.key for token in store.tokens()}
    before = [one for one in store.configured() if one.key in keys]
    kept = [token for token in store.credentials() if token not in before]
    new = [one for one in changed if one.key in stored or one.channels or one.default_channels]
    return list({token.key: token for token in (*kept, *new)}.values())


def _supplied(call: CommandContext, *, store: Store) -> tuple[Token, ...]:
    """Return the tokens that variables supply, with the channels configured for them.

    Where no token is stored, and none is for the shared channels, an API key is used.
    """
    if call.system:
        return ()
    found = {one.token.key: one.token for one in all_supplied(call.settings)}
    shared = shared_prefixes(call.settings.repo_url)[0]
    covered = [prefix for token in (*store.tokens(), *found.values()) for prefix in token.scope]
    if not (call.args.org or store.tokens() or longest_prefix(f"{shared}/", among=covered)):
        keys = api_keys(call.settings, user=store)
        found = {one.token.key: one.token for one in keys} or found
    return tuple({**found, **{token.key: token for token in store.configured()}}.values())


def _configured(
    call: CommandContext, stored: tuple[Token, ...], supplied: tuple[Token, ...]
) -> Token:
    """Return the token to configure, with the channels that were asked for."""
    held = (*stored, *supplied)
    wanted = default_channels(call)
    token = _chosen(call, held)
    covered = [prefix for one in held for prefix in one.scope]
    missing = [url for url in wanted if longest_prefix(f"{url}/", among=covered) is None]
    if missing and token in supplied:
        raise BadInput(
            f"The token of {token.organization} does not cover {', '.join(missing)}.",
            hint="Set ANACONDA_REPO_TOKEN: it is for the whole repository.",
        )
    channels = [normalised(without_credentials(url)) for url in call.args.channel]
    for url in channels:
        if longest_prefix(f"{url}/", among=[*covered, *missing]) is None:
            raise BadInput(f"No token covers {url}.", hint=f"See: conda token which {url}")
    return token._replace(
        scope=(*token.scope, *missing),
        channels=tuple(dict.fromkeys((*token.channels, *channels))),
        default_channels=wanted,
    )


def _undone(call: CommandContext, held: tuple[Token, ...]) -> list[Token]:
    mine = held if call.args.org is None else (_chosen(call, held),)
    changed = [token for token in mine if token.channels or token.default_channels]
    return [token._replace(channels=(), default_channels=()) for token in changed]


def _chosen(call: CommandContext, held: tuple[Token, ...]) -> Token:
    """Return the token that is named, else the one for the shared channels, else the only one."""
    known = {token.organization for token in held}
    if call.args.org is not None:
        refuse_unknown([call.args.org], known=known)
        return next(token for token in held if token.organization == call.args.org)
    common = shared_prefixes(call.settings.repo_url)
    opening = [token for token in held if longest_prefix(f"{common[0]}/", among=token.scope)]
    for candidates in (opening, held):
        if len(candidates) == 1:
            return candidates[0]
    if not held:
        raise NoToken(
            "No token is stored, so the server would refuse conda.", hint="Run: conda token install"
        )
    raise several(known, hint="Choose one with --org.")


def _signer(call: CommandContext) -> str | None:
    """Return where conda finds signatures; "" for no place, None to keep the present one."""
    if call.args.undo:
        return ""
    enabled = call.args.enable_signature_verification
    return call.settings.repo_url.rstrip("/") if enabled else None


def _agree(call: CommandContext, text: str) -> None:
    """Show the file and ask whether to write it."""
    call.printer.say(f"{call.condarc} {'will contain:' if text else 'will be deleted.'}")
    for line in text.splitlines():
        call.printer.say(f"  {line}")
    if not call.args.force:
        call.prompts.confirm("Write it?" if text else "Delete it?")
