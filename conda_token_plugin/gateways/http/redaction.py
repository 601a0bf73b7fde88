"""Remove tokens from what urllib3 logs and from texts about requests.

urllib3 logs the path of each request, and conda prints these logs at ``-vvv`` and its warnings
about repeated requests always. A token in the path (``/t/TOKEN/…``) would be visible there.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda_token_plugin.tokens import authorization
from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.tokens.secret import Secret

WIRE_LOGS = ("urllib3.connectionpool", "urllib3.util.retry")
"""Loggers that log request lines."""


def redacted(text: str, *secrets: Secret) -> str:
    """Return ``text`` without tokens in paths and without ``secrets``, escaped or not."""
    for secret in secrets:
        text = authorization.redacted(text, secret=secret)
    return " ".join(without_secrets(word) if "/t/" in word else word for word in text.split(" "))


def redact_logs(secret: Secret) -> None:
    """Remove ``secret`` from urllib3's logs from now on. Calling it twice has no effect."""
    for log in map(logging.getLogger, WIRE_LOGS):
        known = (one for one in log.filters if isinstance(one, _Redaction))
        if not any(secret in one.secrets for one in known):
            log.addFilter(_Redaction(secret))


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Remove tokens in paths from urllib3's logs, and drop its warnings, during the block.

    A warning about a repeated request does not belong on the user's terminal: a request of
    ours that fails raises an error.
    """
    filters = [(logging.getLogger(name), _Redaction(quiet=True)) for name in WIRE_LOGS]
    for logger, one in filters:
        logger.addFilter(one)
    try:
        yield
    finally:
        for logger, one in filters:
            logger.removeFilter(one)


class _Redaction(logging.Filter):
    def __init__(self, *secrets: Secret, quiet: bool = False) -> None:
        super().__init__()
        self.secrets = secrets
        self._quiet = quiet

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage(), *self.secrets), ()
        return not (self._quiet and record.levelno >= logging.WARNING)
