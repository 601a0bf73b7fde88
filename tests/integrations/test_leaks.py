"""Export and run pass no part of a token to other programs; ``tests/leaks`` tests the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

PIECE = 8
"""Length of the shortest part of a token that counts as a leak, in characters."""
WATCHED = """
import logging, sys
logging.basicConfig(level=1, stream=sys.stderr)
def watch(event, args):
    if event in {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.spawn"}:
        sys.stderr.write(f"argv: {args[:2]!r}\\n")
sys.addaudithook(watch)
from conda_token_plugin.cli import main
raise SystemExit(main(sys.argv[1:], prog="conda-token-plugin"))
"""
EXPORT = "export rattler pixi mamba micromamba conda dotenv --org acme --yes"


@pytest.mark.parametrize(
    "command", [EXPORT, "export docker", "run -- true", "run --as X --org acme -- true"]
)
def test_no_part_of_a_token_is_an_argument_of_a_program_or_in_the_log(
    machine: Machine, command: str
) -> None:
    values = [machine.install(name, with_conda=False) for name in ("acme", "globex")]
    ran = machine.python("-X", "dev", "-c", WATCHED, *command.split())
    assert ran.code == 0, ran.err
    assert "argv:" in ran.err or "run" not in command
    pieces = {one[at : at + PIECE] for one in values for at in range(len(one) - PIECE + 1)}
    assert not [piece for piece in pieces if piece in ran.said]


def test_token_is_only_in_the_exported_files_and_in_none_after_remove(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False).encode()
    machine.plugin(*EXPORT.split()).well()
    store = str(machine.store_folder / "secrets")
    files = [path for path in machine.files() if not str(path).startswith(store)]
    held = [path for path in files if value in path.read_bytes()]
    names = {path.name if path.suffix != ".token" else "token" for path in held}
    assert names == {"credentials.json", "authentication.json", "token", ".env"}
    machine.plugin("remove", "acme").well()
    assert not [path for path in machine.files() if value in path.read_bytes()]
