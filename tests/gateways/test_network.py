"""The plugin's own requests use conda's network settings, or without conda those of variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import trustme

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways.http import network
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.servers import RecordingServer
    from tests.support.tunnel import TunnelProxy

SEND = """
import sys, warnings
if sys.argv[1] == "without":
    sys.modules["conda"] = None
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.gateways.http.client import Http
before = "conda" in sys.modules and sys.modules["conda"] is not None
try:
    print(before, Http().send("GET", sys.argv[2] + "/api").status)
except TokenPluginError as error:
    print(type(error).__name__, error)
"""


def send(url: str, *, conda: bool, cwd: Path, **variables: str) -> str:
    """Send a request in a process of its own, as conda-token-plugin does; return its output."""

    ran = subprocess.run(
        [sys.executable, "-c", SEND, "with" if conda else "without", url],
        env={**os.environ, **variables},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.strip()


class Person:
    """A user with a condarc, or without conda and with variables."""

    def __init__(self, home: Path, *, conda: bool) -> None:
        self.home = home
        self.conda = conda
        self.variables: dict[str, str] = {}

    def set(
        self,
        *,
        verify: str = "",
        cert: tuple[Path, Path] | None = None,
        proxy: str = "",
    ) -> None:
        if self.conda:
            lines = [f"ssl_verify: {verify}"] if verify else []
            if cert:
                lines += [f"client_ssl_cert: {cert[0]}", f"client_ssl_cert_key: {cert[1]}"]
            if proxy:
                lines += ["proxy_servers:", f"  https: {proxy}"]
            (self.home / ".condarc").write_text("\n".join(lines))
            return
        if verify:
            self.variables["ANACONDA_AUTH_SSL_VERIFY"] = verify
        if cert:
            self.variables["ANACONDA_AUTH_CLIENT_CERT"] = str(cert[0])
            self.variables["ANACONDA_AUTH_CLIENT_CERT_KEY"] = str(cert[1])
        if proxy:
            self.variables["ANACONDA_AUTH_PROXY_SERVERS"] = json.dumps({"https": proxy})

    def send(self, url: str, **variables: str) -> str:
        return send(url, conda=self.conda, cwd=self.home, **self.variables, **variables)


@pytest.fixture(params=["without conda", pytest.param("with conda", marks=pytest.mark.conda)])
def user(request: pytest.FixtureRequest, empty_home: Path) -> Person:
    return Person(empty_home, conda=request.param == "with conda")


def test_unknown_certificate_is_refused_and_the_hint_names_the_setting(
    user: Person, https: RecordingServer
) -> None:
    said = user.send(https.url)
    assert "ServiceUnreachable" in said
    assert "its certificate is not trusted" in said
    assert ("conda config --set ssl_verify" if user.conda else "REQUESTS_CA_BUNDLE") in said
    assert https.requests == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_hint_about_a_certificate_names_the_variable_that_replaces_ssl_verify(
    user: Person, https: RecordingServer, ca_file: Path, name: str
) -> None:
    other = user.home / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    user.set(verify=str(ca_file))
    said = user.send(https.url, **{name: str(other)})
    assert "its certificate is not trusted" in said
    assert f"Check {name}:" in said
    assert "conda config --set" not in said
    assert ("ssl_verify is not used" in said) is user.conda
    assert user.send(https.url, **{name: str(ca_file)}) == "False 200"


def test_ca_file_in_the_settings_is_used(
    user: Person, https: RecordingServer, ca_file: Path
) -> None:
    user.set(verify=str(ca_file))
    assert user.send(https.url) == "False 200"


def test_verification_is_off_when_the_setting_says_so(user: Person, https: RecordingServer) -> None:
    user.set(verify="false")
    assert user.send(https.url) == "False 200"


def test_ca_file_that_does_not_exist_is_one_line(user: Person, https: RecordingServer) -> None:
    user.set(verify=str(user.home / "absent.pem"))
    fault = (
        ".condarc cannot be read by conda"
        if user.conda
        else "a file of certificates or a client certificate cannot be used"
    )
    said = user.send(https.url)
    assert fault in said
    assert ("conda config --validate" if user.conda else "Check ANACONDA_AUTH_SSL_VERIFY") in said


def test_client_certificate_that_does_not_exist_is_named_in_the_hint(
    user: Person, https: RecordingServer, ca_file: Path
) -> None:
    absent = user.home / "absent.pem"
    user.set(verify=str(ca_file), cert=(absent, absent))
    said = user.send(https.url)
    assert "a client certificate cannot be used" in said
    assert ("client_ssl_cert " if user.conda else "ANACONDA_AUTH_CLIENT_CERT and") in said


def test_server_that_requires_a_client_certificate_is_explained(
    user: Person, mutual_https: RecordingServer, ca_file: Path
) -> None:
    user.set(verify=str(ca_file))
    said = user.send(mutual_https.url)
    assert "The server may require a client certificate" in said
    assert ("client_ssl_cert" if user.conda else "ANACONDA_AUTH_CLIENT_CERT") in said
    assert mutual_https.requests == []


@pytest.mark.skipif(
    sys.platform != "linux" or find_spec("truststore") is None, reason="needs truststore on Linux"
)
def test_truststore_uses_the_certificates_of_the_system(
    user: Person, https: RecordingServer, ca_file: Path
) -> None:
    system = {"SSL_CERT_FILE": str(ca_file)}  # OpenSSL's own place; requests does not read it
    assert "not trusted" in user.send(https.url, **system)
    user.set(verify="truststore")
    assert user.send(https.url, **system) == "False 200"


def test_client_certificate_is_sent(
    user: Person, mutual_https: RecordingServer, ca_file: Path, client_cert: tuple[Path, Path]
) -> None:
    user.set(verify=str(ca_file))
    assert "Unreachable" in user.send(mutual_https.url) or "ResponseLost" in user.send(
        mutual_https.url
    )
    user.set(verify=str(ca_file), cert=client_cert)
    assert user.send(mutual_https.url) == "False 200"


def test_proxy_with_user_and_password_is_used(
    user: Person, https: RecordingServer, ca_file: Path, proxy: TunnelProxy
) -> None:
    user.set(verify=str(ca_file), proxy=proxy.url)
    assert user.send(https.url) == "False 200"
    assert proxy.accepted == [https.url.removeprefix("https://")]


def test_proxy_that_refuses_is_named_and_its_password_is_not_shown(
    user: Person, https: RecordingServer, ca_file: Path, proxy: TunnelProxy
) -> None:
    user.set(verify=str(ca_file), proxy=f"http://ann:wrong-password@{proxy.address}")
    said = user.send(https.url)
    assert "the proxy refused the request" in said
    assert ("proxy_servers" if user.conda else "HTTPS_PROXY") in said
    assert "wrong-password" not in said
    assert proxy.refused
    assert https.requests == []


@pytest.mark.conda
def test_truststore_through_a_proxy_uses_the_certificates_of_the_system(
    empty_home: Path, https: RecordingServer, ca_file: Path, proxy: TunnelProxy
) -> None:
    pytest.importorskip("truststore")
    user = Person(empty_home, conda=True)
    user.set(verify="truststore", proxy=proxy.url)
    assert user.send(https.url, SSL_CERT_FILE=str(ca_file)) == "False 200"
    assert len(proxy.accepted) == 1


@pytest.mark.conda
def test_offline_conda_sends_no_request(empty_home: Path, recorder: RecordingServer) -> None:
    (empty_home / ".condarc").write_text("offline: true")
    assert "conda is offline" in send(recorder.url, conda=True, cwd=empty_home)
    assert recorder.requests == []


@pytest.mark.conda
@pytest.mark.parametrize("text", ["ssl_verify: [", "remote_read_timeout_secs: soon"])
def test_condarc_that_conda_cannot_read_is_one_line(
    empty_home: Path, recorder: RecordingServer, text: str
) -> None:
    (empty_home / ".condarc").write_text(text)
    said = send(recorder.url, conda=True, cwd=empty_home)
    assert said.startswith("ConfigurationError")
    assert "conda config --validate" in said
    assert recorder.requests == []


@pytest.mark.conda
def test_condas_timeouts_and_retries_are_used(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_REMOTE_READ_TIMEOUT_SECS", "7.0")
    monkeypatch.setenv("CONDA_REMOTE_CONNECT_TIMEOUT_SECS", "2.0")
    monkeypatch.setenv("CONDA_REMOTE_MAX_RETRIES", "4")
    assert empty_home.is_dir()
    timeouts = network.network(Settings()).timeouts
    assert timeouts == (2.0, 7.0, 4, 9.0 + network.CONDA_RESERVE)


def test_loopback_over_plain_http_is_never_sent_to_a_proxy(
    user: Person, recorder: RecordingServer, proxy: TunnelProxy
) -> None:
    said = user.send(recorder.url, http_proxy=proxy.url, HTTP_PROXY=proxy.url)
    assert said == "False 200"
    assert (proxy.accepted, proxy.refused) == ([], 0)


def without_conda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "conda", None)


def test_extra_headers_are_sent_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    without_conda(monkeypatch)
    settings = Settings({"ANACONDA_AUTH_EXTRA_HEADERS": '{"X-Access": "access-secret"}'})
    found = network.network(settings)
    assert "access-secret" not in repr(found)
    assert found.headers["X-Access"].encode() == b"access-secret"


@pytest.mark.parametrize("name", ["EXTRA_HEADERS", "PROXY_SERVERS"])
@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "access-secret", "[" * 100_000])
def test_variable_that_is_no_json_object_is_an_error_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    without_conda(monkeypatch)
    with pytest.raises(
        BadInput, match=f"ANACONDA_AUTH_{name} is not an object with texts"
    ) as caught:
        network.network(Settings({f"ANACONDA_AUTH_{name}": text}))
    assert "access-secret" not in str(caught.value)


@pytest.fixture
def site_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Return a function that writes the table of a site, and returns settings that choose it."""
    without_conda(monkeypatch)

    def write(lines: str) -> Settings:
        path = tmp_path / "config.toml"
        path.write_text(f'[sites.corp]\ndomain = "corp.example"\n{lines}', "utf-8")
        return Settings({"ANACONDA_CONFIG_TOML": str(path), "HOME": str(tmp_path)})

    return write


def test_network_settings_of_the_site_are_used_and_not_shown(
    site_table: Callable[[str], Settings],
) -> None:
    settings = site_table(
        'client_cert = "c.pem"\nclient_cert_key = "k.pem"\n'
        'proxy_servers = { https = "http://ann:proxy-secret@proxy.example" }\n'
        'extra_headers = { X-Access = "access-secret" }\n'
    )

    found = network.network(settings)

    assert found.cert == ("c.pem", "k.pem")
    assert found.proxies == {"https": "http://ann:proxy-secret@proxy.example"}
    assert found.headers["X-Access"].encode() == b"access-secret"
    assert "secret" not in repr(settings.site)


def test_variable_has_precedence_over_the_network_settings_of_the_site(
    site_table: Callable[[str], Settings],
) -> None:
    settings = site_table('client_cert = "c.pem"\nclient_id = "of-the-site"\n')
    variables = {**settings.variables, "ANACONDA_AUTH_CLIENT_CERT": "v.pem"}

    assert network.network(Settings(variables)).cert == "v.pem"
    assert settings.client_id == "of-the-site"
    assert Settings({**variables, "ANACONDA_AUTH_CLIENT_ID": "of-v"}).client_id == "of-v"


def test_network_setting_of_a_wrong_type_names_the_site_and_not_the_value(
    site_table: Callable[[str], Settings],
) -> None:
    with pytest.raises(BadInput, match="extra_headers of the site corp") as caught:
        network.network(site_table('extra_headers = "access-secret"\n'))
    assert "access-secret" not in str(caught.value)
