"""The outcome and the metadata for each row of the table in ``tokens.reconcile``."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.tokens.reconcile import (
    Observation,
    SyncOutcome,
    needs_verification,
    synced,
)
from conda_token_plugin.tokens.token import State, Token, TokenKind, TokenVerdict

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def token(**facts: Any) -> Token:
    known = {"organization": "acme", "kind": TokenKind.INDIVIDUAL, "scope": ("https://h/acme",)}
    return Token(**{**known, "id": "one", "expires": NOW + 100 * DAY, **facts})


def current(days: float = 100, *, name: str = "one") -> dict[str, Any]:
    """The facts of an `Observation` about a current token."""
    return {"current_id": name, "current_expires": NOW + days * DAY}


def ends(days: float) -> datetime:
    return NOW + days * DAY


@pytest.mark.parametrize(
    ("facts", "seen", "outcome"),
    [
        ({"kind": TokenKind.SITE}, Observation(accepted=False), SyncOutcome.REVOKED),
        (
            {"kind": TokenKind.SITE},
            Observation(accepted=False, ends=ends(-40)),
            SyncOutcome.REVOKED,
        ),
        ({"kind": TokenKind.SITE}, Observation(), SyncOutcome.UNKNOWN),
        ({}, Observation(ends=ends(-30)), SyncOutcome.ENDED),
        ({}, Observation(ends=ends(-29)), SyncOutcome.CANCELLED),
        ({}, Observation(ends=ends(0)), SyncOutcome.CANCELLED),
        ({}, Observation(ends=ends(1)), SyncOutcome.REVOKED),
        ({}, Observation(), SyncOutcome.REVOKED),
        ({}, Observation(ends=ends(100), **current(name="two")), SyncOutcome.REISSUED),
        ({"id": ""}, Observation(accepted=False, **current()), SyncOutcome.REISSUED),
        ({}, Observation(ends=ends(-31), **current(-31)), SyncOutcome.ENDED),
        ({}, Observation(ends=ends(-10), **current(-10)), SyncOutcome.GRACE),
        ({"kind": TokenKind.SITE}, Observation(accepted=True, ends=ends(-40)), SyncOutcome.GRACE),
        ({}, Observation(ends=ends(102), **current()), SyncOutcome.EXTENDABLE),
        ({}, Observation(ends=ends(101), **current()), SyncOutcome.CURRENT),
        ({}, Observation(ends=ends(400), **current(200)), SyncOutcome.EXTENDABLE),
        ({}, Observation(ends=ends(200), **current(200)), SyncOutcome.EXTENDED),
        ({}, Observation(ends=ends(100), **current()), SyncOutcome.CURRENT),
        ({}, Observation(ends=ends(50), **current(50)), SyncOutcome.CURRENT),
        ({}, Observation(**current()), SyncOutcome.CURRENT),
        ({"id": ""}, Observation(accepted=True, **current()), SyncOutcome.CURRENT),
        ({"expires": None}, Observation(current_id="one"), SyncOutcome.CURRENT),
        ({"expires": None}, Observation(**current()), SyncOutcome.CURRENT),
        ({}, Observation(ends=ends(-40), tolerance_months=2, **current(-40)), SyncOutcome.GRACE),
        ({"tolerance_months": 2}, Observation(ends=ends(-40), **current(-40)), SyncOutcome.GRACE),
        (
            {"kind": TokenKind.SITE, "expires": None},
            Observation(accepted=True),
            SyncOutcome.CURRENT,
        ),
        (
            {"kind": TokenKind.SITE},
            Observation(accepted=True, ends=ends(200)),
            SyncOutcome.EXTENDABLE,
        ),
    ],
)
def test_outcome_is_that_of_the_first_row_of_the_table_that_applies(
    facts: dict[str, Any], seen: Observation, outcome: SyncOutcome
) -> None:
    assert synced(token(**facts), seen=seen, now=NOW)[1] is outcome


def test_metadata_have_the_id_and_the_dates_that_the_service_said() -> None:
    seen = Observation(ends=ends(200), accepted=True, **current(200))
    known, _ = synced(token(id=""), seen=seen, now=NOW)
    assert (known.id, known.expires, known.subscription_ends) == ("one", ends(200), ends(200))
    assert (known.checked, known.verified) == (NOW, NOW)


def test_metadata_have_the_tolerance_that_the_service_said() -> None:
    known, _ = synced(token(), seen=Observation(tolerance_months=2, **current()), now=NOW)
    assert known.tolerance_months == 2


def test_metadata_keep_what_the_service_does_not_say() -> None:
    held = token(kind=TokenKind.SITE, subscription_ends=ends(100), tolerance_months=2)
    known, _ = synced(held, seen=Observation(accepted=True), now=NOW)
    assert known == held._replace(checked=NOW, verified=NOW)


def test_names_of_outcomes_are_those_of_the_json_output() -> None:
    assert [outcome.value for outcome in SyncOutcome] == [
        "up to date",
        "extended",
        "can be extended",
        "in grace",
        "revoked",
        "reissued elsewhere",
        "cancelled",
        "ended",
        "unknown",
    ]


def test_metadata_keep_id_and_expiry_if_the_current_token_is_another_one() -> None:
    known, _ = synced(token(), seen=Observation(**current(200, name="two")), now=NOW)
    assert (known.id, known.expires) == ("one", ends(100))


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (Observation(), State.REVOKED),
        (Observation(**current(name="two")), State.REVOKED),
        (Observation(ends=ends(-1)), State.CANCELLED),
        (Observation(ends=ends(-10), **current(-10)), State.GRACE),
        (Observation(ends=ends(100), **current()), State.VALID),
    ],
)
def test_state_of_the_token_agrees_with_the_outcome(seen: Observation, state: State) -> None:
    assert synced(token(), seen=seen, now=NOW)[0].state(now=NOW) is state


def test_revoked_token_that_is_current_again_is_good() -> None:
    held = token(verdict=TokenVerdict.REVOKED)
    known, _ = synced(held, seen=Observation(ends=ends(100), **current()), now=NOW)
    assert known.verdict is TokenVerdict.GOOD


def test_subscription_until_the_last_year_is_current() -> None:
    end = datetime.max.replace(tzinfo=timezone.utc)
    seen = Observation(current_id="one", current_expires=end, ends=end)
    assert synced(token(expires=end), seen=seen, now=NOW)[1] is SyncOutcome.CURRENT


@pytest.mark.parametrize(
    ("facts", "there", "tried"),
    [
        ({}, "one", False),
        ({"id": ""}, "one", True),
        ({"id": ""}, None, False),
        ({"kind": TokenKind.SITE}, None, True),
        ({"kind": TokenKind.UNKNOWN}, None, True),
    ],
)
def test_token_must_be_tried_if_the_service_does_not_know_its_id(
    facts: dict[str, Any],
    there: str | None,
    tried: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    assert needs_verification(token(**facts), current_id=there) is tried


times = st.none() | st.datetimes(timezones=st.just(timezone.utc))


@given(
    kind=st.sampled_from(TokenKind),
    identifier=st.sampled_from(["", "one", "two"]),
    expires=times,
    current_id=st.none() | st.just("one"),
    current_expires=times,
    end=times,
    accepted=st.none() | st.booleans(),
)
def test_any_combination_has_an_outcome_that_a_second_comparison_confirms(  # noqa: PLR0913  # one each
    *,
    kind: TokenKind,
    identifier: str,
    expires: datetime | None,
    current_id: str | None,
    current_expires: datetime | None,
    end: datetime | None,
    accepted: bool | None,
) -> None:
    held = token(kind=kind, id=identifier, expires=expires)
    seen = Observation(
        current_id=current_id,
        current_expires=current_expires if current_id else None,
        ends=end,
        accepted=accepted,
    )
    known, outcome = synced(held, seen=seen, now=NOW)
    again = synced(known, seen=seen, now=NOW)[1]
    assert again is (SyncOutcome.CURRENT if outcome is SyncOutcome.EXTENDED else outcome)
    assert known.key == held.key
