"""The plugin without the libraries that conda does not bring: no conda command breaks.

So it is after an installation from a file into a bare conda. The libraries are hidden by a
``sitecustomize``: the import system finds none of them.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.conda_version import conda_version
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

ROOT = Path(__file__).parents[3]
ABSENT = ("filelock", "keyring", "oauthlib", "rich", "shtab")
"""What ``pyproject.toml`` names and conda 24.11.0 and 26.7.1 do not depend on."""
COMPLETE = "Run: conda install --name base filelock keyring oauthlib rich shtab"
HIDING = f"""
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            return None
        return super().find_spec(name, path, target)

sys.meta_path = [Bare if one is PathFinder else one for one in sys.meta_path]
"""


def hide(machine: Machine) -> None:
    folder = machine.folder / "hiding"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDING)
    machine.variables["PYTHONPATH"] = str(folder)


@pytest.fixture
def bare(machine: Machine) -> Machine:
    """Return a machine with a stored token and its drop-in, without the libraries."""
    hold(machine, "acme")
    hide(machine)
    absent = "import importlib.util as u, sys; sys.exit(any(map(u.find_spec, sys.argv[1:])))"
    machine.python("-c", absent, *ABSENT).well()
    return machine


@pytest.mark.parametrize(
    "command",
    [
        ("info",),
        ("info", "--json"),
        ("config", "--show"),
        ("config", "--show-sources"),
        ("list",),
        ("doctor",),
        ("search", "--override-channels", "-c", "acme/main", "acme-hello"),
    ],
    ids=" ".join,
)
def test_conda_command_works_without_a_message_of_the_plugin(
    bare: Machine, command: tuple[str, ...]
) -> None:
    urls = {"acme/main": bare.sandbox.url_of("acme", "main")}
    ran = bare.conda(*(urls.get(word, word) for word in command)).well()
    assert "conda-token-plugin" not in ran.err
    assert "No module named" not in ran.said


def test_conda_create_installs_with_the_stored_token(bare: Machine) -> None:
    channel = bare.only("acme/main")
    created = bare.create(*channel, "acme-hello").well()
    assert bare.installed() == {"acme-hello"}
    assert "conda-token-plugin" not in created.err


@pytest.mark.parametrize(
    "words",
    [
        ("install", "acme", "--yes"),
        ("login", "--device"),
        ("status",),
        ("remove", "acme"),
        ("export", "rattler"),
        ("completion", "bash"),
    ],
    ids=" ".join,
)
def test_command_of_the_plugin_names_what_to_install(bare: Machine, words: tuple[str, ...]) -> None:
    bare.variables["ANACONDA_AUTH_API_KEY"] = bare.sandbox.world.api_key("ada")
    before = bare.sandbox.world.current("acme", "ada")

    ran = bare.conda("token", *words)

    assert ran.code == 1
    assert f"hint:  {COMPLETE}\n" in ran.err
    assert "Traceback" not in ran.said
    assert bare.sandbox.world.current("acme", "ada") == before


def test_error_with_json_is_a_document(bare: Machine) -> None:
    ran = bare.conda("token", "status", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["error"] | {"what": ""} == {
        "kind": "MissingLibrary",
        "exit_code": 1,
        "what": "",
        "hint": COMPLETE,
    }


@pytest.mark.parametrize("words", [("list",), ("which", "acme/main"), ("--help",), ("sites",)])
def test_command_that_needs_no_library_works(bare: Machine, words: tuple[str, ...]) -> None:
    bare.conda("token", *words).well()


def test_token_in_the_keyring_is_not_sent_and_one_warning_says_why(machine: Machine) -> None:
    token = machine.sandbox.world.current("acme")
    assert token is not None
    backend = {
        "PYTHON_KEYRING_BACKEND": "tests.support.keyrings.InFolder",
        "CONDA_TOKEN_STORE": "keyring",
    }
    machine.conda(
        *("token", "install", "--site", "--org", "acme", "--token-env", "GIVEN", "--yes"),
        GIVEN=token.value,
        PYTHONPATH=str(ROOT),
        **backend,
    ).well()
    hide(machine)

    url = machine.sandbox.url_of("acme", "main")
    refused = machine.conda("search", *machine.only(url), "acme-hello", **backend)

    assert refused.code == 1
    assert refused.err.count("conda-token-plugin: requests go on without a token.") == 1
    assert COMPLETE in refused.err
    assert token.value not in refused.said
    machine.conda("info", **backend).well()
    assert "No module named" not in machine.conda("doctor", **backend).well().said


@pytest.mark.skipif(conda_version() < (26, 1), reason="this conda has no fixers")
def test_fix_of_conda_doctor_names_what_to_install(bare: Machine) -> None:
    (bare.store_folder / "index.json").chmod(0o644)
    ran = bare.conda("doctor", "--fix", "--yes")
    assert "Traceback" not in ran.said
    assert "No module named" not in ran.said


def test_report_of_an_expiring_token_names_what_to_install(machine: Machine) -> None:
    hold(machine, "acme", expires=datetime.now(timezone.utc) + timedelta(days=3))
    hide(machine)
    url = machine.sandbox.url_of("acme", "main")
    found = machine.conda("search", *machine.only(url), "acme-hello").well()
    assert found.err.count("conda-token-plugin: tokens that expire soon are not reported.") == 1
    assert COMPLETE in found.err
