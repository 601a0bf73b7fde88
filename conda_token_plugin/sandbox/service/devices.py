"""The state of the device flow (RFC 8628): logins that wait for approval."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.world.clock import Clock

LIFE = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628, section 6.1: without vowels, no words


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A login on a device. `user` is empty until a user has approved it."""

    device_code: str
    user_code: str
    client_id: str
    expires: datetime
    interval: timedelta
    user: str = ""
    denied: bool = False
    polled: datetime | None = None


class Devices:
    """The logins that wait.

    Attributes:
        interval: The minimum time between two polls of a new login.
    """

    def __init__(self, clock: Clock) -> None:
        """Start without logins.

        Args:
            clock: Logins expire and intervals are measured by it.
        """
        self.interval = INTERVAL
        self._clock = clock
        self._lock = threading.RLock()
        self._waiting: dict[str, DeviceLogin] = {}

    def begin(self, client_id: str) -> DeviceLogin:
        """Begin a login."""
        login = DeviceLogin(
            device_code=secrets.token_urlsafe(32),
            user_code="-".join(_letters(4) for _ in range(2)),
            client_id=client_id,
            expires=self._clock.now() + LIFE,
            interval=self.interval,
        )
        return self._keep(login)

    def waiting(self) -> list[DeviceLogin]:
        """Return all logins that are not finished, oldest first."""
        with self._lock:
            return list(self._waiting.values())

    def decide(self, user_code: str, user: str) -> None:
        """Log `user` in on the device that shows `user_code`; without a `user`, deny the login.

        Raises:
            Refusal: `no_login`.
        """
        with self._lock:
            self._keep(replace(self._shown(user_code), user=user, denied=not user))

    def poll(self, device_code: str, client_id: str) -> str:
        """Return the user of a finished login, for a device that polls.

        Raises:
            Refusal: an error code of RFC 8628, section 3.5, or of RFC 6749, section 5.2.
        """
        with self._lock:
            login = self._waiting.get(device_code)
            if login is None or login.client_id != client_id:
                raise Refusal("invalid_grant")
            if not login.user and not login.denied and self._clock.now() < login.expires:
                raise Refusal(self._too_early(login))
            del self._waiting[device_code]
            return _outcome(login, self._clock.now())

    def _too_early(self, login: DeviceLogin) -> str:
        now = self._clock.now()
        hasty = login.polled is not None and now - login.polled < login.interval
        # RFC 8628, section 3.5: "the interval MUST be increased by 5 seconds".
        interval = login.interval + INTERVAL if hasty else login.interval
        self._keep(replace(login, polled=now, interval=interval))
        return "slow_down" if hasty else "authorization_pending"

    def _shown(self, user_code: str) -> DeviceLogin:
        for login in self._waiting.values():
            if login.user_code == user_code.strip().upper():
                return login
        raise Refusal("no_login")

    def _keep(self, login: DeviceLogin) -> DeviceLogin:
        with self._lock:
            self._waiting[login.device_code] = login
        return login


def _outcome(login: DeviceLogin, now: datetime) -> str:
    if now >= login.expires:
        raise Refusal("expired_token")
    if login.denied:
        raise Refusal("access_denied")
    return login.user


def _letters(count: int) -> str:
    return "".join(secrets.choice(CONSONANTS) for _ in range(count))
