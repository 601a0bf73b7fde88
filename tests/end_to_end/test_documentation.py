"""Test that the documentation is true: its commands run or parse, its tables are those of the code.

The language of a block of commands is followed by a word that says how it is tested:

| word | test |
|---|---|
| `first` | the first commands of a new user; they run as they are, in an empty home |
| `run` | the blocks of a page run in order, in an empty home, against a sandbox |
| `base` | runs in a base environment with a conda, in `packaging/` |
| `parse` | read by a shell and by the parser only, because it asks or needs another machine |
| `read` | a configuration file, which the settings read |
| a path | the block is that file, which has its own test |
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from argparse import SUPPRESS
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin import errors, settings
from conda_token_plugin.cli.demo_stage import sealed
from conda_token_plugin.cli.parser import parsed, verb_parser
from conda_token_plugin.cli.registry import VERBS
from conda_token_plugin.settings import Settings
from conda_token_plugin.settings.site import REPO_URL
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from conda_token_plugin.cli.registry import Verb
    from conda_token_plugin.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {
    path: path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if path.name != "index.md"
}
ALL = "\n".join(PAGES.values())
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
WORDS = ("first", "run", "base", "parse", "read")
FOREIGN_VARIABLES = r"\b(ANACONDA_(?:AUTH|DEFAULT|CONFIG|SECRETS)_[A-Z_]+|ANA_KEYRING_PATH)\b"
"""Variables of anaconda-auth that the code reads."""
OURS = re.compile(r"(?<!incubator/)(?:conda token|conda-token-plugin) (?P<words>[^|&<>\n]*)")
SOURCE = " ".join(
    " ".join(path.read_text("utf-8").split())
    for path in (ROOT / "conda_token_plugin").rglob("*.py")
)


@dataclass(frozen=True)
class Block:
    language: str
    word: str
    text: str
    page: Path
    line: int

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for page, text in PAGES.items():
        pattern = r"^ *```(\{?\w+\}?)? ?(\S+)?\n(.*?)^ *```$"
        for found in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
            if (found[1] or "").startswith("{"):  # a directive of Sphinx
                continue
            line = text.count("\n", 0, found.start()) + 1
            yield Block(found[1] or "", found[2] or "", dedent(found[3]), page, line)


BLOCKS = list(blocks())


def of(word: str) -> list[Block]:
    return [block for block in BLOCKS if block.word == word]


def commands(block: Block) -> list[list[str]]:
    """Return the words of each command of this plugin in a block."""
    return [found["words"].split() for found in OURS.finditer(block.text)]


def test_block_of_commands_says_how_it_is_tested() -> None:
    commands = [block for block in BLOCKS if block.language != "text"]
    untested = [b.place for b in commands if b.word not in WORDS and "/" not in b.word]
    assert untested == []


def test_block_with_a_path_is_equal_to_that_file() -> None:
    quoted = [block for block in BLOCKS if "/" in block.word]
    assert quoted
    for block in quoted:
        assert block.text == (ROOT / block.word).read_text("utf-8"), block.word


def test_word_for_a_way_to_test_is_used_by_a_block() -> None:
    assert [word for word in WORDS if not of(word)] == []


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_commands_in_a_block_are_accepted_by_the_parser(block: Block) -> None:
    if block.language == "text":
        return
    for words in commands(block):
        if words not in ([], ["--version"]):
            parsed(words, prog="conda token")


@pytest.mark.skipif(os.name == "nt", reason="there is no bash")
@pytest.mark.parametrize("block", of("parse"), ids=lambda block: block.place)
def test_block_is_read_by_bash_without_an_error(block: Block) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_block_of_a_configuration_file_is_read(tmp_path: Path) -> None:
    (block,) = of("read")
    (tmp_path / "config.toml").write_text(block.text, encoding="utf-8")

    site = Settings({"ANACONDA_CONFIG_TOML": str(tmp_path / "config.toml")}).site

    assert site.service_url == "https://anaconda.corp.example"
    assert site.repo_url == "https://repo.corp.example/repo/"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    _, tests = (block.text.strip() for block in of("first"))
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert tests.endswith('-m pip install ".[test]" && .venv/bin/python -m pytest')
    assert re.search(r'-m pip install -q "\.\[test\]" && python3 -m pytest', ci)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone of the repository")
@pytest.mark.parametrize(
    ("number", "success"), [(0, "All steps worked"), (1, r"\d+ passed")], ids=["demo", "tests"]
)
def test_first_command_of_the_readme_works_in_an_empty_home(
    number: int, success: str, tmp_path: Path
) -> None:
    command = of("first")[number].text.strip()
    url = re.findall(r"https://\S+", command)[0]
    home = tmp_path / "new"
    home.mkdir()
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("XDG_", "PYTEST_", "COV_"))}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env=kept
        | {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"url.{ROOT}.insteadOf",
            "GIT_CONFIG_VALUE_0": url,
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
            "HOME": str(home),
            "RUSTUP_HOME": str(tmp_path / "rustup"),  # pip asks rustc, if there is one, its version
            # CI runs all tests with this command; here they would run this test again.
            "PYTEST_ADDOPTS": "tests/tokens",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(success, done.stdout)
    left = {path.name for path in home.iterdir()}
    assert left - {".cache"} == {("conda-token-plugin", "conda-token-tests")[number]}
    assert {path.name for path in home.glob(".cache/*")} <= {"pip"}


def test_extras_of_the_first_commands_are_defined_in_pyproject() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    named = [extra for block in of("first") for extra in re.findall(r'"\.\[(\w+)\]"', block.text)]
    assert named == ["demo", "test"]
    there = re.findall(r"^(\w+) = \[", project, re.MULTILINE)
    assert set(named) <= set(there)


@pytest.mark.slow
def test_demo_succeeds_and_leaves_no_file_in_the_home(empty_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conda_token_plugin", "demo"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    story = (
        "403",
        "Issued a token",
        "acme-tools",
        " list",
        " which ",
        "Removed",
        "All steps worked",
    )
    places = [done.stdout.find(words, done.stdout.find("403")) for words in story]
    assert places == sorted(set(places) - {-1}), done.stdout
    assert list(empty_home.rglob("*")) == []


@pytest.mark.slow
def test_demo_on_a_terminal_shows_the_story_in_colour_with_public_addresses() -> None:
    terminal = Terminal("demo", environment=os.environ, size=(40, 120))
    assert terminal.finish() == 0, terminal.seen
    story = ("403", "\x1b[32mIssued", " list\x1b[0m", "individual", " which ", "All steps worked")
    places = [terminal.seen.find(words) for words in story]
    assert places == sorted(set(places) - {-1}), terminal.seen
    assert "https://repo.anaconda.cloud/repo/acme/main" in terminal.seen
    _, _, played = terminal.seen.partition("\n")  # the first line says where the sandbox is
    assert "127.0.0.1" not in played
    assert "\t" not in played, "as a pipe would get it"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", sorted({block.page for block in of("run")}), ids=lambda page: page.stem
)
@pytest.mark.parametrize(
    "prog", [pytest.param("conda", marks=pytest.mark.conda), "conda-token-plugin"]
)
def test_commands_of_a_page_succeed_when_run_in_order(
    prog: str, page: Path, sandbox: Sandbox, empty_home: Path, tmp_path: Path
) -> None:
    here = [block.text for block in of("run") if block.page == page]
    text = "\n".join(here).replace(REPO_URL, sandbox.repo)
    text = text.replace("https://conda.example.org/get/", f"{sandbox.repo}acme/")
    site_token = sandbox.world.current("acme")
    assert site_token is not None
    (empty_home / "token.txt").write_text(site_token.value, encoding="utf-8")
    if prog == "conda-token-plugin":
        lines = text.replace("conda token ", "conda-token-plugin ").split("\n")
        text = "\n".join(line for line in lines if not line.startswith("conda "))
    done = subprocess.run(
        ["bash", "-eux", "-c", text],
        env=environment(sandbox, home=empty_home, scripts=scripts_in(tmp_path / "bin")),
        cwd=empty_home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    created = prog == "conda" and "conda create" in text
    assert (empty_home / "env" / "bin" / "acme-hello").exists() is created


def environment(sandbox: Sandbox, *, home: Path, scripts: Path) -> dict[str, str]:
    return sealed(
        os.environ,
        home=home,
        PATH=f"{scripts}{os.pathsep}{os.defpath}",
        ANACONDA_AUTH_API_KEY=sandbox.world.api_key("ada"),
        CONDA_TOKEN_SERVICE_URL=sandbox.service,
        CONDA_TOKEN_REPO_URL=sandbox.repo,
        CONDA_TOKEN_STORE="file",
        CONDA_PKGS_DIRS=str(home.parent / "pkgs"),
        CONDA_SOLVER="classic",
    )


def scripts_in(folder: Path) -> Path:
    """Write scripts for PATH: ``conda``, if it can be imported, and that of the plugin."""
    folder.mkdir()
    modules = {"conda-token-plugin": "conda_token_plugin"}
    modules |= {"conda": "conda"} if find_spec("conda") else {}
    for name, module in modules.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        path.chmod(0o755)
    return folder


def exit_codes() -> set[int]:
    """Return every exit code: 0, and those of the errors."""
    for module in iter_modules(errors.__path__, f"{errors.__name__}."):
        import_module(module.name)
    return {0, *(kind.exit_code for kind in errors.TokenPluginError.__subclasses__())}


def variables_read() -> set[str]:
    """Return every environment variable in the table of the settings module."""
    return set(re.findall(r"^\| ``(\S+)`` \| .+ \|$", settings.__doc__ or "", re.MULTILINE))


def generated() -> ModuleType:
    """Import the extension of Sphinx that generates parts of the reference."""
    path = ROOT / "docs" / "_ext" / "generated.py"
    found = spec_from_file_location("generated", path)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_generated_table_of_exit_codes_has_a_meaning_for_each_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", generated().exit_codes(), re.MULTILINE)
    assert [int(code) for code, _ in rows] == sorted(exit_codes())
    assert all(meaning.endswith(".") for _, meaning in rows)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_generated_reference_has_every_option_of_a_command(verb: Verb) -> None:
    text = generated().commands()
    section = text.partition(f"\n### {verb.name}\n")[2].partition("\n### ")[0]
    common = text.partition("## Options of every command")[2]
    options = verb_parser(verb, prog="conda token")._option_string_actions
    for option, action in options.items():
        if action.help != SUPPRESS and action.dest != "help":
            assert f"`{option}" in section + common, option
    for line in re.findall(r"^conda token .+$", section, re.MULTILINE)[1:]:
        parsed(shlex.split(line.partition(" > ")[0].partition(" < ")[0])[2:], prog="conda token")


@pytest.mark.slow
def test_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("conda_sphinx_theme", reason="the documentation's extra is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", ROOT / "docs", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    pages = {path: path.read_text("utf-8") for path in tmp_path.rglob("*.html")}
    assert "--if-expiring" in pages[tmp_path / "reference" / "commands.html"]
    assert "interrupted" not in pages[tmp_path / "reference" / "settings.html"]
    loaded = (
        r"""<(?:script|img|iframe|link rel="(?:stylesheet|preload)")[^>]+(?:src|href)="https?://"""
    )
    assert [path.name for path, text in pages.items() if re.search(loaded, text)] == []


def test_tables_of_variables_are_equal_to_the_variables_that_are_read() -> None:
    rows = re.findall(r"^\| `([A-Z_<>]+)` \|", ALL, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert variables_read() | foreign_variables() <= set(rows)
    # The code may write "…_NAME" after another variable with the same beginning.
    forms = {row: (row, row.replace("ANACONDA_AUTH_", "…_")) for row in rows}
    unread = [row for row in forms if not any(form in SOURCE for form in forms[row])]
    assert set(unread) <= variables_read()


def foreign_variables() -> set[str]:
    """Return the variables of anaconda-auth that the code names, except those in our table."""
    names = set(re.findall(FOREIGN_VARIABLES, SOURCE))
    return {name for name in names if not name.endswith("_FILE")} - variables_read()


@pytest.mark.parametrize("quoted", re.findall(r"^### `(.+)`$", ALL, re.MULTILINE))
def test_explained_message_is_in_the_source(quoted: str) -> None:
    assert quoted in SOURCE


def test_command_is_mentioned_in_the_documentation() -> None:
    mentioned = set(re.findall(r"(?:conda token|conda-token-plugin) ([a-z-]+)", ALL))
    assert {verb.name for verb in VERBS} - mentioned - NOT_FOR_EVERYBODY == set()


NOT_FOR_EVERYBODY = {"whoami", "demo", "completion"}


def test_map_in_contributing_names_every_package() -> None:
    table = CONTRIBUTING.partition("| package |")[2].partition("\n\n")[0]
    drawn = set(
        re.findall(r"`(\w+)/?`", "".join(row.split("|")[1] for row in table.split("\n")[2:]))
    )
    package = (ROOT / "conda_token_plugin").iterdir()
    packages = {
        path.stem for path in package if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert packages - {"__init__", "__main__"} == drawn, "the table in CONTRIBUTING.md"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_picture_shows_the_demo_and_loads_nothing(theme: str) -> None:
    drawn = (ROOT / "docs" / f"demo-{theme}.svg").read_text("utf-8").replace("&#160;", " ")
    shown = [f"conda token {verb}" for verb in ("install", "list", "which", "remove")]
    assert [words for words in (*shown, "conda create") if words not in drawn] == []
    assert not re.search(r"url\(.?https?:|<image|<script|/tmp/|/home/", drawn)  # none


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_link_of_a_page_has_a_target(page: Path) -> None:
    targets = re.findall(r'(?:\]\(|src(?:set)?=")([^)"]+)[)"]', PAGES[page])
    anchors = {anchor(title) for title in re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)}
    for target in targets:
        path, _, fragment = target.partition("#")
        assert not path or (page.parent / path).exists(), target
        assert path or fragment in anchors, target


def anchor(title: str) -> str:
    """Return the anchor that GitHub makes of a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_line_of_prose_has_at_most_one_sentence_and_120_characters() -> None:
    prose = re.sub(r"^ *```.*?^ *```$", "", ALL, flags=re.MULTILINE | re.DOTALL)
    lines = [
        line for line in prose.split("\n") if line and not line.startswith(("|", "Measured on "))
    ]
    assert [line for line in lines if len(line) > 120] == []
    two = [line for line in lines if re.search(r"[a-z)`][.?!] [A-Z]", line)]
    assert [line for line in two if len(line) > 100] == [], "one sentence a line"
