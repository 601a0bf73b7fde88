"""What is typed for each command: good days, bad days, and a service that talks too much.

A scene yields the words after the verb. What it does in between happens in the house.
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

    from tests.leaks.house import House

    Scene = Callable[[House], Iterator[tuple[str, ...]]]

ISSUE = ("--org", "acme", "--yes")


def install(house: House) -> Iterator[tuple[str, ...]]:
    """Issue; be refused; get answers with secrets where none belong."""
    yield ISSUE
    yield ("--org", "acme", "--reissue", "--set-default-channels")
    yield ("--org", "acme", "--if-missing")
    yield ("--org", "acme", "--if-expiring", "400d")
    yield ("--org", "acme")
    yield ("--org", "nosuch", "--yes")
    for fault in _talkative(house):
        house.shell.sandbox.fail_next("current-token", method="PUT", **fault)
        yield ISSUE
        house.shell.sandbox.faults.replace([])
    house.shell.sandbox.fail_next(r"/repo/", times=3, status=403)
    yield ISSUE


def handed(house: House) -> Iterator[tuple[str, ...]]:
    """Tokens that are typed, piped, named, cut in two, and refused."""
    token = house.shell.sandbox.world.current("acme")
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
        house.type(text)
        yield (*site, piped)
    (house.project / "mail").write_text(token.value)
    yield (*site, "--token-file", "mail", "--expires", "2031-05-01")
    house.shell.set("HANDED_OUT", token.value[::-1])
    house.secrets["refused"] = token.value[::-1]
    yield (*site, "--token-env", "HANDED_OUT")
    url = f"{house.shell.sandbox.service}/t/{token.value}/repo/acme/main"
    yield ("-c", url, "--token-env", "HANDED_OUT", "--no-validate", "--send-as", "path")


def config(house: House) -> Iterator[tuple[str, ...]]:
    """With a channel of one's own, and with one whose URL carries a token; and back."""
    sandbox = house.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    own = ("--org", "acme", "--channel")
    yield (*own, f"{sandbox.repo}acme/main", "--dry-run")
    yield (*own, f"{sandbox.service}/t/{token.value}/repo/acme/main", "--force")
    yield (*own, f"http://ann:{token.value}@127.0.0.1/repo/acme/main", "--force")
    yield ("--undo", "--force")


def nothing_more(_house: House) -> Iterator[tuple[str, ...]]:
    """The verb alone."""
    yield ()


def which(house: House) -> Iterator[tuple[str, ...]]:
    """URLs with a token, without one, and with a credential of their own."""
    sandbox = house.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    yield (f"{sandbox.repo}acme/main",)
    yield (f"{sandbox.service}/path/noarch/repodata.json",)
    yield (f"{sandbox.service}/provider/noarch/repodata.json",)
    yield (f"{sandbox.service}/t/{token.value}/repo/acme/main",)
    yield (f"http://ann:{token.value}@127.0.0.1/repo/acme",)
    yield (f"{sandbox.repo}acme/main?token={token.value}",)
    yield ("https://elsewhere.example/repo",)


def remove(house: House) -> Iterator[tuple[str, ...]]:
    """Forget one, one that is not there, one that a variable supplies, and all."""
    house.meant = {house.home / ".rattler" / "credentials.json"}
    house.shell("export", "rattler", "--org", "acme")
    yield ("acme",)
    yield ("acme",)
    yield ("globex",)
    yield ("--all",)


def status(house: House) -> Iterator[tuple[str, ...]]:
    """With and without a look at the repository, and with one that is refused."""
    yield ()
    yield ("acme", "--offline", "--fail-within", "400d")
    house.shell.sandbox.world.cancel("acme")
    yield ("acme",)


def sync(house: House) -> Iterator[tuple[str, ...]]:
    """Renewed and extended by an administrator; revoked; answers that talk too much."""
    yield ()
    house.shell.sandbox.world.renew("acme")
    yield ("acme",)
    for fault in _talkative(house):
        house.shell.sandbox.fail_next("current-token", **fault)
        yield ("acme",)
        house.shell.sandbox.faults.replace([])
    world = house.shell.sandbox.world
    account = world.credentials.register_client(world.users["admin"])
    house.secrets["service account"] = account.client_secret
    house.shell.unset("ANACONDA_SERVICE_ACCOUNT_TOKEN")
    house.shell.set("ANACONDA_SERVICE_ACCOUNT_ID", account.client_id)
    house.shell.set("ANACONDA_SERVICE_ACCOUNT_SECRET", account.client_secret)
    for fault in ({}, *_talkative(house)):
        house.shell.sandbox.world.renew("acme")
        if fault:
            house.shell.sandbox.fail_next("/api/iam/token", **fault)
        yield ("acme",)
        house.shell.sandbox.faults.replace([])
    house.shell.sandbox.world.take_seat("acme", "ada")
    yield ("acme",)


def renew(house: House) -> Iterator[tuple[str, ...]]:
    """A token that can be extended, one that is replaced, and an organization without one."""
    house.shell.sandbox.world.renew("acme")
    yield ("acme",)
    yield ("acme", "--reissue")
    yield ("nosuch",)


def sites(house: House) -> Iterator[tuple[str, ...]]:
    """With a site whose API key is in the configuration file."""
    config = house.home / ".anaconda" / "config.toml"
    key = house.shell.sandbox.world.api_key("ada")
    config.write_text(f'[sites.corp]\ndomain = "corp.example"\napi_key = "{key}"\n')
    yield ()
    yield ("--at", "corp")
    yield ("--at", key)


def test(house: House) -> Iterator[tuple[str, ...]]:
    """Channels that open, that do not, that are named by a URL with a token."""
    sandbox = house.shell.sandbox
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    yield (f"{sandbox.repo}acme/main", f"{sandbox.repo}globex/main", f"{sandbox.service}/path")
    yield (f"{sandbox.service}/t/{token.value}/repo/acme/main",)
    house.shell.sandbox.world.cancel("acme")
    yield (f"{sandbox.repo}acme/main",)


def login(house: House) -> Iterator[tuple[str, ...]]:
    """By a code and by a browser; agreed to and denied; with a service that talks too much."""
    house.shell.sandbox.login.devices.interval = timedelta(seconds=1)
    with _somebody_decides(house, "ada"):
        yield ("--device", "--store", "file")
    with _somebody_decides(house, ""):
        yield ("--device",)
    for user in ("ada", ""):
        house.shell.sandbox.login.seat_at_browser(user)
        yield ("--web",)
    house.shell.sandbox.login.seat_at_browser("ada")
    for fault in _talkative(house):
        house.shell.sandbox.fail_next("/api-keys", times=2, **fault)
        yield ("--web",)
        house.shell.sandbox.faults.replace([])


def logout(_house: House) -> Iterator[tuple[str, ...]]:
    """Twice: the second time there is none of ours left."""
    yield ()
    yield ()


def whoami(house: House) -> Iterator[tuple[str, ...]]:
    """By every login that there is, and by one that is no good."""
    yield ()
    for fault in _talkative(house):
        house.shell.sandbox.fail_next("whoami", **fault)
        yield ()
        house.shell.sandbox.faults.replace([])
    house.shell.unset("ANACONDA_AUTH_API_KEY")
    yield ()
    house.shell("logout")
    yield ()
    house.shell.set("ANACONDA_AUTH_API_KEY", house.shell.sandbox.world.api_key("bob")[:-6])
    yield ()


def export(house: House) -> Iterator[tuple[str, ...]]:
    """To every tool; it is what the files are for, and nothing else may hold it."""
    job = house.home / "job.env"
    job.touch()
    house.shell.set("GITHUB_ENV", str(job))
    house.meant = {job, house.project / ".env", house.project / "other.json"} | {
        house.home / name
        for name in (".rattler/credentials.json", ".mamba/auth/authentication.json", ".netrc")
    }
    key = f"{house.shell.sandbox.repo}acme/"
    house.meant.add(house.home / ".config" / "binstar" / f"{quote_plus(key)}.token")
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


def import_(house: House) -> Iterator[tuple[str, ...]]:
    """From every tool: look, refuse, take in unproven, and clean up behind."""
    yield ("--dry-run",)
    yield ("anaconda-auth", "--yes")
    yield ("mamba", "--yes")
    (house.home / ".rattler" / "credentials.json").write_text('{"damaged": ')
    yield ("rattler", "--yes")
    yield ("mamba", "condarc", "anaconda-client", "--no-validate", "--clean", "--yes")


def audit(house: House) -> Iterator[tuple[str, ...]]:
    """It finds what is there, says where, and takes it out."""
    yield (str(house.home), str(house.project))
    yield ("--sarif",)
    yield ("--fix", "--yes")


def run(_house: House) -> Iterator[tuple[str, ...]]:
    """The command has it in its environment; nobody else sees it."""
    ends = "import os, sys; sys.exit(len(os.environ['ANACONDA_REPO_TOKEN_ACME']) != 48)"
    yield ("--org", "acme", "--", sys.executable, "-c", ends)
    yield ("--api-key", "--", sys.executable, "-c", "pass")
    yield ("--org", "acme", "--as", "CONDA_TOKEN", "--", sys.executable, "-c", "pass")
    yield ("--org", "acme", "--", "no-such-program")


def helper(house: House) -> Iterator[tuple[str, ...]]:
    """Ask for URLs without a credential, and for one whose token is sent in the path."""
    sandbox = house.shell.sandbox
    for url in ("https://elsewhere.example/x", f"{sandbox.service}/path/x", "ftp://x.example"):
        house.type(json.dumps({"uri": url}))
        yield ("get",)
    house.type(house.secrets["helper.example"])  # not a request
    yield ("get",)
    yield ("token", f"https://ann:{house.secrets['basic.example']}@elsewhere.example/x")


def provider(house: House) -> Iterator[tuple[str, ...]]:
    """Add, list, test and remove; answers that are bad, and a secret as an argument."""
    value = house.secrets["helper.example"]
    scope = ("add", "--scope", f"{house.shell.sandbox.service}/more")
    yield ("list",)
    yield ("test",)
    yield (*scope, "--print", "token", "--", sys.executable, "-c", "print('x')")
    yield (*scope, "--name", value, "--", "true")
    yield (*scope, "--name", "second", "--", "true", house.shell.sandbox.world.api_key("ada"))
    for number, body in enumerate(
        (
            f"print({value!r})",
            f"print({house.bearer!r}); sys.exit(1)",
            f"print(json.dumps({{'headers': {{'Authorization': [{value!r} + chr(10)]}}}}))",
            f"print(json.dumps({{'headers': {{{value!r}: [{value!r}]}}}}))",
            f"print(json.dumps({{'headers': {value!r}, 'expires': {value!r}}}))",
            f"print(json.dumps({{'uri': 'https://h/' + {value!r}, 'headers': {{}}}}))",
            f"print({value!r} * 10_000)",
            f"sys.stdout.buffer.write({value!r}.encode() + bytes([255]))",
        )
    ):
        house.provide(f"bad{number}", body)
    house.provide("two-words", f"print({value!r}, {value!r})", prints="token")
    house.provide("slow", f"print({value!r}, flush=True); time.sleep(600)", seconds=1)
    yield ("test",)
    yield ("test", "bad1")
    yield ("remove", "provider")


def completion(_house: House) -> Iterator[tuple[str, ...]]:
    """One shell is as good as another."""
    yield ("bash",)


def demo(house: House) -> Iterator[tuple[str, ...]]:
    """Against our sandbox instead of one whose secrets are not known here."""
    from contextlib import nullcontext

    there = house.shell.sandbox.introduction()
    house.monkeypatch.setattr(
        "conda_token_plugin.cli.demo_stage._sandbox", lambda: nullcontext(there)
    )
    yield ()


SCENES: dict[str, tuple[Scene, ...]] = {
    "install": (install, handed),
    "remove": (remove,),
    "renew": (renew,),
    "set": (handed,),
    "provider": (provider,),
    "config": (config,),
    "list": (nothing_more,),
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
"""For every verb; one that is missing here fails a test."""


def _talkative(house: House) -> Iterator[dict[str, object]]:
    """Answers that hold secrets where nobody expects them, or only a part of one."""
    world = house.shell.sandbox.world
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
def _somebody_decides(house: House, user: str) -> Iterator[None]:
    """Approve the next device login as ``user``; deny it without one."""
    thread = Thread(target=_decide, args=(house, user))
    thread.start()
    yield
    thread.join()


def _decide(house: House, user: str) -> None:
    login = house.shell.sandbox.login
    while not login.devices.waiting():
        sleep(0.01)
    (one,) = login.devices.waiting()
    house.secrets[f"device code for {user}"] = one.device_code
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
"""One line for each verb but ``demo``, in an order in which all goes well."""
