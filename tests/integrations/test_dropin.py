"""The one file that the plugin owns: composed whole, written whole, removed whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.integrations.conda import content_trust, dropin
from conda_token_plugin.operations.channel_settings import is_asked
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable

REPO = "https://repo.example/repo"


def token(*scope: str, **facts: Any) -> Token:
    """A token of these channels."""
    return Token(organization="acme", kind=TokenKind.INDIVIDUAL, scope=scope, **facts)


def read(text: str) -> dict[str, Any]:
    """The file as conda's YAML parser sees it."""
    return dict(YAML(typ="safe").load(text) or {})


def channels_of(text: str) -> list[str]:
    return [entry["channel"] for entry in read(text)["channel_settings"]]


def test_drop_in_is_empty_without_tokens() -> None:
    assert dropin.composed([]) == ""
    assert dropin.composed([token()]) == ""
    assert dropin.composed([], signed_by=REPO) == ""


def test_channels_are_named_by_globs_with_our_handler_and_the_flag() -> None:
    text = dropin.composed([token(f"{REPO}/acme")])

    assert read(text)["channel_settings"] == [
        {"channel": f"{REPO}/acme/*", "auth": "conda-token-plugin"}
    ]
    assert f'  - {{channel: "{REPO}/acme/*", auth: conda-token-plugin}} #!bottom\n' in text


def test_every_prefix_has_its_own_glob() -> None:
    shared = [f"{REPO}/{name}" for name in ("acme", "main", "msys2", "r")]

    assert channels_of(dropin.composed([token(*shared)])) == [f"{one}/*" for one in shared]


@pytest.mark.parametrize(
    "url",
    [
        "https://[::1]:8000/x",
        "https://a.example/\ud83d",
        "https://a.example:99999/x",
        "https://a.example:x/x",
        "https://a\uff0fb.example/x",
    ],
)
def test_write_refuses_what_conda_cannot_read_and_keeps_the_old_file(
    tmp_path: Path, url: str
) -> None:
    path = tmp_path / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/a")])
    before = path.read_text()

    for bad in (token(url), token(f"{REPO}/a", channels=(url,))):
        with pytest.raises(BadInput):
            dropin.write(path, tokens=[bad])

    assert path.read_text() == before


def test_added_channels_are_flagged_to_come_first() -> None:
    text = dropin.composed([token(f"{REPO}/a", channels=(f"{REPO}/a/x",))])

    assert f'  - "{REPO}/a/x" #!top\n' in text


@given(st.text(max_size=40))
@example("$HOME/${HOME}/$$HOME")
def test_drop_in_is_ascii_and_yaml_reads_the_same_urls(rest: str) -> None:
    url = f"https://a.example/{rest}"
    text = dropin.composed([token(f"{REPO}/a", channels=(url,))])

    assert text.isascii()
    (found,) = read(text)["channels"]
    assert found == url.replace("$", "%24") == os.path.expandvars(found)


CONDA_READS = """
import json, sys
from conda.common.configuration import YamlRawParameter
found = YamlRawParameter.make_raw_parameters_from_file(sys.argv[1])
print(json.dumps([one.value(None) for one in found["channels"].value(None)]))
"""


@pytest.mark.conda
@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_conda_reads_the_drop_in_in_any_locale(rests: list[str]) -> None:
    pytest.importorskip("conda")
    urls = tuple(dict.fromkeys(f"https://a.example/{rest}" for rest in rests))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ours.yml"
        dropin.write(path, tokens=[token(f"{REPO}/a", channels=urls)])
        variables = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        ran = subprocess.run(
            [sys.executable, "-c", CONDA_READS, str(path)],
            check=True,
            capture_output=True,
            env=variables,
        )
    assert json.loads(ran.stdout) == [url.replace("$", "%24") for url in urls]


def test_given_channel_is_also_named_without_the_glob() -> None:
    """Shards that lie beside their index are asked for by the session of the channel's URL."""
    site_token = Token(organization="acme", kind=TokenKind.SITE, scope=(f"{REPO}/x%5B1%5D",))

    assert channels_of(dropin.composed([site_token])) == [f"{REPO}/x*1*/*", f"{REPO}/x*1*"]


def test_channels_of_tokens_are_listed_once_in_order() -> None:
    first = token(f"{REPO}/a", channels=(f"{REPO}/a/x", f"{REPO}/a/y"))
    second = token(f"{REPO}/b", channels=(f"{REPO}/a/y",), default_channels=(f"{REPO}/main",))

    found = read(text := dropin.composed([first, second]))

    assert found["channels"] == [f"{REPO}/a/x", f"{REPO}/a/y"]
    assert found["default_channels"] == [f"{REPO}/main"]
    assert "default_channels: #!final\n" in text


def test_drop_in_has_the_signature_url_on_request() -> None:
    found = read(dropin.composed([token(f"{REPO}/a")], signed_by=REPO))

    assert found["extra_safety_checks"] is True
    assert found["signing_metadata_url_base"] == REPO


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_drop_in_is_yaml_for_any_ascii_prefix(rest: str) -> None:
    text = dropin.composed([token(f"https://a.example/{rest}")], signed_by=rest)

    found = read(text)
    assert len(found["channel_settings"]) == 1
    assert found["channel_settings"][0]["auth"] == "conda-token-plugin"


def test_write_is_idempotent_readable_by_all_and_leaves_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    tokens = [token(f"{REPO}/acme")]

    assert dropin.write(path, tokens=tokens) is True
    assert dropin.write(path, tokens=tokens) is False
    assert path.read_text() == dropin.composed(tokens)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_write_without_tokens_removes_the_file_and_empty_folders(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/acme")])

    assert dropin.write(path, tokens=[]) is True
    assert not (tmp_path / ".conda").exists()
    assert dropin.write(path, tokens=[]) is False


def test_write_keeps_other_files_in_the_folder(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    path.parent.mkdir(parents=True)
    (path.parent / "theirs.yml").write_text("channels: []\n")
    dropin.write(path, tokens=[token(f"{REPO}/acme")])

    dropin.write(path, tokens=[])

    assert [one.name for one in path.parent.iterdir()] == ["theirs.yml"]


def test_write_keeps_the_signature_url_until_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/a")], signed_by=REPO)

    dropin.write(path, tokens=[token(f"{REPO}/b")])
    assert content_trust.signer_in(dropin.content(path)) == REPO
    dropin.write(path, tokens=[token(f"{REPO}/b")], signed_by="")
    assert content_trust.signer_in(dropin.content(path)) == ""
    assert content_trust.signer_in(dropin.content(tmp_path / "nowhere")) == ""


@pytest.mark.parametrize("damage", [b"\xff\xfe", b'signing_metadata_url_base: "x\\"\n', b"a: [\n"])
def test_write_replaces_a_damaged_file(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "ours.yml"
    path.write_bytes(damage)

    assert dropin.write(path, tokens=[token(f"{REPO}/a")]) is True
    assert path.read_text() == dropin.composed([token(f"{REPO}/a")])


def test_prove_writable_leaves_nothing_behind(tmp_path: Path) -> None:
    dropin.check_writable(tmp_path / ".conda" / "condarc.d" / "ours.yml")

    assert not (tmp_path / ".conda").exists()


@pytest.mark.parametrize(
    "act",
    [dropin.check_writable, lambda path: dropin.write(path, tokens=[token(f"{REPO}/a")])],
    ids=["prove", "write"],
)
def test_file_in_place_of_the_folder_is_an_error_that_names_the_variable_for_another_place(
    tmp_path: Path, act: Callable[[Path], Any]
) -> None:
    (tmp_path / ".conda").write_text("a file")

    with pytest.raises(ConfigurationError, match=r"cannot be written.*CONDA_TOKEN_CONDARC"):
        act(tmp_path / ".conda" / "condarc.d" / "ours.yml")


def test_failed_replace_keeps_the_old_file_and_leaves_no_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/a")])
    before = path.read_text()

    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        dropin.write(path, tokens=[token(f"{REPO}/b")])

    assert path.read_text() == before
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["ours.yml"]


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        pytest.param(
            _make_fifo,
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs"),
        ),
    ],
)
def test_drop_in_that_is_no_regular_file_is_neither_read_nor_replaced(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "ours.yml"
    make(path)

    assert dropin.content(path) == ""
    settings = Settings({"HOME": str(tmp_path), "CONDA_TOKEN_CONDARC": str(path)})
    assert not is_asked(f"{REPO}/acme", settings=settings)
    for write in (dropin.check_writable, lambda one: dropin.write(one, tokens=[token(REPO)])):
        with pytest.raises(ConfigurationError, match="not a regular file"):
            write(path)
    assert not path.is_file()


@pytest.mark.parametrize(
    ("base", "scope", "fault"),
    [
        ("", (f"{REPO}/acme",), None),
        (REPO, (f"{REPO}/acme",), "key_mgr.json without a token"),
        (f"{REPO}/", (REPO,), None),
    ],
)
def test_signature_url_that_no_token_covers_is_reported(
    base: str, scope: tuple[str, ...], fault: str | None
) -> None:
    found = content_trust.signer_without_token(base, prefixes=scope)
    assert (found is None) == (fault is None)
    assert fault is None or fault in str(found)
