"""curl, pip, conda and py-rattler, the real ones, read the netrc that was exported."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme
from tests.support.rattler import installs, needs_rattler
from tests.support.servers import basic_files, recording
from tests.support.tokens import token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.machine import Machine
    from tests.support.servers import RecordingServer

PASSWORDS = {"acme": "acme-Pa55.word_0123", "globex": "globex-Pa55.word_0123"}
REFUSED_BY_CURL = 22


@pytest.fixture
def server(files_of_sandbox: Path, tmp_path: Path) -> Iterator[RecordingServer]:
    """Two organizations' channels, and an index of one Python package each."""
    folder = tmp_path / "served"
    for name in PASSWORDS:
        shutil.copytree(files_of_sandbox / name / "main", folder / name / "conda")
        index = folder / name / "simple" / f"{name}-thing"
        index.mkdir(parents=True)
        wheel = f"{name}_thing-1.0-py3-none-any.whl"
        index.joinpath("index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
        write_wheel(index / wheel, f"{name}_thing")
    with recording(basic_files(folder, PASSWORDS)) as running:
        yield running


@pytest.fixture
def exported(machine: Machine, server: RecordingServer) -> Machine:
    """Somebody whose two passwords were exported at once."""
    store = user_store(machine.settings)
    for name, password in PASSWORDS.items():
        facts = {"scheme": AuthScheme.BASIC, "username": name, "last_four": password[-4:]}
        store.add(token(name, scope=(url_of(server, name),), **facts), Secret(password))
    machine.plugin("export", "netrc").well()
    return machine


def url_of(server: RecordingServer, name: str) -> str:
    """Return the address of an organization. Each has a host name of its own."""
    return f"{server.url if name == 'acme' else server.other_url}/{name}"


def write_wheel(path: Path, name: str) -> None:
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "there = True\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("name", PASSWORDS)
def test_curl_reads_the_exported_netrc(
    exported: Machine, server: RecordingServer, name: str
) -> None:
    url = f"{url_of(server, name)}/conda/noarch/repodata.json"

    def curl(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(shutil.which("curl")), *options, "--silent", "--fail", url],
            env={"HOME": str(exported.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert curl().returncode == REFUSED_BY_CURL
    assert f"{name}-hello" in curl("--netrc").stdout


@pytest.mark.skipif(find_spec("pip") is None, reason="there is no pip")
@pytest.mark.parametrize("name", PASSWORDS)
def test_pip_reads_the_exported_netrc(
    exported: Machine, server: RecordingServer, name: str
) -> None:
    into = exported.folder / "site"
    exported.python(
        *("-m", "pip", "install", "--no-deps", "--no-input", "--disable-pip-version-check"),
        *("--no-cache-dir", "--target", str(into), f"{name}-thing"),
        *("--index-url", f"{url_of(server, name)}/simple"),
        PIP_ROOT_USER_ACTION="ignore",
        PIP_CONFIG_FILE="/dev/null",
    ).well()
    assert (into / f"{name}_thing.py").exists()


@pytest.mark.conda
def test_conda_reads_the_exported_netrc_for_two_organizations(
    exported: Machine, server: RecordingServer
) -> None:
    channels = [f"{url_of(server, name)}/conda" for name in PASSWORDS]
    exported.create(
        *exported.only(*channels),
        *("acme-tools", "globex-tools"),
        **exported.without_plugin(),
    ).well()
    assert exported.installed() >= {"acme-tools", "globex-tools"}


@needs_rattler
def test_rattler_reads_the_exported_netrc_for_two_organizations(
    exported: Machine, server: RecordingServer
) -> None:
    channels = [f"{url_of(server, name)}/conda" for name in PASSWORDS]
    done = installs(exported, *channels, packages="acme-tools globex-tools").well()
    assert "globex-tools" in done.out


def test_host_is_not_sent_the_password_of_another_host(
    exported: Machine, server: RecordingServer
) -> None:
    code = (
        "import requests, sys\n"
        "[print(requests.get(url, timeout=5).status_code) for url in sys.argv[1:]]"
    )
    ours = [f"{url_of(server, name)}/conda/noarch/repodata.json" for name in PASSWORDS]
    crossed = [f"{server.other_url}/acme/conda/noarch/repodata.json"]
    done = exported.python("-c", code, *ours, *crossed).well()
    assert done.out.split() == ["200", "200", "401"]


def test_client_is_refused_after_the_netrc_export_is_removed(
    exported: Machine, server: RecordingServer
) -> None:
    exported.plugin("export", "netrc", "--remove").well()
    assert not (exported.home / ".netrc").exists()
    code = "import requests, sys\nprint(requests.get(sys.argv[1], timeout=5).status_code)"
    done = exported.python("-c", code, f"{url_of(server, 'acme')}/conda/").well()
    assert done.out.split() == ["401"]
