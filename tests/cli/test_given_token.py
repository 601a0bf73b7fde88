"""`install` with a token that the user was given, and its conditions for scripts."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Shell

ASKS_FOR_PASSWORD = (
    b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="files"\r\n'
    b"Content-Length: 0\r\n\r\n"
)

GIVEN = ("install", "--site", "--org", "acme", "--token-env", "T")


@pytest.fixture
def site_token(shell: Shell) -> str:
    """The site token of acme, without a login."""
    shell.unset("ANACONDA_AUTH_API_KEY")
    return shell.issued("acme", "").value


@pytest.fixture
def given(shell: Shell, site_token: str) -> Shell:
    """A shell without a login, whose variable T contains the site token of acme."""
    shell.set("T", site_token)
    return shell


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.parametrize(
    "paste",
    [
        "{}",
        "{}\n",
        '  "{}"  \n',
        "https://repo.anaconda.cloud/t/{}/repo/acme/main",
        "conda token set {}",
        "anaconda token install --org acme {}",
        "Authorization: token {}",
        "Hello,\n\nhere is your token: {}\n\nRegards\n",
    ],
)
def test_token_is_found_in_piped_text(
    shell: Shell, site_token: str, monkeypatch: pytest.MonkeyPatch, paste: str
) -> None:
    stdin(monkeypatch, paste.format(site_token))
    ran = shell("install", "--site", "--org", "acme", "--token-stdin", "--json").well()
    assert ran.json["kind"] == "site"
    assert ran.json["last_four"] == site_token[-4:]
    assert ran.json["verified"]
    assert ran.json["state"] == "unknown"
    assert site_token[:8] not in ran.out + ran.err


def test_token_is_read_from_a_file_or_a_variable(
    shell: Shell, site_token: str, tmp_path: Path
) -> None:
    path = tmp_path / "mail"
    path.write_text(site_token)
    shell.set("GIVEN", site_token)
    for words in (["--token-file", str(path)], ["--token-env", "GIVEN"]):
        assert shell("install", "--site", "--org", "acme", *words).code == 0
        assert shell("remove", "acme").code == 0


def test_token_as_argument_is_accepted_with_a_warning(shell: Shell, site_token: str) -> None:
    ran = shell("install", "--site", "--org", "acme", site_token).well()
    assert "history" in ran.err
    assert "--token-stdin" in ran.err
    assert site_token[:8] not in ran.err


def test_expiry_of_a_given_token_is_unknown_unless_it_is_given(given: Shell) -> None:
    assert "unknown (set it with --expires DATE)" in given(*GIVEN).err
    assert (
        given(*GIVEN, "--expires", "2031-05-01", "--json").json["expires"].startswith("2031-05-01")
    )


@pytest.mark.parametrize("date", ["soon", "2031-13-01", "2031-02-30", ""])
def test_expiry_that_is_not_a_date_is_an_error(shell: Shell, date: str) -> None:
    shell(*GIVEN, "--expires", date).failed(2, "2027-01-31")


def test_token_for_one_channel_is_sent_to_that_channel_only(given: Shell) -> None:
    channel = f"{given.sandbox.repo}acme/private"
    ran = given("install", "--site", "--org", "acme", "-c", channel, "--token-env", "T")
    assert f"Verified: downloaded package from {channel}" in ran.err
    sent = [request.path for request in given.sandbox.requests if request.authorization]
    assert sent
    assert all(path.startswith("/repo/acme/private/") for path in sent)


def test_given_token_that_is_refused_is_not_stored(shell: Shell, site_token: str) -> None:
    shell.set("T", site_token[::-1])
    shell(*GIVEN).failed(5, "It was not stored")
    assert shell.held() == []


def test_no_validate_makes_no_request_and_list_shows_it(shell: Shell, site_token: str) -> None:
    shell.set("T", site_token[::-1])
    shell(*GIVEN, "--no-validate").well()
    assert len(shell.sandbox.requests) == 0
    assert "not verified" in shell("list").out


def test_token_of_another_server_is_named_by_its_host(shell: Shell) -> None:
    shell.set("T", "k" * 32)
    url = "https://quetz.example/get/team"
    words = ("-c", url, "--token-env", "T", "--no-validate", "--send-as", "path")
    held = shell("install", *words, "--json").json
    assert held["scope"] == [url]
    assert held["organization"] == "quetz.example"
    assert held["scheme"] == "path"
    assert "/t/<token>/" in shell("which", f"{url}/noarch/repodata.json").out
    assert shell("which", "https://quetz.example/get/teams").code == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--site"], "--org"),
        (["--site", "--org", "acme"], "--token-stdin"),
        (["--site", "--org", "acme", "--token-env", "ABSENT"], "ABSENT"),
        (["--site", "--org", "acme", "--token-file", "/absent"], "/absent"),
        (["--site", "--org", "acme", "--token-env", "A", "--token-stdin"], "2 times"),
        (["--site", "--org", "a/b", "--token-env", "T"], "No organization is called"),
        (["-c", "http://quetz.example/x", "--token-env", "T"], "not encrypted"),
        (["-c", "https://q.example", "--token-env", "T", "--username", "me"], "--send-as basic"),
        (["--site", "--org", "acme", "--token-env", "TWO"], "several"),
        (["--site", "--org", "acme", "--token-env", "NONE"], "letters and digits"),
    ],
)
def test_options_that_exclude_each_other_are_one_line_and_change_nothing(
    shell: Shell, words: list[str], expected: str
) -> None:
    shell.set("T", "k" * 48)
    shell.set("TWO", f"{'k' * 48} {'j' * 48}")
    shell.set("NONE", "there is no such thing in here")
    shell("install", *words).failed(2, expected)
    assert shell.files() == {}


@pytest.mark.parametrize(
    ("words", "days", "action", "why"),
    [
        (["--if-missing"], None, "issued", "none is stored"),
        (["--if-missing"], 1, "kept", "still works"),
        (["--if-expiring", "14d"], 100, "kept", "still works"),
        (["--if-expiring", "2w"], 10, "replaced", "days left"),
        (["--if-expiring", "2w"], -3, "replaced", "expired"),
        (["--reissue"], 100, "replaced", "requested"),
    ],
)
def test_conditional_install_reports_its_action_and_the_reason(
    shell: Shell, words: list[str], days: int | None, action: str, why: str
) -> None:
    if days is not None:
        install_for(shell, days=days)
        shell.sandbox.world.renew("acme")
    ran = shell("install", "--org", "acme", *words, "--json").well()
    assert ran.json["action"] == action
    assert why in ran.json["why"]


def test_kept_token_needs_no_request_and_no_login(acme: Shell) -> None:
    acme.unset("ANACONDA_AUTH_API_KEY")
    acme.sandbox.requests.clear()
    assert acme("install", "--org", "acme", "--if-missing").code == 0
    assert len(acme.sandbox.requests) == 0


def install_for(shell: Shell, *, days: int) -> None:
    """Have a token of acme issued ten days ago, which ends with the subscription in ``days``."""
    clock = shell.sandbox.clock
    now = clock.now()
    clock.set(now - timedelta(days=10))
    shell.sandbox.world.end("acme", now + timedelta(days=days))
    shell.install("acme")
    clock.set(now)


def script(shell: Shell, *words: str) -> tuple[str, str]:
    """What `install` did as a script calls it, and why."""
    ran = shell("install", "--org", "acme", *words, "--json").well()
    return ran.json["action"], ran.json["why"]


def test_token_is_kept_if_a_new_one_would_end_on_the_same_day(shell: Shell) -> None:
    install_for(shell, days=10)
    before = shell.issued("acme")
    for _ in range(2):
        action, why = script(shell, "--if-expiring", "14d")
        assert (action, why) == ("kept", "a new one would expire on the same day")
    assert shell.issued("acme") == before


def test_token_that_was_extended_on_the_page_is_kept(shell: Shell) -> None:
    install_for(shell, days=10)
    shell.sandbox.world.renew("acme")
    shell.sandbox.world.sync(shell.issued("acme").id)
    assert script(shell, "--if-expiring", "14d") == ("kept", "it was extended")
    assert script(shell, "--if-expiring", "14d") == ("kept", "it still works")


@pytest.mark.parametrize("yes", [[], ["--yes"]], ids=["", "--yes"])
@pytest.mark.parametrize(
    "condition", [["--if-missing"], ["--if-expiring", "14d"], []], ids=" ".join
)
def test_token_of_another_machine_is_replaced_only_with_reissue(
    shell: Shell, condition: list[str], yes: list[str]
) -> None:
    words = [*condition, *yes]
    shell.install("acme")
    shell("remove", "acme")
    elsewhere = shell.issued("acme")
    shell("install", "--org", "acme", *words).failed(
        2,
        f"already has a token for you ({elsewhere.id}, valid until",
        "not stored on this machine",
        "ANACONDA_REPO_TOKEN",
        "--token-stdin",
        "--reissue",
    )
    assert shell.issued("acme") == elsewhere
    assert script(shell, "--reissue")[0] == "replaced"


def test_token_reissued_elsewhere_is_replaced_only_with_reissue(shell: Shell) -> None:
    install_for(shell, days=10)
    elsewhere = shell.sandbox.world.issue("acme", "ada")
    ran = shell("install", "--org", "acme", "--if-expiring", "14d").failed(2)
    assert str(elsewhere.id) in ran.err
    assert shell.issued("acme") == elsewhere
    assert shell("install", "--org", "acme", "--if-expiring", "14d", "--yes").code == 2
    assert shell.issued("acme") == elsewhere
    assert script(shell, "--reissue") == ("replaced", "it was requested")


def test_token_of_another_server_does_not_count_for_the_repository(shell: Shell) -> None:
    shell.set("T", "k" * 48)
    shell(
        "install",
        "--org",
        "acme",
        "-c",
        "https://q.example/acme",
        "--token-env",
        "T",
        "--no-validate",
    )
    assert script(shell, "--if-missing") == ("issued", "none is stored")


def test_kept_token_restores_a_missing_drop_in(acme: Shell) -> None:
    (drop_in,) = acme.home.rglob("conda-token-plugin.yml")
    before = drop_in.read_bytes()
    drop_in.unlink()
    assert script(acme, "--if-missing")[0] == "kept"
    assert drop_in.read_bytes() == before


@pytest.fixture
def machine(shell: Shell, tmp_path: Path) -> Path:
    """A place for the machine's store and its drop-in."""
    shell.set("CONDA_TOKEN_SYSTEM_HOME", str(tmp_path / "etc" / "store"))
    shell.set("CONDA_TOKEN_SYSTEM_CONDARC", str(tmp_path / "etc" / "condarc.d" / "ours.yml"))
    return tmp_path / "etc"


def test_system_token_is_stored_apart_from_the_users_tokens(given: Shell, machine: Path) -> None:
    ran = given(*GIVEN, "--system", "--group", "root").well()
    assert "Readers:  root only" in ran.err
    assert "of this machine" in ran.err
    assert [held["source"] for held in given.held()] == ["machine"]
    assert f"{given.sandbox.repo}acme/*" in (machine / "condarc.d" / "ours.yml").read_text()
    assert given.files() == {}
    assert "machine" in given("which", f"{given.sandbox.repo}acme/main").out


@pytest.mark.parametrize("option", ["--system", "-s"])
def test_system_token_is_removed_only_with_the_option(
    given: Shell, machine: Path, option: str
) -> None:
    given("set", "--org", "acme", option, "--group", "root", "--token-env", "T")
    assert given("remove", "acme").code == 1
    assert given("remove", "acme", option).code == 0
    assert given.held() == []
    assert not (machine / "condarc.d" / "ours.yml").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may chown")
def test_group_option_lets_only_that_group_read_the_machines_store(
    given: Shell, machine: Path
) -> None:
    words = (*GIVEN, "--system")
    assert given(*words, "--group", "nogroup").code == 0
    for path in (machine / "store", *(machine / "store").rglob("*")):
        assert path.group() == "nogroup"
        assert not path.stat().st_mode & 0o007
    assert given(*words, "--group", "no-such-group").code == 2


NOBODY = 65534
AS_NOBODY = f"""
import contextlib, grp, io, os, sys
import conda_token_plugin.operations.channel_settings, ruamel.yaml
from conda_token_plugin.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(sys.argv[1:])  # imports everything, which the other user may not be allowed to read
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
raise SystemExit(main(sys.argv[1:]))
"""


@pytest.fixture
def public(given: Shell) -> Iterator[Path]:
    """A machine with a token of acme for the group daemon, in a folder that all can reach."""
    folder = Path(tempfile.mkdtemp(prefix="machine"))
    folder.chmod(0o755)
    given.set("CONDA_TOKEN_SYSTEM_HOME", str(folder / "store"))
    given.set("CONDA_TOKEN_SYSTEM_CONDARC", str(folder / "condarc.d" / "ours.yml"))
    words = (*GIVEN, "--system")
    assert given(*words, "--group", "daemon").code == 0
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    yield home
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs a second user")
@pytest.mark.parametrize("words", [("list",), ("status",), ("which", "acme/main")])
def test_user_outside_the_group_learns_of_the_machines_token(
    public: Path, words: tuple[str, ...]
) -> None:
    variables = {**os.environ, "HOME": str(public)}
    argv = [sys.executable, "-c", AS_NOBODY, *words]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, env=variables)
    notice = (
        "This machine has a token for acme, but you are not in the group daemon. "
        "Ask your administrator."
    )
    assert ran.stderr.splitlines().count(notice) == 1, ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs a second user")
@pytest.mark.parametrize("words", [("list",), ("install", "acme")])
def test_home_of_another_user_is_reported_without_a_traceback(
    public: Path, shell: Shell, words: tuple[str, ...]
) -> None:
    (public / "store").mkdir(mode=0o700)
    shell.set("CONDA_TOKEN_HOME", str(public / "store"))
    variables = {**os.environ, "HOME": str(public)}
    argv = [sys.executable, "-c", AS_NOBODY, *words]
    ran = subprocess.run(argv, capture_output=True, text=True, check=False, env=variables)
    assert ran.returncode == 6
    assert "cannot be used: Permission denied" in ran.stderr
    assert "Make it writable" not in ran.stderr
    assert "CONDA_TOKEN_HOME" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_only_the_token_that_a_variable_supplies_can_be_stored(
    shell: Shell, site_token: str
) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", site_token)
    shell.set("ANOTHER", site_token[::-1])
    site = ("install", "--site", "--org", "acme", "--token-env")
    shell(*site, "ANOTHER").failed(2, "The token of 'acme' is supplied by ANACONDA_REPO_TOKEN_ACME")
    assert shell.files() == {}
    assert shell(*site, "ANACONDA_REPO_TOKEN_ACME").code == 0


def test_system_without_a_group_names_the_option_and_changes_nothing(
    given: Shell, machine: Path
) -> None:
    given(*GIVEN, "--system").failed(2, "(users, staff, root)", "--group NAME")
    assert not machine.exists()


def test_site_token_of_another_organization_is_not_verified_on_a_shared_channel(
    given: Shell,
) -> None:
    ran = given("install", "--site", "--org", "globex", "--token-env", "T").failed(
        5, "It was not stored", "/repo/globex/main"
    )
    assert ran.line.endswith("Check that the token is one of globex and was not revoked.")


def test_refused_scheme_is_reported_and_the_token_is_not_stored(given: Shell) -> None:
    with recording() as server:
        server.raw = ASKS_FOR_PASSWORD
        where = ("-c", f"{server.url}/get/main", "--org", "files")
        ran = given("install", "--site", *where, "--token-env", "T")
    assert ran.code == 5
    assert "Check that the token is one of files and was not revoked." in ran.line
    assert "--send-as basic" in ran.line
    assert given.held() == []


def test_organization_is_read_from_the_service_when_it_is_not_named(given: Shell) -> None:
    given.log_in("grace")
    assert given("install", "--site", "--token-env", "T", "--json").json["organization"] == "acme"


def test_default_channels_are_offered_only_after_the_token_is_verified(
    shell: Shell, site_token: str
) -> None:
    terminal = shell.at_terminal("install", "--site", "--org", "acme")
    terminal.wait_for("(not shown):")
    assert "default channels?" not in terminal.seen
    terminal.type(f"{site_token[::-1]}\n")
    assert terminal.finish() == 5
    assert "It was not stored" in terminal.seen
    assert "default channels?" not in terminal.seen
    assert shell.held() == []


def test_token_of_one_machine_is_stored_on_another_without_a_reissue(
    acme: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issued = acme.issued("acme").id
    words = ("run", "--org", "acme", "--as", "T", "--", "sh", "-c", 'printf %s "$T"')
    program = (sys.executable, "-m", "conda_token_plugin", *words)
    piped = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    acme.set("CONDA_TOKEN_HOME", str(tmp_path / "second"))
    acme.set("CONDA_TOKEN_CONDARC", str(tmp_path / "second.yml"))
    assert "--token-stdin" in acme("install", "--org", "acme", "--yes").line

    monkeypatch.setattr(sys, "stdin", io.StringIO(piped))
    ran = acme("install", "--org", "acme", "--token-stdin").well()
    assert "Verified: downloaded package from" in ran.err
    assert acme.issued("acme").id == issued
    assert acme("status").code == 0


@pytest.mark.parametrize(
    ("words", "argument"),
    [(("set", "--org", "acme"), "TOKEN"), (("install", "--site", "--org", "acme"), "ORG")],
)
def test_token_that_is_given_twice_is_refused_with_both_places(
    shell: Shell, words: tuple[str, ...], argument: str
) -> None:
    ran = shell(*words, "a-token-0123456789-abcdef", "--token-stdin")
    ran.failed(2, f"The token is given 2 times (the argument {argument}, --token-stdin).")
    assert "a-token-0123456789" not in ran.out + ran.err


def test_argument_is_the_organization_if_an_option_gives_the_token(shell: Shell) -> None:
    shell.set("GIVEN", shell.issued("acme", "").value)
    shell("install", "--site", "acme", "--token-env", "GIVEN").well()
    assert [one["organization"] for one in shell.held()] == ["acme"]
