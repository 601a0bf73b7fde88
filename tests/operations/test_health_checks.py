"""Each health check finds problems, corrects what it can, and reports nothing otherwise."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.health_checks import (
    CHECKS,
    CheckContext,
    Problem,
    problems,
    report,
)
from conda_token_plugin.operations.store_token import store_token
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
REPO = "https://repo.anaconda.cloud/repo"
STORED, OTHER = "stored-0123456789-abcdefg", "other-0123456789-abcdefgh"
ENTRY = {"channel": f"{REPO}/acme/*", "auth": "conda-token-plugin"}


@pytest.fixture
def context(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckContext:
    """Return a context without problems: a token of acme, its drop-in, and an environment."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("CONDA_TOKEN_HOME", str(tmp_path / "store"))
    prefix = tmp_path / "env"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").write_text("==> 2026-11-24 00:00:00 <==\n")
    made = CheckContext(settings=Settings(), prefix=prefix, now=NOW, channel_settings=[ENTRY])
    hold(made, expires=NOW + timedelta(days=300))
    assert empty_home == made.settings.home
    return made


def hold(context: CheckContext, **facts: Any) -> None:
    """Store a token of acme with these facts."""
    facts = {"kind": TokenKind.INDIVIDUAL, "scope": (f"{REPO}/acme",), **facts}
    token = Token(organization="acme", last_four=STORED[-4:], **facts)
    store = user_store(context.settings)
    store_token(token, secret=Secret(STORED), store=store, at=context.settings.condarc)


def found(check: str, context: CheckContext) -> Problem:
    """Return the only problem that a check finds."""
    (one,) = problems(check, context)
    return one


def correct(one: Problem) -> None:
    """Run the fix of a problem, which must have one."""
    assert one.fix is not None
    one.fix()


@pytest.mark.parametrize("check", CHECKS)
def test_check_finds_no_problem_on_a_correct_machine(context: CheckContext, check: str) -> None:
    assert problems(check, context) == []
    assert report(check, []) == f"✅ {CHECKS[check].passed}\n"


@pytest.mark.parametrize("check", CHECKS)
def test_check_finds_no_problem_without_a_token(
    empty_home: Path, tmp_path: Path, check: str
) -> None:
    assert empty_home.is_dir()

    assert problems(check, CheckContext(settings=Settings(), prefix=tmp_path, now=NOW)) == []


@pytest.mark.parametrize(
    ("left", "word"), [(timedelta(days=-1), "expired"), (timedelta(days=13), "expiring")]
)
def test_expiry_check_names_an_expired_or_expiring_token(
    context: CheckContext, left: timedelta, word: str
) -> None:
    hold(context, expires=NOW + left)

    one = found("token-expiry", context)

    assert f"The token …{STORED[-4:]} of acme is {word}" in one.what
    assert "conda token sync acme" in one.what
    assert one.fix is None


def test_mode_check_restricts_a_readable_file_of_another_tool(context: CheckContext) -> None:
    path = context.settings.home / ".anaconda" / "keyring"
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)

    one = found("token-files", context)

    assert f"{path} has mode 0644" in one.what
    correct(one)
    assert path.stat().st_mode & 0o777 == 0o600
    assert problems("token-files", context) == []


def test_mode_check_ignores_a_dangling_link(context: CheckContext) -> None:
    folder = context.settings.home / ".config" / "binstar"
    folder.mkdir(parents=True)
    (folder / "gone.token").symlink_to(folder / "nowhere")

    assert problems("token-files", context) == []


def test_mode_check_reports_a_mode_of_the_store_that_was_restricted(context: CheckContext) -> None:
    context.settings.store_folder.chmod(0o755)

    one = found("token-files", context)

    assert str(context.settings.store_folder) in one.what
    assert context.settings.store_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["condarc", "history", "record"])
def test_leak_check_removes_a_token_from_urls(context: CheckContext, place: str) -> None:
    meta = context.prefix / "conda-meta"
    paths = {
        "condarc": context.settings.home / ".condarc",
        "history": meta / "history",
        "record": meta / "tool-1-0.json",
    }
    url = f"https://repo.anaconda.cloud/t/{STORED}/repo/acme/main"
    texts = {
        "condarc": f"channels:\n- {url}\n",
        "history": f"# cmd: conda install -c {url} tool\n",
        "record": json.dumps({"url": f"{url}/noarch/tool-1-0.conda"}),
    }
    paths[place].write_text(texts[place])

    one = found("token-leaks", context)

    assert str(paths[place]) in one.what
    assert STORED not in one.what
    correct(one)
    assert STORED not in paths[place].read_text()
    assert "https://repo.anaconda.cloud/repo/acme/main" in paths[place].read_text()
    assert problems("token-leaks", context) == []


def test_leak_check_advises_on_a_token_that_is_in_use(context: CheckContext) -> None:
    url = f"https://repo.anaconda.cloud/t/{OTHER}/repo/globex/main"
    (context.settings.home / ".condarc").write_text(f"channels:\n- {url}\n")

    one = found("token-leaks", context)

    assert one.fix is None
    assert "conda token import" in one.what


def test_handler_check_names_the_file_of_an_overriding_entry(
    context: CheckContext,
) -> None:
    overriding = {"channel": f"{REPO}/*", "auth": "anaconda-auth"}
    changed = CheckContext(
        settings=context.settings,
        prefix=context.prefix,
        now=NOW,
        channel_settings=[ENTRY, overriding],
        origins={overriding["channel"]: "/etc/conda/condarc"},
    )

    one = found("token-handler", changed)

    assert one.what == (
        f"For {REPO}/acme conda asks the handler anaconda-auth, by /etc/conda/condarc: {REPO}/*"
    )


def test_handler_check_reports_a_channel_without_an_entry(context: CheckContext) -> None:
    changed = CheckContext(settings=context.settings, prefix=context.prefix, now=NOW)

    what = found("token-handler", changed).what

    assert what.startswith(f"conda does not ask this plugin for {REPO}/acme. Add to your condarc:")


@pytest.mark.parametrize("name", ["x;v", "x%3Fv", "a%2562"])
def test_stored_prefix_that_conda_cannot_request_is_reported(
    context: CheckContext, name: str
) -> None:
    hold(context, kind=TokenKind.SITE, scope=(f"{REPO}/{name}",))
    one = found("token-handler", context)
    assert "conda requests another channel, because of " in one.what
    assert one.what.endswith("Run: conda token remove acme")


@pytest.mark.parametrize("damage", ["", "channel_settings: []\n"])
def test_handler_check_rewrites_a_changed_dropin(context: CheckContext, damage: str) -> None:
    path = context.settings.condarc
    good = path.read_text()
    path.write_text(damage) if damage else path.unlink()

    one = found("token-handler", context)

    assert "does not match the stored tokens" in one.what
    correct(one)
    assert path.read_text() == good == dropin.composed(user_store(context.settings).tokens())


def test_conflict_check_names_a_different_token_and_ignores_a_copy(
    context: CheckContext,
) -> None:
    path = context.settings.home / ".anaconda" / "keyring"
    path.parent.mkdir()
    for value, count in ((OTHER, 1), (STORED, 0)):
        held = {
            "domain": "anaconda.com",
            "repo_tokens": [{"token": value, "org_name": "acme"}],
            "version": 2,
        }
        entry = b64encode(json.dumps(held).encode()).decode()
        path.write_text(json.dumps({"Anaconda Cloud": {"anaconda.com": entry}}))
        path.chmod(0o600)

        assert len(problems("token-conflicts", context)) == count
        if count:
            one = found("token-conflicts", context)
            assert f"another token …{OTHER[-4:]}" in one.what
            assert "conda token import anaconda-auth" in one.what


@pytest.mark.parametrize("check", ["token-expiry", "token-files", "token-handler"])
def test_damaged_store_is_a_problem_of_each_check(context: CheckContext, check: str) -> None:
    for path in context.settings.store_folder.glob("index*"):
        path.write_bytes(b"\x00")

    assert "is damaged" in found(check, context).what


def test_report_lists_the_problems() -> None:
    text = report("token-expiry", [Problem("one"), Problem("two")])

    assert text == "❌ token-expiry:\n\n  - one\n  - two\n"


@pytest.mark.parametrize(
    "channel",
    [
        "https://[[]::1]:8000/x/*",
        "https://joe:Winter2026@[x/y",
        "http://host:99999/x",
        "host.example:port/x",
        "http://a\uff0fb.example/x",
        "http://a.example/\ud83d",
    ],
)
def test_handler_check_finds_an_entry_that_conda_cannot_read(
    context: CheckContext, channel: str
) -> None:
    context.settings.condarc.unlink(missing_ok=True)  # is a problem of its own
    bad = {"channel": channel, "auth": "theirs"}
    changed = replace(
        context, channel_settings=(bad, ENTRY), origins={channel: "/etc/conda/.condarc"}
    )
    first = problems("token-handler", changed)[0].what
    assert first.startswith("/etc/conda/.condarc: conda cannot read a configuration with the ")
    assert "Winter" not in first


def test_handler_check_says_that_signature_verification_is_off(context: CheckContext) -> None:
    tokens = user_store(context.settings).tokens()
    dropin.write(context.settings.condarc, tokens=tokens, signed_by=REPO)
    assert any("key_mgr.json" in one.what for one in problems("token-handler", context))


@pytest.fixture
def with_api_key(context: CheckContext, monkeypatch: pytest.MonkeyPatch) -> CheckContext:
    """Return the context with an API key in the environment that expires in 13 days."""
    claims = json.dumps({"exp": int((NOW + timedelta(days=13)).timestamp())}).encode()
    payload = urlsafe_b64encode(claims).rstrip(b"=").decode()
    monkeypatch.setenv("ANACONDA_AUTH_API_KEY", f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl")
    return replace(context, settings=Settings())


def test_expiry_check_names_an_api_key_and_the_variable_that_supplies_it(
    with_api_key: CheckContext,
) -> None:
    one = found("token-expiry", with_api_key)

    assert one.what.startswith("The API key ")
    assert one.what.endswith("Put a new one into ANACONDA_AUTH_API_KEY.")


def test_handler_check_reports_a_repository_that_an_api_key_could_open(
    with_api_key: CheckContext,
) -> None:
    assert f"does not ask this plugin for {REPO}. Add" in found("token-handler", with_api_key).what


def test_handler_check_accepts_an_entry_for_the_repository(with_api_key: CheckContext) -> None:
    entry = {"channel": f"{REPO}/*", "auth": "conda-token-plugin"}

    assert problems("token-handler", replace(with_api_key, channel_settings=[entry])) == []
