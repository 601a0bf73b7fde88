"""A container: the package is installed, a variable is set, and no command of it is run.

The addresses are the real ones, https://repo.anaconda.cloud/…. A proxy connects them to a sandbox
that has a certificate for this name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.tunnel import tunnel_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.end_to_end.packaging.base import Base
    from tests.support.certificates import Authority

HOST = "repo.anaconda.cloud"
CHANNEL = f"https://{HOST}/repo/acme/main"


@pytest.fixture
def repository(authority: Authority) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """Yield a sandbox with the host name of the repository, and the variables for conda."""
    from conda_token_plugin.sandbox import Sandbox

    with (
        Sandbox.start(tls=authority.server(HOST, "127.0.0.1", "localhost")) as running,
        tunnel_proxy(leads_to=int(running.service.rpartition(":")[2])) as proxy,
    ):
        settings = {"CONDA_SOLVER": "classic", "CONDA_REMOTE_MAX_RETRIES": "0"}
        yield (
            running,
            settings
            | {
                "HTTPS_PROXY": f"http://{proxy.address}",
                "CONDA_SSL_VERIFY": str(authority.file),
            },
        )


@pytest.mark.conda
@pytest.mark.slow
def test_container_with_the_package_needs_only_a_variable(
    plugged: Base, repository: tuple[Sandbox, dict[str, str]], tmp_path: Path
) -> None:
    sandbox, settings = repository
    token = sandbox.world.issue("acme", "ada").value
    words = ("create", "-y", "-q", "-p", tmp_path / "env", "--override-channels", "-c", CHANNEL)
    assert plugged.tried("conda", *words, "acme-hello", **settings)[0] != 0
    sandbox.requests.clear()
    plugged.conda(*words, "acme-hello", ANACONDA_REPO_TOKEN=token, **settings)
    assert (tmp_path / "env" / "bin" / "acme-hello").exists()
    assert {seen.authorization for seen in sandbox.requests} == {f"token {token}"}
    assert {seen.host for seen in sandbox.requests} == {HOST}
