"""The choice of the vault, with keyrings that are absent, locked, refuse, hang or crash."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import KeyringUnusable, SecretLost
from conda_token_plugin.gateways import command, files, keyring
from conda_token_plugin.store import Store, keyring_probe, vaults
from conda_token_plugin.store.keyring_probe import ProbeAnswer, ProbeReport
from tests.store import stores
from tests.support import keyrings, tokens

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

ACME = tokens.token("acme")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that chooses a fake backend, or any other by its full name."""

    def set_to(name: str) -> None:
        full = name if "." in name else f"{keyrings.NAME}{name}"
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", full)

    return set_to


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[ProbeReport]:
    """Return the list of the reports of all probes."""
    reports: list[ProbeReport] = []
    real = keyring_probe.probe

    def counting(*, explicit: bool) -> ProbeReport:
        reports.append(real(explicit=explicit))
        return reports[-1]

    monkeypatch.setattr(keyring_probe, "probe", counting)
    return reports


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("InFolder", ProbeAnswer.WORKING, ""),
        ("Small", ProbeAnswer.WORKING, ""),
        ("Chattering", ProbeAnswer.WORKING, ""),
        ("Locked", ProbeAnswer.LOCKED, "is locked"),
        ("Refusing", ProbeAnswer.REFUSED, "refused a test entry: keyring.errors.PasswordSetError"),
        ("Foreign", ProbeAnswer.REFUSED, "refused a test entry: LookupError"),
        ("Lying", ProbeAnswer.REFUSED, "did not return what was stored"),
        ("Forgetting", ProbeAnswer.REFUSED, ""),
        ("Keeping", ProbeAnswer.REFUSED, "did not delete what was stored"),
        ("Crashing", ProbeAnswer.REFUSED, "could not be probed: the process was ended by signal"),
        ("keyring.backends.fail.Keyring", ProbeAnswer.REFUSED, "NoKeyringError"),
        ("keyring.backends.null.Keyring", ProbeAnswer.REFUSED, "did not return what was stored"),
        ("no.such.Backend", ProbeAnswer.ABSENT, "is absent: No module named 'no'"),
    ],
)
def test_probe_reports_the_state_of_the_keyring(
    use: Callable[[str], None], name: str, answer: ProbeAnswer, reason: str
) -> None:
    use(name)
    finding = keyring_probe.probe(explicit=True)
    assert (finding.answer, reason in finding.reason) == (answer, True), finding
    assert "\n" not in finding.reason
    assert keyrings.fake_users() <= {"test"} or name == "Keeping"


def test_probe_kills_its_process_group_when_the_keyring_hangs(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_probe, "LIMIT", 1.0)
    started: list[int] = []
    real = command._end

    def remembering(process: subprocess.Popen[bytes]) -> None:
        started.append(process.pid)
        real(process)

    monkeypatch.setattr(command, "_end", remembering)
    use("Hanging")
    finding = keyring_probe.probe(explicit=True)
    assert finding.answer is ProbeAnswer.HUNG
    assert finding.reason == "did not answer within 1 seconds"
    (child,) = started
    with pytest.raises(ProcessLookupError):
        os.killpg(child, 0)


def test_probe_reports_absent_when_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT
    assert keyring_probe.probe(explicit=True).answer is ProbeAnswer.ABSENT


@pytest.mark.parametrize(
    "name", ["InFolder", "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"]
)
def test_probe_reports_absent_when_an_unrequested_backend_is_not_the_systems(
    use: Callable[[str], None], name: str
) -> None:
    use(name)
    finding = keyring_probe.probe(explicit=False)
    assert finding.answer is ProbeAnswer.ABSENT
    assert "is not to be used: Python's keyring is set to" in finding.reason


def test_probe_does_not_import_a_backend_that_another_package_registers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As that of anaconda-auth, which claims the highest priority and writes a plain file."""
    (tmp_path / "preferred.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "open(__file__ + '.imported', 'w').close()\n"
        "class Preferred(KeyringBackend):\n    priority = 100\n"
    )
    info = tmp_path / "preferred-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: preferred\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[keyring.backends]\npreferred = preferred\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT
    assert not (tmp_path / "preferred.py.imported").exists()


def test_probe_reports_refused_when_no_process_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    finding = keyring_probe.probe(explicit=True)
    assert finding.answer is ProbeAnswer.REFUSED
    assert (
        finding.reason
        == "could not be probed: the process cannot be started: No such file or directory"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Locked", "is locked"),
        ("Refusing", "refused a test entry"),
        ("Lying", "did not return what was stored"),
        ("no.such.Backend", "is absent"),
    ],
)
def test_keyring_choice_is_refused_and_writes_nothing_when_the_keyring_does_not_work(
    folder: Path, use: Callable[[str], None], name: str, reason: str
) -> None:
    use(name)
    store = Store(folder, choice="keyring")
    for act in (store.check_writable, lambda: store.add(ACME, tokens.secret(1))):
        with pytest.raises(KeyringUnusable, match=f"The system keyring {reason}.*--store file"):
            act()
    assert not folder.exists()


def test_auto_choice_reports_why_files_are_used(folder: Path, use: Callable[[str], None]) -> None:
    use("InFolder")
    store = Store(folder)
    store.check_writable()
    assert store.add(ACME, tokens.secret(1)) == "file"
    (notice,) = store.notices
    assert notice.startswith("The system keyring is not to be used: Python's keyring is set to")
    assert f"stored in files that only you can read, in {folder}." in notice
    again = Store(folder)
    again.add(ACME, tokens.secret(2))
    assert again.notices == [], "it is reported once per machine"


def test_file_choice_does_not_probe_the_keyring(folder: Path, probes: list[ProbeReport]) -> None:
    store = Store(folder, choice="file")
    store.check_writable()
    store.add(ACME, tokens.secret(1))
    assert (store.notices, probes) == ([], [])


def test_working_keyring_is_probed_once_across_stores(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport]
) -> None:
    use("InFolder")
    for number in range(3):
        Store(folder, choice="keyring").add(ACME, tokens.secret(number))
        Store(folder, choice="keyring").set_login(tokens.SERVICE, tokens.secret(number))
    assert [finding.answer for finding in probes] == [ProbeAnswer.WORKING]


def test_keyring_that_was_proven_is_not_probed_by_another_store(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport]
) -> None:
    use("InFolder")
    Store(folder, choice="keyring").check_writable()
    Store(folder, choice="keyring").add(ACME, tokens.secret(1))
    assert len(probes) == 1


def test_store_object_probes_once_for_several_writes(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport]
) -> None:
    use("InFolder")
    store = Store(folder, choice="keyring")
    store.check_writable()
    store.add(ACME, tokens.secret(1))
    store.check_writable()
    assert len(probes) == 1


def test_prove_writable_probes_again_when_the_keyring_worked_before(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], empty_home: Path
) -> None:
    use("Failing")
    (empty_home / "works").touch()
    Store(folder, choice="keyring").add(ACME, tokens.secret(1))
    (empty_home / "works").unlink()
    with pytest.raises(KeyringUnusable, match="out of order"):
        Store(folder, choice="keyring").check_writable()
    assert [finding.answer for finding in probes] == [ProbeAnswer.WORKING, ProbeAnswer.REFUSED]


def test_failure_of_a_working_keyring_is_an_error_and_deletes_the_saved_result(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], empty_home: Path
) -> None:
    use("Failing")
    (empty_home / "works").touch()
    Store(folder, choice="keyring").add(ACME, tokens.secret(1))
    (empty_home / "works").unlink()
    store = Store(folder, choice="keyring")
    with pytest.raises(KeyringUnusable, match="refused: PasswordSetError"):
        store.add(ACME, tokens.secret(2))
    assert store.secret(ACME.key) == tokens.secret(1)
    (empty_home / "works").touch()
    Store(folder, choice="keyring").add(ACME, tokens.secret(3))
    assert len(probes) == 2
    assert {f"{user})" for user in keyrings.fake_users()} == stores.live(folder)


@pytest.mark.parametrize("name", ["no.such.Backend", "Refusing"])
def test_auto_choice_keeps_a_negative_result_for_a_day(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], name: str
) -> None:
    use(name)
    for number in range(3):
        store = Store(folder)
        store.check_writable()
        store.add(ACME, tokens.secret(number))
        assert len(store.notices) == (0 if number else 1), "it is reported once per machine"
    assert len(probes) == 1
    note = folder / files.PROBE_RESULT
    yesterday = {**json.loads(note.read_text()), "at": time.time() - 25 * 60 * 60}
    note.write_text(json.dumps(yesterday))
    Store(folder).add(ACME, tokens.secret(4))
    assert len(probes) == 2


def test_saved_result_is_ignored_in_other_circumstances(
    folder: Path,
    use: Callable[[str], None],
    probes: list[ProbeReport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use("InFolder")
    Store(folder).add(ACME, tokens.secret(1))
    use("Small")
    Store(folder).add(ACME, tokens.secret(2))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    Store(folder).add(ACME, tokens.secret(3))
    Store(folder, choice="keyring").add(ACME, tokens.secret(4))
    assert len(probes) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"found": {"answer": "maybe"}, "for": {}}'])
def test_unreadable_saved_result_is_replaced(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], text: str
) -> None:
    use("InFolder")
    folder.mkdir(mode=0o700)
    (folder / files.PROBE_RESULT).write_text(text)
    Store(folder).add(ACME, tokens.secret(1))
    assert json.loads((folder / files.PROBE_RESULT).read_text())["found"]["answer"] == "absent"
    assert len(probes) == 1


@pytest.fixture
def in_keyring(folder: Path, use: Callable[[str], None]) -> Path:
    """Return a store with secrets in a working keyring, which ``replaced_by`` can replace."""
    use("InFolder")
    store = Store(folder, choice="keyring")
    store.add(ACME, tokens.secret(1))
    store.add(tokens.token("other"), tokens.secret(2))
    return folder


def replaced_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "InFolder", getattr(keyrings, name))


def test_keyring_that_returns_another_entry_is_refused(in_keyring: Path, empty_home: Path) -> None:
    paths = list((empty_home / "keyring").iterdir())
    heads, entries = zip(*(path.read_text().split("\n", 1) for path in paths), strict=True)
    for path, head, entry in zip(paths, heads, reversed(entries), strict=True):
        path.write_text(f"{head}\n{entry}")
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match="the secret of another entry"):
        store.secret(ACME.key)


def test_keyring_that_changes_values_is_refused(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Lying", monkeypatch)
    with pytest.raises(
        KeyringUnusable, match=r"returned another value for acme@.* than was stored"
    ):
        Store(in_keyring).secret(ACME.key)


def test_locked_keyring_is_called_once_per_process(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Locked", monkeypatch)
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match=r"is locked.*Unlock it"):
        store.secret(ACME.key)
    replaced_by("Crashing", monkeypatch)
    with pytest.raises(KeyringUnusable, match="is locked"):
        store.secret(tokens.token("other").key)


def test_hanging_keyring_is_waited_for_once_per_process(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "LIMIT", 0.1)
    replaced_by("Hanging", monkeypatch)
    store = Store(in_keyring)
    for _ in range(3):
        with pytest.raises(KeyringUnusable, match="did not answer within 0 seconds"):
            store.secret(ACME.key)
    assert len(store.tokens()) == 2
    waiting = [thread for thread in threading.enumerate() if thread.name == "conda-token-plugin"]
    assert len(waiting) == 1
    assert waiting[0].daemon, "the end of the process does not wait for it"
    keyrings.RELEASE.set()
    waiting[0].join()
    keyrings.RELEASE.clear()


def test_keyring_that_returns_a_value_for_every_name_is_called_a_bounded_number_of_times(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Echoing", monkeypatch)
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match="returned another value"):
        store.secret(ACME.key)
    store.remove(ACME.key)
    assert keyrings.Echoing.asked <= 2 * vaults.MAX_PARTS


def test_token_in_a_locked_keyring_is_removed_and_its_secret_deleted_later(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        replaced_by("Locked", patch)
        store = Store(in_keyring)
        store.remove(ACME.key)
        assert [token.organization for token in store.tokens()] == ["other"]
        assert store.notices == [
            "The system keyring is locked. A later command deletes the removed secret."
        ]
        assert {f"{user})" for user in keyrings.fake_users()} > stores.live(in_keyring)
    Store(in_keyring, choice="keyring").set_login(tokens.SERVICE, tokens.secret(3))
    assert {f"{user})" for user in keyrings.fake_users()} == stores.live(in_keyring)


def test_deleted_keyring_entry_is_reported_with_the_command_for_another(
    in_keyring: Path, empty_home: Path
) -> None:
    for path in (empty_home / "keyring").iterdir():
        path.unlink()
    with pytest.raises(
        SecretLost, match=r"missing from the keyring.*conda token install --org acme"
    ):
        Store(in_keyring).secret(ACME.key)


def test_token_moves_from_the_keyring_to_a_file_and_back(in_keyring: Path) -> None:
    store = Store(in_keyring, choice="file")
    assert store.add(ACME, tokens.secret(5)) == "file"
    assert store.vault_of(ACME.key) == "file"
    assert store.vault_of(tokens.token("other").key) == "keyring"
    assert len(keyrings.fake_users()) == 1
    back = Store(in_keyring, choice="keyring")
    assert back.add(ACME, tokens.secret(6)) == "keyring"
    assert stores.files(in_keyring) == set()
    assert back.secret(ACME.key) == tokens.secret(6)


def test_listing_and_updating_call_no_keyring(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Crashing", monkeypatch)
    monkeypatch.setattr(vaults.KeyringVault, "_call", lambda *_, **__: os.abort())
    store = Store(in_keyring)
    assert len(store.tokens()) == 2
    assert store.vault_of(ACME.key) == "keyring"
    store.update(tokens.token("acme", last_four="abcd"))
    store.add(tokens.token("third"), tokens.secret(3))
    store.remove(tokens.token("third").key)


@pytest.mark.parametrize("name", ["Refusing", "Foreign"])
def test_keyring_error_that_contains_the_secret_is_not_shown(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    replaced_by(name, monkeypatch)
    with pytest.raises(KeyringUnusable) as caught:
        Store(in_keyring, choice="keyring").add(ACME, tokens.secret("quoted"))
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert tokens.value("quoted")[:8] not in f"{chain!r} {caught.value}"


def test_keyring_entry_fits_the_limits_of_windows_and_names_its_token(
    in_keyring: Path, empty_home: Path
) -> None:
    store = Store(in_keyring, choice="keyring")
    store.set_login("s" * 2000, tokens.secret("key", length=4096))
    texts = [path.read_text() for path in (empty_home / "keyring").iterdir()]
    heads, entries = zip(*(text.split("\n", 1) for text in texts), strict=True)
    assert max(map(len, entries)) <= 1280
    assert max(map(len, heads)) <= 513
    assert sum(head.startswith(ACME.key) for head in heads) == 1


class FakeItem:
    """An item of the Secret Service."""

    def __init__(self, username: str, *, items: list[FakeItem]) -> None:
        self.username, self.items = username, items

    def get_attributes(self) -> dict[str, str]:
        return {"service": vaults.SERVICE, "username": self.username}

    def delete(self) -> None:
        self.items.remove(self)


@pytest.fixture
def items(monkeypatch: pytest.MonkeyPatch) -> list[FakeItem]:
    """Return the items of a Secret Service in memory."""
    held: list[FakeItem] = []

    def search(_: object, attributes: dict[str, str]) -> list[FakeItem]:
        return [item for item in held if attributes.items() <= item.get_attributes().items()]

    module = SimpleNamespace(
        dbus_init=lambda: SimpleNamespace(close=lambda: None), search_items=search
    )
    monkeypatch.setitem(sys.modules, "secretstorage", module)
    return held


def test_leftover_entries_are_those_that_the_store_does_not_name(
    in_keyring: Path, items: list[FakeItem]
) -> None:
    known = Store(in_keyring).entries()
    named = min(known)
    for username in (named, f"{named}/2", "gone (x.1)", "gone (x.1)/2"):
        items.append(FakeItem(username, items=items))
    assert vaults.leftover_entries(known) == ["gone (x.1)", "gone (x.1)/2"]
    vaults.delete_leftover("gone (x.1)")
    assert [item.username for item in items] == [named, f"{named}/2", "gone (x.1)/2"]


def test_listing_leftover_entries_is_bounded_when_the_service_hangs(
    items: list[FakeItem], monkeypatch: pytest.MonkeyPatch
) -> None:
    del items
    monkeypatch.setattr(vaults, "LIST_LIMIT", 0.05)
    monkeypatch.setattr(sys.modules["secretstorage"], "dbus_init", keyrings.RELEASE.wait)
    with pytest.raises(KeyringUnusable, match="did not answer within 0 seconds"):
        vaults.leftover_entries(frozenset())
    keyrings.RELEASE.set()
    keyrings.RELEASE.clear()
