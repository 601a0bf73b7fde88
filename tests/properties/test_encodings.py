"""Characters that an output cannot encode are escaped, and JSON stays valid."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.output import Printer
from tests.cli.conftest import shell

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

__all__ = ["shell"]  # a fixture


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_text_and_json_are_printed_in_every_encoding(encoding: str) -> None:
    for value in ("…é\udcff💥", {"title": "Ωmega …\udcff"}):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
        wants_json = isinstance(value, dict)
        Printer(out=out, err=out, json=wants_json).data(value, text=str(value))
        assert raw.getvalue()
        if wants_json:
            assert json.loads(raw.getvalue().decode(encoding)) == value


def test_commands_succeed_on_an_ascii_terminal(shell: Shell) -> None:
    assert shell("install", "--org", "acme", "--yes").code == 0
    for words, code in (
        (["--help"], 0),
        (["export", "--help"], 0),
        (["list"], 0),
        (["status", "--json"], 0),
        (["remove", "--json", os.fsdecode(b"\xff")], 1),
        (["remove", os.fsdecode(b"\xff")], 1),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "conda_token_plugin", *words],
            env=os.environ | {"PYTHONIOENCODING": "ascii:strict"},
            capture_output=True,
            check=False,
        )
        assert ran.returncode == code, ran.stderr
        assert b"Traceback" not in ran.stderr
        if "--json" in words:
            json.loads(ran.stdout)
