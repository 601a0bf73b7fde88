"""Providers: what is accepted, how often a command is run, and what a failure does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.store import NothingSupplied, ProviderFailed, StoreCorrupt
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import machine_store, stores_of, user_store
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.store.providers import RUNNING, CachedResult, ProviderResult, ask
from conda_token_plugin.store.sources import all_credentials
from conda_token_plugin.tokens.authorization import header
from conda_token_plugin.tokens.provider import Provider
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind
from tests.support.providers import printing, program, response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.providers import Program

SCOPE = "https://repo.example/acme"
URL = f"{SCOPE}/main/noarch/repodata.json"
VALUE = "MadeUpToken0123456789"
NOW = datetime(2027, 1, 31, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def own_folders(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have both stores in the home of the test."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("CONDA_TOKEN_HOME", str(empty_home / "store"))
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_HOME", str(empty_home / "machine"))


def provider(made: Program, **changes: Any) -> Provider:
    return Provider("vault", SCOPE, made.command, seconds=30)._replace(**changes)


def asked(made: Program, **changes: Any) -> ProviderResult:
    return ask(provider(made, **changes), settings=Settings(), now=NOW)


def failure(made: Program, **changes: Any) -> str:
    with pytest.raises(ProviderFailed) as failed:
        asked(made, **changes)
    assert "MadeUp" not in str(failed.value)
    return failed.value.reason


def added(made: Program, **changes: Any) -> Lookup:
    """Store the provider for the user, and return a new lookup."""
    user_store(Settings()).add_provider(provider(made, **changes))
    return Lookup(Settings())


def sent(lookup: Lookup, url: str = URL) -> str | None:
    """Return the ``Authorization`` header that a request for ``url`` gets."""
    found = lookup.find(url)
    value = found and header(found.token, secret=found.secret())
    return value and value.encode().decode()


def test_command_gets_get_and_the_uri_of_its_scope(tmp_path: Path) -> None:
    made = printing(tmp_path, response(f"Bearer {VALUE}"))
    asked(made)
    ((arguments, request, folder),) = made.calls
    assert arguments == ["get"]
    assert json.loads(request) == {"uri": SCOPE}
    assert folder == "/"


def test_command_that_prints_a_token_gets_no_argument_and_no_request(tmp_path: Path) -> None:
    made = printing(tmp_path, f"{VALUE}\r\n")
    assert asked(made, prints="token").secret == Secret(VALUE)
    assert [call[:2] for call in made.calls] == [([], "")]


@pytest.mark.parametrize(
    ("scheme", "username", "value"),
    [
        ("token", "", f"token {VALUE}"),
        ("bearer", "", f"Bearer {VALUE}"),
        ("basic", "ann", "Basic YW5uOk1hZGVVcFRva2VuMDEyMzQ1Njc4OQ=="),
    ],
)
def test_printed_token_is_sent_by_the_scheme(
    tmp_path: Path, scheme: str, username: str, value: str
) -> None:
    made = printing(tmp_path, f"{VALUE}\n")
    assert sent(added(made, prints="token", scheme=scheme, username=username)) == value


@pytest.mark.parametrize("value", [f"Bearer {VALUE}", "Basic YTpi", "Odd scheme, x=1", VALUE])
def test_header_of_a_response_is_sent_as_it_is(tmp_path: Path, value: str) -> None:
    assert sent(added(printing(tmp_path, response(value)))) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "",
            "the response does not follow the credential-helper protocol: it is not a JSON object",
        ),
        (VALUE, "it is not a JSON object"),
        (response(f"Bearer {VALUE}\nX: 1"), "a header contains a line break"),
        (response(""), "it is empty"),
        (response(f" Bearer {VALUE}"), "it contains a space"),
        (response("Bearer é"), "it contains a character that is not valid"),
        (response("x" * 20_000), "at most 16384"),
        (response(VALUE, expires="soon"), "'expires' is not a date and time"),
        (response(VALUE, expires="2020-01-01T00:00:00Z"), "its response has already expired"),
        ('{"headers": {"Authorization": ["a", "b"]}}', "two Authorization headers"),
        ('{"headers": {"Authorization": ["a"], "authorization": ["b"]}}', "two Authorization"),
        ('{"headers": {"X-Api-Key": ["MadeUp"]}}', "has no Authorization header"),
        ('{"uri": "https://other.example/acme", "headers": {}}', "is for another URI"),
    ],
)
def test_bad_answer_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in failure(printing(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["", "two words", f"{VALUE}\n{VALUE}", "\N{SNOWMAN}", "x" * 20_000]
)
def test_bad_printed_token_is_refused(tmp_path: Path, text: str) -> None:
    assert failure(printing(tmp_path, text), prints="token")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit(7)", "the command exited with code 7"),
        ("os.kill(os.getpid(), 9)", "the command was ended by signal 9"),
        ("time.sleep(600)", "the command did not finish within 1 seconds"),
        ("sys.stdout.write('x' * 70_000)", "the command printed more than"),
    ],
)
def test_command_that_fails_is_reported(tmp_path: Path, body: str, reason: str) -> None:
    made = program(tmp_path, body, noise=VALUE)
    assert reason in failure(made, seconds=1 if "sleep" in body else 30)


def test_missing_program_is_reported(tmp_path: Path) -> None:
    made = printing(tmp_path, "")
    assert "cannot be started" in failure(made, command=("/no/such/program",))


@pytest.mark.parametrize("text", ["{}", '{"headers": {}}', '{"headers": {"Authorization": []}}'])
def test_empty_response_means_that_no_credential_is_needed(tmp_path: Path, text: str) -> None:
    assert asked(printing(tmp_path, text)).secret is None
    with pytest.raises(NothingSupplied):
        sent(added(printing(tmp_path, text)))


def test_other_properties_and_the_same_uri_are_accepted(tmp_path: Path) -> None:
    text = json.dumps({"uri": URL, "more": 1, "headers": {"AUTHORIZATION": [VALUE], "X": ["y"]}})
    answer = asked(printing(tmp_path, text))
    assert answer.secret is not None
    assert answer.ignored == 1


def test_threads_of_a_process_run_the_command_once(tmp_path: Path) -> None:
    made = program(tmp_path, f"time.sleep(0.5); print({response(f'Bearer {VALUE}')!r})")
    lookup, count = added(made), 32
    start, values = Barrier(count), []

    def download(number: int) -> None:
        start.wait()
        values.append(sent(lookup, f"{SCOPE}/main/noarch-{number}/x.conda"))

    threads = [Thread(target=download, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [f"Bearer {VALUE}"] * count
    assert len(made.calls) == 1


def test_failure_is_remembered_and_costs_one_call(tmp_path: Path) -> None:
    made = program(tmp_path, "sys.exit(1)")
    lookup = added(made)
    for number in range(3):
        with pytest.raises(ProviderFailed):
            sent(lookup, f"{SCOPE}/main/{number}/x.conda")
    assert len(made.calls) == 1


class Clock:
    """A provider whose answers and whose time are set by the test."""

    def __init__(self, *lifetimes: timedelta | None) -> None:
        self.now, self.calls, self.lifetimes = NOW, 0, list(lifetimes)
        self.cached = CachedResult(
            Provider("vault", SCOPE, ("/x",)), ask=self.ask, clock=lambda: self.now
        )

    def ask(self, _provider: Provider, *, now: datetime) -> ProviderResult:
        self.calls += 1
        if len(self.lifetimes) < self.calls:
            raise ProviderFailed("vault", reason="it has no more")
        lifetime = self.lifetimes[self.calls - 1]
        secret = Secret(f"number-{self.calls}")
        if lifetime is None:
            return ProviderResult(secret)
        return ProviderResult(secret, now + lifetime, now + 0.9 * lifetime)

    def value(self, after: timedelta) -> str:
        self.now = NOW + after
        return self.cached.secret().reveal()

    def refuse(self, value: str) -> None:
        self.cached.discard(lambda secret: secret.reveal() == value)


def test_answer_without_expiry_is_used_until_the_process_ends() -> None:
    clock = Clock(None)
    assert [clock.value(timedelta(days=day)) for day in (0, 1, 400)] == ["number-1"] * 3


def test_provider_is_asked_again_before_its_answer_expires() -> None:
    clock = Clock(10 * MINUTE, 10 * MINUTE)
    values = [clock.value(minutes * MINUTE) for minutes in (0, 8, 9, 12, 17)]
    assert values == ["number-1", "number-1", "number-2", "number-2", "number-2"]
    assert clock.calls == 2


def test_valid_answer_is_used_until_its_expiry_if_the_next_call_fails() -> None:
    clock = Clock(10 * MINUTE)
    assert [clock.value(minutes * MINUTE) for minutes in (0, 9, 9.9)] == ["number-1"] * 3
    for minutes in (10, 20):
        with pytest.raises(ProviderFailed, match="it has no more"):
            clock.value(minutes * MINUTE)
    assert clock.calls == 2


def test_refused_answer_is_replaced_once_it_is_a_minute_old() -> None:
    clock = Clock(None, None, None)
    values = []
    for seconds in (0, 59, 60, 61, 119, 121):
        clock.refuse(clock.value(timedelta(seconds=seconds)))
        values.append(clock.value(timedelta(seconds=seconds)))
    assert values == [f"number-{number}" for number in (1, 1, 2, 2, 2, 3)]
    assert clock.calls == 3


def test_late_refusal_of_a_replaced_answer_does_not_run_the_command_again() -> None:
    clock = Clock(None, None, None)
    clock.value(timedelta())
    clock.now = NOW + 2 * MINUTE
    clock.refuse("number-1")
    assert clock.value(2 * MINUTE) == "number-2"
    clock.now = NOW + 4 * MINUTE
    clock.refuse("number-1")
    assert clock.value(4 * MINUTE) == "number-2"
    assert clock.calls == 2


def test_refused_answer_is_kept_if_the_next_call_fails() -> None:
    clock = Clock(None)
    clock.value(timedelta())
    for minutes in (2, 4):
        clock.now = NOW + minutes * MINUTE
        clock.refuse("number-1")
        assert clock.value(minutes * MINUTE) == "number-1"
    assert clock.calls == 2


@pytest.mark.parametrize(
    ("lifetime", "before"),
    [(timedelta(hours=1), MINUTE), (timedelta(seconds=10), timedelta(seconds=1))],
)
def test_answer_is_renewed_a_minute_or_a_tenth_of_its_lifetime_before_it_expires(
    tmp_path: Path, lifetime: timedelta, before: timedelta
) -> None:
    text = response(VALUE, expires=(NOW + lifetime).isoformat())
    answer = asked(printing(tmp_path, text))
    assert answer.expires == NOW + lifetime
    assert answer.renew == NOW + lifetime - before


def token(organization: str) -> Token:
    return Token(organization=organization, kind=TokenKind.SITE, scope=(SCOPE,))


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ("environment user machine stored machine-stored", "environment"),
        ("user machine stored machine-stored", "user"),
        ("machine stored machine-stored", "stored"),
        ("machine machine-stored", "machine"),
        ("machine-stored", "machine-stored"),
    ],
)
def test_precedence_is_environment_user_and_machine_each_with_provider_before_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, present: str, expected: str
) -> None:
    monkeypatch.setenv("CONDA_TOKEN_REPO_URL", "https://repo.example/")
    user, machine = user_store(Settings()), machine_store(Settings())
    for name in present.split():
        value = f"{name}-{VALUE}"
        if name == "environment":
            monkeypatch.setenv("ANACONDA_REPO_TOKEN_ACME", value)
        elif name.endswith("stored"):
            (machine if "machine" in name else user).add(token("acme"), Secret(value))
        else:
            made = printing(tmp_path / name, response(f"token {value}"))
            (machine if name == "machine" else user).add_provider(provider(made))
    assert sent(Lookup(Settings())) == f"token {expected}-{VALUE}"


@pytest.mark.parametrize(
    "url",
    [
        *("https://repo.example/acme-evil/main/x", "https://repo.example/globex/x"),
        *("http://repo.example/acme/main/x", "https://repo.example:444/acme/main/x"),
        *("https://ann:pw@repo.example/acme/main/x", f"{SCOPE}/t/abc/main/x", f"{SCOPE}/../x"),
    ],
)
def test_url_outside_of_the_scope_runs_no_command(tmp_path: Path, url: str) -> None:
    made = printing(tmp_path, response(VALUE))
    assert added(made).find(url) is None
    assert made.calls == []


def test_listing_names_the_source_and_runs_no_command(tmp_path: Path) -> None:
    made = printing(tmp_path, response(VALUE))
    added(made)
    machine_store(Settings()).add_provider(provider(made, name="root"))
    found = all_credentials(Settings(), stores=stores_of(Settings()))
    assert [one.source for one in found] == ["provider vault", "provider root of this machine"]
    assert made.calls == []


def test_command_of_a_provider_asks_no_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = printing(tmp_path, response(VALUE))
    lookup = added(made)
    monkeypatch.setenv(RUNNING, "vault")
    assert lookup.find(URL) is None


def test_command_can_read_that_it_is_a_provider(tmp_path: Path) -> None:
    made = program(tmp_path, f"print(os.environ[{RUNNING!r}])")
    assert asked(made, prints="token").secret == Secret("vault")


def test_removed_provider_is_gone_and_tokens_stay(tmp_path: Path) -> None:
    store = user_store(Settings())
    store.add(token("acme"), Secret(VALUE))
    store.add_provider(provider(printing(tmp_path, "")))
    assert [one.name for one in store.providers()] == ["vault"]
    assert {one.kind for one in store.credentials()} == {TokenKind.SITE, TokenKind.PROVIDER}
    store.remove_provider("vault")
    assert store.providers() == ()
    assert sent(Lookup(Settings())) == f"token {VALUE}"


def test_damaged_entry_is_an_error_of_the_store(tmp_path: Path) -> None:
    store = user_store(Settings())
    store.add_provider(provider(printing(tmp_path, ""), seconds=-1.0))
    with pytest.raises(StoreCorrupt):
        store.providers()


def test_process_without_providers_imports_no_module_for_them() -> None:
    assert not Lookup(Settings()).find(URL)
    code = (
        "import sys; from conda_token_plugin.settings import Settings; "
        "from conda_token_plugin.store.lookup import Lookup; "
        f"Lookup(Settings()).find({URL!r}); "
        "print([name for name in sys.modules if 'provider' in name or name == 'subprocess'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
