"""The clock uses a server's time if the local clock is wrong, and reports that once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from conda_token_plugin.gateways.clock import MAX_ERROR, Clock, compare
from conda_token_plugin.gateways.http.response import date_of

NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize("direction", [1, -1], ids=["later", "earlier"])
def test_time_of_a_server_is_used_if_it_differs_by_more_than_a_day(direction: int) -> None:
    notices = list[str]()
    near = NOW + direction * MAX_ERROR
    far = near + direction * timedelta(seconds=1)
    clock = Clock(NOW, notice=notices.append)
    for reported, used in [(near, NOW), (far, far), (far, far), (NOW, NOW), (far, far)]:
        clock.compare(reported, server="repo.test")
        assert clock.now == used
    (line,) = notices
    assert line.startswith("The clock of this machine says 2026-11-28, repo.test says 2026-11-")
    assert line.endswith("The time of repo.test is used. Set the clock.")


def test_only_the_clock_in_use_is_compared_with_a_response() -> None:
    clock, year = Clock(NOW), timedelta(days=365)
    compare(NOW + year, server="repo.test")
    with clock.in_use():
        compare(None, server="repo.test")
        assert clock.now == NOW
        compare(NOW - year, server="repo.test")
    compare(NOW + year, server="repo.test")
    assert clock.now == NOW - year


@pytest.mark.parametrize(
    ("headers", "time"),
    [
        ({"date": "Sat, 28 Nov 2026 12:00:00 GMT"}, NOW),
        ({"date": "Saturday, 28-Nov-26 12:00:00 GMT"}, NOW),
        ({"date": "Sat, 28 Nov 2026 13:30:00 +0130"}, NOW),
        ({"date": "Sat, 28 Nov 2026 12:00:00 GMT", "age": "0"}, None),  # from a cache
        ({"date": "Sat, 28 Nov 2026 12:00:00 -0000"}, None),
        ({"date": "Sat, 32 Nov 2026 12:00:00 GMT"}, None),
        ({"date": "Fri, 31 Dec 9999 23:59:59 -2359"}, None),
        ({"date": "9" * 5000}, None),
        ({"date": ""}, None),
        ({}, None),
    ],
    ids=str,
)
def test_time_of_a_response_is_its_date_unless_a_cache_sent_it(
    headers: dict[str, str], time: datetime | None
) -> None:
    assert date_of(headers) == time
