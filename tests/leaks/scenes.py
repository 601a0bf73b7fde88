"""The arguments of each command: success, failures, and responses that contain secrets.

A scene yields the arguments after the verb. Between them it changes the files and the sandbox.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from conda_token_plugin.sandbox.http.messages import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.leaks.session import Session

    Scene = Callable[[Session], Iterator[tuple[str, ...]]]

ISSUE = ("--org", "acme", "--yes")


def install(session: Session) -> Iterator[tuple[str, ...]]:
    """Issue; be refused; receive responses with secrets in unexpected fields."""
    yield ISSUE
    yield ("--org", "acme", "--reissue", "--set-default-channels")
    yield ("--org", "acme", "--if-missing")
    yield ("--org", "acme", "--if-expiring", "400d")
    yield ("--org", "acme")
    yield ("--org", "nosuch", "--yes")
    for fault in _responses_with_secrets(session):
        session.shell.sandbox.fail_next("current-token", method="PUT", **fault)
        yield ISSUE
        session.shell.sandbox.faults.replace([])
    session.shell.sandbox.fail_next(r"/repo/", times=3, status=403)
    yield ISSUE


def given_token(session: Session) -> Iterator[tuple[str, ...]]:
    """Tokens as an argument, in a pipe, a file or a variable; divided, and refused."""
    token = session.shell.sandbox.world.current("acme")
    assert token is not None
    site, piped = ("--site", "--org", "acme"), "--token-stdin"
    yield (*site, token.value)
    for text in (
        f"conda token set {token.value}",
        f"https://repo.anaconda.cloud/t/{token.value}/repo/acme",
        f"{token.value[:24]} {token.value[24:]}",
        f"token {token.value} or token {token.value[::-1]}",
        f"'{token.value}\u20ac'",
        "",
    ):
        session.type(text)
        yield (*site, piped)
    (session.project / "mail").write_text(token.value)
    yield (*site, "--token-file", "mail", "--expires", "2031-05-01")
    session.shell.set("GIVEN_TOKEN", token.value[::-1])
    session.secrets["refused"] = token.value[::-1]
    yield (*site, "--token-env", "GIVEN_TOKEN")
    url = f"{session.shell.sandbox.service}/t/{token.value}/repo/acme/main"
    yield ("-c", url, "--token-env", "GIVEN_TOKEN", "--no-validate", "--send-as", "path")


def config(session: Session) -> Iterator[tuple[str, ...]]:
    """With a channel, with one whose URL contains a token, and undone."""
    sandbox = session.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    own = ("--org", "acme", "--channel")
    yield (*own, f"{sandbox.repo}acme/main", "--dry-run")
    yield (*own, f"{sandbox.service}/t/{token.value}/repo/acme/main", "--force")
    yield (*own, f"http://ann:{token.value}@127.0.0.1/repo/acme/main", "--force")
    yield ("--undo", "--force")


def without_arguments(_session: Session) -> Iterator[tuple[str, ...]]:
    """The verb without arguments."""
    yield ()


def which(session: Session) -> Iterator[tuple[str, ...]]:
    """URLs with a token, without one, and URLs that contain a credential."""
    sandbox = session.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    yield (f"{sandbox.repo}acme/main",)
    yield (f"{sandbox.service}/path/noarch/repodata.json",)
    yield (f"{sandbox.service}/provider/noarch/repodata.json",)
    yield (f"{sandbox.service}/t/{token.value}/repo/acme/main",)
    yield (f"http://ann:{token.value}@127.0.0.1/repo/acme",)
    yield (f"{sandbox.repo}acme/main?token={token.value}",)
    yield ("https://elsewhere.example/repo",)


def remove(session: Session) -> Iterator[tuple[str, ...]]:
    """Remove one, one that is not stored, one that a variable supplies, and all."""
    session.meant = {session.home / ".rattler" / "credentials.json"}
    session.shell("export", "rattler", "--org", "acme")
    yield ("acme",)
    yield ("acme",)
    yield ("globex",)
    yield ("--all",)


def status(session: Session) -> Iterator[tuple[str, ...]]:
    """With and without a request to the repository, and with a refused token."""
    yield ()
    yield ("acme", "--offline", "--fail-within", "400d")
    session.shell.sandbox.world.cancel("acme")
    yield ("acme",)


def sync(session: Session) -> Iterator[tuple[str, ...]]:
    """Renewed and extended by an administrator; revoked; responses that contain secrets."""
    yield ()
    session.shell.sandbox.world.renew("acme")
    yield ("acme",)
    for fault in _responses_with_secrets(session):
        session.shell.sandbox.fail_next("current-token", **fault)
        yield ("acme",)
        session.shell.sandbox.faults.replace([])
    world = session.shell.sandbox.world
    account = world.credentials.register_client(world.users["admin"])
    session.secrets["service account"] = account.client_secret
    session.shell.unset("ANACONDA_SERVICE_ACCOUNT_TOKEN")
    session.shell.set("ANACONDA_SERVICE_ACCOUNT_ID", account.client_id)
    session.shell.set("ANACONDA_SERVICE_ACCOUNT_SECRET", account.client_secret)
    for fault in ({}, *_responses_with_secrets(session)):
        session.shell.sandbox.world.renew("acme")
        if fault:
            session.shell.sandbox.fail_next("/api/iam/token", **fault)
        yield ("acme",)
        session.shell.sandbox.faults.replace([])
    session.shell.sandbox.world.take_seat("acme", "ada")
    yield ("acme",)


def renew(session: Session) -> Iterator[tuple[str, ...]]:
    """A token that can be extended, one that is replaced, and an organization without one."""
    session.shell.sandbox.world.renew("acme")
    yield ("acme",)
    yield ("acme", "--reissue")
    yield ("nosuch",)


def sites(session: Session) -> Iterator[tuple[str, ...]]:
    """With a site whose API key is in the configuration file."""
    config = session.home / ".anaconda" / "config.toml"
    key = session.shell.sandbox.world.api_key("ada")
    config.write_text(f'[sites.corp]\ndomain = "corp.example"\napi_key = "{key}"\n')
    yield ()
    yield ("--at", "corp")
    yield ("--at", key)


def test(session: Session) -> Iterator[tuple[str, ...]]:
    """Channels that open, that do not, that are named by a URL with a token."""
    sandbox = session.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    yield (f"{sandbox.repo}acme/main", f"{sandbox.repo}globex/main", f"{sandbox.service}/path")
    yield (f"{sandbox.service}/t/{token.value}/repo/acme/main",)
    session.shell.sandbox.world.cancel("acme")
    yield (f"{sandbox.repo}acme/main",)


def login(session: Session) -> Iterator[tuple[str, ...]]:
    """With a code and with a browser; approved and denied; with responses that contain secrets."""
    session.shell.sandbox.login.devices.interval = timedelta(seconds=1)
    with _deciding_login(session, "ada"):
        yield ("--device", "--store", "file")
    with _deciding_login(session, ""):
        yield ("--device",)
    for user in ("ada", ""):
        session.shell.sandbox.login.seat_at_browser(user)
        yield ("--web",)
    session.shell.sandbox.login.seat_at_browser("ada")
    for fault in _responses_with_secrets(session):
        session.shell.sandbox.fail_next("/api-keys", times=2, **fault)
        yield ("--web",)
        session.shell.sandbox.faults.replace([])


def logout(_session: Session) -> Iterator[tuple[str, ...]]:
    """Twice: the second time no login is stored."""
    yield ()
    yield ()


def whoami(session: Session) -> Iterator[tuple[str, ...]]:
    """With every login, and with a malformed one."""
    yield ()
    for fault in _responses_with_secrets(session):
        session.shell.sandbox.fail_next("whoami", **fault)
        yield ()
        session.shell.sandbox.faults.replace([])
    session.shell.unset("ANACONDA_AUTH_API_KEY")
    yield ()
    session.shell("logout")
    yield ()
    session.shell.set("ANACONDA_AUTH_API_KEY", session.shell.sandbox.world.api_key("bob")[:-6])
    yield ()


def export(session: Session) -> Iterator[tuple[str, ...]]:
    """To every tool; only its own files may contain the token."""
    job = session.home / "job.env"
    job.touch()
    session.shell.set("GITHUB_ENV", str(job))
    session.meant = {job, session.project / ".env", session.project / "other.json"} | {
        session.home / name
        for name in (".rattler/credentials.json", ".mamba/auth/authentication.json", ".netrc")
    }
    key = f"{session.shell.sandbox.repo}acme/"
    session.meant.add(session.home / ".config" / "binstar" / f"{quote_plus(key)}.token")
    targets = ("rattler", "mamba", "conda", "dotenv", "github-actions", "docker")
    yield (*targets, "--org", "acme", "--yes", "--dry-run")
    yield (*targets, "--org", "acme", "--yes")
    yield ("pixi", "mamba", "dotenv", "github-actions", "--api-key", "--yes", "--dry-run")
    yield ("mamba", "--api-key", "--yes")
    yield ("netrc", "--api-key", "--yes")
    yield ("netrc", "--org", "basic.example")
    yield ("netrc", "--org", "acme")
    yield ("rattler", "--org", "acme", "--file", "other.json")
    yield ("rattler", "--org", "globex")
    yield ("nonsense",)
    yield ("rattler", "mamba", "conda", "dotenv", "--remove")


def import_(session: Session) -> Iterator[tuple[str, ...]]:
    """From every tool: list, decline, import without verification, and remove the sources."""
    yield ("--dry-run",)
    yield ("anaconda-auth", "--yes")
    yield ("mamba", "--yes")
    (session.home / ".rattler" / "credentials.json").write_text('{"damaged": ')
    yield ("rattler", "--yes")
    yield ("mamba", "condarc", "anaconda-client", "--no-validate", "--clean", "--yes")


def audit(session: Session) -> Iterator[tuple[str, ...]]:
    """Find tokens in files, report them, and remove them."""
    yield (str(session.home), str(session.project))
    yield ("--sarif",)
    yield ("--fix", "--yes")


def run(_session: Session) -> Iterator[tuple[str, ...]]:
    """Only the command has the token in its environment."""
    ends = "import os, sys; sys.exit(len(os.environ['ANACONDA_REPO_TOKEN_ACME']) != 48)"
    yield ("--org", "acme", "--", sys.executable, "-c", ends)
    yield ("--api-key", "--", sys.executable, "-c", "pass")
    yield ("--org", "acme", "--as", "CONDA_TOKEN", "--", sys.executable, "-c", "pass")
    yield ("--org", "acme", "--", "no-such-program")


def helper(session: Session) -> Iterator[tuple[str, ...]]:
    """Ask for URLs without a credential, and for one whose token is sent in the path."""
    sandbox = session.shell.sandbox
    for url in ("https://elsewhere.example/x", f"{sandbox.service}/path/x", "ftp://x.example"):
        session.type(json.dumps({"uri": url}))
        yield ("get",)
    session.type(session.secrets["helper.example"])  # not a request
    yield ("get",)
    yield ("token", f"https://ann:{session.secrets['basic.example']}@elsewhere.example/x")


def provider(session: Session) -> Iterator[tuple[str, ...]]:
    """Add, list, test and remove; malformed responses, and a secret as an argument."""
    value = session.secrets["helper.example"]
    scope = ("add", "--scope", f"{session.shell.sandbox.service}/more")
    yield ("list",)
    yield ("test",)
    yield (*scope, "--print", "token", "--", sys.executable, "-c", "print('x')")
    yield (*scope, "--name", value, "--", "true")
    yield (*scope, "--name", "second", "--", "true", session.shell.sandbox.world.api_key("ada"))
    for number, body in enumerate(
        (
            f"print({value!r})",
            f"print({session.bearer!r}); sys.exit(1)",
            f"print(json.dumps({{'headers': {{'Authorization': [{value!r} + chr(10)]}}}}))",
            f"print(json.dumps({{'headers': {{{value!r}: [{value!r}]}}}}))",
            f"print(json.dumps({{'headers': {value!r}, 'expires': {value!r}}}))",
            f"print(json.dumps({{'uri': 'https://h/' + {value!r}, 'headers': {{}}}}))",
            f"print({value!r} * 10_000)",
            f"sys.stdout.buffer.write({value!r}.encode() + bytes([255]))",
        )
    ):
        session.provide(f"bad{number}", body)
    session.provide("two-words", f"print({value!r}, {value!r})", prints="token")
    session.provide("slow", f"print({value!r}, flush=True); time.sleep(600)", seconds=1)
    yield ("test",)
    yield ("test", "bad1")
    yield ("remove", "provider")


def completion(_session: Session) -> Iterator[tuple[str, ...]]:
    """The script for one shell; none contains a secret."""
    yield ("bash",)


def demo(session: Session) -> Iterator[tuple[str, ...]]:
    """Against the sandbox of the test, whose secrets are known."""
    from contextlib import nullcontext

    there = session.shell.sandbox.introduction()
    session.monkeypatch.setattr(
        "conda_token_plugin.cli.demo_stage._sandbox", lambda: nullcontext(there)
    )
    yield ()


SCENES: dict[str, tuple[Scene, ...]] = {
    "install": (install, given_token),
    "remove": (remove,),
    "renew": (renew,),
    "set": (given_token,),
    "provider": (provider,),
    "config": (config,),
    "list": (without_arguments,),
    "which": (which,),
    "audit": (audit,),
    "status": (status,),
    "sync": (sync,),
    "test": (test,),
    "login": (login,),
    "logout": (logout,),
    "whoami": (whoami,),
    "sites": (sites,),
    "export": (export,),
    "import": (import_,),
    "run": (run,),
    "helper": (helper,),
    "completion": (completion,),
    "demo": (demo,),
}
"""The scenes of every verb; a test fails if one is missing."""


def _responses_with_secrets(session: Session) -> Iterator[dict[str, object]]:
    """Yield responses with secrets, or a part of one, in unexpected fields."""
    world = session.shell.sandbox.world
    token, key = world.issue("globex", "ada").value, world.api_key("ada")
    words = f"{token} and {key} are no good for you, says {token}."
    for status in (400, 403, 409, 500):
        yield {"status": status, "body": json.dumps({"message": words}).encode()}
    for status, body in (
        (200, {"token": [token], "id": [token], "api_key": [key]}),
        (200, [token, key]),
        (422, {"error": {"code": token, "detail": [key]}}),
    ):
        yield {"status": status, "body": json.dumps(body).encode()}
    yield {"status": 200, "body": f'{{"token": "{token}", "api_key": "{key}", "'.encode()}
    yield {"status": 200, "body": f"<html>{words}</html>".encode()}
    elsewhere = (("Location", f"https://login.example/t/{token}/?key={key}"),)
    yield {"status": 302, "headers": elsewhere}
    yield {"status": 429, "headers": (("Retry-After", token),)}
    yield {"status": 0, "ending": Ending.HALF}


@contextmanager
def _deciding_login(session: Session, user: str) -> Iterator[None]:
    """Approve the next device login as ``user``; deny it without one."""
    thread = Thread(target=_decide, args=(session, user))
    thread.start()
    yield
    thread.join()


def _decide(session: Session, user: str) -> None:
    login = session.shell.sandbox.login
    while not login.devices.waiting():
        sleep(0.01)
    (one,) = login.devices.waiting()
    session.secrets[f"device code for {user}"] = one.device_code
    login.decide(one.user_code, user)


TYPED: dict[str, tuple[str, ...]] = {
    "install": ISSUE,
    "set": ("--token-env", "ANACONDA_REPO_TOKEN_GLOBEX", "--org", "globex"),
    "config": ("--org", "acme", "--force"),
    "list": (),
    "which": ("{repo}acme/main",),
    "audit": (),
    "status": (),
    "sync": (),
    "renew": ("acme", "--reissue"),
    "test": ("{repo}acme/main",),
    "login": ("--web", "--store", "file"),
    "provider": ("test",),
    "logout": (),
    "whoami": (),
    "sites": (),
    "export": ("rattler", "--org", "acme", "--yes"),
    "import": ("mamba", "rattler", "--no-validate", "--yes"),
    "run": ("--org", "acme", "--", "true"),
    "helper": ("token", "https://elsewhere.example/x"),
    "completion": ("zsh",),
    "remove": ("acme",),
}
"""Arguments for each verb but ``demo``, in an order in which all succeed."""
