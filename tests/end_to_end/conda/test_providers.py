"""Real conda with a provider: how often it is run, and what a bad one does to an installation."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.repository.channels import Channel, Recipe
from conda_token_plugin.sandbox.repository.packages import build_channel
from tests.support.providers import printing, program, response
from tests.support.servers import RecordingServer, Response, files, recording
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.machine import Machine, Ran
    from tests.support.providers import Program
    from tests.support.servers import Request

pytestmark = pytest.mark.conda

COUNT = 50
VALUE = "MadeUpToken0123456789"
WARNING = "conda-token-plugin: requests go on without a token."
PUBLIC = "anaconda-tools"
FAULTS = {
    # What the command does, and the reason in the warning.
    "hangs": ("time.sleep(600)", "did not finish within 2 seconds"),
    "exits with an error": ("sys.exit(3)", "exited with code 3"),
    "is killed": ("os.kill(os.getpid(), 9)", "was ended by signal 9"),
    "prints garbage": (f"print({VALUE!r})", "it is not a JSON object"),
    "prints a line break in a header": (
        f"print({response(VALUE + chr(10) + 'X-Other: 1')!r})",
        "a header contains a line break",
    ),
    "answers for another host": (
        "print(json.dumps({'uri': 'https://other.example', 'headers': {'Authorization': ['x']}}))",
        "its response is for another URI",
    ),
    "prints another header": (
        "print(json.dumps({'headers': {'X-Api-Key': ['x']}}))",
        "has no Authorization header",
    ),
    "prints too much": ("sys.stdout.write('x' * 1_000_000)", "printed more than 65536 bytes"),
    "has expired": (
        f"print({response(VALUE, expires='2020-01-01T00:00:00Z')!r})",
        "its response has already expired",
    ),
}
LIVES_TWO_SECONDS = """
from datetime import datetime, timedelta, timezone
calls = len(open({calls!r}).readlines())
if calls > {most}:
    sys.exit(1)
end = datetime.now(timezone.utc) + timedelta(seconds=2)
print(json.dumps({{"headers": {{"Authorization": [f"Bearer number-{{calls}}"]}},
                   "expires": end.isoformat()}}))
"""


AT_ONCE = """
from datetime import timedelta
import conda_token_plugin.store.providers as providers
providers.TRUST_FOR = timedelta(0)
"""
"""Has a provider asked again after every refusal, so that the test takes no minute."""


NAMES = tuple(f"many-{number:02}" for number in range(COUNT))


class GuardedChannel:
    """A channel of many packages, which opens for the headers that a test accepts."""

    def __init__(self, folder: Path) -> None:
        self._respond = files(folder)
        self.server = RecordingServer()
        self.accepts: Callable[[str], bool] = lambda _: True
        self.pause = 0.0
        """Seconds before a package is sent."""

    @property
    def url(self) -> str:
        return self.server.url

    def headers(self) -> list[str]:
        """Return the ``Authorization`` headers of all requests, each once, in order."""
        return list(dict.fromkeys(one.header("Authorization") for one in self.server.requests))

    def respond(self, request: Request) -> Response:
        if not self.accepts(request.header("Authorization")):
            return Response(403)
        if request.path.endswith(".conda"):
            time.sleep(self.pause)
        return self._respond(request)


@pytest.fixture(scope="session")
def packages_of_channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a channel with many packages."""
    folder = tmp_path_factory.mktemp("many") / "channel"
    build_channel(Channel("many", tuple(Recipe(name, "1.0", ".conda") for name in NAMES)), folder)
    return folder


@pytest.fixture
def channel(packages_of_channel: Path) -> Iterator[GuardedChannel]:
    """Serve that channel."""
    made = GuardedChannel(packages_of_channel)
    with recording(made.respond) as made.server:
        yield made


def add(machine: Machine, made: Program, *, scope: str, options: tuple[str, ...] = ()) -> Ran:
    words = ("provider", "add", "--scope", scope, "--name", "vault", *options, "--", *made.command)
    return machine.plugin(*words).well()


def create(machine: Machine, url: str, *names: str) -> Ran:
    return machine.create(*machine.only(url), *names)


def test_installation_of_50_packages_runs_the_command_once(
    machine: Machine,
    channel: GuardedChannel,
    tmp_path: Path,
    solver: str,
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    channel.accepts = f"Bearer {VALUE}".__eq__
    made = printing(tmp_path, response(f"Bearer {VALUE}"))
    add(machine, made, scope=channel.url)

    ran = create(machine, channel.url, *NAMES).well()

    assert machine.installed() == set(NAMES)
    assert channel.headers() == [f"Bearer {VALUE}"]
    assert len(channel.server.requests) > COUNT
    assert [json.loads(call[1]) for call in made.calls] == [{"uri": channel.url}]
    assert "conda-token-plugin" not in ran.err


def test_printed_token_opens_a_channel_and_is_not_sent_to_the_host_of_a_redirect(
    machine: Machine, tmp_path: Path, solver: str
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    token = machine.sandbox.world.issue("acme", "ada").value
    made = printing(tmp_path, f"{token}\n")
    add(machine, made, scope=machine.sandbox.url_of("acme"), options=("--print", "token"))

    create(machine, machine.sandbox.url_of("acme", "private"), "acme-private").well()

    assert machine.installed() == {"acme-private"}
    seen = {one.authorization for one in machine.sandbox.requests if "/repo/acme/" in one.path}
    assert seen == {f"token {token}"}
    redirected = [one for one in machine.sandbox.requests if one.path.startswith("/signed/")]
    assert not any(one.authorization for one in redirected)
    assert redirected
    assert len(made.calls) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_provider_costs_one_call_and_one_line_and_public_packages_are_installed(
    machine: Machine, tmp_path: Path, solver: str, fault: str
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    body, reason = FAULTS[fault]
    made = program(tmp_path, body, noise=VALUE)
    url = machine.sandbox.url_of(PUBLIC)
    add(machine, made, scope=url, options=("--timeout", "2" if fault == "hangs" else "30"))

    ran = create(machine, url, f"{PUBLIC}-hello").well()

    assert machine.installed() == {f"{PUBLIC}-hello"}
    lines = [line for line in ran.err.splitlines() if "conda-token-plugin" in line]
    assert len(lines) == 1, ran.err
    assert f"{WARNING} The provider vault failed: " in lines[0]
    assert reason in lines[0]
    assert "Run: conda token provider test vault" in lines[0]
    assert VALUE not in ran.said
    assert len(made.calls) == 1


def test_provider_that_supplies_nothing_is_no_fault(machine: Machine, tmp_path: Path) -> None:
    made = printing(tmp_path, "{}")
    url = machine.sandbox.url_of(PUBLIC)
    add(machine, made, scope=url)

    ran = create(machine, url, f"{PUBLIC}-hello").well()

    assert "conda-token-plugin" not in ran.err
    assert len(made.calls) == 1


def long_download(
    machine: Machine, channel: GuardedChannel, folder: Path, *, most: int, **variables: str
) -> tuple[Program, Ran]:
    """Install all packages slowly, with a program that answers ``most`` times, for two seconds."""
    channel.pause = 0.5
    made = program(folder, LIVES_TWO_SECONDS.format(calls=str(folder / "helper.calls"), most=most))
    add(machine, made, scope=channel.url)
    machine.variables.update(variables, CONDA_FETCH_THREADS="5")
    ran = create(machine, channel.url, *NAMES).well()
    assert machine.installed() == set(NAMES)
    return made, ran


def test_credential_that_expires_during_a_download_is_renewed(
    machine: Machine,
    channel: GuardedChannel,
    tmp_path: Path,
    solver: str,
) -> None:
    channel.accepts = lambda header: header.startswith("Bearer number-")

    made, ran = long_download(machine, channel, tmp_path, most=1000, CONDA_SOLVER=solver)

    assert len(channel.headers()) > 1
    assert len(channel.headers()) <= len(made.calls) < COUNT / 2
    assert "conda-token-plugin" not in ran.err


def test_provider_that_fails_during_a_download_costs_one_line_and_public_packages_are_installed(
    machine: Machine,
    channel: GuardedChannel,
    tmp_path: Path,
    solver: str,
) -> None:
    made, ran = long_download(machine, channel, tmp_path, most=1, CONDA_SOLVER=solver)

    assert channel.headers() == ["Bearer number-1", ""]
    assert ran.err.count(f"{WARNING} The provider vault failed") == 1
    assert len(made.calls) == 2  # the first one, and the one that failed


def test_credential_that_is_revoked_during_a_download_is_replaced(
    machine: Machine,
    channel: GuardedChannel,
    tmp_path: Path,
) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_ONCE)
    machine.variables["PYTHONPATH"] = str(tmp_path)
    revoked, renewed = "Bearer number-1", "Bearer number-"

    def accepts(header: str) -> bool:
        is_revoked = len(channel.server.requests) > COUNT // 2
        return header.startswith(renewed) and not (is_revoked and header == revoked)

    channel.accepts = accepts
    calls = tmp_path / "helper.calls"
    made = program(
        tmp_path,
        f"number = len(open({str(calls)!r}).readlines())\n"
        'print(json.dumps({"headers": {"Authorization": [f"Bearer number-{number}"]}}))',
    )
    add(machine, made, scope=channel.url)

    create(machine, channel.url, *NAMES).well()

    assert machine.installed() == set(NAMES)
    assert channel.headers() == [revoked, "Bearer number-2"]
    assert len(made.calls) == 2


def test_refusal_after_a_failure_names_the_provider(machine: Machine, tmp_path: Path) -> None:
    made = program(tmp_path, "sys.exit(3)")
    url = machine.sandbox.url_of("acme", "main")
    add(machine, made, scope=url)

    refused = create(machine, url, "acme-hello").badly()

    text = " ".join(refused.said.split())
    assert "No credential was sent (HTTP 403" in text
    assert "The provider vault failed: the command exited with code 3." in text
    assert len(made.calls) == 1


def test_refusal_of_its_credential_names_the_provider(machine: Machine, tmp_path: Path) -> None:
    url = machine.sandbox.url_of("acme", "main")
    add(machine, printing(tmp_path, response(f"token {VALUE}")), scope=url)

    refused = create(machine, url, "acme-hello").badly()

    text = " ".join(refused.said.split())
    assert "The server rejected the credential from provider vault (HTTP 401" in text
    assert "Run: conda token provider test vault" in text
    assert VALUE not in refused.said


def test_commands_and_doctor_name_the_provider_as_the_source(
    machine: Machine, tmp_path: Path
) -> None:
    hold(machine, "acme")
    token = machine.sandbox.world.issue("acme", "ada").value
    url = machine.sandbox.url_of("acme", "main")
    made = printing(tmp_path, response(f"token {token}"))
    add(machine, made, scope=url)
    create(machine, url, "acme-hello").well()

    for words in (("which", url), ("list",), ("status",), ("test", url)):
        assert "provider vault" in machine.conda("token", *words).out, words
    doctor = machine.conda("doctor", "-v", "-p", str(machine.prefix))
    assert "Every program that supplies a credential can be run." in doctor.out

    assert token.encode() not in b"".join(
        path.read_bytes() for path in machine.store_folder.rglob("index*")
    )


def test_doctor_names_a_provider_whose_program_is_gone(machine: Machine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_text("#!/bin/sh\n")
    gone.chmod(0o755)
    url = machine.sandbox.url_of("acme", "main")
    words = ("provider", "add", "--scope", url, "--name", "vault", "--", str(gone))
    machine.plugin(*words).well()
    gone.unlink()
    machine.create("--offline").well()

    ran = machine.conda("doctor", "-p", str(machine.prefix))

    assert f"The provider vault for {url} cannot be run: {gone} is not a program." in ran.out
