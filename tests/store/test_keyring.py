"""Where secrets go: keyrings that are absent, locked, refuse, hang, crash and lie."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import KeyringUnusable, SecretLost
from conda_token_plugin.store import Store, backend_choice, keyring_probe, keyring_vault
from conda_token_plugin.store.keyring_probe import ProbeAnswer, ProbeReport
from tests.store import keyrings, made

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

ACME = made.token("acme")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set Python's keyring to one of ours, or to any."""

    def set_to(name: str) -> None:
        full = name if "." in name else f"{keyrings.NAME}{name}"
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", full)

    return set_to


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[ProbeReport]:
    """The findings of every probe that is made."""
    made_so_far: list[ProbeReport] = []
    real = keyring_probe.probe

    def counting(*, explicit: bool) -> ProbeReport:
        made_so_far.append(real(explicit=explicit))
        return made_so_far[-1]

    monkeypatch.setattr(keyring_probe, "probe", counting)
    return made_so_far


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("InFolder", ProbeAnswer.WORKING, ""),
        ("Small", ProbeAnswer.WORKING, ""),
        ("Chattering", ProbeAnswer.WORKING, ""),
        ("Locked", ProbeAnswer.LOCKED, "is locked"),
        ("Refusing", ProbeAnswer.REFUSED, "refused a test entry: keyring.errors.PasswordSetError"),
        ("Foreign", ProbeAnswer.REFUSED, "refused a test entry: LookupError"),
        ("Lying", ProbeAnswer.REFUSED, "did not give back what was put in"),
        ("Forgetting", ProbeAnswer.REFUSED, ""),
        ("Keeping", ProbeAnswer.REFUSED, "did not delete what was put in"),
        ("Crashing", ProbeAnswer.REFUSED, "refused a test entry: "),
        ("keyring.backends.fail.Keyring", ProbeAnswer.REFUSED, "NoKeyringError"),
        ("keyring.backends.null.Keyring", ProbeAnswer.REFUSED, "did not give back what was put in"),
        ("no.such.Backend", ProbeAnswer.ABSENT, "is absent: No module named 'no'"),
    ],
)
def test_the_probe_tells_keyrings_apart(
    use: Callable[[str], None], name: str, answer: ProbeAnswer, reason: str
) -> None:
    use(name)
    finding = keyring_probe.probe(explicit=True)
    assert (finding.answer, reason in finding.reason) == (answer, True), finding
    assert "\n" not in finding.reason
    assert keyrings.users() <= {"test"} or name == "Keeping"


def test_a_keyring_that_hangs_is_given_up_with_all_it_has_started(
    use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_probe, "LIMIT", 1.0)
    started: list[subprocess.Popen[str]] = []
    real = keyring_probe._started

    def remembering(*, explicit: bool) -> subprocess.Popen[str]:
        started.append(real(explicit=explicit))
        return started[-1]

    monkeypatch.setattr(keyring_probe, "_started", remembering)
    use("Hanging")
    finding = keyring_probe.probe(explicit=True)
    assert finding.answer is ProbeAnswer.HUNG
    assert finding.reason == "did not answer within 1 seconds"
    (child,) = started
    assert child.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


def test_a_machine_without_any_keyring_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT
    assert keyring_probe.probe(explicit=True).answer is ProbeAnswer.ABSENT


@pytest.mark.parametrize(
    "name", ["InFolder", "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"]
)
def test_a_backend_that_is_no_system_keyring_counts_only_if_a_keyring_was_asked_for(
    use: Callable[[str], None], name: str
) -> None:
    use(name)
    finding = keyring_probe.probe(explicit=False)
    assert finding.answer is ProbeAnswer.ABSENT
    assert "is not to be used: Python's keyring is set to" in finding.reason


def test_a_backend_that_another_package_registers_is_not_even_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As anaconda-auth's, which claims the highest priority and writes a plain file."""
    (tmp_path / "greedy.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "open(__file__ + '.imported', 'w').close()\n"
        "class Greedy(KeyringBackend):\n    priority = 100\n"
    )
    info = tmp_path / "greedy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greedy\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[keyring.backends]\ngreedy = greedy\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    assert keyring_probe.probe(explicit=False).answer is ProbeAnswer.ABSENT
    assert not (tmp_path / "greedy.py.imported").exists()


def test_without_an_interpreter_the_keyring_counts_as_refusing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    finding = keyring_probe.probe(explicit=True)
    assert finding.answer is ProbeAnswer.REFUSED
    assert finding.reason == "could not be tried: No such file or directory"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Locked", "is locked"),
        ("Refusing", "refused a test entry"),
        ("Lying", "did not give back what was put in"),
        ("no.such.Backend", "is absent"),
    ],
)
def test_who_chooses_a_keyring_that_does_not_work_is_refused_and_nothing_is_written(
    folder: Path, use: Callable[[str], None], name: str, reason: str
) -> None:
    use(name)
    store = Store(folder, choice="keyring")
    for act in (store.prove_writable, lambda: store.add(ACME, made.secret(1))):
        with pytest.raises(KeyringUnusable, match=f"The system keyring {reason}.*--store file"):
            act()
    assert not folder.exists()


def test_auto_says_why_it_takes_the_file(folder: Path, use: Callable[[str], None]) -> None:
    use("InFolder")
    store = Store(folder)
    assert store.prove_writable() == "file"
    assert store.add(ACME, made.secret(1)) == "file"
    (notice,) = store.notices
    assert notice.startswith("The system keyring is not to be used: Python's keyring is set to")
    assert f"kept in a file for you alone, below {folder}" in notice
    again = Store(folder)
    again.add(ACME, made.secret(2))
    assert again.notices == [notice], "it says so each time"


def test_who_chooses_the_file_hears_of_no_keyring(folder: Path, probes: list[ProbeReport]) -> None:
    store = Store(folder, choice="file")
    store.prove_writable()
    store.add(ACME, made.secret(1))
    assert (store.notices, probes) == ([], [])


def test_a_keyring_that_works_is_probed_once_and_remembered(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport]
) -> None:
    use("InFolder")
    for number in range(3):
        Store(folder, choice="keyring").add(ACME, made.secret(number))
        Store(folder, choice="keyring").set_login(made.SERVICE, made.secret(number))
    assert [finding.answer for finding in probes] == [ProbeAnswer.WORKING]


def test_a_store_probes_once_however_much_it_writes(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport]
) -> None:
    use("InFolder")
    store = Store(folder, choice="keyring")
    store.prove_writable()
    store.add(ACME, made.secret(1))
    store.prove_writable()
    assert len(probes) == 1


def test_before_an_issue_a_keyring_that_worked_once_is_probed_again(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], sealed_room: Path
) -> None:
    use("Failing")
    (sealed_room / "works").touch()
    Store(folder, choice="keyring").add(ACME, made.secret(1))
    (sealed_room / "works").unlink()
    with pytest.raises(KeyringUnusable, match="out of order"):
        Store(folder, choice="keyring").prove_writable()
    assert [finding.answer for finding in probes] == [ProbeAnswer.WORKING, ProbeAnswer.REFUSED]


def test_a_keyring_that_stops_working_is_an_error_and_forgotten(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], sealed_room: Path
) -> None:
    use("Failing")
    (sealed_room / "works").touch()
    Store(folder, choice="keyring").add(ACME, made.secret(1))
    (sealed_room / "works").unlink()
    store = Store(folder, choice="keyring")
    with pytest.raises(KeyringUnusable, match="refused: PasswordSetError"):
        store.add(ACME, made.secret(2))
    assert store.secret(ACME.key) == made.secret(1)
    (sealed_room / "works").touch()
    Store(folder, choice="keyring").add(ACME, made.secret(3))
    assert len(probes) == 2
    assert {f"{user})" for user in keyrings.users()} == made.live(folder)


@pytest.mark.parametrize("name", ["no.such.Backend", "Refusing"])
def test_auto_remembers_for_a_day_that_there_is_none(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], name: str
) -> None:
    use(name)
    for number in range(3):
        store = Store(folder)
        store.prove_writable()
        store.add(ACME, made.secret(number))
        assert len(store.notices) == 1
    assert len(probes) == 1
    note = folder / backend_choice.NAME
    yesterday = {**json.loads(note.read_text()), "at": time.time() - 25 * 60 * 60}
    note.write_text(json.dumps(yesterday))
    Store(folder).add(ACME, made.secret(4))
    assert len(probes) == 2


def test_what_is_remembered_holds_in_the_same_circumstances_only(
    folder: Path,
    use: Callable[[str], None],
    probes: list[ProbeReport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use("InFolder")
    Store(folder).add(ACME, made.secret(1))
    use("Small")
    Store(folder).add(ACME, made.secret(2))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    Store(folder).add(ACME, made.secret(3))
    Store(folder, choice="keyring").add(ACME, made.secret(4))
    assert len(probes) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"found": {"answer": "maybe"}, "for": {}}'])
def test_a_note_that_cannot_be_read_is_written_anew(
    folder: Path, use: Callable[[str], None], probes: list[ProbeReport], text: str
) -> None:
    use("InFolder")
    folder.mkdir(mode=0o700)
    (folder / backend_choice.NAME).write_text(text)
    Store(folder).add(ACME, made.secret(1))
    assert json.loads((folder / backend_choice.NAME).read_text())["found"]["answer"] == "absent"
    assert len(probes) == 1


@pytest.fixture
def in_keyring(folder: Path, use: Callable[[str], None]) -> Path:
    """A store whose secrets lie in a keyring that behaves; its place can be given to another."""
    use("InFolder")
    store = Store(folder, choice="keyring")
    store.add(ACME, made.secret(1))
    store.add(made.token("other"), made.secret(2))
    return folder


def replaced_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "InFolder", getattr(keyrings, name))


def test_a_keyring_that_gives_out_another_entry_is_caught(
    in_keyring: Path, sealed_room: Path
) -> None:
    paths = list((sealed_room / "keyring").iterdir())
    heads, entries = zip(*(path.read_text().split("\n", 1) for path in paths), strict=True)
    for path, head, entry in zip(paths, heads, reversed(entries), strict=True):
        path.write_text(f"{head}\n{entry}")
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match="the secret of something else"):
        store.secret(ACME.key)


def test_a_keyring_that_lies_is_caught(in_keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced_by("Lying", monkeypatch)
    with pytest.raises(KeyringUnusable, match=r"gave something else for acme@.* than was put in"):
        Store(in_keyring).secret(ACME.key)


def test_a_locked_keyring_is_asked_once_a_process(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Locked", monkeypatch)
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match=r"is locked.*Unlock it"):
        store.secret(ACME.key)
    replaced_by("Crashing", monkeypatch)
    with pytest.raises(KeyringUnusable, match="is locked"):
        store.secret(made.token("other").key)


def test_a_keyring_that_hangs_is_waited_for_once_a_process(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_vault, "LIMIT", 0.1)
    replaced_by("Hanging", monkeypatch)
    store = Store(in_keyring)
    for _ in range(3):
        with pytest.raises(KeyringUnusable, match="did not answer within 0 seconds"):
            store.secret(ACME.key)
    assert len(store.tokens()) == 2
    waiting = [thread for thread in threading.enumerate() if thread.name == "keyring"]
    assert len(waiting) == 1
    assert waiting[0].daemon, "nor does the end of the process wait for it"
    keyrings.LET_GO.set()
    waiting[0].join()
    keyrings.LET_GO.clear()


def test_a_keyring_with_an_answer_for_everything_is_not_asked_for_ever(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Echoing", monkeypatch)
    store = Store(in_keyring)
    with pytest.raises(KeyringUnusable, match="gave something else"):
        store.secret(ACME.key)
    store.remove(ACME.key)
    assert keyrings.Echoing.asked <= 2 * keyring_vault.MOST_PARTS


def test_a_token_is_removed_though_its_keyring_is_locked_and_the_secret_goes_later(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        replaced_by("Locked", patch)
        store = Store(in_keyring)
        store.remove(ACME.key)
        assert [token.organization for token in store.tokens()] == ["other"]
        assert store.notices == [
            "The system keyring is locked. What was removed is deleted there later."
        ]
        assert {f"{user})" for user in keyrings.users()} > made.live(in_keyring)
    Store(in_keyring, choice="keyring").set_login(made.SERVICE, made.secret(3))
    assert {f"{user})" for user in keyrings.users()} == made.live(in_keyring)


def test_an_entry_that_the_user_deleted_is_reported_with_the_way_to_another(
    in_keyring: Path, sealed_room: Path
) -> None:
    for path in (sealed_room / "keyring").iterdir():
        path.unlink()
    with pytest.raises(SecretLost, match=r"gone from the keyring.*conda token install --org acme"):
        Store(in_keyring).secret(ACME.key)


def test_a_token_moves_from_the_keyring_to_a_file_and_back(in_keyring: Path) -> None:
    store = Store(in_keyring, choice="file")
    assert store.add(ACME, made.secret(5)) == "file"
    assert store.vault_of(ACME.key) == "file"
    assert store.vault_of(made.token("other").key) == "keyring"
    assert len(keyrings.users()) == 1
    back = Store(in_keyring, choice="keyring")
    assert back.add(ACME, made.secret(6)) == "keyring"
    assert made.files(in_keyring) == set()
    assert back.secret(ACME.key) == made.secret(6)


def test_what_is_listed_and_updated_asks_no_keyring(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced_by("Crashing", monkeypatch)
    monkeypatch.setattr(keyring_vault.KeyringVault, "_ask", lambda *_, **__: os.abort())
    store = Store(in_keyring)
    assert len(store.tokens()) == 2
    assert store.vault_of(ACME.key) == "keyring"
    store.update(made.token("acme", last_four="abcd"))
    store.add(made.token("third"), made.secret(3))
    store.remove(made.token("third").key)


@pytest.mark.parametrize("name", ["Refusing", "Foreign"])
def test_an_error_of_a_keyring_that_quotes_the_secret_does_not_show_it(
    in_keyring: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    replaced_by(name, monkeypatch)
    with pytest.raises(KeyringUnusable) as caught:
        Store(in_keyring, choice="keyring").add(ACME, made.secret("quoted"))
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert made.value("quoted")[:8] not in f"{chain!r} {caught.value}"


def test_an_entry_is_within_what_windows_takes_and_names_its_token(
    in_keyring: Path, sealed_room: Path
) -> None:
    store = Store(in_keyring, choice="keyring")
    store.set_login("s" * 2000, made.secret("key", length=4096))
    texts = [path.read_text() for path in (sealed_room / "keyring").iterdir()]
    heads, entries = zip(*(text.split("\n", 1) for text in texts), strict=True)
    assert max(map(len, entries)) <= 1280
    assert max(map(len, heads)) <= 513
    assert sum(head.startswith(ACME.key) for head in heads) == 1
