"""`import`: tokens of other tools are found, shown, verified, stored, and removed there."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

import pytest

from conda_token_plugin.gateways import keyring as gateway
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.authorization import address

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Shell


class FakeKeyring:
    """A system keyring in memory, in place of the real one."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setattr(gateway, "load_backend", lambda _: fake)
    assert gateway.NATIVE
    return fake


def issued(shell: Shell, organization: str = "acme") -> str:
    return str(shell.sandbox.world.issue(organization, "ada").value)


def entry_of(tokens: list[dict[str, str]]) -> str:
    whole = {"domain": "x", "api_key": "k", "repo_tokens": tokens, "version": 2}
    return base64.b64encode(json.dumps(whole).encode()).decode()


# For each source: the file that holds a token.


def in_anaconda_auth(shell: Shell, value: str) -> Path:
    domain = urlsplit(shell.sandbox.service).netloc
    entry = entry_of([{"token": value, "org_name": "acme"}])
    return shell.write(".anaconda/keyring", json.dumps({"Anaconda Cloud": {domain: entry}}))


def in_token_file(shell: Shell, value: str) -> Path:
    name = quote_plus(shell.sandbox.url_of("acme"))
    return shell.write(f".config/binstar/{name}.token", value)


def in_condarc(shell: Shell, value: str) -> Path:
    url = shell.url_with(value, "acme", "main")
    return shell.write(
        ".condarc",
        f"channels:   # ours\n  - {url}\n  - conda-forge\nssl_verify: yes\n",
    )


def in_environment_file(shell: Shell, value: str) -> Path:
    url = shell.url_with(value, "acme", "main", "noarch")
    return shell.write("environment.yml", f'name: x\nchannels: ["{url}", defaults]\n')


def in_mamba(shell: Shell, value: str) -> Path:
    key = shell.sandbox.url_of("acme").removeprefix("http://")
    entry = {key: {"type": "CondaToken", "token": value}}
    return shell.write(".mamba/auth/authentication.json", json.dumps(entry))


def in_rattler(shell: Shell, value: str) -> Path:
    entry = {"127.0.0.1": {"CondaToken": value}, "*.x.example": {"CondaToken": "other"}}
    return shell.write(".rattler/credentials.json", json.dumps(entry))


PLACES: dict[str, Callable[[Shell, str], Path]] = {
    "anaconda-auth": in_anaconda_auth,
    "anaconda-client": in_token_file,
    "condarc": in_condarc,
    "environment.yml": in_environment_file,
    "mamba": in_mamba,
    "rattler": in_rattler,
}
SOURCES = {**dict.fromkeys(PLACES), "environment.yml": "condarc"}


@pytest.mark.parametrize("place", PLACES)
def test_import_stores_a_working_token(shell: Shell, place: str) -> None:
    value = issued(shell)
    path = PLACES[place](shell, value)
    before = path.read_bytes()
    ran = shell("import", "--org", "acme", "--yes").well()
    assert "works" in ran.out
    assert str(path) in ran.out
    assert value[-4:] in ran.out
    assert value not in ran.out + ran.err
    assert path.read_bytes() == before
    (held,) = shell.held()
    assert held["organization"] == "acme"
    assert held["verified"]
    assert shell.sandbox.url_of("acme") in held["scope"]
    assert shell("which", shell.sandbox.url_of("acme", "private")).code == 0
    assert "/repo/acme/*" in shell.dropin


@pytest.mark.parametrize("place", [name for name in PLACES if name != "anaconda-auth"])
def test_import_clean_removes_the_copy_and_keeps_a_backup(shell: Shell, place: str) -> None:
    value = issued(shell)
    path = PLACES[place](shell, value)
    path.chmod(0o644)
    before = path.read_bytes()
    ran = shell(
        "import", SOURCES[place] or place, "--org", "acme", "--yes", "--clean", "--json"
    ).well()
    (cleaned,) = ran.json["cleaned"]
    assert cleaned["path"] == str(path)
    backup = path.__class__(cleaned["backup"])
    assert backup.read_bytes() == before
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    if place == "anaconda-client":
        assert not path.exists()
    else:
        assert value.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_import_clean_changes_only_the_url(shell: Shell) -> None:
    value = issued(shell)
    path = in_condarc(shell, value)
    before = path.read_text()
    shell("import", "condarc", "--yes", "--clean")
    assert path.read_text() == before.replace(f"/t/{value}", "")


def test_import_never_changes_the_file_of_anaconda_auth(shell: Shell) -> None:
    path = in_anaconda_auth(shell, issued(shell))
    before = path.read_bytes()
    assert shell("import", "--yes", "--clean").code == 0
    assert path.read_bytes() == before


def test_import_reads_the_system_keyring(shell: Shell, keyring: FakeKeyring) -> None:
    (shell.home / ".anaconda").mkdir()
    domain = urlsplit(shell.sandbox.service).netloc
    value = issued(shell)
    entry = entry_of([{"token": value, "org_name": "acme"}])
    keyring.entries["Anaconda Cloud", domain] = entry
    assert shell("import", "anaconda-auth", "--yes").code == 0
    assert shell.held()[0]["last_four"] == value[-4:]


CONDA_AUTH: dict[str, tuple[str, tuple[str, str], Any, dict[str, Any]]] = {
    "token": (
        "{channel: https://conda.example/private, auth: token, auth_target: mine}",
        ("conda-auth::credential::mine", "credential"),
        {"target": "mine", "auth_type": "token", "token": "conda-auth-token-0123456789"},
        {"scope": ["https://conda.example/private"], "scheme": "bearer"},
    ),
    "token of an older version": (
        "{channel: mine, auth: token}\n- {channel: other, auth: x}",
        ("conda-auth::token::mine", "token"),
        "conda-auth-token-0123456789",
        {"scope": ["https://conda.anaconda.org/mine"], "scheme": None},
    ),
    "password": (
        "{channel: https://c.example/*, auth: http-basic}",
        ("conda-auth::credential::https://c.example/*", "credential"),
        {"auth_type": "http-basic", "username": "me", "password": "pass-0123456789"},
        {"scope": ["https://c.example"], "scheme": "basic", "username": "me"},
    ),
}
"""By kind: conda's setting, the name and the value of the entry in the keyring, and the token."""


@pytest.mark.parametrize("kind", CONDA_AUTH)
def test_import_finds_entries_of_conda_auth_by_the_settings_of_conda(
    shell: Shell, keyring: FakeKeyring, kind: str
) -> None:
    setting, name, value, expected = CONDA_AUTH[kind]
    shell.write(".condarc", f"channel_settings:\n- {setting}\n")
    keyring.entries[name] = value if isinstance(value, str) else json.dumps(value)
    (found,) = shell("import", "conda-auth", "--dry-run", "--no-validate", "--json").json["found"]
    assert {field: found.get(field) for field in expected} == expected


def test_import_reads_only_hosts_of_channels_from_netrc(shell: Shell) -> None:
    shell.write(
        ".netrc",
        "machine files.example login me password files-pass-0123\n"
        "machine github.com login me password ghp-0123456789abcdef\n",
    )
    shell.write(".condarc", "channels: [https://files.example/conda/main]\n")
    ran = shell("import", "netrc", "--dry-run", "--no-validate", "--json")
    (found,) = ran.json["found"]
    assert found["scope"] == ["https://files.example/conda/main"]
    assert (found["scheme"], found["username"]) == ("basic", "me")


def test_import_clean_removes_only_one_machine_from_netrc(shell: Shell) -> None:
    text = (
        "# mine\nmachine a.example login x password y\n\n"
        "machine files.example\n  login me\n  password files-pass-0123 # theirs\n"
        "macdef init\n machine files.example\n\ndefault login z password w\n"
    )
    path = shell.write(".netrc", text)
    shell.write(".condarc", "channels: [https://files.example/conda/main]\n")
    assert shell("import", "netrc", "--no-validate", "--yes", "--clean").code == 0
    assert path.read_text() == (
        "# mine\nmachine a.example login x password y\n\n# theirs\n"
        "macdef init\n machine files.example\n\ndefault login z password w\n"
    )


def test_import_clean_removes_every_entry_of_the_stored_password_from_netrc(shell: Shell) -> None:
    one = "machine files.example login me password files-pass-0123"
    other = "machine files.example login me password files-pass-4567"
    path = shell.write(".netrc", f"{one}\n{other}\n{one} # again\n")
    shell.write(".condarc", "channels: [https://files.example/conda/main]\n")
    ran = shell("import", "netrc", "--no-validate", "--yes", "--clean").well()
    assert "is used, because it was found first" in ran.err
    assert path.read_text() == f"{other}\n# again\n"


def test_import_stores_the_same_token_of_several_places_once(shell: Shell) -> None:
    value = issued(shell)
    for place in PLACES.values():
        place(shell, value)
    ran = shell("import", "--yes", "--json").well()
    (found,) = ran.json["found"]
    assert set(found["sources"]) == set(filter(None, {*PLACES, "condarc"})) - {"environment.yml"}
    assert len(found["where"]) == len(PLACES)
    assert found["organization"] == "acme"


@pytest.fixture
def two_found(shell: Shell) -> Shell:
    """Return a shell whose condarc has a token of acme and one of globex."""
    urls = [shell.url_with(issued(shell, name), name, "main") for name in ("acme", "globex")]
    shell.write(".condarc", "channels:\n" + "".join(f"- {url}\n" for url in urls))
    return shell


def test_import_stores_the_tokens_of_two_organizations(two_found: Shell) -> None:
    assert two_found("import", "--yes").code == 0
    assert {one["organization"] for one in two_found.held()} == {"acme", "globex"}


def test_import_stores_only_the_named_organization(two_found: Shell) -> None:
    assert two_found("import", "--org", "globex", "--yes").code == 0
    assert [one["organization"] for one in two_found.held()] == ["globex"]


def test_import_reports_a_rejected_token_in_one_line_and_does_not_store_it(shell: Shell) -> None:
    rejected = issued(shell)
    valid = issued(shell, "globex")
    shell.sandbox.world.issue("acme", "ada")
    urls = [shell.url_with(rejected, "acme", "main"), shell.url_with(valid, "globex", "main")]
    path = shell.write(".condarc", "channels:\n" + "".join(f"- {url}\n" for url in urls))
    before = path.read_bytes()
    ran = shell("import", "--yes").failed(5, f"…{rejected[-4:]}", "It was not imported.")
    assert "rejected" in ran.out
    assert [one["organization"] for one in shell.held()] == ["globex"]
    assert path.read_bytes() == before


def test_import_clean_removes_a_rejected_token_so_that_audit_finds_nothing(shell: Shell) -> None:
    rejected = issued(shell)
    shell.sandbox.world.issue("acme", "ada")
    path = in_condarc(shell, rejected)
    advice = shell("audit").err
    assert f"import {path} --clean" in advice
    assert shell("import", str(path), "--clean", "--yes").code == 5
    assert rejected.encode() not in path.read_bytes()
    assert shell("audit").code == 0


def test_import_gives_shared_channels_to_the_first_organization_and_says_so(
    two_found: Shell,
) -> None:
    ran = two_found("import", "--yes").well()
    assert "of acme is used, because it was found first" in ran.err
    scopes = {one["organization"]: one["scope"] for one in two_found.held()}
    assert f"{two_found.sandbox.repo}main" in scopes["acme"]
    assert scopes["globex"] == [f"{two_found.sandbox.repo}globex"]


def test_import_remembers_where_in_the_path_the_token_belongs(shell: Shell) -> None:
    where = "http://127.0.0.1:9/api/repo"
    text = f"channels: [{where}/t/abcdefgh01234567/main]\n"
    path = shell.write(".condarc", text)
    shell("import", "--yes", "--clean", "--no-validate").well()
    assert path.read_text() == f"channels: [{where}/main]\n"
    (stored,) = shell.held()
    assert stored["scope"] == [f"{where}/main"]
    found = Lookup(Settings()).find(f"{where}/main/noarch/repodata.json")
    assert found is not None
    asked = address(f"{where}/main/noarch/repodata.json", token=found.token, secret=found.secret())
    assert asked == f"{where}/t/abcdefgh01234567/main/noarch/repodata.json"


def test_import_passes_over_channels_that_no_token_is_sent_to(shell: Shell) -> None:
    channels = ["file:///srv/conda", "s3://bucket/conda", "oci://ghcr.io/conda", "https://[::1/x"]
    shell.write(".condarc", "channels:\n" + "".join(f"- {one}\n" for one in channels))
    shell.write(".netrc", "machine c.example login me password abcdefgh01234567\n")
    ran = shell("import").well()
    assert "nothing to import" in ran.err
    rows = [line for line in ran.out.splitlines() if "no token is sent there" in line]
    assert [row.split("\t")[2:4] for row in rows] == [[one, "condarc"] for one in channels[:3]]
    assert shell("import", "--json").json["channels_without_token"] == channels[:3]
    ran = shell("audit").well()
    assert [line for line in ran.err.splitlines() if "no token is sent" in line] == [
        f"{one}: no token is sent there." for one in channels[:3]
    ]


def test_token_in_the_name_of_a_channel_is_imported_for_its_place_below_the_alias(
    shell: Shell,
) -> None:
    value, alias = "q9Zx7Lk2mN4pR8sT1vW5yB3cD6", "https://files.example/conda"
    path = shell.write(".condarc", f"channel_alias: {alias}/\nchannels: [t/{value}/acme]\n")
    shell("import", "condarc", "--yes", "--clean", "--no-validate").well()
    (token,) = shell.held()
    assert (token["scope"], token["path_before"]) == ([f"{alias}/acme"], "/conda")
    assert path.read_text() == f"channel_alias: {alias}/\nchannels: [acme]\n"


@pytest.mark.parametrize("alias", ["", "channel_alias: 7\n"])
def test_token_in_the_name_of_a_channel_is_not_imported_without_the_alias(
    shell: Shell, alias: str
) -> None:
    shell.write(".condarc", f"{alias}channels: [t/q9Zx7Lk2mN4pR8sT1vW5yB3cD6/acme]\n")
    assert "nothing to import" in shell("import", "condarc", "--yes", "--no-validate").well().err


def test_login_for_a_pattern_of_channels_is_imported_for_the_folder(shell: Shell) -> None:
    channel = "https://joe:abcdefgh01234567@files.example/c/*"
    shell.write(".condarc", f"channel_settings: [{{channel: '{channel}', auth: x}}]\n")
    shell("import", "condarc", "--yes", "--no-validate").well()
    assert shell.held()[0]["scope"] == ["https://files.example/c"]


def test_import_and_audit_show_no_password_of_a_bucket(shell: Shell) -> None:
    shell.write(".condarc", "channels: ['s3://key:abcdefgh01234567@bucket/conda']\n")
    for verb in ("import", "audit"):
        ran = shell(verb)
        assert "bucket/conda" in ran.out + ran.err
        assert "abcdefgh01234567" not in ran.out + ran.err


def test_import_refreshes_the_exports_of_the_token_that_it_replaces(acme: Shell) -> None:
    acme("export", "rattler", "--yes")
    fresh = acme.sandbox.world.issue("acme", "ada").value
    in_condarc(acme, fresh)
    ran = acme("import", "condarc", "--yes").well()
    assert "Export to rattler" in ran.err
    held = json.loads((acme.home / ".rattler/credentials.json").read_text())
    assert held == {"127.0.0.1": {"CondaToken": fresh}}


def test_import_reports_a_rejected_token_as_one_json_document(shell: Shell) -> None:
    rejected = issued(shell)
    shell.sandbox.world.issue("acme", "ada")
    in_condarc(shell, rejected)
    ran = shell("import", "--yes", "--json").failed(5)
    assert ran.json["found"][0]["verdict"] == "rejected"
    assert "HTTP 401" in ran.json["found"][0]["reason"]
    assert ran.json["imported"] == []


def test_import_stores_an_unverified_token_only_with_no_validate(shell: Shell) -> None:
    shell.write(".condarc", "channels: [http://127.0.0.1:9/t/abcdefgh01234567/x]\n")
    ran = shell("import", "--yes").well()
    assert "not verified: no response" in ran.out
    assert "--no-validate" in ran.err
    assert shell.held() == []
    assert shell("import", "--yes", "--no-validate").code == 0
    (held,) = shell.held()
    assert held["verified"] is None
    assert held["scheme"] == "path"


def test_import_keeps_how_a_token_of_another_server_is_sent(shell: Shell) -> None:
    shell.write(".condarc", "channels: ['https://me:pa%24s-0123456@c.example/a/linux-64']\n")
    shell("import", "--yes", "--no-validate")
    (held,) = shell.held()
    assert (held["scheme"], held["username"], held["scope"]) == (
        "basic",
        "me",
        ["https://c.example/a"],
    )


@pytest.mark.parametrize("text", ["/t/<TOKEN>/a", "/t/$TOKEN/a", "/t/${T}/a", "/t/*****/a"])
def test_import_ignores_placeholders(shell: Shell, text: str) -> None:
    shell.write(".condarc", f"channels: ['https://c.example{text}']\n")
    ran = shell("import", "--yes").well()
    assert "nothing to import" in ran.err


def test_import_ignores_a_token_that_cannot_be_sent_anywhere(shell: Shell) -> None:
    shell.write(".condarc", "channels: ['http://c.example/t/abcdefgh01234567/a']\n")
    assert shell("import", "--dry-run", "--json").json["found"] == []


def test_import_cleans_a_token_that_is_already_stored(acme: Shell) -> None:
    path = in_condarc(acme, acme.issued("acme").value)
    ran = acme("import", "--yes", "--clean", "--json")
    assert ran.json["found"][0]["verdict"] == "already stored"
    assert ran.json["imported"] == []
    assert ran.json["cleaned"][0]["path"] == str(path)


def test_import_names_the_stored_token_that_it_replaces(acme: Shell) -> None:
    old = acme.issued("acme").value
    in_condarc(acme, issued(acme))
    ran = acme("import", "--yes").well()
    assert f"This replaces the token …{old[-4:]} of acme, which is stored." in ran.err


def test_import_without_confirmation_stores_nothing(shell: Shell) -> None:
    in_condarc(shell, issued(shell))
    before = shell.files()
    shell("import").failed(2, "--yes")
    assert shell.held() == []
    assert {name for name in shell.files() if "conda-token-plugin" not in name} == {
        name for name in before if "conda-token-plugin" not in name
    }


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_import_reports_that_nothing_was_found(shell: Shell, words: tuple[str, ...]) -> None:
    ran = shell("import", *words)
    assert (ran.code, ran.out, ran.err) == (0, "", "There is nothing to import.\n")


def test_import_dry_run_shows_tokens_and_stores_nothing(shell: Shell) -> None:
    in_condarc(shell, issued(shell))
    ran = shell("import", "--dry-run", "--json").well()
    assert ran.json["found"][0]["verdict"] == "works"
    assert shell.held() == []


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (".anaconda/keyring", '{"Anaconda Cloud": {"x'),
        (".rattler/credentials.json", '{"a.example": {"NewKind": "x"}}'),
        (".mamba/auth/authentication.json", ""),
        (".netrc", "just a note"),
    ],
)
def test_import_reports_a_damaged_or_newer_file_and_keeps_it(
    shell: Shell, place: str, content: str
) -> None:
    path = shell.write(place, content)
    in_condarc(shell, issued(shell))
    ran = shell("import", "--yes").well()
    assert f"Not searched: {path}" in ran.err
    assert path.read_text() == content
    name = {".anaconda": "anaconda-auth", ".netrc": "netrc"}.get(
        place.partition("/")[0], place[1:].partition("/")[0]
    )
    shell("import", name, "--yes").failed(7, str(path))
    assert path.read_text() == content


def test_condarc_that_is_a_link_is_read_and_not_cleaned(shell: Shell, tmp_path: Path) -> None:
    value = issued(shell)
    real = in_condarc(shell, value).rename(tmp_path / "dotfiles-condarc")
    (shell.home / ".condarc").symlink_to(real)
    before = real.read_bytes()
    shell("import", "--yes", "--clean").failed(7, "symbolic link")
    assert real.read_bytes() == before
    assert shell.held()[0]["last_four"] == value[-4:]


def test_import_clean_handles_unusual_notations_of_a_url(shell: Shell) -> None:
    value = issued(shell)
    odd = shell.url_with(value, "acme", "main").replace("/repo", "\\x2frepo")
    path = shell.write(".condarc", f'channels:\n- "{odd}"\n')
    assert shell("import", "--yes", "--clean", "--no-validate").code == 0
    assert condarcs.parsed(path.read_bytes()) == {
        "channels": [shell.sandbox.url_of("acme", "main")]
    }


def test_unknown_source_is_an_error(shell: Shell) -> None:
    shell("import", "poetry").failed(2, "anaconda-auth")


def test_import_finds_nothing_in_an_empty_home(shell: Shell) -> None:
    ran = shell("import", "--json").well()
    assert ran.json["found"] == []


def test_import_says_that_a_token_of_unknown_owner_is_sent_everywhere(shell: Shell) -> None:
    in_rattler(shell, issued(shell))
    ran = shell("import", "rattler", "--yes").well()
    assert "name the owner, use --org" in ran.err
    (held,) = shell.held()
    assert held["scope"] == [shell.sandbox.repo.rstrip("/")]
    assert shell("which", shell.sandbox.url_of("acme", "main")).code == 0


def test_import_names_channels_that_get_another_token(acme: Shell) -> None:
    value = issued(acme, "globex")
    acme.write(".condarc", f"default_channels: [{acme.url_with(value, 'main')}]\n")
    ran = acme("import", "condarc", "--yes").well()
    assert "no longer with the token …" in ran.err


def test_import_reads_the_named_file(shell: Shell, tmp_path: Path) -> None:
    url = shell.url_with(issued(shell), "acme", "main", "noarch", "x-1-0.conda")
    path = shell.write(tmp_path / "spec.lock", f"@EXPLICIT\n{url}\n")
    ran = shell("import", str(path), "--yes", "--clean", "--json").well()
    (found,) = ran.json["found"]
    assert found["sources"] == [str(path)]
    assert shell.sandbox.url_of("acme") in found["scope"]
    assert "/t/" not in path.read_text()


@pytest.mark.parametrize("record", ["not json", "[]", '{"auth_type": "token"}', '{"token": 7}'])
def test_invalid_entry_of_conda_auth_is_ignored(
    shell: Shell, keyring: FakeKeyring, record: str
) -> None:
    shell.write(
        ".condarc",
        "channel_settings:\n- {channel: https://c.example/a, auth: token}\n",
    )
    keyring.entries["conda-auth::credential::https://c.example/a", "credential"] = record
    assert shell("import", "conda-auth", "--json").json["found"] == []


@pytest.mark.parametrize("entry", ["!!", base64.b64encode(b"[]").decode()])
def test_invalid_entry_of_anaconda_auth_in_the_keyring_is_reported(
    shell: Shell, keyring: FakeKeyring, entry: str
) -> None:
    (shell.home / ".anaconda").mkdir()
    keyring.entries["Anaconda Cloud", urlsplit(shell.sandbox.service).netloc] = entry
    ran = shell("import", "anaconda-auth").well()
    assert "entry of anaconda-auth that cannot be read" in ran.err


def test_import_does_not_clean_a_file_that_is_not_text(shell: Shell) -> None:
    text = in_condarc(shell, issued(shell)).read_bytes()
    path = shell.home / ".condarc"
    path.write_bytes(text + b"# \xff\n")
    before = path.read_bytes()
    shell("import", "condarc", "--yes", "--clean").failed(7, "is not UTF-8 text")
    assert path.read_bytes() == before


def test_condarc_that_a_variable_names_is_read(shell: Shell, tmp_path: Path) -> None:
    url = shell.url_with(issued(shell), "acme", "main")
    shell.set("CONDARC", str(shell.write(tmp_path / "my.yml", f"channels: ['{url}']\n")))
    shell.set("XDG_CONFIG_HOME", str(tmp_path))
    shell.write(tmp_path / "conda" / ".condarc", "channels: [")
    shell.set("CONDA_EXE", str(tmp_path / "root" / "bin" / "conda"))
    shell.write(tmp_path / "root" / ".condarc", f"channels: ['{url}']\n")
    (found,) = shell("import", "condarc", "--dry-run", "--json").json["found"]
    assert [place.rpartition("/")[2] for place in found["where"]] == [
        ".condarc line 1",
        "my.yml line 1",
    ]


def test_imported_token_works_after_ana_login_erased_it(shell: Shell) -> None:
    path = in_anaconda_auth(shell, issued(shell))
    assert shell("import", "anaconda-auth", "--yes").code == 0

    domain = urlsplit(shell.sandbox.service).netloc  # as `ana login` writes it, without tokens
    shell.write(path, json.dumps({"Anaconda Cloud": {domain: entry_of([])}}))

    ran = shell("status", "acme", "--json").well()
    assert [one["works"] for one in ran.json] == [True]
