"""Real conda commands print, write, upload and show in ``ps`` no piece of a secret.

With all kinds of tokens at once, bugs in the handler and in a command, and conda's error reports.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin import HANDLER
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.provider import Provider
from conda_token_plugin.tokens.token import AuthScheme, TokenKind
from tests.leaks.watch import looking, watched
from tests.support.conda_version import solver_missing
from tests.support.machine import Machine
from tests.support.providers import program
from tests.support.secret_search import Sought, secrets_of
from tests.support.servers import recording
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.sandbox import Sandbox
    from tests.support.machine import Ran

pytestmark = pytest.mark.conda

BROKEN = Path(__file__).with_name("broken.py")
BUGS = {
    "conda_token_plugin.tokens.authorization:header": "after",
    "conda_token_plugin.store.lookup:Lookup.find": "after",
    "conda_token_plugin.store.store:Store.secret": "after",
    "conda.gateways.connection.session:CondaHttpAuth.handle_407": "before",
    "requests.adapters:HTTPAdapter.build_response": "before",
}


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Machine:
    """Return a machine with all kinds of secrets, whose processes are recorded."""
    machine = Machine(tmp_path / "machine", sandbox)
    world = sandbox.world
    globex = world.issue("globex", "ada").value
    hold(machine, "acme-evil", scheme=AuthScheme.PATH, kind=TokenKind.SITE)
    admin = world.credentials.make_service_account(world.users["admin"]).value
    machine.variables.update(
        **watched(tmp_path / "notes"),
        ANACONDA_AUTH_API_KEY=world.api_key("ada"),
        ANACONDA_REPO_TOKEN_GLOBEX=globex,
        ANACONDA_SERVICE_ACCOUNT_TOKEN=admin,
        CONDA_REPORT_ERRORS="true",
    )
    stark = world.issue("stark").value
    made = program(tmp_path / "programs", f"print({stark!r})", noise=stark)
    store = user_store(machine.settings)
    scope = sandbox.url_of("stark")
    store.add_provider(Provider("helper", scope, made.command, prints="token", seconds=30))
    dropin.write(machine.dropin, tokens=store.credentials())
    names = [(name, "main") for name in ("acme", "globex", "acme-evil", "stark")]
    channels = [sandbox.url_of(*name) for name in names]
    # The drop-in has only the channels of stored tokens; globex's token is in a variable.
    entry = {"channel": f"{sandbox.url_of('globex')}/*", "auth": HANDLER}
    machine.condarc(json.dumps({"channels": channels, "channel_settings": [entry]}))
    return machine


def test_conda_commands_show_no_piece_of_any_secret(
    machine: Machine, tmp_path: Path, sandbox: Sandbox
) -> None:
    with recording() as uploads, looking(sandbox) as seen:
        # conda 24.11 and 25.5 upload their error reports.
        machine.variables["CONDA_ERROR_UPLOAD_URL"] = f"{uploads.url}/"
        runs = [*_ours(machine), *_theirs(machine), *_broken(machine), *_refused(machine)]
    sought = Sought(secrets_of(sandbox))
    found = {
        " ".join(ran.argv): sought.found_in(ran.said.encode())
        for ran in runs
        if sought.found_in(ran.said.encode())
    }
    assert not found
    assert not [path for path in _written(machine) if sought.found_in(path.read_bytes())]
    assert not any(sought.found_in(one.body) for one in uploads.requests)
    assert not any(map(sought.found_in, set(seen)))
    assert not sought.found_in((tmp_path / "notes").read_bytes())
    _assert_search_covered_everything(
        machine, runs, seen=seen, notes=(tmp_path / "notes").read_text()
    )


def _ours(machine: Machine) -> Iterator[Ran]:
    """Our commands with flags of conda before them."""
    yield machine.conda("-vvv", "token", "install", "--org", "acme", "--reissue").well()
    yield machine.conda("--debug", "token", "sync")
    yield machine.conda("-vvv", "token", "test")
    yield machine.conda("token", "list").well()


def _theirs(machine: Machine) -> Iterator[Ran]:
    at = ("-p", str(machine.prefix))
    yield machine.create("-vvv", "acme-hello", "globex-hello", "stark-hello").well()
    solver = "classic" if solver_missing("rattler") else "rattler"
    words = ("install", "-y", *at, "--solver", solver, "--debug", "--json", "acme-evil-hello")
    yield machine.conda(*words).well()
    yield machine.conda("search", "--debug", "globex-tools", "--json").well()
    yield machine.conda("search", "-vv", "acme-hello", "--info").well()
    yield machine.conda("list", "--explicit", "-vvv", *at).well()
    yield machine.conda("env", "export", *at).well()
    yield machine.conda("doctor", "-vvv", *at)
    yield machine.conda("info", "--all", "--json").well()
    yield machine.conda("config", "--show", "--json").well()
    yield machine.conda("config", "--show-sources").well()


def _broken(machine: Machine) -> Iterator[Ran]:
    """Bugs in a command that reads channels, then one in a command of ours."""
    for (name, then), flag in zip(BUGS.items(), ["-vvv", "--json"] * len(BUGS), strict=False):
        machine.forget()
        # Only a channel with the token in the header: a bug below the path adapter sees the path.
        only = machine.only("acme/main")
        yield machine.python(str(BROKEN), then, name, "search", flag, *only, "acme-hello")
    machine.forget()
    ask = ("after", "conda_token_plugin.store.providers:ask")
    only = machine.only("stark/main")
    yield machine.python(str(BROKEN), *ask, "search", "-vvv", *only, "stark-hello")
    issue = ("after", "conda_token_plugin.service.client:Service.issue")
    yield machine.python(
        str(BROKEN), *issue, "token", "install", "--org", "acme", "--reissue"
    ).badly()


def _refused(machine: Machine) -> Iterator[Ran]:
    """Commands after all tokens were revoked."""
    for token in list(machine.sandbox.world.tokens):
        machine.sandbox.world.revoke(token.id)
    machine.forget()
    yield machine.create("--debug", "acme-hello").badly()
    yield machine.create("--json", "acme-evil-hello").badly()
    yield machine.create("-v", "globex-hello").badly()
    # What is no JSON ends in conda's report of an unexpected error.
    machine.sandbox.fail_next(r"repodata\.json", times=99, status=200, body=b"not json")
    for flag in ("--json", "-vvv"):
        machine.forget()
        yield machine.create(flag, "acme-hello").badly()


def _written(machine: Machine) -> Iterator[Path]:
    """Every file of the machine, except the secrets of the store."""
    vault = machine.store_folder / "secrets"
    return (path for path in machine.files() if path.is_file() and vault not in path.parents)


def _assert_search_covered_everything(
    machine: Machine, runs: list[Ran], *, seen: list[bytes], notes: str
) -> None:
    """Assert that headers were printed, tokens sent, processes seen and bugs raised."""
    assert any("Authorization" in ran.said for ran in runs)
    assert sum("Bug" in ran.said for ran in runs) >= 4
    world = machine.sandbox.world
    sent = "".join(f"{one.path} {one.headers}" for one in machine.sandbox.requests)
    assert all(one.value in sent for one in world.tokens if one.org in {"globex", "acme-evil"})
    assert any(one.value in sent for one in world.tokens if one.org == "stark")
    assert b"conda" in b"".join(seen)
    assert "install" in notes
    assert "CONDA_TOKEN_REPO_URL" in notes
