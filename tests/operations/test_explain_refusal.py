"""Explaining a refusal: which servers are asked, how often, and what is said without an answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.operations.explain_refusal import RefusalExplainer
from conda_token_plugin.store import user_store
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.repository_layout import organization_prefix, shared_prefixes
from conda_token_plugin.tokens.token import TokenKind, TokenVerdict
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.operations.refusal_reasons import Diagnosis
    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.tokens.token import Token
    from tests.support.machine import Machine

NOW = datetime.now(timezone.utc)
NO_SEAT = {"status": 403, "body": b'{"error": {"message": "a seat is required"}}'}


class LoggedInMachine:
    """A machine with a login, and the diagnosis of a refusal there."""

    def __init__(self, machine: Machine) -> None:
        machine.variables["ANACONDA_AUTH_API_KEY"] = machine.sandbox.world.api_key("ada")
        machine.variables["CONDA_TOKEN_CONDARC"] = str(machine.dropin)
        self.machine, self.sandbox, self.settings = machine, machine.sandbox, machine.settings
        self.store = user_store(self.settings)

    def hold(self, organization: str = "acme", value: str = "", **facts: Any) -> Token:
        """Store a token that is issued now, or ``value``."""
        value = value or self.sandbox.world.issue(organization, "ada").value
        own = organization_prefix(self.sandbox.repo, organization)
        facts = {"kind": TokenKind.INDIVIDUAL, "issued": NOW, "scope": (own,), **facts}
        token = put(self.machine, value, organization=organization, **facts)
        self.sandbox.requests.clear()
        return token

    def examiner(self) -> RefusalExplainer:
        """Return a new explainer, as each process has."""
        return RefusalExplainer(self.settings, Lookup(self.settings))

    def diagnosis(self, *names: str, status: int = 403) -> Diagnosis | None:
        """Return the diagnosis of a refusal by this channel."""
        url = f"{self.sandbox.url_of(*(names or ('acme', 'main')))}/noarch/repodata.json"
        return self.examiner().examine(url, status=status, headers={})

    def paths(self) -> list[str]:
        """Return the paths that were requested."""
        return [one.path for one in self.sandbox.requests]


@pytest.fixture
def logged_in(machine: Machine) -> LoggedInMachine:
    return LoggedInMachine(machine)


def code(found: Diagnosis | None) -> str:
    assert found is not None
    return found.code


def test_reissued_token_is_stored_as_revoked(logged_in: LoggedInMachine) -> None:
    token = logged_in.hold()
    logged_in.sandbox.world.issue("acme", "ada")

    assert code(logged_in.diagnosis()) == "reissued"

    known = logged_in.store.token(token.key)
    assert known is not None
    assert known.verdict is TokenVerdict.REVOKED
    assert not known.is_usable_or_stale(now=datetime.now(timezone.utc))


@pytest.mark.parametrize(
    ("happen", "expected"),
    [
        (lambda sandbox: sandbox.world.take_seat("acme", "ada"), "revoked"),
        (lambda sandbox: sandbox.world.cancel("acme"), "cancelled"),
        (lambda sandbox: sandbox.world.end("acme", NOW - timedelta(days=45)), "ended"),
        (lambda sandbox: sandbox.fail_next("current-token", times=9, **NO_SEAT), "no_seat"),
    ],
)
def test_reason_that_the_service_gives_is_the_code_of_the_explanation(
    logged_in: LoggedInMachine, happen: Callable[[Sandbox], object], expected: str
) -> None:
    logged_in.hold()
    logged_in.sandbox.world.issue("acme", "ada")
    happen(logged_in.sandbox)

    assert code(logged_in.diagnosis()) == expected


def test_token_known_to_be_expired_makes_no_request(logged_in: LoggedInMachine) -> None:
    logged_in.hold(expires=NOW - timedelta(days=60), checked=NOW)

    assert code(logged_in.diagnosis()) == "expired"
    assert logged_in.paths() == []


def test_time_of_the_server_decides_whether_a_token_has_expired(logged_in: LoggedInMachine) -> None:
    logged_in.sandbox.clock.advance(timedelta(days=-400))
    now = logged_in.sandbox.clock.now()
    logged_in.hold(value="of-nobody-0123456789", expires=now + timedelta(days=30), checked=now)
    url = f"{logged_in.sandbox.url_of('acme', 'main')}/noarch/repodata.json"
    found = logged_in.examiner().examine(url, status=403, headers={"date": format_datetime(now)})
    assert found is not None
    assert found.code != "expired"
    assert found.what.count("The clock of this machine says") == 1


def test_channel_without_a_token_makes_no_request(logged_in: LoggedInMachine) -> None:
    logged_in.hold()
    del logged_in.settings.variables["ANACONDA_AUTH_API_KEY"]  # type: ignore[attr-defined]  # a dict

    assert code(logged_in.diagnosis("globex", "main")) == "no_token"
    assert logged_in.paths() == []


def test_token_is_asked_about_once_per_process(logged_in: LoggedInMachine) -> None:
    logged_in.hold(value="of-nobody-0123456789")
    examiner = logged_in.examiner()
    url = logged_in.sandbox.url_of("acme", "main")

    examiner.examine(f"{url}/noarch/repodata.json", status=401, headers={})
    asked = logged_in.paths()
    examiner.examine(f"{url}/linux-64/repodata.json", status=401, headers={})

    assert asked
    assert logged_in.paths() == asked


def test_token_accepted_elsewhere_is_not_sent_to_the_service(logged_in: LoggedInMachine) -> None:
    own = organization_prefix(logged_in.sandbox.repo, "globex")
    logged_in.hold("acme", scope=(own, *shared_prefixes(logged_in.sandbox.repo)))

    assert code(logged_in.diagnosis("globex", "main")) == "not_for_this"
    assert not [path for path in logged_in.paths() if path.startswith("/api/")]


def test_explanation_without_a_login_uses_the_metadata(logged_in: LoggedInMachine) -> None:
    logged_in.hold(value="of-nobody-0123456789")
    del logged_in.settings.variables["ANACONDA_AUTH_API_KEY"]  # type: ignore[attr-defined]  # a dict

    assert code(logged_in.diagnosis()) == "refused"


@pytest.mark.parametrize("value", ["not a key\n", "half a \x00 key"])
def test_malformed_login_does_not_suppress_the_explanation(
    logged_in: LoggedInMachine, value: str
) -> None:
    logged_in.hold(value="of-nobody-0123456789")
    logged_in.settings.variables["ANACONDA_AUTH_API_KEY"] = value  # type: ignore[index]  # a dict

    assert code(logged_in.diagnosis()) == "refused"


def test_failing_service_does_not_suppress_the_explanation(logged_in: LoggedInMachine) -> None:
    logged_in.hold(value="of-nobody-0123456789")
    logged_in.sandbox.fail_next("/api/", times=99, status=503)

    assert code(logged_in.diagnosis()) == "refused"


def test_failing_repository_leaves_the_explanation_to_the_service(
    logged_in: LoggedInMachine,
) -> None:
    logged_in.hold()
    logged_in.sandbox.world.issue("acme", "ada")
    logged_in.sandbox.fail_next("/repo/", times=99, status=503)

    # Without the repository's word nobody knows which of the two tokens is stored here.
    assert code(logged_in.diagnosis()) == "not_for_this"


def test_damaged_store_gives_no_explanation(logged_in: LoggedInMachine) -> None:
    logged_in.hold()
    for path in logged_in.settings.store_folder.glob("index*"):
        path.write_bytes(b"\x00")

    assert logged_in.diagnosis() is None


def test_token_of_a_variable_is_verified_without_the_service(logged_in: LoggedInMachine) -> None:
    logged_in.hold()  # with its drop-in, by which conda asks the plugin
    variables: Any = logged_in.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"

    found = logged_in.diagnosis()

    assert code(found) == "refused"
    assert "ANACONDA_REPO_TOKEN_ACME" in found.text  # type: ignore[union-attr]  # see code()
    assert not [path for path in logged_in.paths() if path.startswith("/api/")]


def test_token_that_conda_does_not_ask_for_is_reported_without_a_request(
    logged_in: LoggedInMachine,
) -> None:
    variables: Any = logged_in.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"

    assert code(logged_in.diagnosis()) == "not_asked"
    assert logged_in.paths() == []


def test_channel_that_conda_does_not_ask_for_says_nothing_about_another(
    logged_in: LoggedInMachine, tmp_path: Path
) -> None:
    variables: Any = logged_in.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"
    main, private = (logged_in.sandbox.url_of("acme", name) for name in ("main", "private"))
    variables["CONDARC"] = str(tmp_path / "condarc")
    (tmp_path / "condarc").write_text(
        f'channel_settings: [{{channel: "{private}/*", auth: conda-token-plugin}}]\n'
    )
    examiner = logged_in.examiner()
    codes = [
        code(examiner.examine(f"{url}/noarch/repodata.json", status=401, headers={}))
        for url in (main, private)
    ]
    assert codes == ["not_asked", "refused"]


@pytest.mark.parametrize(("without", "expected"), [(200, "works_without"), (404, None)])
def test_file_that_is_404_with_a_token_is_requested_without_one(
    logged_in: LoggedInMachine, without: int, expected: str | None
) -> None:
    logged_in.hold()
    logged_in.sandbox.fail_next("main/noarch/repodata.json", times=9, status=without, body=b"{}")

    found = logged_in.diagnosis(status=404)

    assert (found.code if found else None) == expected
    assert not any(request.authorization for request in logged_in.sandbox.requests)
