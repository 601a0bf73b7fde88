"""Times in JSON bodies."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from conda_token_plugin.sandbox.http.messages import Refused, problem


def time_in(body: dict[str, Any], name: str) -> datetime | None:
    """Return the time that a body has under `name`, if it has one; UTC unless it says otherwise.

    Raises:
        Refused: 400, it is not in ISO 8601.
    """
    if name not in body:
        return None
    try:
        # Python 3.10 does not know that Z is UTC.
        time = datetime.fromisoformat(str(body[name]).replace("Z", "+00:00"))
    except ValueError as e:  # not a time
        raise Refused(problem(400, f"{name}: {e}")) from e
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
