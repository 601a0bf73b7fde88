"""Any content of another tool's file is read as credentials, or raises a documented error."""

from __future__ import annotations

import base64
import json
import netrc
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.netrc import FORMAT
from conda_token_plugin.integrations.registry import SOURCES, TARGETS
from conda_token_plugin.integrations.source import collected
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.url_credentials import url_credentials

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

VALUE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"
FILES = {
    "anaconda-auth": ".anaconda/keyring",
    "anaconda-client": "binstar/data/https%3A%2F%2Fc.example%2F.token",
    "condarc": ".condarc",
    "mamba": ".mamba/auth/authentication.json",
    "netrc": ".netrc",
    "rattler": ".rattler/credentials.json",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(VALUE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.text() | st.sampled_from(["c.example", "127.0.0.1:8/a", "*.c.example", "[::1]", "a b"])
KINDS = st.sampled_from(["CondaToken", "BearerToken", "BasicHTTP", "BasicHTTPAuthentication"])
ENTRIES = st.one_of(
    JSON,
    st.dictionaries(KINDS, JSON, max_size=2),
    st.fixed_dictionaries({"type": KINDS | st.text(), "token": JSON, "password": JSON}),
)
NETRC = st.lists(
    st.sampled_from(
        [
            "machine",
            "c.example",
            "login",
            "me",
            "password",
            VALUE,
            "default",
            "macdef",
            "\n",
            "#",
            '"',
        ]
    )
).map(" ".join)
NETRC_LINES = [
    *("machine a", "machine b", "default", "login me", "user me", "account x", "password #p"),
    *('password "a \\" b"', "password a\\ b", "# a comment", "macdef m\ncd /\n\n"),
]
CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.dictionaries(KEYS, ENTRIES, max_size=3).map(lambda one: json.dumps(one).encode()),
    JSON.map(lambda one: json.dumps({"Anaconda Cloud": {"anaconda.com": one}}).encode()),
    st.dictionaries(st.sampled_from(["repo_tokens", "x"]), JSON).map(
        lambda one: json.dumps(
            {
                "Anaconda Cloud": {
                    "anaconda.com": base64.b64encode(json.dumps(one).encode()).decode()
                }
            }
        ).encode()
    ),
    NETRC.map(str.encode),
    st.text(max_size=30).map(
        lambda one: f"channels: ['https://c.example/t/{VALUE}/{one}']".encode()
    ),
)

SHARED_COUNT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For tests whose examples share one count."""


@pytest.mark.parametrize("name", FILES)
@SHARED_COUNT
@given(content=CONTENTS)
def test_reading_any_content_ends_well_or_in_an_error_of_ours(
    name: str, count: Counter[str], content: bytes
) -> None:
    count["executions"] += 1
    with _home() as home:
        _put(home, "conda/condarc", b"channels: ['https://c.example/conda']")
        path = _put(home, FILES[name], content)
        settings = _environment(home)
        said = ""
        try:
            offers = collected(
                [SOURCES[name]], settings=settings, fault=lambda _: None, strict=True
            )
        except TokenPluginError as error:
            said, offers = str(error), ()
        assert VALUE not in said
        for one in offers:
            assert isinstance(one.secret, Secret)
            assert one.token.scope
            for plain in one.plain:
                try:
                    after = plain.without(content)
                except ValueError:  # reported; the user removes it
                    continue
                assert after is None or len(after) <= len(content)
        assert path.read_bytes() == content


GOOD = {
    "anaconda-auth": json.dumps(
        {
            "Anaconda Cloud": {
                "anaconda.com": base64.b64encode(
                    json.dumps({"repo_tokens": [{"token": VALUE}]}).encode()
                ).decode()
            }
        }
    ),
    "anaconda-client": VALUE,
    "condarc": f"channels: ['https://c.example/t/{VALUE}/a']",
    "mamba": json.dumps({"c.example/a": {"type": "BearerToken", "token": VALUE}}),
    "netrc": f"machine c.example login me password {VALUE}",
    "rattler": json.dumps({"c.example": {"BasicHTTP": {"username": "a", "password": VALUE}}}),
}


@pytest.mark.parametrize("name", FILES)
def test_source_finds_the_token_in_a_good_file(name: str) -> None:
    with _home() as home:
        _put(home, "conda/condarc", b"channels: ['https://c.example/conda']")
        _put(home, FILES[name], GOOD[name].encode())
        (offer,) = collected(
            [SOURCES[name]], settings=_environment(home), fault=lambda _: None, strict=True
        )
        assert offer.secret == Secret(VALUE)
        assert offer.sources == (name,)


@pytest.mark.parametrize("name", ["rattler", "mamba", "netrc", "dotenv"])
@SHARED_COUNT
@given(content=CONTENTS)
def test_looking_for_room_in_any_content_changes_nothing(
    name: str, count: Counter[str], content: bytes
) -> None:
    count["executions"] += 1
    with _home() as home:
        settings = _environment(home)
        path = _put(home, {**FILES, "dotenv": ".env"}[name], content)
        place = TARGETS[name].place_at(path)
        said = ""
        try:
            place.held("c.example")
        except TokenPluginError as error:
            said = str(error)
        assert VALUE not in said
        assert path.read_bytes() == content
        assert settings.home == home


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


class _Home(Settings):
    """Settings whose home is a folder of the test."""

    __slots__ = ()

    @property
    def home(self) -> Path:
        return Path(self.variables["TEST_HOME"])


def _environment(home: Path) -> Settings:
    return _Home(
        {
            "TEST_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "BINSTAR_CONFIG_DIR": str(home / "binstar"),
            "CONDA_TOKEN_HOME": str(home / "store"),
        }
    )


@contextmanager
def _home() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def _put(home: Path, name: str, content: bytes) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
