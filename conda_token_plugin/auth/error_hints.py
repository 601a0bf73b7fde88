"""From conda's error to the one line that explains it; the same reason is given once a process."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from conda_token_plugin.integrations.conda.caches import note_refused
from conda_token_plugin.operations.explain_refusal import RefusalExplainer
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import resolver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.operations.refusal_reasons import Diagnosis

_SAID: set[tuple[str, str]] = set()


def hint(facts: Mapping[str, Any]) -> Diagnosis | None:
    """The diagnosis for the ``facts`` of a CondaHTTPError; None if there is nothing new to say."""
    headers = headers_in(str(facts.get("response_details", "")))
    status = int(facts["status_code"])
    diagnosis = examiner().examine(str(facts["url"]), status=status, headers=headers)
    if diagnosis is not None:
        note_refused(str(facts["url"]), folder=examiner().settings.store_folder)
    if diagnosis is None or (diagnosis.code, diagnosis.command) in _SAID:
        return None
    _SAID.add((diagnosis.code, diagnosis.command))
    return diagnosis


@cache
def examiner() -> RefusalExplainer:
    """The examiner of this process; it shares the handler's resolver where that was used."""
    auth = sys.modules.get("conda_token_plugin.auth.handler")
    settings = Settings()
    return RefusalExplainer(settings, auth.LOOKUP if auth else resolver(settings))


def headers_in(details: str) -> dict[str, str]:
    """The response's headers in conda's ``response_details``: the lines that begin with ``<``."""
    lines = (line[2:].partition(": ") for line in details.splitlines() if line.startswith("< "))
    return {name.lower(): value for name, _, value in lines}
