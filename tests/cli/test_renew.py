"""`renew`: extended where that is possible, replaced only after confirmation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def test_renew_keeps_a_token_that_ends_with_its_subscription(acme: Shell) -> None:
    before = acme.issued("acme").id
    ran = acme("renew", "--json").well()
    assert ran.json == {"organization": "acme", "action": "kept"}
    assert acme.issued("acme").id == before


def test_renew_replaces_a_revoked_token_only_with_reissue_without_a_terminal(acme: Shell) -> None:
    revoked = acme.issued("acme").id
    acme.sandbox.world.revoke(revoked)
    for flags in ((), ("--yes",)):
        acme("renew", "acme", *flags).failed(2, "--reissue")
    assert acme.sandbox.world.current("acme", "ada") is None
    assert acme("renew", "acme", "--reissue").code == 0
    assert acme.issued("acme").id != revoked


def test_renew_asks_at_a_terminal_before_it_replaces(acme: Shell) -> None:
    acme.sandbox.world.revoke(acme.issued("acme").id)
    terminal = acme.at_terminal("renew")
    terminal.wait_for("of acme by a new one? [y/N]")
    terminal.type("n\n")
    assert terminal.finish() == 8
    assert acme.sandbox.world.current("acme", "ada") is None


def test_renew_names_the_organizations_if_several_have_a_token(two: Shell) -> None:
    two("renew").failed(2, "acme, globex")


def test_renew_without_a_token_says_how_to_get_one(shell: Shell) -> None:
    assert "install" in shell("renew").line
    assert "install --org acme" in shell("renew", "acme").line


def test_renew_reports_the_page_and_then_the_extension(acme: Shell) -> None:
    acme("sync")
    before = acme.issued("acme").id
    ends = acme.sandbox.world.organization("acme").subscription.ends
    acme.sandbox.world.renew("acme", ends + timedelta(days=365))
    ran = acme("renew", "acme").well()
    assert f"extend the token at {acme.sandbox.service}/app/organizations/acme" in ran.err
    assert "expire with the same subscription" not in ran.err
    acme.sandbox.world.sync(before)
    ran = acme("renew", "--json")
    assert ran.json == {"organization": "acme", "action": "extended"}
    assert acme.issued("acme").id == before


def test_renew_of_a_revoked_site_token_does_not_issue_an_individual_one(shell: Shell) -> None:
    value = shell.issued("acme", "").value
    shell.set("T", value)
    assert shell("install", "--site", "--org", "acme", "--token-env", "T").code == 0
    assert shell("renew", "acme").code == 0
    shell.sandbox.world.revoke(shell.issued("acme", "").id)
    shell("renew", "acme", "--reissue").failed(
        2, "only an administrator can replace", "install --site --org acme"
    )
    assert shell.sandbox.world.current("acme", "ada") is None
