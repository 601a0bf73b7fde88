"""Certificates, and redirects between https and http: the token stays where it belongs."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.asker import requested
from tests.end_to_end.conda.report import summary
from tests.support.servers import recording
from tests.support.stored_tokens import hold, put

if TYPE_CHECKING:
    from tests.end_to_end.conda.report import Table
    from tests.support.certificates import Authority
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

TOKEN = "a-token-0123456789"


@pytest.mark.parametrize("setting", ["a file", "truststore", "false"])
def test_certificate_settings_of_conda_apply_to_requests_with_a_token(
    secure: Machine, authority: Authority, setting: str, table: Table
) -> None:
    token = hold(secure, "acme")
    value = str(authority.file) if setting == "a file" else setting
    # The system's certificates, for as long as this test runs.
    trusted = {"SSL_CERT_FILE": str(authority.file)} if setting == "truststore" else {}
    channel = secure.only("acme/main")

    secure.create(*channel, "acme-hello", CONDA_SSL_VERIFY=value, **trusted).well()

    assert {one.authorization for one in secure.sandbox.requests} == {f"token {token}"}
    saw = summary(secure.sandbox.requests, names={token: "acme"})
    table.add(f"https, ssl_verify: {setting}", solver="classic", channel="acme", saw=saw)


def test_untrusted_server_gets_no_token(secure: Machine) -> None:
    hold(secure, "acme")
    channel = secure.only("acme/main")

    refused = secure.create(*channel, "acme-hello").badly()

    assert "SSL" in refused.said
    assert not list(secure.sandbox.requests)


def test_client_certificate_is_sent_with_the_token(
    secure: Machine, authority: Authority, tls: ssl.SSLContext, table: Table
) -> None:
    token = hold(secure, "acme")
    tls.verify_mode = ssl.CERT_REQUIRED
    channel = secure.only("acme/main")
    trust = {"CONDA_SSL_VERIFY": str(authority.file)}
    certificate, key = map(str, authority.pair("ann@example.invalid"))
    shown = {"CONDA_CLIENT_SSL_CERT": certificate, "CONDA_CLIENT_SSL_CERT_KEY": key}

    secure.create(*channel, "acme-hello", **trust).badly()
    secure.create(*channel, "acme-hello", **trust, **shown).well()

    assert {one.authorization for one in secure.sandbox.requests} == {f"token {token}"}
    saw = summary(secure.sandbox.requests, names={token: "acme"})
    table.add("https, client certificate", solver="classic", channel="acme", saw=saw)


def test_redirect_to_another_scheme_or_port_gets_no_token(
    machine: Machine, authority: Authority, table: Table
) -> None:
    with recording() as plain, recording() as other, recording(tls=authority.server()) as secured:
        scope = [f"{wire.url}/repo/acme" for wire in (plain, secured)]
        put(machine, TOKEN, organization="acme", scope=scope)
        condarc = f"ssl_verify: {authority.file}\n"
        for name, start, end in (
            ("http to https", plain, secured),
            ("https to http", secured, plain),
            ("to another port", plain, other),
        ):
            start.far = end.url
            start.requests.clear()
            end.requests.clear()
            requested(machine, f"{start.url}/repo/acme/moved-far/x.json", condarc=condarc)
            assert [one.header("Authorization") for one in start.requests] == [f"token {TOKEN}"]
            assert [one.header("Authorization") for one in end.requests] == [""]
            saw = "acme, then nothing"
            table.add(f"redirect {name}", solver="-", channel="acme", saw=saw)


def test_mirror_gets_the_token_only_if_it_is_in_scope(machine: Machine, table: Table) -> None:
    with recording() as mirror, recording() as other_host:
        put(machine, TOKEN, organization="acme", scope=[f"{mirror.url}/mirrored/acme"])
        for wire in (mirror, other_host):
            requested(machine, f"{wire.url}/mirrored/acme/main/noarch/repodata.json")

        assert [one.header("Authorization") for one in mirror.requests] == [f"token {TOKEN}"]
        assert [one.header("Authorization") for one in other_host.requests] == [""]
    table.add("a mirror", solver="-", channel="in scope / not", saw="acme / nothing")
