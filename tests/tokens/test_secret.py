"""A secret is shown by ``reveal`` only, and ``reveal`` is called in the listed places only."""

from __future__ import annotations

import ast
import copy
import json
import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import conda_token_plugin
from conda_token_plugin.errors.input import MalformedPassword, MalformedToken
from conda_token_plugin.tokens.secret import (
    LONGEST,
    NULL_CHARACTERS,
    HeaderSecret,
    HeaderValue,
    Password,
    Secret,
    fault_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CONTROL_CHARACTER = "it contains a control character, such as a line break"
BLANK = "it contains a space or a line break"
NOT_FOR_A_HEADER = "it contains a character that is not valid in an HTTP header"
VALUE = "q9Zx7Lk2mN4pR8sT1vW5yB3cD6fG0hJ"
PACKAGE = Path(conda_token_plugin.__file__).parent


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r:>60}".format, ascii])
def test_secret_is_redacted_when_it_is_printed(show: object) -> None:
    secret = Secret(VALUE)
    assert callable(show)
    for shown in (
        show(secret),
        show(Holder(secret)),
        show([secret]),
        f"{secret:>60}",
        f"{secret!s:5}",
    ):
        assert VALUE[:8] not in shown


def test_redacted_secret_is_shown_with_its_type_only() -> None:
    assert str(Secret(VALUE)) == f"{Secret(VALUE)}" == "<hidden>"
    assert repr(Password(VALUE)) == "Password(<hidden>)"


def test_secret_is_redacted_in_a_log_message(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("t").debug("sent %s and %r", Secret(VALUE), HeaderValue(VALUE))
    assert VALUE not in caplog.text
    assert "<hidden>" in caplog.text


@pytest.mark.parametrize("dump", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("value", [Secret(VALUE), HeaderValue(VALUE)])
def test_secret_raises_type_error_when_it_is_pickled_or_copied(
    dump: Callable[[object], object], value: object
) -> None:
    with pytest.raises(TypeError) as caught:
        dump(value)
    assert str(caught.value) == "a secret is not copied, pickled or serialized; pass it on"


@pytest.mark.parametrize("value", [Secret(VALUE), {"a": Secret(VALUE)}])
def test_secret_raises_type_error_when_it_is_dumped_as_json(value: object) -> None:
    with pytest.raises(TypeError, match="Secret is not JSON serializable") as caught:
        json.dumps(value)
    assert VALUE not in str(caught.value)


def test_secret_equals_a_secret_with_the_same_value_only() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(VALUE[:-1])
    assert Secret(VALUE) != VALUE


def test_secret_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(Secret(VALUE))


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "it is empty"),
        ("Zq8x Lk2m", BLANK),
        ("Zq8xLk2m\n", BLANK),
        ("Zq8x\x00Lk2m", NULL_CHARACTERS),
        ("tökən", NOT_FOR_A_HEADER),
        ("x" * 16_385, "it has 16385 characters; at most 16384 are accepted"),
    ],
)
def test_value_that_cannot_be_a_token_is_refused_without_showing_it(value: str, fault: str) -> None:
    assert fault_of(value) == fault
    with pytest.raises(MalformedToken, match=fault) as caught:
        Secret(value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize(("value", "last"), [(VALUE, "G0hJ"[-4:]), ("short", ""), ("x" * 11, "")])
def test_last_four_are_empty_for_a_short_value(value: str, last: str) -> None:
    assert Secret(value).last_four == last


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_reveal_returns_the_value_unchanged(value: str) -> None:
    assert Secret(value).reveal() == value


def test_header_value_is_sent_whole_and_printed_redacted() -> None:
    value = HeaderValue(f"token {VALUE}")
    assert value.encode("latin-1") == f"token {VALUE}".encode()
    for shown in (str(value), repr(value), f"{value}", f"{value:>9}", f"{value}"):
        assert VALUE not in shown


def test_reveal_is_called_in_the_listed_places_only() -> None:
    """A new call needs an entry in ``REVEALS``, with the reason why it needs the value."""
    found = {
        str(path.relative_to(PACKAGE)): calls
        for path in sorted(PACKAGE.rglob("*.py"))
        if "sandbox" not in path.parts and (calls := _reveals(path))
    }
    assert found == REVEALS


REVEALS = {
    # onto the wire
    "tokens/authorization.py": 5,  # two header forms, the path form, and two to remove it
    "gateways/http/client.py": 1,  # the service's own Authorization header
    "service/admin.py": 2,  # the id and the secret of a service account, in a form
    "service/login/device.py": 1,  # the device code of a login, in a form
    "tokens/api_key.py": 1,  # an API key's expiry is inside of it
    # into the store
    "store/envelope.py": 1,
    # to where the user asked to have it
    "cli/commands/run.py": 2,  # one command's environment
    "cli/commands/helper.py": 1,  # a script's standard input
    "integrations/conda/token_files.py": 1,
    "integrations/dotenv.py": 2,
    "integrations/github_actions.py": 2,
    "integrations/mamba.py": 2,
    "integrations/netrc.py": 1,
    "integrations/rattler.py": 1,
    # to be found and taken out
    "cli/commands/audit.py": 3,  # what is looked for in files
    "operations/health_checks.py": 1,  # as audit
}


def _reveals(path: Path) -> int:
    return sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "reveal"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.parametrize("value", ["", "one\ntwo", "null\0"])
def test_value_that_cannot_be_a_password_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(MalformedPassword) as caught:
        Password(value)
    assert not value or value not in str(caught.value)


def test_mark_of_a_secret_depends_on_its_value_only() -> None:
    assert Secret("a-token-0123456789").mark == Password("a-token-0123456789").mark
    assert Secret("a-token-0123456789").mark != Secret("a-token-0123456788").mark
    assert len(Secret("a-token-0123456789").mark) == 4


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        *((value, "it is not valid UTF-8") for value in ("a\ufffd", "a\ud800", "a\udfff")),
        *((f"a{odd}", CONTROL_CHARACTER) for odd in ("\x00", "\x1f", "\n", "\x7f", "\x9f")),
    ],
)
def test_password_is_refused_when_it_has_an_odd_character(value: str, fault: str) -> None:
    assert Password.fault_of(value) == fault


@pytest.mark.parametrize(
    "value", ["a b", "a~", "a\xa0", "a\ud7ff", "a\ue000", "a " * (LONGEST // 2)]
)
def test_password_is_accepted_when_its_characters_can_be_sent(value: str) -> None:
    assert Password.fault_of(value) == ""


@pytest.mark.parametrize("value", ["", "a" * (LONGEST + 1)])
def test_password_has_the_fault_of_a_token_when_its_length_is_wrong(value: str) -> None:
    assert Password.fault_of(value) == fault_of(value) != ""


@pytest.mark.parametrize("kind", [Secret, Password, HeaderSecret])
def test_longest_value_is_accepted_and_one_more_character_is_not(kind: type[Secret]) -> None:
    assert kind("x" * 16_384).reveal() == "x" * 16_384
    with pytest.raises(MalformedToken, match="16385 characters; at most 16384"):
        kind("x" * 16_385)


def test_blanks_of_a_header_count_as_characters() -> None:
    longest = f"Bearer {'x' * 16_377}"
    assert HeaderSecret.fault_of(longest) == ""
    assert HeaderSecret.fault_of(f"{longest}x") == fault_of("x" * 16_385)


def test_last_four_are_shown_from_twelve_characters_on_and_never_of_a_password() -> None:
    assert Secret("12345678abcd").last_four == "abcd"
    assert Secret("1234567abcd").last_four == ""
    assert Password("12345678abcd").last_four == ""


def test_secret_is_compared_with_secrets_only() -> None:
    assert Secret(VALUE).__eq__(VALUE) is NotImplemented
    assert Secret(VALUE) != VALUE
    assert Secret(VALUE) == Secret(VALUE)


@pytest.mark.parametrize("value", ["Bearer abc", "Digest a=b, c=d", "abc"])
def test_header_may_contain_single_blanks(value: str) -> None:
    assert HeaderSecret.fault_of(value) == ""
    assert HeaderSecret(value).reveal() == value


@pytest.mark.parametrize(
    "value", ["", " ", " Bearer abc", "Bearer abc ", "Bearer\tabc", "a\nb", "é"]
)
def test_header_that_cannot_be_sent_is_refused(value: str) -> None:
    assert HeaderSecret.fault_of(value)
    with pytest.raises(MalformedToken):
        HeaderSecret(value)


def test_fault_is_an_empty_text_for_a_good_value() -> None:
    assert fault_of(VALUE) == ""
    assert Password.fault_of("two words") == ""
