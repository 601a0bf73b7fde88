"""conda requests the keys of signatures with the token.

conda before 26.3 verifies signatures itself, with the library conda-content-trust. For later ones,
conda-content-trust 0.3 is the plugin that does it (its `verification.py`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import recording

if TYPE_CHECKING:
    from tests.support.machine import Machine

TRUST = "TEST_CONTENT_TRUST"
"""Variable with a folder that contains conda_content_trust (0.3 for conda 26.3) and its imports."""
pytestmark = [
    pytest.mark.conda,
    pytest.mark.skipif(TRUST not in os.environ, reason=f"{TRUST} names no conda-content-trust"),
]

TOKEN = "a-token-0123456789"
ASK = """
import sys
sys.path.append(sys.argv[1])
from conda.base.context import context, reset_context
reset_context()
try:
    from conda.trust.signature_verification import signature_verification
except ImportError:  # conda 26.3
    from conda_content_trust.verification import signature_verification
assert context.extra_safety_checks, "the drop-in asks for verification"
signature_verification.key_mgr
"""


def test_keys_of_signatures_are_requested_with_the_token_of_the_repository(
    machine: Machine,
) -> None:
    with recording() as server:
        machine.variables["CONDA_TOKEN_REPO_URL"] = f"{server.url}/repo/"
        words = ("set", "--no-validate", "--enable-signature-verification", "--token-env", "GIVEN")
        machine.conda("token", *words, GIVEN=TOKEN).well()
        machine.python("-c", ASK, os.environ[TRUST])
        asked = [one for one in server.requests if "/repo/key_mgr.json" in one.line]

    assert asked
    assert {one.header("Authorization") for one in asked} == {f"token {TOKEN}"}


def test_verification_for_one_organization_is_refused_and_conda_is_unchanged(
    machine: Machine,
) -> None:
    words = ("set", "--org", "acme", "--no-validate", "--enable-signature-verification")
    refused = machine.conda("token", *words, "--token-env", "GIVEN", GIVEN=TOKEN).badly()

    assert "Signature verification would be off." in refused.err
    assert not machine.dropin.exists()
