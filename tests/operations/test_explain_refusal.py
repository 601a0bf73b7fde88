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


class Room:
    """A machine with a login, and what is said of a refusal there."""

    def __init__(self, machine: Machine) -> None:
        machine.variables["ANACONDA_AUTH_API_KEY"] = machine.sandbox.world.api_key("ada")
        machine.variables["CONDA_TOKEN_CONDARC"] = str(machine.dropin)
        self.machine, self.sandbox, self.settings = machine, machine.sandbox, machine.settings
        self.store = user_store(self.settings)

    def hold(self, organization: str = "acme", value: str = "", **facts: Any) -> Token:
        """Keep a token that is issued now, or ``value``."""
        value = value or self.sandbox.world.issue(organization, "ada").value
        own = organization_prefix(self.sandbox.repo, organization)
        facts = {"kind": TokenKind.INDIVIDUAL, "issued": NOW, "scope": (own,), **facts}
        token = put(self.machine, value, organization=organization, **facts)
        self.sandbox.requests.clear()
        return token

    def examiner(self) -> RefusalExplainer:
        """A new one, as each process has."""
        return RefusalExplainer(self.settings, Lookup(self.settings))

    def said(self, *names: str, status: int = 403) -> Diagnosis | None:
        """What is said of a refusal by this channel."""
        url = f"{self.sandbox.url_of(*(names or ('acme', 'main')))}/noarch/repodata.json"
        return self.examiner().examine(url, status=status, headers={})

    def asked(self) -> list[str]:
        """The paths that were asked for."""
        return [one.path for one in self.sandbox.requests]


@pytest.fixture
def room(machine: Machine) -> Room:
    return Room(machine)


def code(found: Diagnosis | None) -> str:
    assert found is not None
    return found.code


def test_reissued_token_is_stored_as_revoked(room: Room) -> None:
    token = room.hold()
    room.sandbox.world.issue("acme", "ada")

    assert code(room.said()) == "reissued"

    known = room.store.token(token.key)
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
    room: Room, happen: Callable[[Sandbox], object], expected: str
) -> None:
    room.hold()
    room.sandbox.world.issue("acme", "ada")
    happen(room.sandbox)

    assert code(room.said()) == expected


def test_token_known_to_be_expired_makes_no_request(room: Room) -> None:
    room.hold(expires=NOW - timedelta(days=60), checked=NOW)

    assert code(room.said()) == "expired"
    assert room.asked() == []


def test_time_of_the_server_decides_whether_a_token_has_expired(room: Room) -> None:
    room.sandbox.clock.advance(timedelta(days=-400))
    now = room.sandbox.clock.now()
    room.hold(value="of-nobody-0123456789", expires=now + timedelta(days=30), checked=now)
    url = f"{room.sandbox.url_of('acme', 'main')}/noarch/repodata.json"
    found = room.examiner().examine(url, status=403, headers={"date": format_datetime(now)})
    assert found is not None
    assert found.code != "expired"
    assert found.what.count("The clock of this machine says") == 1


def test_channel_without_a_token_makes_no_request(room: Room) -> None:
    room.hold()
    del room.settings.variables["ANACONDA_AUTH_API_KEY"]  # type: ignore[attr-defined]  # a dict

    assert code(room.said("globex", "main")) == "no_token"
    assert room.asked() == []


def test_token_is_asked_about_once_per_process(room: Room) -> None:
    room.hold(value="of-nobody-0123456789")
    examiner = room.examiner()
    url = room.sandbox.url_of("acme", "main")

    examiner.examine(f"{url}/noarch/repodata.json", status=401, headers={})
    asked = room.asked()
    examiner.examine(f"{url}/linux-64/repodata.json", status=401, headers={})

    assert asked
    assert room.asked() == asked


def test_token_accepted_elsewhere_is_not_sent_to_the_service(room: Room) -> None:
    own = organization_prefix(room.sandbox.repo, "globex")
    room.hold("acme", scope=(own, *shared_prefixes(room.sandbox.repo)))

    assert code(room.said("globex", "main")) == "not_for_this"
    assert not [path for path in room.asked() if path.startswith("/api/")]


def test_explanation_without_a_login_uses_the_metadata(room: Room) -> None:
    room.hold(value="of-nobody-0123456789")
    del room.settings.variables["ANACONDA_AUTH_API_KEY"]  # type: ignore[attr-defined]  # a dict

    assert code(room.said()) == "refused"


@pytest.mark.parametrize("value", ["not a key\n", "half a \x00 key"])
def test_malformed_login_does_not_suppress_the_explanation(room: Room, value: str) -> None:
    room.hold(value="of-nobody-0123456789")
    room.settings.variables["ANACONDA_AUTH_API_KEY"] = value  # type: ignore[index]  # a dict

    assert code(room.said()) == "refused"


def test_failing_service_does_not_suppress_the_explanation(room: Room) -> None:
    room.hold(value="of-nobody-0123456789")
    room.sandbox.fail_next("/api/", times=99, status=503)

    assert code(room.said()) == "refused"


def test_failing_repository_leaves_the_explanation_to_the_service(room: Room) -> None:
    room.hold()
    room.sandbox.world.issue("acme", "ada")
    room.sandbox.fail_next("/repo/", times=99, status=503)

    # Without the repository's word nobody knows which of the two tokens is stored here.
    assert code(room.said()) == "not_for_this"


def test_damaged_store_gives_no_explanation(room: Room) -> None:
    room.hold()
    for path in room.settings.store_folder.glob("index*"):
        path.write_bytes(b"\x00")

    assert room.said() is None


def test_token_of_a_variable_is_verified_without_the_service(room: Room) -> None:
    room.hold()  # with its drop-in, by which conda asks the plugin
    variables: Any = room.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"

    found = room.said()

    assert code(found) == "refused"
    assert "ANACONDA_REPO_TOKEN_ACME" in found.text  # type: ignore[union-attr]  # see code()
    assert not [path for path in room.asked() if path.startswith("/api/")]


def test_token_that_conda_does_not_ask_for_is_reported_without_a_request(room: Room) -> None:
    variables: Any = room.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"

    assert code(room.said()) == "not_asked"
    assert room.asked() == []


def test_channel_that_conda_does_not_ask_for_says_nothing_about_another(
    room: Room, tmp_path: Path
) -> None:
    variables: Any = room.settings.variables
    variables["ANACONDA_REPO_TOKEN_ACME"] = "of-nobody-0123456789"
    main, private = (room.sandbox.url_of("acme", name) for name in ("main", "private"))
    variables["CONDARC"] = str(tmp_path / "condarc")
    (tmp_path / "condarc").write_text(
        f'channel_settings: [{{channel: "{private}/*", auth: conda-token-plugin}}]\n'
    )
    examiner = room.examiner()
    codes = [
        code(examiner.examine(f"{url}/noarch/repodata.json", status=401, headers={}))
        for url in (main, private)
    ]
    assert codes == ["not_asked", "refused"]


@pytest.mark.parametrize(("without", "expected"), [(200, "works_without"), (404, None)])
def test_file_that_is_404_with_a_token_is_requested_without_one(
    room: Room, without: int, expected: str | None
) -> None:
    room.hold()
    room.sandbox.fail_next("main/noarch/repodata.json", times=9, status=without, body=b"{}")

    found = room.said(status=404)

    assert (found.code if found else None) == expected
    assert not any(request.authorization for request in room.sandbox.requests)
