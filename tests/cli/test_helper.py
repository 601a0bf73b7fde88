"""`helper`: the credential-helper protocol as a Bazel-style caller uses it, and the bare secret."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran


def ask(shell: Shell, monkeypatch: pytest.MonkeyPatch, text: str) -> Ran:
    """Run `helper get` with a request on standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    return shell("helper", "get")


def request(url: str) -> str:
    return json.dumps({"uri": url, "an additional property": 1})


def test_get_returns_the_header_and_the_expiry_of_the_token(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{acme.sandbox.url_of('acme', 'main')}/noarch/repodata.json"

    ran = ask(acme, monkeypatch, request(url))

    token = acme.issued("acme")
    answer = json.loads(ran.out)
    assert ran.code == 0
    assert answer["headers"] == {"Authorization": [f"token {token.value}"]}
    assert datetime.fromisoformat(answer["expires"].replace("Z", "+00:00")) >= token.expires
    assert token.value not in ran.err


@pytest.mark.parametrize("url", ["https://conda.anaconda.org/conda-forge", "https://host.example"])
def test_get_returns_no_header_for_a_url_that_no_token_covers(
    acme: Shell, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    ran = ask(acme, monkeypatch, request(url))

    assert (ran.code, json.loads(ran.out)) == (0, {"headers": {}})


def test_get_for_another_organization_returns_the_api_key_and_without_one_nothing(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = acme.sandbox.url_of("globex", "main")
    key = acme.sandbox.world.api_key("ada")

    with_key = json.loads(ask(acme, monkeypatch, request(url)).out)
    acme.unset(API_KEY)
    without = json.loads(ask(acme, monkeypatch, request(url)).out)

    assert with_key["headers"] == {"Authorization": [f"Bearer {key}"]}
    assert without == {"headers": {}}


@pytest.mark.parametrize("url", ["grpcs://host.example/x", "file:///x", "", "https://[::1", "acme"])
def test_get_of_an_unsupported_uri_is_an_error(
    acme: Shell, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    ran = ask(acme, monkeypatch, request(url))

    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith("error: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"uri": 1}', "null"])
def test_get_of_no_request_is_an_error(
    acme: Shell, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    ran = ask(acme, monkeypatch, text)

    assert (ran.code, ran.out) == (2, "")
    assert "credential-helper protocol" in ran.line


def ask_for_stored(shell: Shell, monkeypatch: pytest.MonkeyPatch, value: str, *send_as: str) -> Ran:
    """Store a credential for a channel, and run ``get`` for its URL."""
    channel = f"{shell.sandbox.service}/get/private"
    monkeypatch.setattr(sys, "stdin", io.StringIO(value))
    install = ("install", "--site", "--org", "other", "-c", channel, "--token-stdin")
    shell(*install, "--no-validate", "--send-as", *send_as).well()
    return ask(shell, monkeypatch, request(channel))


def test_get_of_a_token_in_the_path_is_an_error(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = ask_for_stored(acme, monkeypatch, "a-token-012345aBCD", "path")

    assert (ran.code, ran.out) == (2, "")
    assert "The token …aBCD of other is sent in the path of the URL" in ran.line
    assert "a-token" not in ran.err


def test_basic_credentials_are_returned_as_one_header(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = ask_for_stored(shell, monkeypatch, "Winter!2026", "basic", "--username", "ann")

    assert json.loads(ran.out)["headers"] == {"Authorization": ["Basic YW5uOldpbnRlciEyMDI2"]}


def test_token_prints_the_secret_alone(acme: Shell) -> None:
    ran = acme("helper", "token", acme.sandbox.url_of("acme", "main"))

    assert (ran.code, ran.out, ran.err) == (0, f"{acme.issued('acme').value}\n", "")


@pytest.mark.parametrize(
    "suffix", ["?", "?x=1", "?next=/../globex/main", "#files", "/?x=1", "/noarch/a.conda?sig=a/b"]
)
def test_query_and_fragment_of_a_url_are_ignored(
    acme: Shell, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    url, value = f"{acme.sandbox.url_of('acme', 'main')}{suffix}", acme.issued("acme").value

    assert acme("helper", "token", url).well().out == f"{value}\n"
    answer = json.loads(ask(acme, monkeypatch, request(url)).out)
    assert answer["headers"] == {"Authorization": [f"token {value}"]}


@pytest.mark.parametrize("suffix", ["?repo=/repo/acme/main", "#/repo/acme/main"])
def test_query_does_not_bring_a_url_into_the_scope_of_a_token(acme: Shell, suffix: str) -> None:
    acme.unset(API_KEY)
    ran = acme("helper", "token", f"{acme.sandbox.service}{suffix}")
    ran.failed(1, f"No token covers {acme.sandbox.service}:")
    assert suffix not in ran.err


def test_token_for_a_url_without_one_is_an_error(acme: Shell) -> None:
    acme.unset(API_KEY)
    ran = acme("helper", "token", acme.sandbox.url_of("globex", "main"))

    assert (ran.code, ran.out) == (1, "")


def test_token_is_shown_on_a_terminal_only_if_confirmed(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = acme.sandbox.url_of("acme", "main")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    refused, shown = acme("helper", "token", url), acme("helper", "token", url, "--yes")

    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.line
    assert shown.out == f"{acme.issued('acme').value}\n"


def test_caller_written_from_the_specification_gets_the_header(acme: Shell) -> None:
    """Bazel starts the helper with `get`, closes its input, and reads JSON from its output."""
    ran = subprocess.run(
        [sys.executable, "-m", "conda_token_plugin", "helper", "get"],
        input=request(acme.sandbox.url_of("acme", "main")),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    headers = json.loads(ran.stdout)["headers"]
    assert headers == {"Authorization": [f"token {acme.issued('acme').value}"]}
    assert ran.stderr == ""


@pytest.mark.parametrize("given", [b"", b'{"uri": "https://h.example/\xff"}', b"\xff\xfe"])
def test_input_that_is_no_text_has_no_traceback(acme: Shell, given: bytes) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "conda_token_plugin", "helper", "get"],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert acme.issued("acme")
    assert ran.returncode in {0, 2}
    assert b"Traceback" not in ran.stderr


def test_closed_input_is_an_error_without_a_traceback(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    ran = acme("helper", "get")

    assert (ran.code, ran.out) == (2, "")
    assert "credential-helper protocol" in ran.line


def test_yes_before_the_action_is_used(acme: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    ran = acme("--yes", "helper", "token", acme.sandbox.url_of("acme", "main"))

    assert ran.out == f"{acme.issued('acme').value}\n"
