"""`export`: what is written, what is left as it is, and what `--remove` restores."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.operations.export_record import (
    ExportOutcome,
    ExportResult,
    Record,
    lines_of,
)
from conda_token_plugin.operations.exported_copies import refresh_exports
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell

RATTLER = ".rattler/credentials.json"
MAMBA = ".mamba/auth/authentication.json"
BINSTAR = ".config/binstar"

BEFORE = {
    "rattler": (
        RATTLER,
        b'{"prefix.dev" : {"BearerToken":"pfx"},\r\n\t"b":{"CondaToken":"x"}}\r\n',
    ),
    "pixi": (RATTLER, b'{\n  "prefix.dev": {\n    "BearerToken": "pf\\u0078"\n  }\n}'),
    "mamba": (MAMBA, b'{ "h:8/p": {"type":"CondaToken", "token":"x", "note": 1.50}\n}\n'),
    "micromamba": (MAMBA, b"{\n}"),
    "netrc": (
        ".netrc",
        b"# mine\nmachine a.example\n\tlogin me password pw\n\ndefault login x password y",
    ),
    "dotenv": (".env", b"# settings\r\nexport A = 'b c'\r\n\r\nB=1"),
}
"""A file as its owner may have left it."""


VALUE = "acme0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


def stored(shell: Shell, organization: str = "acme", **fields: Any) -> str:
    """Store a token without asking the service; return its value."""
    value = VALUE.replace("acme", organization)
    token = Token(
        organization=organization,
        kind=TokenKind.SITE,
        scope=(f"{shell.sandbox.repo}{organization}",),
        last_four=value[-4:],
    )
    user_store(Settings()).add(token._replace(**fields), Secret(value))
    return value


@pytest.fixture
def acme(shell: Shell) -> Shell:
    """Return a shell with the site token of acme that has the value VALUE."""
    stored(shell)
    return shell


def basic(shell: Shell) -> str:
    return stored(
        shell, scope=("https://files.example.com/conda",), scheme=AuthScheme.BASIC, username="me"
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("target", BEFORE)
def test_remove_restores_the_content_from_before_the_export(shell: Shell, target: str) -> None:
    value = basic(shell)
    name, before = BEFORE[target]
    path = shell.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    path.chmod(0o644)
    untouched = shell.files()
    ran = shell("export", target, "--yes").well()
    assert shell.files() != untouched
    assert value not in ran.out + ran.err
    assert mode(path) == 0o600
    ran = shell("export", target, "--remove").well()
    assert "removed" in ran.err
    if path.suffix == ".json":  # written by programs: the values are restored, not the whitespace
        assert json.loads(path.read_bytes()) == json.loads(before)
        path.write_bytes(before)
    assert path.read_bytes() == before
    assert shell.files() == untouched


@pytest.mark.parametrize("target", [*BEFORE, "conda"])
def test_remove_deletes_what_the_export_created(shell: Shell, target: str) -> None:
    _ = stored(shell) if target == "conda" else basic(shell)
    untouched = {path for path in shell.home.rglob("*") if "exports" not in str(path)}
    assert shell("export", target, "--yes").code == 0
    assert shell("export", target, "--remove").code == 0
    left = {path for path in shell.home.rglob("*") if "exports" not in str(path)}
    assert left == untouched


@pytest.mark.parametrize("target", [*BEFORE, "conda"])
def test_export_keeps_the_entries_of_other_programs(shell: Shell, target: str) -> None:
    _ = stored(shell) if target == "conda" else basic(shell)
    name, before = BEFORE.get(target, (f"{BINSTAR}/https%3A%2F%2Fa.example.token", b"theirs"))
    path = shell.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    shell("export", target, "--yes")
    after = path.read_bytes()
    if path.suffix == ".json":
        assert json.loads(before).items() <= json.loads(after).items()
        return
    pieces = [piece for piece in before.replace(b"\r", b"").split(b"\n") if len(piece) > 3]
    assert all(piece.rstrip(b"}") in after for piece in pieces)


def test_rattler_export_uses_the_kind_that_the_repository_accepts(acme: Shell) -> None:
    acme("export", "rattler")
    assert json.loads((acme.home / RATTLER).read_bytes()) == {"127.0.0.1": {"CondaToken": VALUE}}


def test_mamba_export_uses_path_and_port_so_that_two_organizations_fit(shell: Shell) -> None:
    values = {name: stored(shell, name) for name in ("acme", "globex")}
    assert shell("export", "mamba", "--yes").code == 0
    host = shell.sandbox.repo.removeprefix("http://")
    assert json.loads((shell.home / MAMBA).read_bytes()) == {
        f"{host}{name}": {"type": "CondaToken", "token": value} for name, value in values.items()
    }


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.PATH])
@pytest.mark.parametrize("target", ["mamba", "micromamba"])
def test_token_that_mamba_cannot_use_everywhere_is_written_only_after_confirmation(
    shell: Shell, scheme: AuthScheme, target: str
) -> None:
    value = stored(shell, scheme=scheme)
    (shell.home / MAMBA).parent.mkdir(parents=True)
    with shell.unchanged():
        shell("export", target).failed(
            2, *("channels without shards (HTTP 401)", f"export {target} --api-key", "--yes")
        )
    ran = shell("export", target, "--yes").well()
    assert f"Note: {target} 2.8 cannot download packages with the token of acme" in ran.err
    assert value in (shell.home / MAMBA).read_text()


@pytest.mark.parametrize("scheme", [AuthScheme.BEARER, AuthScheme.BASIC])
def test_token_that_mamba_can_use_everywhere_is_written_without_a_question(
    shell: Shell, scheme: AuthScheme
) -> None:
    username = "me" if scheme is AuthScheme.BASIC else ""
    stored(shell, scope=("https://files.example.com/conda",), scheme=scheme, username=username)
    (shell.home / MAMBA).parent.mkdir(parents=True)
    ran = shell("export", "mamba").well()
    assert "shards" not in ran.err


def test_dry_run_of_an_export_to_mamba_shows_the_limit_without_a_question(acme: Shell) -> None:
    ran = acme("export", "mamba", "--dry-run", "--json").well()
    assert any("channels without shards" in note for note in ran.json["notes"])


def test_mamba_finds_bearer_tokens_without_a_path_only(shell: Shell) -> None:
    value = stored(shell, scope=("https://quetz.example:8/get/a",), scheme=AuthScheme.BEARER)
    shell("export", "mamba", "--yes")
    held = json.loads((shell.home / MAMBA).read_bytes())
    assert held == {"quetz.example:8": {"type": "BearerToken", "token": value}}


def test_rattler_export_refuses_two_organizations_on_one_host(acme: Shell) -> None:
    stored(acme, "globex")
    with acme.unchanged():
        acme("export", "rattler").failed(2, "acme", "globex", "--org acme")
    assert acme("export", "rattler", "--org", "globex").code == 0


def test_export_of_a_second_organization_keeps_the_first(acme: Shell) -> None:
    stored(acme, "globex")
    acme("export", "rattler", "--org", "acme")
    with acme.unchanged():
        acme("export", "rattler", "--org", "globex").failed(
            7, "already contains the token of acme", "--remove"
        )


def test_export_never_replaces_a_credential_of_another_program(acme: Shell) -> None:
    path = acme.home / RATTLER
    path.parent.mkdir()
    path.write_text('{"127.0.0.1": {"BasicHTTP": {"username": "u", "password": "p"}}}')
    with acme.unchanged():
        acme("export", "rattler").failed(7, "another credential")


def test_remove_keeps_the_same_token_if_another_program_wrote_it(acme: Shell) -> None:
    path = acme.home / RATTLER
    path.parent.mkdir()
    path.write_text(json.dumps({"127.0.0.1": {"CondaToken": VALUE}}))
    before = path.read_bytes()
    ran = acme("export", "rattler").well()
    assert "Already there" in ran.err
    assert "Nothing was exported" in acme("export", "rattler", "--remove").err
    assert path.read_bytes() == before


def test_export_after_a_reissue_replaces_the_exported_entry(acme: Shell) -> None:
    acme("export", "rattler")
    first = (acme.home / RATTLER).read_bytes()
    acme.install("acme")
    assert acme("export", "rattler").code == 0
    current = acme.sandbox.world.current("acme", "ada")
    assert current
    assert (acme.home / RATTLER).read_bytes() != first
    assert current.value in (acme.home / RATTLER).read_text()
    acme("export", "rattler", "--remove")
    assert not (acme.home / ".rattler").exists()


def test_remove_keeps_an_entry_that_was_changed_since_the_export(acme: Shell) -> None:
    acme("export", "rattler")
    path = acme.home / RATTLER
    path.write_text(path.read_text().replace(VALUE, "somebody-elses-token-0000"))
    before = path.read_bytes()
    ran = acme("export", "rattler", "--remove", "--json").well()
    assert "changed by another program" in ran.json["removed"][0]["outcome"]
    assert path.read_bytes() == before


def test_remove_of_a_missing_entry_is_not_an_error(acme: Shell) -> None:
    acme("export", "rattler")
    (acme.home / RATTLER).unlink()
    ran = acme("export", "rattler", "--remove", "--json").well()
    assert ran.json["removed"][0]["outcome"] == "already gone"
    assert acme("export", "rattler", "--remove", "--json").json == {"removed": []}


def test_entry_remains_while_one_target_needs_it(acme: Shell) -> None:
    acme("export", "rattler", "pixi", "--yes")
    assert acme("export", "rattler", "--remove").code == 0
    assert (acme.home / RATTLER).exists()
    assert acme("export", "pixi", "--remove").code == 0
    assert not (acme.home / RATTLER).exists()


def test_export_dry_run_shows_the_plan_and_writes_nothing(acme: Shell) -> None:
    before = sorted(acme.home.rglob("*"))
    ran = acme("export", "rattler", "mamba", "conda", "dotenv", "--dry-run", "--json").well()
    assert ran.json["dry_run"] is True
    assert {one["target"] for one in ran.json["exported"]} == {
        "rattler",
        "mamba",
        "conda",
        "dotenv",
    }
    assert sorted(acme.home.rglob("*")) == before


def test_remove_with_dry_run_changes_nothing(acme: Shell) -> None:
    acme("export", "rattler")
    with acme.unchanged():
        ran = acme("export", "rattler", "--remove", "--dry-run", "--json")
        assert ran.json["removed"][0]["outcome"] == "removed"


def test_remove_of_a_token_removes_its_exports_and_reports_them(acme: Shell) -> None:
    stored(acme, "globex")
    acme("export", "mamba", "conda", "dotenv", "--yes")
    ran = acme("remove", "acme", "--json").well()
    assert {one["target"] for one in ran.json["exports"]} == {"mamba", "conda", "dotenv"}
    assert all(one["outcome"] == "removed" for one in ran.json["exports"])
    everything = b"".join(acme.files().values()) + str(list(acme.files())).encode()
    assert b"acme" not in everything
    assert b"globex0123" in everything
    assert "Export to conda" in acme("remove", "globex").err
    assert not list(acme.home.glob(".e*"))


def test_remove_continues_when_an_export_cannot_be_removed(acme: Shell) -> None:
    acme("export", "rattler", "dotenv")
    path = acme.home / RATTLER
    path.write_text("{half")
    ran = acme("remove", "acme").well()
    assert "warning: Export to rattler" in ran.err
    assert "is damaged" in ran.err
    assert path.read_text() == "{half"
    assert not (acme.home / ".env").exists()
    path.write_text("{}")
    assert acme("export", "rattler", "--remove").code == 0


def test_failed_removal_is_tried_again(acme: Shell) -> None:
    acme("export", "rattler")
    good = (acme.home / RATTLER).read_bytes()
    (acme.home / RATTLER).write_bytes(good[:-3])
    ran = acme("export", "rattler", "--remove")
    assert ran.code == 1
    assert (acme.home / RATTLER).read_bytes() == good[:-3]
    (acme.home / RATTLER).write_bytes(good)
    assert acme("export", "rattler", "--remove").code == 0
    assert not (acme.home / RATTLER).exists()


def test_export_to_a_missing_tool_asks_for_confirmation(shell: Shell) -> None:
    shell.set("PATH", "")
    stored(shell)
    with shell.unchanged():
        shell("export", "micromamba").failed(2, "micromamba was not found", "--yes")


@pytest.mark.parametrize("words", [["export", "ratler"], ["export", "emacs"]])
def test_unknown_target_is_an_error(shell: Shell, words: list[str]) -> None:
    shell(*words).failed(2, "rattler")


def test_export_without_any_token_names_the_command_to_get_one(shell: Shell) -> None:
    shell("export", "rattler").failed(1, "API key from ANACONDA_AUTH_API_KEY, add --api-key")
    shell("run", "--", "true").failed(1, "API key from ANACONDA_AUTH_API_KEY, add --api-key")
    shell.unset("ANACONDA_AUTH_API_KEY")
    shell("export", "rattler").failed(1, "install")


def test_export_of_an_organization_without_a_token_is_an_error(acme: Shell) -> None:
    acme("export", "rattler", "--org", "hooli").failed(1, "hooli")


def test_netrc_export_refuses_tokens_that_are_not_passwords(acme: Shell) -> None:
    acme("export", "netrc").failed(2, "user names and passwords")
    assert not (acme.home / ".netrc").exists()


def test_conda_files_are_refused_for_tokens_that_are_passwords(shell: Shell) -> None:
    basic(shell)
    shell("export", "conda", "--yes").failed(2, "/t/…/")


def test_conda_export_refuses_a_url_that_another_token_file_covers(acme: Shell) -> None:
    other = (
        acme.home / BINSTAR / f"{acme.sandbox.repo.replace(':', '%3A').replace('/', '%2F')}.token"
    )
    acme.write(other, "theirs")
    with acme.unchanged():
        acme("export", "conda", "--yes").failed(7, "conda could also use it")


def test_export_writes_to_the_named_file(acme: Shell, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "creds.json"
    assert acme("export", "rattler", "--file", str(path)).code == 0
    assert VALUE in path.read_text()
    assert mode(path) == 0o600
    assert acme("export", "rattler", "--remove").code == 0
    assert not path.parent.exists()


def test_rattler_uses_the_file_that_a_variable_names(acme: Shell, tmp_path: Path) -> None:
    acme.set("RATTLER_AUTH_FILE", str(tmp_path / "auth.json"))
    assert acme("export", "rattler").code == 0
    assert (tmp_path / "auth.json").exists()
    assert not (acme.home / RATTLER).exists()


@pytest.mark.parametrize(
    "text",
    [
        'authentication-override-file = "{path}"',
        "# a\nauthentication_override_file='{path}'\n[mirrors]\n",
    ],
)
def test_pixi_uses_the_file_that_its_configuration_names(
    acme: Shell, tmp_path: Path, text: str
) -> None:
    config = acme.home / ".config" / "pixi" / "config.toml"
    acme.write(config, text.format(path=tmp_path / "auth.json"))
    assert acme("export", "pixi", "--yes").code == 0
    assert (tmp_path / "auth.json").exists()
    assert not (acme.home / RATTLER).exists()


def test_pixi_export_ignores_a_key_of_the_same_name_in_a_table(acme: Shell, tmp_path: Path) -> None:
    config = acme.home / ".pixi" / "config.toml"
    acme.write(config, f'[other]\nauthentication-override-file = "{tmp_path / "auth.json"}"\n')
    assert acme("export", "pixi", "--yes").code == 0
    assert not (tmp_path / "auth.json").exists()


def test_token_from_the_environment_can_be_exported(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", "supplied0123456789abcdef")
    assert shell("export", "rattler", "--org", "acme").code == 0
    assert "supplied0123456789abcdef" in (shell.home / RATTLER).read_text()
    assert shell("export", "rattler", "--remove").code == 0


def test_general_token_from_the_environment_is_exported_for_an_organization(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN", "general0123456789abcdef")
    assert shell("export", "dotenv", "--org", "acme").code == 0
    assert "ANACONDA_REPO_TOKEN=general0123456789abcdef" in (shell.home / ".env").read_text()


def test_docker_export_prints_the_mount_and_no_secret(acme: Shell) -> None:
    before = acme.files()
    ran = acme("export", "docker").well()
    assert "RUN --mount=type=secret,id=anaconda_repo_token_acme " in ran.out
    assert "--secret id=anaconda_repo_token_acme,env=ANACONDA_REPO_TOKEN_ACME" in ran.out
    assert VALUE not in ran.out + ran.err
    assert acme.files() == before
    document = acme("export", "docker", "--json").json
    assert document["docker"]["mounts"] == ["--mount=type=secret,id=anaconda_repo_token_acme"]


@pytest.mark.parametrize("flags", [[], ["--json"], ["--quiet"]])
def test_github_export_prints_the_mask_before_it_sets_the_variable(
    acme: Shell, tmp_path: Path, flags: list[str]
) -> None:
    job = tmp_path / "set_env"
    job.write_text("BEFORE=1\n")
    job.chmod(0o644)
    acme.set("GITHUB_ENV", str(job))
    ran = acme("export", "github-actions", *flags).well()
    before, first, *lines, last = job.read_text().splitlines()
    assert (before, lines) == ("BEFORE=1", [VALUE])
    assert first == f"ANACONDA_REPO_TOKEN_ACME<<{last}"
    assert mode(job) == 0o644
    masked = ran.err if "--json" in flags else ran.out
    assert masked.splitlines()[0] == f"::add-mask::{VALUE}"
    assert (ran.out + ran.err).count(VALUE) == 1
    if "--json" in flags:
        assert ran.json["variables"] == ["ANACONDA_REPO_TOKEN_ACME"]


def test_github_export_dry_run_prints_no_mask(acme: Shell, tmp_path: Path) -> None:
    job = tmp_path / "set_env"
    job.touch()
    acme.set("GITHUB_ENV", str(job))
    ran = acme("export", "github-actions", "--dry-run").well()
    assert VALUE not in ran.out + ran.err
    assert job.read_bytes() == b""


def test_github_export_outside_of_a_job_is_an_error(acme: Shell) -> None:
    acme("export", "github-actions").failed(2, "GITHUB_ENV")


def test_github_export_reports_a_missing_environment_file_in_one_line(
    acme: Shell, tmp_path: Path
) -> None:
    acme.set("GITHUB_ENV", str(tmp_path / "missing"))
    ran = acme("export", "github-actions").failed(7, "cannot be written")
    assert VALUE not in ran.err


@pytest.mark.parametrize("target", ["github-actions", "docker"])
def test_remove_from_a_target_that_stores_nothing_is_an_error(shell: Shell, target: str) -> None:
    assert shell("export", target, "--remove").code == 2


def test_export_checks_all_targets_before_it_writes(acme: Shell) -> None:
    path = acme.home / MAMBA
    acme.write(path, "<<<<<<< HEAD\n{}")
    with acme.unchanged():
        acme("export", "rattler", "conda", "mamba", "--yes").failed(7, "line 1")


def test_damaged_export_record_is_reported_and_unchanged(acme: Shell) -> None:
    acme("export", "rattler")
    record = next(acme.home.rglob("exports.json"))
    record.write_bytes(b"{}")
    with acme.unchanged():
        for words in (["export", "rattler"], ["export", "rattler", "--remove"]):
            acme(*words).failed(6, "is damaged")


def test_export_record_of_a_later_version_is_reported_and_unchanged(acme: Shell) -> None:
    acme("export", "rattler")
    record = next(acme.home.rglob("exports.json"))
    record.write_text(record.read_text().replace('"version": 1', '"version": 2'))
    acme("export", "rattler", "--remove").failed(6, "format version 2")


def test_export_record_contains_no_secret(acme: Shell) -> None:
    acme("export", "rattler", "conda", "mamba", "dotenv", "--yes")
    record = next(acme.home.rglob("exports.json"))
    assert mode(record) == 0o600
    text = record.read_text()
    assert not [at for at in range(len(VALUE) - 7) if VALUE[at : at + 8] in text]


def test_install_reports_each_file_of_an_exported_copy_once(acme: Shell) -> None:
    acme("export", "rattler", "mamba", "conda", "dotenv", "--yes")
    (acme.home / MAMBA).write_text("{half")
    rattler = acme.home / RATTLER
    rattler.write_text(rattler.read_text().replace(VALUE, "of-another-program"))
    (acme.home / ".env").unlink()
    ran = acme("install", "--org", "acme", "--reissue", "--yes").well()
    reported = [one for one in ran.err.splitlines() if "Export to" in one]
    assert [one.partition(", ")[0] for one in reported] == [
        "Export to rattler",
        "warning: Export to mamba",
        "Export to conda",
    ]
    assert "changed by another program since then" in reported[0]
    assert reported[1].endswith("then run: conda-token-plugin export mamba --org acme")
    assert reported[2].endswith("written.")


def test_entries_of_one_file_with_the_same_result_are_reported_in_one_line() -> None:
    record = Record(target="mamba", place="/f", key="a", organization="acme", token="t", mark="m")
    results = [
        ExportResult(record=replace(record, key=key), outcome=outcome)
        for key, outcome in (
            ("a", ExportOutcome.WRITTEN),
            ("b", ExportOutcome.CHANGED),
            ("c", ExportOutcome.WRITTEN),
        )
    ]
    lines = [line for line, _ in lines_of(results)]
    assert [line.partition(" for ")[2] for line in lines] == [
        "a and 1 more in /f: written.",
        "b in /f: changed by another program since then, and not changed.",
    ]


def test_reissued_token_is_written_to_every_place_of_the_old_one(acme: Shell) -> None:
    acme("export", "rattler", "mamba", "conda", "dotenv", "--yes")
    mamba = acme.home / MAMBA
    mamba.write_text("{half")
    (token,) = user_store(Settings()).tokens()
    results = refresh_exports(token, Secret("fresh-0123456789-abcdef"), settings=Settings())
    outcomes = {one.record.target: one.outcome.value for one in results}
    assert outcomes == {
        "rattler": "written",
        "mamba": "could not be changed",
        "conda": "written",
        "dotenv": "written",
    }
    everything = b"".join(acme.files().values())
    assert everything.count(b"fresh-0123456789-abcdef") == 3
    assert mamba.read_text() == "{half"
    assert everything.count(VALUE.encode()) == 1, "in the store"
    assert acme("export", "rattler", "conda", "dotenv", "--remove").code == 0
    assert b"fresh-0123456789-abcdef" not in b"".join(acme.files().values())


def test_export_of_an_expired_token_prints_a_warning(shell: Shell) -> None:
    stored(shell, expires=datetime(2020, 1, 1, tzinfo=timezone.utc))
    ran = shell("export", "rattler").well()
    assert "warning: The token …CDEF of acme is expired" in ran.err
