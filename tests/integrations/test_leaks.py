"""Export, import, audit and run print, log and pass to other programs no part of a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine

PIECE = 8
"""Length of the shortest part of a token that counts as a leak, in characters."""
BASIC = "basic-pa55word-0123456789-XYZ"

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

COMMANDS = [
    "export rattler pixi mamba micromamba conda dotenv --org acme --yes",
    "export rattler pixi mamba micromamba conda dotenv --org acme --yes --json",
    "export netrc --org files",
    "export docker",
    "export rattler --org acme --dry-run --json",
    "export rattler --org globex",
    "import --yes",
    "import --dry-run --json",
    "import --no-validate --yes --json",
    "audit",
    "audit --json",
    "audit --sarif",
    "audit {home} --json",
    "audit --fix --yes",
    "run -- true",
    "run --as X --org acme -- true",
    "export rattler mamba conda netrc dotenv --remove",
    "export rattler mamba conda netrc dotenv --remove --json",
    "export nonsense",
    "import nonsense",
    "import rattler",
    "remove --all --json",
]


@pytest.fixture
def values(machine: Machine) -> dict[str, str]:
    """Store a secret of each kind, and return their values."""
    found = {name: machine.install(name, with_conda=False) for name in ("acme", "globex")}
    token = Token(
        organization="files",
        kind=TokenKind.SITE,
        scope=("https://files.example.com/conda",),
        way=AuthScheme.BASIC,
        username="me",
        last_four=BASIC[-4:],
    )
    user_store(machine.settings).add(token, Secret(BASIC))
    found["api key"] = machine.sandbox.world.api_key("ada")
    return found | {"files": BASIC}


def scatter(home: Path, values: dict[str, str]) -> None:
    """Write tokens into the files of tools and into the history of the shell."""
    url = f"https://c.example/t/{values['globex']}/a"
    for name, text in {
        ".condarc": f"channels: [{url}]\n",
        ".bash_history": f"conda token set {values['acme']}\n",
        ".rattler/credentials.json": json.dumps({"c.example": {"CondaToken": values["globex"]}}),
    }.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def pieces(value: str) -> set[str]:
    return {value[at : at + PIECE] for at in range(len(value) - PIECE + 1)}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_prints_logs_and_passes_on_no_part_of_a_token(
    machine: Machine, values: dict[str, str], command: str
) -> None:
    if "--remove" in command or "remove" in command.split():
        machine.plugin(
            "export", "rattler", "mamba", "conda", "dotenv", "--org", "acme", "--yes"
        ).well()
    else:
        scatter(machine.home, values)
    words = command.format(home=machine.home).split()
    ran = machine.python("-X", "dev", "-c", WATCHED, *words)
    assert "Traceback" not in ran.err, ran.err
    shown = {name for name, value in values.items() if any(p in ran.said for p in pieces(value))}
    assert not shown


def test_export_to_github_actions_prints_the_value_only_in_its_mask(
    machine: Machine, values: dict[str, str]
) -> None:
    job = machine.folder / "env"
    job.touch()
    ran = machine.python(
        "-c", WATCHED, "export", "github-actions", "--org", "acme", GITHUB_ENV=str(job)
    )
    assert ran.code == 0
    rest = ran.said.replace(f"::add-mask::{values['acme']}\n", "")
    assert not any(piece in rest for piece in pieces(values["acme"]))


def test_traceback_of_a_bug_shows_no_token(machine: Machine, values: dict[str, str]) -> None:
    broken = WATCHED.replace(
        "from conda_token_plugin.cli import main",
        "from conda_token_plugin.gateways import foreign_files as foreign\n"
        "def replace(*args, **kwargs): raise RuntimeError(repr(args))\n"
        "foreign.replace = replace\n"
        "from conda_token_plugin.cli import main",
    )
    ran = machine.python("-c", broken, "export", "rattler", "--org", "acme")
    assert "RuntimeError" in ran.err
    assert not any(piece in ran.said for piece in pieces(values["acme"]))


def test_token_is_only_in_the_exported_files_and_in_none_after_remove(
    machine: Machine, values: dict[str, str]
) -> None:
    machine.plugin("export", "rattler", "mamba", "conda", "dotenv", "--org", "acme", "--yes").well()
    store = str(machine.store_folder / "secrets")
    files = [path for path in machine.files() if not str(path).startswith(store)]
    held = [path for path in files if values["acme"].encode() in path.read_bytes()]
    names = {path.name if path.suffix != ".token" else "token" for path in held}
    assert names == {"credentials.json", "authentication.json", "token", ".env"}
    machine.plugin("remove", "acme").well()
    assert not [path for path in machine.files() if values["acme"].encode() in path.read_bytes()]
