"""The workflows of GitHub Actions: pinned actions, few permissions, scripts that a shell runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from conda_token_plugin import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
WRITES = {
    ("release.yml", "attest"): {"id-token", "attestations", "contents"},
    ("release.yml", "publish"): {"id-token"},
}
"""The jobs that may write, and what."""
EVENTS = "pull_request_target", "workflow_run", "issue_comment"
"""Events that run a workflow with this repository's permissions on text from outside."""
posix = pytest.mark.skipif(os.name == "nt", reason="there is no bash")


class Step(NamedTuple):
    """A step that runs a script."""

    job: str
    name: str
    script: str


def workflow(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(path.read_text("utf-8")))


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every job with the name of its file and its own name."""
    for path in FILES:
        for name, job in workflow(path)["jobs"].items():
            yield path.name, name, job


def steps() -> Iterator[Step]:
    for file, name, job in jobs():
        for step in job.get("steps", ()):
            if "run" in step:
                yield Step(f"{file} {name}", step["name"], step["run"])


def script(name: str) -> str:
    """Return the only script of this name."""
    (found,) = (step.script for step in steps() if step.name == name)
    return found


JOBS = [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in jobs()]
STEPS = [pytest.param(one.script, id=f"{one.job}: {one.name}") for one in steps()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_by_hash_with_their_version(path: Path) -> None:
    used = [line.strip(" -") for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    own = [line for line in used if line.startswith("uses: ./.github/workflows/")]
    assert [line for line in used if line not in own and not PINNED.fullmatch(line)] == []


def test_action_has_one_hash_in_all_workflows() -> None:
    text = "".join(path.read_text("utf-8") for path in FILES)
    used = set(re.findall(r"uses: ([\w./-]+)@(\w+)", text))
    assert len({action for action, _ in used}) == len(used)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_workflow_gives_no_permission_to_all_its_jobs(path: Path) -> None:
    assert workflow(path)["permissions"] == {}
    assert [event for event in EVENTS if event in path.read_text("utf-8")] == []


@pytest.mark.parametrize(("file", "name", "job"), JOBS)
def test_job_has_only_the_permissions_that_it_needs(
    file: str, name: str, job: dict[str, Any]
) -> None:
    written = {scope for scope, access in job["permissions"].items() if access != "read"}
    assert written == WRITES.get((file, name), set())


@pytest.mark.parametrize(("file", "name", "job"), JOBS)
def test_checkout_keeps_no_credentials(file: str, name: str, job: dict[str, Any]) -> None:
    assert file, name
    for step in job.get("steps", ()):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_tests_run_on_every_system_python_and_conda() -> None:
    matrix = workflow(FOLDER / "tests.yml")["jobs"]["with-conda"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["python"] == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    assert matrix["conda"] == ["24.11", "25.5", "26.7", "canary"]


def test_tested_python_versions_are_the_classifiers_of_the_package() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    for job in ("with-conda", "without-conda"):
        matrix = workflow(FOLDER / "tests.yml")["jobs"][job]["strategy"]["matrix"]
        assert matrix["python"] == declared


@pytest.mark.parametrize("text", STEPS)
def test_script_takes_no_expression_of_the_workflow(text: str) -> None:
    assert "${{" not in text, "a value from outside could be a command: pass it in `env`"


@pytest.mark.parametrize(
    ("task", "steps_of_workflow"),
    [
        ("test", ["Test"]),
        ("lint", ["Lint", "Check types"]),
        ("docs", ["Build with warnings as errors"]),
    ],
)
def test_task_of_pixi_runs_what_the_workflow_runs(task: str, steps_of_workflow: list[str]) -> None:
    pixi = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pixi"]
    tasks = {name: text for one in pixi["feature"].values() for name, text in one["tasks"].items()}
    scripts = "\n".join(step.script for step in steps() if step.name in steps_of_workflow)
    assert [part for part in tasks[task].split(" && ") if part not in scripts] == []


@posix
@pytest.mark.parametrize("text", STEPS)
def test_script_is_read_by_bash_without_an_error(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@posix
@pytest.mark.parametrize(
    ("tag", "code"), [(f"v{__version__}", 0), (__version__, 1), ("v99.0.0", 1), ("", 1)]
)
def test_release_is_refused_if_the_tag_is_not_the_version(tag: str, code: int) -> None:
    done = subprocess.run(
        ["bash", "-e", "-c", script("Compare")],
        env=os.environ | {"TAG": tag},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("::error::" in done.stdout) is bool(code)


@posix
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("24.11", "conda=24.11 pip"),
        ("canary", "--channel conda-canary/label/dev conda-canary/label/dev::conda pip"),
    ],
)
def test_installed_conda_is_the_one_of_the_matrix(
    tmp_path: Path, wanted: str, expected: str
) -> None:
    fake = tmp_path / "conda"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.defpath}"
    done = subprocess.run(
        ["bash", "-e", "-c", script("Install conda")],
        env={"PATH": path, "CONDA_TO_TEST": wanted},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"install --yes --quiet --name test {expected}"


@pytest.mark.parametrize(
    "command",
    [("actionlint",), ("zizmor", "--offline", "--quiet", str(ROOT / ".github"))],
    ids=lambda command: command[0],
)
def test_checker_of_workflows_finds_no_fault(command: tuple[str, ...]) -> None:
    beside = Path(sys.executable).parent
    program = shutil.which(command[0], path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [program, *command[1:], *(map(str, FILES) if len(command) == 1 else ())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
