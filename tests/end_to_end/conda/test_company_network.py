"""A company's network: one condarc with authority, proxy and client certificate serves all."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.tunnel import tunnel_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.certificates import Authority
    from tests.support.machine import Machine, Ran
    from tests.support.tunnel import TunnelProxy

pytestmark = pytest.mark.conda


@pytest.fixture
def proxy(secure: Machine, authority: Authority, tls: ssl.SSLContext) -> Iterator[TunnelProxy]:
    """Write the condarc for a proxy with a password, and require a client certificate."""
    tls.verify_mode = ssl.CERT_REQUIRED
    certificate, key = authority.pair("ann@example.invalid")
    with tunnel_proxy(authenticates=True) as made:
        secure.condarc(
            f"ssl_verify: {authority.file}\n"
            f"client_ssl_cert: {certificate}\nclient_ssl_cert_key: {key}\n"
            f"proxy_servers:\n  https: {made.url}\n"
        )
        yield made


def log_in(machine: Machine, user: str) -> Ran:
    """Run ``conda token login``, and approve the login in another browser."""
    devices = machine.sandbox.login.devices
    devices.interval = timedelta(seconds=1)
    with ThreadPoolExecutor(1) as pool:
        login = pool.submit(machine.conda, "token", "login", "--device")
        while not (devices.waiting() or login.done()):
            time.sleep(0.05)
        for one in devices.waiting():
            devices.decide(one.user_code, user)
        return login.result()


def test_condarc_of_a_company_network_serves_every_command(
    secure: Machine, proxy: TunnelProxy, solver: str
) -> None:
    secure.variables["CONDA_SOLVER"] = solver
    channel = secure.only("acme/main")

    log_in(secure, "ada").well()
    secure.conda("token", "install", "--org", "acme").well()
    secure.create(*channel, "acme-hello").well()
    status = secure.conda("token", "status", "--json").well()
    admin = secure.sandbox.world.credentials.register_client(secure.sandbox.world.user("admin"))
    account = {
        "ANACONDA_SERVICE_ACCOUNT_ID": admin.client_id,
        "ANACONDA_SERVICE_ACCOUNT_SECRET": admin.client_secret,
    }
    secure.conda("token", "sync", **account).well()

    assert secure.installed() == {"acme-hello"}
    assert {one["kind"]: one["works"] for one in status.json} == {
        "individual": True,
        "api-key": True,
    }
    assert set(proxy.accepted) == {f"127.0.0.1:{secure.sandbox.service.rpartition(':')[2]}"}
    assert proxy.refused == 0


@pytest.mark.parametrize("missing", ["ssl_verify", "client_ssl_cert", "proxy_servers"])
def test_install_without_one_of_the_settings_fails_and_issues_nothing(
    secure: Machine, proxy: TunnelProxy, missing: str
) -> None:
    condarc = secure.home / ".condarc"
    kept = [one for one in condarc.read_text("utf-8").splitlines() if not one.startswith(missing)]
    wrong = {"proxy_servers": [f"  https: http://ann:wrong@{proxy.address}"]}
    if missing == "proxy_servers":
        kept = [one for one in kept if not one.startswith("  ")] + [
            "proxy_servers:",
            *wrong[missing],
        ]
    secure.condarc("\n".join(kept))
    key = secure.sandbox.world.api_key("ada")

    ran = secure.conda("token", "install", "--org", "acme", ANACONDA_AUTH_API_KEY=key)

    assert ran.code == 5
    assert "error:" in ran.err
    assert secure.sandbox.world.current("acme", "ada") is None
