"""What lies in a vault: a secret with the name it was stored under, wrapped as all we write.

The name keeps a vault that gives out the wrong entry from sending a token to another's channels.
"""

from __future__ import annotations

import json

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.secret import Secret
from conda_token_plugin.store.envelope import Refused, unwrapped, wrapped

KIND = "secret"


def sealed(name: str, secret: Secret) -> bytes:
    """``secret`` as it is put into a vault; ASCII, one line after the first."""
    return wrapped(KIND, json.dumps({"name": name, "secret": secret.reveal()}).encode() + b"\n")


def unsealed(name: str, data: bytes) -> Secret:
    """Undo ``sealed``.

    Raises:
        Refused: these are not bytes that ``sealed`` returned, or it was another's secret.
    """
    body = unwrapped(KIND, data)
    try:
        value = json.loads(body)
        found, secret = value["name"], Secret(value["secret"])
    except (KeyError, TypeError, ValueError, RecursionError, MalformedToken):
        # a writer that is not this plugin
        raise Refused("it holds no secret") from None
    if found != name:
        raise Refused("it holds the secret of something else")
    return secret
