"""The recipes for CI and containers: their YAML is read, and their shell lines are run."""

from __future__ import annotations

import base64
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from tests.end_to_end.recipes.runner import (
    HERE,
    PUT_THERE,
    Runner,
    can_mount,
    commented,
    docker_runs,
    document,
)

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

RECIPES = [path for path in sorted(HERE.iterdir()) if path.suffix not in {".py", ".pyc", ""}]
MASKED = re.compile(r"\$\{\{ secrets\.(\w+) \}\}")
needs_mounts = pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount /run")


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    value = sandbox.world.issue("acme", "ada").value
    sandbox.requests.clear()
    return value


def lines_of(text: str) -> list[str]:
    """The commands, but for the one that installs the plugin; that it is there is checked."""
    assert PUT_THERE.search(text)
    return [line for line in text.splitlines() if not PUT_THERE.search(line)]


@pytest.mark.parametrize("path", [*RECIPES, HERE / "Dockerfile"], ids=lambda path: path.name)
def test_recipe_contains_no_secret_and_passes_none_as_an_argument(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "acme" in text
    assert not re.search(r"[A-Za-z0-9]{40}", text)
    assert "/t/" not in text
    assert "echo" not in text
    for line in text.splitlines():
        assert "secrets." not in line or MASKED.search(line), "a secret goes to env alone"
        assert "${{" not in line or re.match(r"\s+\w+: ", line), "and never into a script"


@pytest.mark.parametrize("name", ["github-actions.yml", "github-actions-pixi.yml"])
def test_workflow_has_valid_structure(name: str) -> None:
    workflow = document(name)
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    for step in job["steps"]:
        assert {"uses"} <= step.keys() or {"name", "run"} <= step.keys()
        assert "env" not in step or all(
            MASKED.fullmatch(v) or "runner.temp" in v for v in step["env"].values()
        )


@pytest.mark.conda
def test_github_actions_installs_with_the_secret_in_one_step(runner: Runner, token: str) -> None:
    steps = document("github-actions.yml")["jobs"]["test"]["steps"]
    scripts = "\n".join(step["run"] for step in steps if "run" in step)
    assert PUT_THERE.search(scripts)
    last = steps[-1]
    assert runner.shell(last["run"], variables={}).returncode != 0
    given = {name: MASKED.sub(token, value) for name, value in last["env"].items()}
    done = runner.shell(last["run"], variables=given)
    assert done.returncode == 0, done.stderr
    assert runner.installed()
    assert token not in done.stdout + done.stderr


def test_github_actions_gives_the_token_to_pixi_and_later_steps(runner: Runner, token: str) -> None:
    steps = document("github-actions-pixi.yml")["jobs"]["test"]["steps"]
    handing = next(step for step in steps if "github-actions" in step.get("run", ""))
    temp = runner.machine.folder
    given = {
        name: MASKED.sub(token, value).replace("${{ runner.temp }}", str(temp))
        for name, value in handing["env"].items()
    }
    job = temp / "github_env"
    job.touch()
    done = runner.shell(handing["run"], variables={**given, "GITHUB_ENV": str(job)})
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"::add-mask::{token}\n"
    first, value, last = job.read_text().splitlines()
    assert (first, value) == (f"ANACONDA_REPO_TOKEN_ACME<<{last}", token)
    assert Path(given["RATTLER_AUTH_FILE"]).stat().st_mode & 0o777 == 0o600
    assert token in Path(given["RATTLER_AUTH_FILE"]).read_text()


@pytest.mark.conda
def test_gitlab_installs_with_a_variable_of_type_file(runner: Runner, token: str) -> None:
    script = document("gitlab-ci.yml")["test"]["script"]
    path = runner.machine.folder / "variable"
    path.write_text(token)
    done = runner.shell(
        "\n".join(lines_of("\n".join(script))),
        variables={"ANACONDA_REPO_TOKEN_ACME_FILE": str(path)},
    )
    assert done.returncode == 0, done.stderr
    assert runner.installed()
    assert token not in done.stdout + done.stderr


@pytest.mark.conda
@needs_mounts
def test_dockerfile_installs_with_a_mounted_secret(runner: Runner, token: str) -> None:
    putting, installing = docker_runs()
    assert PUT_THERE.fullmatch(putting[1])
    assert installing[0] == ["--mount=type=secret,id=anaconda_repo_token_acme"]
    assert runner.shell(installing[1], variables={}).returncode != 0
    done = runner.shell(installing[1], variables={}, secrets={"anaconda_repo_token_acme": token})
    assert done.returncode == 0, done.stderr
    assert runner.installed()
    left = [path for path in runner.machine.files() if token.encode() in path.read_bytes()]
    assert [path.parent.name for path in left] == ["secrets"]


def test_docker_build_gets_the_token_by_name_and_not_by_value(runner: Runner, token: str) -> None:
    (command,) = commented("Dockerfile")
    seen = runner.machine.folder / "seen"
    runner.write("docker", f'printf "%s|" "$@" "$ANACONDA_REPO_TOKEN_ACME" > {seen}')
    key = {"ANACONDA_REPO_TOKEN_ACME": token}
    done = runner.shell(as_script(command), variables=key)
    assert done.returncode == 0, done.stderr
    words = seen.read_text().split("|")[:-1]
    assert words.pop() == token
    secret = "id=anaconda_repo_token_acme,env=ANACONDA_REPO_TOKEN_ACME"
    assert words == ["build", "--secret", secret, "."]


def test_dockerfile_has_the_lines_that_export_docker_prints(runner: Runner, token: str) -> None:
    key = {"ANACONDA_REPO_TOKEN_ACME": token}
    done = runner.shell("conda-token-plugin export docker --org acme", variables=key)
    assert done.returncode == 0
    _, (options, _) = docker_runs()
    assert f"RUN {options[0]} " in done.stdout
    (command,) = commented("Dockerfile")
    assert as_script(command) in done.stdout


@pytest.mark.conda
@needs_mounts
def test_pod_installs_with_a_mounted_secret(runner: Runner, token: str) -> None:
    pod = document("kubernetes.yml")
    (container,) = pod["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["spec"]["volumes"]
    assert mount["name"] == volume["name"]
    assert mount["readOnly"]
    assert Path(mount["mountPath"]) == Path("/run/secrets") / mount["subPath"]
    script = shlex.join([*container["command"], *container["args"]])
    done = runner.shell(script, variables={}, secrets={mount["subPath"]: token})
    assert done.returncode == 0, done.stderr
    assert runner.installed()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")
def test_secret_of_the_pod_is_made_from_the_store(runner: Runner, token: str) -> None:
    (command,) = commented("kubernetes.yml")
    client = command.replace("/dev/stdin", "/dev/stdin --dry-run=client -o yaml")
    done = runner.shell(
        as_script(client),
        variables={"ANACONDA_REPO_TOKEN_ACME": token, "KUBECONFIG": "/dev/null"},
    )
    assert done.returncode == 0, done.stderr
    made = YAML(typ="safe").load(done.stdout)
    volume = document("kubernetes.yml")["spec"]["volumes"][0]["secret"]
    assert made["metadata"]["name"] == volume["secretName"]
    held = made["data"]["anaconda_repo_token_acme"]
    assert base64.b64decode(held).decode() == token


def test_github_secret_is_made_from_the_store(runner: Runner, token: str) -> None:
    (command,) = commented("github-actions.yml")
    seen = runner.machine.folder / "seen"
    runner.write("gh", f'printf "%s|" "$@" > {seen}; cat >> {seen}')
    done = runner.shell(as_script(command), variables={"ANACONDA_REPO_TOKEN_ACME": token})
    assert done.returncode == 0, done.stderr
    assert seen.read_text() == f"secret|set|ANACONDA_REPO_TOKEN_ACME|{token}"


def as_script(command: str) -> str:
    """The command as it is where there may be no conda."""
    assert command.startswith("conda token ")
    return command.replace("conda token ", "conda-token-plugin ", 1)
