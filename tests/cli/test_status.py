"""`status`: each token, whether it works right now, and an exit code that scripts can use."""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def test_status_block_shows_all_known_facts(acme: Shell) -> None:
    ran = acme("status").well()
    expires = acme.sandbox.world.organization("acme").subscription.ends
    for word in ("acme", "individual", "file", f"{expires:%Y-%m-%d}", "works (downloaded package"):
        assert word in ran.out
    for name in ("source", "channels", "issued", "expires", "checked", "now"):
        assert f"  {name} " in ran.out


def test_status_makes_two_requests_a_token_and_none_offline(acme: Shell) -> None:
    assert acme("status", "acme").code == 0
    assert len(acme.sandbox.requests) == 2
    assert acme("status", "--offline").code == 0
    assert len(acme.sandbox.requests) == 2


def test_status_json_has_the_same_facts(acme: Shell) -> None:
    (value,) = acme.held("status")
    assert (value["organization"], value["works"], value["state"]) == ("acme", True, "valid")
    assert acme("status", "--json", "--offline").json[0]["works"] is None


@pytest.mark.parametrize("flags", [["acme"], ["--org", "acme"]])
def test_status_of_a_named_organization_shows_only_that(two: Shell, flags: list[str]) -> None:
    assert [one["organization"] for one in two("status", *flags, "--json").json] == ["acme"]


def test_status_of_two_named_organizations_shows_both(two: Shell) -> None:
    found = two("status", "globex", "--org", "acme", "--offline", "--json").json
    assert {one["organization"] for one in found} == {"acme", "globex"}


def test_status_names_an_organization_without_a_token(acme: Shell) -> None:
    acme("status", "hooli").failed(1, "hooli")


def test_status_without_token_and_api_key_exits_with_1(logged_out: Shell) -> None:
    ran = logged_out("status")
    assert ran.code == 1
    assert "install" in ran.err
    assert logged_out("status", "--json").json == []


def test_status_of_a_refused_token_exits_with_1(acme: Shell) -> None:
    acme.sandbox.world.issue("acme", "ada")  # elsewhere, which revokes ours
    ran = acme("status")
    assert ran.code == 1
    assert "does not accept the token" in ran.out
    assert acme("status", "--offline").code == 0


def test_check_has_precedence_over_stored_metadata(acme: Shell) -> None:

    store = user_store(Settings())
    (token,) = store.tokens()
    issued = acme.sandbox.clock.now()
    store.update(token._replace(expires=issued - timedelta(days=1)))
    assert acme("status").code == 0
    assert acme("status", "--offline").code == 1


@pytest.mark.parametrize(("within", "code"), [("14d", 0), ("301d", 1), ("52w", 1)])
def test_fail_within_sets_the_exit_code(acme: Shell, within: str, code: int) -> None:
    assert acme("status", "--fail-within", within, "--offline").code == code


def test_fail_within_names_the_reason_and_the_command_even_when_quiet(acme: Shell) -> None:
    ran = acme("status", "--fail-within", "301d", "--quiet")
    assert ran.code == 1
    assert "within 301 days" in ran.err
    assert "sync acme" in ran.err
    assert ran.out.startswith("! acme  …")


def test_verdict_is_the_first_line(acme: Shell) -> None:
    assert acme("status").out.startswith("✓ acme  …")
    acme.sandbox.world.issue("acme", "ada")
    assert acme("status").out.startswith("✗ acme  …")


def test_channel_that_conda_does_not_ask_about_is_reported_with_the_entry(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", shell.sandbox.world.issue("acme", "ada").value)
    ran = shell("status")
    assert f"does not ask this plugin for {shell.sandbox.url_of('acme')}" in ran.out
    assert "channel_settings: [{channel:" in ran.out
    assert "auth: conda-token-plugin" in ran.out


def test_stored_channel_that_conda_cannot_request_is_reported(acme: Shell) -> None:
    store = user_store(Settings())
    (token,) = store.tokens()
    store.update(token._replace(scope=(f"{token.scope[0]};x",), home=token.scope[0]))
    ran = acme("status", "--offline")
    assert ";x' is not a channel URL that a token can be sent to: conda requests" in ran.out


def test_invalid_span_is_an_error(acme: Shell) -> None:
    acme("status", "--fail-within", "soon").failed(2, "14d")


def test_status_stores_when_a_token_last_worked(acme: Shell) -> None:
    before = user_store(Settings()).tokens()[0].verified
    acme("status")
    after = user_store(Settings()).tokens()[0].verified
    assert before
    assert after
    assert after > before


@pytest.mark.parametrize("name", ["ANACONDA_REPO_TOKEN", "ANACONDA_REPO_TOKEN_ACME"])
def test_status_checks_a_token_from_the_environment(shell: Shell, name: str) -> None:
    shell.set(name, shell.sandbox.world.issue("acme", "ada").value)
    (value,) = shell.held("status")
    assert (value["source"], value["works"]) == (name, True)
    shell.set(name, "not-a-token-at-all")
    assert shell("status").code == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502, "body": b"<html>"},
        {"status": 429},
        {"status": 404},
        {"ending": Ending.RESET},
        {"status": 200, "headers": (("Content-Type", "text/html"),)},
    ],
    ids=str,
)
def test_failing_repository_leaves_the_state_unknown(acme: Shell, fault: dict[str, object]) -> None:
    acme.sandbox.fail_next("/repo/", times=99, **fault)
    ran = acme("status", "--json").well()
    assert ran.json[0]["works"] is None
    assert "checked" in ran.json[0]["check"]


def test_public_channel_leaves_the_state_unknown(acme: Shell) -> None:
    acme.sandbox.fail_next("main/noarch/repodata", times=99, status=200, body=b'{"packages": {}}')
    (value,) = acme.held("status")
    assert value["works"] is None
    assert "is public" in value["check"]


def test_corrupt_store_is_one_line(acme: Shell) -> None:
    index = user_store(Settings()).folder / "index.json"
    index.write_bytes(b"\x00broken")
    acme("status").failed(6, str(index))
    assert index.read_bytes() == b"\x00broken"


def test_status_names_the_service_of_a_token_and_none_for_another_server(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("install", "--org", "acme")
    monkeypatch.setattr(sys, "stdin", io.StringIO("a-token-0123456789"))
    other = ("install", "--org", "other", "-c", f"{shell.sandbox.service}/elsewhere/main")
    assert shell(*other, "--token-stdin", "--no-validate").code == 0

    services = {one["organization"]: one["service"] for one in shell.held("status")}

    assert services == {"acme": shell.sandbox.service, "other": None}
