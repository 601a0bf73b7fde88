"""Readers of files on this machine: state files, drop-ins, packages, logs; and of variables."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from conda_token_plugin.auth import expiry
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.conda import caches, condarcs, content_trust, dropin
from conda_token_plugin.integrations.registry import TARGETS
from conda_token_plugin.operations import channel_settings, issue_journal
from conda_token_plugin.operations.audit import fix, sarif
from conda_token_plugin.operations.audit.places import named
from conda_token_plugin.operations.audit.scan import findings
from conda_token_plugin.operations.export_record import ExportRecord
from conda_token_plugin.operations.refusal_evidence import organization_of, refusal_of
from conda_token_plugin.tokens.api_key import expiry_of
from conda_token_plugin.tokens.credential_helper import (
    Response,
    format_response,
    parse_request,
    parse_response,
)
from conda_token_plugin.tokens.paste import token_in
from conda_token_plugin.tokens.scope import channel_of, longest_prefix, normalised, without_secrets
from conda_token_plugin.tokens.secret import Secret
from tests.properties.reading import checked, settings_of, written
from tests.properties.samples import TOKEN, URL, VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conda_token_plugin.settings import Settings
    from tests.properties.reading import Read

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
VARIABLES = (
    *("CONDA_TOKEN_SERVICE_URL", "CONDA_TOKEN_REPO_URL", "CONDA_TOKEN_HOME"),
    *("CONDA_TOKEN_SYSTEM_HOME", "CONDA_TOKEN_SYSTEM_CONDARC", "CONDA_TOKEN_STORE"),
    *("CONDA_TOKEN_CLIENT_ID", "ANACONDA_AUTH_DOMAIN", "ANACONDA_AUTH_API_KEY"),
    *("ANACONDA_REPO_TOKEN", "ANACONDA_REPO_TOKEN_ACME_FILE", "ANACONDA_REPO_TOKEN_FILE"),
    *("CONDA_PKGS_DIRS", "CONDARC", "NETRC", "RATTLER_AUTH_FILE", "PIXI_HOME", "HISTFILE"),
)


def notes(data: bytes, home: Path) -> None:
    """Read each state file in the store's folder."""
    folder = home / "store"
    names = ("issuing-0.json", caches.NOTES, expiry.NOTES)
    for name in names:
        with written(folder / name, data):
            entries = issue_journal.interrupted(folder)
            assert all(entry.warning for entry in entries)
            token = TOKEN._replace(expires=NOW + timedelta(days=1))
            expiry.warning({token: "file"}, now=NOW, within=timedelta(days=14), folder=folder)
            caches.note_refused(f"{URL}/repo/acme/main/noarch/x.json", folder=folder)
    for name in names:
        (folder / name).unlink(missing_ok=True)


def cached(data: bytes, home: Path) -> None:
    """Read conda's index cache, and the condarc that names channels."""
    pkgs = home / "pkgs"
    known = settings_of(home, CONDA_PKGS_DIRS=str(pkgs), CONDA_TOKEN_HOME=str(home / "store"))
    with written(pkgs / "cache" / "0123abcd.info.json", data), written(home / ".condarc", data):
        caches.forget(TOKEN.scope, settings=known)


def channels(data: bytes, home: Path) -> None:
    """Read the channels in a condarc, and the list of environments."""
    known = settings_of(home)
    with written(home / ".condarc", data), written(home / ".conda" / "environments.txt", data):
        checked(lambda: condarcs.configured_channels(known))
        checked(lambda: condarcs.channels_without_token(known))
        checked(lambda: list(condarcs.environments(known)))
        checked(lambda: channel_settings.is_asked(f"{URL}/repo/acme", settings=known))
        checked(lambda: channel_settings.excluding_group(f"{URL}/repo/acme", settings=known))


def exports(data: bytes, home: Path) -> None:
    """Read the record of exports."""
    store = home / "store"
    with written(store / "exports" / "exports.json", data):
        checked(lambda: ExportRecord(settings_of(home, CONDA_TOKEN_HOME=str(store))).records())


def own_dropin(data: bytes, home: Path) -> None:
    """Read the line of the drop-in that is kept, and replace the drop-in after an edit."""
    with written(home / ".conda" / "condarc.d" / "conda-token-plugin.yml", data) as path:
        content_trust.signer_in(dropin.content(path))
        assert dropin.write(path, tokens=[TOKEN]) in {True, False}
        assert path.read_text("utf-8").startswith(dropin.HEAD)


def audited(name: str) -> Read:
    """Return a reader of a file that is audited and fixed."""

    def read(data: bytes, home: Path) -> None:
        with written(home / "audited" / name, data) as path:
            found = list(findings(named([path]), known={VALUE: "acme"}, fault=lambda _: None))
            assert VALUE not in repr(found)
            json.dumps(sarif.document(found, below=home))
            if [one for one in found if fix.replacement(one) is not None]:
                checked(lambda: fix.fix(path, found))

    return read


def pasted(data: bytes, _home: Path) -> None:
    """Read a pasted text."""
    found = checked(lambda: token_in(data.decode("utf-8", "replace")))
    assert isinstance(found, Secret | TokenPluginError)


def helper(data: bytes, _home: Path) -> None:
    """A request to a credential helper, and its response."""
    text = data.decode("utf-8", "replace")
    checked(lambda: parse_request(text))
    found = checked(lambda: parse_response(text))
    assert isinstance(found, Response | TokenPluginError)
    if isinstance(found, Response):
        assert parse_response(format_response(found)).headers == found.headers


def api_key(data: bytes, _home: Path) -> None:
    """Read the claims of an API key."""
    with suppress(TokenPluginError):
        ends = expiry_of(Secret(data.decode("latin-1")))
        assert ends is None or ends.tzinfo is timezone.utc


def variables(data: bytes, home: Path) -> None:
    """Read the settings with the same value for each variable."""
    text = data.decode("utf-8", "replace").replace("\0", "")
    for name in VARIABLES:
        for ask in _questions(settings_of(home, **{name: text})):
            checked(ask)


def _questions(known: Settings) -> Iterator[Callable[[], object]]:
    yield lambda: known.service_url
    yield lambda: known.repo_url
    yield lambda: known.store_choice
    yield lambda: (known.store_folder, known.machine_folder, known.machine_condarc)
    yield lambda: known.client_id
    yield lambda: [known.repository_token(one) for one in known.repository_tokens()]
    yield lambda: known.secret("ANACONDA_AUTH_API_KEY")
    yield lambda: caches.folders(known)
    yield lambda: [one.place(known, keyring=False) for one in TARGETS.values()]


def address(data: bytes, home: Path) -> None:
    """Read a URL that conda requests or that a user typed."""
    url = data.decode("utf-8", "replace")
    prefix = checked(lambda: normalised(url))
    if isinstance(prefix, str):
        assert normalised(prefix) == prefix
        assert longest_prefix(prefix, among={prefix}) == prefix
    shown = without_secrets(url)
    assert isinstance(shown, str)
    checked(lambda: organization_of(url, settings=settings_of(home)))
    checked(lambda: refusal_of(url, status=403, headers={"server": url, "via": url}))
    channel_of(url)
