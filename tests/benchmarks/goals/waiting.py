"""Measure goal 10: what a person does and waits for until the first private package.

The tool is installed already, which takes one command for each tool. The person has an account and
belongs to one organization. Each question is answered, and each login is confirmed in the browser,
as soon as it appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.benchmarks.homes import ANACONDA_AUTH, CONDA_AUTH, Home
from tests.benchmarks.hosts import RATTLER, output
from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.person import Person, Step, Wait
from tests.benchmarks.results import Row
from tests.benchmarks.running import PROBES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.hosts import Subject

FEWER = 5
"""The number of rounds is divided by this, because a journey takes seconds."""
USER, PACKAGE = "grace", "small-000"
LOGIN, TOKEN, PASTED = "with a login", "with a login and a token", "with a token from the web page"
_NUMBERS = count()
OPENSSL = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
SERVER = (
    *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
    *("-addext", "basicConstraints=critical,CA:FALSE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The certificate of the authority, and that of the sandbox with its private key."""

    authority: Path
    server: tuple[Path, Path]

    @classmethod
    def made(cls, folder: Path) -> Certificates:
        """Make both: anaconda-auth requires https, and rattler a certificate of an authority."""
        names = ("authority", "authority-key", "server", "server-key")
        authority, authority_key, server, key = (folder / f"{name}.pem" for name in names)
        name = ("-subj", "/CN=benchmarks")
        output([*OPENSSL, *name, "-out", str(authority), "-keyout", str(authority_key)])
        signer = ("-CA", str(authority), "-CAkey", str(authority_key))
        output([*OPENSSL, *SERVER, *signer, "-out", str(server), "-keyout", str(key)])
        return cls(authority=authority, server=(server, key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """The steps with one tool to the first package."""

    subject: Subject
    way: str
    steps: Callable[[Subject, Home, dict[str, Any]], list[Step]]
    by: str = ""
    """The name of the tool if it is not that of the subject."""

    @property
    def name(self) -> str:
        """The name of the tool."""
        return self.by or self.subject.name


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each journey has a new home and a new sandbox."""
    certificates = Certificates.made(bench.scratch)
    journeys = list(_journeys(bench))
    trials = {f"{one.name} {one.way}": _trial(bench, one, certificates) for one in journeys}
    waits = in_turn(trials, rounds=max(bench.rounds // FEWER, 1))
    for journey in journeys:
        yield from _rows(journey, waits[f"{journey.name} {journey.way}"])


def _journeys(bench: Bench) -> Iterator[Journey]:
    yield Journey(subject=bench.ours, way=LOGIN, steps=_our_login)
    yield Journey(subject=bench.ours, way=TOKEN, steps=_our_token)
    for peer in bench.peers:
        if peer.name == ANACONDA_AUTH:
            yield Journey(subject=peer, way=LOGIN, steps=_their_login)
            yield Journey(subject=peer, way=TOKEN, steps=_their_token)
        elif peer.name == CONDA_AUTH:
            yield Journey(subject=peer, way=PASTED, steps=_conda_auth)
    # py-rattler is installed in our environment, because the sandbox comes with it.
    yield Journey(subject=bench.ours, way=PASTED, steps=_rattler, by=RATTLER)


def _trial(bench: Bench, journey: Journey, certificates: Certificates) -> Callable[[], Wait]:
    def trial() -> Wait:
        with bench.sandbox(*certificates.server) as sandbox:
            home = _home(bench, sandbox, certificates.authority)
            steps = journey.steps(journey.subject, home, sandbox)
            person = Person(
                user=USER,
                service=sandbox["service"],
                authority=certificates.authority,
                variables=home.variables,
                folder=home.folder,
            )
            return person.play(steps)

    return trial


def _home(bench: Bench, sandbox: dict[str, Any], authority: Path) -> Home:
    """Return a home whose conda trusts the sandbox, which is the service of our plugin."""
    home = Home.empty(
        bench.scratch / f"person-{next(_NUMBERS)}",
        CONDA_TOKEN_SERVICE_URL=sandbox["service"],
        CONDA_TOKEN_REPO_URL=sandbox["repo"],
        SSL_CERT_FILE=str(authority),
        REQUESTS_CA_BUNDLE=str(authority),  # `anaconda token install` does not read condarc files
        TERM="xterm",
    )
    home.write(".condarc", f"channels: [conda-forge]\nssl_verify: {authority}\n")
    return home


def _our_login(ours: Subject, _home: Home, sandbox: dict[str, Any]) -> list[Step]:
    return [
        Step(command=ours.conda("token", "login", "--device"), confirms=True),
        _create(ours, sandbox),
    ]


def _our_token(ours: Subject, _home: Home, sandbox: dict[str, Any]) -> list[Step]:
    return [
        Step(command=ours.conda("token", "install"), answers=[("[y/N]", "n\n")], confirms=True),
        _create(ours, sandbox),
    ]


def _their_login(peer: Subject, home: Home, sandbox: dict[str, Any]) -> list[Step]:
    """Return the steps of anaconda-auth 0.15, whose conda package has this `channel_settings`."""
    host = sandbox["service"].removeprefix("https://")
    authority = home.variables["SSL_CERT_FILE"]
    site = f'[sites.sandbox]\ndomain = "{host}"\nssl_verify = "{authority}"\n'
    home.write(".anaconda/config.toml", f'default_site = "sandbox"\n{site}')
    entry = f'  - channel: "{sandbox["service"]}/*"\n    auth: anaconda-auth\n'
    home.write(".conda/condarc.d/anaconda-auth.yml", f"channel_settings:\n{entry}")
    # anaconda-auth has a backend of its own, a file.
    home.variables.pop("PYTHON_KEYRING_BACKEND", None)
    return [
        Step(command=[str(peer.programs / "anaconda"), "login"], confirms=True),
        _create(peer, sandbox),
    ]


def _their_token(peer: Subject, home: Home, sandbox: dict[str, Any]) -> list[Step]:
    login, create = _their_login(peer, home, sandbox)
    install = [str(peer.programs / "anaconda"), "token", "install"]
    return [login, Step(command=install, answers=[("[y/n]", "n\n")]), create]


def _conda_auth(peer: Subject, home: Home, sandbox: dict[str, Any]) -> list[Step]:
    """Return the steps of conda-auth, whose `Bearer` the service accepts for an API key only."""
    home.variables["PYTHON_KEYRING_BACKEND"] = "instant_keyring.Keyring"
    home.variables["PYTHONPATH"] = str(PROBES)
    command = peer.conda("auth", "login", _channel(sandbox), "--token")
    paste = ("oken:", f"{sandbox['api_key']}\n")
    return [Step(command=command, answers=[paste]), _create(peer, sandbox)]


def _rattler(ours: Subject, _home: Home, sandbox: dict[str, Any]) -> list[Step]:
    """Return the steps of py-rattler, which has no command: write its file, and run a script."""
    entry = f'{{"127.0.0.1": {{"CondaToken": "{sandbox["token"]}"}}}}'
    file = "mkdir .rattler && cat > .rattler/credentials.json"
    script = [ours.python, "-m", "conda_token_plugin.sandbox.rattler_client"]
    shell = ["sh", "-c", f"echo ready && {file}"]
    return [
        Step(command=shell, answers=[("ready", f"{entry}\n\x04")]),
        Step(command=[*script, _channel(sandbox), PACKAGE, "env"]),
    ]


def _create(subject: Subject, sandbox: dict[str, Any]) -> Step:
    words = ("create", "--prefix", "./env", "--override-channels", "-c", _channel(sandbox), PACKAGE)
    return Step(command=subject.conda(*words), answers=[("[y]/n)?", "y\n")])


def _channel(sandbox: dict[str, Any]) -> str:
    return f"{sandbox['repo']}acme/main"


def _rows(journey: Journey, waits: list[Wait]) -> Iterator[Row]:
    for unit, series in (
        ("commands", [wait.commands for wait in waits]),
        ("questions", [wait.questions for wait in waits]),
        ("requests", [wait.requests for wait in waits]),
        ("s", [wait.seconds for wait in waits]),
    ):
        spread = Spread.of(series)
        yield Row(goal=10, subject=journey.name, what=journey.way, unit=unit, spread=spread)
