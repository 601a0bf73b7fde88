"""Verification of package signatures by conda with conda-content-trust.

conda before 26.3 contains it and needs the library. For later ones, conda-content-trust 0.3 is a
plugin that does it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNED_BY = "signing_metadata_url_base"
"""conda's setting: where the keys and the signatures are."""
_SIGNED_BY_LINE = re.compile(
    rf'^{SIGNED_BY}: "(https?://[^"\\\[\]{{}}\s]{{1,2000}})"$', re.MULTILINE | re.ASCII
)


def signer_in(text: str) -> str:
    """Return where the drop-in ``text`` lets conda find signatures, or "" if it does not.

    A value that was edited by hand, and is not a URL as the plugin writes it, is not returned.
    """
    line = _SIGNED_BY_LINE.search(text)
    return line[1] if line else ""


def signer_without_token(base: str, *, prefixes: Iterable[str]) -> str | None:
    """Return why conda cannot verify signatures: no token is sent for its keys. None if it can.

    If the file of keys is refused, a warning is logged and nothing is verified. The handler is
    asked for the session of ``base`` (conda 24.11, ``trust/signature_verification.py``, and
    conda-content-trust 0.3.2, ``verification.py``).

    Args:
        base: Where conda finds the signatures, or "" if it is not to verify them.
        prefixes: The scopes of the stored tokens.
    """
    address = f"{base.rstrip('/')}/key_mgr.json"
    if not base or longest_prefix(address, among=set(prefixes)) is not None:
        return None
    return (
        f"conda requests {address} without a token, because no stored token is for it. If the "
        "server refuses that, conda verifies no signature, and only logs a warning."
    )


def refuse_signer_without_token(base: str, *, prefixes: Iterable[str]) -> None:
    """Raise if signatures would not be verified although the drop-in asks for it.

    The parameters are those of ``signer_without_token``.

    Raises:
        BadInput: No token would be sent for the keys.
    """
    fault = signer_without_token(base, prefixes=prefixes)
    if fault is not None:
        raise BadInput(
            f"Signature verification would be off. {fault} Nothing was changed.",
            hint="Store a token that is for the whole repository: conda token set without --org.",
        )
