"""Every test has a time limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READS_A_FIFO = """
import os

def test_it(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo").read_text()
"""


def test_every_test_has_a_time_limit(request: pytest.FixtureRequest) -> None:
    assert float(request.config.getini("timeout")) > 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs on Windows")
def test_test_that_reads_a_fifo_fails_after_its_time_limit(tmp_path: Path) -> None:
    (tmp_path / "test_fifo.py").write_text(READS_A_FIFO)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "-o", "timeout=1", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Timeout (>1.0s)" in ran.stdout
