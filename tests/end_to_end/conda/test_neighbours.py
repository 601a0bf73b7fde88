"""Beside anaconda-auth, conda-auth and the legacy conda-token: everybody gets along.

Each test needs a folder with the neighbour in it, made by ``pip install --target FOLDER NAME``
and named by a variable: ``TEST_ANACONDA_AUTH`` (anaconda-auth, from the package index),
``TEST_CONDA_AUTH`` (conda-auth, from its repository).
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.report import summary
from tests.support import keyrings
from tests.support.conda_version import conda_version
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

ROOT = Path(__file__).parents[3]
FOLDERS = {name: os.environ.get(name, "") for name in ("TEST_ANACONDA_AUTH", "TEST_CONDA_AUTH")}
LAST = """
import sys
sys.path.remove({folder!r})
sys.path.append({folder!r})
"""
"""A sitecustomize after which a folder of PYTHONPATH is searched last."""
THEIRS = "theirs-0123456789abcdefghij"
PLUGINS = """
from conda.base.context import context
print(sorted(name for name, plugin in context.plugin_manager.list_name_plugin() if plugin))
"""


@pytest.fixture(params=["first", "last"])
def beside(machine: Machine, tmp_path: Path, request: pytest.FixtureRequest) -> Machine:
    """A machine with anaconda-auth, found before this plugin or after it."""
    return _with(machine, "TEST_ANACONDA_AUTH", place=request.param, scratch=tmp_path)


@pytest.fixture
def with_anaconda_auth(machine: Machine, tmp_path: Path) -> Machine:
    """A machine with anaconda-auth."""
    return _with(machine, "TEST_ANACONDA_AUTH", place="first", scratch=tmp_path)


@pytest.fixture
def with_conda_auth(machine: Machine, tmp_path: Path) -> Machine:
    """A machine with conda-auth, and a keyring that it can use."""
    if conda_version() < (26, 1):
        pytest.skip("conda-auth needs conda 26.1")
    return _with(machine, "TEST_CONDA_AUTH", place="first", scratch=tmp_path)


def test_every_conda_command_works_beside_the_other_plugin(beside: Machine) -> None:
    token = beside.install("acme")
    at = ("-p", str(beside.prefix))
    channel = beside.only("acme/main")

    assert "anaconda_auth._conda" in beside.python("-c", PLUGINS).well().out
    for words in (
        ("info",),
        ("--help",),
        ("create", "-y", "-q", *at, *channel, "acme-hello=0.9"),
        ("update", "-y", "-q", *at, *channel, "acme-hello"),
        ("list", *at),
        ("search", *channel, "acme-hello"),
        ("config", "--show-sources"),
        ("run", *at, "acme-hello"),
        ("doctor", *at),
        ("env", "list"),
    ):
        beside.conda(*words).well()

    ours = [one for one in beside.sandbox.requests if "/repo/acme/" in one.path]
    assert {one.authorization for one in ours} == {f"token {token}"}


def test_conda_token_runs_this_plugin(beside: Machine) -> None:
    assert beside.conda("token", "--version").well().out.startswith("conda-token-plugin")
    hold(beside, "acme", shared=True)

    for words in (
        ("list",),
        ("config", "--dry-run"),
        ("config", "--force"),
        ("config", "--undo", "--force"),
        ("uninstall", "-o", "acme"),
    ):
        beside.conda("token", *words).well()


def test_command_and_data_of_anaconda_auth_are_unchanged(with_anaconda_auth: Machine) -> None:
    machine = with_anaconda_auth
    keyring = _their_keyring(machine, organization="globex")
    before = keyring.read_bytes()

    machine.install("acme", "--set-default-channels")
    listed = machine.python("-m", "anaconda_cli_base", "token", "list", TERM="dumb", COLUMNS="200")
    machine.conda("token", "remove", "acme").well()

    assert "globex" in listed.well().out
    assert keyring.read_bytes() == before


def test_our_token_is_sent_to_covered_channels_and_theirs_to_the_rest(
    with_anaconda_auth: Machine, table: Table
) -> None:
    machine = with_anaconda_auth
    ours = machine.install("acme")
    theirs = machine.sandbox.world.issue("globex", "ada").value
    _their_keyring(machine, organization="globex", value=theirs)
    repository = machine.sandbox.repo
    machine.condarc(
        "channel_settings:\n"
        f'  - channel: "{repository}*"\n    auth: anaconda-auth\n    auth_domain: anaconda.com\n'
    )

    machine.create(*machine.only("acme/main", "globex/main"), "acme-hello", "globex-hello").well()

    names = {ours: "ours", theirs: "theirs"}
    for organization, token in (("acme", ours), ("globex", theirs)):
        seen = [one for one in machine.sandbox.requests if f"/repo/{organization}/" in one.path]
        assert {one.authorization for one in seen} == {f"token {token}"}
        saw = summary(seen, names=names)
        table.add("beside anaconda-auth", solver="classic", channel=organization, saw=saw)


def test_each_plugin_serves_its_channels_beside_conda_auth(
    with_conda_auth: Machine, table: Table
) -> None:
    machine = with_conda_auth
    ours = machine.install("acme")
    channel = machine.sandbox.url_of("globex", "main")
    for words in (("info",), ("token", "list"), ("config", "--show-sources")):
        machine.conda(*words).well()
    machine.conda("auth", "login", channel, "--token", THEIRS).well()
    machine.sandbox.requests.clear()

    machine.conda("search", *machine.only("acme/main", channel), "acme-hello")

    for organization, sent in (("acme", f"token {ours}"), ("globex", f"Bearer {THEIRS}")):
        seen = [
            one
            for one in machine.sandbox.requests
            # By conda-auth's exact URLs conda asks for the index of shards without auth.
            if f"/repo/{organization}/" in one.path and "repodata_shards" not in one.path
        ]
        assert {one.authorization for one in seen} == {sent}
        saw = summary(seen, names={ours: "ours", THEIRS: "theirs"})
        table.add("beside conda-auth", solver="classic", channel=organization, saw=saw)


def test_conda_token_does_not_run_the_legacy_script(machine: Machine, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "conda-token"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho the legacy conda-token\n")
    script.chmod(0o755)
    machine.variables["PATH"] = f"{script.parent}{os.pathsep}{machine.variables['PATH']}"

    ran = machine.conda("token", "--version").well()

    assert ran.out.startswith("conda-token-plugin")


def test_legacy_token_file_is_used_for_an_uncovered_channel(machine: Machine, table: Table) -> None:
    ours = machine.install("acme")
    theirs = machine.sandbox.world.issue("globex", "ada").value
    name = machine.sandbox.repo.replace(":", "%3A").replace("/", "%2F")
    file = machine.home / ".config" / "binstar" / f"{name}.token"
    file.parent.mkdir(parents=True)
    file.write_text(theirs)

    machine.create(*machine.only("acme/main", "globex/main"), "acme-hello", "globex-hello").well()

    for one in machine.sandbox.requests:
        if "/repo/acme/" in one.path:
            assert one.authorization == f"token {ours}"
            assert "/t/" not in one.path
        else:
            assert one.path.startswith(f"/t/{theirs}/repo/globex/")
    for organization in ("acme", "globex"):
        seen = [one for one in machine.sandbox.requests if f"/repo/{organization}/" in one.path]
        saw = summary(seen, names={ours: "ours", theirs: "theirs"})
        table.add("beside conda-token's file", solver="classic", channel=organization, saw=saw)


def _with(machine: Machine, variable: str, *, place: str, scratch: Path) -> Machine:
    folder = FOLDERS[variable]
    if not folder:
        pytest.skip(f"{variable} names no folder with that neighbour (see this file's docstring)")
    first = scratch / "first"
    first.mkdir()
    if place == "last":
        (first / "sitecustomize.py").write_text(LAST.format(folder=folder))
    machine.variables["PYTHONPATH"] = os.pathsep.join((str(first), folder))
    machine.variables.pop("PYTHON_KEYRING_BACKEND")
    if variable == "TEST_CONDA_AUTH":
        machine.variables["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
        machine.variables["PYTHON_KEYRING_BACKEND"] = f"{keyrings.NAME}InFolder"
    return machine


def _their_keyring(machine: Machine, *, organization: str, value: str = THEIRS) -> Path:
    """anaconda-auth's file, as ``anaconda token install`` leaves it."""
    held = {
        "domain": "anaconda.com",
        "repo_tokens": [{"token": value, "org_name": organization}],
        "version": 2,
    }
    path = machine.home / ".anaconda" / "keyring"
    path.parent.mkdir(exist_ok=True)
    entry = b64encode(json.dumps(held).encode()).decode()
    path.write_text(json.dumps({"Anaconda Cloud": {"anaconda.com": entry}}))
    return path
