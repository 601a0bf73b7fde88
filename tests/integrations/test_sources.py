"""Import sources find the token in a good file; netrc and URLs are read as others read them.

``tests/properties`` reads any content of the same files.
"""

from __future__ import annotations

import base64
import json
import netrc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.integrations.netrc import FORMAT
from conda_token_plugin.integrations.registry import SOURCES
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.url_credentials import url_credentials

if TYPE_CHECKING:
    from pathlib import Path

VALUE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"
ENTRY = base64.b64encode(json.dumps({"repo_tokens": [{"token": VALUE}]}).encode()).decode()
GOOD = {
    "anaconda-auth": (
        ".anaconda/keyring",
        json.dumps({"Anaconda Cloud": {"anaconda.com": ENTRY}}),
    ),
    "anaconda-client": ("binstar/data/https%3A%2F%2Fc.example%2F.token", VALUE),
    "condarc": (".condarc", f"channels: ['https://c.example/t/{VALUE}/a']"),
    "mamba": (
        ".mamba/auth/authentication.json",
        json.dumps({"c.example/a": {"type": "BearerToken", "token": VALUE}}),
    ),
    "netrc": (".netrc", f"machine c.example login me password {VALUE}"),
    "rattler": (
        ".rattler/credentials.json",
        json.dumps({"c.example": {"BasicHTTP": {"username": "a", "password": VALUE}}}),
    ),
}
NETRC_LINES = [
    *("machine a", "machine b", "default", "login me", "user me", "account x", "password #p"),
    *('password "a \\" b"', "password a\\ b", "# a comment", "macdef m\ncd /\n\n"),
]
NETRC = st.lists(st.sampled_from([*" ".join(NETRC_LINES).split(), "c.example", "\n"])).map(" ".join)


@pytest.mark.parametrize("name", GOOD)
def test_source_finds_the_token_in_a_good_file(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BINSTAR_CONFIG_DIR", str(empty_home / "binstar"))
    file, text = GOOD[name]
    condarc = {".conda/condarc.d/channels.yml": "channels: ['https://c.example/conda']"}
    for path, content in {**condarc, file: text}.items():
        (empty_home / path).parent.mkdir(parents=True, exist_ok=True)
        (empty_home / path).write_text(content)
    (offer,) = SOURCES[name].offers(Settings())
    assert offer.secret == Secret(VALUE)
    assert offer.sources == (name,)


@given(text=NETRC | st.text())
def test_netrc_without_a_machine_has_only_characters_of_the_text_in_order(text: str) -> None:
    try:
        after = FORMAT.drop(text, "c.example")
    except ValueError:  # it is no netrc
        return
    position = 0
    for character in after:
        position = text.index(character, position) + 1


@given(lines=st.lists(st.sampled_from(NETRC_LINES)))
def test_what_python_reads_as_netrc_is_read_in_the_same_way(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("netrc") / "netrc"
    path.write_text("\n".join(lines))
    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError:  # also for a comment after an empty line
        return
    for entry in FORMAT.entries(path.read_text()):
        if lines.count(f"machine {entry.key}") == 1:  # of several, Python returns the last
            login, _, password = hosts[entry.key]
            assert json.loads(entry.value) == [login, password]


@given(text=st.text() | st.text("htps:/t@.x$<>%*\\'\" \n").map(lambda one: f"https://h/t/{one}"))
def test_credentials_in_urls_are_found_in_order_at_their_position(text: str) -> None:
    end = 0
    for one in url_credentials(text):
        assert end <= one.start < one.end
        assert text[one.start : one.end].lower().startswith("http")
        assert len(one.clean) < one.end - one.start
        end = one.end
