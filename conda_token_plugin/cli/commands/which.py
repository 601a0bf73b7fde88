"""Show which token is sent with a URL, where it is stored, and why it was chosen.

Examples:
  conda token which acme/main
  conda token which https://repo.anaconda.cloud/repo/acme/main --json

A name without https:// is a channel of the repository. No request is made, and the token
is not shown.

Exit code 1: no token covers the URL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.tokens.display import channels, described, expiry, named
from conda_token_plugin.tokens.repository_layout import segment
from conda_token_plugin.tokens.scope import normalised, without_secrets
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.sources import Credential


def configure(parser: ArgumentParser) -> None:
    """Add the URL."""
    parser.add_argument("url", metavar="URL", help="a channel, its name, or a file in it")


def run(call: CommandContext) -> int:
    """Print the token's organization, its source and the reason.

    Raises:
        MalformedURL: No token can be sent to the URL.
        NoToken: No token covers the URL.
    """
    url = _requested(_address(call.args.url, repository=call.settings.repo_url))
    lookup = call.lookup()
    found = lookup.find(f"{url}/")
    if found is None:
        raise NoToken.for_url(without_secrets(url))
    other = lookup.alternative(f"{url}/", to=found)
    value = call.entry(found.token, source=found.source)
    value |= {"url": url, "prefix": found.prefix}
    value |= {"if_refused": other and call.entry(other.token, source=other.source)}
    call.printer.data(value, text="\n".join(_lines(url, found, other=other, call=call)), wrap=True)
    return 0


def _address(text: str, *, repository: str) -> str:
    """Return the URL of a channel that is given by its name, as in `acme/main`.

    A first segment with a dot or a colon is a host, so that `host.example/x` is refused and not
    taken for a channel.
    """
    if not re.fullmatch(r"[^/.:\s]+(/[^:\s]*)?", text):
        return text
    segment(text.partition("/")[0])  # a token that was typed by mistake is not repeated
    return f"{repository}{text}"


def _requested(url: str) -> str:
    """Return `url` in the form in which conda requests it (26.7.1).

    conda reduces several slashes at the beginning of a channel's path to one. It requests a
    package whose URL was given as it was typed, so `https://h//a/x.conda` is not in `https://h/a`.
    """
    channel = normalised(url)
    parts = urlsplit(url)
    if parts.path.startswith("//") and parts.path.endswith((".conda", ".tar.bz2")):
        return f"{parts.scheme}://{parts.netloc}{parts.path}"
    return channel


def _lines(
    url: str, found: Credential, *, other: Credential | None, call: CommandContext
) -> list[str]:
    token = found.token
    # The import reads YAML, which a URL without a token does not need.
    from conda_token_plugin.operations.channel_settings import entry_for, is_asked

    asked = is_asked(f"{url}/", settings=call.settings)
    warning = f"conda         does not ask this plugin for this URL. {entry_for(url)}"
    second = [f"if refused    {named(other.token)} from {other.source}"] if other else []
    return [
        *([] if asked else [warning]),
        f"URL           {url}",
        f"organization  {token.organization} ({described(token)})",
        f"source        {found.source}",
        f"because       {channels([found.prefix])} is its longest prefix of the URL",
        f"sent as       {_sent(token.scheme.value)}",
        f"expires       {expiry(token, now=call.now)}",
        *second,
    ]


def _sent(scheme: str) -> str:
    if scheme == AuthScheme.HEADER.value:
        return "Authorization, as the provider returns it"
    return "/t/<token>/ in the request's URL" if scheme == "path" else f"Authorization: {scheme} …"
