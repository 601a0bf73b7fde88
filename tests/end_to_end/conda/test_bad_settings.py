"""No setting, variable or file of ours, in whatever state, makes a conda command fail."""

from __future__ import annotations

import os
import sys
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import token_variable
from tests.support.stored_tokens import hold, supply

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

VARIABLES = (
    ("CONDA_TOKEN_STORE", "Keyring"),
    ("CONDA_TOKEN_HOME", "~nosuchuser/x"),
    ("CONDA_TOKEN_HOME", "relative/folder"),
    ("CONDA_TOKEN_HOME", "/dev/null/x"),
    ("CONDA_TOKEN_SYSTEM_HOME", "~nosuchuser/x"),
    ("CONDA_TOKEN_SYSTEM_CONDARC", "~nosuchuser/x"),
    ("CONDA_TOKEN_SERVICE_URL", "not a URL"),
    ("CONDA_TOKEN_REPO_URL", "http://[::1"),
    ("CONDA_TOKEN_REPO_URL", "ftp://host/x"),
    ("CONDA_TOKEN_CLIENT_ID", "\x1b[2J"),
    ("ANACONDA_AUTH_DOMAIN", "a b"),
    ("ANACONDA_AUTH_API_KEY", "two words"),
    ("ANACONDA_REPO_TOKEN", "two words"),
    ("ANACONDA_REPO_TOKEN", "x" * 100_000),
    ("CONDA_TOKEN_SITE", "nosuchsite"),
    ("ANACONDA_REPO_TOKEN_FILE", "/"),
    ("ANACONDA_REPO_TOKEN_FILE", "/dev/zero"),
    ("ANACONDA_REPO_TOKEN_FILE", "~nosuchuser/x"),
    ("ANACONDA_REPO_TOKEN_ANACONDA_TOOLS_FILE", "/nowhere"),
    ("ANACONDA_SERVICE_ACCOUNT_TOKEN", "two words"),
    ("CONDA_PLUGINS_TOKEN_WARN_DAYS", "99999999999999"),
)


@pytest.mark.parametrize(("name", "value"), VARIABLES)
def test_conda_commands_work_with_a_bad_variable(
    machine: Machine, count: Counter[str], name: str, value: str
) -> None:
    hold(machine, "acme", shared=True)
    machine.variables[name] = value
    _public_channel_works(machine, count)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs")
@pytest.mark.parametrize("name", ["ANACONDA_REPO_TOKEN_FILE", "ANACONDA_CONFIG_TOML"])
def test_conda_commands_work_with_a_variable_that_names_a_fifo(
    machine: Machine, count: Counter[str], name: str
) -> None:
    hold(machine, "acme", shared=True)
    fifo = machine.folder / "fifo"
    os.mkfifo(fifo)
    machine.variables[name] = str(fifo)
    if name == "ANACONDA_CONFIG_TOML":
        del machine.variables["CONDA_TOKEN_SERVICE_URL"]  # otherwise the file is not read
    _public_channel_works(machine, count)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs")
def test_token_from_a_pipe_is_sent_with_every_request(machine: Machine) -> None:
    """A process substitution, ``ANACONDA_REPO_TOKEN_ACME_FILE=<(…)``, can be read only once."""
    value = supply(machine, "acme")
    fifo = machine.folder / "fifo"
    os.mkfifo(fifo)
    machine.variables[f"{token_variable('acme')}_FILE"] = str(fifo)
    del machine.variables[token_variable("acme")]
    writer = Thread(target=fifo.write_text, args=(value,), daemon=True)
    writer.start()

    channel = machine.sandbox.url_of("acme", "main")
    machine.conda("search", "--override-channels", "-c", channel, "acme-hello").well()

    assert len(machine.sandbox.requests) > 1
    assert all(value in str(one.authorization) for one in machine.sandbox.requests)


def _damage_index(folder: Path) -> None:
    for path in folder.rglob("index*"):
        path.write_bytes(b"\x00 \xff not an index")


def _replace_index_by_folder(folder: Path) -> None:
    for path in folder.rglob("index*"):
        path.unlink()
        path.mkdir()


def _remove_secrets(folder: Path) -> None:
    for path in folder.glob("secrets/*"):
        path.unlink()


def _damage_records(folder: Path) -> None:
    for name in ("warned.json", "refused.json"):
        (folder / name).write_bytes(b"\xff[[[")


def _replace_records_by_folders(folder: Path) -> None:
    for name in ("warned.json", "refused.json"):
        (folder / name).mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _damage_index,
        _replace_index_by_folder,
        _remove_secrets,
        _damage_records,
        _replace_records_by_folders,
    ],
)
def test_conda_commands_work_with_a_damaged_file(
    machine: Machine, count: Counter[str], damage: Callable[[Path], None]
) -> None:
    hold(machine, "acme", shared=True)
    damage(machine.store_folder)
    _public_channel_works(machine, count)


def test_conda_commands_work_with_an_unreadable_store(
    machine: Machine, count: Counter[str]
) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can read every folder")
    hold(machine, "acme", shared=True)
    machine.store_folder.chmod(0)
    try:
        _public_channel_works(machine, count)
    finally:
        machine.store_folder.chmod(0o700)


def test_hint_for_a_refusal_does_not_fail_with_a_bad_setting(
    machine: Machine, count: Counter[str]
) -> None:
    hold(machine, "acme")
    machine.variables["CONDA_TOKEN_HOME"] = "~nosuchuser/x"
    url = machine.sandbox.url_of("acme", "main")

    count["bad settings"] += 1
    count["conda commands"] += 1
    refused = machine.conda("search", *machine.only(url), "acme-hello").badly()

    assert "HTTP 403" in refused.said
    assert "Traceback" not in refused.said
    assert "conda-token-plugin: requests go on without a token." in refused.err


def _public_channel_works(machine: Machine, count: Counter[str]) -> None:
    """Run conda commands on a covered channel that also works without a token."""
    words = machine.only("anaconda-tools")
    runs = [machine.conda("info"), machine.conda("search", *words, "anaconda-tools-hello")]
    count["bad settings"] += 1
    for ran in runs:
        count["conda commands"] += 1
        ran.well()
        assert "Traceback" not in ran.said
        assert "error report" not in ran.said
