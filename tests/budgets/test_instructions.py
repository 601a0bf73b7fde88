"""The budget of every conda command in instructions, counted by valgrind where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.instructions import countable, instructions
from tests.budgets.test_startup import INSTALLED
from tests.budgets.watching import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.conda,
    pytest.mark.slow,
    pytest.mark.skipif(not countable(), reason="valgrind is not installed"),
]

COMMAND = f"""{INSTALLED}
from conda.cli.main import main
sys.exit(main(*sys.argv[1:]))
"""
MORE = 1.005


def test_conda_command_with_the_plugin_stays_within_its_instruction_budget(home: Path) -> None:
    (home / ".condarc").write_text("channels: [conda-forge]\n")
    # As installed: byte-compiled. A fresh checkout is not, and a caller may forbid it.
    compiled = {"PYTHONPYCACHEPREFIX": str(home / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **compiled}

    def words(installed: str) -> list[str]:
        return [sys.executable, "-c", COMMAND, installed, "config", "--show-sources"]

    def counted(installed: str) -> float:
        return instructions(words(installed), variables=variables, cwd=home)

    subprocess.run(words("with"), env=variables, cwd=home, check=True, capture_output=True)
    without = counted("without")
    assert without < counted("with") <= MORE * without
