"""Text from outside cannot control the terminal, whatever the command and the output.

The service answers with attacks in its strings, and files and packages have them in their names.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unicodedata import category

import pytest

from conda_token_plugin.cli.text import clean
from tests.leaks.scenes import TYPED
from tests.support.terminal import CTRL_C, Terminal

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from tests.leaks.session import Session

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b2J\r\x7f\x00\x08\u202egnp\u2066\u200f\u2028\udce9 evil"
SAFE_CONTROLS = "\n\t"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""Colour and weight, which our own output has on a terminal. No attack consists of it."""
DESCRIPTIVE = {"title", "name", "username", "email", "role", "first_name", "last_name", "message"}
"""Fields that no request depends on, so that commands go on to print them."""
OUTPUTS = {"pipe": False, "terminal": True}


def dangerous(text: str) -> set[str]:
    """Return the characters of `text` that could control a terminal."""
    return {
        one
        for one in STYLE.sub("", text)
        if category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and one not in SAFE_CONTROLS
    }


def attacked(value: Any, *, fields: set[str] | None, count: Counter[str], field: str = "") -> Any:
    """Return `value` with the attack at the end of its strings.

    Args:
        value: A JSON value.
        fields: The only fields to attack. `None` attacks all of them.
        count: Counts the strings that were attacked.
        field: The name of the field that `value` is in.
    """
    if isinstance(value, dict):
        return {
            name: attacked(one, fields=fields, count=count, field=name)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [attacked(one, fields=fields, count=count, field=field) for one in value]
    hit = isinstance(value, str) and (fields is None or field in fields)
    count["hostile strings"] += hit
    return f"{value}{ATTACK}" if hit else value


@pytest.fixture(params=["descriptive", "every"])
def hostile(session: Session, count: Counter[str], request: pytest.FixtureRequest) -> Session:
    """Return a session whose service and files contain terminal sequences."""
    fields = DESCRIPTIVE if request.param == "descriptive" else None
    make_service_hostile(session, fields=fields, count=count)
    make_files_hostile(session)
    session.monkeypatch.setenv("TERM", "dumb")  # rich then draws without escapes
    return session


def make_service_hostile(session: Session, *, fields: set[str] | None, count: Counter[str]) -> None:
    server = session.shell.sandbox._server
    answer: Callable[[Any], Any] = server.respond

    def hostile_answer(request: Any) -> Any:
        given = answer(request)
        try:
            value = json.loads(given.body)
        except (ValueError, TypeError, AttributeError):  # a package, or a page
            return given
        return replace(given, body=json.dumps(attacked(value, fields=fields, count=count)).encode())

    session.monkeypatch.setattr(server, "respond", hostile_answer)


def make_files_hostile(session: Session) -> None:
    """Write files and a package whose names are attacks, and that contain a token."""
    site = session.shell.sandbox.world.current("acme")
    assert site is not None
    leak = f"channels: ['{session.shell.sandbox.service}/t/{site.value}/repo/acme/main']\n".encode()
    name = ATTACK.replace("\x00", "")
    folder = os.fsencode(session.project)
    for raw in (name.encode("utf-8", "surrogateescape"), b"\xff\xfe\x1b[2J"):
        with open(os.path.join(folder, raw + b".yml"), "wb") as file:  # noqa: PTH118, PTH123  # bytes
            file.write(leak)
    with tarfile.open(session.project / "evil-1.0-0.tar.bz2", "w:bz2") as package:
        member = tarfile.TarInfo(f"info/{name}.yaml")
        member.size = len(leak)
        package.addfile(member, io.BytesIO(leak))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
def test_hostile_strings_never_reach_the_output_whatever_the_command(
    hostile: Session, count: Counter[str], flags: tuple[str, ...], output: str
) -> None:
    found, printed = {}, ""
    for verb, words in TYPED.items():
        typed = [word.format(repo=hostile.shell.sandbox.repo) for word in words]
        if OUTPUTS[output]:
            for stream in (sys.stdout, sys.stderr):
                hostile.monkeypatch.setattr(stream, "isatty", lambda: True)
        ran = hostile.shell(verb, *flags, *typed)
        count["verbs"] += 1
        printed += ran.out + ran.err
        if bad := dangerous(ran.out + ran.err):
            found[verb] = bad
        if flags and ran.out and verb != "run":
            json.loads(ran.out)
    assert found == {}
    assert "evil" in printed, "no hostile string was printed, so nothing was tested"


def test_hostile_titles_cannot_control_the_terminal_at_a_prompt(
    session: Session, count: Counter[str]
) -> None:
    make_service_hostile(session, fields=DESCRIPTIVE, count=count)
    session.shell.unset("ANACONDA_REPO_TOKEN_GLOBEX")
    terminal = Terminal("install", environment={**os.environ, "TERM": "dumb"})
    terminal.wait_for("For which organization?")
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    assert "evil" in terminal.seen
    assert dangerous(terminal.seen.replace("\r\n", "\n")) == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand tabs", "two\nlines\tand tabs"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202eevil", "\\u202eevil"),
        ("\udce9", "\\udce9"),
        ("line\u2028line", "line\\u2028line"),
        ("\U000e0041", "\\U000e0041"),
        ("株式会社　例", "株式会社　例"),
        ("👩\u200d💻 é\u00a0ü", "👩\u200d💻 é\u00a0ü"),
    ],
)
def test_clean_escapes_controls_and_keeps_text(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_clean_escapes_line_breaks_where_they_could_fake_a_line() -> None:
    assert clean("acme\nerror: x", keep="") == "acme\\nerror: x"
