"""Find tokens in plain text: in configuration files, histories, caches, logs and packages.

Examples:
  conda token audit
  conda token audit ~/project dist/ --sarif > tokens.sarif
  conda token audit --fix

The command finds the values of your stored tokens, and URLs that contain a token or a
password. For other secrets, use gitleaks or detect-secrets. Without PATH it searches the
configuration, environments and caches of conda and mamba, the credential files of known
tools, shell histories, and the files of this folder. It never shows a value and makes no
request. --fix removes tokens where no program needs them, and revokes none. A file that
cannot be searched is reported on stderr.

Exit code 1: something was found and was not removed.
"""

from __future__ import annotations

from contextlib import suppress
from os.path import exists
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.errors.outcome import CheckFailed
from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.conda.condarcs import channels_without_token
from conda_token_plugin.operations.audit import fix, places
from conda_token_plugin.operations.audit.patterns import Known
from conda_token_plugin.operations.audit.scan import findings, printable
from conda_token_plugin.operations.export_record import ExportRecord
from conda_token_plugin.settings import expanded
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.audit.scan import AuditFinding
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

LOGIN = "login"


def configure(parser: ArgumentParser) -> None:
    """Add the paths and the options."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, packages, and folders")
    parser.add_argument("--fix", action="store_true", help="remove tokens where that is safe")
    parser.add_argument("--sarif", action="store_true", help="print SARIF, for code scanning")


def run(call: CommandContext) -> int:
    """Search, fix if requested, and report."""
    faults: list[str] = []
    known = _known(call, fault=faults.append)
    found = list(findings(_places(call), known=known, fault=faults.append))
    for fault in dict.fromkeys(faults):
        call.printer.warn(f"Not searched: {fault}")
    fixed = _fix(call, found) if call.args.fix else []
    _report(call, found, fixed={id(one) for one in fixed})
    return CheckFailed.exit_code if len(found) > len(fixed) else 0


def _places(call: CommandContext) -> Iterable[places.AuditPlace]:
    named = [expanded(name) for name in call.args.paths]
    for path in named:
        if not exists(path):  # noqa: PTH110  # Path.exists raises for names that are too long
            raise BadInput(f"There is no {path}.", hint="Check the path.")
    store_folder = call.settings.store_folder
    found = places.named(named) if named else places.usual(call.settings)
    return (one for one in found if store_folder not in absolute(one.path).parents)


def _known(call: CommandContext, *, fault: Callable[[str], None]) -> Known:
    """Return the values that are stored or supplied on this machine, each with its owner."""
    from conda_token_plugin.errors.store import NoToken
    from conda_token_plugin.operations.export_tokens import tokens_for

    known = Known()
    for store in call.stores().values():
        known.update(_in_store(call, store, fault=fault))
    try:
        supplied = tokens_for((), settings=call.settings, stores={})
    except NoToken:  # no variable supplies one
        return known
    known.update((one.secret().reveal(), one.token.organization) for one in supplied)
    return known


def _in_store(call: CommandContext, store: Store, *, fault: Callable[[str], None]) -> Known:
    try:
        known = Known((store.secret(one.key).reveal(), one.organization) for one in store.tokens())
        login = store.login(call.settings.service_url)
    except StoreError as error:  # a locked keyring; URLs are still found
        fault(f"the stored tokens. {error}")
        return Known()
    if login is not None:
        known[login.reveal()] = LOGIN
    return known


def _fix(call: CommandContext, found: Sequence[AuditFinding]) -> list[AuditFinding]:
    """Ask, then remove. A file that cannot be changed is reported and counts as not fixed."""
    able: dict[Path, list[AuditFinding]] = {}
    for one in found:
        if fix.replacement(one) is not None:
            able.setdefault(one.path, []).append(one)
    if able:
        names = ", ".join(map(str, able))
        call.prompts.confirm(f"Remove tokens from {names}? There is no backup.")
    return [one for path, findings in able.items() for one in _fixed(call, path, findings)]


def _fixed(call: CommandContext, path: Path, findings: list[AuditFinding]) -> list[AuditFinding]:
    try:
        fix.fix(path, findings)
    except ConfigurationError as error:  # a file of another user, a link
        call.printer.warn(str(error))
        return []
    return findings


def _report(call: CommandContext, found: Sequence[AuditFinding], *, fixed: set[int]) -> None:
    """Print every finding; ``fixed`` has the identities of those that were removed."""
    exported = {one.place: one.target for one in ExportRecord(call.settings).records()}
    entries = [_entry(one, fixed=id(one) in fixed, exported=exported) for one in found]
    if call.args.sarif:
        import json

        from conda_token_plugin.operations.audit.sarif import document

        value = document(found, below=absolute(Path()))
        call.printer.data(value, text=json.dumps(value, indent=2))
    else:
        call.printer.table([_row(one, fixed=id(one) in fixed) for one in found], value=entries)
    for line in dict.fromkeys(_summary(call, found, entries=entries)):
        call.printer.say(line)


def _summary(
    call: CommandContext, found: Sequence[AuditFinding], *, entries: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """Yield what to do: first about the places, then about the tokens."""
    left = [(one, entry) for one, entry in zip(found, entries, strict=True) if not entry["fixed"]]
    if not found:
        yield "No token was found."
    if not (call.args.paths or call.printer.quiet):
        yield from (
            f"{url}: no token is sent there." for url in channels_without_token(call.settings)
        )
    elif call.args.fix:
        yield f"{len(found)} found, {len(found) - len(left)} removed."
    for one, entry in left:
        yield f"{one.where}: {entry['advice']}."
    shared = _with_site_token(call)
    for owner in dict.fromkeys(one.owner for one in found if one.owner):
        yield f"Others may have seen {_reissue(owner, shared=owner in shared)}"
    unknown = dict.fromkeys(one.last_four for one in found if not one.owner and one.last_four)
    if unknown:
        names = ", ".join(f"…{four}" for four in unknown)
        yield f"Others may have seen {names}: revoke them where they were issued."


def _with_site_token(call: CommandContext) -> set[str]:
    """Return the organizations whose stored token only an administrator can reissue."""
    held: list[Token] = []
    for store in call.stores().values():
        with suppress(StoreError):  # already reported by _in_store
            held += store.tokens()
    return {token.organization for token in held if token.kind is TokenKind.SITE}


def _reissue(owner: str, *, shared: bool) -> str:
    if owner == LOGIN:
        return "your API key. To create a new one, run: conda token login"
    if shared:
        return (
            f"the site token of {owner}. Ask its administrator for another one, then run: "
            f"conda token install --site --org {owner}"
        )
    return f"the token of {owner}. To reissue it, run: conda token install --org {owner} --reissue"


def _row(one: AuditFinding, *, fixed: bool) -> dict[str, str]:
    return {
        "where": one.where,
        "what": one.rule,
        "organization": one.owner or "-",
        "token": f"…{one.last_four}" if one.last_four else "-",
        "fixed": "yes" if fixed else "no",
    }


def _entry(one: AuditFinding, *, fixed: bool, exported: Mapping[str, str]) -> dict[str, Any]:
    target = exported.get(str(absolute(one.path)))
    advice = f"it was exported: conda token export {target} --remove" if target else ""
    return {
        "path": printable(str(one.path)),
        "inside": printable(one.inside),
        "line": one.line,
        "rule": one.rule,
        "organization": one.owner,
        "last_four": one.last_four,
        "fixed": fixed,
        "advice": "" if fixed else advice or fix.advice(one),
    }
