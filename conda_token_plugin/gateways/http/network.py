"""How the plugin's own requests reach the network: the only reader of conda's network settings.

Where conda can be imported, its settings apply: ``proxy_servers``, ``ssl_verify``,
``client_ssl_cert`` and ``client_ssl_cert_key``, the remote timeouts and retries, ``offline``.
So the plugin reaches every server that conda reaches.

Elsewhere these variables apply, as in anaconda-auth 0.15.3 (``config.py``, ``client.py``):
``ANACONDA_AUTH_SSL_VERIFY``, ``ANACONDA_AUTH_CLIENT_CERT`` and ``…_CLIENT_CERT_KEY``,
``ANACONDA_AUTH_PROXY_SERVERS`` and ``ANACONDA_AUTH_EXTRA_HEADERS`` (JSON objects); then the values
of the same names in the site's table of the configuration file.

In both cases requests adds its own variables (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``), as it
does in conda's sessions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.settings.site import verified_by
from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.settings import Settings

PREFIX = "ANACONDA_AUTH_"
CONDA_RESERVE = 30.0
"""Seconds for retries and redirects, beyond the time that conda gives one attempt."""


class Timeouts(NamedTuple):
    """Limits of a request in seconds, and how often it is repeated."""

    connect: float = 5.0
    """For one connection."""
    read: float = 20.0
    """Between two bytes of a response."""
    retries: int = 2
    """Number of repetitions, of requests that may be repeated."""
    total: float = 60.0
    """For the whole request, with its repetitions and redirects and the body of the response."""


class Network(NamedTuple):
    """Network settings of a session of requests."""

    proxies: Mapping[str, str]
    """As ``requests.Session.proxies``."""
    verify: bool | str
    """As ``requests.Session.verify``, or ``truststore``: the certificates of the system."""
    cert: str | tuple[str, str] | None
    """Client certificate, or certificate and key: paths."""
    headers: Mapping[str, str]
    timeouts: Timeouts
    offline: bool
    of_conda: bool
    """Whether these are conda's settings, for messages."""


def network(settings: Settings) -> Network:
    """Return the network settings of this process. Imports conda where that is possible.

    Raises:
        ConfigurationError: conda cannot read its configuration.
        BadInput: A variable cannot be read.
    """
    try:
        return _of_conda()
    except ImportError:  # a conda-token-plugin without conda
        return _of_variables(settings)


def _of_conda() -> Network:
    from conda import CondaError
    from conda.base.context import context, reset_context
    from ruamel.yaml.error import YAMLError

    try:
        if "conda.cli.main" not in sys.modules:
            reset_context()  # Only the conda command itself reads the condarc files at its start.
        cert, key = context.client_ssl_cert, context.client_ssl_cert_key
        connect, read = context.remote_connect_timeout_secs, context.remote_read_timeout_secs
        return Network(
            proxies=dict(context.proxy_servers),
            verify=context.ssl_verify,
            cert=(cert, key) if cert and key else cert or None,
            headers={},
            timeouts=Timeouts(
                connect=connect,
                read=read,
                retries=context.remote_max_retries,
                total=connect + read + CONDA_RESERVE,
            ),
            offline=context.offline,
            of_conda=True,
        )
    except (CondaError, YAMLError):  # no YAML, a value of the wrong type, a missing file
        pass
    # Raised outside the except block, because conda's error may quote a proxy's password.
    raise ConfigurationError(
        Path(".condarc"), reason="cannot be read by conda", hint="Run: conda config --validate"
    )


def _of_variables(settings: Settings) -> Network:
    cert, key = _text(settings, "client_cert"), _text(settings, "client_cert_key")
    headers = _object(settings, "extra_headers")
    return Network(
        proxies=_object(settings, "proxy_servers"),
        verify=_verify(settings),
        cert=(cert, key) if cert and key else cert,
        headers={name: HeaderValue(value) for name, value in headers.items()},
        timeouts=Timeouts(),
        offline=False,
        of_conda=False,
    )


def _verify(settings: Settings) -> bool | str:
    given = settings.given(f"{PREFIX}SSL_VERIFY")[0]
    return verified_by(given) if given else settings.site.ssl_verify


def _text(settings: Settings, name: str) -> str | None:
    value = settings.given(f"{PREFIX}{name.upper()}")[0] or settings.site.options.get(name)
    return value if isinstance(value, str) and value else None


def _object(settings: Settings, name: str) -> dict[str, str]:
    """Return the JSON object in the variable, or the table of the site; an error shows no value.

    Raises:
        BadInput: It is neither.
    """
    variable = f"{PREFIX}{name.upper()}"
    text, source = settings.given(variable)
    site = settings.site
    found = text or site.options.get(name, {})
    try:
        found = json.loads(found) if isinstance(found, str) else found
    except (ValueError, RecursionError):  # no JSON
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        where = source or f"{name} of the site {site.name} ({site.source})"
        raise BadInput(
            f"{where} is not an object with texts as values.",
            hint=f"""Write it as: {variable}='{{"NAME": "VALUE"}}'"""
            if text
            else f'Write it as: {name} = {{ NAME = "VALUE" }}',
        )
    return found
