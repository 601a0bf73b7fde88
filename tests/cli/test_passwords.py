"""Passwords of Basic authentication: stored verbatim from every source, and never shown."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from conda_token_plugin.integrations.registry import SOURCES
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Password

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell

URL = "https://conda.example/get/main"
PASSWORDS = ["Winter!2026", '"quoted"', "(p)", "two words", "geheimß", "abc", " around ", "密码"]
INSTALL = ("install", "--org", "acme", "-c", URL, "--no-validate", "--json")
BASIC = ("--send-as", "basic", "--username", "joe")


def stored(shell: Shell) -> str:
    """Return the only stored secret, after it was checked that no part of it was shown."""
    store = user_store(Settings())
    (token,) = store.tokens()
    secret = store.secret(token.key)
    assert isinstance(secret, Password)
    assert (token.scheme.value, token.username, token.last_four) == ("basic", "joe", "")
    assert secret.reveal()[-4:] not in json.dumps(shell.held())
    return secret.reveal()


class Bytes(io.TextIOWrapper):
    """Standard input with the given bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="ascii", errors="surrogateescape")


@pytest.mark.parametrize("username", ["jo:e", "jo\ne", "jo\x85e", "jo\udce9"])
def test_user_name_that_basic_cannot_send_is_refused(shell: Shell, username: str) -> None:
    shell.set("GIVEN", "Winter!2026")
    words = ("--send-as", "basic", "--username", username, "--token-env", "GIVEN")
    ran = shell(*INSTALL, *words).badly()
    assert "That is not a user name: it " in ran.json["error"]["what"]
    assert not user_store(Settings()).tokens()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["no line break", "lf", "crlf"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_password_from_standard_input_is_stored_verbatim_less_one_line_break(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, password: str, end: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Bytes(f"{password}{end}".encode()))
    ran = shell(*INSTALL, *BASIC, "--token-stdin").well()
    assert stored(shell) == password
    assert password.strip() not in ran.out + ran.err


@pytest.mark.parametrize("password", PASSWORDS)
def test_password_from_a_file_a_variable_or_an_argument_is_stored_verbatim(
    shell: Shell, tmp_path: Path, password: str
) -> None:
    (tmp_path / "utf-8").write_bytes(f"{password}\n".encode())
    (tmp_path / "utf-16").write_bytes(f"{password}\r\n".encode("utf-16"))
    shell.set("HANDED_OUT", password)
    for words in (
        ("--token-file", str(tmp_path / "utf-8")),
        ("--token-file", str(tmp_path / "utf-16")),
        ("--token-env", "HANDED_OUT"),
        (password,),
    ):
        shell(*INSTALL, *BASIC, *words).well()
        assert stored(shell) == password
        assert shell("remove", "acme", "--yes").code == 0


@pytest.mark.parametrize(
    ("data", "fault"),
    [(b"", "empty"), (b"\n", "empty"), (b"one\ntwo\n", "line break"), (b"gehei\xdf", "UTF-8")],
)
def test_text_that_is_no_password_is_refused_and_nothing_is_stored(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, data: bytes, fault: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Bytes(data))
    ran = shell(*INSTALL, *BASIC, "--token-stdin").failed(2)
    assert fault in ran.json["error"]["what"]
    assert "gehei" not in ran.out + ran.err
    assert shell.held() == []


@pytest.mark.parametrize("password", PASSWORDS)
def test_password_in_a_condarc_is_imported_verbatim(shell: Shell, password: str) -> None:
    url = f"https://joe:{quote(password, safe='')}@conda.example/get/main"
    (shell.home / ".condarc").write_text(json.dumps({"channels": [url]}), "utf-8")
    shell("import", "--yes", "--no-validate").well()
    assert stored(shell) == password


@pytest.mark.parametrize("password", PASSWORDS)
def test_password_in_a_netrc_is_imported_verbatim(shell: Shell, password: str) -> None:
    (shell.home / ".condarc").write_text(f"channels: [{URL}]\n", "utf-8")
    escaped = password.replace('"', '\\"')
    text = f'machine conda.example login joe password "{escaped}"\n'
    (shell.home / ".netrc").write_text(text, "utf-8")
    (shell.home / ".netrc").chmod(0o600)
    shell("import", "--yes", "--no-validate").well()
    assert stored(shell) == password


@pytest.mark.parametrize("source", ["rattler", "mamba"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_exported_password_is_read_back_verbatim(shell: Shell, password: str, source: str) -> None:
    shell.set("T", password)
    assert shell(*INSTALL, *BASIC, "--token-env", "T").code == 0
    assert shell("export", source, "--yes").code == 0
    (found,) = SOURCES[source].offers(Settings())
    assert found.secret == Password(password)
    assert (found.token.scheme.value, found.token.username) == ("basic", "joe")


def test_audit_shows_no_part_of_a_password_in_a_url(shell: Shell) -> None:
    url = "https://joe:correct-horse-battery@conda.example/get/main"
    (shell.home / ".condarc").write_text(f"channels: [{url}]\n", "utf-8")
    ran = shell("audit", "--json")
    assert "login-in-url" in ran.out
    assert "tery" not in ran.out + ran.err


def test_report_about_a_password_calls_it_a_password(shell: Shell) -> None:
    shell.set("T", "Winter!2026")
    ran = shell(*INSTALL[:-1], *BASIC, "--token-env", "T").well()
    assert "Stored the password of acme in a file that only you can read." in ran.err
    assert "Removed the password of acme for conda.example/get/main." in shell("remove").well().err


@pytest.mark.parametrize(
    "channel",
    [
        "joe:Winter2026@h.example/x",
        "https://joe:Winter2026@h.example/x",
        "https://conda.example/joe:Winter2026@h.example/x",
        "https://joe:Winter2026@[::1/x",
    ],
)
@pytest.mark.parametrize(
    ("words", "named"),
    [
        *((words, True) for words in (("which",), ("test",), ("config", "-c"))),
        (("set", "--token-env", "T", "--no-validate", "-c"), True),
        (("install", "--org", "acme", "--yes", "--add-channel"), True),
        (("provider", "add", "--scope"), True),
        (("helper", "token"), True),
        *((words, False) for words in (("audit",), ("status",), ("import", "--dry-run"))),
        (("install", "--org", "acme", "--yes", "--set-default-channels"), False),
    ],
    ids=str,
)
def test_password_in_a_channel_is_shown_by_no_command(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    channel: str,
    words: tuple[str, ...],
    named: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    monkeypatch.setattr("conda_token_plugin.cli.commands.test.find_spec", lambda _: None)
    shell.set("T", "t" * 32)
    if not named:
        text = json.dumps({"channels": [channel, "defaults"], "default_channels": [channel]})
        (shell.home / ".condarc").write_text(text, "utf-8")
    ran = shell(*words, *([channel] if named else []))
    assert ran.out + ran.err
    assert "Winter" not in ran.out + ran.err
