"""The recipes for providers: each is run, with the foreign service on this machine.

The clients of Vault and 1Password are programs of this test, which make the request that the real
client makes. For AWS that is done, and the real client is used too where it is installed.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.store.providers import ask
from conda_token_plugin.tokens.secret import HeaderSecret
from tests.end_to_end.recipes.runner import HERE, PUT_THERE, Runner, document
from tests.support.servers import Response, recording

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from conda_token_plugin.sandbox import Sandbox
    from tests.support.servers import Request

RECIPES = HERE / "providers"
SCOPE = "https://conda.example.org/acme"
ACCESS = "AccessToTheService0123456789"
IDENTITY = "IdentityOfTheJob.0123456789.abcdef"
CLIENT = """
import json, os, sys
from urllib.request import Request, urlopen
def ask(url, headers, body=None):
    return urlopen(Request(url, data=body, headers=headers)).read().decode()
"""
VAULT = """
assert sys.argv[1:] == ["kv", "get", "-mount=secret", "-field=token", "conda/acme"], sys.argv
url = os.environ["VAULT_ADDR"] + "/v1/secret/data/conda/acme"
print(json.loads(ask(url, {"X-Vault-Token": os.environ["VAULT_TOKEN"]}))["data"]["data"]["token"])
"""
ONEPASSWORD = """
assert sys.argv[1:] == ["read", "--no-newline", "op://dev/acme/token"], sys.argv
url = os.environ["OP_CONNECT_HOST"] + "/v1/vaults/dev/items/acme"
item = json.loads(ask(url, {"Authorization": "Bearer " + os.environ["OP_CONNECT_TOKEN"]}))
print(next(one["value"] for one in item["fields"] if one["label"] == "token"), end="")
"""
AWS = """
start, query = sys.argv[1:5], sys.argv[5:]
assert start == ["secretsmanager", "get-secret-value", "--secret-id", "conda/acme"], sys.argv
assert query == ["--query", "SecretString", "--output", "text"], sys.argv
headers = {"X-Amz-Target": "secretsmanager.GetSecretValue", "X-Access": "ACCESS",
           "Content-Type": "application/x-amz-json-1.1"}
body = json.dumps({"SecretId": "conda/acme"}).encode()
print(json.loads(ask(os.environ["AWS_ENDPOINT_URL"], headers, body))["SecretString"])
""".replace("ACCESS", ACCESS)
PROGRAMS = {"vault": ("vault", VAULT), "onepassword": ("op", ONEPASSWORD), "aws": ("aws", AWS)}
"""The program of each recipe: its name, and what it does."""


@dataclass(slots=True)
class Services:
    """The foreign services: their address, the token that they give, and their record."""

    token: str
    url: str = ""
    lifetime: int = 600
    """Seconds, of the answer of Artifactory."""
    asked: list[str] = field(default_factory=list)

    def variables(self, access: str) -> dict[str, str]:
        """Return the variables that the clients of the services read."""
        urls = dict.fromkeys(("VAULT_ADDR", "OP_CONNECT_HOST", "AWS_ENDPOINT_URL"), self.url)
        return urls | dict.fromkeys(("VAULT_TOKEN", "OP_CONNECT_TOKEN"), access)

    def respond(self, request: Request) -> Response:
        """Return the response to a request; 403 if its credential is wrong."""
        value = self.answer(request.path, dict(request.headers), request.body)
        body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        kind = {"Content-Type": "application/x-amz-json-1.1"}
        return Response(403 if value is None else 200, kind, body)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Return the body of the response; None if the credential is wrong."""
        self.asked.append(path)
        if path == "/v1/secret/data/conda/acme":
            value = {"data": {"data": {"token": self.token}}}
            return value if headers.get("X-Vault-Token") == ACCESS else None
        if path == "/v1/vaults/dev/items/acme":
            item = {"fields": [{"label": "user", "value": "x"}, self.field()]}
            return item if headers.get("Authorization") == f"Bearer {ACCESS}" else None
        if headers.get("X-Amz-Target") == "secretsmanager.GetSecretValue":
            is_known = json.loads(body) == {"SecretId": "conda/acme"}
            signed = ACCESS in headers.get("Authorization", headers.get("X-Access", ""))
            return {"SecretString": self.token} if is_known and signed else None
        return self.exchange(path, headers, json.loads(body or b"{}"))

    def field(self) -> dict[str, str]:
        """Return the field of the item at 1Password."""
        return {"label": "token", "value": self.token}

    def exchange(self, path: str, headers: dict[str, str], body: dict[str, str]) -> Any:
        """Return what GitHub, prefix.dev and Artifactory answer."""
        if path.startswith("/id?job=1&audience="):
            is_job = headers.get("Authorization") == f"bearer {ACCESS}"
            return {"value": f"{IDENTITY}.{path.partition('audience=')[2]}"} if is_job else None
        if path == "/api/oidc/mint_token":
            return self.token if body == {"token": f"{IDENTITY}.127.0.0.1"} else None
        if path == "/access/api/v1/oidc/token":
            expected = {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "provider_name": "github",
            }
            is_right = body.pop("subject_token").startswith(f"{IDENTITY}.http") and body == expected
            answer = {"access_token": self.token, "expires_in": self.lifetime}
            return answer if is_right else None
        return None


@pytest.fixture
def services(sandbox: Sandbox) -> Iterator[Services]:
    """Serve the current token of ada in acme."""
    token = sandbox.world.issue("acme", "ada").value
    sandbox.requests.clear()
    made = Services(token)
    with recording(made.respond) as server:
        made.url = server.url
        yield made


def client(runner: Runner, name: str, body: str) -> None:
    """Put a client of a service on the PATH."""
    code = runner.write(f"{name}-code", "").with_suffix(".py")
    code.write_text(CLIENT + body)
    runner.write(name, f'exec {sys.executable} {code} "$@"')


def run(runner: Runner, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a recipe where there may be no conda, for the organization's channels in the sandbox."""
    there = f"{runner.machine.sandbox.repo}acme"
    script = script.replace(SCOPE, there).replace("https://prefix.dev/acme", there)
    script = script.replace("conda token ", "conda-token-plugin ")
    return runner.shell(script, variables=variables)


def works(runner: Runner, services: Services, recipe: str, **variables: str) -> None:
    """Assert that a recipe opens the channels, and that its token is in no file and no output."""
    name = Path(recipe).stem
    check = f"conda token provider test {name} && conda token status {name}"
    done = run(runner, f"{(RECIPES / recipe).read_text()}\n{check}", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "supplies a credential" in done.stdout
    assert "works (downloaded package" in done.stdout
    assert f"provider {name}" in done.stdout
    assert services.token not in done.stdout + done.stderr
    left = [path for path in runner.machine.files() if services.token.encode() in path.read_bytes()]
    assert left == []
    assert len(services.asked) == 2  # `test` asks, and `status`


@pytest.mark.parametrize("name", PROGRAMS)
def test_recipe_with_a_client_of_the_service_opens_the_channels(
    runner: Runner, services: Services, name: str
) -> None:
    client(runner, *PROGRAMS[name])
    works(runner, services, f"{name}.sh", **services.variables(ACCESS))


@pytest.mark.skipif(shutil.which("aws") is None, reason="the client of AWS is not installed")
def test_recipe_for_aws_opens_the_channels_with_its_real_client(
    runner: Runner, services: Services
) -> None:
    runner.write("aws", f'exec {shutil.which("aws")} "$@"')
    variables = {
        "AWS_ENDPOINT_URL": services.url,
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    works(runner, services, "aws.sh", **variables)


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_recipe_for_uv_supplies_what_uv_has_stored(runner: Runner, services: Services) -> None:
    runner.write("uv", f'exec {shutil.which("uv")} "$@"')
    name = "conda.example.org/acme"
    login = f"uv auth login https://{name} --token {services.token}"
    recipe = (RECIPES / "uv.sh").read_text().replace("conda token ", "conda-token-plugin ")
    check = "conda-token-plugin provider test uv"
    done = runner.shell(f"{login}\n{recipe}\n{check}", variables={})
    if "unrecognized subcommand" in done.stderr or "unexpected value" in done.stderr:
        pytest.skip("this uv is no credential helper")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"uv\thttps://{name}\tsupplies a credential" in done.stdout
    assert services.token not in done.stdout + done.stderr
    secret = base64.b64encode(f"__token__:{services.token}".encode()).decode()
    (provider,) = user_store(runner.machine.settings).providers()
    variables = {**runner.machine.variables, "PATH": str(runner.machine.folder / "bin")}
    answer = ask(provider, settings=Settings(variables), now=datetime.now(timezone.utc))
    assert answer.secret == HeaderSecret(f"Basic {secret}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_refusal_of_the_service_is_reported_in_one_line_without_its_text(
    runner: Runner, services: Services, name: str
) -> None:
    program, body = PROGRAMS[name]
    client(runner, program, body.replace(ACCESS, "another"))
    wrong = services.variables("wrong-access")
    script = f"{(RECIPES / f'{name}.sh').read_text()}\nconda token provider test {name}"
    done = run(runner, script, **wrong)
    assert done.returncode == 1
    assert "failed: the command exited with code 1" in done.stdout
    assert "wrong-access" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def exchange(
    runner: Runner, services: Services, *words: str, access: str = ACCESS
) -> subprocess.CompletedProcess[str]:
    """Add the helper for GitHub's identity with ``words``, and test it."""
    command = f"{sys.executable} {RECIPES / 'github_oidc.py'} {' '.join(words)}"
    script = f"conda token provider add --scope {SCOPE} --name github -- {command}"
    variables = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{services.url}/id?job=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": access,
    }
    check = "conda token provider test github; conda token status github"
    return run(runner, f"{script}\n{check}", **variables)


@pytest.mark.parametrize("server", ["prefix", "artifactory"])
def test_identity_of_a_github_job_is_exchanged_for_a_credential(
    runner: Runner, services: Services, server: str
) -> None:
    services.token = runner.machine.sandbox.world.api_key("ada")  # a JWT, sent as a bearer token
    words = (server, services.url, *(["github"] if server == "artifactory" else []))
    done = exchange(runner, services, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "supplies a credential until 20" in done.stdout
    assert "works (downloaded package" in done.stdout
    assert services.token not in done.stdout + done.stderr
    assert services.asked[0].startswith("/id?")


def test_job_without_the_permission_is_refused_in_one_line(
    runner: Runner, services: Services
) -> None:
    done = exchange(runner, services, "prefix", services.url, access="wrong-access")
    assert "failed: the command exited with code 1" in done.stdout
    assert "wrong-access" not in done.stdout + done.stderr


def test_workflow_gives_the_job_an_identity_and_no_secret() -> None:
    workflow = document("providers/github-oidc.yml")
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    text = (RECIPES / "github-oidc.yml").read_text("utf-8")
    assert "secrets." not in text
    assert PUT_THERE.search(text)


@pytest.mark.conda
def test_workflow_installs_with_the_identity_of_the_job(runner: Runner, services: Services) -> None:
    services.token = runner.machine.sandbox.world.api_key("ada")
    steps = document("providers/github-oidc.yml")["jobs"]["test"]["steps"]
    script = "\n".join(step["run"] for step in steps[3:])
    script = script.replace("prefix https://prefix.dev", f"prefix {services.url}")
    folder = runner.machine.folder / "ci"
    folder.mkdir()
    shutil.copy(RECIPES / "github_oidc.py", folder)
    done = run(
        runner,
        script,
        GITHUB_WORKSPACE=str(folder.parent),
        ACTIONS_ID_TOKEN_REQUEST_URL=f"{services.url}/id?job=1",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN=ACCESS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installed()
    assert len(services.asked) == 2  # the identity, and its exchange
