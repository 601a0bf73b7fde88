"""Each health check finds what is wrong, is silent where all is well, and mends what it can."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.health_checks import (
    CHECKS,
    WELL,
    CheckContext,
    Problem,
    complaints,
    report,
)
from conda_token_plugin.operations.issue_token import store_token
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
REPO = "https://repo.anaconda.cloud/repo"
OURS, THEIRS = "ours-0123456789-abcdefgh", "theirs-0123456789-abcdef"
ENTRY = {"channel": f"{REPO}/acme/*", "auth": "conda-token-plugin"}


@pytest.fixture
def patient(sealed_room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckContext:
    """A healthy one: a token of acme, its drop-in, and an environment."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("CONDA_TOKEN_HOME", str(tmp_path / "store"))
    prefix = tmp_path / "env"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").write_text("==> 2026-11-24 00:00:00 <==\n")
    ill = CheckContext(settings=Settings(), prefix=prefix, now=NOW, channel_settings=[ENTRY])
    hold(ill, expires=NOW + timedelta(days=300))
    assert sealed_room == ill.settings.home
    return ill


def hold(patient: CheckContext, **facts: Any) -> None:
    """Keep a token of acme with these facts."""
    token = Token(
        organization="acme",
        kind=TokenKind.INDIVIDUAL,
        scope=(f"{REPO}/acme",),
        last_four=OURS[-4:],
        **facts,
    )
    store = user_store(patient.settings)
    store_token(token, secret=Secret(OURS), store=store, at=patient.settings.condarc)


def found(check: str, patient: CheckContext) -> Problem:
    """The one complaint of a check."""
    (one,) = complaints(check, patient)
    return one


def mend(one: Problem) -> None:
    """Apply the remedy that there has to be."""
    assert one.remedy is not None
    one.remedy()


@pytest.mark.parametrize("check", CHECKS)
def test_of_a_healthy_one_nobody_complains(patient: CheckContext, check: str) -> None:
    assert complaints(check, patient) == []
    assert report(check, []) == f"✅ {WELL[check]}\n"


@pytest.mark.parametrize("check", CHECKS)
def test_without_any_token_all_is_well(sealed_room: Path, tmp_path: Path, check: str) -> None:
    assert sealed_room.is_dir()

    assert complaints(check, CheckContext(settings=Settings(), prefix=tmp_path, now=NOW)) == []


@pytest.mark.parametrize(
    ("left", "word"), [(timedelta(days=-1), "expired"), (timedelta(days=13), "expiring")]
)
def test_a_token_that_is_dead_or_dying_is_named(
    patient: CheckContext, left: timedelta, word: str
) -> None:
    hold(patient, expires=NOW + left)

    one = found("token-expiry", patient)

    assert f"The token …{OURS[-4:]} of acme is {word}" in one.what
    assert "conda token sync acme" in one.what
    assert one.remedy is None


def test_a_file_of_another_tool_that_others_can_read_is_mended(patient: CheckContext) -> None:
    path = patient.settings.home / ".anaconda" / "keyring"
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)

    one = found("token-files", patient)

    assert f"{path} has mode 0644" in one.what
    mend(one)
    assert path.stat().st_mode & 0o777 == 0o600
    assert complaints("token-files", patient) == []


def test_a_link_to_nothing_is_no_file_of_anothers(patient: CheckContext) -> None:
    folder = patient.settings.home / ".config" / "binstar"
    folder.mkdir(parents=True)
    (folder / "gone.token").symlink_to(folder / "nowhere")

    assert complaints("token-files", patient) == []


def test_loose_modes_of_our_own_are_mended_as_they_are_seen(patient: CheckContext) -> None:
    patient.settings.store_folder.chmod(0o755)

    one = found("token-files", patient)

    assert str(patient.settings.store_folder) in one.what
    assert patient.settings.store_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["condarc", "history", "record"])
def test_a_token_in_plain_text_is_found_and_taken_out_of_urls(
    patient: CheckContext, place: str
) -> None:
    meta = patient.prefix / "conda-meta"
    paths = {
        "condarc": patient.settings.home / ".condarc",
        "history": meta / "history",
        "record": meta / "tool-1-0.json",
    }
    url = f"https://repo.anaconda.cloud/t/{OURS}/repo/acme/main"
    texts = {
        "condarc": f"channels:\n- {url}\n",
        "history": f"# cmd: conda install -c {url} tool\n",
        "record": json.dumps({"url": f"{url}/noarch/tool-1-0.conda"}),
    }
    paths[place].write_text(texts[place])

    one = found("token-leaks", patient)

    assert str(paths[place]) in one.what
    assert OURS not in one.what
    mend(one)
    assert OURS not in paths[place].read_text()
    assert "https://repo.anaconda.cloud/repo/acme/main" in paths[place].read_text()
    assert complaints("token-leaks", patient) == []


def test_a_setting_that_something_needs_is_left_with_advice(patient: CheckContext) -> None:
    url = f"https://repo.anaconda.cloud/t/{THEIRS}/repo/globex/main"
    (patient.settings.home / ".condarc").write_text(f"channels:\n- {url}\n")

    one = found("token-leaks", patient)

    assert one.remedy is None
    assert "conda token import" in one.what


def test_a_handler_that_another_file_puts_last_is_named_with_the_file(
    patient: CheckContext,
) -> None:
    theirs = {"channel": f"{REPO}/*", "auth": "anaconda-auth"}
    ill = CheckContext(
        settings=patient.settings,
        prefix=patient.prefix,
        now=NOW,
        channel_settings=[ENTRY, theirs],
        origins={theirs["channel"]: "/etc/conda/condarc"},
    )

    one = found("token-handler", ill)

    assert one.what == (
        f"For {REPO}/acme conda asks the handler anaconda-auth, by /etc/conda/condarc: {REPO}/*"
    )


def test_no_entry_at_all_is_a_complaint_too(patient: CheckContext) -> None:
    ill = CheckContext(settings=patient.settings, prefix=patient.prefix, now=NOW)

    assert "conda does not ask this plugin for https:" in found("token-handler", ill).what


@pytest.mark.parametrize("damage", ["", "channel_settings: []\n"])
def test_a_drop_in_that_somebody_changed_is_written_anew(
    patient: CheckContext, damage: str
) -> None:
    path = patient.settings.condarc
    good = path.read_text()
    path.write_text(damage) if damage else path.unlink()

    one = found("token-handler", patient)

    assert "does not agree with the stored tokens" in one.what
    mend(one)
    assert path.read_text() == good == dropin.composed(user_store(patient.settings).tokens())


def test_another_token_for_the_same_channels_is_named_and_a_copy_is_not(
    patient: CheckContext,
) -> None:
    path = patient.settings.home / ".anaconda" / "keyring"
    path.parent.mkdir()
    for value, count in ((THEIRS, 1), (OURS, 0)):
        held = {
            "domain": "anaconda.com",
            "repo_tokens": [{"token": value, "org_name": "acme"}],
            "version": 2,
        }
        entry = b64encode(json.dumps(held).encode()).decode()
        path.write_text(json.dumps({"Anaconda Cloud": {"anaconda.com": entry}}))
        path.chmod(0o600)

        assert len(complaints("token-rivals", patient)) == count
        if count:
            one = found("token-rivals", patient)
            assert f"another token …{THEIRS[-4:]}" in one.what
            assert "conda token import anaconda-auth" in one.what


@pytest.mark.parametrize("check", ["token-expiry", "token-files", "token-handler"])
def test_a_damaged_store_is_a_complaint_and_no_traceback(patient: CheckContext, check: str) -> None:
    for path in patient.settings.store_folder.glob("index*"):
        path.write_bytes(b"\x00")

    assert "is damaged" in found(check, patient).what


def test_a_report_lists_the_complaints() -> None:
    text = report("token-expiry", [Problem("one"), Problem("two")])

    assert text == "❌ token-expiry:\n\n  - one\n  - two\n"


def test_handler_check_finds_an_entry_that_conda_cannot_read(patient: CheckContext) -> None:
    bad = {"channel": "https://[[]::1]:8000/x/*", "auth": "theirs"}
    sick = replace(
        patient, channel_settings=(bad, ENTRY), origins={bad["channel"]: "/etc/conda/.condarc"}
    )
    assert any(
        one.what.startswith("/etc/conda/.condarc: ") and "IPv6" in one.what
        for one in complaints("token-handler", sick)
    )


def test_handler_check_says_that_signature_verification_is_off(patient: CheckContext) -> None:
    tokens = user_store(patient.settings).tokens()
    dropin.write(patient.settings.condarc, tokens=tokens, signed_by=REPO)
    assert any("key_mgr.json" in one.what for one in complaints("token-handler", patient))
