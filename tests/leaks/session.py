"""A home folder with every kind of secret, and commands whose output is searched for them."""

from __future__ import annotations

import io
import json
import sys
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from conda_token_plugin.operations.store_token import store_token
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.api_key import channel_credential
from conda_token_plugin.tokens.provider import Provider
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, TokenKind
from tests.support import tokens
from tests.support.providers import program, response
from tests.support.secret_search import Sought, secrets_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Shell
    from tests.support.machine import Ran

OTHERS = {
    f"{name}.example": f"{name}~{sha256(name.encode()).hexdigest()}"
    for name in (
        *("path", "basic", "bearer"),
        *("rattler", "mamba", "condarc", "netrc", "binstar", "history", "project", "helper"),
    )
}
"""Tokens of other servers, by the file or scheme that contains them."""


@dataclass
class Session:
    """Runs commands and searches what they print, log and write for secrets."""

    shell: Shell
    monkeypatch: pytest.MonkeyPatch
    caplog: pytest.LogCaptureFixture
    secrets: dict[str, str] = field(default_factory=lambda: dict(OTHERS))
    meant: set[Path] = field(default_factory=set)
    """Files to which a command has to write a token."""

    @property
    def home(self) -> Path:
        """Return the home folder of the user."""
        return self.shell.home

    @property
    def project(self) -> Path:
        """Return the working folder of the commands."""
        return self.home.parent / "project"

    @property
    def settings(self) -> Settings:
        """Return the settings that the plugin reads from this process."""
        return Settings()

    @property
    def sought(self) -> Sought:
        """Return all secrets that exist now."""
        return Sought(self.secrets | secrets_of(self.shell.sandbox))

    def store_secrets(self) -> None:
        """Store tokens of every kind, in the store and in the files of other tools.

        Commands run as where there is no conda, and a browser visits each address at once.
        """
        self.monkeypatch.setattr("conda_token_plugin.cli.commands.test.find_spec", lambda _: None)
        self.monkeypatch.setattr("webbrowser.open", visited)
        world = self.shell.sandbox.world
        world.issue("acme", "ada")
        held = world.issue("acme", "ada")
        self.shell.set("ANACONDA_REPO_TOKEN_GLOBEX", world.issue("globex", "ada").value)
        admin = world.credentials.make_service_account(world.users["admin"])
        self.shell.set("ANACONDA_SERVICE_ACCOUNT_TOKEN", admin.value)
        key = world.credentials.make_api_key(world.users["ada"]).value
        opens = channel_credential(Secret(key), prefix=self.shell.sandbox.repo.rstrip("/"))
        service = self.shell.sandbox.service
        user_store(self.settings).set_login(service, Secret(key), opens=opens)
        self._keep("acme", held.value, scope=f"{self.shell.sandbox.repo}acme", expires=held.expires)
        for scheme in (AuthScheme.PATH, AuthScheme.BASIC, AuthScheme.BEARER):
            name = f"{scheme.value}.example"
            scope = f"{self.shell.sandbox.service}/{scheme.value}"
            user = "ann" if scheme is AuthScheme.BASIC else ""
            self._keep(
                name, OTHERS[name], scope=scope, scheme=scheme, username=user, kind=TokenKind.SITE
            )
        self.provide("provider", f"print({response(self.bearer)!r})")
        self._write_files_of_other_tools(key)

    @property
    def bearer(self) -> str:
        """Return the header that the provider supplies."""
        return f"Bearer {OTHERS['helper.example']}"

    def provide(self, name: str, body: str, **facts: Any) -> None:
        """Add a provider whose program runs ``body``, and writes a secret to standard error."""
        made = program(self.home.parent / "programs", body, name=name, noise=self.bearer)
        scope = f"{self.shell.sandbox.service}/{name}"
        user_store(self.settings).add_provider(Provider(name, scope, made.command, **facts))

    def type(self, text: str) -> None:
        """Pipe ``text`` into the next command."""
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    def run(self, *words: str) -> tuple[Ran, list[str]]:
        """Run a command with all logging; return its result and the leaks."""
        before = self._files()
        self.caplog.clear()
        with self.caplog.at_level(0):
            ran = self.shell(*words)
        return ran, self.leaks(ran, before=before)

    def leaks(self, ran: Ran, *, before: dict[Path, bytes]) -> list[str]:
        """Return each secret of which a piece was printed, logged, or written to a file."""
        sought = self.sought
        texts = {"stdout": unmasked(ran.out), "stderr": unmasked(ran.err)}
        texts["the log"] = self.caplog.text
        found = {place: sought.found_in(text.encode()) for place, text in texts.items()}
        for path, data in self._files().items():
            if path not in self.meant and data != before.get(path):
                found[str(path)] = sought.found_in(data) - sought.found_in(before.get(path, b""))
        return [f"{name} in {place}" for place, names in found.items() for name in sorted(names)]

    def _files(self) -> dict[Path, bytes]:
        """Return every file below the folder of the test, except secrets and backups of exports.

        The index and the state files of the store are included: they must contain no secret.
        """
        store = self.settings.store_folder
        kept = {store / "secrets", store / "exports" / "backups"}
        return {
            path: path.read_bytes()
            for path in self.home.parent.rglob("*")
            if path.is_file() and path.parent not in kept
        }

    def _keep(self, organization: str, value: str, *, scope: str, **facts: Any) -> None:
        facts = {"kind": TokenKind.INDIVIDUAL, "last_four": value[-4:], **facts}
        token = tokens.token(organization, scope=(scope,), **facts)
        store = user_store(self.settings)
        store_token(token, secret=Secret(value), store=store, at=self.settings.condarc)

    def _write_files_of_other_tools(self, key: str) -> None:
        world = self.shell.sandbox.world
        site = world.current("acme")
        assert site is not None
        entry = {"api_key": key, "repo_tokens": [{"token": site.value, "org_name": "acme"}]}
        domain = self.shell.sandbox.service.partition("://")[2]
        sealed = b64encode(json.dumps(entry).encode()).decode()
        password = b64encode(OTHERS["mamba.example"].encode()).decode()
        condarc, history = OTHERS["condarc.example"], OTHERS["history.example"]
        self._write(".anaconda/keyring", json.dumps({"Anaconda Cloud": {domain: sealed}}))
        rattler = {"rattler.example": {"CondaToken": OTHERS["rattler.example"]}}
        self._write(".rattler/credentials.json", json.dumps(rattler))
        basic = {"type": "BasicHTTPAuthentication", "user": "ann", "password": password}
        self._write(".mamba/auth/authentication.json", json.dumps({"mamba.example/x": basic}))
        self._write(".condarc", f"channels:\n  - https://condarc.example/t/{condarc}/team\n")
        self._write(".netrc", f"machine netrc.example login ann password {OTHERS['netrc.example']}")
        self._write(
            ".config/binstar/https%3A%2F%2Fbinstar.example%2F.token", OTHERS["binstar.example"]
        )
        self._write(".bash_history", f"conda token set {history}\nls\n")
        self.project.mkdir()
        (self.project / "environment.yml").write_text(
            f"channels: ['https://project.example/t/{OTHERS['project.example']}/team']\n"
        )
        self.monkeypatch.chdir(self.project)

    def _write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def unmasked(text: str) -> str:
    """Return ``text`` without the lines that tell GitHub Actions which value to mask."""
    return "".join(
        one for one in text.splitlines(keepends=True) if not one.startswith("::add-mask::")
    )


def visited(address: str) -> bool:
    """Open the address in a thread, as a browser does."""
    Thread(target=lambda: urlopen(address).read(), daemon=True).start()
    return True
