"""Times in JSON bodies."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from conda_token_plugin.sandbox.http.messages import Refused, invalid


def time_in(body: dict[str, Any], name: str) -> datetime | None:
    """Return the time under `name` in a body, or `None`. A time without an offset is in UTC.

    Raises:
        Refused: 422, the value is not a time in ISO 8601.
    """
    if name not in body:
        return None
    try:
        # Python 3.10 does not know that Z is UTC.
        time = datetime.fromisoformat(str(body[name]).replace("Z", "+00:00"))
    except ValueError as e:  # not a time
        raise Refused(invalid(name, str(e))) from e
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
