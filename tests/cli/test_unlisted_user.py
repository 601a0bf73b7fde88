"""A user of a container: HOME is not set, and the system does not list the user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.store.test_machine import folder as reachable
from tests.support.machine import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.machine import Machine

__all__ = ["reachable"]  # a fixture

UID = 54_321
VALUE = "a-token-0123456789-abcdefghij"
RUN = """
import os, sys
from importlib import import_module
from pkgutil import walk_packages
import conda_token_plugin
# Another user may not be allowed to read the modules later.
sys.modules["conda"] = None
names = ["difflib", "filelock", "platformdirs", "rich.table", "rich.text", "ruamel.yaml", "keyring",
         "requests", "oauthlib.oauth2", "urllib3", "encodings.idna", "tomllib", "uuid"]
ours = walk_packages(conda_token_plugin.__path__, "conda_token_plugin.")
for name in [*names, *(one.name for one in ours if not one.name.endswith("__main__"))]:
    try:
        import_module(name)
    except ImportError:  # it needs conda
        pass
user, groups = sys.argv[1:3]
os.setgroups([int(group) for group in groups.split()])
os.setgid(int(user))
os.setuid(int(user))
from conda_token_plugin.cli import script
sys.argv[1:] = sys.argv[3:]
raise SystemExit(script())
"""
SKIPPED = "only root can become another user"
pytestmark = pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason=SKIPPED)


def run_as(
    user: int, *words: str, variables: Mapping[str, str], groups: tuple[int, ...] = ()
) -> Ran:
    """Run the command as another user, in a process that cannot import conda."""
    argv = [str(user), " ".join(map(str, groups)), *words]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *argv],
        env=variables,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(argv=words, code=done.returncode, out=done.stdout, err=done.stderr)


def plugin(machine: Machine, *words: str, **variables: str) -> Ran:
    """Run the command as the unlisted user, with a token in a variable and without HOME."""
    # The folder of the test is closed to the unlisted user; the machine's usual store is not.
    without = ("HOME", "CONDA_TOKEN_HOME", "CONDA_TOKEN_SYSTEM_HOME", "CONDA_TOKEN_SYSTEM_CONDARC")
    known = {name: text for name, text in machine.variables.items() if name not in without}
    given = {"ANACONDA_REPO_TOKEN_ACME": VALUE, **variables}
    return run_as(UID, *words, variables={**known, **given})


def test_which_finds_the_token_of_a_variable_without_a_home_folder(machine: Machine) -> None:
    ran = plugin(machine, "which", "acme/main").well()
    assert "source        ANACONDA_REPO_TOKEN_ACME" in ran.out


def test_run_passes_the_token_of_a_variable_without_a_home_folder(machine: Machine) -> None:
    env = shutil.which("env") or "env"
    ran = plugin(machine, "run", "--org", "acme", "--", env).well()
    assert f"ANACONDA_REPO_TOKEN_ACME={VALUE}" in ran.out


def test_list_says_in_one_line_that_no_home_folder_is_known(machine: Machine) -> None:
    ran = plugin(machine, "list").well()
    assert "ANACONDA_REPO_TOKEN_ACME" in ran.out
    assert ran.err.splitlines() == [
        "warning: No home folder is known (HOME is not set), so your store is not read."
    ]


@pytest.mark.parametrize("words", [["status"], ["audit"], ["sites"], ["test"], ["config"]])
def test_other_commands_have_no_traceback_without_a_home_folder(
    machine: Machine, words: list[str]
) -> None:
    assert plugin(machine, *words).code in {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    "words", [["install", "--org", "acme"], ["import"], ["remove", "acme"], ["login", "--device"]]
)
def test_command_that_would_store_is_refused_without_a_home_folder(
    machine: Machine, words: list[str]
) -> None:
    ran = plugin(machine, *words).failed(2)
    assert "error: No home folder is known, so nothing can be stored." in ran.err
    assert "Set HOME" in ran.err


def test_store_and_drop_in_that_variables_name_need_no_home_folder(
    machine: Machine, reachable: Path
) -> None:
    reachable.mkdir(mode=0o755)
    os.chown(reachable, UID, UID)
    plugin(
        machine,
        *("set", "--org", "beta", "--no-validate", "--token-env", "GIVEN"),
        GIVEN=VALUE,
        CONDA_TOKEN_HOME=str(reachable / "store"),
        CONDA_TOKEN_CONDARC=str(reachable / "dropin.yml"),
    ).well()
    assert (reachable / "dropin.yml").exists()
