"""Issuing is a transaction: after a kill anywhere, the token is stored or the loss reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.cli import main
from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.organization import NoSeat
from conda_token_plugin.errors.outcome import Interrupted
from conda_token_plugin.errors.store import IssueLost, KeyringUnusable, StoreUnusable
from conda_token_plugin.gateways.clock import Clock
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import name_of
from conda_token_plugin.operations import issue_journal, issue_token, store_token
from conda_token_plugin.operations.export_record import ExportRecord, Record
from conda_token_plugin.operations.issue_policy import IssueAction, IssuePlan
from conda_token_plugin.operations.issue_token import delayed_interrupt, issue
from conda_token_plugin.operations.store_token import CondaOptions, StoredToken, scope_of
from conda_token_plugin.service.client import Service
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import Store, user_store
from conda_token_plugin.tokens.repository_layout import shared_prefixes
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind, utc
from tests.support import tokens
from tests.support.stored_tokens import hold, put

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.service.models import IssuedToken
    from tests.support.machine import Machine

NOW = utc("2026-11-24T12:00:00Z")
KILLED = """
import os, signal, sys
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.cli import main
from conda_token_plugin.service.client import Service
from conda_token_plugin.store import Store

def killing(function):
    def call(*args, **kwargs):
        result = None if before else function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

place, before = sys.argv[1], sys.argv[2] == "before"
owner, name = {
    "issue": (Service, "issue"), "add": (Store, "add"), "update": (Store, "update"),
    "write": (dropin, "write"), "remove": (issue_journal, "remove"),
}[place]
setattr(owner, name, killing(getattr(owner, name)))
main(["install", "--org", "acme", "--yes"])
"""


@pytest.fixture
def variables(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_TOKEN_SERVICE_URL", sandbox.service)
    monkeypatch.setenv("CONDA_TOKEN_REPO_URL", sandbox.repo)
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("ANACONDA_AUTH_API_KEY", sandbox.world.api_key("ada"))


def plugin(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conda_token_plugin", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", ["issue", "add", "update", "write", "remove"])
def test_kill_during_issue_leaves_the_token_or_a_journal_entry(
    sandbox: Sandbox, place: str, when: str
) -> None:
    command = [sys.executable, "-c", KILLED, place, when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    issued = sandbox.world.current("acme", "ada")
    listed = plugin("list")
    assert listed.returncode == 0
    stored = issued is not None and issued.value[-4:] in listed.stdout
    reported = "was interrupted" in listed.stderr and "install --org acme" in listed.stderr
    assert issued is None or stored or reported
    assert issued is None or issued.value[:8] not in listed.stdout + listed.stderr
    assert plugin("install", "--org", "acme", "--yes").returncode == 0
    assert "was interrupted" not in plugin("list").stderr


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # lets the interpreter run the signal handler


def test_first_ctrl_c_is_delayed_until_the_block_is_done() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), delayed_interrupt():  # noqa: PT012  # what follows it
        press_ctrl_c()
        done.append("stored")
    assert done == ["stored"]


def test_second_ctrl_c_ends_the_block_at_once() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), delayed_interrupt():  # noqa: PT012  # what follows it
        press_ctrl_c()
        press_ctrl_c()
        done.append("stored")
    assert done == []


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("presses", "said", "left"), [(1, "is stored", 0), (2, "may have issued", 1)]
)
def test_ctrl_c_during_the_request_reports_what_was_changed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    presses: int,
    said: str,
    left: int,
) -> None:
    issue = Service.issue

    def interrupted(self: Service, organization: str) -> IssuedToken:
        for _ in range(presses):
            press_ctrl_c()
        return issue(self, organization)

    monkeypatch.setattr(Service, "issue", interrupted)
    assert main(["install", "--org", "acme", "--yes"]) == 130
    assert said in capsys.readouterr().err
    assert len(issue_journal.interrupted(Settings().store_folder)) == left


def entries(folder: Path) -> list[Path]:
    return list(folder.glob(f"{issue_journal.PREFIX}*"))


def test_journal_entry_is_removed_when_the_issue_fails_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoSeat), issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        raise NoSeat("acme")
    assert entries(tmp_path) == []


def test_journal_does_not_report_an_issue_that_is_running(tmp_path: Path) -> None:
    with issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        assert len(entries(tmp_path)) == 1
        assert issue_journal.interrupted(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"organization": "acme"}'])
def test_journal_skips_an_entry_that_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{issue_journal.PREFIX}0{issue_journal.SUFFIX}").write_bytes(content)
    assert issue_journal.interrupted(tmp_path) == []


def test_journal_reports_an_unlocked_entry_with_the_process_id_of_this_process(
    tmp_path: Path,
) -> None:
    facts = f'{{"organization": "acme", "started": "{NOW.isoformat()}", "process": {os.getpid()}}}'
    (tmp_path / f"{issue_journal.PREFIX}0{issue_journal.SUFFIX}").write_text(facts)
    (entry,) = issue_journal.interrupted(tmp_path)
    assert "install --org acme" in entry.warning


CHILD = """
import sys
from pathlib import Path
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.tokens.token import utc
with issue_journal.recorded(Path(sys.argv[1]), organization=sys.argv[2], now=utc("2026-11-24")):
    print("recorded", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="entries are not locked there")
@pytest.mark.parametrize("during", [[], ["globex"]], ids=["alone", "beside another issue"])
def test_journal_reports_the_issue_of_a_killed_process(tmp_path: Path, during: list[str]) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), "acme"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"recorded\n"
        for organization in during:  # starts and ends while the other one is running
            with issue_journal.recorded(tmp_path, organization=organization, now=NOW):
                pass
        assert issue_journal.interrupted(tmp_path) == []
        child.kill()
    (entry,) = issue_journal.interrupted(tmp_path)
    assert entry.organization == "acme"


def test_successful_issue_removes_interrupted_entries_of_its_organization(tmp_path: Path) -> None:
    for number, organization in enumerate(["acme", "globex"]):
        facts = f'{{"organization": "{organization}", "started": "{NOW.isoformat()}"}}'
        (tmp_path / f"{issue_journal.PREFIX}{number}{issue_journal.SUFFIX}").write_text(facts)
    with issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        pass
    (entry,) = issue_journal.interrupted(tmp_path)
    assert entry.organization == "globex"


def full(*_args: object, **_options: object) -> None:
    raise StoreUnusable(Path("/store/index"), reason="No space left on device")


def unwritable(path: Path, **_options: object) -> None:
    raise ConfigurationError(path, reason="cannot be written: No space left on device")


@pytest.mark.usefixtures("variables")
def test_store_failure_after_the_issue_reports_that_the_token_is_lost(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Store, "add", full)
    assert main(["install", "--org", "acme", "--yes"]) == IssueLost.exit_code
    issued = sandbox.world.current("acme", "ada")
    said = capsys.readouterr().err
    assert "No space left on device." in said
    assert "could not be stored" in said
    assert "Nothing was changed" not in said
    assert "conda token install --org acme" in said
    assert issued is not None
    assert issued.value not in said


@pytest.mark.usefixtures("variables")
def test_drop_in_failure_after_the_issue_is_repaired_without_issuing_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(dropin, "write", unwritable)
        assert main(["install", "--org", "acme", "--yes"]) == ConfigurationError.exit_code
    assert "conda token install --org acme --if-missing" in capsys.readouterr().err
    issued = sandbox.world.current("acme", "ada")
    assert main(["install", "--org", "acme", "--if-missing"]) == 0
    assert sandbox.world.current("acme", "ada") == issued
    assert "auth: conda-token-plugin" in next(
        Path.home().rglob("conda-token-plugin.yml")
    ).read_text("utf-8")


def issued(machine: Machine, *, now: datetime = NOW, **options: Any) -> StoredToken:
    """Issue the token of ada for acme, and store it on ``machine``."""
    key = Secret(machine.sandbox.world.api_key("ada"))
    return issue(
        IssuePlan("acme", IssueAction.ISSUE, "it was asked for"),
        options=CondaOptions(**options),
        service=Service(machine.sandbox.service, api_key=key, source="test"),
        store=user_store(machine.settings),
        settings=machine.settings,
        clock=Clock(now),
    )


def test_issued_token_is_stored_with_its_metadata_and_verified(machine: Machine) -> None:
    now = machine.sandbox.clock.now()

    stored = issued(machine, now=now)

    value = machine.sandbox.world.current("acme", "ada")
    assert value is not None
    repository = machine.sandbox.repo
    assert stored.token == Token(
        organization="acme",
        kind=TokenKind.INDIVIDUAL,
        scope=(f"{repository}acme", *shared_prefixes(repository)),
        last_four=value.value[-4:],
        issued=now,
        expires=value.expires,
        checked=now,
        verified=now,
    )
    store = user_store(machine.settings)
    assert store.tokens() == (stored.token,)
    assert store.secret(stored.token.key) == Secret(value.value)
    assert stored.verification is not None
    assert stored.verification.verified
    assert (stored.vault, stored.fault, stored.copies) == ("file", None, ())


@pytest.mark.parametrize(
    ("path", "status", "fault", "verified"),
    [
        ("/repo/", 503, True, None),
        ("/repo/", 404, False, None),
        ("/repo/acme", 404, False, False),
    ],
    ids=["no answer", "no channel", "accepted by a shared channel only"],
)
def test_issued_token_that_cannot_be_verified_is_stored_without_the_time_of_a_verification(
    machine: Machine,
    path: str,
    status: int,
    fault: bool,  # noqa: FBT001  # a parameter of the test
    verified: bool | None,  # noqa: FBT001  # a parameter of the test
) -> None:
    machine.sandbox.fail_next(path, status=status, times=99)

    stored = issued(machine)

    assert bool(stored.fault) is fault
    assert (stored.verification and stored.verification.verified) is verified
    (token,) = user_store(machine.settings).tokens()
    assert (token, token.verified) == (stored.token, None)


CHANNELS, DEFAULTS = ("https://h.example/a",), ("https://h.example/b",)


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        (CondaOptions(), None, ((), ())),
        (CondaOptions(CHANNELS, DEFAULTS), None, (CHANNELS, DEFAULTS)),
        (CondaOptions(), (CHANNELS, DEFAULTS), (CHANNELS, DEFAULTS)),
        (CondaOptions((), ()), (CHANNELS, DEFAULTS), ((), ())),
        (CondaOptions(DEFAULTS), (CHANNELS, DEFAULTS), (DEFAULTS, DEFAULTS)),
    ],
)
def test_channels_of_conda_are_those_of_the_options_or_of_the_token_before(
    options: CondaOptions,
    before: tuple[tuple[str, ...], tuple[str, ...]] | None,
    after: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    held = None
    if before is not None:
        channels, defaults = before
        held = tokens.token("acme")._replace(channels=channels, default_channels=defaults)

    token = options.applied(tokens.token("acme"), before=held)

    assert (token.channels, token.default_channels) == after


def test_token_before_is_asked_for_the_channels_of_conda(machine: Machine) -> None:
    hold(machine, "acme", channels=CHANNELS)

    assert issued(machine).token.channels == CHANNELS


@pytest.mark.parametrize("add", [True, False])
def test_drop_in_adds_the_default_channels_if_the_options_say_so(
    machine: Machine, *, add: bool
) -> None:
    issued(machine, default_channels=DEFAULTS, add_defaults=add)

    assert ("  - defaults" in machine.settings.condarc.read_text("utf-8")) is add


@pytest.mark.parametrize("named", [True, False])
def test_cached_index_of_a_channel_that_the_token_adds_is_deleted(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    channel = f"{machine.sandbox.repo}acme/unusual"
    cached = tmp_path / "pkgs" / "cache" / f"{name_of(f'{channel}/noarch')}.json"
    cached.parent.mkdir(parents=True)
    cached.write_text("{}")
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(tmp_path / "pkgs"))
    machine.variables["CONDA_TOKEN_CONDARC"] = str(tmp_path / "elsewhere.yml")

    issued(machine, channels=(channel,) if named else ())

    assert cached.exists() is not named


@pytest.mark.parametrize(
    ("holder", "shared", "taken"),
    [
        ("", None, True),
        ("acme", None, True),
        ("globex", None, False),
        ("globex", True, True),
        ("", False, False),
    ],
)
def test_shared_channels_are_in_the_scope_unless_another_organization_has_them(
    machine: Machine,
    holder: str,
    shared: bool | None,  # noqa: FBT001  # a parameter of the test
    taken: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    if holder:
        hold(machine, holder, shared=True)
    settings, common = machine.settings, shared_prefixes(machine.sandbox.repo)

    scope = scope_of("acme", store=user_store(settings), settings=settings, shared=shared)

    assert scope == (f"{machine.sandbox.repo}acme", *(common if taken else ()))


@pytest.mark.parametrize(("organization", "left"), [("acme", 1), ("globex", 2)])
def test_token_without_a_prefix_is_removed_if_its_own_organization_has_replaced_it(
    machine: Machine, organization: str, left: int
) -> None:
    url = f"{machine.sandbox.repo}acme"
    put(machine, tokens.value(1), organization="acme", scope=(f"{url}/a",))
    put(machine, tokens.value(2), organization=organization, scope=(url, f"{url}/a"))

    stored = user_store(machine.settings).tokens()

    assert len(stored) == left
    assert [token.scope for token in stored if token.key.endswith("/a")] == [()] * (left - 1)


def test_token_that_loses_no_prefix_is_not_changed(machine: Machine) -> None:
    url = machine.sandbox.repo
    held = put(machine, tokens.value(1), organization="globex", scope=(f"{url}globex",))

    stored = issued(machine)

    assert user_store(machine.settings).tokens() == (stored.token, held)


def test_token_that_keeps_a_prefix_is_not_removed(machine: Machine) -> None:
    url = f"{machine.sandbox.repo}acme"
    put(machine, tokens.value(1), organization="acme", scope=(f"{url}/a", f"{url}/b"))
    put(machine, tokens.value(2), organization="acme", scope=(url, f"{url}/a"))

    scopes = {token.scope for token in user_store(machine.settings).tokens()}

    assert scopes == {(url, f"{url}/a"), (f"{url}/b",)}


def test_exported_copy_that_cannot_be_written_is_reported(machine: Machine) -> None:
    record = Record(
        target="rattler",
        place=str(machine.home),  # not a file
        key=f"{machine.sandbox.repo}acme",
        organization="acme",
        token=f"acme@{machine.sandbox.repo}acme",
        mark="0000",
    )
    with ExportRecord(machine.settings).held() as exports:
        exports.add(record)
        exports.add(replace(record, place=str(machine.home / "deleted.json")))

    (copy,) = issued(machine).copies

    assert copy.failed
    assert copy.record.place == str(machine.home)
    assert "is not a regular file" in copy.reason
    assert copy.reason.endswith("run: conda token export rattler --org acme")


def test_exports_that_cannot_be_refreshed_are_reported(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_token, "refresh_exports", full)

    stored = issued(machine)

    reason = str(StoreUnusable(Path("/store/index"), reason="No space left on device"))
    assert str(stored.copies_fault) == reason
    assert user_store(machine.settings).tokens() == (stored.token,)


def test_nothing_is_issued_if_the_keyring_does_not_keep_a_secret(machine: Machine) -> None:
    machine.variables["CONDA_TOKEN_STORE"] = "keyring"

    with pytest.raises(KeyringUnusable):
        issued(machine)

    assert machine.sandbox.world.current("acme", "ada") is None


@pytest.mark.parametrize(
    ("broken", "error"),
    [(["credentials"], StoreUnusable), (["add", "token"], IssueLost), (["add"], IssueLost)],
    ids=["after the token was stored", "store is not readable", "token was not stored"],
)
def test_issue_is_lost_only_if_the_token_is_not_stored(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, broken: list[str], error: type[Exception]
) -> None:
    def fail(*args: Any) -> None:
        if machine.sandbox.world.current("acme", "ada"):
            full(*args)

    for name in broken:
        monkeypatch.setattr(Store, name, fail)

    with pytest.raises(error) as caught:
        issued(machine)
    assert type(caught.value) is error


def test_drop_in_failure_after_the_issue_says_that_the_token_is_stored(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropin, "write", unwritable)

    with pytest.raises(ConfigurationError) as caught:
        issued(machine)

    assert caught.value.hint.endswith(
        "The token is stored; then run: conda token install --org acme --if-missing"
    )
    assert user_store(machine.settings).tokens()


def test_interruption_says_what_the_next_command_is(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Service, "issue", interrupted)
    with pytest.raises(Interrupted) as before:
        issued(machine)
    monkeypatch.undo()
    monkeypatch.setattr(issue_token, "refreshed", interrupted)
    with pytest.raises(Interrupted) as after:
        issued(machine)

    assert str(before.value) == (
        "Interrupted while a token of acme was requested: the service may have issued one and "
        "revoked the previous one. Run: conda token install --org acme --reissue"
    )
    assert str(after.value) == (
        "Interrupted: the token of acme was issued and is stored; it was not verified."
    )


def test_handler_of_ctrl_c_is_the_same_after_the_block_and_in_other_threads() -> None:
    def inside() -> object:
        with delayed_interrupt():
            return signal.getsignal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() is before
    assert inside() is not before
    assert signal.getsignal(signal.SIGINT) is before
