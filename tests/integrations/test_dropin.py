"""The one file that the plugin owns: composed whole, written whole, removed whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPO = "https://repo.example/repo"


def token(*scope: str, **facts: Any) -> Token:
    """A token of these channels."""
    return Token(organization="acme", kind=TokenKind.INDIVIDUAL, scope=scope, **facts)


def read(text: str) -> dict[str, Any]:
    """The file as conda's YAML parser sees it."""
    return dict(YAML(typ="safe").load(text) or {})


def channels_of(text: str) -> list[str]:
    return [entry["channel"] for entry in read(text)["channel_settings"]]


def test_no_token_needs_no_file() -> None:
    assert dropin.composed([]) == ""
    assert dropin.composed([token()]) == ""
    assert dropin.composed([], signed_by=REPO) == ""


def test_channels_are_named_by_globs_with_our_handler_and_the_flag() -> None:
    text = dropin.composed([token(f"{REPO}/acme")])

    assert read(text)["channel_settings"] == [
        {"channel": f"{REPO}/acme/*", "auth": "conda-token-plugin"}
    ]
    assert f'  - {{channel: "{REPO}/acme/*", auth: conda-token-plugin}} #!bottom\n' in text


def test_several_prefixes_of_a_folder_are_one_glob() -> None:
    """Each entry costs every conda command the reading of a line."""
    shared = [f"{REPO}/{name}" for name in ("acme", "main", "r", "msys2")]

    assert channels_of(dropin.composed([token(*shared)])) == [f"{REPO}/*"]
    assert channels_of(
        dropin.composed([token("https://a.example"), token("https://b.example")])
    ) == [
        "https://a.example/*",
        "https://b.example/*",
    ]


def test_a_channel_that_was_handed_over_is_named_itself_too() -> None:
    """Shards that lie beside their index are asked for by the session of the channel's URL."""
    handed = Token(organization="acme", kind=TokenKind.SITE, scope=(f"{REPO}/x[1]",))

    assert channels_of(dropin.composed([handed])) == [f"{REPO}/x[[]1]/*", f"{REPO}/x[[]1]"]
    assert channels_of(dropin.composed([handed, token(f"{REPO}/acme")])) == [f"{REPO}/*"]


def test_what_is_wished_for_is_there_once_and_in_order() -> None:
    first = token(f"{REPO}/a", channels=(f"{REPO}/a/x", f"{REPO}/a/y"))
    second = token(f"{REPO}/b", channels=(f"{REPO}/a/y",), default_channels=(f"{REPO}/main",))

    found = read(text := dropin.composed([first, second]))

    assert found["channels"] == [f"{REPO}/a/x", f"{REPO}/a/y"]
    assert found["default_channels"] == [f"{REPO}/main"]
    assert "default_channels: #!final\n" in text


def test_signatures_are_part_of_it_on_request() -> None:
    found = read(dropin.composed([token(f"{REPO}/a")], signed_by=REPO))

    assert found["extra_safety_checks"] is True
    assert found["signing_metadata_url_base"] == REPO


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_whatever_is_in_a_prefix_the_file_stays_yaml(rest: str) -> None:
    text = dropin.composed([token(f"https://a.example/{rest}")], signed_by=rest)

    found = read(text)
    assert len(found["channel_settings"]) == 1
    assert found["channel_settings"][0]["auth"] == "conda-token-plugin"


def test_it_is_written_once_readable_by_all_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    tokens = [token(f"{REPO}/acme")]

    assert dropin.write(path, tokens=tokens) is True
    assert dropin.write(path, tokens=tokens) is False
    assert path.read_text() == dropin.composed(tokens)
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_it_goes_with_the_last_token_and_so_do_folders_that_are_empty(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/acme")])

    assert dropin.write(path, tokens=[]) is True
    assert not (tmp_path / ".conda").exists()
    assert dropin.write(path, tokens=[]) is False


def test_what_others_have_in_the_folder_stays(tmp_path: Path) -> None:
    path = tmp_path / ".conda" / "condarc.d" / "ours.yml"
    path.parent.mkdir(parents=True)
    (path.parent / "theirs.yml").write_text("channels: []\n")
    dropin.write(path, tokens=[token(f"{REPO}/acme")])

    dropin.write(path, tokens=[])

    assert [one.name for one in path.parent.iterdir()] == ["theirs.yml"]


def test_signatures_stay_until_they_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    dropin.write(path, tokens=[token(f"{REPO}/a")], signed_by=REPO)

    dropin.write(path, tokens=[token(f"{REPO}/b")])
    assert dropin.signer(path) == REPO
    dropin.write(path, tokens=[token(f"{REPO}/b")], signed_by="")
    assert dropin.signer(path) == ""
    assert dropin.signer(tmp_path / "nowhere") == ""


@pytest.mark.parametrize("damage", [b"\xff\xfe", b'signing_metadata_url_base: "x\\"\n', b"a: [\n"])
def test_a_file_that_somebody_damaged_is_replaced(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "ours.yml"
    path.write_bytes(damage)

    assert dropin.write(path, tokens=[token(f"{REPO}/a")]) is True
    assert path.read_text() == dropin.composed([token(f"{REPO}/a")])


def test_proving_that_it_can_be_written_leaves_no_trace(tmp_path: Path) -> None:
    dropin.prove_writable(tmp_path / ".conda" / "condarc.d" / "ours.yml")

    assert not (tmp_path / ".conda").exists()


@pytest.mark.parametrize(
    "act",
    [dropin.prove_writable, lambda path: dropin.write(path, tokens=[token(f"{REPO}/a")])],
    ids=["prove", "write"],
)
def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path, act: Callable[[Path], Any]) -> None:
    (tmp_path / ".conda").write_text("a file")

    with pytest.raises(ConfigurationError, match="cannot be written"):
        act(tmp_path / ".conda" / "condarc.d" / "ours.yml")


def test_a_replace_that_fails_leaves_the_old_file_and_no_other(
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
