"""Turn an error of conda into one line that explains it; each reason is given once per process."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from conda_token_plugin.auth.faults import REFUSED_ELSEWHERE, faults_reported
from conda_token_plugin.integrations.conda.caches import note_refused
from conda_token_plugin.operations.explain_refusal import RefusalExplainer
from conda_token_plugin.operations.refusal_reasons import storage_refused
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.operations.refusal_reasons import Diagnosis
    from conda_token_plugin.store.lookup import Lookup

NOT_FOUND = 404
_REPORTED: set[tuple[str, str]] = set()


def hint(facts: Mapping[str, Any], *, lookup: Lookup) -> Diagnosis | None:
    """Return the diagnosis for the ``facts`` of an error of conda, or None without a new one.

    Raise nothing, even if a setting is invalid.
    """
    with faults_reported("the refusal is not explained"):
        found = _diagnosed(facts, lookup)
        if found is not None and (found.code, found.command) not in _REPORTED:
            _REPORTED.add((found.code, found.command))
            return found
    return None


def _diagnosed(facts: Mapping[str, Any], lookup: Lookup) -> Diagnosis | None:
    status, details = int(facts["status_code"]), str(facts.get("response_details", ""))
    if status == NOT_FOUND:
        if "channel_url" not in facts:
            return None
        url = requested(f"{facts['channel_url']}/noarch/repodata.json", details=details)
        return reason(url, status=status, headers={}, lookup=lookup)
    url = requested(str(facts.get("url") or facts["channel_url"]), details=details)
    found = reason(url, status=status, headers=headers_in(details), lookup=lookup)
    if found is not None and unquote_plus(url) not in REFUSED_ELSEWHERE:
        note_refused(url, folder=Settings().store_folder)
    return found


def requested(url: str, *, details: str) -> str:
    """Return ``url`` as conda requested it.

    conda undoes the escapes in its errors, and makes ``+`` a space (``conda.common.url``).

    Args:
        url: The URL of the error.
        details: conda's ``response_details``, in which the request's line begins with ``>>``.
    """
    path = re.search(r"^>>[A-Z]+ (/\S*)", details, re.MULTILINE)
    sent = "/".join(url.split("/", 3)[:3]) + path[1] if path else url
    return sent if unquote_plus(sent) == url else url


def reason(
    url: str, *, status: int, headers: Mapping[str, str], lookup: Lookup
) -> Diagnosis | None:
    """Return why the response for ``url`` has ``status``, or None if the reason is not known."""
    host = REFUSED_ELSEWHERE.get(unquote_plus(url))
    if host is not None:
        return storage_refused(host, status=status)
    return explainer(lookup).examine(url, status=status, headers=headers)


@cache
def explainer(lookup: Lookup) -> RefusalExplainer:
    """Return the explainer of this process, which asks about each token once."""
    return RefusalExplainer(Settings(), lookup)


def headers_in(details: str) -> dict[str, str]:
    """Return the response's headers in conda's ``response_details``: the lines with ``<``."""
    lines = (line[2:].partition(": ") for line in details.splitlines() if line.startswith("< "))
    return {name.lower(): value for name, _, value in lines}
