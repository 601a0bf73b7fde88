"""Unusual channel URLs and passwords: what conda asks for, and that conda goes on working."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import Response, recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.machine import Machine
    from tests.support.servers import RecordingServer, Request

pytestmark = pytest.mark.conda

TOKEN = "q9Zx7Lk2mN4pR8sT1vW5yB3cD6fG0hJ"  # made up
INSTALL = ("token", "install", "--org", "acme", "--token-stdin", "--no-validate")
ENCODED = "/get/caf%C3%A9/noarch/"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """Yield a server that responds to everything."""
    with recording() as running:
        yield running


def searched(machine: Machine, channel: str) -> str:
    """Run ``conda search``, whatever it finds; return what it printed."""
    return machine.conda("search", *machine.only(channel), "absent").said


def lines(server: RecordingServer) -> list[str]:
    """Return the paths that were requested below ``noarch``, and clear the record."""
    found = [one.line.split()[1] for one in server.requests]
    return [path for path in found if "noarch" in path]


def authorizations(server: RecordingServer) -> set[str]:
    """Return the different values of ``Authorization`` of all requests below ``noarch``."""
    return {one.header("Authorization") for one in server.requests if "noarch" in one.line}


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("/api/repo/t/<TOKEN>/main", "/api/repo/t/{}/main/noarch/"),
        ("/sub/t/<TOKEN>/get/main", "/sub/t/{}/get/main/noarch/"),
        ("/t/<TOKEN>/get/main", "/t/{}/get/main/noarch/"),
    ],
)
def test_path_token_is_sent_at_the_place_that_the_channel_was_given_with(
    machine: Machine, server: RecordingServer, typed: str, asked: str
) -> None:
    machine.conda(*INSTALL, "-c", server.url + typed, stdin=TOKEN).well()
    said = searched(machine, server.url + typed.replace("/t/<TOKEN>", ""))
    assert lines(server)
    assert all(path.startswith(asked.format(TOKEN)) for path in lines(server))
    assert authorizations(server) == {""}
    assert TOKEN[:8] not in said


@pytest.mark.parametrize("before", ["/api/repo", "/sub/deep"])
def test_channel_goes_on_working_after_its_path_token_was_imported_and_removed(
    machine: Machine, server: RecordingServer, before: str
) -> None:
    machine.condarc(f"channels: ['{server.url}{before}/t/{TOKEN}/main']\n")
    machine.conda("token", "import", "--yes", "--clean", "--no-validate").well()
    assert TOKEN not in (machine.home / ".condarc").read_text("utf-8")
    machine.conda("search", "absent")
    assert lines(server)
    assert all(path.startswith(f"{before}/t/{TOKEN}/main/noarch/") for path in lines(server))


@pytest.mark.parametrize(
    ("stored", "used"),
    [
        ("/get/café", "/get/caf%C3%A9"),
        ("/get/caf%C3%A9", "/get/caf%c3%a9"),
        ("/get/caf%c3%a9", "/get/café"),
    ],
)
def test_channel_with_an_accent_gets_its_token_in_each_notation(
    machine: Machine, server: RecordingServer, stored: str, used: str
) -> None:
    machine.conda(*INSTALL, "-c", server.url + stored, stdin=TOKEN).well()
    searched(machine, server.url + used)
    assert authorizations(server) == {f"token {TOKEN}"}
    assert all(path.startswith(ENCODED) for path in lines(server))
    which = machine.conda("token", "which", f"{server.url}{used}/noarch/repodata.json").well()
    assert "acme" in which.out


@pytest.mark.parametrize(
    "path",
    [
        *("/get/🐍", "/get/a,b", "/get/a+b", "/get/a%2Bb", "/get/a%20b"),
        *('/get/<"[x]">', "/get/{{x}}^`|", "/get/50%", "/get/&*#!top", "/get/a%2Ab%3B/c"),
    ],
)
def test_conda_reads_the_drop_in_of_an_unusual_channel_and_sends_the_token(
    machine: Machine, server: RecordingServer, path: str
) -> None:
    machine.variables["LC_ALL"] = "C"
    machine.conda(*INSTALL, "-c", server.url + path, stdin=TOKEN).well()
    assert "conda version" in machine.conda("info").well().out
    searched(machine, server.url + path)
    assert authorizations(server) == {f"token {TOKEN}"}


@pytest.mark.parametrize("name", ["a%20b", "a+b", "caf%C3%A9"])
def test_refusal_of_a_token_is_explained_in_a_channel_with_escapes(
    machine: Machine, server: RecordingServer, name: str
) -> None:
    channel = f"{server.url}/answer-401/{name}"
    machine.conda(*INSTALL, "-c", channel, stdin=TOKEN).well()
    assert f"The server rejected the token …{TOKEN[-4:]} of acme" in searched(machine, channel)


def test_refusal_of_a_token_by_a_public_channel_says_that_none_is_needed(
    machine: Machine,
) -> None:
    def respond(request: Request) -> Response:
        return Response(404 if request.header("Authorization") else 200)

    with recording(respond) as server:
        channel = f"{server.url}/get/main"
        machine.conda(*INSTALL, "-c", channel, stdin=TOKEN).well()
        assert "is not needed: the server returns the file if no token is sent" in " ".join(
            searched(machine, channel).split()
        )


@pytest.mark.parametrize(
    ("typed", "asked", "sent"),
    [
        ("//get/main", "/get/main/noarch/", f"token {TOKEN}"),
        ("///get/main//", "/get/main/noarch/", f"token {TOKEN}"),
        ("/get//main", "/get//main/noarch/", f"token {TOKEN}"),
        ("/get//main/noarch/x-1-0.conda", "/get//main/noarch/x-1-0.conda", f"token {TOKEN}"),
        ("//get/main/noarch/x-1-0.conda", "//get/main/noarch/x-1-0.conda", ""),
    ],
)
def test_which_and_conda_agree_about_repeated_slashes(
    machine: Machine, server: RecordingServer, typed: str, asked: str, sent: str
) -> None:
    machine.conda(*INSTALL, "-c", f"{server.url}/get", stdin=TOKEN).well()
    url = f"{server.url}{typed}"
    if typed.endswith(".conda"):
        machine.conda("create", "-y", "-p", str(machine.prefix), url)  # the answer is no package
    else:
        searched(machine, url)
    assert lines(server)
    assert all(path.startswith(asked) for path in lines(server))
    assert authorizations(server) == {sent}
    assert machine.conda("token", "which", url).code == (0 if sent else 1)


@pytest.mark.parametrize(
    "url",
    [
        *("http://[::1]:8000/x", "http://[::1/x", "https://a.example/\udce9"),
        *("https://a.example/x;v", "https://a.example/x%3Bv"),
        *("https://a.example/a%3Fb", "https://a.example/a%2562"),
    ],
)
def test_channel_that_conda_cannot_read_is_refused_and_conda_goes_on_working(
    machine: Machine, url: str
) -> None:
    ran = machine.conda(*INSTALL, "-c", url, stdin=TOKEN)
    assert (ran.code, ran.err.count("error: ")) == (2, 1)
    assert not machine.dropin.exists()
    machine.conda("info").well()


@pytest.mark.parametrize(
    "password", ["Winter!2026", '"quoted"', "(p)", "two words", "geheimß", "abc", " around "]
)
def test_password_is_sent_verbatim_as_utf_8(
    machine: Machine, server: RecordingServer, password: str
) -> None:
    basic = ("--send-as", "basic", "--username", "joe")
    url = f"{server.url}/get/main"
    ran = machine.conda(*INSTALL, *basic, "-c", url, stdin=f"{password}\n").well()
    assert password.strip() not in ran.said
    searched(machine, url)
    (value,) = authorizations(server)
    assert b64decode(value.removeprefix("Basic ")).decode() == f"joe:{password}"


def test_file_bucket_and_registry_channels_have_a_row_of_their_own(
    machine: Machine, server: RecordingServer
) -> None:
    folder = machine.folder / "channel"
    (folder / "noarch").mkdir(parents=True)
    names = (f"file://{folder}", "s3://bucket/conda", "oci://ghcr.io/c", f"{server.url}/open")
    machine.condarc(f"channels: {list(names)}\n")
    ran = machine.conda("token", "test", "--json")
    assert "Traceback" not in ran.said
    rows = {one["channel"]: one for one in ran.json}
    assert len(rows) == 4
    for name in names[:3]:
        assert rows[name]["repodata"]["details"] == "no token is sent there"
    for verb in ("import", "audit"):
        assert "Traceback" not in machine.conda("token", verb).well().said
