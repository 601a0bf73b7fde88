"""Which service is used, and that an API key is sent only to the site that it belongs to."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.input import BadInput, ConfigurationError, MalformedURL, UnknownSite
from conda_token_plugin.errors.login import NotLoggedIn
from conda_token_plugin.errors.service import ServiceError
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from tests.support.servers import RecordingServer, Response, recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLE_KEY, CORP_KEY = "key-of-the-variable-0001", "key-of-corp-0002"


@pytest.fixture
def services() -> Iterator[tuple[RecordingServer, RecordingServer]]:
    """Yield two services that know nobody."""
    with recording(lambda _: Response(401)) as corp, recording(lambda _: Response(401)) as other:
        yield corp, other


def sent(service: RecordingServer) -> list[str]:
    return [one.header("Authorization") for one in service.requests]


@pytest.fixture
def config(empty_home: Path) -> Path:
    (empty_home / ".anaconda").mkdir()
    return empty_home / ".anaconda" / "config.toml"


def two_sites(config: Path, corp: RecordingServer, other: RecordingServer) -> None:
    config.write_text(
        f'default_site = "corp"\n[sites.corp]\ndomain = "{corp.url}"\n'
        f'[sites.other]\ndomain = "{other.url}"\napi_key = "{CORP_KEY}"\n'
    )


def ask(settings: Settings) -> str:
    """Ask the service who the login is; return the kind of error."""
    try:
        key, source = find_api_key(settings, user_store(settings))
        Service(settings.service_url, api_key=key, source=source).whoami()
    except (ServiceError, NotLoggedIn) as error:
        return type(error).__name__
    except Exception as error:  # noqa: BLE001  # the name is compared
        return type(error).__name__
    return ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_configuration_that_is_a_fifo_is_refused_without_waiting(config: Path) -> None:
    os.mkfifo(config)
    with pytest.raises(ConfigurationError, match="is not a regular file"):
        _ = Settings({}).service_url


def test_key_of_the_variable_goes_to_the_default_site_and_to_no_other(
    config: Path, services: tuple[RecordingServer, RecordingServer]
) -> None:
    corp, other = services
    two_sites(config, corp, other)
    variables = {"ANACONDA_AUTH_API_KEY": VARIABLE_KEY, "CONDA_TOKEN_STORE": "file"}
    assert Settings(variables).service_url == corp.url
    assert ask(Settings(variables)) == "LoginRefused"
    assert ask(Settings(variables, at="other")) == "LoginRefused"
    assert sent(corp) == [f"Bearer {VARIABLE_KEY}"]
    assert sent(other) == [f"Bearer {CORP_KEY}"]


def test_key_of_the_default_site_is_not_sent_to_anaconda_com(
    config: Path, services: tuple[RecordingServer, RecordingServer]
) -> None:
    two_sites(config, *services)
    settings = Settings(
        {"ANACONDA_AUTH_API_KEY": VARIABLE_KEY, "CONDA_TOKEN_STORE": "file"}, at="anaconda.com"
    )
    with pytest.raises(NotLoggedIn, match=r"ANACONDA_AUTH_API_KEY belongs to http://127") as caught:
        find_api_key(settings, user_store(settings))
    assert "https://anaconda.com" in str(caught.value)
    assert VARIABLE_KEY not in str(caught.value)


CORP = '[sites.corp]\ndomain = "corp.example"\nssl_verify = "/ca.pem"\n'


@pytest.mark.parametrize(
    ("text", "variables", "url"),
    [
        ("", {}, "https://anaconda.com"),
        ("", {"ANACONDA_AUTH_DOMAIN": "corp.example"}, "https://corp.example"),
        ("", {"ANACONDA_AUTH_DOMAIN": "https://corp.example/"}, "https://corp.example"),
        ("", {"ANACONDA_AUTH_DOMAIN": "anaconda.cloud"}, "https://anaconda.com"),
        ("", {"CONDA_TOKEN_SERVICE_URL": "corp.example"}, "https://corp.example"),
        ('[plugin.auth]\ndomain = "corp.example"', {}, "https://corp.example"),
        (CORP, {}, "https://corp.example"),
        (CORP, {"ANACONDA_DEFAULT_SITE": "anaconda.com"}, "https://anaconda.com"),
        (f'default_site = "corp.example"\n{CORP}', {}, "https://corp.example"),
        (CORP, {"CONDA_TOKEN_SITE": "anaconda.com"}, "https://anaconda.com"),
        (CORP, {"ANACONDA_AUTH_DOMAIN": "other.example"}, "https://other.example"),
        (CORP, {"ANACONDA_AUTH_DOMAIN": "https://other.example/app/"}, "https://other.example"),
        ('[sites.corp]\ndomain = "https://corp.example:8443/app"', {}, "https://corp.example:8443"),
        ('[sites.x]\n[plugin.auth]\ndomain = "corp.example"', {}, "https://corp.example"),
        ("", {"ANACONDA_AUTH_DOMAIN": "http://corp.example"}, "https://corp.example"),
        ("", {"ANACONDA_AUTH_DOMAIN": "http://127.0.0.1:8000/"}, "http://127.0.0.1:8000"),
        ('[plugin.cloud]\ndomain = "corp.example"', {}, "https://corp.example"),
        ("", {"ANACONDA_SITES": '{"x": {"domain": "corp.example"}}'}, "https://corp.example"),
        (
            CORP,
            {"CONDA_TOKEN_SITE": "corp", "CONDA_TOKEN_SERVICE_URL": "https://other.example"},
            "https://corp.example",
        ),
    ],
)
def test_service_is_chosen_as_anaconda_auth_chooses_it(
    config: Path, text: str, variables: dict[str, str], url: str
) -> None:
    config.write_text(text)
    assert Settings(variables).service_url == url


@pytest.mark.parametrize(
    ("name", "text"),
    [("anaconda_auth_domain", "other.example\n"), ("ANACONDA_DEFAULT_SITE", "other")],
)
def test_service_may_be_named_by_a_mounted_file(
    config: Path, tmp_path: Path, name: str, text: str
) -> None:
    config.write_text(f'{CORP}[sites.other]\ndomain = "other.example"\n')
    (tmp_path / name).write_text(text)
    assert Settings({"ANACONDA_SECRETS_DIR": str(tmp_path)}).service_url == "https://other.example"


def test_key_and_repository_of_the_shared_table_are_for_its_own_service_only(config: Path) -> None:
    config.write_text(
        '[sites.corp]\ndomain = "corp.example"\n[sites.same]\n'
        f'[plugin.auth]\ndomain = "d.example"\napi_key = "{CORP_KEY}"\n'
        'repo_url = "repo.d.example/repo"\nssl_verify = "0"\n'
    )
    corp, same = (Settings({}, at=name).site for name in ("corp", "same"))
    assert (corp.api_key, corp.repo_url) == (None, "https://corp.example/api/repo/")
    assert (same.service_url, same.repo_url) == (
        "https://d.example",
        "https://repo.d.example/repo/",
    )
    assert same.api_key is not None
    assert (corp.ssl_verify, same.ssl_verify) == (False, False)


def test_domain_of_a_wrong_type_is_refused_and_not_replaced(config: Path) -> None:
    config.write_text(f'[sites.corp]\ndomain = ["corp.example"]\napi_key = "{CORP_KEY}"\n')
    with pytest.raises(BadInput, match=r"The domain of a site in .* is not a string"):
        _ = Settings({}).site


@pytest.mark.parametrize("text", ["{", "[]", '{"corp": "corp.example"}', "[" * 9999])
def test_variable_with_sites_that_is_no_object_of_sites_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="ANACONDA_SITES is not a JSON object of sites"):
        _ = Settings({"ANACONDA_SITES": text}).site


def test_domain_of_several_sites_is_refused_with_their_names(config: Path) -> None:
    config.write_text(f'{CORP}[sites.two]\ndomain = "corp.example"\n')
    with pytest.raises(UnknownSite, match=r"Several sites have the domain .*: corp, two\."):
        _ = Settings({}, at="corp.example").site


def test_repository_of_another_site_is_not_anacondas(config: Path) -> None:
    config.write_text(CORP)
    assert Settings({}).repo_url == "https://corp.example/api/repo/"
    assert Settings({}, at="anaconda.com").repo_url == "https://repo.anaconda.cloud/repo/"
    variables = {"CONDA_TOKEN_REPO_URL": "mirror.example/repo"}
    assert Settings(variables).repo_url == "https://mirror.example/repo/"
    assert Settings(variables, at="anaconda.com").repo_url == "https://repo.anaconda.cloud/repo/"


def test_sites_are_listed_with_where_they_are_defined(config: Path) -> None:
    config.write_text(CORP)
    found = Settings({"ANACONDA_AUTH_DOMAIN": "other.example"}).sites()
    assert [(site.name, site.source) for site in found] == [
        ("other.example", "ANACONDA_AUTH_DOMAIN"),
        ("corp", str(config)),
        ("anaconda.com", "built in"),
    ]
    assert found[1].ssl_verify == "/ca.pem"


def test_site_that_is_unknown_is_refused_with_those_that_are_known(config: Path) -> None:
    config.write_text(CORP)
    with pytest.raises(UnknownSite, match=r"No site is called 'crop'\. Known: corp, anaconda\.com"):
        _ = Settings({}, at="crop").site


def test_configuration_with_a_key_of_many_parts_is_refused_unparsed(config: Path) -> None:
    """Parsing takes half an hour here, which the time limit of a test ends."""
    config.write_bytes(b".".join([b"a"] * 500_000) + b" = 1")
    with pytest.raises(ConfigurationError, match="has more than 1000 dots in one line"):
        _ = Settings({}).site


@pytest.mark.parametrize("data", [b"[sites", b"\xff", b"a = 1\nb = \x00", b"x = " + b"[" * 9999])
def test_configuration_that_is_no_toml_is_refused_in_one_line(config: Path, data: bytes) -> None:
    config.write_bytes(data)
    with pytest.raises(ConfigurationError, match="is not valid TOML") as caught:
        _ = Settings({}).site
    assert str(config) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["sites = 5", "[sites]\ncorp = 5", "[plugin]\nauth = []", "default_site = 7", "[sites.x]"],
)
def test_configuration_with_values_of_wrong_types_counts_as_missing(
    config: Path, text: str
) -> None:
    config.write_text(text)
    assert Settings({}).service_url == "https://anaconda.com"


def test_dotenv_of_the_working_folder_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ANACONDA_AUTH_DOMAIN=evil.example\n")
    monkeypatch.chdir(tmp_path)
    assert Settings({}).service_url == "https://anaconda.com"


def test_configuration_may_be_in_another_place(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.toml"
    path.write_text(CORP)
    variables = {"ANACONDA_CONFIG_TOML": "$FOLDER/elsewhere.toml", "FOLDER": str(tmp_path)}
    assert Settings(variables).service_url == "https://corp.example"


# -- where a key is found ------------------------------------------------------------------------


def entry(key: str) -> str:
    return b64encode(json.dumps({"api_key": key, "domain": "anaconda.com"}).encode()).decode()


def key_of(variables: dict[str, str]) -> str:
    settings = Settings({"CONDA_TOKEN_STORE": "file", **variables})
    return find_api_key(settings, user_store(settings))[0].reveal()


@pytest.mark.parametrize("name", ["ANACONDA_AUTH_KEYRING_PATH", "ANA_KEYRING_PATH"])
def test_keyring_file_of_anaconda_auth_may_be_in_another_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "theirs"
    path.write_text(json.dumps({"Anaconda Cloud": {"anaconda.com": entry(CORP_KEY)}}))
    assert key_of({name: str(path)}) == CORP_KEY


@pytest.mark.parametrize("table", ["[plugin.auth]", "[sites.any]"])
@pytest.mark.parametrize("variables", [{}, {"CONDA_TOKEN_SERVICE_URL": "corp.example"}])
def test_keyring_of_anaconda_auth_may_be_where_its_configuration_says(
    config: Path, tmp_path: Path, table: str, variables: dict[str, str]
) -> None:
    keys = {"anaconda.com": entry(CORP_KEY), "Corp.Example": entry(CORP_KEY)}
    (tmp_path / "theirs").write_text(json.dumps({"Anaconda Cloud": keys}))
    config.write_text(f'{table}\nkeyring_path = "$FOLDER/theirs"\n')
    assert key_of({"FOLDER": str(tmp_path), **variables}) == CORP_KEY


def test_keyring_of_anaconda_auth_may_be_in_its_configuration(config: Path) -> None:
    config.write_text(
        f'[plugin.auth.keyring."Anaconda Cloud"]\n"anaconda.com" = "{entry(CORP_KEY)}"'
    )
    assert key_of({}) == CORP_KEY


def test_keyring_of_anaconda_auth_may_be_in_its_variable() -> None:
    inline = json.dumps({"Anaconda Cloud": {"anaconda.com": entry(CORP_KEY)}})
    assert key_of({"ANACONDA_AUTH_KEYRING": inline}) == CORP_KEY


@pytest.mark.parametrize("name", ["anaconda_auth_api_key", "ANACONDA_AUTH_API_KEY"])
def test_mounted_key_is_found_after_the_variable(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CORP_KEY)
    variables = {"ANACONDA_SECRETS_DIR": str(tmp_path)}
    assert key_of(variables) == CORP_KEY
    assert key_of({**variables, "ANACONDA_AUTH_API_KEY": VARIABLE_KEY}) == VARIABLE_KEY


def test_key_in_the_configuration_comes_last_and_belongs_to_its_site(config: Path) -> None:
    config.write_text(f'[plugin.auth]\napi_key = "{CORP_KEY}"\n')
    assert key_of({}) == CORP_KEY
    inline = json.dumps({"Anaconda Cloud": {"anaconda.com": entry(VARIABLE_KEY)}})
    assert key_of({"ANACONDA_AUTH_KEYRING": inline}) == VARIABLE_KEY
    with pytest.raises(NotLoggedIn):
        key_of({"ANACONDA_AUTH_DOMAIN": "corp.example"})


@pytest.mark.parametrize("text", ["corp", "ftp://corp.example", "corp.example:abc", ""])
def test_address_that_cannot_be_used_is_refused_with_the_setting(config: Path, text: str) -> None:
    config.write_text(f'[sites.corp]\ndomain = "{text}"\n')
    with pytest.raises(MalformedURL, match="not an address of a service or repository") as caught:
        _ = Settings({}).site
    assert str(config) in str(caught.value)


def test_address_that_cannot_be_used_is_refused_with_the_variable() -> None:
    with pytest.raises(MalformedURL, match="in ANACONDA_AUTH_DOMAIN is not an address"):
        _ = Settings({"ANACONDA_AUTH_DOMAIN": "corp"}).site


@pytest.mark.parametrize("form", ["{}", "https://{}", "https://h.example/t/{}/repo"])
@pytest.mark.parametrize(
    "name", ["CONDA_TOKEN_SERVICE_URL", "CONDA_TOKEN_REPO_URL", "ANACONDA_AUTH_DOMAIN"]
)
def test_address_that_contains_a_token_is_refused_without_showing_it(name: str, form: str) -> None:
    token = "aB3d" * 12
    with pytest.raises(MalformedURL) as caught:
        _ = Settings({name: form.format(token)}).site
    assert token.lower() not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("variables", "prefix"),
    [
        ({}, "https://repo.anaconda.cloud/repo"),
        ({"CONDA_TOKEN_SERVICE_URL": "https://corp.example"}, None),
        ({"ANACONDA_AUTH_DOMAIN": "corp.example"}, "https://corp.example/api/repo"),
        (
            {
                "CONDA_TOKEN_SERVICE_URL": "https://corp.example",
                "CONDA_TOKEN_REPO_URL": "https://repo.corp.example/repo/",
            },
            "https://repo.corp.example/repo",
        ),
        ({"CONDA_TOKEN_REPO_URL": "https://repo.corp.example/"}, None),
    ],
    ids=["hosted", "foreign service", "domain", "both addresses", "whole host"],
)
def test_api_key_is_for_the_repository_path_of_its_own_site(
    empty_home: Path, variables: dict[str, str], prefix: str | None
) -> None:
    settings = Settings({"HOME": str(empty_home), **variables})
    assert settings.site.key_prefix == prefix
