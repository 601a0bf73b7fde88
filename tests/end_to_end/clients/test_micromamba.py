"""micromamba or mamba, where this machine has one, finds what was exported."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

PROGRAM = shutil.which("micromamba") or shutil.which("mamba")

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="there is no micromamba or mamba on the PATH"
)


def test_micromamba_installs_from_two_organizations_with_exported_tokens(machine: Machine) -> None:
    """From channels with shards: from others, mamba 2.8 gets no packages with such a token."""
    for name in ("acme", "globex"):
        machine.install(name, with_conda=False)
    machine.plugin("export", "micromamba", "--yes").well()
    url, folder = machine.sandbox.url_of, machine.folder
    done = subprocess.run(
        [
            *(str(PROGRAM), "create", "--yes", "--root-prefix", str(folder / "root")),
            *("--prefix", str(folder / "env"), "--no-rc", "--override-channels"),
            *("-c", url("acme", "private"), "-c", url("globex", "private")),
            *("acme-private", "globex-private"),
        ],
        env=machine.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "env" / "share" / "acme-private.txt").exists()
    assert (folder / "env" / "share" / "globex-private.txt").exists()
