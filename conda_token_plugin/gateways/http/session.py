"""How requests is set up: what is repeated, where ``Authorization`` may go, what is logged."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest, Response

NOISY = ("urllib3.connectionpool", "urllib3.util.retry")
MAY_PASS = (502, 503, 504)
"""Statuses of a gateway that are worth another try."""
TROUBLE = (OSError, ValueError, HTTPError)
"""What sending may raise: all that requests does and a CA bundle that is not there are OSErrors;
of urllib3 and urllib.parse it lets some through, as for a redirect to what is no address."""
PAUSE = 0.2
"""Seconds before the second repetition, doubled with each."""


def session(*, again: int, reads: bool) -> requests.Session:
    """A session that repeats a request ``again`` times, a write only if it was never sent."""
    made = _Session()
    # Retry-After is left to the user: waiting for it could take an hour.
    retry = Retry(
        total=again,
        connect=again,
        read=min(again, 1) if reads else False,
        other=0,
        status=again if reads else 0,
        status_forcelist=MAY_PASS if reads else (),
        allowed_methods=frozenset({"GET", "HEAD"}),
        backoff_factor=PAUSE,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


class _Session(requests.Session):
    """A session whose redirects do not look into ``~/.netrc``."""

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Take ``Authorization`` out of a request that goes elsewhere; put nothing in."""
        before, after = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]  # not in stubs
            prepared_request.headers.pop("Authorization", None)


@contextmanager
def discreet() -> Iterator[None]:
    """Keep tokens in paths out of urllib3's logs, and its retries off the user's terminal."""
    filters = [(logging.getLogger(name), _Masked()) for name in NOISY]
    for logger, mask in filters:
        logger.addFilter(mask)
    try:
        yield
    finally:
        for logger, mask in filters:
            logger.removeFilter(mask)


class _Masked(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_tokens(record.getMessage()), ()
        return record.levelno < logging.WARNING


def without_tokens(text: str) -> str:
    """``text`` without the tokens of the URLs and paths in it."""
    return " ".join(without_secrets(word) if "/t/" in word else word for word in text.split(" "))
