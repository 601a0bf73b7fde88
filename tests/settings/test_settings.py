"""The meaning of the environment variables."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conda_token_plugin
from conda_token_plugin import settings
from conda_token_plugin.errors.input import BadInput, MalformedToken, MalformedURL
from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.settings import Settings, paths, token_variable

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(conda_token_plugin.__file__).parent
VALUE = "q9Zx7Lk2mN4pR8sT1vW5yB3cD6fG0hJ"


def test_defaults_are_those_of_anaconda() -> None:
    bare = Settings({})
    assert bare.service_url == "https://anaconda.com"
    assert bare.repo_url == "https://repo.anaconda.cloud/repo/"
    assert bare.store_choice == "auto"
    assert bare.repository_tokens() == ()


def test_addresses_are_normalised() -> None:
    settings = Settings(
        {
            "CONDA_TOKEN_SERVICE_URL": "http://127.0.0.1:8000/",
            "CONDA_TOKEN_REPO_URL": "https://Conda.Example:443/repo",
        }
    )
    assert settings.service_url == "http://127.0.0.1:8000"
    assert settings.repo_url == "https://conda.example/repo/"


@pytest.mark.parametrize("name", ["CONDA_TOKEN_SERVICE_URL", "CONDA_TOKEN_REPO_URL"])
def test_unencrypted_address_is_refused(name: str) -> None:
    settings = Settings({name: "http://anaconda.com"})
    with pytest.raises(MalformedURL, match="not encrypted"):
        _ = settings.service_url, settings.repo_url


def test_unknown_store_is_refused_with_the_known_words() -> None:
    with pytest.raises(BadInput, match="auto, keyring, file"):
        _ = Settings({"CONDA_TOKEN_STORE": "vault"}).store_choice


def test_store_is_in_the_data_folder_or_where_the_variable_says(empty_home: Path) -> None:
    assert Settings().store_folder.is_relative_to(empty_home)
    assert Settings({"CONDA_TOKEN_HOME": "~/t"}).store_folder == empty_home / "t"


def test_variable_precedes_its_file_variable(tmp_path: Path) -> None:
    settings = Settings({"A": VALUE, "A_FILE": str(tmp_path / "absent")})
    found = settings.secret("A")
    assert found is not None
    assert found[0] == "A"


def test_unreadable_secret_file_is_named_with_its_variable(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(StoreUnusable, match=rf"{path}.*A_FILE|A_FILE.*{path}"):
            Settings({"A_FILE": str(path)}).secret("A")


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe\x00", b"x" * 100_000])
def test_secret_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(MalformedToken) as caught:
        Settings({"A_FILE": str(path)}).secret("A")
    assert str(path) in str(caught.value)


def test_malformed_variable_is_named_and_its_value_is_not_shown() -> None:
    with pytest.raises(MalformedToken, match=r"The content of A is not a token or key") as caught:
        Settings({"A": f"{VALUE} {VALUE}"}).secret("A")
    assert VALUE[:8] not in str(caught.value)


@pytest.mark.parametrize(
    ("organization", "variable"),
    [
        ("acme", "ANACONDA_REPO_TOKEN_ACME"),
        ("my-org.eu", "ANACONDA_REPO_TOKEN_MY_ORG_EU"),
        ("", "ANACONDA_REPO_TOKEN"),
    ],
)
def test_organization_is_converted_to_its_variable(organization: str, variable: str) -> None:
    assert token_variable(organization) == variable


def test_repository_tokens_lists_every_name_that_supplies_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "secrets"
    mounted.mkdir()
    (mounted / "anaconda_repo_token_hooli").write_text(VALUE)
    (mounted / "other").write_text(VALUE)
    monkeypatch.setattr(paths, "RUN_SECRETS", mounted)
    settings = Settings(
        {
            "ANACONDA_REPO_TOKEN": VALUE,
            "ANACONDA_REPO_TOKEN_ACME": VALUE,
            "ANACONDA_REPO_TOKEN_GLOBEX_FILE": str(mounted / "other"),
            "ANACONDA_REPO_TOKEN_EMPTY": "",
            "ANACONDA_REPO_TOKENS": VALUE,
        }
    )
    names = ["", "_ACME", "_GLOBEX", "_HOOLI"]
    assert settings.repository_tokens() == tuple(f"ANACONDA_REPO_TOKEN{name}" for name in names)
    for name in settings.repository_tokens():
        found = settings.repository_token(name)
        assert found is not None
        assert found[1].reveal() == VALUE


@pytest.mark.parametrize(
    ("name", "path_of"),
    [
        ("CONDA_TOKEN_HOME", lambda settings: settings.store_folder),
        ("CONDA_TOKEN_SYSTEM_HOME", lambda settings: settings.machine_folder),
        ("CONDA_TOKEN_SYSTEM_CONDARC", lambda settings: settings.machine_condarc),
        ("A_FILE", lambda settings: settings.secret("A")),
    ],
)
def test_unknown_home_folder_is_refused_in_one_line(
    name: str, path_of: Callable[[Settings], object]
) -> None:
    with pytest.raises(BadInput, match=r"'~no-such-user/x' cannot be found. Set HOME"):
        path_of(Settings({name: "~no-such-user/x"}))


def test_organization_with_a_very_long_name_has_no_mounted_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path)
    assert Settings({}).repository_token(settings.token_variable("x" * 5000)) is None


def test_unreadable_folder_of_mounted_secrets_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path / "a-file")
    assert Settings({}).repository_tokens() == ()


def as_folder(path: Path) -> None:
    path.mkdir()


def as_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "missing")


def as_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def as_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def test_api_key_of_a_variable_precedes_the_one_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of-the-file-0123456789")
    file = {"ANACONDA_AUTH_API_KEY_FILE": str(tmp_path / "key")}
    both = Settings({"ANACONDA_AUTH_API_KEY": "of-the-variable-0123456789", **file})
    for found, source, value in (
        (both, "ANACONDA_AUTH_API_KEY", "of-the-variable-0123456789"),
        (Settings(file), "ANACONDA_AUTH_API_KEY_FILE", "of-the-file-0123456789"),
    ):
        key = found.api_key()
        assert key is not None
        assert found.api_key_source() == source
        assert key[0].startswith(source)
        assert key[1].reveal() == value


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev, and seldom links")
@pytest.mark.parametrize(
    "make", [as_folder, as_dangling_link, as_link_to_device, as_link_to_itself]
)
def test_mounted_secret_that_is_no_file_is_reported_in_one_line_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path)
    make(tmp_path / "anaconda_repo_token_acme")
    make(tmp_path / "anaconda_auth_api_key")
    found = Settings({})
    assert found.repository_tokens() == ("ANACONDA_REPO_TOKEN_ACME",)
    assert found.api_key_source() == str(tmp_path / "anaconda_auth_api_key")
    reads: tuple[Callable[[], object], ...] = (
        lambda: found.repository_token("ANACONDA_REPO_TOKEN_ACME"),
        found.api_key,
    )
    for read in reads:
        with pytest.raises(StoreUnusable, match=re.escape(str(tmp_path))) as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_mounted_secret_without_permission_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path)
    (tmp_path / "anaconda_repo_token_acme").touch(mode=0)
    with pytest.raises(StoreUnusable, match="Permission denied"):
        Settings({}).repository_token("ANACONDA_REPO_TOKEN_ACME")


def test_folder_of_anaconda_auth_supplies_the_api_key_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "RUN_SECRETS", tmp_path / "absent")
    for name in ("anaconda_auth_api_key", "anaconda_repo_token"):
        (tmp_path / name).write_text(VALUE)
    found = Settings({"ANACONDA_SECRETS_DIR": "$MOUNTS", "MOUNTS": str(tmp_path)})
    key = found.api_key()
    assert key is not None
    assert key[1].reveal() == VALUE
    assert found.repository_token("ANACONDA_REPO_TOKEN") is None
    assert found.repository_tokens() == ()


def test_names_of_secrets_do_not_begin_with_conda() -> None:
    secrets = (settings.API_KEY, settings.REPO_TOKEN, settings.SERVICE_ACCOUNT)
    assert not [name for name in secrets if name.startswith("CONDA")]


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "sandbox" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    }
    assert readers == {"settings/paths.py"}


@pytest.mark.parametrize("value", ["\udcff", "\x1b[2J", "größe"])
def test_client_id_that_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="not printable ASCII"):
        _ = Settings({"CONDA_TOKEN_CLIENT_ID": value}).client_id
