"""Format findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).

Paths below the current folder are relative to it, as code scanning requires.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

from conda_token_plugin import __version__
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.operations.audit.patterns import RULES
from conda_token_plugin.operations.audit.scan import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conda_token_plugin.operations.audit.scan import AuditFinding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(found: Iterable[AuditFinding], *, below: Path) -> dict[str, Any]:
    """Return the whole document; ``below`` is the folder that paths are relative to."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    driver = {"name": "conda-token-plugin", "version": __version__, "rules": rules}
    results = [_result(one, below=below) for one in found]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(one: AuditFinding, *, below: Path) -> dict[str, Any]:
    uri = _uri(one.path, below=below)
    inside = f" (in {printable(one.inside)})" if one.inside else ""
    ident = f"{one.rule}|{uri}|{one.inside}|{one.line}"
    ident = sha256(ident.encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "ruleId": one.rule,
        "level": "error",
        "message": {"text": f"{RULES[one.rule]}{inside}. Remove it, and reissue it."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": 1 if one.inside else one.line},
                }
            }
        ],
        "partialFingerprints": {"place/v1": ident},
    }


def _uri(path: Path, *, below: Path) -> str:
    path = absolute(path)
    if path.is_relative_to(below):
        relative = path.relative_to(below).as_posix()
        return quote_from_bytes(os.fsencode(relative))  # a name need not be UTF-8
    return path.as_uri()
