"""SARIF 2.1.0 for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).

Paths below the folder we are in are relative to it, as code scanning wants them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from conda_token_plugin import __version__
from conda_token_plugin.settings import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conda_token_plugin.operations.audit.scan import AuditFinding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RULES = {
    "stored-token": "A token or API key of this machine's store",
    "token-in-url": "A token in the path of a URL",
    "login-in-url": "A user's password in a URL",
    "token-header": "A token in an Authorization header",
    "token-variable": "A token assigned to a variable",
    "token-command": "A token as an argument of a command",
    "anaconda-org": "A token of anaconda.org",
    "api-key": "A JSON Web Token: an API key",
}


def document(found: Iterable[AuditFinding], *, below: Path) -> dict[str, Any]:
    """The whole document; ``below`` is the folder that paths are relative to."""
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
    inside = f" (in {one.inside})" if one.inside else ""
    ident = sha256(f"{one.rule}|{uri}|{one.inside}|{one.line}".encode()).hexdigest()
    return {
        "ruleId": one.rule,
        "level": "error",
        "message": {"text": f"{RULES[one.rule]}{inside}. Take it out, and reissue it."},
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
        from urllib.parse import quote

        return quote(path.relative_to(below).as_posix())
    return path.as_uri()
