"""`set`: the command of anaconda-auth, with all of its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell


@pytest.fixture
def token(shell: Shell) -> str:
    """The site token of acme, as an administrator passes it on."""
    current = shell.sandbox.world.current("acme")
    assert current is not None
    return str(current.value)


def test_set_verifies_a_token_argument_and_never_prints_it(shell: Shell, token: str) -> None:
    ran = shell("set", token).well()
    assert token not in ran.out + ran.err
    assert "Other users can see a token on the command line" in ran.err
    assert "Verified:" in ran.err


def test_set_without_an_organization_covers_the_whole_repository(shell: Shell, token: str) -> None:
    shell("set", token)

    found = shell("which", shell.sandbox.url_of("acme", "main"), "--json").json
    assert found["prefix"] == shell.sandbox.repo.rstrip("/")
    assert found["last_four"] == token[-4:]


def test_set_with_an_organization_covers_it_and_the_shared_channels(
    shell: Shell, token: str
) -> None:
    shell("set", "--org", "acme", token)

    covered = {
        channel: shell("which", shell.sandbox.url_of(*channel), "--json").json["organization"]
        for channel in (("acme", "main"), ("main",))
    }
    assert set(covered.values()) == {"acme"}
    other = shell("which", shell.sandbox.url_of("globex", "main"), "--json").json
    assert other["kind"] == "api-key"


def test_set_writes_default_channels_into_the_drop_in_only(shell: Shell, token: str) -> None:
    (shell.home / ".condarc").write_text("# mine\nchannels: [conda-forge]\n")

    shell("set", token)

    text = shell.dropin
    for name in ("main", "r", "msys2"):
        assert f'- "{shell.sandbox.url_of(name)}"' in text
    assert "default_channels: #!final" in text
    assert (shell.home / ".condarc").read_text() == "# mine\nchannels: [conda-forge]\n"


def test_set_leaves_default_channels_alone_with_the_option(shell: Shell, token: str) -> None:
    shell("set", "--no-set-default-channels", token)

    assert "default_channels" not in shell.dropin


@pytest.mark.parametrize(
    ("names", "channels"),
    [
        (["free"], ["free"]),
        (["mro-archive", "pro"], ["mro-archive", "pro"]),
        (["mro"], ["mro-archive"]),
    ],
)
def test_archive_channel_option_adds_the_channels(
    shell: Shell, token: str, names: list[str], channels: list[str]
) -> None:
    shell("set", token, "--include-archive-channels", *names)

    text = shell.dropin
    assert [name for name in channels if f'- "{shell.sandbox.url_of(name)}"' in text] == channels


def test_unknown_archive_channel_is_one_line_and_changes_nothing(shell: Shell, token: str) -> None:
    with shell.unchanged():
        shell("set", token, "--include-archive-channels", "main").failed(2, "free")


def test_no_ssl_verify_stores_the_token_and_does_not_send_it(shell: Shell, token: str) -> None:
    shell.sandbox.requests.clear()

    ran = shell("set", "--no-ssl-verify", token).well()
    assert not list(shell.sandbox.requests)
    assert "ssl_verify" not in shell.dropin
    assert "conda config --set ssl_verify truststore" in ran.err


def test_signature_verification_ends_with_remove(shell: Shell, token: str) -> None:
    shell("set", "--enable-signature-verification", token)

    text = shell.dropin
    assert "extra_safety_checks: true" in text
    assert f'signing_metadata_url_base: "{shell.sandbox.repo.rstrip("/")}"' in text
    shell.install("globex")
    assert "extra_safety_checks: true" in shell.dropin
    shell("remove", "--all")
    assert shell.dropin == ""


@pytest.mark.parametrize(
    "words", [["--system", "--env"], ["--env", "--file", "x"], ["-s", "-e", "-f", "x"]]
)
def test_several_places_for_the_configuration_are_refused(
    shell: Shell, token: str, words: list[str]
) -> None:
    with shell.unchanged():
        shell("set", *words, "--group", "root", token).failed(2, "exclude each other")


def test_signature_verification_for_one_organization_is_refused(shell: Shell, token: str) -> None:
    with shell.unchanged():
        shell("set", "--org", "acme", "--enable-signature-verification", token).failed(
            2, "Signature verification would be off"
        )


@pytest.mark.parametrize(
    "words",
    [
        *(["--env"], ["-e"], ["--file", "/nowhere/condarc"], ["-f", "/nowhere/condarc"]),
        ["--force-config-condarc"],
    ],
)
def test_compatibility_options_are_accepted_and_explained(
    shell: Shell, token: str, words: list[str]
) -> None:
    ran = shell("set", *words, token).well()
    assert ("for all environments, and in no other file" in ran.err) == (
        words[0] != "--force-config-condarc"
    )


def test_set_does_not_store_a_refused_token(shell: Shell) -> None:
    before = shell.files()

    shell("set", "this-is-a-token-of-nobody-0123456789").failed(5, "It was not stored.")
    assert set(shell.files()) - set(before) <= {".local/share/conda-token-plugin/index.json"}


def test_token_from_a_file_is_accepted_without_a_warning(
    shell: Shell, token: str, tmp_path: Path
) -> None:
    (tmp_path / "token.txt").write_text(f"{token}\n")

    ran = shell("set", "--token-file", str(tmp_path / "token.txt")).well()
    assert "warning" not in ran.err


def test_set_without_a_token_and_a_terminal_names_the_option(shell: Shell) -> None:
    shell("set").failed(2, "--token-stdin")
