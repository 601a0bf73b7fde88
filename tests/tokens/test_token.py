"""The states of a token by the table in ``tokens.token``, and its stored form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.tokens.token import (
    MAX_MONTHS,
    AuthScheme,
    State,
    Token,
    TokenKind,
    TokenVerdict,
    utc,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

times = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone itself
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.timezones(),
    allow_imaginary=False,  # hours that a change of the clock skips
)


def token(**facts: Any) -> Token:
    given_facts = {
        "organization": "acme",
        "kind": TokenKind.INDIVIDUAL,
        "scope": ("https://h/acme",),
    }
    return Token(**{**given_facts, **facts})


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"expires": NOW + 90 * DAY, "verdict": TokenVerdict.REVOKED}, State.REVOKED),
        ({"expires": NOW - DAY, "verdict": TokenVerdict.REVOKED}, State.REVOKED),
        ({"expires": NOW + 90 * DAY, "verdict": TokenVerdict.CANCELLED}, State.CANCELLED),
        ({}, State.UNKNOWN),
        ({"subscription_ends": NOW - DAY}, State.UNKNOWN),
        ({"expires": NOW}, State.EXPIRED),
        ({"expires": NOW - SECOND}, State.EXPIRED),
        ({"expires": NOW + SECOND}, State.EXPIRING),
        ({"expires": NOW + 20 * DAY, "subscription_ends": NOW - 10 * DAY}, State.GRACE),
        ({"expires": NOW + 5 * DAY, "subscription_ends": NOW}, State.GRACE),
        ({"expires": NOW - DAY, "subscription_ends": NOW - DAY}, State.GRACE),
        ({"expires": NOW - 29 * DAY, "subscription_ends": NOW - 29 * DAY}, State.GRACE),
        ({"expires": NOW - 30 * DAY, "subscription_ends": NOW - 30 * DAY}, State.EXPIRED),
        ({"expires": NOW - DAY, "subscription_ends": NOW - DAY + SECOND}, State.GRACE),
        ({"expires": NOW - DAY, "subscription_ends": NOW}, State.GRACE),
        ({"expires": NOW + 300 * DAY, "subscription_ends": NOW - 31 * DAY}, State.EXPIRED),
        ({"expires": NOW - DAY, "subscription_ends": NOW + 300 * DAY}, State.EXPIRED),
        ({"expires": NOW + 5 * DAY, "subscription_ends": NOW + 5 * DAY}, State.EXPIRING),
        ({"expires": NOW + 14 * DAY}, State.EXPIRING),
        ({"expires": NOW + 14 * DAY + SECOND}, State.VALID),
        ({"expires": NOW + 90 * DAY, "subscription_ends": NOW + 60 * DAY}, State.VALID),
    ],
)
def test_state_is_that_of_the_first_row_of_the_table_that_applies(
    facts: dict[str, Any], state: State
) -> None:
    assert token(**facts).state(now=NOW) is state


@pytest.mark.parametrize(
    ("expires", "ends", "left"),
    [
        (5, None, 5),
        (5, 5, 5),
        (-10, -10, 20),
        (300, -10, 20),
        (20, -10, 20),
        (-1, 300, -1),
        (-40, -40, -10),
        (300, -40, -10),
    ],
)
def test_remaining_time_ends_at_the_expiry_and_in_grace_at_the_end_of_the_grace_period(
    expires: int, ends: int | None, left: int
) -> None:
    end = None if ends is None else NOW + ends * DAY
    held = token(expires=NOW + expires * DAY, subscription_ends=end)
    assert held.left(now=NOW) == left * DAY


def test_token_of_a_subscription_until_the_last_year_is_valid() -> None:
    end = datetime.max.replace(tzinfo=timezone.utc)
    held = token(expires=end, subscription_ends=end)
    assert held.usable_until == end
    assert held.state(now=NOW) is State.VALID


@pytest.mark.parametrize(
    ("state", "shown", "usable"),
    [
        (State.VALID, "valid", True),
        (State.EXPIRING, "expiring", True),
        (State.GRACE, "grace", True),
        (State.EXPIRED, "expired", False),
        (State.CANCELLED, "cancelled", False),
        (State.REVOKED, "revoked", False),
        (State.UNKNOWN, "unknown", True),
    ],
)
def test_state_has_the_name_of_the_json_output_and_is_usable_until_it_ends(
    state: State, shown: str, *, usable: bool
) -> None:
    assert (state.value, state.usable) == (shown, usable)


@pytest.mark.parametrize("verdict", ["good", "revoked", "cancelled"])
def test_stored_verdict_is_read_by_its_name(verdict: str) -> None:
    read = Token.from_json({**token().as_json(), "verdict": verdict})
    assert read.verdict is TokenVerdict[verdict.upper()]


@given(times, times)
def test_state_does_not_depend_on_the_time_zone_in_which_a_time_is_written(
    expires: datetime, now: datetime
) -> None:
    here = token(expires=expires).state(now=now)
    there = token(expires=expires.astimezone(timezone.utc)).state(now=now.astimezone(timezone.utc))
    assert here is there
    left = token(expires=expires).left(now=now)
    assert left is not None
    assert (left <= timedelta()) is (here is State.EXPIRED)


@given(times, st.timedeltas(min_value=timedelta(), max_value=400 * DAY))
def test_state_never_improves_with_time(expires: datetime, later: timedelta) -> None:
    order = [State.VALID, State.EXPIRING, State.EXPIRED]
    held = token(expires=expires)
    start = expires.astimezone(timezone.utc) - 200 * DAY
    assert order.index(held.state(now=start)) <= order.index(held.state(now=start + later))


def test_leap_day_and_change_to_summer_time_do_not_shift_the_state() -> None:
    leap = token(expires=utc("2028-03-14T00:00:00Z"))
    assert leap.state(now=utc("2028-02-29T00:00:00Z")) is State.EXPIRING
    assert leap.state(now=utc("2028-02-28T23:59:59Z")) is State.VALID
    summer = token(expires=utc("2026-03-29T03:00:00+02:00"))
    assert summer.state(now=utc("2026-03-29T00:59:59Z")) is State.EXPIRING
    assert summer.state(now=utc("2026-03-29T01:00:00Z")) is State.EXPIRED


@pytest.mark.parametrize(
    ("checked", "sent"),
    [
        (None, True),
        (NOW - DAY - SECOND, True),
        (NOW - DAY, False),
        (NOW - SECOND, False),
        (NOW + DAY, False),  # the clock was set back: the metadata are not older than a day
    ],
)
def test_expired_token_is_sent_only_if_its_metadata_are_older_than_a_day(
    checked: datetime | None, *, sent: bool
) -> None:
    assert token(expires=NOW - DAY, checked=checked).is_usable_or_stale(now=NOW) is sent
    assert token(expires=NOW + DAY, checked=checked).is_usable_or_stale(now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-01 00:00:00+00:00",
        "2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00z",
        "2030-01-01T00:00:00",
        "2030-01-01",
        "2030-01-01T02:00:00+02:00",
        " 2030-01-01T00:00:00.000000Z ",
    ],
)
def test_time_of_the_service_is_read_as_utc(text: str) -> None:
    moment = utc(text)
    assert moment == datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert moment.utcoffset() == timedelta()


@pytest.mark.parametrize("text", ["", "soon", "2030-13-01", "1893456000", "2030-01-01T25:00"])
def test_text_that_is_not_a_time_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        utc(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_time_that_is_out_of_range_in_utc_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"^the time is out of range$"):
        utc(text)


texts = st.text(max_size=20)
# As everywhere in the package. Times of other zones that come twice a year equal none of UTC's.
utc_times = times.map(lambda moment: moment.astimezone(timezone.utc))
tokens = st.builds(
    Token,
    organization=texts,
    kind=st.sampled_from(TokenKind),
    scope=st.lists(texts, max_size=3).map(tuple),
    scheme=st.sampled_from(AuthScheme),
    username=texts,
    id=texts,
    last_four=texts,
    issued=st.none() | utc_times,
    expires=st.none() | utc_times,
    subscription_ends=st.none() | utc_times,
    checked=st.none() | utc_times,
    verified=st.none() | utc_times,
    verdict=st.sampled_from(TokenVerdict),
    channels=st.lists(texts, max_size=2).map(tuple),
    default_channels=st.lists(texts, max_size=2).map(tuple),
    tolerance_months=st.none() | st.integers(0, MAX_MONTHS),
)


@given(tokens)
def test_metadata_are_the_same_after_they_are_written_and_read(held: Token) -> None:
    entry = json.loads(json.dumps(held.as_json()))
    # A token without a scope is never stored; "" and () are what is left out.
    back = Token.from_json({"scope": [], "organization": "", **entry})
    assert back == held


@given(
    st.dictionaries(
        st.sampled_from(["organization", "kind", "scope", "expires", "scheme", "verdict", "new"]),
        st.none() | st.booleans() | st.integers() | texts | st.lists(texts | st.integers()),
    )
)
def test_entry_of_another_program_is_read_or_raises_a_documented_error(
    entry: dict[str, Any],
) -> None:
    try:
        held = Token.from_json(entry)
    except (KeyError, TypeError, ValueError):
        return
    assert isinstance(held.organization, str)


@pytest.mark.parametrize("facts", [{}, {"tolerance_months": 0}, {"last_four": "abcd"}])
def test_stored_form_has_what_is_required_and_what_is_set(facts: dict[str, Any]) -> None:
    required = {"organization": "acme", "kind": "individual", "scope": []}
    assert token(scope=(), **facts).as_json() == {**required, **facts}


@pytest.mark.parametrize("scheme", AuthScheme)
def test_stored_scheme_is_read_by_its_name(scheme: AuthScheme) -> None:
    assert Token.from_json({**token().as_json(), "scheme": scheme.value}).scheme is scheme


def test_names_of_a_later_version_are_ignored() -> None:
    assert Token.from_json({**token().as_json(), "colour": "blue"}) == token()


def test_names_of_kinds_and_schemes_are_those_of_the_stored_format() -> None:
    """Later versions read them, so they never change."""
    kinds = {"individual", "site", "api-key", "unknown", "provider"}
    assert {kind.value for kind in TokenKind} == kinds
    assert {scheme.value for scheme in AuthScheme} == {"token", "bearer", "basic", "path", "header"}


def test_token_without_prefixes_keeps_its_key_and_loses_them() -> None:
    held = token(scope=("https://h.example/a", "https://h.example/b"))

    less = held.without({"https://h.example/a"})

    assert less.scope == ("https://h.example/b",)
    assert less.key == held.key == "acme@https://h.example/a"
    assert less.without({"https://h.example/b"}).key == held.key


def test_token_that_never_had_a_prefix_has_its_organization_as_key() -> None:
    assert token(scope=()).key == token(scope=()).without({"https://h/acme"}).key == "acme@"


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("scope", "https://h.example/a", "a list was expected"),
        ("channels", {"a": 1}, "a list was expected"),
        ("scope", [1], "text was expected"),
        ("organization", 7, "text was expected"),
        *(
            ("tolerance_months", months, "a number of months was expected")
            for months in (1201, -1, True, "2")
        ),
        ("scheme", "no-such-way", "'no-such-way' is not a valid AuthScheme"),
        ("kind", "no-such-kind", "'no-such-kind' is not a valid TokenKind"),
    ],
)
def test_stored_value_of_a_wrong_type_is_refused(name: str, value: object, fault: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{fault}$"):
        Token.from_json({**token().as_json(), name: value})


@pytest.mark.parametrize("months", [0, 1, 1200])
def test_tolerance_of_the_service_is_counted_in_months_of_thirty_days(months: int) -> None:
    held = token(expires=NOW, subscription_ends=NOW, tolerance_months=months)

    assert held.grace == months * timedelta(days=30)
    assert Token.from_json(held.as_json()) == held
