"""urllib3's logs show no token, whichever way its characters are escaped."""

from __future__ import annotations

import logging

import pytest

from conda_token_plugin.gateways.http import redaction
from conda_token_plugin.tokens.secret import Secret

VALUE = "ab{c}d%e-fghijk"


@pytest.mark.parametrize("form", [VALUE, "ab%7Bc%7Dd%25e-fghijk", "ab%7Bc%7Dd%e-fghijk"])
def test_redacted_text_contains_no_form_of_the_secret(form: str) -> None:
    assert redaction.redacted(f"GET /x/{form}/y", Secret(VALUE)) == "GET /x/<hidden>/y"


def test_redacted_text_contains_no_token_in_a_path_even_if_it_is_unknown() -> None:
    assert redaction.redacted("GET /t/unknown/repo/x HTTP/1.1") == "GET /repo/x HTTP/1.1"


def test_logs_of_urllib3_are_redacted_from_then_on_and_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger(redaction.WIRE_LOGS[0])
    monkeypatch.setattr(log, "filters", [])
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        redaction.redact_logs(Secret(VALUE))
    log.warning("Retrying after %s", f"/t/{VALUE}/x and {VALUE}")
    assert len(log.filters) == 1
    assert VALUE not in caplog.text
    assert "Retrying" in caplog.text


def test_warnings_about_repetitions_are_dropped_during_our_own_requests(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    log = logging.getLogger(redaction.WIRE_LOGS[1])
    with redaction.quiet_logs():
        log.warning("Retrying")
        log.debug("GET /t/%s/x", VALUE)
    assert "Retrying" not in caplog.text
    assert VALUE not in caplog.text
    log.warning("Retrying")
    assert "Retrying" in caplog.text
