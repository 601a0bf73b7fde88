"""Each error is one line, has its exit code, and happens for real somewhere in the tests."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from conda_token_plugin import errors
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.input import MalformedURL

TESTS = Path(__file__).parent
NEVER_RAISED_ITSELF = {
    "TokenPluginError",
    "LoginError",
    "OrganizationError",
    "ServiceError",
    "StoreError",
}


def classes() -> list[type[TokenPluginError]]:
    names = [
        errors.__name__,
        *(f"{errors.__name__}.{m.name}" for m in iter_modules(errors.__path__)),
    ]
    return [
        value
        for name in names
        for _, value in inspect.getmembers(import_module(name), inspect.isclass)
        if issubclass(value, TokenPluginError) and value.__module__ == name
    ]


def table() -> dict[str, int | None]:
    """The tree in the module's docstring: names, and the codes of those that have one."""
    rows = re.findall(r"(\w+) \.{3,} +(\d+)?", errors.__doc__ or "")
    bare = re.findall(r"[├└]── (\w+)$", errors.__doc__ or "", re.MULTILINE)
    return {**dict.fromkeys(bare), **{name: int(code) if code else None for name, code in rows}}


def test_tree_in_the_docstring_is_that_of_the_classes() -> None:
    assert set(table()) == {cls.__name__ for cls in classes()}


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_exit_code_is_that_in_the_table(cls: type[TokenPluginError]) -> None:
    named = [table()[base.__name__] for base in cls.__mro__ if base.__name__ in table()]
    assert cls.exit_code == next(code for code in named if code is not None)


@pytest.mark.parametrize(
    "cls",
    [cls for cls in classes() if cls.__name__ not in NEVER_RAISED_ITSELF],
    ids=lambda cls: cls.__name__,
)
def test_every_error_is_named_by_a_test(cls: type[TokenPluginError]) -> None:
    named = re.compile(rf"\b{cls.__name__}\b")
    found = [path for path in TESTS.rglob("test_*.py") if named.search(path.read_text("utf-8"))]
    assert found, f"no test makes {cls.__name__} happen"


def test_message_with_line_breaks_is_one_line() -> None:
    error = TokenPluginError("two\nlines\tand  more", hint=" so\r\n it  is ")
    assert str(error) == "two lines and more so it is"


@pytest.mark.parametrize("secret", ["aB3" * 16, f"eyJ{'a' * 20}.{'b' * 40}.{'c-_' * 9}"])
def test_message_with_a_secret_does_not_repeat_it(secret: str) -> None:
    error = TokenPluginError(f"No {secret!r}, no x={secret}.", hint=f"See: https://h/{secret}/")
    assert str(error) == "No '…', no x=…. See: https://h/…/"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://joe:Winter2026@h.example/x", "http://…@h.example/x"),
        ("http:/joe:Win@ter@h.example/x", "http:/…@h.example/x"),
        ("joe:Winter2026@h.example/x", "…@h.example/x"),
        ("http://:Winter2026@[::1/x", "http://…@[::1/x"),
        ("http://Winter2026@h.example/x", "http://…@h.example/x"),
        ("http:/Winter2026@h.example/x", "http:/…@h.example/x"),
        ("https://h.example/a/t/Winter2026/x", "https://h.example/a/t/…/x"),
        ("https:/h.example/a/%74/Winter2026/x", "https:/h.example/a/%74/…/x"),
        ("h.example/t/Winter2026", "h.example/t/…"),
        ("t/Winter2026/x", "t/…/x"),
        ("https://h.example/x?token=Winter2026", "https://h.example/x"),
        ("https:/h.example/x#Winter2026", "https:/h.example/x"),
    ],
)
def test_credential_in_a_url_is_not_repeated_by_an_error(url: str, shown: str) -> None:
    assert str(TokenPluginError(f"There is no '{url}'.")) == f"There is no '{shown}'."


@pytest.mark.parametrize("piece", [":", "(:", "eyj", "a:b@", "\u00ef", "://", "/t/", "t/a", " t/"])
def test_message_of_any_length_is_redacted_in_linear_time(piece: str) -> None:
    """With a pattern whose work grows with the square, the time limit of the test is exceeded."""
    text = piece * 600_000
    assert "@" not in TokenPluginError(text).what.replace("…@", "")
    assert MalformedURL(text, "it is long").what


def test_address_and_time_in_an_error_are_shown() -> None:
    words = "At 12:30 http://h.example:8000/x asked joe@h.example."
    assert TokenPluginError(words).what == words


@pytest.mark.parametrize(
    "word",
    ["a" * 47, "a" * 49, "0f" * 32, "eyJ.a.b", "/home/" + "a-b" * 16, "/t/<TOKEN>/x", "/t/…/x"],
)
def test_message_with_another_long_word_keeps_it(word: str) -> None:
    assert str(TokenPluginError(f"It is {word}.")) == f"It is {word}."
